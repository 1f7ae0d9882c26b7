"""The live view: quotes, minute bars, day change, and what marking costs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plan2.dataflow.bars import build_bars
from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.events.market import FeedStateChanged
from plan2.foundation.values import NS_PER_DAY, NS_PER_MINUTE, Bar, Tick, TickBlock
from plan2.intelligence.events import BrokerViewChanged, ForecastMade
from plan2.intelligence.models.forecast import Forecast
from plan2.interface.candles import BARS_KEPT, Candles
from plan2.interface.changes import Changes
from plan2.interface.live import FORECASTS_KEPT, LiveView, MarketView
from unit.interface_fixtures import EURUSD, NOON_NS, FakeBooks, quote

MIDNIGHT_NS = NOON_NS - NOON_NS % NS_PER_DAY

ticks_of_minutes = st.lists(
    st.tuples(st.integers(0, 40 * 10**9), st.integers(100_000, 120_000)), min_size=1, max_size=60
)


def live_view() -> tuple[LiveView, Bus]:
    """EURUSD with an empty account."""
    live = LiveView(MarketView({"EURUSD": EURUSD}, SimulatedClock(NOON_NS)), FakeBooks())
    bus = Bus()
    live.market.subscribe(bus)
    live.subscribe(bus)
    return live, bus


@settings(deadline=None)  # the first call compiles
@given(ticks_of_minutes)
def test_minute_bars_equal_those_of_the_archive(steps: list[tuple[int, int]]) -> None:
    """Any ticks give the same bars as the compiled builder gives for the stored block."""
    times = np.cumsum([step for step, _ in steps]) + NOON_NS
    bids = np.array([price / 100_000 for _, price in steps])
    expected = build_bars(TickBlock("EURUSD", times.astype(np.int64), bids, bids), 60)
    candles = Candles("EURUSD")
    for ts_ns, bid in zip(times.tolist(), bids.tolist(), strict=True):
        candles.on_tick(Tick("EURUSD", ts_ns, bid, bid))
    found = candles.bars()
    assert [bar.ts_ns for bar in found] == expected.ts_ns.tolist()
    assert [bar.open for bar in found] == expected.bid_open.tolist()
    assert [bar.high for bar in found] == expected.bid_high.tolist()
    assert [bar.low for bar in found] == expected.bid_low.tolist()
    assert [bar.close for bar in found] == expected.bid_close.tolist()
    assert [bar.ticks for bar in found] == expected.ticks.tolist()


def test_a_seeded_bar_is_completed_by_quotes_of_its_minute() -> None:
    """The archive's last bar was cut short; the rest of its minute is joined, then it closes."""
    candles = Candles("EURUSD")
    candles.seed([Bar("EURUSD", 60, NOON_NS, 1.0, 1.2, 0.9, 1.1, 5)])
    candles.on_tick(Tick("EURUSD", NOON_NS + 59 * 10**9, 1.3, 1.3))
    joined = Bar("EURUSD", 60, NOON_NS, 1.0, 1.3, 0.9, 1.3, 6)
    assert candles.bars() == [joined]
    candles.on_tick(Tick("EURUSD", NOON_NS + NS_PER_MINUTE, 2.0, 2.0))
    assert candles.bars()[0] == joined
    row = candles.row(300, NOON_NS)
    assert row is not None
    assert (row.open, row.high, row.low, row.close, row.ticks) == (1.0, 2.0, 0.9, 2.0, 7)


def test_only_the_last_bars_are_kept() -> None:
    """Five thousand closed minutes and the forming one."""
    candles = Candles("EURUSD")
    for minute in range(BARS_KEPT + 10):
        candles.on_tick(Tick("EURUSD", NOON_NS + minute * NS_PER_MINUTE, 1.0, 1.0))
    bars = candles.bars()
    assert len(bars) == BARS_KEPT + 1
    assert bars[0].ts_ns == NOON_NS + 9 * NS_PER_MINUTE


def test_change_is_since_the_close_of_the_day_before() -> None:
    """1.10 at the last close of yesterday and 1.21 now: a tenth more; then a day rolls over."""
    live, bus = live_view()
    yesterday = Bar("EURUSD", 60, MIDNIGHT_NS - NS_PER_MINUTE, 1.0, 1.2, 1.0, 1.1, 9)
    today = Bar("EURUSD", 60, MIDNIGHT_NS, 1.5, 1.5, 1.5, 1.5, 1)
    live.market.seed_bars("EURUSD", [yesterday, today])
    bus.publish(quote("EURUSD", 0, 1.21, 1.22))
    view = live.market.view("EURUSD")
    assert view is not None
    row = view.quote()
    assert row is not None
    assert row.change_fraction == 0.1
    bus.publish(quote("EURUSD", 86_400, 2.42, 2.43))
    row = view.quote()
    assert row is not None
    assert row.change_fraction == 1.0


def test_without_yesterday_there_is_no_change() -> None:
    """Unknown is shown as unknown, not as zero."""
    live, bus = live_view()
    bus.publish(quote("EURUSD", 0, 1.1, 1.1001))
    view = live.market.view("EURUSD")
    assert view is not None
    row = view.quote()
    assert row is not None
    assert row.change_fraction is None


def test_a_stale_feed_is_fresh_again_with_the_next_quote() -> None:
    """The state is the feed's until a quote says otherwise; unknown symbols are ignored."""
    live, bus = live_view()
    view = live.market.view("EURUSD")
    assert view is not None
    assert view.state == "waiting"
    bus.publish(FeedStateChanged(ts_ns=NOON_NS, symbol="EURUSD", state="stale", age_ms=60_000))
    assert view.state == "stale"
    bus.publish(quote("EURUSD", 1, 1.1, 1.2))
    assert view.state == "fresh"
    bus.publish(quote("XAUUSD", 1, 1.1, 1.2))
    bus.publish(FeedStateChanged(ts_ns=NOON_NS, symbol="XAUUSD", state="stale", age_ms=1))


def test_a_change_of_the_brokers_view_is_marked() -> None:
    """Whoever follows the channel is woken; ticks and bookings do not do it."""
    live, bus = live_view()
    bus.publish(quote("EURUSD", 1, 1.1, 1.2))
    assert not live.compared.collect()
    bus.publish(BrokerViewChanged(ts_ns=NOON_NS))
    assert live.compared.collect()


def test_only_the_last_forecasts_are_kept() -> None:
    """The ring holds the newest thousand."""
    live, bus = live_view()
    for number in range(FORECASTS_KEPT + 5):
        forecast = Forecast(
            symbol="EURUSD",
            ts_ns=NOON_NS + number,
            p_up=0.5,
            barrier=0.1,
            horizon_s=60,
            disagreement=0.0,
            standard_error=0.0,
            calibration_id="c",
            votes=(),
        )
        bus.publish(ForecastMade(ts_ns=forecast.ts_ns, forecast=forecast))
    view = live.market.view("EURUSD")
    assert view is not None
    assert (len(view.forecasts), view.forecasts[0].ts_ns) == (FORECASTS_KEPT, NOON_NS + 5)
    assert live.market.forecast_row("EURUSD") is not None


def test_changes_wake_once_and_are_handed_over_whole() -> None:
    """Many marks, one call; after a collection the next mark wakes again."""
    changes, woken, seen = Changes(), [], []
    changes.wake_with(lambda: woken.append(1))
    changes.listen(lambda keys: seen.append(set(keys)))
    for key in ("a", "b", "a"):
        changes.mark(key)
    assert (len(woken), changes.collect(), seen) == (1, True, [{"a", "b"}])
    assert not changes.collect()
    changes.mark("c")
    assert (len(woken), changes.collect(), seen[1]) == (2, True, {"c"})
