"""The market as the trade server plays it and as the terminal remembers it.

Symbols carry the broker's names. `advance` hands out every tick once, in order; the ticks of the
last day stay in memory and older ones are read from the source. What the terminal saw ends at
`seen_ns`, which stands still while the trade server cannot be reached.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from plan2.dataflow.sources import MergedTicks, TickSource
from plan2.dataflow.terminals.simulated import calendar
from plan2.dataflow.tick_merge import join_ticks
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, Tick, TickBlock

KEPT_NS: Final = NS_PER_DAY
"""How much of the past before the last quote is kept in memory."""
SEARCHED_NS: Final = 5 * NS_PER_DAY
"""How far back a last quote is looked for; the longest weekend is shorter."""


class Stretch(msgspec.Struct, frozen=True):
    """Ticks in memory: in order for the server, by symbol for the terminal."""

    merged: MergedTicks
    by_symbol: dict[str, TickBlock]
    first_ns: int
    last_ns: int


class TwinMarket:
    """Ticks of all symbols from `origin_ns` on.

    Args:
        source: of the ticks, under our symbols. suffix: appended by the broker.
        origin_ns: the first instant the source knows. start_ns: the present.
    """

    def __init__(self, source: TickSource, suffix: str, origin_ns: int, start_ns: int) -> None:
        self.origin_ns = origin_ns
        self.seen_ns = start_ns
        self.ours = {symbol + suffix: symbol for symbol in source.symbols}
        self._source = source
        self._suffix = suffix
        self._kept: deque[Stretch] = deque()
        self._kept_from_ns = max(origin_ns, _last_open_hour_ns(start_ns) - KEPT_NS)
        self._blocks = source.blocks(self._kept_from_ns)
        self._place = 0
        self._told_ns = self._kept_from_ns
        self._told_at_once = 0

    def skip(self, now_ns: int) -> list[Tick]:
        """Pass over what lies before `now_ns` unseen; the last quote of each symbol."""
        for stretch, stop in self._stretches(now_ns):
            self._note_told(stretch.merged, stop)
        self._forget()
        return [self._last_tick(symbol) for symbol in self.ours if len(self.last(symbol))]

    def advance(self, now_ns: int) -> Iterator[Tick]:
        """Every tick up to and including `now_ns` that was not handed out before."""
        for stretch, stop in self._stretches(now_ns):
            for tick in stretch.merged.ticks(self._place, stop):
                yield Tick(tick.symbol + self._suffix, tick.ts_ns, tick.bid, tick.ask, tick.seq)
            self._note_told(stretch.merged, stop)
        self._forget()

    def ticks(self, symbol: str, start_ns: int, end_ns: int) -> TickBlock:
        """Ticks that the terminal knows with start ≤ time < end, oldest first."""
        end_ns = min(end_ns, self.seen_ns + 1)
        ours = self.ours[symbol]
        parts: list[TickBlock] = []
        for stretch in reversed(self._kept):
            if stretch.last_ns < start_ns:
                break
            parts.append(_between(stretch.by_symbol[ours], start_ns, end_ns))
        first_ns = max(start_ns, self.origin_ns)
        if first_ns < min(self._kept_from_ns, end_ns):
            older = self._source.history(ours, first_ns, min(end_ns, self._kept_from_ns))
            parts += reversed(list(older))
        joined = join_ticks(symbol, [part for part in reversed(parts) if len(part)])
        return TickBlock(symbol, joined.ts_ns, joined.bid, joined.ask)

    def last(self, symbol: str) -> TickBlock:
        """The last two ticks that the terminal knows, or fewer."""
        for stretch in reversed(self._kept):
            block = stretch.by_symbol[self.ours[symbol]]
            stop = int(np.searchsorted(block.ts_ns, self.seen_ns, side="right"))
            if stop:
                return block.slice(max(stop - 2, 0), stop)
        older = self.ticks(symbol, self.seen_ns - SEARCHED_NS, self._kept_from_ns)
        return older.slice(max(len(older) - 2, 0), len(older))

    def _stretches(self, now_ns: int) -> Iterator[tuple[Stretch, int]]:
        """Stretches with ticks not handed out up to `now_ns`, and where those end."""
        while (stretch := self._unfinished()) is not None:
            stop = int(np.searchsorted(stretch.merged.ts_ns, now_ns, side="right"))
            if stop > self._place:
                yield stretch, stop
            if stop < len(stretch.merged):
                return

    def _note_told(self, merged: MergedTicks, stop: int) -> None:
        """Remember the last instant handed out, and how many ticks of it."""
        last_ns = int(merged.ts_ns[stop - 1])
        first = max(int(np.searchsorted(merged.ts_ns, last_ns)), self._place)
        earlier = self._told_at_once if last_ns == self._told_ns else 0
        self._told_ns, self._told_at_once = last_ns, earlier + stop - first
        self._place = stop

    def _last_tick(self, symbol: str) -> Tick:
        last = self.last(symbol)
        return Tick(symbol, int(last.ts_ns[-1]), float(last.bid[-1]), float(last.ask[-1]))

    def _unfinished(self) -> Stretch | None:
        """The stretch with ticks not handed out yet; None when the source has no more now."""
        if self._kept and self._place < len(self._kept[-1].merged):
            return self._kept[-1]
        for block in self._blocks:
            if len(block):
                return self._keep(block)
        # A source fed by hand may have more by now; what was handed out already is left away.
        self._blocks = self._source.blocks(self._told_ns)
        for block in self._blocks:
            if len(fresh := _without(block, self._told_ns, self._told_at_once)):
                return self._keep(fresh)
        return None

    def _keep(self, block: MergedTicks) -> Stretch:
        by_symbol = {symbol: _of_symbol(block, symbol) for symbol in self.ours.values()}
        ends = int(block.ts_ns[0]), int(block.ts_ns[-1])
        stretch = Stretch(block, by_symbol, *ends)
        self._kept.append(stretch)
        self._place = 0
        return stretch

    def _forget(self) -> None:
        while len(self._kept) > 1 and self._kept[0].last_ns < self._told_ns - KEPT_NS:
            self._kept.popleft()
            self._kept_from_ns = self._kept[0].first_ns


def _of_symbol(block: MergedTicks, symbol: str) -> TickBlock:
    rows = np.flatnonzero(block.symbol_index == block.symbols.index(symbol))
    return TickBlock(symbol, block.ts_ns[rows], block.bid[rows], block.ask[rows])


def _between(block: TickBlock, start_ns: int, end_ns: int) -> TickBlock:
    first, stop = np.searchsorted(block.ts_ns, (start_ns, end_ns))
    return block.slice(int(first), max(int(stop), int(first)))


def _without(block: MergedTicks, ts_ns: int, count: int) -> MergedTicks:
    """The block without ticks before `ts_ns` and the first `count` of that very instant."""
    first = int(np.searchsorted(block.ts_ns, ts_ns))
    same = int(np.searchsorted(block.ts_ns, ts_ns, side="right")) - first
    rows = slice(first + min(count, same), None)
    return MergedTicks(
        block.symbols,
        block.symbol_index[rows],
        block.ts_ns[rows],
        block.bid[rows],
        block.ask[rows],
        block.seq[rows],
    )


def _last_open_hour_ns(now_ns: int) -> int:
    """The start of the last hour that was open when it began, not later than an hour ago."""
    hour_ns = (now_ns // NS_PER_HOUR - 1) * NS_PER_HOUR
    while not calendar.is_open(hour_ns):
        hour_ns -= NS_PER_HOUR
    return hour_ns
