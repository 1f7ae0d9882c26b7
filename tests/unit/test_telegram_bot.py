"""The bot on every route of the product: who is heard, what waits for a button, what for a code."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from plan2.connectivity.identity.directory import TenantState
from plan2.connectivity.identity.people import Change
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.proposals import Payload
from plan2.connectivity.identity.rights import Role
from plan2.foundation.values import NS_PER_SECOND
from plan2.interface.telegram.bot import CODE_BAD, NOBODY
from plan2.interface.telegram.commands import DECLARED
from unit.interface_fixtures import TENANT, position_item
from unit.telegram_fixtures import BUDI, SITI, BotStage, bot_at_work


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotStage]:
    """A bot that answers."""
    async with bot_at_work(tmp_path) as stage:
        yield stage


async def paired(bot: BotStage, name: str = "siti", role: Role = Role.TENANT_ADMIN) -> User:
    """Somebody with a paired chat."""
    user = (await bot.person(name, role)).user
    await bot.pair(user, SITI)
    return user


async def test_a_stranger_hears_one_sentence_and_learns_nothing(bot: BotStage) -> None:
    """Whatever they write; three times in ten minutes, then nothing at all."""
    for text in ("/status", "hello", "/start WRONG-CODE"):
        bot.says(BUDI, text)
    await bot.settled()
    assert bot.seen(BUDI) == [NOBODY, NOBODY, CODE_BAD]
    bot.says(BUDI, "/help")
    await bot.settled()
    assert len(bot.seen(BUDI)) == 3
    assert bot.actions() == []


async def test_a_code_is_good_once_for_ten_minutes_and_only_in_private(bot: BotStage) -> None:
    """Used, old and shown in a group it is nothing."""
    user = (await bot.person("siti", Role.ANALYST)).user
    old = bot.pairings.new_code(user)
    bot.people.later(601)
    assert await bot.asked(BUDI, f"/start {old.code}") == CODE_BAD
    code = bot.pairings.new_code(user).code
    date = bot.people.clock.now_ns() // NS_PER_SECOND
    bot.server.says(BUDI, f"/start {code}", date, group=-100)
    await bot.settled()
    assert bot.seen(-100) == [NOBODY]
    typed = f"{code[:5]}-{code[5:]}".lower()
    assert "is paired with siti, Analyst" in await bot.asked(SITI, f"/start {typed}")
    assert await bot.asked(BUDI, f"/start {code}") == CODE_BAD
    assert [(each.label, each.chat_id) for each in bot.pairings.of_tenant(TENANT)] == [
        ("Siti", SITI)
    ]


async def test_rights_are_those_of_this_moment(bot: BotStage) -> None:
    """An analyst acts on nothing; a blocked person and a suspended tenant are nobody at once."""
    user = await paired(bot, role=Role.ANALYST)
    bot.stage.books.open["paper-1:42"] = position_item("paper-1:42")
    assert "may not use /forceexit" in await bot.asked(SITI, "/forceexit all")
    assert "EURUSD" in await bot.asked(SITI, "/status")
    refused = [each for each in bot.actions() if each.action == "telegram /forceexit"]
    assert [(each.status, each.code) for each in refused] == [(403, "forbidden")]
    await bot.people.book.set_blocked(TENANT, user.user_id, True, by="test")
    assert await bot.asked(SITI, "/status") == NOBODY
    await bot.people.book.set_blocked(TENANT, user.user_id, False, by="test")
    assert "EURUSD" in await bot.asked(SITI, "/status")
    bot.people.directory.set(TENANT, TenantState.SUSPENDED)
    assert await bot.asked(SITI, "/status") == NOBODY


async def test_a_button_is_bound_to_its_chat_its_minute_and_its_question(bot: BotStage) -> None:
    """Late, foreign, replaced and refused buttons do nothing."""
    await paired(bot)
    other = (await bot.person("budi", Role.TENANT_ADMIN)).user
    await bot.pair(other, BUDI)

    kill = "Kill: halt and close all"
    await bot.asked(SITI, "/kill drill")
    asked = max(key for key in bot.server.sent if bot.server.buttons(key))
    await bot.press(BUDI, kill, asked)
    bot.people.later(61)
    await bot.press(SITI, kill, asked)
    await bot.asked(SITI, "/kill drill")
    replaced = max(key for key in bot.server.sent if bot.server.buttons(key))
    await bot.asked(SITI, "/kill again")
    await bot.press(SITI, kill, replaced)
    await bot.asked(SITI, "/kill no")
    refused = await bot.press(SITI, "No")
    assert "Not done." in bot.server.sent[refused]["text"]
    assert bot.stage.control.calls == []
    await bot.asked(SITI, "/kill drill")
    done = await bot.press(SITI, kill)
    assert "under way" in bot.server.sent[done]["text"]
    assert bot.stage.control.calls == [("kill", "user:u-siti", "drill")]


async def test_a_message_that_comes_late_does_nothing(bot: BotStage) -> None:
    """What was written while Plan2 was down is not carried out when it is back."""
    await paired(bot)
    bot.server.says(SITI, "/halt", bot.people.clock.now_ns() // NS_PER_SECOND - 300)
    await bot.settled()
    assert "came late" in bot.seen(SITI)[-1]
    assert bot.stage.control.calls == []
    assert "Trading is halted" in await bot.asked(SITI, "/halt news")
    assert bot.stage.control.calls == [("halted", "user:u-siti", "news")]


async def test_what_wants_a_fresh_proof_asks_for_a_code_by_reply(bot: BotStage) -> None:
    """Four eyes from the chat: a button, then the authenticator's code, which is deleted there."""
    siti = await paired(bot)
    budi = (await bot.person("budi", Role.TENANT_ADMIN)).user
    code = await bot.authenticator(siti)
    await propose(bot, budi, {"limit": 5})
    listed = await bot.asked(SITI, "/approvals")
    assert "Raise the limit to 5." in listed
    approval_id = listed.split()[-1]

    async def agree() -> None:
        await bot.asked(SITI, f"/approve {approval_id}")
        message_id = await bot.press(SITI, "Agree")
        assert "Prove that it is you" in bot.server.sent[message_id]["text"]

    await agree()
    assert bot.people.deeds.done == []
    assert "not the code" in await bot.asked(SITI, "000000")
    await agree()
    shown = code()
    typed = bot.says(SITI, f"{shown[:3]} {shown[3:]}")
    await bot.settled()
    assert "It is decided." in bot.seen(SITI)[-1]
    assert [each.approval_id for each in bot.people.deeds.done] == [approval_id]
    assert (SITI, typed) in bot.server.deleted
    ends = [
        (each.status, each.code)
        for each in bot.actions()
        if each.action == "telegram /approve button"
    ]
    assert ends == [
        (403, "step_up_needed"),
        (403, "code_wrong"),
        (403, "step_up_needed"),
        (200, ""),
    ]


async def test_every_command_answers_an_administrator(bot: BotStage) -> None:
    """On an account with positions; each answer is markup that Telegram takes."""
    await paired(bot)
    bot.stage.books.open["paper-1:42"] = position_item("paper-1:42", "EURUSD", "-3.00")
    closed = msgspec.structs.replace(
        position_item("paper-1:7", "USDJPY", "12.50"),
        close_price=1.12,
        closed_us=position_item("x").opened_us + 60_000_000,
        commission="-0.50",
        reason="take profit <&>",
    )
    bot.stage.views.closed_positions = [closed]
    for each in DECLARED:
        answer = await bot.asked(SITI, f"/{each.name}")
        assert answer.strip(), each.name
        assert "do not understand" not in answer, each.name
        assert "did not answer" not in answer, each.name
        bot.people.later(5)
    done = {each.action for each in bot.actions()}
    assert {f"telegram /{each.name}" for each in DECLARED} <= done
    assert "+12.00 USD" in await bot.asked(SITI, "/trades 5")
    assert "take profit <&>" in "\n".join(bot.seen(SITI))
    assert "is no number" in await bot.asked(SITI, "/daily ²")


async def test_one_chooses_how_messages_come(bot: BotStage) -> None:
    """/loud, /quiet and /digest are one's own settings, changed through the same route."""
    await paired(bot)
    await bot.asked(SITI, "/quiet close off")
    await bot.asked(SITI, "/loud fill")
    await bot.asked(SITI, "/digest daily")
    notify = bot.stage.overlay.effective(TENANT, "u-siti").notify
    assert notify.loudness == {"close": "off", "fill": "on"}
    assert notify.digest == "daily"
    assert bot.stage.overlay.effective(TENANT, "u-budi").notify.loudness == {}
    assert "no kind of message" in await bot.asked(SITI, "/loud trumpets")


async def test_unpairing_from_either_side_ends_it_at_once(bot: BotStage) -> None:
    """From the chat with a button; an erased person's chats are gone too."""
    user = await paired(bot)
    await bot.asked(SITI, "/unpair")
    message_id = await bot.press(SITI, "Unpair")
    assert "is unpaired" in bot.server.sent[message_id]["text"]
    assert await bot.asked(SITI, "/status") == NOBODY
    await bot.pair(user, BUDI)
    person = bot.people.book.find(TENANT, user.user_id)
    assert person is not None
    bot.pairings._on_person(person, Change.REMOVED)
    assert bot.pairings.of_tenant(TENANT) == []


async def test_pairing_again_and_again_leaves_nothing_behind(bot: BotStage) -> None:
    """Neither proofs nor people without a chat stay in memory, whoever they were."""
    user = await paired(bot)
    for _ in range(20):
        (chat,) = bot.pairings.of_user(TENANT, user.user_id)
        bot.pairings.note_proof(chat)
        await bot.pairings.unpair(chat, "user:u1")
        bot.people.later(601)  # a chat may try three times in ten minutes
        await bot.pair(user, SITI)
    (chat,) = bot.pairings.of_user(TENANT, user.user_id)
    await bot.pairings.unpair(chat, "user:u1")
    assert (bot.pairings._proven_ns, bot.pairings._by_person, bot.pairings._by_chat) == ({}, {}, {})


async def propose(bot: BotStage, user: User, payload: Payload) -> None:
    """Somebody asks for a second person."""
    session = Session(
        session_id="s", user=user, csrf="", expires_ns=1 << 62,
        proven_ns=bot.people.clock.now_ns(),
    )  # fmt: skip
    await bot.people.approvals.propose(session, "limit_override", payload, "more room")


async def test_a_flood_is_told_once_and_a_halt_is_heard_all_the_same(bot: BotStage) -> None:
    """Twenty at once are answered, the rest of the minute is not; what makes safer always is."""
    await paired(bot)
    before = len(bot.seen(SITI))
    for _ in range(30):
        bot.says(SITI, "/count")
    await bot.settled()
    answers = bot.seen(SITI)[before:]
    assert len(answers) == 21
    assert sum("too much at once" in each for each in answers) == 1
    assert "Trading is halted" in await bot.asked(SITI, "/halt")


async def test_wrong_codes_wait_after_a_few(bot: BotStage) -> None:
    """Five tries in a quarter of an hour, whoever holds the phone."""
    siti = await paired(bot)
    code = await bot.authenticator(siti)
    budi = (await bot.person("budi", Role.TENANT_ADMIN)).user
    await propose(bot, budi, {"limit": 5})
    answers = []
    for typed in [*["000000"] * 5, code()]:
        approval_id = (await bot.asked(SITI, "/approvals")).split()[-1]
        await bot.asked(SITI, f"/approve {approval_id}")
        await bot.press(SITI, "Agree")
        answers.append(await bot.asked(SITI, typed))
        bot.people.later(4)
    assert sum("not the code" in each for each in answers) == 5
    assert "Too many codes" in answers[-1]
    assert bot.people.deeds.done == []
