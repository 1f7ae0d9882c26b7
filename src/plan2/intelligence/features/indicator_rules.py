"""Formulas of the classic bar indicators, with the convention each name stands for.

Every rule takes the bars and its parameters and returns float64[n]; NaN until it is defined. Where
sources disagree the docstring says which one is meant; the tests compare with published tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plan2.foundation.values import Float64Array
from plan2.intelligence.features import series
from plan2.intelligence.features.stops import parabolic_sar, super_trend

Parameters = Sequence[float]


@dataclass(frozen=True, slots=True)
class PriceBars:
    """Columns of bars in time order, float64[n] each; `volume` is None when there is none."""

    open: Float64Array
    high: Float64Array
    low: Float64Array
    close: Float64Array
    volume: Float64Array | None = None

    def __len__(self) -> int:
        return int(self.close.shape[0])

    @property
    def typical(self) -> Float64Array:
        """(high + low + close) / 3."""
        return (self.high + self.low + self.close) / 3.0

    @property
    def middle(self) -> Float64Array:
        """(high + low) / 2."""
        return (self.high + self.low) / 2.0


def _ratio(above: Float64Array, below: Float64Array, otherwise: float) -> Float64Array:
    """`above` / `below`, and `otherwise` where `below` is zero; NaN stays NaN."""
    safe = np.where(below == 0.0, 1.0, below)
    return np.where(below == 0.0, otherwise, above / safe)


def ema(bars: PriceBars, p: Parameters) -> Float64Array:
    """EMA of closes, alpha 2/(N+1), seeded with the mean of the first N."""
    return series.exponential_mean(bars.close, int(p[0]))


def dema(bars: PriceBars, p: Parameters) -> Float64Array:
    """2·EMA − EMA of EMA (Mulloy); the second average starts as the first value of the first."""
    once = series.exponential_mean(bars.close, int(p[0]))
    return 2.0 * once - series.exponential_again(once, int(p[0]))


def tema(bars: PriceBars, p: Parameters) -> Float64Array:
    """3·EMA − 3·EMA of EMA + EMA of that (Mulloy), seeded as DEMA."""
    once = series.exponential_mean(bars.close, int(p[0]))
    twice = series.exponential_again(once, int(p[0]))
    return 3.0 * once - 3.0 * twice + series.exponential_again(twice, int(p[0]))


def hma(bars: PriceBars, p: Parameters) -> Float64Array:
    """Hull: WMA over √N of 2·WMA(N/2) − WMA(N); halves and roots are cut to whole rows."""
    period = int(p[0])
    half = series.weighted_mean(bars.close, max(period // 2, 1))
    raw = 2.0 * half - series.weighted_mean(bars.close, period)
    return series.weighted_mean(raw, int(period**0.5))


def rsi(bars: PriceBars, p: Parameters) -> Float64Array:
    """Wilder's RSI seeded with plain means of the first N changes; 50 when nothing moved."""
    change = np.diff(bars.close, prepend=np.nan)
    gain = series.wilder_mean(np.maximum(change, 0.0), int(p[0]))
    loss = series.wilder_mean(np.maximum(-change, 0.0), int(p[0]))
    return 100.0 * _ratio(gain, gain + loss, 0.5)


def macd(bars: PriceBars, p: Parameters) -> Float64Array:
    """EMA(F) − EMA(S) of closes; the signal's period does not matter here."""
    fast = series.exponential_mean(bars.close, int(p[0]))
    return fast - series.exponential_mean(bars.close, int(p[1]))


def macd_signal(bars: PriceBars, p: Parameters) -> Float64Array:
    """EMA(G) of the MACD line, seeded with its first G values."""
    return series.exponential_mean(macd(bars, p), int(p[2]))


def macd_histogram(bars: PriceBars, p: Parameters) -> Float64Array:
    """MACD line − signal line."""
    return macd(bars, p) - macd_signal(bars, p)


def bollinger(bars: PriceBars, p: Parameters) -> Float64Array:
    """Middle band plus p[1] population deviations; a negative p[1] gives the lower band."""
    middle = series.mean(bars.close, int(p[0]))
    return middle + p[1] * series.deviation(bars.close, int(p[0]))


def bollinger_percent_b(bars: PriceBars, p: Parameters) -> Float64Array:
    """(close − lower) / (upper − lower); one half when the bands coincide."""
    lower, upper = bollinger(bars, (p[0], -p[1])), bollinger(bars, p)
    return _ratio(bars.close - lower, upper - lower, 0.5)


def bollinger_width(bars: PriceBars, p: Parameters) -> Float64Array:
    """(upper − lower) / middle."""
    spread = bollinger(bars, p) - bollinger(bars, (p[0], -p[1]))
    return spread / series.mean(bars.close, int(p[0]))


def true_range(bars: PriceBars, _: Parameters) -> Float64Array:
    """Wilder's true range; not defined for the first bar, which has no close before it."""
    before = series.lagged(bars.close, 1)
    return np.maximum(bars.high, before) - np.minimum(bars.low, before)


def atr(bars: PriceBars, p: Parameters) -> Float64Array:
    """Wilder's average of true ranges, seeded with the mean of the first N (bars 2 to N+1)."""
    return series.wilder_mean(true_range(bars, ()), int(p[0]))


def _directional(bars: PriceBars, period: int) -> tuple[Float64Array, Float64Array]:
    """+DI and −DI in percent."""
    up = np.diff(bars.high, prepend=np.nan)
    down = -np.diff(bars.low, prepend=np.nan)
    unknown = np.isnan(up)
    plus = np.where(unknown, np.nan, np.where((up > down) & (up > 0.0), up, 0.0))
    minus = np.where(unknown, np.nan, np.where((down > up) & (down > 0.0), down, 0.0))
    span = atr(bars, (period,))
    plus_di = 100.0 * _ratio(series.wilder_mean(plus, period), span, 0.0)
    return plus_di, 100.0 * _ratio(series.wilder_mean(minus, period), span, 0.0)


def plus_di(bars: PriceBars, p: Parameters) -> Float64Array:
    """Wilder's +DI."""
    return _directional(bars, int(p[0]))[0]


def minus_di(bars: PriceBars, p: Parameters) -> Float64Array:
    """Wilder's −DI."""
    return _directional(bars, int(p[0]))[1]


def adx(bars: PriceBars, p: Parameters) -> Float64Array:
    """Wilder's average of DX = 100·|+DI − −DI| / (+DI + −DI), seeded with the first N DX."""
    plus, minus = _directional(bars, int(p[0]))
    return series.wilder_mean(100.0 * _ratio(np.abs(plus - minus), plus + minus, 0.0), int(p[0]))


def _place(bars: PriceBars, period: int) -> Float64Array:
    """Place of the close in the range of the window, 0..1; one half without a range."""
    low, high = series.lowest(bars.low, period), series.highest(bars.high, period)
    return _ratio(bars.close - low, high - low, 0.5)


def stoch_k(bars: PriceBars, p: Parameters) -> Float64Array:
    """%K: place of the close in N bars in percent, averaged over S (1 = fast, 3 = slow)."""
    return series.mean(100.0 * _place(bars, int(p[0])), int(p[1]))


def stoch_d(bars: PriceBars, p: Parameters) -> Float64Array:
    """%D: simple average over M of the %K with the same N and S."""
    return series.mean(stoch_k(bars, (p[0], p[2])), int(p[1]))


def williams_r(bars: PriceBars, p: Parameters) -> Float64Array:
    """Williams %R, −100..0."""
    return 100.0 * _place(bars, int(p[0])) - 100.0


def cci(bars: PriceBars, p: Parameters) -> Float64Array:
    """(typical − its mean) / (0.015 · mean deviation); 0 when nothing deviates."""
    centre = series.mean(bars.typical, int(p[0]))
    spread = series.mean_deviation(bars.typical, int(p[0]))
    return _ratio(bars.typical - centre, 0.015 * spread, 0.0)


def roc(bars: PriceBars, p: Parameters) -> Float64Array:
    """Percent change of the close over N bars."""
    return 100.0 * (bars.close / series.lagged(bars.close, int(p[0])) - 1.0)


def momentum(bars: PriceBars, p: Parameters) -> Float64Array:
    """Change of the close over N bars, in price."""
    return bars.close - series.lagged(bars.close, int(p[0]))


def trix(bars: PriceBars, p: Parameters) -> Float64Array:
    """Percent change of the triple EMA from bar to bar, seeded as DEMA."""
    once = series.exponential_mean(bars.close, int(p[0]))
    twice = series.exponential_again(once, int(p[0]))
    thrice = series.exponential_again(twice, int(p[0]))
    return 100.0 * (thrice / series.lagged(thrice, 1) - 1.0)


def aroon_up(bars: PriceBars, p: Parameters) -> Float64Array:
    """100·(N − bars since the highest high of N+1 bars)/N."""
    return 100.0 * (p[0] - series.rows_since_highest(bars.high, int(p[0]) + 1)) / p[0]


def aroon_down(bars: PriceBars, p: Parameters) -> Float64Array:
    """100·(N − bars since the lowest low of N+1 bars)/N."""
    return 100.0 * (p[0] - series.rows_since_highest(-bars.low, int(p[0]) + 1)) / p[0]


def volume_of(bars: PriceBars) -> Float64Array:
    """The volume column; the registry has made sure that there is one."""
    return np.zeros(len(bars)) if bars.volume is None else bars.volume


def obv(bars: PriceBars, _: Parameters) -> Float64Array:
    """On-balance volume, 0 at the first bar."""
    return np.cumsum(np.sign(np.diff(bars.close, prepend=bars.close[:1])) * volume_of(bars))


def mfi(bars: PriceBars, p: Parameters) -> Float64Array:
    """Money flow index: share of typical price · volume on bars with a higher typical price."""
    change = np.diff(bars.typical, prepend=np.nan)
    flow = bars.typical * volume_of(bars)
    unknown = np.isnan(change)
    up = series.mean(np.where(unknown, np.nan, np.where(change > 0.0, flow, 0.0)), int(p[0]))
    down = series.mean(np.where(unknown, np.nan, np.where(change < 0.0, flow, 0.0)), int(p[0]))
    return 100.0 * _ratio(up, up + down, 0.5)


def keltner(bars: PriceBars, p: Parameters) -> Float64Array:
    """EMA(N) of closes plus K times ATR(A); a negative K gives the lower channel."""
    return ema(bars, p) + p[1] * atr(bars, (p[2],))


def ichimoku_line(bars: PriceBars, p: Parameters) -> Float64Array:
    """Middle of the range of N bars, shown D bars later (tenkan 9 and kijun 26 with D = 0)."""
    high, low = series.highest(bars.high, int(p[0])), series.lowest(bars.low, int(p[0]))
    return series.lagged((high + low) / 2.0, int(p[1]))


def ichimoku_span_a(bars: PriceBars, p: Parameters) -> Float64Array:
    """Mean of tenkan and kijun, shown D bars later."""
    tenkan, kijun = ichimoku_line(bars, (p[0], 0)), ichimoku_line(bars, (p[1], 0))
    return series.lagged((tenkan + kijun) / 2.0, int(p[2]))


def psar(bars: PriceBars, p: Parameters) -> Float64Array:
    """Parabolic SAR; see `stops.parabolic_sar`."""
    return parabolic_sar(bars.high, bars.low, p[0], p[1], p[2])


def supertrend(bars: PriceBars, p: Parameters) -> Float64Array:
    """SuperTrend of ATR(N) times K; see `stops.super_trend`."""
    return super_trend(bars.middle, bars.close, p[1] * atr(bars, p))
