"""Hands alerts to the ways that people chose; one that is slow or broken holds up no other.

Each mailbox and webhook has a line of its own: a bounded queue with retries. The web app needs
none, it shows what waits. Telegram is the notifier's.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec
import numpy as np

from plan2.foundation.clock import Clock
from plan2.foundation.config.schema_notify import Notify
from plan2.foundation.events.recording import Record
from plan2.foundation.health import Health, Status
from plan2.foundation.log import logger
from plan2.foundation.values import TenantId
from plan2.intelligence.alerts.alert import Telling
from plan2.intelligence.alerts.rule import Recipient as Named
from plan2.interface.alerts.channel_book import ChannelBook, ChannelRow
from plan2.interface.alerts.mail import MailChannel, Post
from plan2.interface.alerts.outbound import Outbound
from plan2.interface.alerts.webhook import WebhookChannel
from plan2.interface.alerts.words import told
from plan2.interface.language.say import ENGLISH, TRANSLATED, Say
from plan2.interface.notify.line import Line
from plan2.interface.notify.notification import (
    Channel,
    Delivered,
    Failed,
    Notification,
    Recipient,
    Severity,
)
from plan2.interface.notify.preferences import Preferences

UNHURRIED: Preferences = Preferences(notify=Notify(per_minute_max=60))
"""Channels of alerts take what their rules say; rules have pauses of their own."""


class People(Protocol):
    """Tells people on the ways they paired, such as Telegram; the notifier."""

    def notify(self, notification: Notification) -> int:
        """Queue for everybody it is for."""
        ...

    def tell(self, person: Recipient, notification: Notification) -> bool:
        """Queue for one person."""
        ...

    def language_of(self, person: Recipient) -> str:
        """What a person is told in, a name of `ui.language`."""
        ...


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """What channels are made of.

    Attributes:
        post: the mail server. outbound: where webhooks may go.
        allows: whether a person (user id) agrees now to be written to.
        people: tells people over Telegram; None while there is no such way.
    """

    post: Post
    outbound: Outbound
    allows: Callable[[str], bool]
    people: Callable[[], People | None]
    clock: Clock
    record: Record
    rng: np.random.Generator


class Delivery:
    """The lines of one tenant; `book` says which there are."""

    def __init__(self, tenant_id: TenantId, book: ChannelBook, ways: Ways) -> None:
        self._tenant = tenant_id
        self._book = book
        self._ways = ways
        self._lines: dict[str, Line] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def sync(self) -> None:
        """Open lines of new channels, and close those of channels that are gone."""
        for name in self._lines.keys() - self._book.rows.keys():
            del self._lines[name]
            self._tasks.pop(name).cancel()
        for name in self._book.rows.keys() - self._lines.keys():
            ways = self._ways
            line = Line(
                self._channel(self._book.rows[name]),
                lambda _: UNHURRIED,
                ways.clock,
                ways.record,
                ways.rng,
            )
            self._lines[name] = line
            self._tasks[name] = asyncio.create_task(line.run())

    async def close(self) -> None:
        """Send nothing more."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._lines.clear()
        self._tasks.clear()

    def put(self, telling: Telling) -> None:
        """Queue an alert on every way that is asked for."""
        notification = notification_of(self._tenant, telling)
        for named in telling.to:
            self._put(named, notification)

    async def test(self, name: str, notification: Notification) -> Delivered | Failed:
        """Send one message past the queue, and say what came of it."""
        row = self._book.rows[name]
        channel, person = self._channel(row), self._person(row)
        if not channel.reaches(person):
            return Failed("The person does not agree to be written to.", retry_after_s=None)
        return await channel.send(person, self._spoken(row, notification))

    def healths(self) -> dict[str, Health]:
        """How each channel is."""
        return {name: line.health() for name, line in self._lines.items()}

    def check(self) -> Health:
        """DEGRADED while a channel fails."""
        bad = {name: each for name, each in self.healths().items() if each.status is not Status.OK}
        if bad:
            said = "; ".join(f"{name}: {each.detail}" for name, each in bad.items())
            return Health(Status.DEGRADED, said, {"failing": float(len(bad))})
        return Health(Status.OK, "", {"channels": float(len(self._lines))})

    def _put(self, named: Named, notification: Notification) -> None:
        people, line = self._ways.people(), self._lines.get(named.to)
        if named.way == "telegram" and people is not None:
            if named.to:
                people.tell(Recipient(self._tenant, named.to), notification)
            else:
                people.notify(notification)
        elif line is not None and self._book.rows[named.to].way == named.way:
            row = self._book.rows[named.to]
            line.put(self._person(row), self._spoken(row, notification))
        elif named.way != "web":
            logger("alerts").warning(
                "no_such_way", tenant_id=self._tenant, way=named.way, to=named.to
            )

    def _spoken(self, row: ChannelRow, notification: Notification) -> Notification:
        """In the language of the mailbox's owner; a webhook is a program and hears English."""
        people = self._ways.people()
        if people is None or row.way != "email":
            return notification
        return notification.in_language(people.language_of(self._person(row)))

    def _person(self, row: ChannelRow) -> Recipient:
        """Who a channel's messages are for: the mailbox's owner, or the webhook itself."""
        return Recipient(self._tenant, row.user_id if row.way == "email" else row.name)

    def _channel(self, row: ChannelRow) -> Channel:
        ways = self._ways
        if row.way == "webhook":
            return WebhookChannel(
                row.name, lambda: self._book.endpoint(row), ways.outbound, ways.clock
            )
        return MailChannel(
            row.name,
            row.user_id,
            lambda: self._book.address(row),
            lambda: ways.allows(row.user_id),
            ways.post,
        )


def notification_of(tenant_id: TenantId, telling: Telling) -> Notification:
    """An alert as the channels take it."""
    alert = telling.alert
    title, sentence = told(telling, ENGLISH)
    others = {each: told(telling, Say(each)) for each in TRANSLATED if each != ENGLISH.language}
    return Notification(
        tenant_id=tenant_id,
        kind="alert",
        severity=Severity(alert.severity),
        title=title,
        sentence=sentence,
        translated=others,
        at_ns=alert.raised_ns,
        link="/alerts",
        dedup_key=f"{alert.alert_id}:{telling.cause}:{alert.step}:{alert.changed_ns}",
        data={
            "alert_id": alert.alert_id,
            "rule_id": alert.rule_id,
            "rule": alert.rule.name,
            "cause": telling.cause,
            "value": "" if alert.value is None else repr(alert.value),
        },
    )
