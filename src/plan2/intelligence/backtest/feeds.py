"""Where the ticks of a flow's backtest come from, block after block, in constant memory."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.values import Float64Array, Int64Array, TickBlock
from plan2.intelligence.features.kernels import entry

BLOCK_TICKS = 262_144
"""Ticks that are run between two looks at progress and cancellation: milliseconds of work."""


class TickFeed(Protocol):
    """Ticks of one symbol in time order.

    Attributes:
        symbol: whose. is_bars: made of bars, not recorded. expected: how many ticks, for progress;
            0 where nobody knows.
    """

    @property
    def symbol(self) -> str: ...  # noqa: D102

    @property
    def is_bars(self) -> bool: ...  # noqa: D102

    @property
    def expected(self) -> int: ...  # noqa: D102

    def blocks(self) -> Iterator[TickBlock]:
        """The ticks from the first one on; may be called again."""
        ...


@dataclass(frozen=True, slots=True)
class Blocks:
    """A feed of blocks that a callable reads anew each time."""

    symbol: str
    read: Callable[[], Iterator[TickBlock]] = field(repr=False)
    expected: int = 0
    is_bars: bool = False

    def blocks(self) -> Iterator[TickBlock]:
        """See `TickFeed`."""
        return self.read()


@dataclass(frozen=True, slots=True)
class PointTicks:
    """A block in whole points: ts_ns int64[n] UTC, bid and ask int64[n]."""

    ts_ns: Int64Array
    bid: Int64Array
    ask: Int64Array

    def __len__(self) -> int:
        return int(self.ts_ns.shape[0])


@entry
def convert(
    block: tuple[Int64Array, Float64Array, Float64Array],
    scale: float,
    last_ns: int,
    bid: Int64Array,
    ask: Int64Array,
) -> int:
    """Write prices as points; returns the first row that cannot be a tick, n when all can."""
    ts_ns, bids, asks = block
    for row in range(ts_ns.shape[0]):
        if not (ts_ns[row] >= last_ns and bids[row] > 0.0 and asks[row] > 0.0):
            return row
        if not bids[row] + asks[row] < 1e12:
            return row
        last_ns = ts_ns[row]
        bid[row] = round(bids[row] * scale)
        ask[row] = round(asks[row] * scale)
    return int(ts_ns.shape[0])


class PointFeed:
    """A feed in points of an instrument, checked, and the hash of what passed.

    Attributes:
        ticks: that passed. first_ns, last_ns: of them.
    """

    def __init__(self, feed: TickFeed, digits: int) -> None:
        self.ticks = 0
        self.first_ns = self.last_ns = 0
        self._feed = feed
        self._scale = 10.0**digits
        self._name = f"{feed.symbol} {digits}"
        self._digests = [hashlib.sha256() for _ in range(3)]

    @property
    def data_id(self) -> str:
        """SHA-256 of symbol, digits and every tick so far, whatever blocks they came in."""
        parts = [self._name, *(column.hexdigest() for column in self._digests)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def blocks(self) -> Iterator[PointTicks]:
        """Blocks of at most BLOCK_TICKS.

        Raises:
            InputError: a tick is earlier than the one before, or has no usable price.
        """
        for block in self._feed.blocks():
            for start in range(0, len(block), BLOCK_TICKS):
                yield self._converted(block.slice(start, start + BLOCK_TICKS))

    def _converted(self, block: TickBlock) -> PointTicks:
        size = len(block)
        ts_ns = np.require(block.ts_ns, np.int64, ["C", "W"])
        prices = [np.require(side, np.float64, ["C", "W"]) for side in (block.bid, block.ask)]
        bid, ask = np.empty(size, np.int64), np.empty(size, np.int64)
        row = convert((ts_ns, prices[0], prices[1]), self._scale, self.last_ns, bid, ask)
        if row < size:
            raise InputError(
                f"{self._feed.symbol}: tick {self.ticks + row + 1:,} cannot be used (time "
                f"{ts_ns[row]} ns, bid {prices[0][row]}, ask {prices[1][row]}).",
                remedy="Import the file first: `plan2 import` says what is wrong with it.",
            )
        if self.ticks == 0 and size:
            self.first_ns = int(ts_ns[0])
        if size:
            self.last_ns = int(ts_ns[-1])
        self.ticks += size
        for digest, column in zip(self._digests, (ts_ns, bid, ask), strict=True):
            digest.update(column.data)
        return PointTicks(ts_ns, bid, ask)
