"""A hundred pairs of EMA lengths over a million ticks, beside one fused numba loop per pair.

Usage: `python benchmarks/sweep.py [--rounds 20] [--data DIR] [--vectorbt PYTHON] [--json FILE]`

`--data`: a folder with the yardstick's `ticks_1m.parquet` (ts, bid, ask in points); without it a
walk of as many quotes is made. Ours scores points of the flow below over bars made once, with the
broker's cents, days and drawdown; the yardstick counts profit alone. Both in turns in one process;
then a larger grid in one process and in two, beside what two processes gain that only count. With
`--vectorbt`, a Python that has it, the hundred pairs run there too, before ours and after. The
profits of all are compared. Times are of the processor where one process works.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src")]

import numpy as np  # noqa: E402 - needs the path above
import polars as pl  # noqa: E402
import psutil  # noqa: E402
from numba import njit  # noqa: E402

from plan2.dataflow.terminals.simulated.instruments import instruments  # noqa: E402
from plan2.foundation.clock import stopwatch_ns  # noqa: E402
from plan2.foundation.values import TickBlock  # noqa: E402
from plan2.intelligence.flows.flow import parse_flow  # noqa: E402
from plan2.intelligence.research.flow_subject import FlowSubject  # noqa: E402
from plan2.intelligence.research.tick_columns import write_columns  # noqa: E402
from plan2.intelligence.research.trial_workers import TrialWorkers  # noqa: E402

FLOW = """
name = "ema-cross"
[source]
symbol = "EURUSD"
bars = "1m"
[parameters]
fast = 10
slow = 20
[features]
quick = "ema(close, fast)"
calm = "ema(close, slow)"
[policy]
long = "quick >= calm"
short = "quick < calm"
warm_up = 19
[size]
lots = 1.0
[account]
balance = "100000.00"
[execution]
fill = "signal_quote"
commission_per_lot = "2.00"
swap = false
"""
PAIRS = [(fast, slow) for fast in range(5, 15) for slow in range(20, 30)]
MINUTE_NS = 60_000_000_000
WARM_UP = 20


@njit
def fused(close, bid, ask, fast, slow, out):
    """The yardstick: profit of each pair in dollars, nothing else."""
    last = len(close) - 1
    for k in range(len(fast)):
        a, b = 2.0 / (fast[k] + 1), 2.0 / (slow[k] + 1)
        quick = calm = close[0]
        side = entry = profit = 0
        for i in range(len(close)):
            quick = a * close[i] + (1 - a) * quick
            calm = b * close[i] + (1 - b) * calm
            if i + 1 >= WARM_UP and i < last:
                want = 1 if quick >= calm else -1
                if want != side:
                    if side != 0:
                        profit += side * ((bid[i] if side > 0 else ask[i]) - entry) - 2
                    entry = ask[i] if want > 0 else bid[i]
                    side = want
                    profit -= 2
        out[k] = profit + side * ((bid[last] if side > 0 else ask[last]) - entry) - 2


def quotes(folder: Path | None):
    """Times, bids and asks in points: the yardstick's file, or a walk."""
    if folder is not None:
        frame = pl.read_parquet(folder / "ticks_1m.parquet")
        return tuple(frame[name].to_numpy().astype(np.int64) for name in ("ts", "bid", "ask"))
    rng = np.random.default_rng(42)
    ts_ns = 1_704_067_200_000_000_000 + np.cumsum(rng.integers(1, 3_000, 1_000_000)) * 1_000_000
    bid = 108_000 + np.cumsum(rng.integers(-2, 3, 1_000_000))
    return ts_ns, bid, bid + rng.integers(1, 9, 1_000_000)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--vectorbt", type=Path, help="a Python that has vectorbt")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    ts_ns, bid, ask = quotes(given.data)
    with tempfile.TemporaryDirectory() as folder:
        block = TickBlock("EURUSD", ts_ns, bid * 1e-5, ask * 1e-5)
        columns = write_columns(Path(folder) / "ticks", "EURUSD", [block])
        eurusd = instruments(("EURUSD",))["EURUSD"]
        subject = FlowSubject(parse_flow(FLOW), eurusd, columns, Path(folder) / "code")
        found, profits = beside(subject, (ts_ns, bid, ask), given.rounds)
        if given.vectorbt:
            for name, column in (("ts", ts_ns), ("bid", bid), ("ask", ask)):
                np.save(Path(folder) / f"{name}.npy", column)
            found |= beside_vectorbt(subject, given.vectorbt, Path(folder), profits)
        found |= in_processes(subject)
    for name, value in found.items():
        print(f"{name:<46} {value:>14,.2f}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2))


def beside(subject, ticks, rounds):
    """Best time of a hundred pairs, ours and the yardstick's, in turns."""
    ts_ns, bid, ask = ticks
    ends = np.append(np.flatnonzero(np.diff(ts_ns // MINUTE_NS)), len(ts_ns) - 1)
    close = (bid[ends] + ask[ends]) * 0.5e-5
    fast, slow = (np.array(each) for each in zip(*PAIRS, strict=True))
    out = np.zeros(len(PAIRS), np.int64)
    points = [{"fast": float(a), "slow": float(b)} for a, b in PAIRS]
    window = subject.window
    began = stopwatch_ns()
    scores = subject.scores(points, window)
    first_s = (stopwatch_ns() - began) / 1e9
    fused(close, bid[ends], ask[ends], fast, slow, out)
    times = [], []
    for _ in range(rounds):
        began = time.thread_time_ns()
        scores = subject.scores(points, window)
        times[0].append(time.thread_time_ns() - began)
        began = time.thread_time_ns()
        fused(close, bid[ends], ask[ends], fast, slow, out)
        times[1].append(time.thread_time_ns() - began)
    ours, yardstick = (len(PAIRS) / (statistics.median(each) / 1e9) for each in times)
    found = {
        "first time with compiling, s": first_s,
        "pairs per second, one process": ours,
        "pairs per second, fused loop, one thread": yardstick,
        "fused loop / ours": yardstick / ours,
        "largest difference of profit, USD": max(
            abs(score.net - float(net)) for score, net in zip(scores, out, strict=True)
        ),
    }
    return found, [score.net for score in scores]


def beside_vectorbt(subject, python, folder, profits):
    """The same pairs in vectorbt, ours between two of its runs."""
    argv = [str(python), str(Path(__file__).with_name("sweep_vectorbt.py")), str(folder), "5"]
    points = [{"fast": float(a), "slow": float(b)} for a, b in PAIRS]
    seconds, times = [], []
    for _ in range(2):
        told = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)
        seconds += told["seconds"]
        for _ in range(20):
            began = time.thread_time_ns()
            subject.scores(points, subject.window)
            times.append((time.thread_time_ns() - began) / 1e9)
    ours, peer = statistics.median(times), statistics.median(seconds)
    return {
        "pairs per second, vectorbt": len(PAIRS) / peer,
        "ours / vectorbt (goal 50)": peer / ours,
        "largest difference to vectorbt, USD": max(
            abs(one - other) for one, other in zip(profits, told["profits"], strict=True)
        ),
    }


def in_processes(subject, side=60):
    """A larger grid in one process and in two, both warm."""
    points = [
        {"fast": float(a), "slow": float(b)} for a in range(3, side + 3) for b in range(70, 170)
    ]
    found, busy = {}, {}
    for processes in (1, 2):
        with TrialWorkers(subject, processes) as workers:
            times, used = [], []
            for _ in range(6):  # the first ones start processes and make their bars
                before, began = processor_times(), stopwatch_ns()
                workers.scores(points, subject.window)
                times.append((stopwatch_ns() - began) / 1e9)
                after = processor_times()
                used.append([now - before.get(pid, now) for pid, now in after.items()])
            name = f"pairs per second, {len(points):,} pairs, {processes} process"
            found[name] = len(points) / min(times)
            busy[processes] = statistics.median(sum(each) for each in used[2:])
    one, two = list(found.values())
    found["two processes / one (goal 1.8)"] = two / one
    found["by processor time, were both always busy"] = 2 * busy[1] / busy[2]
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(counted, [10, 10]))
        times = []
        for processes in (1, 2):
            began = stopwatch_ns()
            list(pool.map(counted, [20_000_000] * processes))
            times.append((stopwatch_ns() - began) / 1e9)
    found["two processes that only count / one"] = 2 * times[0] / times[1]
    return found


def processor_times():
    """Seconds that this process and its children have used so far, by process."""
    me = psutil.Process()
    return {each.pid: sum(each.cpu_times()[:2]) for each in (me, *me.children())}


def counted(number):
    """Work that needs nothing but a processor."""
    total = 0
    for each in range(number):
        total += each
    return total


if __name__ == "__main__":
    main()
