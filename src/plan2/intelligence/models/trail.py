"""The closed bars of a symbol that recurrent models have walked over last.

Models that take over between two ticks walk over them once, so that they remember what the ones
before them saw. A gap empties the trail, as it empties the models' memory.
"""

from typing import Final

import numpy as np

from plan2.foundation.values import Float64Array

BARS: Final = 720
"""Far more than the memory of the served nets; twelve hours of minutes."""


class Trail:
    """A ring of rows; `channels` is the width of a row."""

    __slots__ = ("_count", "_rows")

    def __init__(self, channels: int) -> None:
        self._rows = np.zeros((BARS, channels))
        self._count = 0

    def add(self, row: Float64Array) -> None:
        """A bar closed; float64[channels]."""
        self._rows[self._count % BARS] = row
        self._count += 1

    def clear(self) -> None:
        """Forget everything."""
        self._count = 0

    def rows(self) -> Float64Array:
        """float64[bars, channels], oldest first; a copy."""
        if self._count <= BARS:
            return self._rows[: self._count].copy()
        return np.roll(self._rows, -(self._count % BARS), axis=0)

    def state_bytes(self) -> bytes:
        """The rows as little-endian float64."""
        return self.rows().astype("<f8").tobytes()

    def set_state(self, data: bytes) -> None:
        """Continue from `state_bytes`; empty bytes are an empty trail."""
        rows = np.frombuffer(data, "<f8").reshape(-1, self._rows.shape[1])
        self._rows[: len(rows)] = rows
        self._count = len(rows)
