"""Windows of closed bars as the nets over them see them, in training as in serving.

A window ends with the bar at whose close the event is. Bars before the last gap are unknown: NaN.
"""

import numpy as np

from plan2.foundation.values import Float32Array, Int64Array
from plan2.intelligence.training.dataset import Dataset


class Windows:
    """The windows of a data set's rows, cut when they are asked for."""

    def __init__(self, dataset: Dataset, bars: int) -> None:
        self._offsets = np.arange(1 - bars, 1)
        lengths = [len(samples.bar_ts) for samples in dataset.series]
        first = np.concatenate([[0], np.cumsum(lengths)])
        is_reset = np.concatenate([samples.is_reset for samples in dataset.series])
        is_reset[first[:-1][np.array(lengths) > 0]] = True
        self._bars = np.concatenate([samples.sequence for samples in dataset.series])
        self._start = np.maximum.accumulate(np.where(is_reset, np.arange(len(is_reset)), 0))
        self._last = np.empty(len(dataset), np.int64)
        for code, samples in enumerate(dataset.series):
            mine = dataset.symbol == code
            self._last[mine] = first[code] + samples.event_bar[dataset.event[mine]]

    def of(self, rows: Int64Array) -> Float32Array:
        """Windows of these rows: float32[len(rows), bars, channels]."""
        places, is_known = self._places(rows)
        taken = self._bars[np.maximum(places, 0)]
        windows: Float32Array = np.where(is_known[..., None], taken, np.float32(np.nan))
        return windows

    def bars_of(self, rows: Int64Array) -> Float32Array:
        """Every bar in the windows of these rows, once: float32[m, channels]."""
        places, is_known = self._places(rows)
        bars: Float32Array = self._bars[np.unique(places[is_known])]
        return bars

    def _places(self, rows: Int64Array) -> tuple[Int64Array, np.ndarray]:
        last = self._last[rows][:, None]
        places = last + self._offsets
        return places, places >= self._start[last]
