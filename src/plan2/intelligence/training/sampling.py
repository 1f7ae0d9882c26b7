"""When a bar close becomes an event: a symmetric CUSUM on volatility-scaled moves.

Sampling on accumulated moves gives fewer, less overlapping labels than taking every bar (López de
Prado, Advances in Financial Machine Learning, ch. 2.5.2.1). The sampler carries its two sums, so
one long history and the same history in pieces give the same events.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from plan2.foundation.values import Float64Array

BoolArray = npt.NDArray[np.bool_]


class CusumSampler:
    """Marks the bars at which the accumulated scaled move reaches `threshold` on either side."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._state = np.array([0.0, 0.0, np.nan])  # upward sum, downward sum, last mid

    def sample(self, mid: Float64Array, sigma: Float64Array, is_reset: BoolArray) -> BoolArray:
        """Which of these bar closes are events; bars without sigma only restart the sums.

        Args:
            mid: float64[n] at bar closes, quote currency.
            sigma: float64[n] standard deviation of one bar's change, quote currency.
            is_reset: bool[n], true where a gap lies before the bar.
        """
        return _sample(mid, sigma, is_reset, self._threshold, self._state)


@njit(cache=True)
def _sample(
    mid: Float64Array,
    sigma: Float64Array,
    is_reset: BoolArray,
    threshold: float,
    state: Float64Array,
) -> BoolArray:
    events = np.zeros(mid.shape[0], np.bool_)
    up, down, last = state
    for i in range(mid.shape[0]):
        if is_reset[i] or not (sigma[i] > 0.0 and np.isfinite(last)):
            up, down, last = 0.0, 0.0, mid[i]
            continue
        move = (mid[i] - last) / sigma[i]
        last = mid[i]
        up, down = max(0.0, up + move), min(0.0, down + move)
        if up >= threshold or down <= -threshold:
            events[i] = True
            up, down = 0.0, 0.0
    state[0], state[1], state[2] = up, down, last
    return events
