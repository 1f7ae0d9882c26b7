"""What features cost: five indicators against C, a tick of the engine, windows ten times longer.

Usage: `python benchmarks/features.py [--rounds 5] [--json FILE]`. Contenders take turns inside
every round, so ratios survive a busy machine; absolute figures hold within a factor of two. The C
yardstick is written here and compiled with the system's compiler when there is one.
"""

import argparse
import importlib.util
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.five import FiveIndicators
from plan2.intelligence.features.plan import FeaturePlan, default_plan

PRICES = 1_000_000
CALLS = 20_000
TICKS = 400_000
EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)

C_SOURCE = """
#include <math.h>
typedef struct { double last, gain, loss, fast, slow, signal, ema, anchor, sum, squares;
                 double rsi, macd, sma, upper, lower, ring[20]; long count, slot; } five;
static inline void next(five *restrict s, double x) {
    if (s->count == 0) { s->last = s->fast = s->slow = s->ema = s->anchor = x; }
    double d = x - s->last, up = d > 0 ? d : 0, down = d < 0 ? -d : 0;
    s->last = x;
    s->gain += (up - s->gain) / 14; s->loss += (down - s->loss) / 14;
    double total = s->gain + s->loss;
    s->rsi = total > 0 ? 100 * s->gain / total : 50;
    s->fast += 2.0 / 13 * (x - s->fast); s->slow += 2.0 / 27 * (x - s->slow);
    s->macd = s->fast - s->slow; s->signal += 0.2 * (s->macd - s->signal);
    s->ema += 2.0 / 21 * (x - s->ema);
    double old = s->ring[s->slot] - s->anchor;
    s->ring[s->slot++] = x; s->count++;
    long held = s->count < 20 ? s->count : 20;
    if (s->slot == 20) {
        s->slot = 0; s->anchor = x; s->sum = s->squares = 0;
        for (long k = 0; k < 20; k++) {
            double y = s->ring[k] - x;
            s->sum += y; s->squares += y * y;
        }
    } else {
        double y = x - s->anchor;
        s->sum += y; s->squares += y * y;
        if (s->count > 20) { s->sum -= old; s->squares -= old * old; }
    }
    double v = (s->squares - s->sum * s->sum / held) / held;
    double reach = 2 * sqrt(v > 0 ? v : 0);
    s->sma = s->anchor + s->sum / held; s->upper = s->sma + reach; s->lower = s->sma - reach;
}
void five_step(void *s, double x) { next(s, x); }
void five_run(void *s, const double *x, long n) { for (long i = 0; i < n; i++) next(s, x[i]); }
"""

C_HEADER = "void five_step(void *, double); void five_run(void *, const double *, long);"


def nanoseconds(work: Callable[[], None], operations: int) -> float:
    """Wall time of `work` divided by the operations it does."""
    start = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - start) / operations


def build_c(folder: Path) -> object | None:
    """The compiled C yardstick as a cffi module, or None without a compiler or cffi."""
    if shutil.which("cc") is None or importlib.util.find_spec("cffi") is None:
        return None
    import cffi  # only the benchmark needs it

    builder = cffi.FFI()
    builder.cdef(C_HEADER)
    builder.set_source("five_in_c", C_SOURCE, extra_compile_args=["-O3", "-march=native"])
    path = builder.compile(tmpdir=str(folder))
    spec = importlib.util.spec_from_file_location("five_in_c", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def walk(length: int, seed: int) -> np.ndarray:
    """A random walk on the price grid around 1.1."""
    steps = np.random.default_rng(seed).normal(0.0, 2e-5, length)
    return np.round(1.1 + np.cumsum(steps), 5)


def synthetic_ticks(length: int) -> TickBlock:
    """A quote every 250 ms or so, spread half a pip, from Monday 2024-01-08 on."""
    rng = np.random.default_rng(7)
    waits = rng.exponential(250.0, length).astype(np.int64) * NS_PER_MS
    bid = walk(length, 8)
    return TickBlock("EURUSD", 1_704_672_000_000_000_000 + np.cumsum(waits), bid, bid + 5e-5)


def five_contenders(module: object | None) -> dict[str, tuple[Callable[[], None], int]]:
    """Name → (work, operations) for the five indicators."""
    prices = walk(PRICES, 1)
    listed = prices[:CALLS].tolist()
    single, block = FiveIndicators(), FiveIndicators()

    def call_ours() -> None:
        update = single.update
        for price in listed:
            update(price)

    def call_nothing() -> None:
        for price in listed:
            float(price)

    contenders: dict[str, tuple[Callable[[], None], int]] = {
        "floor: float() called from Python": (call_nothing, CALLS),
        "plan2, called from Python": (call_ours, CALLS),
        "plan2, loop over a column": (lambda: block.run(prices), PRICES),
    }
    if module is not None:
        ffi, lib = module.ffi, module.lib
        memory = [ffi.new("double[64]"), ffi.new("double[64]")]
        column = ffi.cast("double *", prices.ctypes.data)

        def call_c() -> None:
            step, state = lib.five_step, memory[0]
            for price in listed:
                step(state, price)

        contenders["C, called through cffi"] = (call_c, CALLS)
        contenders["C, loop over a column"] = (
            lambda: lib.five_run(memory[1], column, PRICES),
            PRICES,
        )
    return contenders


def engine_contenders() -> dict[str, tuple[Callable[[], None], int]]:
    """One tick of the whole engine from Python, in a block, and with windows ten times longer."""
    block = synthetic_ticks(TICKS)
    short = block.slice(0, CALLS)
    rows = list(zip(short.ts_ns.tolist(), short.bid.tolist(), short.ask.tolist(), strict=True))

    def call_engine() -> None:
        step = FeatureEngine(default_plan(), EURUSD).step
        for ts_ns, bid, ask in rows:
            step(ts_ns, bid, ask)

    def run_engine(plan: FeaturePlan) -> None:
        FeatureEngine(plan, EURUSD).step_block(block)

    return {
        "engine, 56 + 16 outputs, called from Python": (call_engine, CALLS),
        "engine, block": (lambda: run_engine(default_plan()), TICKS),
        "engine, block, one-second bars": (lambda: run_engine(FeaturePlan(1)), TICKS),
        "engine, block, windows x10": (lambda: run_engine(FeaturePlan(60, 1_800, 10)), TICKS),
        "engine, block, one-second bars, windows x10": (
            lambda: run_engine(FeaturePlan(1, 1_800, 10)),
            TICKS,
        ),
    }


def ratios(table: dict[str, float]) -> dict[str, float]:
    """The quotients that the specification limits."""
    pairs = {
        "five: loop / C loop (limit 1.5)": ("plan2, loop over a column", "C, loop over a column"),
        "five: call / C through cffi (limit 2)": (
            "plan2, called from Python",
            "C, called through cffi",
        ),
        "windows x10 / x1 (limit 1.3)": ("engine, block, windows x10", "engine, block"),
        "windows x10 / x1, one-second bars (limit 1.3)": (
            "engine, block, one-second bars, windows x10",
            "engine, block, one-second bars",
        ),
    }
    return {
        name: table[above] / table[below]
        for name, (above, below) in pairs.items()
        if above in table and below in table
    }


def main() -> None:
    """Measure, print a table, and write JSON when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        contenders = five_contenders(build_c(Path(folder))) | engine_contenders()
        samples: dict[str, list[float]] = {name: [] for name in contenders}
        for work, _ in contenders.values():
            work()
        for _ in range(options.rounds):
            for name, (work, operations) in contenders.items():
                samples[name].append(nanoseconds(work, operations))
    table = {name: statistics.median(times) for name, times in samples.items()}
    for name, value in table.items():
        print(f"{name:46s} {value:9.1f} ns   best {min(samples[name]):9.1f}")
    quotients = ratios(table)
    for name, value in quotients.items():
        print(f"{name:46s} {value:9.2f}")
    report = {"nanoseconds": table, "ratios": quotients, "python": sys.version.split()[0]}
    print(json.dumps(report))
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
