"""What makes a file of ticks unusable, and what makes a single tick be set aside.

A file is refused as a whole, naming the row, for a price that is not a positive number or a time
that is no time or goes backwards. Ticks with ask below bid are real in aggregated feeds: they are
set aside, counted, and the rest is used.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plan2.dataflow.importers.dataset import TickBatch, TickFile
from plan2.dataflow.importers.source import SourceFile
from plan2.dataflow.server_clock import NO_SUCH_TIME
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY, Float64Array, Int64Array, TickBlock

LAST_TIME_NS: Final = 230 * 365 * NS_PER_DAY
"""Times from 1970 to about 2200 are plausible; outside a column was misread."""


@dataclass(frozen=True, slots=True)
class CheckedTicks:
    """A batch after the checks: the usable ticks, and those set aside with their row numbers."""

    usable: TickBlock
    rejected: TickBlock
    rejected_rows: Int64Array

    @property
    def rows(self) -> int:
        """Rows of the file in this batch."""
        return len(self.usable) + len(self.rejected)

    @property
    def first_ns(self) -> int:
        """Time of the first row, usable or not."""
        return min(int(part.ts_ns[0]) for part in (self.usable, self.rejected) if len(part))

    @property
    def last_ns(self) -> int:
        """Time of the last row, usable or not."""
        return max(int(part.ts_ns[-1]) for part in (self.usable, self.rejected) if len(part))


class RowChecks:
    """Checks of one file, batch after batch; remembers the last time across batches."""

    def __init__(self, source: SourceFile, row_word: str) -> None:
        self._source = source
        self._row_word = row_word
        self._last_ns = -1

    def check_times(self, first_row: int, ts_ns: Int64Array, *, may_repeat: bool) -> None:
        """Times must be plausible and must not go backwards (nor stand still, for bars).

        Raises:
            InputError: one does not; the message names its row.
        """
        is_time = (ts_ns >= 0) & (ts_ns < LAST_TIME_NS)
        if not is_time.all():
            row = int((~is_time).argmax())
            if ts_ns[row] == NO_SUCH_TIME:
                raise self._refuse(
                    first_row + row, "the server clock skips this hour (summer time)."
                )
            raise self._refuse(first_row + row, "the time lies outside the years 1970 to 2199.")
        steps = np.diff(ts_ns, prepend=self._last_ns)
        is_wrong = steps < 0 if may_repeat else steps <= 0
        if is_wrong.any():
            row = int(is_wrong.argmax())
            before = ts_ns[row] - steps[row]
            raise self._refuse(
                first_row + row,
                f"the time {_text(ts_ns[row])} does not follow {_text(before)} of the row before.",
            )
        self._last_ns = int(ts_ns[-1])

    def check_prices(self, first_row: int, prices: Float64Array) -> None:
        """Every price, float64[columns, rows], must be a positive number.

        Raises:
            InputError: one is not; the message names its row.
        """
        is_wrong = ~(np.isfinite(prices) & (prices > 0))
        if is_wrong.any():
            row = int(is_wrong.any(axis=0).argmax())
            found = ", ".join(f"{price:g}" for price in prices[is_wrong[:, row], row])
            raise self._refuse(first_row + row, f"prices are positive numbers, found {found}.")

    def demand(self, first_row: int, is_good: npt.NDArray[np.bool_], reason: str) -> None:
        """Refuse the file at the first row that is not good.

        Raises:
            InputError: there is one.
        """
        if not is_good.all():
            raise self._refuse(first_row + int((~is_good).argmax()), f"{reason}.")

    def _refuse(self, row: int, reason: str) -> InputError:
        return self._source.refuse(f"{self._row_word} {row}: {reason}")


def checked_ticks(source: SourceFile, file: TickFile, symbol: str) -> Iterator[CheckedTicks]:
    """The file's ticks, batch by batch, each checked.

    Raises:
        InputError: the file must be refused; the message names the row and the reason.
    """
    checks = RowChecks(source, file.row_word)
    for batch in file.batches():
        checks.check_times(batch.first_row, batch.ts_ns, may_repeat=True)
        checks.check_prices(batch.first_row, np.stack([batch.bid, batch.ask]))
        is_crossed = batch.ask < batch.bid
        rejected_rows = np.flatnonzero(is_crossed) + batch.first_row
        yield CheckedTicks(
            _ticks(symbol, batch, ~is_crossed), _ticks(symbol, batch, is_crossed), rejected_rows
        )


def _ticks(symbol: str, batch: TickBatch, which: npt.NDArray[np.bool_]) -> TickBlock:
    if which.all():
        return TickBlock(symbol, batch.ts_ns, batch.bid, batch.ask)
    return TickBlock(symbol, batch.ts_ns[which], batch.bid[which], batch.ask[which])


def _text(ts_ns: np.int64) -> str:
    return str(np.datetime64(int(ts_ns) // 1_000_000, "ms"))
