"""What single features are worth, against arithmetic that shares no code with the kernels."""

import math

import numpy as np
import pytest
from features_fixtures import EURUSD, MONDAY_NS, mid_bars, minute_starts, random_ticks

from plan2.foundation.values import NS_PER_MINUTE, NS_PER_SECOND, Float64Array, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.indicator_rules import PriceBars
from plan2.intelligence.features.indicators import indicators_of
from plan2.intelligence.features.plan import default_plan

PLAN = default_plan()
TICKS = random_ticks(6_000)


def engine_after(count: int) -> FeatureEngine:
    """An engine that has seen the first `count` ticks."""
    engine = FeatureEngine(PLAN, EURUSD)
    engine.step_block(TICKS.slice(0, count))
    return engine


def named(engine: FeatureEngine) -> dict[str, float]:
    """The current values by name."""
    return dict(zip(PLAN.names, engine.values.tolist(), strict=True))


def channels(engine: FeatureEngine) -> dict[str, float]:
    """The channels of the bar in progress by name."""
    return dict(zip(PLAN.sequence_names, engine.sequence.tolist(), strict=True))


# The last tick of a bar, one in the middle, and the first of a bar.
MOMENTS = [5_400, 5_701, int(minute_starts(TICKS)[-20]) + 1]


class Seen:
    """Mid bars at a moment: `all` with the bar so far, `closed` without it."""

    def __init__(self, count: int) -> None:
        past = TICKS.slice(0, count)
        columns = mid_bars(past)
        self.all = PriceBars(*columns.values())
        self.closed = PriceBars(*(column[:-1] for column in columns.values()))
        self.mid = float(columns["close"][-1])
        self.log_closes = np.log(columns["close"])
        self.returns = np.diff(self.log_closes[:-1])

    def last(self, name: str, *, with_bar_so_far: bool = True) -> float:
        """The newest value of a classic indicator (these are checked against published tables)."""
        bars = self.all if with_bar_so_far else self.closed
        return float(indicators_of([name], bars)[name][-1])

    def ew(self, half_life: float) -> float:
        """Root of the weighted mean square return, weights ½ per half-life, newest first."""
        weights = 0.5 ** (np.arange(len(self.returns))[::-1] / half_life)
        return math.sqrt(float(np.sum(weights * self.returns**2) / weights.sum()))


@pytest.mark.parametrize("count", MOMENTS)
@pytest.mark.parametrize("bars", [1, 5, 15, 60, 240])
def test_returns_span_whole_bars_and_the_bar_so_far(count: int, bars: int) -> None:
    """return_k is the log of the mid over the close k bars before the last close."""
    seen = Seen(count)
    expected = seen.log_closes[-1] - seen.log_closes[-2 - bars]
    assert named(engine_after(count))[f"return_{bars}"] == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("count", MOMENTS)
def test_volatility_features(count: int) -> None:
    """EW, realised, Parkinson, bipower and ratios of them from their definitions."""
    seen, values = Seen(count), named(engine_after(count))
    for half_life in (5, 15, 60, 240):
        assert values[f"volatility_ew_{half_life}"] == pytest.approx(seen.ew(half_life), rel=1e-9)
    newest = seen.returns[-60:]
    realized = float(np.sum(newest**2))
    assert values["volatility_realized_60"] == pytest.approx(math.sqrt(realized / 60), rel=1e-9)
    ranges = np.log(seen.closed.high[-60:] / seen.closed.low[-60:]) ** 2
    parkinson = math.sqrt(ranges.sum() / (60 * 4 * math.log(2)))
    assert values["volatility_parkinson_60"] == pytest.approx(parkinson, rel=1e-9)
    products = np.abs(seen.returns[-60:]) * np.abs(seen.returns[-61:-1])
    share = max(1 - math.pi / 2 * products.sum() / realized, 0.0)
    assert values["jump_share_60"] == pytest.approx(share, abs=1e-9)
    assert values["volatility_ratio_5_60"] == pytest.approx(seen.ew(5) / seen.ew(60), rel=1e-9)
    closes = seen.log_closes[:-1]
    five = (closes[5:] - closes[:-5])[-60:]
    ratio = float(np.sum(five**2)) / (5 * realized)
    assert values["variance_ratio_5_60"] == pytest.approx(ratio, rel=1e-9)


@pytest.mark.parametrize("count", MOMENTS)
def test_averages_and_oscillators_are_the_classic_ones(count: int) -> None:
    """With the bar so far as one more close they equal the published indicators."""
    seen, engine = Seen(count), engine_after(count)
    values, sigma = named(engine), seen.ew(60) * seen.mid
    assert engine.sigma == pytest.approx(sigma, rel=1e-9)
    for period in (10, 30, 120):
        gap = (seen.mid - seen.last(f"ema_{period}")) / sigma
        assert values[f"ema_gap_{period}"] == pytest.approx(gap, rel=1e-6, abs=1e-7)
    histogram = seen.last("macd_hist_12_26_9") / sigma
    assert values["macd_histogram_12_26_9"] == pytest.approx(histogram, rel=1e-6, abs=1e-7)
    for period in (7, 14, 28):
        assert values[f"rsi_mid_{period}"] == pytest.approx(seen.last(f"rsi_{period}"), rel=1e-9)
    assert values["bollinger_percent_b_20"] == pytest.approx(seen.last("bb_percent_b"), rel=1e-6)
    assert values["bollinger_width_20"] == pytest.approx(1e4 * seen.last("bb_width"), rel=1e-6)
    kama = seen.last("kama") - seen.last("kama", with_bar_so_far=False)
    assert values["kama_slope_10"] == pytest.approx(kama / sigma, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("count", MOMENTS)
def test_committed_indicators_are_the_classic_ones(count: int) -> None:
    """ATR, ADX and the directional lines of closed bars equal the published ones."""
    seen, values = Seen(count), named(engine_after(count))
    atr = seen.last("atr_14", with_bar_so_far=False)
    assert values["atr_mid_14"] == pytest.approx(atr / 1e-4, rel=1e-9)
    adx = seen.last("adx_14", with_bar_so_far=False)
    assert values["adx_mid_14"] == pytest.approx(adx, rel=1e-9)
    plus = seen.last("plus_di_14", with_bar_so_far=False)
    minus = seen.last("minus_di_14", with_bar_so_far=False)
    assert values["directional_difference_14"] == pytest.approx(plus - minus, rel=1e-9)
    span = (seen.all.high[-2:].max() - seen.all.low[-2:].min()) / atr
    assert values["range_to_atr_14"] == pytest.approx(span, rel=1e-9)


@pytest.mark.parametrize("count", MOMENTS)
def test_range_positions(count: int) -> None:
    """N closed bars and the bar so far make the range."""
    seen, values = Seen(count), named(engine_after(count))
    for bars, name, full in ((20, "donchian_position_20", 1), (120, "donchian_position_120", 1),
                             (14, "stochastic_k_14", 100)):  # fmt: skip
        low, high = seen.all.low[-bars - 1 :].min(), seen.all.high[-bars - 1 :].max()
        assert values[name] == pytest.approx(full * (seen.mid - low) / (high - low), rel=1e-9)
    closes = np.append(seen.closed.close[-21:], seen.mid)
    efficiency = abs(closes[-1] - closes[0]) / np.abs(np.diff(closes)).sum()
    assert values["efficiency_ratio_20"] == pytest.approx(efficiency, rel=1e-9)


@pytest.mark.parametrize("count", MOMENTS)
def test_cost_and_activity(count: int) -> None:
    """Spread, its time-weighted statistics, rates and signs from sums over all ticks."""
    values, engine = named(engine_after(count)), engine_after(count)
    past = TICKS.slice(0, count)
    spread = past.ask - past.bid
    assert values["spread"] == pytest.approx(spread[-1] / 1e-4, rel=1e-9)
    assert values["spread_to_sigma"] == pytest.approx(spread[-1] / engine.sigma, rel=1e-9)
    ages_s = (past.ts_ns[-1] - past.ts_ns) / NS_PER_SECOND
    decay = 0.5 ** (ages_s / 600.0)
    rate = math.log(2) / 600 * decay[1:].sum() / (1 - decay[0])
    assert values["tick_rate_10"] == pytest.approx(rate, rel=1e-6)
    signs = 0.5 * (np.sign(np.diff(past.bid)) + np.sign(np.diff(past.ask)))
    weights = 0.5 ** (ages_s[1:] / 60.0)
    balance = float(np.sum(weights * signs) / weights.sum())
    assert values["quote_sign_balance_1"] == pytest.approx(balance, abs=1e-9)
    lone = (np.diff(past.bid) == 0.0) != (np.diff(past.ask) == 0.0)
    share = float(np.sum(weights * lone) / weights.sum())
    assert values["one_sided_quote_share_1"] == pytest.approx(share, abs=1e-9)
    held = 0.5 ** (ages_s / 3_600.0)
    mean = float(np.sum(np.diff(held) * spread[:-1]) + held[0] * spread[0])
    variance = float(np.sum(np.diff(held) * spread[:-1] ** 2) + held[0] * spread[0] ** 2) - mean**2
    z = (spread[-1] - mean) / math.sqrt(variance)
    assert values["spread_z_60"] == pytest.approx(max(min(z, 5.0), -5.0), abs=1e-6)
    into = (past.ts_ns[-1] % NS_PER_MINUTE) / NS_PER_MINUTE
    assert values["bar_progress"] == pytest.approx(into, rel=1e-9)


@pytest.mark.parametrize("count", MOMENTS)
def test_sequence_channels(count: int) -> None:
    """The bar in progress in units of σ, from its own ticks."""
    seen, engine = Seen(count), engine_after(count)
    found, sigma = channels(engine), seen.ew(60)
    close_before, bar = seen.log_closes[-2], seen.all

    def sigmas(log_distance: float) -> float:
        return max(min(log_distance / sigma, 5.0), -5.0)

    log_mid = seen.log_closes[-1]
    assert found["bar_return"] == pytest.approx(sigmas(log_mid - close_before), rel=1e-6, abs=1e-9)
    opened = math.log(bar.open[-1]) - close_before
    assert found["bar_open_gap"] == pytest.approx(sigmas(opened), rel=1e-6, abs=1e-9)
    upper = sigmas(math.log(bar.high[-1]) - log_mid)
    assert found["bar_upper"] == pytest.approx(upper, rel=1e-6, abs=1e-9)
    lower = sigmas(log_mid - math.log(bar.low[-1]))
    assert found["bar_lower"] == pytest.approx(lower, rel=1e-6, abs=1e-9)
    assert found["bar_rsi"] == pytest.approx(seen.last("rsi_14") / 50 - 1, rel=1e-9)
    first = int(minute_starts(TICKS.slice(0, count))[-1])
    own = TICKS.slice(first, count)
    spread = float(np.mean(own.ask - own.bid)) / engine.sigma
    assert found["bar_spread"] == pytest.approx(min(spread, 5.0), rel=1e-9)


def step_all(engine: FeatureEngine, ticks: list[tuple[int, float, float]]) -> None:
    """Feed (nanoseconds after Monday 9:00, bid, ask)."""
    for after_ns, bid, ask in ticks:
        engine.step(MONDAY_NS + after_ns, bid, ask)


def test_three_hand_made_bars() -> None:
    """Closes 1.1000, 1.1010, 1.1005 of the mid: the next tick's one-bar return by hand."""
    engine = FeatureEngine(PLAN, EURUSD)
    bars: list[tuple[int, float, float]] = [
        (0, 1.0999, 1.1001),
        (NS_PER_MINUTE, 1.1009, 1.1011),
        (2 * NS_PER_MINUTE, 1.1004, 1.1006),
        (3 * NS_PER_MINUTE, 1.1007, 1.1009),
    ]
    step_all(engine, bars)
    values = named(engine)
    assert values["return_1"] == pytest.approx(math.log(1.1008 / 1.1010), rel=1e-9)
    assert values["spread"] == pytest.approx(2.0)
    assert values["tick_gap"] == pytest.approx(60.0)
    assert math.isnan(values["return_5"])
    assert engine.last_bar().close == 1.1004
    assert engine.last_bar().ts_ns == MONDAY_NS + 2 * NS_PER_MINUTE


def test_sigma_and_ratios_stay_finite_on_a_dead_market() -> None:
    """A price that never moves gives σ of a tenth of a point and no infinity."""
    count = 400
    ts_ns = MONDAY_NS + np.arange(count, dtype=np.int64) * NS_PER_MINUTE
    price: Float64Array = np.full(count, 1.1)
    engine = FeatureEngine(PLAN, EURUSD)
    engine.step_block(TickBlock("EURUSD", ts_ns, price, price + 1e-5))
    assert engine.ready
    assert engine.sigma == pytest.approx(1e-6)
    waits = {"spread_seasonal_ratio", "volatility_seasonal_ratio", "return_day",
             "day_high_distance", "day_low_distance"}  # fmt: skip
    unknown = {name for name, value in named(engine).items() if not math.isfinite(value)}
    assert unknown == waits
    assert named(engine)["rsi_mid_14"] == 50.0
    assert np.isfinite(engine.sequence).all()


def test_trading_day_is_known_from_its_first_tick() -> None:
    """Crossing 17:00 New York sets open, high and low of the day; before it they are NaN."""
    rollover_ns = MONDAY_NS + 13 * 60 * NS_PER_MINUTE  # 22:00 UTC in January
    minutes = np.arange(-120, 120, dtype=np.int64)
    mid = 1.1 + 1e-5 * np.cumsum(np.where(minutes % 7 < 4, 3.0, -2.0))
    block = TickBlock("EURUSD", rollover_ns + minutes * NS_PER_MINUTE, mid - 1e-5, mid + 1e-5)
    rows = FeatureEngine(PLAN, EURUSD).step_block(block, "ticks")
    place = PLAN.names.index("return_day")
    assert np.isnan(rows.values[:120, place]).all()
    expected = np.log(mid[120:] / mid[120])
    np.testing.assert_allclose(rows.values[120:, place], expected, atol=1e-12)
    high = (np.maximum.accumulate(mid[120:]) - mid[120:]) / rows.sigma[120:]
    distance = rows.values[120:, PLAN.names.index("day_high_distance")]
    np.testing.assert_allclose(distance, high, atol=1e-6)


def test_seasonal_ratio_needs_the_same_minute_of_an_earlier_week() -> None:
    """NaN in the first week; a week later the spread is compared with that minute's mean."""
    week_ns = 7 * 24 * 60 * NS_PER_MINUTE
    engine = FeatureEngine(PLAN, EURUSD)
    engine.step(MONDAY_NS, 1.1, 1.1002)
    assert math.isnan(named(engine)["spread_seasonal_ratio"])
    engine.step(MONDAY_NS + NS_PER_MINUTE, 1.1, 1.1001)
    engine.step(MONDAY_NS + week_ns, 1.1, 1.1003)
    assert named(engine)["spread_seasonal_ratio"] == pytest.approx(1.5)
