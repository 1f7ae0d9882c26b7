# ruff: noqa: D102 - the protocols that the fakes implement say what their methods do
"""A tenant's alerts around figures that a test sets; nothing is durable, nothing leaves."""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema_alerts import Alerts
from plan2.foundation.errors import StoreBusy
from plan2.foundation.events.base import Event
from plan2.foundation.events.notify import NotificationFailed
from plan2.foundation.ids import SeededIds
from plan2.foundation.secret import Secret
from plan2.foundation.values import NS_PER_SECOND, TenantId, Tick
from plan2.intelligence.alerts.alert import Alert, Telling
from plan2.intelligence.alerts.desk import AlertDesk, DeskParts
from plan2.intelligence.alerts.rule import AlertRule
from plan2.intelligence.alerts.store import KeptRule
from plan2.interface.alerts.channel_book import ChannelBook, ChannelRow
from plan2.interface.alerts.delivery import Delivery, Ways
from plan2.interface.alerts.mail import Post
from plan2.interface.alerts.outbound import Outbound
from plan2.interface.alerts.service import AlertService, ServiceParts
from unit.sealing_fixtures import MemorySealer

TENANT = TenantId("default")
MONDAY_NS = 1_767_607_200 * NS_PER_SECOND
"""Monday 5 January 2026, 10:00 UTC."""


def rule(condition: Mapping[str, object], **members: object) -> AlertRule:
    """A rule from plain data."""
    return msgspec.convert({"name": "a rule", "condition": condition, **members}, AlertRule)


def price(test: str, level: float, **members: object) -> dict[str, object]:
    """A condition about EURUSD."""
    return {"kind": "price", "symbol": "EURUSD", "test": test, "level": level, **members}


class FakeReadings:
    """Figures as a test sets them; see `Readings`."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.ticks: dict[str, Tick] = {}
        self.figures: dict[str, float] = {}
        self.parts: dict[str, str] = {"feeds": "ok"}
        self.heard: dict[tuple[str, str], int] = {}
        self.open = True

    def quote(self, mid: float, symbol: str = "EURUSD") -> None:
        self.ticks[symbol] = Tick(symbol, self.clock.now_ns(), mid - 0.00005, mid + 0.00005)

    def now_ns(self) -> int:
        return self.clock.now_ns()

    def tick(self, symbol: str) -> Tick | None:
        return self.ticks.get(symbol)

    def bid_before(self, symbol: str, ts_ns: int) -> float:
        return self.figures.get(f"bid {symbol} {(self.now_ns() - ts_ns) // (60 * 10**9)}", math.nan)

    def formula(self, symbol: str, text: str) -> float:
        return self.figures.get(text, math.nan)

    def forecast(self, symbol: str, figure: str) -> float:
        return self.figures.get(figure, math.nan)

    def risk(self, figure: str) -> float:
        return self.figures.get(figure, math.nan)

    def profit(self, of: str, symbol: str) -> float:
        return self.figures.get(of, math.nan)

    def health(self, figure: str, of: str) -> float:
        return self.figures.get(figure, math.nan)

    def statuses(self) -> Mapping[str, str]:
        return self.parts

    def heard_ns(self, what: str, of: str) -> int | None:
        return self.heard.get((what, of))

    def is_open(self, symbol: str) -> bool:
        return self.open

    def look(self) -> None:
        """Nothing is kept."""

    def note_decision(self, symbol: str, ts_ns: int) -> None:
        self.heard["decision", symbol] = ts_ns

    def note_beat(self, name: str) -> None:
        self.heard["heartbeat", name] = self.clock.now_ns()


class MemoryAlerts:
    """The tables `alert_rule` and `alert` as bytes, so that a restart reads what was written."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.raised: dict[str, bytes] = {}
        self.is_away = False
        self.writes = 0

    def _asked(self) -> None:
        if self.is_away:
            raise StoreBusy("There is no database here.")

    async def rules(self, tenant: TenantId) -> Sequence[KeptRule]:
        self._asked()
        return [msgspec.json.decode(each, type=KeptRule) for each in self.kept.values()]

    async def waiting(self, tenant: TenantId) -> Sequence[Alert]:
        self._asked()
        return [each for each in self._all() if each.is_waiting]

    async def save(
        self, tenant: TenantId, rules: Sequence[KeptRule], alerts: Sequence[Alert]
    ) -> None:
        self._asked()
        self.writes += 1
        self.kept |= {each.rule_id: msgspec.json.encode(each) for each in rules}
        self.raised |= {each.alert_id: msgspec.json.encode(each) for each in alerts}

    async def remove(self, tenant: TenantId, rule_id: str) -> None:
        self._asked()
        del self.kept[rule_id]

    async def history(
        self, tenant: TenantId, before_ns: int, state: str, limit: int
    ) -> Sequence[Alert]:
        self._asked()
        found = [a for a in self._all() if a.raised_ns < before_ns and state in {"", a.state}]
        return sorted(found, key=lambda each: -each.raised_ns)[:limit]

    def _all(self) -> list[Alert]:
        return [msgspec.json.decode(each, type=Alert) for each in self.raised.values()]


class MemoryChannels:
    """The table `alert_channel` in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[str, ChannelRow] = {}

    async def all(self, tenant: TenantId) -> Sequence[ChannelRow]:
        return list(self.rows.values())

    async def add(self, tenant: TenantId, row: ChannelRow) -> None:
        self.rows[row.name] = row

    async def remove(self, tenant: TenantId, name: str) -> None:
        del self.rows[name]


class AlertRoom:
    """A desk and its service; `told` is what left, `facts` what was written down."""

    def __init__(
        self,
        table: MemoryAlerts | None = None,
        clock: SimulatedClock | None = None,
        ways: Callable[["AlertRoom"], Ways] | None = None,
    ) -> None:
        self.clock = clock or SimulatedClock(MONDAY_NS)
        self.readings = FakeReadings(self.clock)
        self.table = table or MemoryAlerts()
        self.channels = MemoryChannels()
        self.sealer = MemorySealer()
        self.told: list[Telling] = []
        self.facts: list[tuple[Event, str]] = []
        self.recorded: list[Event] = []
        self.failed = asyncio.Event()
        self.changed: list[str] = []
        self.agrees = True
        self.book = ChannelBook(TENANT, self.channels, self.sealer)
        self.delivery = Delivery(TENANT, self.book, (ways or default_ways)(self))
        self.desk = AlertDesk(
            DeskParts(
                tenant_id=TENANT,
                readings=self.readings,
                table=self.table,
                clock=self.clock,
                ids=SeededIds("alerts"),
                note=lambda event, by: self.facts.append((event, by)),
                tell=self._tell,
            )
        )
        self.service = AlertService(
            ServiceParts(
                tenant_id=TENANT,
                desk=self.desk,
                readings=self.readings,
                book=self.book,
                delivery=self.delivery,
                ticks=lambda: self.readings.ticks,
                clock=self.clock,
                note=lambda event, by: self.facts.append((event, by)),
                changed=self.changed.append,
            )
        )

    def pass_time(self, seconds: float) -> None:
        """Move both clocks."""
        self.clock.advance_to(self.clock.now_ns() + int(seconds * NS_PER_SECOND))

    def see(self, mid: float, seconds: float = 100.0) -> int:
        """A quote after some time; how many alerts it raised."""
        before = len(self.told)
        self.pass_time(seconds)
        self.readings.quote(mid)
        self.desk.look({"EURUSD"})
        return len(self.told) - before

    def names(self) -> list[str]:
        """What was written down, by type."""
        return [type(event).__name__ for event, _ in self.facts]

    def record(self, tenant: str, stream: str, event: Event, **_: Any) -> None:
        """See `Record`."""
        self.recorded.append(event)
        if isinstance(event, NotificationFailed):
            self.failed.set()

    def _tell(self, telling: Telling) -> None:
        self.told.append(telling)
        self.service.tell(telling)


def default_ways(room: AlertRoom) -> Ways:
    """No mail server, no private network."""
    return Ways(
        post=Post(config=Alerts(), password=lambda: Secret("")),
        outbound=Outbound(()),
        allows=lambda _: room.agrees,
        people=lambda: None,
        clock=room.clock,
        record=room.record,
        rng=np.random.default_rng(1),
    )
