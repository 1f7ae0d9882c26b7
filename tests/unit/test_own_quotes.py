"""What a tenant's own broker quotes in vain: told on its bus, counted, shown, never acted on."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from plan2.connectivity.registry import ServiceRegistry, components_of_tenants
from plan2.dataflow.quality import QualityGate
from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.health import HealthBoard, Status
from plan2.foundation.instrument import Instrument
from plan2.foundation.latency import Latency
from plan2.foundation.metrics import Metrics
from plan2.foundation.values import NS_PER_SECOND, Tick
from plan2.intelligence.decision.apart import Tolerance
from plan2.intelligence.own_quote_watch import (
    BAD_CLOCK,
    BAD_JUMP,
    BAD_ORDER,
    BAD_PRICE,
    OwnQuoteWatch,
)
from plan2.intelligence.own_quotes import OwnSeat, OwnTerms

NOON_NS = 1_709_640_000 * NS_PER_SECOND  # Tuesday 2024-03-05 12:00 UTC
EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5, description="Euro")


def test_a_refused_quote_of_the_own_broker_is_counted_under_its_tenant() -> None:
    """Each with its reason; the account sees the good ones alone, and the market's count stays."""
    metrics, market, own = Metrics(Latency()), Bus(), Bus()
    metrics.listen_to_market(market)
    metrics.listen_to_tenant(own, "acme")
    seen: list[Tick] = []
    account: Any = SimpleNamespace(on_quote=seen.append, on_tick=seen.append, flows=None)
    terms = OwnTerms(
        shared={"EURUSD": EURUSD},
        current={}.get,
        tolerance=Tolerance(),
        spike_sigmas=20.0,
        clock=SimulatedClock(NOON_NS + 10 * NS_PER_SECOND),
    )
    seat = OwnSeat(account, cast(Any, seen.append), {"EURUSD": EURUSD}, terms, own.publish)
    good = Tick("EURUSD", NOON_NS + 2 * NS_PER_SECOND, 1.1, 1.1001)
    crossed = Tick("EURUSD", NOON_NS + 3 * NS_PER_SECOND, 1.2, 1.1)
    late = Tick("EURUSD", NOON_NS + NS_PER_SECOND, 1.1, 1.1001)
    for tick in (good, crossed, late, crossed):
        seat.on_tick(tick)
    assert seen == [good]
    told = metrics.render().decode()
    assert 'plan2_own_ticks_quarantined_total{reason="crossed",tenant="acme"} 2.0' in told
    assert 'plan2_own_ticks_quarantined_total{reason="out_of_order",tenant="acme"} 1.0' in told
    assert "plan2_ticks_quarantined_total{" not in told


class Broker:
    """Quotes of a broker, its gates, and the watch over them; a second between two quotes."""

    def __init__(self, *symbols: str) -> None:
        self.clock = SimulatedClock(NOON_NS)
        self.gates = {symbol: QualityGate(symbol) for symbol in symbols or ("EURUSD",)}
        self.watch = OwnQuoteWatch(self.clock)
        self.watch.follow(self.gates)

    def quotes(
        self, count: int, bid: float = 1.1, ask: float = 1.1001, late_s: int = 0,
        symbol: str = "EURUSD",
    ) -> None:  # fmt: skip
        """So many quotes, looked at each second as the hub does."""
        for number in range(count):
            self.clock.advance_to(self.clock.now_ns() + NS_PER_SECOND)
            now_ns = self.clock.now_ns()
            blur = number % 2 * 1e-5
            ts_ns = now_ns - late_s * NS_PER_SECOND
            self.gates[symbol].check(Tick(symbol, ts_ns, bid + blur, ask + blur), now_ns)
            self.watch.check()


@pytest.mark.parametrize(
    ("bad", "remedy"),
    [
        ({"bid": 1.2, "ask": 1.1}, BAD_PRICE),
        ({"bid": -1.0, "ask": 1.1}, BAD_PRICE),
        ({"late_s": -3_600}, BAD_CLOCK),
        ({"late_s": 3_600}, BAD_ORDER),
    ],
    ids=["crossed", "negative", "ahead", "old"],
)
def test_quotes_set_aside_in_numbers_are_told_with_a_remedy(
    bad: dict[str, Any], remedy: str
) -> None:
    """One in ten for minutes; the sentence names symbol, numbers and what to do; it heals."""
    broker = Broker()
    broker.quotes(90)
    assert broker.watch.check().status is Status.OK
    for _ in range(20):
        broker.quotes(9)
        broker.quotes(1, **bad)
    broker.quotes(10)
    told = broker.watch.check()
    assert told.status is Status.DEGRADED
    assert " own quotes of EURUSD were set aside in 5 minutes. " in told.detail
    assert told.detail.startswith("20 of 290 ")
    assert remedy in told.detail
    assert told.metrics["set_aside"] == 20.0
    broker.quotes(400)
    assert broker.watch.check().status is Status.OK
    assert broker.watch.check().metrics["set_aside"] == 20.0


def test_a_jump_that_does_not_stay_is_told_as_such() -> None:
    """Every tenth quote is a twentieth higher."""
    broker = Broker()
    broker.quotes(300)
    for _ in range(20):
        broker.quotes(9)
        broker.quotes(1, 1.155, 1.1551)
    assert BAD_JUMP in broker.watch.check().detail


def test_what_happens_to_every_broker_is_no_fault() -> None:
    """Repetitions, a quote at the weekend, and two bad ones among hundreds."""
    broker = Broker()
    for _ in range(100):
        broker.quotes(2)
        last = broker.clock.now_ns()
        broker.gates["EURUSD"].check(Tick("EURUSD", last, 1.1 + 1e-5, 1.1001 + 1e-5), last)
    broker.quotes(2, 1.2, 1.1)
    broker.quotes(10)
    told = broker.watch.check()
    assert broker.gates["EURUSD"].counts()["duplicate"] == 100
    assert (told.status, told.detail, told.metrics["set_aside"]) == (Status.OK, "", 2.0)


def test_one_bad_symbol_among_good_ones_is_seen() -> None:
    """All of a rare symbol's quotes are bad: a thousand good ones of another do not hide it."""
    broker = Broker("EURUSD", "XAUUSD", "GBPUSD")
    broker.quotes(200)
    broker.quotes(3, 2_000.0, 1_999.0, symbol="XAUUSD")
    broker.quotes(4, 1.3, 1.2, symbol="GBPUSD")
    broker.quotes(10)
    detail = broker.watch.check().detail
    assert detail.startswith("4 of 4 own quotes of GBPUSD were set aside in 5 minutes.")
    assert detail.endswith("The same goes for 1 more symbols.")


def test_health_and_registry_show_it_to_its_tenant_and_to_operators_alone() -> None:
    """A line of its own with the sentence; nobody of another tenant sees it."""
    broker = Broker()
    board = HealthBoard(broker.clock, Bus(), lambda: 0.0)
    board.add("own_quotes", 4, check=broker.watch.check)
    broker.quotes(10, 1.2, 1.1)
    broker.quotes(10)
    board.report("own_quotes", board.checks["own_quotes"]())
    assert board.overall() is Status.DEGRADED
    registry = ServiceRegistry([components_of_tenants(lambda: {"acme": board.snapshot()}, "1.0")])
    (mine,) = registry.seen_by("acme", is_operator=False)
    assert (mine.name, mine.state, mine.tenant_id) == ("own_quotes", "degraded", "acme")
    assert BAD_PRICE in mine.detail
    assert registry.seen_by("main", is_operator=True) == [mine]
    assert registry.seen_by("main", is_operator=False) == []
