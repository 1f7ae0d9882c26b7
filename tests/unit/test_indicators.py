"""Names, parameters and behaviour of the bar indicators beyond the published tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plan2.foundation.errors import InputError
from plan2.intelligence.features.indicator_rules import PriceBars
from plan2.intelligence.features.indicators import (
    INDICATORS,
    compute,
    indicators_of,
    is_indicator,
    known_names,
    parse,
    warmup_of,
)


def random_bars(count: int, seed: int = 1) -> PriceBars:
    """Bars of a random walk: low ≤ open, close ≤ high, some volume."""
    rng = np.random.default_rng(seed)
    close = 100.0 + np.cumsum(rng.normal(0.0, 0.5, count))
    opens = np.concatenate(([100.0], close[:-1]))[:count]
    top = np.maximum(opens, close) + rng.exponential(0.2, count)
    bottom = np.minimum(opens, close) - rng.exponential(0.2, count)
    return PriceBars(opens, top, bottom, close, rng.integers(1, 900, count).astype(np.float64))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("sma_20", (20.0,)),
        ("rsi", (14.0,)),
        ("macd_signal_5_10", (5.0, 10.0, 9.0)),
        ("bb_upper_20_2.5", (20.0, 2.5)),
        ("psar", (0.02, 0.2, 0.02)),
        ("psar_0.01_0.1", (0.01, 0.1, 0.02)),
        ("ichimoku_tenkan_9", (9.0, 0.0)),
        ("tr", ()),
    ],
)
def test_names_carry_their_parameters(name: str, parameters: tuple[float, ...]) -> None:
    """What is left out takes the usual value."""
    assert parse(name)[1] == parameters
    assert is_indicator(name)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("smaa_20", "sma_N"),
        ("bollinger_upper", "bb_upper_N_k"),
        ("macd_sgnal", "macd_signal_F_S_G"),
        ("rsi_0", "whole number"),
        ("ema_2.5", "whole number"),
        ("sma_200000", "100000"),
        ("bb_upper_20_0", "above 0"),
        ("rsi_14_3", "expected rsi_N"),
        ("", "unknown indicator"),
        ("RSI_14", "unknown indicator"),
        ("rsi_14; drop", "unknown indicator"),
        ("obv", "volume"),
    ],
)
def test_names_that_cannot_be_used_say_why(name: str, told: str) -> None:
    """An unknown name lists the nearest ones, a wrong parameter its range; nothing is computed."""
    bars = random_bars(50)
    without_volume = PriceBars(bars.open, bars.high, bars.low, bars.close)
    with pytest.raises(InputError, match=told):
        indicators_of(["sma_5", name], without_volume)


def test_prices_must_be_finite_and_of_one_length() -> None:
    """A hole in the bars is told, not carried on."""
    bars = random_bars(30)
    holes = bars.close.copy()
    holes[7] = np.nan
    with pytest.raises(InputError, match="column close must hold 30 finite prices"):
        indicators_of(["sma_5"], PriceBars(bars.open, bars.high, bars.low, holes))
    with pytest.raises(InputError, match="column high"):
        indicators_of(["sma_5"], PriceBars(bars.open, bars.high[:9], bars.low, bars.close))


@pytest.mark.parametrize("stem", list(INDICATORS))
def test_every_indicator_looks_back_only(stem: str) -> None:
    """The first 120 of 200 rows do not depend on the 80 after them."""
    bars, count = random_bars(200), 120
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    head = PriceBars(*(column[:count] for column in columns if column is not None))
    whole, part = indicators_of([stem], bars)[stem], indicators_of([stem], head)[stem]
    assert whole.shape == (200,)
    assert np.isfinite(whole[-1])
    np.testing.assert_array_equal(whole[:count], part)


@pytest.mark.parametrize("stem", list(INDICATORS))
@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_short_series_give_nan_not_errors(stem: str, count: int) -> None:
    """Fewer bars than the window: a column of the same length, never an infinite value."""
    values = indicators_of([stem], random_bars(count))[stem]
    assert values.shape == (count,)
    assert not np.isinf(values).any()


@pytest.mark.parametrize("stem", [stem for stem in INDICATORS if stem != "psar"])
def test_a_flat_market_gives_no_infinity(stem: str) -> None:
    """Zero ranges and changes have a defined outcome (a parabolic stop needs a first reversal)."""
    price = np.full(150, 1.1)
    values = indicators_of([stem], PriceBars(price, price, price, price, np.ones(150)))[stem]
    assert not np.isinf(values).any()
    assert np.isfinite(values[-1])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40))
def test_bounded_oscillators_keep_their_bounds(seed: int, period: int) -> None:
    """RSI, stochastic, Williams and ADX on random markets and periods."""
    bars = random_bars(120, seed)
    names = {f"rsi_{period}": (0, 100), f"stoch_k_{period}": (0, 100),
             f"williams_r_{period}": (-100, 0), f"adx_{period}": (0, 100)}  # fmt: skip
    for name, values in indicators_of(names, bars).items():
        low, high = names[name]
        known = values[np.isfinite(values)]
        assert (known >= low - 1e-9).all()
        assert (known <= high + 1e-9).all()


def test_columns_and_bars_give_the_same() -> None:
    """`compute` takes the columns of a bar, as the screens have them."""
    bars = random_bars(60)
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    found, expected = compute(["adx", "obv"], *columns), indicators_of(["adx", "obv"], bars)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


def test_known_names_show_their_parameters() -> None:
    """One form for each row of the table, usable as it stands without the letters."""
    assert "macd_F_S_G" in known_names()
    assert len(known_names()) == len(INDICATORS)


def test_warmup_covers_the_longest_memory() -> None:
    """Ten times the longest parameter: an EMA's start has faded by then."""
    assert warmup_of(["sma_20", "ema_50"]) == 500
    bars = random_bars(3_000)
    tail = PriceBars(*(getattr(bars, name)[-600:] for name in ("open", "high", "low", "close")))
    long, short = (
        indicators_of(["ema_50"], bars)["ema_50"],
        indicators_of(["ema_50"], tail)["ema_50"],
    )
    assert short[-1] == pytest.approx(long[-1], rel=1e-8)
