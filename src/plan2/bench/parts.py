"""The parts alone: feature step, bus, order journal, each beside a bare yardstick of its kind."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from plan2.bench.table import Row, percentiles, timed
from plan2.foundation.bus import Bus
from plan2.foundation.events.market import MarketDataReceived
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Tick
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.five import FiveIndicators
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.trading.journal import Entry, FileJournal

CALLS = 20_000
WRITES = 400
RECORD_BYTES = 4_000
ROUNDS = 15
DSYNC: int = getattr(os, "O_DSYNC", 0)
"""0 where the system has no such flag; the yardstick then flushes by hand, as the journal does."""


def features(instrument: Instrument, ticks: list[Tick]) -> list[Row]:
    """One tick through the whole feature engine, and through the five named indicators."""
    engine, five = FeatureEngine(default_plan(), instrument), FiveIndicators()
    for tick in ticks[:2_000]:
        engine.step(tick.ts_ns, tick.bid, tick.ask)
        five.update(tick.mid)
    live = ticks[2_000 : 2_000 + CALLS]
    step = timed(lambda n: engine.step(live[n].ts_ns, live[n].bid, live[n].ask), len(live))
    mids = [tick.mid for tick in live]
    update = timed(lambda n: five.update(mids[n]), len(mids))
    rows = []
    for what, durations, limit_us in (
        ("features: 56 + 16 values, one tick", step, 20.0),
        ("five indicators, one live call", update, 1.0),
    ):
        p50, p99, worst = percentiles(durations)
        rows.append(
            Row(
                what=what,
                p50_us=p50,
                p99_us=p99,
                worst_us=worst,
                limit=f"p50 < {limit_us:g} µs",
                holds=p50 < limit_us,
            )
        )
    return rows


def bus(tick: Tick) -> Row:
    """One event to five subscribers, beside five bare calls."""
    seen: list[int] = [0]

    def handler(event: MarketDataReceived) -> None:
        seen[0] += event.ts_ns & 1

    wired, handlers = Bus(), [handler] * 5
    for each in handlers:
        wired.subscribe(MarketDataReceived, each)
    wired.seal()
    event = MarketDataReceived(ts_ns=tick.ts_ns, tick=tick)

    def bare(_: int) -> None:
        for each in handlers:
            each(event)

    ours, theirs = _interleaved(lambda _: wired.publish(event), bare, CALLS // ROUNDS)
    p50, p99, worst = percentiles(ours)
    ratio = round(p50 / percentiles(theirs)[0], 2)
    return Row(
        what="bus: one event to five subscribers",
        p50_us=p50,
        p99_us=p99,
        worst_us=worst,
        peer=f"five bare calls, p50 {percentiles(theirs)[0]} µs",
        ratio=ratio,
        limit="ratio ≤ 1.3",
        holds=ratio <= 1.3,
    )


def journal(folder: Path) -> Row:
    """One durable record of a decision and its order, beside a bare durable write of that size."""
    ours_at = FileJournal(folder / "journal")
    ours_at.open()
    entry = Entry("0" * 32, "order:bench", "OrderPlaced", 1, "", os.urandom(RECORD_BYTES))
    with bare_writes(folder / "bare", RECORD_BYTES + 100) as bare:
        ours, theirs = _interleaved(lambda _: ours_at.append([entry]), bare, WRITES // ROUNDS)
    ours_at.close()
    p50, p99, worst = percentiles(ours)
    bare50, bare99, _ = percentiles(theirs)
    ratio = round(p50 / bare50, 2)
    return Row(
        what="order journal: one durable record",
        p50_us=p50,
        p99_us=p99,
        worst_us=worst,
        peer=f"bare durable write of the same size, p50 {bare50} p99 {bare99} µs",
        ratio=ratio,
        limit="p50 ratio ≤ 2",
        holds=ratio <= 2.0,
    )


@contextmanager
def bare_writes(path: Path, size: int) -> Iterator[Callable[[int], None]]:
    """The yardstick: the n-th durable write of `size` bytes into a preallocated file."""
    path.write_bytes(bytes(4 * 1024 * 1024))
    fd = os.open(path, os.O_RDWR | DSYNC | getattr(os, "O_BINARY", 0))
    block = os.urandom(size)

    def write(number: int) -> None:
        os.lseek(fd, (number * size) % (3 * 1024 * 1024), os.SEEK_SET)
        os.write(fd, block)
        if not DSYNC:
            os.fsync(fd)

    try:
        yield write
    finally:
        os.close(fd)


def _interleaved(
    ours: Callable[[int], object], theirs: Callable[[int], object], calls: int
) -> tuple[list[int], list[int]]:
    """Both in turns, so that a busy moment hits both."""
    our_ns: list[int] = []
    their_ns: list[int] = []
    for _ in range(ROUNDS):
        our_ns += timed(ours, calls)
        their_ns += timed(theirs, calls)
    return our_ns, their_ns
