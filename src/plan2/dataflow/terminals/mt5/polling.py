"""Every tick exactly once, from a terminal that only answers "what is there since this second".

The place in the stream is the time of the last tick taken, in ms, and how many ticks of that very
millisecond were taken; times alone cannot tell ticks apart, several share one. Each question starts
at the full second before and must bring the ticks already taken: when it does not, the terminal has
given only the newest part, nothing is taken, and the question is asked again later.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls
from plan2.dataflow.terminals.mt5.codes import TickFlag
from plan2.dataflow.terminals.mt5.server_time import FRESH_NS, ServerTime
from plan2.dataflow.terminals.mt5.shape import LastTick, Ticks
from plan2.foundation.values import NS_PER_SECOND, Tick

BATCHES_MAX: Final = 64
"""Questions of one look; what is left comes with the next."""
BATCH_ROWS_MAX: Final = 1 << 20
LOOKS_FOR_LOST: Final = 200
"""Looks after which ticks already taken are given up as vanished from the terminal."""
STEP_BACK_MS: Final = 60_000
"""A quote this much older than the last one: the server's clock was put back."""

QUOTE_FLAGS: Final = TickFlag.BID | TickFlag.ASK
TRADE_FLAGS: Final = TickFlag.LAST | TickFlag.VOLUME | TickFlag.BUY | TickFlag.SELL

Probe = tuple[int, float, float, float, int, int]


class TickFeed:
    """The stream of one symbol.

    Args:
        ours, name: our name and the broker's. batch: rows of one question.
    """

    def __init__(self, calls: Calls, time: ServerTime, ours: str, name: str, batch: int) -> None:
        self._calls = calls
        self._time = time
        self._ours = ours
        self._name = name
        self._batch = batch
        self._probe: Probe | None = None
        self._looked_ns = 0
        self._last_ms = 0
        self._seen = 0
        self._lost_looks = 0
        self._is_behind = False

    def begin(self, now_ns: int) -> None:
        """Take up the stream at the present: ticks that are already there are not told."""
        self._probe, self._seen, self._lost_looks = None, 0, 0
        self._last_ms = self._time.to_server_s(now_ns) * 1_000
        tick = self._calls.symbol_info_tick(self._name)
        if isinstance(tick, CallFailed) or tick.time_msc <= 0:
            return
        self._last_ms = tick.time_msc
        rows = self._calls.copy_ticks_from(self._name, tick.time_msc // 1_000, self._batch)
        if not isinstance(rows, CallFailed):
            self._seen = int(np.count_nonzero(rows["time_msc"] == tick.time_msc))

    def resume(self, now_ns: int, catch_up_s: int) -> bool:
        """Go on after a break; whether nothing was lost.

        A break longer than `catch_up_s` is skipped: its ticks are in the history.
        """
        self._probe, self._lost_looks = None, 0
        last_ns = self._time.to_utc_ns(self._last_ms, now_ns)
        if now_ns - last_ns <= catch_up_s * NS_PER_SECOND:
            return True
        before_ms = self._last_ms
        self.begin(now_ns)
        return self._last_ms <= before_ms

    def read(self, now_ns: int) -> list[Tick] | CallFailed:
        """What is new; a market that stands still costs one cheap call."""
        tick = self._calls.symbol_info_tick(self._name)
        if isinstance(tick, CallFailed):
            return tick
        has_changed = self._note(tick, now_ns)
        if not has_changed and not self._is_behind and tick.time_msc <= self._last_ms:
            return []
        self._is_behind = True
        if not self._time.is_known:
            return []
        if tick.time_msc + STEP_BACK_MS < self._last_ms:
            self._last_ms, self._seen = tick.time_msc - 1, 0
        found = self._take(now_ns)
        self._is_behind = self._lost_looks > 0 or self._last_ms < tick.time_msc
        return found

    def _note(self, tick: LastTick, now_ns: int) -> bool:
        """Whether the last quote is another one than at the last look; a fresh one tells time."""
        probe = _probe_of(tick)
        has_changed = probe != self._probe
        is_fresh = self._probe is not None and now_ns - self._looked_ns <= FRESH_NS
        if has_changed and is_fresh:
            self._time.observe(tick.time_msc, now_ns)
        self._probe, self._looked_ns = probe, now_ns
        return has_changed

    def _take(self, now_ns: int) -> list[Tick] | CallFailed:
        """All ticks behind our place, in as many questions as it needs."""
        taken: list[Tick] = []
        count = self._batch
        start_s = self._last_ms // 1_000
        for _ in range(BATCHES_MAX):
            rows = self._calls.copy_ticks_from(self._name, start_s, count)
            if isinstance(rows, CallFailed):
                return taken or rows
            is_cut = len(rows) >= count
            first = self._first_new(rows["time_msc"], is_cut=is_cut)
            if first is not None:
                taken += self._ticks(rows, first, now_ns)
                self._advance(rows["time_msc"])
            if not is_cut or self._lost_looks > 0:
                return taken
            if self._last_ms // 1_000 == start_s:
                count = min(count * 2, BATCH_ROWS_MAX)
            start_s = self._last_ms // 1_000
        return taken

    def _first_new(self, times_ms: npt.NDArray[np.int64], *, is_cut: bool) -> int | None:
        """Index of the first tick not taken yet; None when ticks already taken are missing.

        `is_cut`: there are more rows than were asked for.
        """
        begin = int(np.searchsorted(times_ms, self._last_ms, "left"))
        end = int(np.searchsorted(times_ms, self._last_ms, "right"))
        if end - begin < self._seen:
            if is_cut and end == len(times_ms):
                return None
            self._lost_looks += 1
            if self._lost_looks < LOOKS_FOR_LOST:
                return None
        self._lost_looks = 0
        return min(begin + self._seen, end)

    def _advance(self, times_ms: npt.NDArray[np.int64]) -> None:
        if len(times_ms) and int(times_ms[-1]) >= self._last_ms:
            self._last_ms = int(times_ms[-1])
            self._seen = len(times_ms) - int(np.searchsorted(times_ms, self._last_ms, "left"))

    def _ticks(self, rows: Ticks, first: int, now_ns: int) -> list[Tick]:
        """Quotes from row `first` on; `seq` is a quote's place in its millisecond."""
        new = rows[first:]
        if len(new) == 0:
            return []
        times_ms = rows["time_msc"]
        places = np.arange(first, len(rows)) - np.searchsorted(times_ms, new["time_msc"], "left")
        kept = is_quote(new)
        times_ns = self._time.column_to_utc(new["time_msc"], now_ns)
        columns = (times_ns, new["bid"], new["ask"], places)
        return [
            Tick(self._ours, ts, bid, ask, seq)
            for ts, bid, ask, seq in zip(*(one[kept].tolist() for one in columns), strict=True)
        ]


def is_quote(rows: Ticks) -> npt.NDArray[np.bool_]:
    """Which rows are quotes: both prices there, and not only a trade; bits, as more may be set."""
    flags = rows["flags"]
    is_trade = ((flags & int(TRADE_FLAGS)) != 0) & ((flags & int(QUOTE_FLAGS)) == 0)
    kept: npt.NDArray[np.bool_] = (rows["bid"] > 0) & (rows["ask"] > 0) & ~is_trade
    return kept


def _probe_of(tick: LastTick) -> Probe:
    return (tick.time_msc, tick.bid, tick.ask, tick.last, tick.volume, tick.flags)
