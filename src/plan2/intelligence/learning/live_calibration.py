"""The live calibration: one line over the blend's logit, fitted daily on what really happened.

MAP-Platt on independent, resolved events; the prior is the line in force, a day may move the slope
by 0.2 at most, and every change is a new version (specification ML-047). The logits that are fitted
are the blend's own, before any live calibration, so that lines never pile up.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from plan2.intelligence.models.calibration import fit
from plan2.intelligence.models.ensemble import IDENTITY, LiveLine

SLOPE_CHANGE_MAX = 0.2
LABELS_LEAST = 50
LABELS_MAX = 2_000


class LabelledLogit(NamedTuple):
    """An independent event: the blend's logit and whether it went up."""

    logit: float
    up: float


class Refit(NamedTuple):
    """A new line, the one before, and the slope that the data alone asked for."""

    line: LiveLine
    before: LiveLine
    slope_wanted: float
    labels: int


def refit(labelled: Sequence[LabelledLogit], before: LiveLine = IDENTITY) -> Refit | None:
    """The next line; None with fewer than 50 labels."""
    if len(labelled) < LABELS_LEAST:
        return None
    newest = np.array(labelled[-LABELS_MAX:], np.float64)
    found = fit(newest[:, 0], newest[:, 1], np.ones(len(newest)), slope_prior=before.slope)
    slope = float(
        np.clip(found.slope, before.slope - SLOPE_CHANGE_MAX, before.slope + SLOPE_CHANGE_MAX)
    )
    line = LiveLine(version=before.version + 1, slope=slope, intercept=found.intercept)
    return Refit(line, before, found.slope, len(newest))
