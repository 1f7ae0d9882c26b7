"""Which columns a person asked for: `default`, groups, features and indicators by name."""

import difflib
from dataclasses import dataclass

from plan2.foundation.errors import InputError
from plan2.intelligence.features.catalog import GROUPS
from plan2.intelligence.features.indicators import INDICATORS, is_indicator, known_names, parse
from plan2.intelligence.features.plan import FeaturePlan

EVERYTHING = "default"
USUAL_INDICATORS = (
    "sma_20",
    "ema_20",
    "rsi_14",
    "macd_12_26_9",
    "macd_signal_12_26_9",
    "macd_hist_12_26_9",
    "bb_upper_20_2",
    "bb_middle_20_2",
    "bb_lower_20_2",
    "atr_14",
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Names in the order asked, without repeats: features of the engine, indicators on bars."""

    features: tuple[str, ...]
    indicators: tuple[str, ...]


def select(text: str, plan: FeaturePlan | None) -> Selection:
    """Read a list such as `cost,return_5,bb_upper_20_2`.

    `default` stands for all features of the plan, a group's name for its features. Without a plan
    there are only indicators, and `default` stands for the usual ones.

    Raises:
        InputError: for an unknown name, with the nearest ones, or an empty list.
    """
    features: list[str] = []
    indicators: list[str] = []
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise InputError("no feature was named.", remedy=f"Write {EVERYTHING} for the usual ones.")
    for word in words:
        found = _features(word, plan)
        features.extend(found)
        if not found:
            indicators.extend(_indicators(word, plan))
    return Selection(tuple(dict.fromkeys(features)), tuple(dict.fromkeys(indicators)))


def _features(word: str, plan: FeaturePlan | None) -> tuple[str, ...]:
    if plan is None:
        return ()
    if word == EVERYTHING:
        return plan.names
    if word in GROUPS and plan.feature_set is None:
        return tuple(feature.name(plan.window_scale) for feature in GROUPS[word])
    return (word,) if word in plan.names else ()


def _indicators(word: str, plan: FeaturePlan | None) -> tuple[str, ...]:
    if word == EVERYTHING:
        return USUAL_INDICATORS
    if is_indicator(word):
        parse(word)
        return (word,)
    known = [] if plan is None else [*GROUPS, *plan.names]
    near = difflib.get_close_matches(word, [*known, *INDICATORS], n=6, cutoff=0.5)
    forms = dict(zip(INDICATORS, known_names(), strict=True))
    listing = ", ".join(forms.get(name, name) for name in near)
    remedy = f"Nearest: {listing}." if near else "`plan2 features --list` shows them all."
    raise InputError(f"unknown feature or indicator {word!r}.", remedy=remedy)
