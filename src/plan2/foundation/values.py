"""Small immutable values that every level speaks: ticks, bars, sides, blocks of ticks.

Times are integer nanoseconds since the Unix epoch, UTC (`ts_*`). Prices are floats in the quote
currency as the broker gives them; `Instrument` owns all rounding. Ledger amounts are `Decimal`.
"""

import enum
from dataclasses import dataclass
from typing import NewType

import msgspec
import numpy as np
import numpy.typing as npt

TenantId = NewType("TenantId", str)
AccountId = NewType("AccountId", str)

NS_PER_MS = 1_000_000
NS_PER_SECOND = 1_000_000_000
NS_PER_MINUTE = 60 * NS_PER_SECOND
NS_PER_HOUR = 60 * NS_PER_MINUTE
NS_PER_DAY = 24 * NS_PER_HOUR

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]


class Side(enum.IntEnum):
    """Direction of an order or a position; its value is the sign of the exposure."""

    BUY = 1
    SELL = -1

    @property
    def opposite(self) -> "Side":
        """The side that closes this one."""
        return Side(-self.value)


class Tick(msgspec.Struct, frozen=True, gc=False):
    """One bid/ask quote of one symbol; `seq` orders ticks of a feed that share a time."""

    symbol: str
    ts_ns: int
    bid: float
    ask: float
    seq: int = 0

    @property
    def mid(self) -> float:
        """Halfway between bid and ask, in quote currency."""
        return (self.bid + self.ask) * 0.5


class Bar(msgspec.Struct, frozen=True, gc=False):
    """Bid OHLC of one period; `ts_ns` is the period's start, `ticks` the number of quotes in it."""

    symbol: str
    period_s: int
    ts_ns: int
    open: float
    high: float
    low: float
    close: float
    ticks: int


@dataclass(frozen=True, slots=True)
class TickBlock:
    """Many ticks of one symbol as columns, in time order.

    ts_ns: int64[n] UTC nanoseconds, never decreasing. bid, ask: float64[n] in quote currency.
    """

    symbol: str
    ts_ns: Int64Array
    bid: Float64Array
    ask: Float64Array

    def __len__(self) -> int:
        return int(self.ts_ns.shape[0])

    def slice(self, start: int, stop: int) -> "TickBlock":
        """Rows start..stop as views, without copying."""
        return TickBlock(
            self.symbol, self.ts_ns[start:stop], self.bid[start:stop], self.ask[start:stop]
        )
