"""A day with the bot: pairing, looking, closing a position with a button, and what the log says."""

from pathlib import Path

from plan2.connectivity.identity.rights import Role
from plan2.foundation.events.people import CredentialChanged
from plan2.intelligence.trading.wishes import OrderWish
from unit.interface_fixtures import position_item
from unit.telegram_fixtures import SITI, bot_at_work


async def test_a_person_pairs_looks_and_closes_a_position(tmp_path: Path) -> None:
    """Pair → status → forceexit with a button → the order, once, and the audit trail of all."""
    async with bot_at_work(tmp_path) as bot:
        siti = (await bot.person("siti", Role.PORTFOLIO_MANAGER)).user
        bot.stage.books.open["paper-1:42"] = position_item("paper-1:42", "EURUSD", "12.50")
        await bot.pair(siti, SITI)
        shown = await bot.asked(SITI, "/status")
        assert "EURUSD" in shown
        assert "+12.50 USD floating" in shown
        question = await bot.asked(SITI, "/forceexit paper-1:42 news")
        assert "Close this position at market?" in question
        assert bot.stage.desk.wishes == []
        buttons = bot.server.buttons(max(bot.server.sent))
        message_id = await bot.press(SITI, "Close 1")
        assert "The orders are sent." in bot.server.sent[message_id]["text"]
        bot.server.press(SITI, buttons["Close 1"], message_id)
        await bot.settled()
        [wish] = bot.stage.desk.wishes
        assert isinstance(wish, OrderWish)
        assert (wish.position_id, wish.ask.actor, wish.ask.reason) == (
            "paper-1:42",
            "user:u-siti",
            "news",
        )
        done = [(each.action, each.user_id, each.via, each.status) for each in bot.actions()]
        assert done == [
            ("telegram pair", "u-siti", "telegram", 200),
            ("telegram /status", "u-siti", "telegram", 200),
            ("telegram /forceexit", "u-siti", "telegram", 200),
            ("POST /api/v1/positions/{position_id}/close", "u-siti", "telegram", 202),
            ("telegram /forceexit button", "u-siti", "telegram", 200),
        ]
        told = [each for _, _, each in bot.people.written.events]
        assert any(
            isinstance(each, CredentialChanged) and each.credential == "telegram" for each in told
        )
        assert "This is over" in str(
            [fields for name, fields in bot.server.calls if name == "answerCallbackQuery"]
        )
