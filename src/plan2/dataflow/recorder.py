"""Recording the live feed into the tick archive, so that it can be replayed exactly.

Accepted ticks go into columns in memory, in the order of their arrival, and from there to the
archive in the background. A flush never divides the ticks of one instant (but the last flush
takes all), so that merging counts equal ticks rightly. What a crash loses is what was not flushed
yet: at most `flush_ticks` ticks or `flush_after_s` seconds of market time a symbol, plus what
arrives during a flush. When the archive cannot be written, ticks wait up to `TICKS_MAX` a symbol;
beyond that they are counted as lost, because the memory must stay bounded.
"""

import asyncio
from array import array
from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.tick_merge import join_ticks
from plan2.foundation.errors import InvariantBroken, Plan2Error, StoreBusy
from plan2.foundation.events.market import MarketDataReceived
from plan2.foundation.values import NS_PER_SECOND, Tick, TickBlock

TICKS_MAX: Final = 1_000_000
"""Ticks of one symbol that may wait in memory: 24 MB."""


class RecorderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the recorder is doing, in ticks since it was made.

    buffered: in memory. recorded: handed to the archive; what the archive had already counts too.
    lost: not kept because the buffer was full. last_error: why the last flush failed, or empty.
    """

    buffered: int
    recorded: int
    lost: int
    last_error: str


class _Columns:
    """Ticks of one symbol that wait for the next flush, and when that is due."""

    __slots__ = ("ask", "bid", "due_ticks", "due_ts_ns", "lost", "ts_ns")

    def __init__(self) -> None:
        self.ts_ns = array("q")
        self.bid = array("d")
        self.ask = array("d")
        self.due_ticks = 0
        self.due_ts_ns = 0
        self.lost = 0

    @property
    def is_due(self) -> bool:
        """Whether enough ticks wait, or have waited for long enough."""
        waiting = len(self.ts_ns)
        return waiting > 0 and (waiting >= self.due_ticks or self.ts_ns[-1] >= self.due_ts_ns)


class Recorder:
    """Records accepted ticks of any symbols.

    Args:
        archive: where they go.
        flush_ticks, flush_after_s: a symbol is flushed when so many ticks wait, or the oldest has
            waited so long in market time.
        on_trouble: told each time a flush fails; the ticks stay in memory and are tried again.
    """

    def __init__(
        self,
        archive: TickArchive,
        *,
        flush_ticks: int = 20_000,
        flush_after_s: float = 60.0,
        on_trouble: Callable[[Plan2Error], None] | None = None,
    ) -> None:
        self._archive = archive
        self._flush_ticks = flush_ticks
        self._flush_after_ns = int(flush_after_s * NS_PER_SECOND)
        self._on_trouble = on_trouble
        self._columns: dict[str, _Columns] = {}
        self._due: set[str] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._flushing = asyncio.Lock()
        self._recorded = 0
        self._last_error = ""

    def on_market_data(self, event: MarketDataReceived) -> None:
        """Record the tick of this event."""
        self.on_tick(event.tick)

    def on_tick(self, tick: Tick) -> None:
        """Record a tick that passed the quality gate; never blocks.

        Raises:
            InvariantBroken: it is older than the tick before, which the gate does not let pass.
        """
        columns = self._columns.get(tick.symbol)
        if columns is None:
            columns = self._columns[tick.symbol] = _Columns()
        waiting = len(columns.ts_ns)
        if waiting == 0:
            self._set_due(columns, 0, tick.ts_ns)
        elif waiting >= TICKS_MAX:
            columns.lost += 1
            return
        elif tick.ts_ns < columns.ts_ns[-1]:
            raise InvariantBroken(f"a tick of {tick.symbol} to record is older than the one before")
        columns.ts_ns.append(tick.ts_ns)
        columns.bid.append(tick.bid)
        columns.ask.append(tick.ask)
        if waiting + 1 >= columns.due_ticks or tick.ts_ns >= columns.due_ts_ns:
            self._due.add(tick.symbol)
            self._wake.set()

    async def start(self) -> None:
        """Begin to flush in the background."""
        self._task = asyncio.create_task(self._run(), name="recorder")

    async def stop(self) -> None:
        """End the background task and flush everything.

        Raises:
            StoreBusy: the archive cannot be written; the ticks in memory are lost with the process.
        """
        if self._task is not None:
            async with self._flushing:  # a thread that writes cannot be cancelled
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self.flush()

    async def flush(self) -> None:
        """Hand everything in memory to the archive.

        Raises:
            StoreBusy: the archive cannot be written; the ticks stay in memory.
        """
        for symbol in tuple(self._columns):
            await self._flush(symbol, everything=True)

    def status(self) -> RecorderStatus:
        """How it is doing."""
        return RecorderStatus(
            buffered=sum(len(columns.ts_ns) for columns in self._columns.values()),
            recorded=self._recorded,
            lost=sum(columns.lost for columns in self._columns.values()),
            last_error=self._last_error,
        )

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            due, self._due = self._due, set()
            # What came in during the flush before may have made a symbol due that is not any more.
            for symbol in sorted(symbol for symbol in due if self._columns[symbol].is_due):
                try:
                    await self._flush(symbol, everything=False)
                except StoreBusy as error:
                    if self._on_trouble is not None:
                        self._on_trouble(error)

    async def _flush(self, symbol: str, *, everything: bool) -> None:
        async with self._flushing:
            columns = self._columns[symbol]
            block = _block(symbol, columns)
            if not everything and len(block):
                block = block.slice(0, int(block.ts_ns.searchsorted(block.ts_ns[-1])))
            if len(block) == 0:
                return
            try:
                await asyncio.to_thread(self._archive.merge, block)
            except StoreBusy as error:
                self._last_error = error.message
                # Tried again when as much has come in once more, not with every tick.
                self._set_due(columns, len(columns.ts_ns), columns.ts_ns[-1])
                raise
            self._last_error = ""
            self._recorded += len(block)
            for column in (columns.ts_ns, columns.bid, columns.ask):
                del column[: len(block)]
            if columns.ts_ns:
                self._set_due(columns, 0, columns.ts_ns[0])

    def _set_due(self, columns: _Columns, ticks: int, ts_ns: int) -> None:
        columns.due_ticks = ticks + self._flush_ticks
        columns.due_ts_ns = ts_ns + self._flush_after_ns


def _block(symbol: str, columns: _Columns) -> TickBlock:
    """A copy of the waiting ticks; more may arrive while it is being written."""
    if not columns.ts_ns:
        return join_ticks(symbol, [])
    return TickBlock(
        symbol,
        np.array(columns.ts_ns, np.int64),
        np.array(columns.bid, np.float64),
        np.array(columns.ask, np.float64),
    )
