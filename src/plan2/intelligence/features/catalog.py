"""The features as one readable table: what each is called, means, is measured in and needs.

Windows, half-lives and warm-ups count committed bars that contain at least one tick. All prices
are mid prices. "σ" is the streaming volatility of one bar in quote currency
(`FeatureEngine.sigma`), never below a tenth of a point. Values marked "so far" count the bar in
progress as one more bar.

What looks beyond the symbol's own ticks, or costs more, is computed on request only
(`requested.py`). Quotes carry no sizes, so nothing here claims to be order flow.
"""

import re
from dataclasses import dataclass

TRAILING_WINDOWS = re.compile(r"(?:_\d+)+$")


@dataclass(frozen=True, slots=True)
class Feature:
    """One output of the engine.

    Attributes:
        field: its name at window scale 1; trailing numbers are windows in bars.
        unit: of the value; "1" for a pure number, "log" for a difference of logarithms.
        warmup: committed bars since the start or the last gap before the value is not NaN.
        low, high: the valid range; may be infinite.
        waits: NaN until the trading day or the same minute of an earlier week was seen; such
            features do not hold up `FeatureEngine.ready`.
        version: raised whenever the meaning changes.
    """

    field: str
    unit: str
    warmup: int
    low: float
    high: float
    meaning: str
    waits: bool = False
    version: int = 1

    def name(self, window_scale: int) -> str:
        """The public name when every window is multiplied by `window_scale`."""
        found = TRAILING_WINDOWS.search(self.field)
        if found is None:
            return self.field
        windows = (int(window) * window_scale for window in found.group()[1:].split("_"))
        return "_".join([self.field[: found.start()], *map(str, windows)])


def feature_row(name: str, unit: str, warmup: int, valid: str, meaning: str) -> Feature:
    """A row of the table; `valid` is "low..high", followed by "?" where the feature waits."""
    low, high = (float(edge) for edge in valid.rstrip("?").split(".."))
    return Feature(name, unit, warmup, low, high, meaning, waits=valid.endswith("?"))


_f = feature_row

# fmt: off
COST = (
    _f("spread", "pip", 0, "-inf..inf", "ask − bid"),
    _f("spread_z_60", "1", 60, "-5..5", "spread against its time-weighted mean, half-life 60"),
    _f("spread_to_sigma", "1", 61, "-inf..inf", "spread / σ: the cost in bars of noise"),
    _f("spread_seasonal_ratio", "1", 0, "-inf..inf?", "spread / usual, same minute of the week"),
)
RETURNS = (
    _f("return_1", "log", 2, "-1..1", "log of mid / close one bar before the last close"),
    _f("return_5", "log", 6, "-1..1", "the same over 5 bars, so far"),
    _f("return_15", "log", 16, "-1..1", "the same over 15 bars, so far"),
    _f("return_60", "log", 61, "-1..1", "the same over 60 bars, so far"),
    _f("return_240", "log", 241, "-1..1", "the same over 240 bars, so far"),
    _f("return_day", "log", 0, "-1..1?", "since the trading day's first tick (17:00 New York)"),
)
VOLATILITY = (  # of committed bars, in logs per square root of a bar
    _f("volatility_ew_5", "log", 6, "0..inf", "root of the EW mean square return, half-life 5"),
    _f("volatility_ew_15", "log", 16, "0..inf", "half-life 15"),
    _f("volatility_ew_60", "log", 61, "0..inf", "half-life 60; σ is this times the mid"),
    _f("volatility_ew_240", "log", 241, "0..inf", "half-life 240"),
    _f("volatility_realized_60", "log", 61, "0..inf", "root of the mean square return of 60 bars"),
    _f("jump_share_60", "1", 62, "0..1", "1 − bipower / realised variance of 60 bars, ≥ 0"),
    _f("volatility_parkinson_60", "log", 60, "0..inf", "from the log ranges of 60 bars"),
    _f("volatility_of_volatility_60", "log", 76, "0..inf", "EW r.m.s. change of log EW volatility"),
    _f("volatility_ratio_5_60", "1", 61, "0..inf", "volatility_ew_5 / volatility_ew_60"),
    _f("volatility_seasonal_ratio", "1", 16, "0..inf?", "volatility_ew_15 / usual, this minute"),
)
TREND = (
    _f("ema_gap_10", "σ", 61, "-inf..inf", "(mid − EMA 10 so far) / σ"),
    _f("ema_gap_30", "σ", 61, "-inf..inf", "(mid − EMA 30 so far) / σ"),
    _f("ema_gap_120", "σ", 120, "-inf..inf", "(mid − EMA 120 so far) / σ"),
    _f("macd_histogram_12_26_9", "σ", 61, "-inf..inf", "(MACD − signal) / σ, so far"),
    _f("adx_mid_14", "1", 28, "0..100", "Wilder's ADX of committed bars"),
    _f("directional_difference_14", "1", 15, "-100..100", "+DI − −DI of committed bars"),
    _f("efficiency_ratio_20", "1", 21, "0..1", "|net move| / path of 20 bars and the bar so far"),
    _f("variance_ratio_5_60", "1", 66, "0..inf", "5-bar / 5 · 1-bar return variance, 60 bars"),
    _f("kama_slope_10", "σ", 61, "-inf..inf", "move of KAMA (10, 2, 30) by the bar so far / σ"),
)
RANGE = (
    _f("donchian_position_20", "1", 20, "0..1", "place of mid in the range of 20 bars and so far"),
    _f("donchian_position_120", "1", 120, "0..1", "the same for 120 bars"),
    _f("stochastic_k_14", "1", 14, "0..100", "the same for 14 bars, in percent"),
    _f("day_high_distance", "σ", 61, "0..inf?", "(high of the trading day so far − mid) / σ"),
    _f("day_low_distance", "σ", 61, "0..inf?", "(mid − low of the trading day so far) / σ"),
    _f("atr_mid_14", "pip", 15, "0..inf", "Wilder's average true range of committed bars"),
    _f("range_to_atr_14", "1", 15, "0..inf", "range of the last bar and the bar so far / ATR"),
)
OSCILLATORS = (  # with the bar so far
    _f("rsi_mid_7", "1", 8, "0..100", "Wilder's RSI"),
    _f("rsi_mid_14", "1", 15, "0..100", "Wilder's RSI"),
    _f("rsi_mid_28", "1", 29, "0..100", "Wilder's RSI"),
    _f("bollinger_percent_b_20", "1", 20, "-inf..inf", "0 lower, 1 upper band (20, 2, population)"),
    _f("bollinger_width_20", "1e-4", 20, "0..inf", "(upper − lower) / middle"),
)
ACTIVITY = (
    _f("tick_rate_10", "1/s", 10, "0..inf", "EW ticks a second, half-life ten bars"),
    _f("tick_burst", "1", 10, "0..inf", "ticks a second with half-life 10 s / tick_rate_10"),
    _f("tick_interval", "s", 1, "0..inf", "EW mean of the seconds between 50 ticks"),
    _f("quote_sign_balance_1", "1", 1, "-1..1", "EW mean sign of bid and ask changes"),
    _f("one_sided_quote_share_1", "1", 1, "0..1", "EW share of ticks that moved one side only"),
    _f("tick_gap", "s", 1, "0..inf", "seconds since the tick before"),
    _f("bar_progress", "1", 0, "0..1", "elapsed share of the bar's period"),
)
CALENDAR = (  # from the time alone
    _f("minute_of_day_sin", "1", 0, "-1..1", "sine of the UTC minute of the day"),
    _f("minute_of_day_cos", "1", 0, "-1..1", "cosine of the UTC minute of the day"),
    _f("minute_of_week_sin", "1", 0, "-1..1", "sine of the UTC minute of the week, from Monday"),
    _f("minute_of_week_cos", "1", 0, "-1..1", "cosine of the UTC minute of the week"),
    _f("session_tokyo", "1", 0, "0..1", "1 from 9:00 to 18:00 in Tokyo, Monday to Friday"),
    _f("session_london", "1", 0, "0..1", "1 from 8:00 to 17:00 in London, Monday to Friday"),
    _f("session_new_york", "1", 0, "0..1", "1 from 8:00 to 17:00 in New York, Monday to Friday"),
    _f("minutes_to_rollover", "min", 0, "0..1440", "until 17:00 New York"),
)
# fmt: on
GROUPS: dict[str, tuple[Feature, ...]] = {
    "cost": COST,
    "returns": RETURNS,
    "volatility": VOLATILITY,
    "trend": TREND,
    "range": RANGE,
    "oscillators": OSCILLATORS,
    "activity": ACTIVITY,
    "calendar": CALENDAR,
}
TABULAR: tuple[Feature, ...] = tuple(feature for group in GROUPS.values() for feature in group)

SEQUENCE_WARMUP = 61
# fmt: off
SEQUENCE: tuple[Feature, ...] = (  # of one bar, so far; σ channels are clipped
    _f("bar_return", "σ", 61, "-5..5", "close against the close before"),
    _f("bar_open_gap", "σ", 61, "-5..5", "open against the close before"),
    _f("bar_upper", "σ", 61, "0..5", "high − close"),
    _f("bar_lower", "σ", 61, "0..5", "close − low"),
    _f("bar_close_position", "1", 61, "0..1", "where the close lies in the bar's range"),
    _f("bar_activity", "log", 61, "-5..5", "log of ticks in the bar / EMA 60 of ticks a bar"),
    _f("bar_spread", "σ", 61, "-5..5", "mean spread of the bar's ticks"),
    _f("bar_spread_z", "1", 61, "-5..5", "spread of the last tick, as spread_z_60"),
    _f("bar_sign_balance", "1", 61, "-1..1", "mean sign of bid and ask changes in the bar"),
    _f("bar_one_sided_share", "1", 61, "0..1", "share of ticks that moved one side only"),
    _f("bar_volatility_ratio", "log", 61, "-5..5", "log of volatility_ew_5 / volatility_ew_60"),
    _f("bar_ema_gap", "σ", 61, "-5..5", "as ema_gap_10"),
    _f("bar_trend_gap", "σ", 61, "-5..5", "a quarter of ema_gap_30"),
    _f("bar_rsi", "1", 61, "-1..1", "(rsi_mid_14 − 50) / 50"),
    _f("bar_time_sin", "1", 61, "-1..1", "sine of the UTC minute of the day"),
    _f("bar_time_cos", "1", 61, "-1..1", "cosine of the UTC minute of the day"),
)
# fmt: on
