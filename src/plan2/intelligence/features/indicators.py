"""Classic indicators on bars by name: `rsi_14`, `bb_upper_20_2`, `macd_signal_12_26_9`, `psar`.

A name is a stem and its parameters, joined by underscores; parameters left out take the usual
values. One table says what exists. Lines that look into the future (Ichimoku's chikou) and those
that need real volume at price (VWAP) are not offered.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.values import Float64Array
from plan2.intelligence.features import indicator_rules as rules
from plan2.intelligence.features import series
from plan2.intelligence.features.indicator_rules import Parameters, PriceBars

Rule = Callable[[PriceBars, Parameters], Float64Array]
NAME = re.compile(r"(?P<stem>[a-z]+(?:_[a-z]+)*)(?P<numbers>(?:_\d+(?:\.\d+)?)*)")
LONGEST_PERIOD = 100_000


@dataclass(frozen=True, slots=True)
class Indicator:
    """One row of the table.

    Attributes:
        labels: one letter for each parameter; lower case ones may be fractions.
        defaults: the usual values, in the same order.
        rule: the formula.
        needs_volume: whether bars without a volume column are refused.
    """

    labels: str
    defaults: tuple[float, ...]
    rule: Rule
    needs_volume: bool = False


def _of_close(
    block: Callable[[Float64Array, int], Float64Array], bars: PriceBars, p: Parameters
) -> Float64Array:
    return block(bars.close, int(p[0]))


def _highest_high(bars: PriceBars, p: Parameters) -> Float64Array:
    return series.highest(bars.high, int(p[0]))


def _lowest_low(bars: PriceBars, p: Parameters) -> Float64Array:
    return series.lowest(bars.low, int(p[0]))


def _lower(rule: Rule, bars: PriceBars, p: Parameters) -> Float64Array:
    """The lower twin of a band: the same rule with its multiplier, the second one, negated."""
    return rule(bars, (p[0], -p[1], *p[2:]))


def _kama(bars: PriceBars, p: Parameters) -> Float64Array:
    return series.kaufman_mean(bars.close, int(p[0]), int(p[1]), int(p[2]))


INDICATORS: dict[str, Indicator] = {
    "sma": Indicator("N", (20,), partial(_of_close, series.mean)),
    "wma": Indicator("N", (20,), partial(_of_close, series.weighted_mean)),
    "ema": Indicator("N", (20,), rules.ema),
    "smma": Indicator("N", (20,), partial(_of_close, series.wilder_mean)),
    "dema": Indicator("N", (20,), rules.dema),
    "tema": Indicator("N", (20,), rules.tema),
    "hma": Indicator("N", (20,), rules.hma),
    "kama": Indicator("NFS", (10, 2, 30), _kama),
    "stddev": Indicator("N", (20,), partial(_of_close, series.deviation)),
    "rsi": Indicator("N", (14,), rules.rsi),
    "macd": Indicator("FSG", (12, 26, 9), rules.macd),
    "macd_signal": Indicator("FSG", (12, 26, 9), rules.macd_signal),
    "macd_hist": Indicator("FSG", (12, 26, 9), rules.macd_histogram),
    "bb_upper": Indicator("Nk", (20, 2), rules.bollinger),
    "bb_middle": Indicator("Nk", (20, 2), partial(_of_close, series.mean)),
    "bb_lower": Indicator("Nk", (20, 2), partial(_lower, rules.bollinger)),
    "bb_percent_b": Indicator("Nk", (20, 2), rules.bollinger_percent_b),
    "bb_width": Indicator("Nk", (20, 2), rules.bollinger_width),
    "tr": Indicator("", (), rules.true_range),
    "atr": Indicator("N", (14,), rules.atr),
    "adx": Indicator("N", (14,), rules.adx),
    "plus_di": Indicator("N", (14,), rules.plus_di),
    "minus_di": Indicator("N", (14,), rules.minus_di),
    "stoch_k": Indicator("NS", (14, 1), rules.stoch_k),
    "stoch_d": Indicator("NMS", (14, 3, 1), rules.stoch_d),
    "williams_r": Indicator("N", (14,), rules.williams_r),
    "cci": Indicator("N", (20,), rules.cci),
    "roc": Indicator("N", (12,), rules.roc),
    "momentum": Indicator("N", (10,), rules.momentum),
    "trix": Indicator("N", (15,), rules.trix),
    "aroon_up": Indicator("N", (25,), rules.aroon_up),
    "aroon_down": Indicator("N", (25,), rules.aroon_down),
    "donchian_upper": Indicator("N", (20,), _highest_high),
    "donchian_lower": Indicator("N", (20,), _lowest_low),
    "keltner_upper": Indicator("NkA", (20, 2, 10), rules.keltner),
    "keltner_middle": Indicator("NkA", (20, 2, 10), rules.ema),
    "keltner_lower": Indicator("NkA", (20, 2, 10), partial(_lower, rules.keltner)),
    "psar": Indicator("smi", (0.02, 0.2, 0.02), rules.psar),
    "supertrend": Indicator("Nk", (10, 3), rules.supertrend),
    "ichimoku_tenkan": Indicator("ND", (9, 0), rules.ichimoku_line),
    "ichimoku_kijun": Indicator("ND", (26, 0), rules.ichimoku_line),
    "ichimoku_senkou_a": Indicator("TKD", (9, 26, 26), rules.ichimoku_span_a),
    "ichimoku_senkou_b": Indicator("ND", (52, 26), rules.ichimoku_line),
    "obv": Indicator("", (), rules.obv, needs_volume=True),
    "mfi": Indicator("N", (14,), rules.mfi, needs_volume=True),
}


def known_names() -> tuple[str, ...]:
    """Every indicator with letters for its parameters, such as `macd_F_S_G`."""
    return tuple("_".join([stem, *row.labels]) for stem, row in INDICATORS.items())


def is_indicator(name: str) -> bool:
    """Whether the stem of `name` is in the table."""
    found = NAME.fullmatch(name)
    return found is not None and found["stem"] in INDICATORS


def compute(
    names: Iterable[str],
    opens: Float64Array,
    highs: Float64Array,
    lows: Float64Array,
    closes: Float64Array,
    volumes: Float64Array | None = None,
) -> dict[str, Float64Array]:
    """The named indicators over bars given as columns; see `indicators_of`."""
    return indicators_of(names, PriceBars(opens, highs, lows, closes, volumes))


def indicators_of(names: Iterable[str], bars: PriceBars) -> dict[str, Float64Array]:
    """The named indicators over these bars, float64[n] each, in the order asked.

    Raises:
        InputError: for an unknown name, a parameter out of range, prices that are not finite, or
            a missing volume column; nothing is computed then.
    """
    found = {name: parse(name) for name in names}
    for name, (indicator, _) in found.items():
        if indicator.needs_volume and bars.volume is None:
            raise InputError(f"{name} needs a volume column; the bars have none")
    columns = _checked(bars)
    return {name: indicator.rule(columns, p) for name, (indicator, p) in found.items()}


def parse(name: str) -> tuple[Indicator, tuple[float, ...]]:
    """The table row and the parameters of a name.

    Raises:
        InputError: when it is unknown or its parameters cannot be used.
    """
    found = NAME.fullmatch(name)
    if found is None or found["stem"] not in INDICATORS:
        raise InputError(f"unknown indicator {name!r}.", remedy=_nearest(name))
    indicator = INDICATORS[found["stem"]]
    given = tuple(float(number) for number in found["numbers"].split("_")[1:])
    if len(given) > len(indicator.defaults):
        form = "_".join([found["stem"], *indicator.labels])
        raise InputError(f"{name!r} has {len(given)} parameters; expected {form}")
    parameters = given + indicator.defaults[len(given) :]
    for label, value in zip(indicator.labels, parameters, strict=True):
        _check_parameter(name, label, value)
    return indicator, parameters


def _check_parameter(name: str, label: str, value: float) -> None:
    least = 0.0 if label == "D" else 1.0
    if label.isupper() and not (value == int(value) and least <= value <= LONGEST_PERIOD):
        raise InputError(
            f"{name!r}: {label} must be a whole number from {least:.0f} to {LONGEST_PERIOD}; "
            f"found {value:g}"
        )
    if label.islower() and value <= 0.0:
        raise InputError(f"{name!r}: {label} must be above 0; found {value:g}")


def _nearest(name: str) -> str:
    stem = re.sub(r"[_\d.]+$", "", name)
    close = difflib.get_close_matches(stem, INDICATORS, n=5, cutoff=0.5) or list(INDICATORS)
    forms = ("_".join([near, *INDICATORS[near].labels]) for near in close)
    return f"Nearest: {', '.join(forms)}."


def _checked(bars: PriceBars) -> PriceBars:
    """The same bars as contiguous float64; refuses what no indicator can be taken of."""
    columns: dict[str, Float64Array] = {}
    for name in ("open", "high", "low", "close"):
        column = np.ascontiguousarray(getattr(bars, name), np.float64)
        if column.shape != (len(bars),) or not np.isfinite(column).all():
            raise InputError(
                f"column {name} must hold {len(bars)} finite prices; found {column.shape[0]} of "
                f"which {int(np.count_nonzero(~np.isfinite(column)))} are not finite",
                remedy="Drop or repair those bars first.",
            )
        columns[name] = np.require(column, requirements=["C", "W"])
    volume = None if bars.volume is None else np.ascontiguousarray(bars.volume, np.float64)
    return PriceBars(**columns, volume=volume)


def warmup_of(names: Sequence[str]) -> int:
    """A safe number of earlier bars to read so that recent values do not depend on the start."""
    longest = max((max(parse(name)[1], default=1.0) for name in names), default=1.0)
    return int(longest) * 10
