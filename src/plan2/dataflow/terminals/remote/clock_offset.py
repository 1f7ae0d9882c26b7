"""How far a host's clock is ahead of ours, from its answers to our pulses."""

import statistics
from collections import deque
from typing import Final

from plan2.foundation.values import NS_PER_MS

SAMPLES: Final = 15


class ClockOffset:
    """Median of the last samples; a sample compares the host's clock with the round trip's middle.

    (Cristian's algorithm: offset = host − (sent + received) / 2.)
    """

    def __init__(self) -> None:
        self._offsets_ns: deque[int] = deque(maxlen=SAMPLES)
        self._trips_ns: deque[int] = deque(maxlen=SAMPLES)

    def add(self, sent_ns: int, received_ns: int, host_ns: int) -> None:
        """One round trip; the first two times are of our clock."""
        self._offsets_ns.append(host_ns - (sent_ns + received_ns) // 2)
        self._trips_ns.append(received_ns - sent_ns)

    @property
    def is_known(self) -> bool:
        """Whether there is a sample."""
        return bool(self._offsets_ns)

    @property
    def offset_ns(self) -> int:
        """Host's clock minus ours; 0 while not known."""
        return int(statistics.median_low(self._offsets_ns)) if self._offsets_ns else 0

    @property
    def latency_ms(self) -> float:
        """Median time there and back, milliseconds; 0.0 while not known."""
        return statistics.median(self._trips_ns) / NS_PER_MS if self._trips_ns else 0.0
