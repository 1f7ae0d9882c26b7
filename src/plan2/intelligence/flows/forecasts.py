"""What a flow reads of a forecast: the same numbers live and in a backtest."""

import math
from collections.abc import Sequence
from typing import Final

from plan2.foundation.errors import InputError
from plan2.intelligence.flows.words import FORECASTS
from plan2.intelligence.models.forecast import Forecast

UNKNOWN: Final = (math.nan,) * 4


def forecast_row(
    forecast: Forecast | None, uncertainty_weight: float
) -> tuple[float, float, float, float]:
    """p_up, its lower bound, that of down, and the barrier, in the order of `words.FORECASTS`.

    NaN where nobody forecasts. `uncertainty_weight`: standard errors between p_up and a bound.
    """
    if forecast is None or forecast.abstained:
        return UNKNOWN
    p_up, reach = forecast.p_up, uncertainty_weight * forecast.standard_error
    return p_up, max(0.0, p_up - reach), max(0.0, 1.0 - p_up - reach), forecast.barrier


def check_features(wanted: Sequence[str], known: Sequence[str]) -> None:
    """Refuse what is neither a forecast nor among the features in use.

    Raises:
        InputError: it names the first one.
    """
    missing = [name for name in wanted if name not in FORECASTS and name not in known]
    if missing:
        raise InputError(
            f"{missing[0]} is not among the {len(known)} features in use here.",
            remedy="`plan2 features list` shows them; [models] feature_set in config.toml chooses.",
        )
