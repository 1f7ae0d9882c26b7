"""Where ticks come from when they are replayed, and how those of several symbols are merged.

Order is total and reproducible: by time, then by the symbol's place in `symbols`, then by `seq`,
the number of earlier ticks of the same symbol with the same time. Nothing else decides ties.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY, Float64Array, Int64Array, Tick, TickBlock

Read = Callable[[str, int, int], TickBlock]
"""Reads ticks of a symbol with start ≤ time < end, oldest first (as `TickArchive.read` does)."""


@dataclass(frozen=True, slots=True)
class MergedTicks:
    """Ticks of several symbols as columns, in replay order.

    symbol_index: int64[n] into `symbols`. ts_ns: int64[n] UTC. bid, ask: float64[n] in quote
    currency. seq: int64[n].
    """

    symbols: tuple[str, ...]
    symbol_index: Int64Array
    ts_ns: Int64Array
    bid: Float64Array
    ask: Float64Array
    seq: Int64Array

    def __len__(self) -> int:
        return int(self.ts_ns.shape[0])

    def ticks(self, start: int, stop: int) -> list[Tick]:
        """Rows start..stop as values."""
        columns = (self.symbol_index, self.ts_ns, self.bid, self.ask, self.seq)
        names = self.symbols
        rows = zip(*(column[start:stop].tolist() for column in columns), strict=True)
        return [Tick(names[index], ts, bid, ask, seq) for index, ts, bid, ask, seq in rows]


NO_TICKS = MergedTicks(
    (),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0),
    np.empty(0),
    np.empty(0, np.int64),
)


class TickSource(Protocol):
    """A market that can be replayed from any instant."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols it delivers; their order breaks ties."""
        ...

    @property
    def identity(self) -> str:
        """What market this is; an account that traded on one cannot go on with another."""
        ...

    def blocks(self, start_ns: int) -> Iterator[MergedTicks]:
        """All ticks at or after `start_ns`, block after block in time order.

        An empty block means that the source is at work and the reader may do something else.
        """
        ...

    def history(self, symbol: str, start_ns: int, end_ns: int) -> Iterator[TickBlock]:
        """Ticks of one symbol with start ≤ time < end in pieces that take milliseconds each."""
        ...

    def state(self, at_ns: int) -> bytes:
        """What makes a later `blocks(at_ns)` quick; may be empty."""
        ...


def merge(blocks: Sequence[TickBlock]) -> MergedTicks:
    """Interleave the blocks, one per symbol, by time; ties keep the order of `blocks`."""
    index = np.repeat(np.arange(len(blocks)), [len(block) for block in blocks])
    ts_ns = np.concatenate([block.ts_ns for block in blocks])
    order = np.argsort(ts_ns, kind="stable")
    seq = np.concatenate([sequence_numbers(block.ts_ns) for block in blocks])
    return MergedTicks(
        tuple(block.symbol for block in blocks),
        index[order],
        ts_ns[order],
        np.concatenate([block.bid for block in blocks])[order],
        np.concatenate([block.ask for block in blocks])[order],
        seq[order],
    )


def sequence_numbers(ts_ns: Int64Array) -> Int64Array:
    """int64[n]: for each tick of one symbol, how many before it share its time."""
    places = np.arange(ts_ns.shape[0])
    is_first = np.ones(ts_ns.shape[0], dtype=np.bool_)
    is_first[1:] = ts_ns[1:] != ts_ns[:-1]
    numbers: Int64Array = places - np.maximum.accumulate(np.where(is_first, places, 0))
    return numbers


class RecordedSource:
    """Recorded ticks between two instants.

    Args:
        symbols: which, in the order that breaks ties. read: see `Read`.
        start_ns, end_ns: the first instant and the one after the last.
        chunk_ns: how much time is read at once for playing.

    Raises:
        InputError: when the span is empty.
    """

    def __init__(
        self,
        symbols: tuple[str, ...],
        read: Read,
        start_ns: int,
        end_ns: int,
        chunk_ns: int = NS_PER_DAY // 4,
    ) -> None:
        if start_ns >= end_ns:
            raise InputError(
                f"a recording must end after it starts; got {start_ns} to {end_ns}",
                remedy="Choose a longer span.",
            )
        self._symbols = symbols
        self._read = read
        self.start_ns, self.end_ns = start_ns, end_ns
        self._chunk_ns = chunk_ns

    @property
    def symbols(self) -> tuple[str, ...]:
        """The recorded symbols."""
        return self._symbols

    @property
    def identity(self) -> str:
        """Symbols and span."""
        return f"recording of {', '.join(self._symbols)}, {self.start_ns} to {self.end_ns}"

    def blocks(self, start_ns: int) -> Iterator[MergedTicks]:
        """One block per chunk of time, up to the end of the recording."""
        for start, end in _spans(max(start_ns, self.start_ns), self.end_ns, self._chunk_ns):
            yield merge([self._read(symbol, start, end) for symbol in self._symbols])

    def history(self, symbol: str, start_ns: int, end_ns: int) -> Iterator[TickBlock]:
        """As recorded, day by day; also from before the span that is replayed."""
        for start, end in _spans(start_ns, min(end_ns, self.end_ns), NS_PER_DAY):
            yield self._read(symbol, start, end)

    def state(self, at_ns: int) -> bytes:  # noqa: ARG002 - a recording needs no state to resume
        """Nothing: a recording can be read from anywhere."""
        return b""


def _spans(start_ns: int, end_ns: int, length_ns: int) -> Iterator[tuple[int, int]]:
    for start in range(start_ns, end_ns, length_ns):
        yield start, min(start + length_ns, end_ns)
