"""The alerts of one tenant at work: looks at rules, keeps what changed, hands alerts out.

A turn a tenth of a second: rules about a symbol are looked at when its quote is another one, those
about health, risk, profit and silence once a second. The tick's own way knows nothing of it.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError, StoreBusy
from plan2.foundation.events.alerts import AlertChannelChanged
from plan2.foundation.events.base import Event
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.health import Health, Status
from plan2.foundation.log import logger
from plan2.foundation.values import TenantId, Tick
from plan2.intelligence.alerts.alert import Telling
from plan2.intelligence.alerts.desk import AlertDesk
from plan2.intelligence.alerts.rule import AlertRule
from plan2.intelligence.alerts.store import KeptRule
from plan2.interface.alerts.channel_book import ChannelBook, ChannelRow, OutWay
from plan2.interface.alerts.delivery import Delivery
from plan2.interface.language.say import in_every_language
from plan2.interface.notify.notification import Delivered, Failed, Notification, Severity

CHANNEL_TEST: Final = (
    "Test of this channel",
    "If you read this, alerts of Plan2 reach you here.",
)
TURN_S: Final = 0.1
TURNS_A_SECOND: Final = 10
SLOW: Final = ""
"""The key of rules that are looked at by time."""
DECISION: Final = "DecisionMade"


class Noting(Protocol):
    """The part of the readings that must be told what came."""

    def look(self) -> None:
        """A turn begins."""
        ...

    def note_decision(self, symbol: str, ts_ns: int) -> None:
        """A decision was written down."""
        ...

    def note_beat(self, name: str) -> None:
        """A program reported that it lives."""
        ...


class ServiceParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a service is made of.

    Attributes:
        ticks: the last quote of each symbol. note: writes a fact into the tenant's log.
        changed: told of each alert that is not what it was; quick, must not raise.
    """

    tenant_id: TenantId
    desk: AlertDesk
    readings: Noting
    book: ChannelBook
    delivery: Delivery
    ticks: Callable[[], Mapping[str, Tick]]
    clock: Clock
    note: Callable[[Event, str], None]
    changed: Callable[[str], None]


class AlertService:
    """Drives one tenant's desk."""

    def __init__(self, parts: ServiceParts) -> None:
        self._parts = parts
        self.desk, self.book, self.delivery = parts.desk, parts.book, parts.delivery
        self._seen: dict[str, Tick] = {}
        self._shown: set[str] = set()
        self._turns = 0
        self._trouble = ""

    async def load(self) -> None:
        """Take up what earlier runs left.

        Raises:
            StoreBusy: the database does not answer.
        """
        await self.desk.load()
        await self.book.load()

    async def run(self) -> None:
        """Look, keep and tell, until cancelled."""
        self.delivery.sync()
        try:
            while True:
                await asyncio.sleep(TURN_S)
                await self.turn()
                await self._save()
        finally:
            await self.delivery.close()

    async def turn(self) -> None:
        """One look at what has changed since the last; ticks may come between two symbols."""
        parts = self._parts
        ticks = parts.ticks()
        moved = {symbol for symbol, tick in ticks.items() if self._seen.get(symbol) is not tick}
        self._seen.update((symbol, ticks[symbol]) for symbol in moved)
        parts.readings.look()
        if self._turns % TURNS_A_SECOND == 0:
            moved.add(SLOW)
            self.desk.follow_up()
        self._turns += 1
        for symbol in moved:
            self.desk.look({symbol})
            await asyncio.sleep(0)
        self.show()

    def show(self) -> None:
        """Let screens see which alerts wait now."""
        now = set(self.desk.waiting)
        for alert_id in now ^ self._shown:
            self._parts.changed(alert_id)
        self._shown = now

    def tell(self, telling: Telling) -> None:
        """Hand an alert to its recipients; the desk calls it."""
        self._parts.changed(telling.alert.alert_id)
        self.delivery.put(telling)

    def on_stored(self, stored: StoredEvent) -> None:
        """A fact was committed to the tenant's log; a listener of the appender."""
        data: dict[str, Any] = {}  # JSON of the event, decoded once and only if asked for

        def members() -> dict[str, Any]:
            if not data:
                data.update(stored.data)
            return data

        if stored.type == DECISION:
            made = members()
            self._parts.readings.note_decision(str(made.get("symbol")), stored.source_ts_ns)
        self.desk.on_event(stored.type, members)

    def beat(self, name: str) -> None:
        """A program reported that it lives."""
        self._parts.readings.note_beat(name)

    def check(self) -> Health:
        """DEGRADED while a channel fails or the database is away."""
        health = self.delivery.check()
        waiting = {"rules": float(len(self.desk.rules)), "waiting": float(len(self.desk.waiting))}
        metrics = {**health.metrics, **waiting}
        words = "; ".join(filter(None, (self._trouble, health.detail)))
        status = Status.DEGRADED if self._trouble else health.status
        return Health(status, words, metrics)

    # --- rules and channels -----------------------------------------------------------------

    async def put_rule(self, rule: AlertRule, by: str, rule_id: str = "") -> KeptRule:
        """Add or change a rule whose channels exist; see `AlertDesk.put`."""
        steps = [named for step in rule.escalation for named in step.to]
        for named in (*rule.recipients, *steps):
            row = self.book.rows.get(named.to)
            if named.way in {"email", "webhook"} and (row is None or row.way != named.way):
                raise InputError(
                    f"There is no {named.way} channel {named.to!r}.",
                    remedy="Add it first; `plan2 alerts channels list` shows those there are.",
                )
        return await self.desk.put(rule, by, rule_id)

    async def add_channel(
        self, name: str, way: OutWay, target: str, user_id: str, by: str
    ) -> tuple[ChannelRow, str]:
        """Add a channel; the row and, of a webhook, the secret, shown this once."""
        parts = self._parts
        row, key = await self.book.add(name, way, target, user_id, parts.clock.now_ns())
        self.delivery.sync()
        self._note_channel(row, "added", by)
        return row, key

    async def remove_channel(self, name: str, by: str) -> None:
        """Take a channel away.

        Raises:
            RequestRefused: 404 when there is none, 409 while a rule names it.
        """
        row = self.channel(name)
        users = [kept.rule.name for kept in self.desk.rules.values() if _names(kept.rule, name)]
        if users:
            raise RequestRefused(
                409, "conflict", f"Rule {users[0]!r} tells channel {name!r}.",
                remedy="Change the rule first.",
            )  # fmt: skip
        await self.book.remove(name)
        self.delivery.sync()
        self._note_channel(row, "removed", by)

    def forget(self, user_id: str) -> None:
        """A person is being erased: nothing is sent to their mailboxes any more."""
        self.book.forget(user_id)
        self.delivery.sync()

    async def test_channel(self, name: str) -> Delivered | Failed:
        """Send a test message and wait for what comes of it.

        Raises:
            RequestRefused: 404 when there is no such channel.
        """
        self.channel(name)
        return await self.delivery.test(
            name,
            Notification(
                tenant_id=self._parts.tenant_id,
                kind="alert",
                severity=Severity.INFO,
                title=CHANNEL_TEST[0],
                sentence=CHANNEL_TEST[1],
                translated=in_every_language(*CHANNEL_TEST),
                at_ns=self._parts.clock.now_ns(),
            ),
        )

    def channel(self, name: str) -> ChannelRow:
        """A channel of the tenant.

        Raises:
            RequestRefused: 404 when there is none.
        """
        found = self.book.rows.get(name)
        if found is None:
            raise RequestRefused(404, "not_found", f"There is no channel {name!r}.")
        return found

    async def save(self) -> None:
        """Keep what a person just did.

        Raises:
            StoreBusy: the database does not answer; it is tried again.
        """
        self.show()
        await self.desk.save()

    async def _save(self) -> None:
        try:
            await self.desk.save()
            self._trouble = ""
        except StoreBusy as error:
            if not self._trouble:
                logger("alerts").warning("alerts_not_kept", reason=error.message)
            self._trouble = "What alerts did is not kept yet: the database does not answer."

    def _note_channel(self, row: ChannelRow, change: str, by: str) -> None:
        event = AlertChannelChanged(
            ts_ns=self._parts.clock.now_ns(), channel=row.name, way=row.way, change=change, by=by
        )
        self._parts.note(event, by)


def _names(rule: AlertRule, channel: str) -> bool:
    steps = [named for step in rule.escalation for named in step.to]
    return any(
        each.to == channel and each.way in {"email", "webhook"}
        for each in (*rule.recipients, *steps)
    )
