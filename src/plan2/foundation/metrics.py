"""Counters and gauges for Prometheus, in a registry of our own.

A counter is a dictionary of integers (an `add` is one look-up); a gauge is a function that is asked
when somebody scrapes. Label values come from enums and configured symbols, and are bounded anyway.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from prometheus_client import GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from plan2.foundation.bus import Bus, Mailbox
from plan2.foundation.errors import require
from plan2.foundation.events.base import Event
from plan2.foundation.events.market import MarketDataQuarantined, MarketDataReceived
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.events.order import (
    OrderAccepted,
    OrderDenied,
    OrderExecuted,
    OrderOutcomeUnknown,
    OrderPlaced,
    OrderRejected,
    OrderSent,
)
from plan2.foundation.latency import Latency

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
SERIES_MAX: Final = 1_000
"""Label sets of one metric; further ones are counted under `other`."""
OTHER: Final = "other"

Readings = Mapping[tuple[str, ...], float]


class Counter(Collector):
    """A number that only grows, per set of label values; exported as `name_total`."""

    def __init__(self, name: str, text: str, *labels: str) -> None:
        self.name = name
        self._text = text
        self._labels = labels
        self._counts: dict[tuple[str, ...], int] = {}

    def add(self, *labels: str, amount: int = 1) -> None:
        """Count `amount` more for these label values, one for each label of the metric."""
        if labels in self._counts:
            self._counts[labels] += amount
        else:
            self._add_first(labels, amount)

    def value(self, *labels: str) -> int:
        """The count so far."""
        return self._counts.get(labels, 0)

    def collect(self) -> Iterable[Metric]:
        """The counter as a Prometheus metric."""
        family = CounterMetricFamily(self.name, self._text, labels=self._labels)
        for labels, count in self._counts.items():
            family.add_metric(labels, count)
        return [family]

    def _add_first(self, labels: tuple[str, ...], amount: int) -> None:
        require(
            len(labels) == len(self._labels),
            f"metric {self.name} has labels {self._labels}, not values {labels}",
        )
        if len(self._counts) >= SERIES_MAX:
            labels = (OTHER,) * len(self._labels)
        self._counts[labels] = self._counts.get(labels, 0) + amount


class Gauge(Collector):
    """A number that goes up and down, read when scraped; `is_total` exports it as a counter."""

    def __init__(self, name: str, text: str, *labels: str, is_total: bool = False) -> None:
        self.name = name
        self._family = CounterMetricFamily if is_total else GaugeMetricFamily
        self._text = text
        self._labels = labels
        self._sources: list[Callable[[], Readings]] = []

    def track(self, read: Callable[[], float], *labels: str) -> None:
        """Ask `read` for the value of these label values at each scrape; part of the wiring."""
        self._sources.append(lambda: {labels: read()})

    def track_many(self, read: Callable[[], Readings]) -> None:
        """Ask `read` for all label values and their numbers at each scrape; part of the wiring."""
        self._sources.append(read)

    def collect(self) -> Iterable[Metric]:
        """The gauge as a Prometheus metric."""
        family = self._family(self.name, self._text, labels=self._labels)
        for read in self._sources:
            for labels, value in read().items():
                family.add_metric(labels, value)
        return [family]


ORDER_STATES: Final[dict[type[Event], str]] = {
    OrderDenied: "denied",
    OrderPlaced: "placed",
    OrderSent: "sent",
    OrderAccepted: "accepted",
    OrderRejected: "rejected",
    OrderOutcomeUnknown: "unknown",
    OrderExecuted: "filled",
}


class Metrics:
    """Every metric of the process by name; built once by the composition root."""

    def __init__(self, latency: Latency) -> None:
        self.ticks = Counter("plan2_ticks", "Ticks that passed the quality checks.", "symbol")
        self.quarantined = Counter("plan2_ticks_quarantined", "Ticks set aside.", "reason")
        self.own_quarantined = Counter(
            "plan2_own_ticks_quarantined",
            "Quotes of a tenant's own broker that failed a quality check.",
            "reason",
            "tenant",
        )
        self.decisions = Counter(
            "plan2_decisions", "Decisions recorded.", "outcome", "reason", "tenant"
        )
        self.orders = Counter("plan2_orders", "Orders that reached a state.", "state", "tenant")
        self.event_appends = Counter("plan2_event_appends", "Events stored, by type.", "type")
        self.mailbox_depth = Gauge("plan2_mailbox_depth", "Events waiting.", "mailbox")
        self.mailbox_dropped = Gauge(
            "plan2_mailbox_dropped", "Events dropped by policy.", "mailbox", is_total=True
        )
        self.loop_lag_seconds = Gauge("plan2_loop_lag_seconds", "How late the loop ran, p99, 60 s.")
        self.ws_clients = Gauge("plan2_ws_clients", "Screens connected.")
        self.component_up = Gauge(
            "plan2_component_up", "1 = ok, 0.5 = degraded, 0 = neither.", "component"
        )
        self._registry = CollectorRegistry(auto_describe=False)
        for collector in (latency, *vars(self).values()):
            if isinstance(collector, Counter | Gauge | Latency):
                self._registry.register(collector)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def listen_to_market(self, bus: Bus) -> None:
        """Count ticks and quarantined ticks."""
        bus.subscribe(MarketDataReceived, lambda event: self.ticks.add(event.tick.symbol))
        bus.subscribe(MarketDataQuarantined, lambda event: self.quarantined.add(event.reason))

    def listen_to_tenant(self, bus: Bus, tenant: str) -> None:
        """Count a tenant's decisions and orders, and what its own broker quoted in vain."""

        def decided(event: DecisionMade) -> None:
            self.decisions.add(event.outcome, event.reason, tenant)

        def refused(event: MarketDataQuarantined) -> None:
            self.own_quarantined.add(event.reason, tenant)

        bus.subscribe(DecisionMade, decided)
        bus.subscribe(MarketDataQuarantined, refused)
        for kind, state in ORDER_STATES.items():
            self._count_orders(bus, kind, state, tenant)

    def _count_orders(self, bus: Bus, kind: type[Event], state: str, tenant: str) -> None:
        bus.subscribe(kind, lambda _: self.orders.add(state, tenant))

    def watch_mailbox(
        self,
        name: str,
        mailbox: Mailbox[Any],  # whatever it holds, only counted here
    ) -> None:
        """Export how full a mailbox is and how many events its policy dropped."""
        self.mailbox_depth.track(lambda: len(mailbox), name)
        self.mailbox_dropped.track(lambda: mailbox.dropped, name)

    def render(self) -> bytes:
        """Everything in the Prometheus text format; serve it with `CONTENT_TYPE`."""
        return generate_latest(self._registry)
