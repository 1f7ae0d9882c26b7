"""What an importer finds in a file: batches of ticks or bars, and what is known about them.

Batches are as the file has them, times already in UTC; `checks` decides what is acceptable. A file
can be read as often as needed, so that it can be checked as a whole before anything is stored.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from plan2.dataflow.server_clock import ServerClock
from plan2.foundation.values import Float64Array, Int64Array

NEW_YORK_CLOSE: Final = "newyork+7"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the user said about the files.

    Attributes:
        symbol: overrides what the file says. server_clock: how MetaTrader exports are timed.
        price_divisor: overrides the Dukascopy divisor of the symbol.
    """

    symbol: str | None = None
    server_clock: ServerClock = field(default_factory=lambda: ServerClock.parse(NEW_YORK_CLOSE))
    price_divisor: int | None = None


@dataclass(frozen=True, slots=True)
class TickBatch:
    """Consecutive rows of a tick file; `first_row` is the number of the first one in the file."""

    first_row: int
    ts_ns: Int64Array
    bid: Float64Array
    ask: Float64Array


@dataclass(frozen=True, slots=True)
class BarBatch:
    """Consecutive rows of a bar file; columns as in `BarSeries`."""

    first_row: int
    ts_ns: Int64Array
    prices: Float64Array
    ticks: Int64Array
    spread_points: Int64Array


@dataclass(frozen=True, slots=True)
class TickFile:
    """A recognised file of ticks.

    Attributes:
        format: its name for people. clock: in whose time the file is written.
        row_word: how rows are counted: line, row or record. symbol: as far as the file says.
        not_kept: columns that the archive has no place for.
    """

    format: str
    clock: str
    row_word: str
    symbol: str | None
    batches: Callable[[], Iterator[TickBatch]]
    not_kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BarFile:
    """A recognised file of bars; attributes as `TickFile`, `period_s` 0 when the file is silent."""

    format: str
    clock: str
    row_word: str
    symbol: str | None
    batches: Callable[[], Iterator[BarBatch]]
    not_kept: tuple[str, ...] = ()
    period_s: int = 0
