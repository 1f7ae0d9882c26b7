"""Every function of a flow against the published rules of the catalogue, or plain arithmetic."""

import math

import numpy as np
import pytest

from plan2.foundation.instrument import Instrument
from plan2.intelligence.features.indicators import compute
from plan2.intelligence.flows.compiled import CompiledFlow
from plan2.intelligence.flows.flow import parse_flow
from plan2.intelligence.flows.functions import FUNCTIONS
from plan2.intelligence.flows.words import CLOSED

EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)
MINUTE = 60_000_000_000
BARS = 200

CATALOGUE = {
    "sma(close, 20)": "sma_20",
    "wma(close, 7)": "wma_7",
    "ema_sma(close, 12)": "ema_12",
    "smma(close, n)": "smma_9",
    "stddev(close, 20)": "stddev_20",
    "bb_upper(close, 20, 2.5)": "bb_upper_20_2.5",
    "bb_mid(close, 20)": "bb_middle_20_2",
    "bb_lower(close, 20, 2.5)": "bb_lower_20_2.5",
    "true_range()": "tr",
    "atr(14)": "atr_14",
    "adx(n)": "adx_9",
    "plus_di(14)": "plus_di_14",
    "minus_di(14)": "minus_di_14",
    "stoch_k(14)": "stoch_k_14_1",
    "stoch_d(14, 3)": "stoch_d_14_3_1",
    "donchian_high(20)": "donchian_upper_20",
    "donchian_low(20)": "donchian_lower_20",
    "highest(high, 20)": "donchian_upper_20",
    "lowest(low, 20)": "donchian_lower_20",
    "momentum(close, 10)": "momentum_10",
    "roc(close, 12)": "roc_12",
}


def ema_of(values: list[float], period: int) -> list[float]:
    """Seeded with the first value."""
    out, alpha = [values[0]], 2.0 / (period + 1)
    for value in values[1:]:
        out.append(alpha * value + (1 - alpha) * out[-1])
    return out


def rsi_of(values: list[float], period: int) -> list[float]:
    """Wilder's averages from 0; 100 without a fall."""
    rise = fall = 0.0
    out = []
    for before, value in zip([values[0], *values], values, strict=False):
        rise += (max(value - before, 0.0) - rise) / period
        fall += (max(before - value, 0.0) - fall) / period
        out.append(100.0 if fall == 0.0 else 100.0 - 100.0 / (1.0 + rise / fall))
    return out


def plain(close: list[float]) -> dict[str, list[float]]:
    """What has no row in the catalogue, by hand."""
    line = [a - b for a, b in zip(ema_of(close, 12), ema_of(close, 26), strict=True)]
    signal = ema_of(line, 9)
    nan = math.nan
    return {
        "ema(close, 12)": ema_of(close, 12),
        "rsi(close, 14)": rsi_of(close, 14),
        "macd(close, 12, 26)": line,
        "macd_signal(close, 12, 26, 9)": signal,
        "macd_hist(close, 12, 26, 9)": [a - b for a, b in zip(line, signal, strict=True)],
        "lag(close, 3)": [nan, nan, nan, *close[:-3]],
        "min(close, 1.1)": [min(value, 1.1) for value in close],
        "max(close, 1.1)": [max(value, 1.1) for value in close],
        "abs(close - 1.1)": [abs(value - 1.1) for value in close],
        "sqrt(close)": [math.sqrt(value) for value in close],
        "log(close)": [math.log(value) for value in close],
        "clip(close, 1.099, 1.101)": [min(max(value, 1.099), 1.101) for value in close],
        "ema(sma(close, 5), 3)": [nan] * 4 + ema_of(means(close, 5), 3),
    }


def means(values: list[float], period: int) -> list[float]:
    """Plain means of full windows."""
    return [math.fsum(values[i - period + 1 : i + 1]) / period for i in range(period - 1, BARS)]


@pytest.fixture(scope="module")
def followed() -> tuple[dict[str, list[float]], np.ndarray]:
    """Every expression after each bar, and the bars: float64[4, BARS] open, high, low, close."""
    texts = [*CATALOGUE, *plain([1.1] * BARS)]
    features = "\n".join(f'f{i} = "{text}"' for i, text in enumerate(texts))
    flow = parse_flow(
        f'name = "all"\n[source]\nsymbol = "EURUSD"\nprice = "bid"\n'
        f"[parameters]\nn = 9\n[features]\n{features}"
    )
    compiled = CompiledFlow(flow, EURUSD)
    rng = np.random.default_rng(3)
    prices = np.round(1.1 + np.cumsum(rng.normal(0, 4e-4, (BARS, 4)).ravel()) * 0.3, 5)
    prices = prices.reshape(BARS, 4)
    out: dict[str, list[float]] = {text: [] for text in texts}
    for bar, row in enumerate([*prices, prices[-1]]):
        for place, price in enumerate(row):
            signal = compiled.step((bar + 10) * MINUTE + place, price, price + 1e-5)
            assert bool(signal & CLOSED) == (place == 0 and bar > 0)
            if signal & CLOSED:
                for text, value in zip(texts, compiled.show().values(), strict=True):
                    out[text].append(value)
    ohlc = np.stack([prices[:, 0], prices.max(axis=1), prices.min(axis=1), prices[:, 3]])
    return out, ohlc


@pytest.mark.parametrize("text", CATALOGUE)
def test_agrees_with_the_published_rules(followed: tuple, text: str) -> None:
    """Same values, and the same bars at which they are first known."""
    out, ohlc = followed
    expected = compute([CATALOGUE[text]], *ohlc)[CATALOGUE[text]]
    np.testing.assert_allclose(out[text], expected, rtol=1e-9, atol=1e-12)


def test_agrees_with_plain_arithmetic(followed: tuple) -> None:
    """The conventions that only flows have."""
    out, ohlc = followed
    for text, expected in plain(ohlc[3].tolist()).items():
        np.testing.assert_allclose(out[text], expected, rtol=1e-10, atol=1e-12, err_msg=text)


def test_every_number_function_is_tried() -> None:
    """A function added to the table is added here too."""
    tried = {text.split("(")[0] for text in [*CATALOGUE, *plain([1.1] * BARS)]}
    assert tried == set(FUNCTIONS) - {"crosses_above", "crosses_below"}
