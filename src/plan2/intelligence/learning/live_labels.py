"""Labels of live events, by the very functions that label training data.

`open_events` and `resolve` of `training.labels` decide; here is only the memory that they need: the
ticks since the oldest event that still waits, and a cheap look at new ticks that says which events
may have come to their end, so that each is resolved about once. Memory is bounded by the horizon,
and by `TICKS_MAX` whatever the market does.
"""

import numpy as np
from numba import njit

from plan2.foundation.values import NS_PER_SECOND, Int64Array
from plan2.intelligence.training.dataset import BoolArray
from plan2.intelligence.training.labels import (
    LABEL,
    Costs,
    LabelRows,
    LabelRules,
    Status,
    Tape,
    resolve,
)

TICKS_MAX = 2_000_000
"""Ticks held for one symbol, 48 MB; beyond that the older half is given up."""
_FIRST_CAPACITY = 4_096
_MID, _BID, _ASK, _ENDED = 1, 2, 4, 8
_ALL_TOUCHED = _MID | _BID | _ASK


class HeldTape:
    """The newest ticks, oldest first; appending is O(1) amortised, forgetting moves a mark."""

    def __init__(self) -> None:
        self._columns = (
            np.empty(_FIRST_CAPACITY, np.int64),
            np.empty(_FIRST_CAPACITY),
            np.empty(_FIRST_CAPACITY),
        )
        self._start = self._stop = 0

    def __len__(self) -> int:
        return self._stop - self._start

    def extend(self, tape: Tape) -> None:
        """Add ticks that come after all held ones."""
        count = len(tape.ts_ns)
        if self._stop + count > len(self._columns[0]):
            self._make_room(count)
        for held, new in zip(self._columns, tape, strict=True):
            held[self._stop : self._stop + count] = new
        self._stop += count

    def view(self) -> Tape:
        """What is held, without a copy; valid until the next `extend`."""
        ts_ns, bid, ask = self._columns
        held = slice(self._start, self._stop)
        return Tape(ts_ns[held], bid[held], ask[held])

    def forget_before(self, ts_ns: int) -> None:
        """Let go of the ticks before a time."""
        self._start += int(np.searchsorted(self.view().ts_ns, ts_ns))

    def _make_room(self, count: int) -> None:
        held = self.view()
        capacity = max(_FIRST_CAPACITY, 2 * (len(self) + count))
        fresh = (np.empty(capacity, np.int64), np.empty(capacity), np.empty(capacity))
        for column, kept in zip(fresh, held, strict=True):
            column[: len(self)] = kept
        self._columns, self._start, self._stop = fresh, 0, len(self)


class LiveLabeller:
    """Resolves one symbol's events as ticks arrive."""

    def __init__(self, rules: LabelRules, costs: Costs, ticks_max: int = TICKS_MAX) -> None:
        self._rules = rules
        self._costs = costs
        self._ticks_max = ticks_max
        self._tape = HeldTape()
        self._rows = np.zeros(0, LABEL)
        self._touched = np.zeros(0, np.int64)

    @property
    def pending(self) -> LabelRows:
        """Events that wait for their outcome, oldest first."""
        return self._rows

    @property
    def ticks_held(self) -> int:
        """How many ticks the waiting events need."""
        return len(self._tape)

    def take(self, tape: Tape, opened: LabelRows) -> LabelRows:
        """Add ticks and the events that began among them; the events that came to an end.

        A returned row that is still pending was given up, because more ticks came within its
        horizon than may be held.
        """
        before = len(self._tape)
        self._tape.extend(tape)
        held = self._tape.view()
        self._touched = np.concatenate([self._touched, np.zeros(len(opened), np.int64)])
        self._rows = np.concatenate([self._rows, opened])
        known = len(self._rows) - len(opened)
        self._mark(self._rows[:known], self._touched[:known], held, before)
        self._mark(self._rows[known:], self._touched[known:], held, 0)
        may_end = (self._touched & _ALL_TOUCHED == _ALL_TOUCHED) | (self._touched & _ENDED > 0)
        may_end[known:] = True  # whether it is worth its cost is known at once
        ended = self._rows[may_end]
        resolve(ended, held, self._rules, self._costs)
        self._rows[may_end] = ended
        ends = (self._rows["status"] != Status.PENDING) | self._given_up(held)
        taken: LabelRows = self._rows[ends]
        self._rows, self._touched = self._rows[~ends], self._touched[~ends]
        self._forget(held)
        return taken

    def give_up(self) -> LabelRows:
        """Every waiting event, which nobody waits for any more; the ticks are forgotten too."""
        rows, self._rows = self._rows, np.zeros(0, LABEL)
        self._touched = np.zeros(0, np.int64)
        self._tape = HeldTape()
        return rows

    def _mark(self, rows: LabelRows, touched: Int64Array, held: Tape, first: int) -> None:
        spans = (self._rules.horizon_s * NS_PER_SECOND, self._rules.gap_s * NS_PER_SECOND)
        _mark_touches(rows, touched, held, first, spans)

    def _given_up(self, held: Tape) -> BoolArray:
        if len(held.ts_ns) <= self._ticks_max:
            return np.zeros(len(self._rows), np.bool_)
        kept_from = held.ts_ns[len(held.ts_ns) // 2]
        return np.asarray(self._rows["t0"] < kept_from)

    def _forget(self, held: Tape) -> None:
        if len(self._rows):
            self._tape.forget_before(int(self._rows["t0"].min()))
        elif len(held.ts_ns):
            self._tape.forget_before(int(held.ts_ns[-1]))


@njit(cache=True)
def _mark_touches(
    rows: LabelRows, touched: Int64Array, tape: Tape, first: int, spans: tuple[int, int]
) -> None:
    """Note what ticks from `first` on may have ended: a barrier, the horizon, or a hole."""
    horizon_ns, gap_ns = spans
    for k in range(rows.shape[0]):
        row = rows[k]
        for j in range(max(first, 1), tape.ts_ns.shape[0]):
            if tape.ts_ns[j] <= row.t0:
                continue
            is_hole = tape.ts_ns[j] - tape.ts_ns[j - 1] > gap_ns
            if is_hole or tape.ts_ns[j] >= row.t0 + horizon_ns:
                touched[k] |= _ENDED
                break
            if abs((tape.bid[j] + tape.ask[j]) * 0.5 - row.mid) >= row.barrier:
                touched[k] |= _MID
            if abs(tape.bid[j] - row.mid) >= row.barrier:
                touched[k] |= _BID
            if abs(tape.ask[j] - row.mid) >= row.barrier:
                touched[k] |= _ASK
