"""Ticks of the past: may block for minutes on a cold cache, so it is only asked for on request.

The terminal gives what is ready when its wait ends and goes on loading, so each piece is asked for
until two answers have the same length. A range ends exactly at .000 of its last second; one second
more is asked for, and the ends are cut to the nanosecond here.
"""

import numpy as np

from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls
from plan2.dataflow.terminals.mt5.polling import is_quote
from plan2.dataflow.terminals.mt5.server_time import ServerTime
from plan2.dataflow.terminals.mt5.shape import Ticks
from plan2.foundation.values import NS_PER_HOUR, TickBlock

PIECE_NS = 6 * NS_PER_HOUR


class TickHistory:
    """Reads the past of symbols.

    Args:
        looks: how often a piece is asked for at most.
    """

    def __init__(self, calls: Calls, time: ServerTime, looks: int) -> None:
        self._calls = calls
        self._time = time
        self._looks = looks

    def read(self, ours: str, name: str, span: tuple[int, int], now_ns: int) -> TickBlock | None:
        """Ticks of a span, start ≤ time < end, oldest first; None when a piece cannot be had."""
        blocks: list[TickBlock] = []
        at_ns, end_ns = span
        while at_ns < end_ns:
            until_ns = min(at_ns + PIECE_NS, end_ns)
            rows = self._piece(name, at_ns, until_ns)
            if rows is None:
                return None
            blocks.append(self._block(ours, rows, (at_ns, until_ns), now_ns))
            at_ns = until_ns
        return TickBlock(
            ours,
            np.concatenate([np.empty(0, np.int64), *(one.ts_ns for one in blocks)]),
            np.concatenate([np.empty(0), *(one.bid for one in blocks)]),
            np.concatenate([np.empty(0), *(one.ask for one in blocks)]),
        )

    def _piece(self, name: str, start_ns: int, end_ns: int) -> Ticks | None:
        """The rows of a piece once two answers agree; the last one when they never do."""
        start_s, end_s = self._time.to_server_s(start_ns), self._time.to_server_s(end_ns) + 1
        rows: Ticks | None = None
        for _ in range(max(2, self._looks)):
            again = self._calls.copy_ticks_range(name, start_s, end_s)
            if isinstance(again, CallFailed):
                return None
            if rows is not None and len(rows) == len(again):
                return again
            rows = again
        return rows

    def _block(self, ours: str, rows: Ticks, span: tuple[int, int], now_ns: int) -> TickBlock:
        quotes = rows[is_quote(rows)]
        ts_ns = self._time.column_to_utc(quotes["time_msc"], now_ns)
        kept = (ts_ns >= span[0]) & (ts_ns < span[1])
        return TickBlock(
            ours,
            np.ascontiguousarray(ts_ns[kept]),
            np.ascontiguousarray(quotes["bid"][kept]),
            np.ascontiguousarray(quotes["ask"][kept]),
        )
