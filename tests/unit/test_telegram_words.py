"""The bot in the language of its person, and the commands about orders, exits and settings."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from plan2.connectivity.identity.rights import Role
from plan2.interface.order_items import OrderItem
from unit.interface_fixtures import NOON_NS, position_item
from unit.telegram_fixtures import SITI, BotStage, bot_at_work

HOUR_US = 3_600_000_000


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotStage]:
    """A bot whose chat belongs to an administrator."""
    async with bot_at_work(tmp_path) as stage:
        user = (await stage.person("siti", Role.TENANT_ADMIN)).user
        await stage.pair(user, SITI)
        yield stage


def closed(name: str, profit: str, hours: int, reason: str) -> object:
    """A position that was open for some hours."""
    opened = position_item(name, profit=profit)
    return msgspec.structs.replace(
        opened,
        close_price=1.11,
        closed_us=opened.opened_us + hours * HOUR_US,
        reason=reason,
    )


def working(order_id: str) -> OrderItem:
    """A buy limit that waits at the broker."""
    return OrderItem(
        order_id=order_id,
        decision_id="",
        ts_us=NOON_NS // 1000,
        symbol="EURUSD",
        side="buy",
        kind="open",
        quantity=0.2,
        state="working",
        price=1.05,
        stop_loss=1.04,
        take_profit=None,
        filled_price=None,
        filled_quantity=0.0,
        reason=None,
        trigger="limit",
        limit_price=1.05,
    )


async def test_whoever_wants_indonesian_hears_indonesian(bot: BotStage) -> None:
    """From the very next message on: answers, questions, buttons, refusals, /help, the picture."""
    assert "berbahasa Indonesia" in await bot.asked(SITI, "/language id")
    assert "Tidak ada posisi terbuka." in await bot.asked(SITI, "/status")
    assert "/kill [reason]: Hentikan, tarik order" in await bot.asked(SITI, "/help")
    bot.stage.books.open["paper-1:42"] = position_item("paper-1:42")
    assert "0.1 lot, +1.00 USD mengambang" in await bot.asked(SITI, "/status")
    await bot.asked(SITI, "/forceexit all")
    asked = max(key for key in bot.server.sent if bot.server.buttons(key))
    assert set(bot.server.buttons(asked)) == {"Tutup 1", "Tidak"}
    await bot.press(SITI, "Tidak")
    assert "Tidak dilakukan." in bot.server.sent[asked]["text"]
    assert "bukan angka dari 1" in await bot.asked(SITI, "/daily lots")
    await bot.asked(SITI, "/chart")
    assert bot.pictures[-1].data["language"] == "id" if bot.pictures else True
    assert "Which" not in await bot.asked(SITI, "/language fr")
    assert "speaks English" in await bot.asked(SITI, "/language en")


async def test_the_menu_is_shown_in_every_language(bot: BotStage) -> None:
    """Telegram picks the one of the reader's own program; the rest see English."""
    menus = [body for name, body in bot.server.calls if name == "setMyCommands"]
    assert [body.get("language_code", "") for body in menus] == ["", "id"]
    assert "Open positions" in str(menus[0]["commands"])
    assert "Posisi terbuka" in str(menus[1]["commands"])


async def test_exits_are_counted_by_reason_and_by_how_long_they_lasted(bot: BotStage) -> None:
    """Two gained over 1 h and 3 h, one lost over 5 h: means of 2 h and 5 h."""
    bot.stage.views.closed_positions += [
        closed("p1", "10.00", 1, "target"),
        closed("p2", "20.00", 3, "target"),
        closed("p3", "-5.00", 5, "stop"),
    ]
    stats = await bot.asked(SITI, "/stats")
    assert "target    2     0     0" in stats
    assert "stop      0     0     1" in stats
    assert "Held on average, won: 2 h 0 min" in stats
    assert "Held on average, lost: 5 h 0 min" in stats
    exits = await bot.asked(SITI, "/exits")
    assert exits.index("target  +30.00") < exits.index("stop     -5.00")


async def test_an_order_is_withdrawn_after_a_button(bot: BotStage) -> None:
    """By the beginning of its id; without the button nothing happens."""
    assert "No order is open." in await bot.asked(SITI, "/orders")
    bot.stage.books.open_order_items.append(working("order-limit-1"))
    listed = await bot.asked(SITI, "/orders")
    assert "EURUSD buy limit 0.2 lots @ 1.05, working" in listed
    assert "needs the id" in await bot.asked(SITI, "/coo")
    assert "0 open orders" in await bot.asked(SITI, "/coo nothing")
    asked = await bot.asked(SITI, "/coo order-lim")
    assert "Withdraw this order?" in asked
    assert bot.stage.desk.wishes == []
    done = await bot.press(SITI, "Withdraw")
    assert "asked to withdraw" in bot.server.sent[done]["text"]
    [wish] = bot.stage.desk.wishes
    assert (wish.kind.value, wish.order_id) == ("cancel", "order-limit-1")


async def test_what_is_watched_and_what_was_set(bot: BotStage) -> None:
    """/whitelist and /show_config; a setting that nobody touched is not listed."""
    assert "EURUSD" in await bot.asked(SITI, "/whitelist")
    await bot.asked(SITI, "/digest hourly")
    shown = await bot.asked(SITI, "/show_config")
    assert "notify.digest = hourly" in shown
    assert "notify.per_minute_max" not in shown
