"""A market situation as a point: 32 regime features, robustly scaled and whitened by PCA.

Scale and axes come from the training period alone. Each feature is centred on its median, divided
by its interquartile range and clipped; what is undefined counts as usual (0). Whitening makes
a unit of distance mean the same in every direction, so ten features that say one thing count once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.values import Float64Array

EMBEDDING_VERSION = 1
"""Raised whenever features, scaling or whitening change; distances of two versions never mix."""

REGIME_FEATURES = (
    *("volatility_ew_5", "volatility_ew_15", "volatility_ew_60", "volatility_ew_240"),
    *("volatility_realized_60", "jump_share_60", "volatility_parkinson_60"),
    *("volatility_of_volatility_60", "volatility_ratio_5_60"),
    *("ema_gap_10", "ema_gap_30", "ema_gap_120", "macd_histogram_12_26_9", "adx_mid_14"),
    *("directional_difference_14", "efficiency_ratio_20", "variance_ratio_5_60", "kama_slope_10"),
    *("donchian_position_20", "donchian_position_120", "range_to_atr_14"),
    *("spread", "spread_z_60", "spread_to_sigma"),
    *("tick_rate_10", "tick_burst", "quote_sign_balance_1", "one_sided_quote_share_1"),
    *("minute_of_day_sin", "minute_of_day_cos", "session_london", "session_new_york"),
)
CLIP = 5.0
LEAST_VARIANCE = 1e-6
"""Directions with less variance than this hold rounding, not regimes."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """From regime features to points.

    center, scale: float64[32]. axes: float64[32, d], whitening included.
    """

    center: Float64Array
    scale: Float64Array
    axes: Float64Array

    def points(self, regime: Float64Array) -> Float64Array:
        """Points float64[n, d] of rows float64[n, 32]."""
        scaled = np.clip((regime - self.center) / self.scale, -CLIP, CLIP)
        points: Float64Array = np.nan_to_num(scaled, nan=0.0) @ self.axes
        return points


def fit_embedding(regime: Float64Array) -> Embedding:
    """The embedding of a training period, rows float64[n, 32].

    Raises:
        InputError: there are too few rows to say what is usual.
    """
    if len(regime) < 2 * len(REGIME_FEATURES):
        raise InputError(
            f"{len(regime)} resolved events are too few for an embedding; "
            f"{2 * len(REGIME_FEATURES)} are needed.",
            remedy="Build a data set of a longer time.",
        )
    filled = np.where(np.isnan(regime).all(axis=0), 0.0, regime)
    lower, center, upper = np.nanpercentile(filled, [25, 50, 75], axis=0)
    scale = np.where(upper > lower, upper - lower, 1.0)
    scaled = np.nan_to_num(np.clip((filled - center) / scale, -CLIP, CLIP), nan=0.0)
    variances, axes = np.linalg.eigh(np.cov(scaled, rowvar=False))
    kept = variances > LEAST_VARIANCE
    return Embedding(center, scale, axes[:, kept] / np.sqrt(variances[kept]))


def regime_columns(values: Float64Array, names: Sequence[str]) -> Float64Array:
    """The regime features of rows float64[n, F] with these names, float64[n, 32].

    Raises:
        InputError: the features in use lack some of them.
    """
    missing = [name for name in REGIME_FEATURES if name not in names]
    if missing:
        raise InputError(
            f"The features in use lack {len(missing)} of the {len(REGIME_FEATURES)} that describe "
            f"a situation: {', '.join(missing[:4])} ….",
            remedy="Use the whole catalogue, or include them in the feature set.",
        )
    return np.ascontiguousarray(values[:, [names.index(name) for name in REGIME_FEATURES]])
