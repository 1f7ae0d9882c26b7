"""The recorder: exact replay, bounded memory, and an archive that cannot be written."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from plan2.dataflow import recorder as recorder_module
from plan2.dataflow.archive import TickArchive
from plan2.dataflow.recorder import Recorder
from plan2.dataflow.tick_merge import MergeResult
from plan2.foundation.errors import InvariantBroken, Plan2Error, StoreBusy
from plan2.foundation.events.market import MarketDataReceived
from plan2.foundation.values import NS_PER_SECOND, Tick, TickBlock

START_NS = 1_714_521_600 * NS_PER_SECOND


def ticks(count: int, symbol: str = "EURUSD", per_instant: int = 3) -> list[Tick]:
    """Some ticks a second, several at each time, equal ones among them."""
    return [
        Tick(
            symbol, START_NS + number // per_instant * NS_PER_SECOND, 1.0 + number % 2, 3.0, number
        )
        for number in range(count)
    ]


def rows(block: TickBlock) -> list[tuple[int, float, float]]:
    """The block as tuples."""
    return list(zip(block.ts_ns.tolist(), block.bid.tolist(), block.ask.tolist(), strict=True))


def as_rows(feed: list[Tick]) -> list[tuple[int, float, float]]:
    """The ticks as tuples."""
    return [(tick.ts_ns, tick.bid, tick.ask) for tick in feed]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what the background task does."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the recorder has no event to wait for
            await asyncio.sleep(0)


class FailingArchive(TickArchive):
    """An archive whose disk is full until it is told otherwise."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.is_full = True
        self.attempts = 0

    def merge(self, block: TickBlock) -> MergeResult:
        """Fail while the disk is full."""
        self.attempts += 1
        if self.is_full:
            raise StoreBusy("the disk is full.")
        return super().merge(block)


async def test_a_feed_can_be_replayed_exactly(tmp_path: Path) -> None:
    """All ticks in the order of their arrival, equal ones of one instant included."""
    archive = TickArchive(tmp_path)
    recorder = Recorder(archive, flush_ticks=7)
    await recorder.start()
    feed = ticks(100)
    for tick in feed:
        recorder.on_market_data(MarketDataReceived(ts_ns=tick.ts_ns, tick=tick))
        await asyncio.sleep(0)
    await recorder.stop()

    assert rows(archive.read("EURUSD")) == as_rows(feed)
    assert (recorder.status().recorded, recorder.status().buffered) == (100, 0)


async def test_a_flush_does_not_divide_an_instant(tmp_path: Path) -> None:
    """Ticks of the newest time wait: more of the same time may follow."""
    archive = TickArchive(tmp_path)
    recorder = Recorder(archive, flush_ticks=8)
    await recorder.start()
    for tick in ticks(8):
        recorder.on_tick(tick)
    await until(lambda: recorder.status().recorded == 6)

    assert recorder.status().buffered == 2
    await recorder.stop()
    assert len(archive.read("EURUSD")) == 8


async def test_quiet_symbols_are_flushed_by_market_time(tmp_path: Path) -> None:
    """After the agreed seconds of market time, however few ticks there are."""
    archive = TickArchive(tmp_path)
    recorder = Recorder(archive, flush_after_s=5.0)
    await recorder.start()
    for tick in ticks(6, per_instant=1):
        recorder.on_tick(tick)
    await until(lambda: recorder.status().recorded == 5)
    await recorder.stop()

    assert len(archive.read("EURUSD")) == 6


async def test_what_a_crash_loses_is_the_unflushed_part(tmp_path: Path) -> None:
    """Without `stop` the archive holds what was flushed, and that is whole."""
    archive = TickArchive(tmp_path)
    recorder = Recorder(archive, flush_ticks=1_000)
    feed = ticks(30)
    for tick in feed[:20]:
        recorder.on_tick(tick)
    await recorder.flush()
    for tick in feed[20:]:
        recorder.on_tick(tick)

    assert rows(archive.read("EURUSD")) == as_rows(feed[:20])
    assert recorder.status().buffered == 10


async def test_symbols_are_kept_apart(tmp_path: Path) -> None:
    """Each symbol has its own columns and its own files."""
    archive = TickArchive(tmp_path)
    recorder = Recorder(archive)
    for euro, gold in zip(ticks(9), ticks(9, "XAUUSD"), strict=True):
        recorder.on_tick(euro)
        recorder.on_tick(gold)
    await recorder.stop()

    assert [len(archive.read(symbol)) for symbol in archive.symbols()] == [9, 9]


async def test_a_replayed_feed_is_not_recorded_twice(tmp_path: Path) -> None:
    """Recording what the archive already holds adds nothing."""
    archive = TickArchive(tmp_path)
    for _ in range(2):
        recorder = Recorder(archive)
        for tick in ticks(50):
            recorder.on_tick(tick)
        await recorder.stop()

    assert rows(archive.read("EURUSD")) == as_rows(ticks(50))


async def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    """Ticks wait in memory, the trouble is told, and the next flush stores them all."""
    archive = FailingArchive(tmp_path)
    told: list[Plan2Error] = []
    recorder = Recorder(archive, flush_ticks=10, on_trouble=told.append)
    await recorder.start()
    feed = ticks(30)
    for tick in feed[:12]:
        recorder.on_tick(tick)
        await asyncio.sleep(0)
    await until(lambda: bool(told))
    assert archive.attempts == 1  # not again with every tick
    assert recorder.status().last_error == "the disk is full."
    with pytest.raises(StoreBusy):
        await recorder.flush()
    archive.is_full = False
    for tick in feed[12:]:
        recorder.on_tick(tick)
    await recorder.stop()

    assert rows(archive.read("EURUSD")) == as_rows(feed)
    assert recorder.status().last_error == ""


async def test_memory_stays_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound ticks are counted as lost, the ones that wait are kept."""
    monkeypatch.setattr(recorder_module, "TICKS_MAX", 10)
    archive = TickArchive(tmp_path)
    recorder = Recorder(archive)
    for tick in ticks(25):
        recorder.on_tick(tick)

    assert (recorder.status().buffered, recorder.status().lost) == (10, 15)
    await recorder.stop()
    assert rows(archive.read("EURUSD")) == as_rows(ticks(10))


async def test_a_tick_that_goes_back_is_a_fault_of_ours(tmp_path: Path) -> None:
    """The quality gate lets no such tick pass; if one comes, it is not recorded in silence."""
    recorder = Recorder(TickArchive(tmp_path))
    early, late = ticks(2, per_instant=1)
    recorder.on_tick(late)

    with pytest.raises(InvariantBroken, match="EURUSD"):
        recorder.on_tick(early)
