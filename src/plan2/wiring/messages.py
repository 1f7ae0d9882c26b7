"""Wires what people are told, and the Telegram bot: both beside trading, neither ever in its way.

The library of the bot is loaded only where Telegram is on. A replay tells nobody anything: what it
shows happened long ago.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from litestar.types import ASGIApp

from plan2.connectivity.gateway.inside import Inside
from plan2.connectivity.identity.consents import Consents
from plan2.connectivity.identity.directory import TenantDirectory
from plan2.connectivity.identity.sessions import new_secret
from plan2.connectivity.identity.users import UserBook
from plan2.foundation.bus import Bus
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.overlay import Overlay
from plan2.foundation.config.schema_telegram import Telegram
from plan2.foundation.errors import ConfigError
from plan2.foundation.events.recording import Record
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.hub import Component
from plan2.foundation.ids import RandomIds
from plan2.foundation.secrets.sealing import Sealer
from plan2.foundation.values import TenantId
from plan2.interface.api.telegram import TelegramParts
from plan2.interface.notify.notification import Notification, Recipient
from plan2.interface.notify.notifier import Notifier
from plan2.interface.notify.preferences import Preferences
from plan2.interface.notify.sources import Sources
from plan2.interface.telegram.bot import Bot, BotParts
from plan2.interface.telegram.channel import TelegramChannel
from plan2.interface.telegram.chat_table import PostgresChats
from plan2.interface.telegram.kept_token import BotToken
from plan2.interface.telegram.pairing import Means, Pairings
from plan2.interface.telegram.pictures import Pictures
from plan2.interface.telegram.service import TelegramService
from plan2.wiring.people import People

BUTTON_BYTES = 16
PURPOSE = "notifications"
"""What people consent to."""


class MessagesPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What messages are wired from; `is_past`: a replay, which tells nobody anything."""

    settings: Telegram
    token: BotToken
    people: People
    consents: Consents
    directory: TenantDirectory
    overlay: Overlay
    sealer: Sealer
    record: Record
    open_unit: OpenUnit
    public_url: Callable[[], str]
    is_past: bool


class TenantAudience:
    """Implements `Audience`: people of the tenant who are let in."""

    def __init__(self, book: UserBook, directory: TenantDirectory, consents: Consents) -> None:
        self._book = book
        self._directory = directory
        self._consents = consents

    def of(self, notification: Notification) -> Sequence[Recipient]:
        """Everybody of the tenant, or the one person it is for."""
        tenant_id = TenantId(notification.tenant_id)
        if not self._directory.is_served(tenant_id):
            return []
        return [
            Recipient(tenant_id, person.user.user_id)
            for person in self._book.of_tenant(tenant_id)
            if not person.is_blocked and notification.user_id in {"", person.user.user_id}
        ]

    def agrees(self, person: Recipient) -> bool:
        """Whether they consented to messages outside of the web app; a refused use is logged."""
        return self._consents.allows(TenantId(person.tenant_id), person.user_id, PURPOSE)

    def has_agreed(self, person: Recipient) -> bool:
        """The same, for showing it."""
        return self._consents.is_given(TenantId(person.tenant_id), person.user_id, PURPOSE)


class Messages:
    """What people are told, and the bot."""

    def __init__(self, plan: MessagesPlan) -> None:
        self._plan = plan
        wall, book = LiveClock(), plan.people.book
        self.audience = TenantAudience(book, plan.directory, plan.consents)
        self.notifier = Notifier(
            self.audience, self.preferences_of, wall, plan.record, np.random.default_rng()
        )
        self.sources = Sources(self.notifier.notify, self._who)
        self.inside = Inside()
        self.pairings = Pairings(
            PostgresChats(plan.open_unit),
            book,
            plan.directory,
            plan.sealer,
            Means(clock=wall, ids=RandomIds(), record=plan.record, draw=secrets.randbelow),
        )
        is_on = plan.settings.enabled and not plan.is_past
        self._bot = _BotRun(self, plan) if is_on else None

    def listen(self, tenant_id: TenantId, currency: str, bus: Bus, appender: Appender) -> None:
        """Hear of what happens to a tenant; before its bus is sealed."""
        if not self._plan.is_past:
            self.sources.listen(tenant_id, currency, bus, appender)

    async def admit(self, tenant_id: TenantId) -> None:
        """Read a tenant's paired chats; harmless when repeated."""
        await self.pairings.load(tenant_id)

    def forget(self, tenant_id: TenantId) -> None:
        """A tenant is gone for good."""
        self.pairings.forget(tenant_id)

    def attach(self, app: ASGIApp) -> None:
        """What the bot asks in people's names."""
        self.inside.attach(app)

    def telegram_parts(self) -> TelegramParts:
        """What the routes about Telegram work with."""
        return TelegramParts(
            pairings=self.pairings,
            book=self._plan.people.book,
            clock=LiveClock(),
            token=self._plan.token,
            running=self._bot.service if self._bot is not None else None,
            agrees=self.audience.has_agreed,
            tell=self.notifier.tell,
        )

    def components(self) -> tuple[Component, ...]:
        """What runs beside everything else."""
        messages = Component(
            name="messages",
            level=5,
            run=self._run,
            stop=self._stop,
            check=self.notifier.check,
        )
        return (*(self._bot.components() if self._bot is not None else ()), messages)

    def preferences_of(self, person: Recipient) -> Preferences:
        """How somebody wants to be told, from memory; the defaults for a tenant that is leaving."""
        try:
            settings = self._plan.overlay.effective(TenantId(person.tenant_id), person.user_id)
        except ConfigError:
            return Preferences()
        ui = settings.ui
        return Preferences(
            notify=settings.notify,
            quiet_from=ui.quiet_from,
            quiet_until=ui.quiet_until,
            time_zone=ui.time_zone,
            language=ui.language,
        )

    def _who(self, tenant_id: str, actor: str) -> str:
        """The name behind an actor such as `user:…`; the actor itself where there is none."""
        person = self._plan.people.book.find(tenant_id, actor.removeprefix("user:"))
        return person.user.name if person is not None else actor

    async def _run(self) -> None:
        await asyncio.gather(self.sources.run(), self.notifier.run())

    async def _stop(self) -> None:
        self.sources.drain()
        await self.notifier.close()


class _BotRun:
    """The bot where it is on; making it loads the library."""

    def __init__(self, messages: Messages, plan: MessagesPlan) -> None:
        from plan2.interface.telegram.bot_api import BotApi

        settings = plan.settings
        api = BotApi(plan.token.current, settings.base_url)
        parts = BotParts(
            pairings=messages.pairings,
            inside=messages.inside,
            preferences=messages.preferences_of,
            agrees=messages.audience.has_agreed,
            check_code=plan.people.factors.check,
            draw=Pictures().draw,
            clock=LiveClock(),
            ids=RandomIds(),
            record=plan.record,
            secret=lambda: secrets.token_hex(BUTTON_BYTES),
        )
        self.service = TelegramService(
            api, Bot(parts, api), np.random.default_rng(), settings.webhook_url, new_secret()
        )
        plan.token.on_change(self.service.renew)
        messages.notifier.add(
            TelegramChannel(messages.pairings, api, messages.preferences_of, plan.public_url)
        )

    def components(self) -> tuple[Component, ...]:
        """What the hub runs."""
        return (
            Component(name="telegram", level=5, run=self.service.run, check=self.service.check),
        )
