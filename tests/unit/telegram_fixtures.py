# ruff: noqa: D102 - the protocols that the fakes implement say what their methods do
"""The bot around the product's own routes: real library, real HTTP, a local Bot API server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pyotp

from plan2.connectivity.gateway.inside import Inside
from plan2.connectivity.identity.people import Person
from plan2.connectivity.identity.principal import User
from plan2.connectivity.identity.rights import Role
from plan2.foundation.events.people import ActionTaken
from plan2.foundation.ids import SeededIds
from plan2.foundation.secret import Secret
from plan2.foundation.values import NS_PER_SECOND, TenantId
from plan2.interface.notify.notification import Recipient
from plan2.interface.notify.preferences import Preferences
from plan2.interface.telegram.bot import Bot, BotParts
from plan2.interface.telegram.bot_api import BotApi
from plan2.interface.telegram.messenger import Incoming, Messenger, Press
from plan2.interface.telegram.picture import Picture
from plan2.interface.telegram.service import TelegramService
from telegram_server import TOKEN, WAIT_S, TelegramServer, read_markup
from unit.identity_fixtures import FAST
from unit.interface_fixtures import TENANT
from unit.whole_stage import WholeStage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
SITI, BUDI = 4711, 4712
"""Chats of two people."""


class CountingBot(Bot):
    """A bot of which a test can wait that it has dealt with so many updates."""

    def __init__(self, parts: BotParts, messenger: Messenger) -> None:
        super().__init__(parts, messenger)
        self._count, self._changed = 0, asyncio.Condition()

    async def take(self, update: Incoming | Press) -> None:
        """As the bot does, and count it."""
        try:
            await super().take(update)
        finally:
            async with self._changed:
                self._count += 1
                self._changed.notify_all()

    async def dealt_with(self, count: int) -> None:
        """Return once so many updates were dealt with."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._count >= count)


class BotStage:
    """The whole product's routes, the bot beside them, and a Telegram that belongs to the test."""

    def __init__(self, stage: WholeStage, server: TelegramServer) -> None:
        self.stage, self.server = stage, server
        self.people = stage.credentials
        self.pairings = stage.pairings
        self.pictures: list[Picture] = []
        self.agreed = True
        inside = Inside()
        inside.attach(stage.app)
        secrets = SeededIds("buttons")
        parts = BotParts(
            pairings=self.pairings,
            inside=inside,
            preferences=self.preferences,
            agrees=lambda _: self.agreed,
            check_code=self.people.factors.check,
            draw=self._draw,
            clock=self.people.clock,
            ids=SeededIds("bot"),
            record=self.people.written,
            secret=lambda: secrets.next_id("button"),
        )
        self.api = BotApi(lambda: Secret(TOKEN), server.url, deadline_s=2.0, poll_s=1)
        self.bot = CountingBot(parts, self.api)
        self.service = TelegramService(
            self.api, self.bot, np.random.default_rng(1), "", "hook-secret"
        )

    def preferences(self, person: Recipient) -> Preferences:
        settings = self.stage.overlay.effective(TenantId(person.tenant_id), person.user_id)
        ui = settings.ui
        return Preferences(notify=settings.notify, time_zone=ui.time_zone, language=ui.language)

    async def person(self, name: str, role: Role) -> Person:
        """Somebody of the main tenant with a password and, where it is a duty, a second factor."""
        user = User(user_id=f"u-{name}", name=name, tenant_id=TENANT, role=role)
        return await self.people.book.create(
            user, by="test", password_hash=FAST.hash("a b c d e f")
        )

    async def authenticator(self, user: User) -> Callable[[], str]:
        """Enrol somebody; gives the code of any later moment."""
        begun = await self.people.factors.begin(user)
        clock = pyotp.TOTP(begun.secret)

        def code() -> str:
            return clock.at(self.people.clock.now_ns() // NS_PER_SECOND)

        assert isinstance(await self.people.factors.confirm(user, code()), tuple)
        self.people.later(60)
        return code

    async def pair(self, user: User, chat_id: int) -> None:
        """Pair a chat as people do."""
        code = self.pairings.new_code(user).code
        self.says(chat_id, f"/start {code}")
        await self.settled()
        assert any("is paired with" in each for each in self.seen(chat_id))

    def says(self, chat_id: int, text: str) -> int:
        """Somebody writes now, by the stage's clock."""
        return self.server.says(chat_id, text, self.people.clock.now_ns() // NS_PER_SECOND)

    async def asked(self, chat_id: int, text: str) -> str:
        """What the bot answers to a message, as plain text."""
        before = len(self.seen(chat_id))
        self.says(chat_id, text)
        await self.settled()
        return "\n".join(self.seen(chat_id)[before:])

    async def press(self, chat_id: int, label: str, message_id: int = 0) -> int:
        """Somebody touches a button by what is written on it; the message's id."""
        under = message_id or max(key for key in self.server.sent if self.server.buttons(key))
        self.server.press(chat_id, self.server.buttons(under)[label], under)
        await self.settled()
        return under

    async def until(self, is_true: Callable[[], object]) -> None:
        """Wait for something that the bot does."""
        await asyncio.to_thread(self.server.wait, is_true)

    async def settled(self) -> None:
        """Wait until the bot has dealt with everything that people wrote and touched."""
        async with asyncio.timeout(WAIT_S):
            await self.bot.dealt_with(self.server.put)

    def seen(self, chat_id: int) -> list[str]:
        """What a chat shows, without markup."""
        return [read_markup(text).text for text in list(self.server.texts(chat_id))]

    def actions(self) -> list[ActionTaken]:
        """Everything that people did, as the log has it."""
        return [each for _, _, each in self.people.written.events if isinstance(each, ActionTaken)]

    async def _draw(self, picture: Picture) -> bytes | None:
        self.pictures.append(picture)
        return PNG


@asynccontextmanager
async def bot_at_work(folder: Path) -> AsyncIterator[BotStage]:
    """A bot that answers, on a stage with every route."""
    with TelegramServer() as server:
        stage = BotStage(await WholeStage.open(folder), server)
        running = asyncio.create_task(stage.service.run())
        await stage.until(lambda: any(name == "deleteWebhook" for name, _ in server.calls))
        try:
            yield stage
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
