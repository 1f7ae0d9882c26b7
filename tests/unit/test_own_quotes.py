"""What a tenant's own broker quotes in vain: told on its bus and counted, never acted on."""

from types import SimpleNamespace
from typing import Any, cast

from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.instrument import Instrument
from plan2.foundation.latency import Latency
from plan2.foundation.metrics import Metrics
from plan2.foundation.values import NS_PER_SECOND, Tick
from plan2.intelligence.decision.apart import Tolerance
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
