"""The bot at work: the webhook's secret, coming back after outages, the channel of messages."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from plan2.connectivity.identity.principal import Session, User, Via
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.second_factor_duty import SecondFactorDuty
from plan2.foundation.health import Status
from plan2.foundation.secret import Secret
from plan2.interface.notify.notification import (
    Delivered,
    Failed,
    Notification,
    Recipient,
    Severity,
)
from plan2.interface.notify.preferences import Preferences
from plan2.interface.telegram.bot import NOBODY
from plan2.interface.telegram.bot_api import BotApi
from plan2.interface.telegram.channel import TelegramChannel
from plan2.interface.telegram.service import TelegramService
from telegram_server import TOKEN, Fault, read_markup
from unit.interface_fixtures import NOON_NS, ORIGIN, TENANT
from unit.telegram_fixtures import BUDI, SITI, BotStage, bot_at_work
from unit.whole_stage import WholeStage

OUTAGE = 50
"""Calls of an outage that a test ends itself."""
HALT = Notification(
    tenant_id=TENANT,
    kind="halt",
    severity=Severity.CRITICAL,
    title="Trading is halted <&>",
    sentence="Because *of_this*.",
    at_ns=NOON_NS,
    link="/positions",
)


def channel_of(bot: BotStage) -> TelegramChannel:
    """The channel on the stage's pairings, in Jakarta."""
    return TelegramChannel(
        bot.pairings,
        bot.api,
        lambda _: Preferences(time_zone="Asia/Jakarta"),
        lambda: "https://plan2.example",
    )


async def test_messages_reach_paired_chats_of_people_who_may_come_in(tmp_path: Path) -> None:
    """Title, sentence, local time and link; a flood limit and a blocked bot come back as such."""
    async with bot_at_work(tmp_path) as bot:
        siti = (await bot.person("siti", Role.ANALYST)).user
        person, channel = Recipient(TENANT, siti.user_id), channel_of(bot)
        assert not channel.reaches(person)
        await bot.pair(siti, SITI)
        assert channel.reaches(person)
        assert isinstance(await channel.send(person, HALT), Delivered)
        text = bot.seen(SITI)[-1]
        assert text.splitlines() == [
            "🛑 Trading is halted <&>",
            "Because *of_this*.",
            "2024-03-05 19:00 WIB",
            "https://plan2.example/positions",
        ]
        bot.server.fail("sendMessage", Fault(429, retry_after=9), Fault(403))
        assert await channel.send(person, HALT) == Failed(
            "Telegram asks to wait 9 s.", 9.0, holds_channel=True
        )
        blocked = await channel.send(person, HALT)
        assert isinstance(blocked, Failed)
        assert blocked.retry_after_s is None
        await bot.people.book.set_blocked(TENANT, siti.user_id, True, by="test")
        assert not channel.reaches(person)


async def test_the_webhook_takes_only_what_shows_the_secret(tmp_path: Path) -> None:
    """Over HTTP and in the service; an update that comes twice is answered once."""
    stage = await WholeStage.open(tmp_path)
    update = {"update_id": 5, "message": {"text": "x"}}
    async with stage.client(origin=ORIGIN) as client:
        path, header = "/api/v1/telegram/webhook", "x-telegram-bot-api-secret-token"
        assert (await client.post(path, json=update)).status_code == 403
        assert (await client.post(path, json=update, headers={header: "no"})).status_code == 403
        good = await client.post(path, json=update, headers={header: "hook-secret"})
        broken = await client.post(path, content=b"{", headers={header: "hook-secret"})
    assert (good.status_code, broken.status_code) == (200, 403)
    assert stage.running.updates == [update]


async def test_updates_of_the_webhook_are_answered_once_each(tmp_path: Path) -> None:
    """The same update delivered twice, as Telegram does when an answer was slow."""
    async with bot_at_work(tmp_path) as bot:
        hooked = TelegramService(
            BotApi(lambda: Secret(TOKEN), bot.server.url),
            bot.bot,
            np.random.default_rng(2),
            "https://plan2.example/hook",
            "hook-secret",
        )
        running = asyncio.create_task(hooked.run())
        await bot.until(lambda: bot.server.webhook.get("url"))
        message = {
            "message_id": 1,
            "date": bot.people.clock.now_ns() // 10**9,
            "chat": {"id": BUDI, "type": "private"},
            "from": {"id": BUDI, "is_bot": False, "first_name": "B"},
            "text": "hi",
        }
        for _ in range(2):
            assert hooked.arrived("hook-secret", {"update_id": 9, "message": message})
        assert not hooked.arrived("wrong", {"update_id": 10, "message": message})
        assert hooked.arrived("hook-secret", {"update_id": 11, "nonsense": 1})
        await bot.until(lambda: bot.seen(BUDI))
        assert bot.seen(BUDI) == [NOBODY]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_bot_comes_back_after_telegram_was_away(tmp_path: Path) -> None:
    """Closed connections and errors while it asks: told in health, then well; nothing is lost."""
    async with bot_at_work(tmp_path) as bot:
        await bot.until(lambda: any(name == "getUpdates" for name, _ in bot.server.calls))
        assert bot.service.check().status is Status.OK
        # An outage lasts until it was seen: a bot that recovers within a moment says nothing.
        bot.server.fail("getUpdates", Fault(is_closed=True), *[Fault(502)] * OUTAGE)
        await bot.until(lambda: len(bot.server.faults["getUpdates"]) < OUTAGE)
        await bot.until(lambda: bot.service.check().status is Status.DEGRADED)
        bot.server.heal("getUpdates")
        bot.says(BUDI, "hello")
        await bot.settled()
        assert bot.seen(BUDI) == [NOBODY]
        assert bot.service.check().status is Status.OK


async def test_a_refused_token_is_told_and_stops_nothing(tmp_path: Path) -> None:
    """The part says why, in a sentence that does not hold the token, and tries again later."""
    async with bot_at_work(tmp_path) as bot:
        api = BotApi(lambda: Secret("123456789:" + "x" * 35), bot.server.url)
        service = TelegramService(api, bot.bot, np.random.default_rng(1), "", "s")
        assert service.check().status is Status.DEGRADED
        failed = await service._try_to_begin()
        assert failed is not None
        assert "refused the bot's token" in failed.reason
        assert "xxxx" not in failed.reason
        await api.stop()


async def test_a_chat_of_somebody_without_a_second_factor_they_must_have_is_held_to_it(
    tmp_path: Path,
) -> None:
    """Telegram is no way around R-081."""
    async with bot_at_work(tmp_path) as bot:
        trader = (await bot.person("siti", Role.PORTFOLIO_MANAGER)).user
        analyst = (await bot.person("budi", Role.ANALYST)).user
        duty = SecondFactorDuty(bot.people.book, bot.people.factors)

        def must(user: User) -> bool:
            session = Session(session_id="p", user=user, csrf="", expires_ns=1, via=Via.TELEGRAM)
            return duty.forbids(session, "GET", "/api/v1/positions")

        assert must(trader)
        assert not must(analyst)
        await bot.authenticator(trader)
        assert not must(trader)


@pytest.mark.parametrize("name", ["within", "state", "x-within"])
async def test_nobody_outside_can_say_who_they_are_as_the_bot_does(
    tmp_path: Path, name: str
) -> None:
    """The session within is no header, parameter or cookie."""
    stage = await WholeStage.open(tmp_path)
    async with stage.client(**{name: "u1"}) as client:
        client.cookies.set(name, "u1")
        assert (await client.get("/api/v1/account", params={name: "u1"})).status_code in {400, 401}


def test_markup_is_read_strictly() -> None:
    """The local server is no softer than the real one."""
    for bad in ("<b>x", "x</b>", "<b><i>x</b></i>", "a < b", "<u>x</u>", "<b class='x'>y</b>"):
        assert read_markup(bad).problem, bad
    assert read_markup("<b>a</b> &lt; <pre>c</pre>").problem == ""
