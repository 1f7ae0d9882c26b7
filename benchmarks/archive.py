"""Ten million ticks through the archive: write, read, one-minute bars; beside bare yardsticks.

usage: python benchmarks/archive.py [--ticks N] [--rounds R] [--json FILE] [--dir FOLDER]

The yardsticks (bare pyarrow and polars on one file) run interleaved with ours in the same process,
because ratios of one run say more than absolute figures on a shared machine. CPU seconds stand
beside the wall's, for they suffer less from neighbours. Goals are those of specs/perf.md §7: at
most 5.5 bytes a tick, write ≥ 10 M/s, read ≥ 25 M/s, one-minute bars of 10 M ticks ≤ 0.1 s from
arrays and ≤ 0.35 s from files.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.bars import build_bars
from plan2.foundation.values import NS_PER_MS, TickBlock

GOALS = {
    "archive: write (floats in, fsync, by day)": ("≥", 10.0, "M ticks/s"),
    "archive: size": ("≤", 5.5, "bytes/tick"),
    "archive: read (floats out)": ("≥", 25.0, "M ticks/s"),
    "bars: 1 minute, from arrays": ("≤", 0.1, "s"),
    "bars: 1 minute, from archive files": ("≤", 0.35, "s"),
}


def make_ticks(count: int, seed: int = 42) -> TickBlock:
    """EURUSD-like quotes: log-normal waits of some 1.5 s, a fat-tailed walk, spreads of 1–12."""
    random = np.random.default_rng(seed)
    waits_ms = np.clip(random.lognormal(6.6, 1.2, count), 1, 25_000).astype(np.int64)
    times_ms = 1_704_067_200_000 + np.cumsum(waits_ms)
    volatility = 1.1 * np.exp(0.5 * np.sin(np.arange(count) / 40_000))
    walk = np.cumsum(random.standard_t(5, count) * volatility)
    bid_points = 108_000 + np.rint(40_000 * np.sin(walk / 40_000)).astype(np.int64)
    spread = np.clip(np.rint(random.gamma(2.0, 1.6, count) + 1), 1, 12).astype(np.int64)
    return TickBlock("EURUSD", times_ms * NS_PER_MS, bid_points / 1e5, (bid_points + spread) / 1e5)


def seconds(action: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU time of one call, all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


Taken = dict[str, list[tuple[float, float]]]


def measure(block: TickBlock, folder: Path, rounds: int) -> Taken:
    """Wall and CPU seconds of each round by name, all names in turn; sizes as (bytes, 0)."""
    points = pa.table(
        {
            "ts_ns": block.ts_ns,
            "bid": np.rint(block.bid * 1e5).astype(np.int32),
            "ask": np.rint(block.ask * 1e5).astype(np.int32),
        }
    )
    frame = pl.from_arrow(points)
    delta = dict.fromkeys(points.column_names, "DELTA_BINARY_PACKED")
    bare, plain = folder / "bare.parquet", folder / "plain.parquet"
    taken: Taken = {}
    build_bars(block.slice(0, 1_000), 60)  # compile, or load what is compiled
    for number in range(rounds):
        archive = TickArchive(folder / str(number))
        steps: dict[str, Callable[[], object]] = {
            "archive: write (floats in, fsync, by day)": lambda a=archive: a.merge(block),
            "yardstick: pyarrow zstd + delta, ns ints, one file": lambda: pq.write_table(
                points, bare, compression="zstd", use_dictionary=False, column_encoding=delta
            ),
            "yardstick: polars zstd, ns ints, one file": lambda: frame.write_parquet(plain),
            "archive: read (floats out)": lambda a=archive: a.read("EURUSD"),
            "yardstick: pyarrow reads its file": lambda: pq.read_table(bare),
            "yardstick: polars reads its file": lambda: pl.read_parquet(plain),
            "bars: 1 minute, from arrays": lambda: build_bars(block, 60),
            "bars: 1 minute, from archive files": lambda a=archive: a.bars("EURUSD", 60),
            "yardstick: polars group_by, in memory": lambda: _polars_bars(frame),
            "archive: merge the same ticks again": lambda a=archive: a.merge(block),
        }
        for name, step in steps.items():
            taken.setdefault(name, []).append(seconds(step))
        size = sum(day.size_bytes for day in archive.coverage("EURUSD"))
        taken.setdefault("archive: size", []).append((size / len(block), 0.0))
    taken["yardstick: pyarrow size"] = [(bare.stat().st_size / len(block), 0.0)]
    taken["yardstick: polars size"] = [(plain.stat().st_size / len(block), 0.0)]
    return taken


def _polars_bars(frame: pl.DataFrame) -> pl.DataFrame:
    sides = [
        getattr(pl.col(side), how)().alias(f"{side}_{how}")
        for side in ("bid", "ask")
        for how in ("first", "max", "min", "last")
    ]
    minute = (pl.col("ts_ns") // 60_000_000_000).alias("minute")
    return frame.group_by(minute, maintain_order=True).agg(*sides, pl.len())


def report(taken: Taken, ticks: int) -> list[dict[str, object]]:
    """One row a measurement: median, best and worst, in the unit of its goal."""
    rows: list[dict[str, object]] = []
    for name, values in taken.items():
        walls = [wall for wall, _ in values]
        median, cpu = statistics.median(walls), statistics.median(cpu for _, cpu in values)
        goal = GOALS.get(name)
        row: dict[str, object] = {"name": name, "median": median, "best": min(walls)}
        row |= {"worst": max(walls), "cpu": cpu}
        if "size" not in name:
            row["million_ticks_per_s"] = ticks / median / 1e6
        if goal is not None:
            sign, limit, unit = goal
            found = ticks / median / 1e6 if unit.startswith("M") else median
            scale = ticks / 1e7 if unit == "s" else 1.0
            reached = found >= limit if sign == "≥" else found <= limit * scale
            row |= {"goal": f"{sign} {limit * scale:g} {unit}", "reached": reached}
        rows.append(row)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ticks", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=None, help="also write the rows as JSON")
    parser.add_argument("--dir", type=Path, default=None, help="where to write the files")
    options = parser.parse_args()
    block = make_ticks(options.ticks)
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        rows = report(measure(block, Path(folder), options.rounds), options.ticks)
    print(f"{options.ticks:,} ticks, {options.rounds} rounds; seconds (sizes: bytes/tick)")
    print(f"{'':52} {'median':>8} {'best':>8} {'worst':>8} {'cpu':>8} {'M/s':>7}  goal")
    for row in rows:
        rate = f"{row['million_ticks_per_s']:7.1f}" if "million_ticks_per_s" in row else " " * 7
        goal = (
            f"{row['goal']}: {'reached' if row['reached'] else 'MISSED'}" if "goal" in row else ""
        )
        figures = " ".join(f"{row[key]:8.3f}" for key in ("median", "best", "worst", "cpu"))
        print(f"{row['name']:52} {figures} {rate}  {goal}")
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
