"""What is known of each symbol's past before its live ticks begin, so that no tick comes twice.

A host keeps the ticks since it connected; the history that is asked for before the first of them is
delivered reaches into that time. Each tick is in one of the two at least.
"""

import numpy as np

from plan2.foundation.values import TickBlock


class KnownPast:
    """The last known tick of each symbol, until a newer one comes."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int]] = {}

    def __bool__(self) -> bool:
        """Whether a symbol's first newer tick has not come yet."""
        return bool(self._last)

    def note(self, block: TickBlock) -> None:
        """These ticks are known, the last of them and all before it."""
        if len(block):
            last_ns = int(block.ts_ns[-1])
            number = int(np.count_nonzero(block.ts_ns == last_ns)) - 1
            self._last[block.symbol] = max(self._last.get(block.symbol, (0, 0)), (last_ns, number))

    def holds(self, symbol: str, ts_ns: int, seq: int) -> bool:
        """Whether a tick is known already; the first one that is not ends the symbol's past."""
        last = self._last.get(symbol)
        if last is None:
            return False
        if (ts_ns, seq) <= last:
            return True
        del self._last[symbol]
        return False
