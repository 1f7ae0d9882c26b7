"""Records of a stretch of time as JSON or CSV, streamed from the log."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, Literal

import msgspec

from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.safe_csv import safe
from plan2.intelligence.records.fields import Firm, OrderRecord, TradeReport
from plan2.intelligence.records.orders import ORDER_TYPES, OrderRecorder
from plan2.intelligence.records.trades import TRADE_TYPES, Contract, TradeReporter

Format = Literal["json", "csv"]
Report = Literal["orders", "trades"]
Row = OrderRecord | TradeReport
ROW_OF: Final[dict[Report, type[OrderRecord] | type[TradeReport]]] = {
    "orders": OrderRecord,
    "trades": TradeReport,
}
TYPES_OF: Final[dict[Report, tuple[str, ...]]] = {"orders": ORDER_TYPES, "trades": TRADE_TYPES}


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Events that speak of a time with `first_ns` ≤ time < `end_ns`, UTC."""

    first_ns: int
    end_ns: int

    def covers(self, ts_ns: int) -> bool:
        """Whether a time is in it."""
        return self.first_ns <= ts_ns < self.end_ns


def taker_of(
    report: Report, firm: Firm, contract: Contract = lambda _: None
) -> Callable[[StoredEvent], Sequence[Row]]:
    """What makes the rows of a report from events in the order of the log."""
    if report == "orders":
        return OrderRecorder(firm).take
    return TradeReporter(firm, contract).take


async def rows_of(
    events: AsyncIterator[StoredEvent],
    take: Callable[[StoredEvent], Sequence[Row]],
    stretch: Stretch,
) -> AsyncIterator[Row]:
    """The rows of a stretch; earlier events are needed too, since orders live across its edge.

    Args:
        events: those of `TYPES_OF[report]`, from the beginning of the log, in order.
        take: from `taker_of`.
        stretch: which rows are wanted.
    """
    async for stored in events:
        rows = take(stored)
        if stretch.covers(stored.source_ts_ns):
            for row in rows:
                yield row


class RecordWriter:
    """Turns rows into the bytes of a file and remembers how many and their SHA-256."""

    def __init__(self, report: Report, form: Format) -> None:
        self._form = form
        self._names = ROW_OF[report].__struct_fields__
        self._digest = hashlib.sha256()
        self.rows = 0

    @property
    def sha256(self) -> str:
        """Hex digest of everything written so far."""
        return self._digest.hexdigest()

    def begin(self) -> bytes:
        """What stands before the first row."""
        return self._out(self._csv_line(self._names) if self._form == "csv" else b"[")

    def row(self, row: Row) -> bytes:
        """One row."""
        self.rows += 1
        if self._form == "csv":
            return self._out(self._csv_line([getattr(row, name) for name in self._names]))
        lead = b"\n" if self.rows == 1 else b",\n"
        return self._out(lead + msgspec.json.encode(row))

    def finish(self) -> bytes:
        """What stands after the last row."""
        return self._out(b"" if self._form == "csv" else b"\n]\n")

    def _csv_line(self, values: Sequence[object]) -> bytes:
        cells = (safe(value).replace('"', '""') for value in values)
        return (",".join(f'"{cell}"' for cell in cells) + "\r\n").encode()

    def _out(self, data: bytes) -> bytes:
        self._digest.update(data)
        return data
