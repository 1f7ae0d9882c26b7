"""Counters and gauges, read back by Prometheus' own parser."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from plan2.foundation import metrics as metrics_module
from plan2.foundation.bus import Bus, Mailbox, Overflow
from plan2.foundation.errors import InvariantBroken
from plan2.foundation.events.market import MarketDataQuarantined, MarketDataReceived
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.events.order import OrderDenied, OrderSent
from plan2.foundation.events.system import SystemStopped
from plan2.foundation.latency import Latency
from plan2.foundation.metrics import CONTENT_TYPE, Counter, Metrics
from plan2.foundation.values import Tick

Sample = tuple[str, tuple[tuple[str, str], ...]]
TICK = Tick("EURUSD", 1, 1.1, 1.2)


def scrape(metrics: Metrics) -> dict[Sample, float]:
    """Every sample by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def test_the_bus_is_counted() -> None:
    """Ticks by symbol, quarantined by reason, decisions by outcome and reason, orders by state."""
    metrics, bus = Metrics(Latency()), Bus()
    metrics.listen_to_market(bus)
    metrics.listen_to_tenant(bus, "t")
    bus.publish(MarketDataReceived(ts_ns=1, tick=TICK))
    bus.publish(MarketDataReceived(ts_ns=2, tick=TICK))
    bus.publish(MarketDataQuarantined(ts_ns=3, tick=TICK, reason="spike"))
    bus.publish(
        DecisionMade(
            ts_ns=4,
            decision_id="d",
            tenant_id="t",
            account_id="a",
            symbol="EURUSD",
            outcome="denied",
            reason="risk_denied",
            record={},
        )
    )
    bus.publish(
        OrderDenied(
            ts_ns=5,
            decision_id="d",
            tenant_id="t",
            account_id="a",
            symbol="EURUSD",
            rule_id="max_spread",
            current_value=2.0,
            threshold=1.0,
        )
    )
    bus.publish(OrderSent(ts_ns=6, order_id="o", account_id="a", symbol="EURUSD"))

    seen = scrape(metrics)

    assert seen["plan2_ticks_total", (("symbol", "EURUSD"),)] == 2
    assert seen["plan2_ticks_quarantined_total", (("reason", "spike"),)] == 1
    labels = (("outcome", "denied"), ("reason", "risk_denied"), ("tenant", "t"))
    assert seen["plan2_decisions_total", labels] == 1
    assert seen["plan2_orders_total", (("state", "denied"), ("tenant", "t"))] == 1
    assert seen["plan2_orders_total", (("state", "sent"), ("tenant", "t"))] == 1
    assert ("plan2_orders_total", (("state", "filled"), ("tenant", "t"))) not in seen


def test_gauges_are_read_when_scraped() -> None:
    """A gauge follows what it tracks; a mailbox shows its depth and what it dropped."""
    metrics = Metrics(Latency())
    screens: list[str] = []
    box = Mailbox(1, Overflow.DROP_OLDEST)
    metrics.ws_clients.track(lambda: len(screens))
    metrics.watch_mailbox("prices", box)
    metrics.component_up.track_many(lambda: {("feed",): 1.0, ("store",): 0.5})
    before = scrape(metrics)
    screens.append("a")
    for number in range(3):
        box.put(SystemStopped(ts_ns=number, run_id="r", reason=""))

    after = scrape(metrics)

    assert (before["plan2_ws_clients", ()], after["plan2_ws_clients", ()]) == (0, 1)
    assert after["plan2_mailbox_depth", (("mailbox", "prices"),)] == 1
    assert after["plan2_mailbox_dropped_total", (("mailbox", "prices"),)] == 2
    assert after["plan2_component_up", (("component", "store"),)] == 0.5


def test_two_processes_in_one_share_nothing() -> None:
    """Each set of metrics has a registry of its own."""
    first, second = Metrics(Latency()), Metrics(Latency())
    first.event_appends.add("OrderSent", amount=5)

    assert first.event_appends.value("OrderSent") == 5
    assert second.event_appends.value("OrderSent") == 0


def test_labels_must_fit_the_metric() -> None:
    """A missing label value is a fault, not another series."""
    with pytest.raises(InvariantBroken, match="plan2_decisions"):
        Metrics(Latency()).decisions.add("traded")


def test_series_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it everything new counts as `other`; nothing is lost from the sum."""
    monkeypatch.setattr(metrics_module, "SERIES_MAX", 2)
    counter = Counter("plan2_test", "A test.", "who")
    for who in ("a", "b", "c", "d", "a"):
        counter.add(who)

    assert [counter.value(who) for who in ("a", "b", "c", "other")] == [2, 1, 0, 2]


def test_the_process_itself_is_measured() -> None:
    """Python and, on Linux, memory and processor time come with it."""
    names = {name for name, _ in scrape(Metrics(Latency()))}

    assert "python_info" in names
    assert CONTENT_TYPE.startswith("text/plain")
