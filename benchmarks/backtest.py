"""What backtests cost: flows with everything on beside fused loops that do only the same work.

Usage: `python benchmarks/backtest.py [--rounds 7] [--stream 0] [--peer COMMAND] [--models DIR]`.
Contenders take turns inside every round and are measured in processor time, so ratios survive a
busy machine; absolute figures hold within a factor of two. `--stream N` also runs N ticks to watch
memory; `--peer` times another engine's command and ours in turns, best with `--ticks`, a file of
the same ticks; `--models` measures how much of a flow that reads forecasts is inference.
"""

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from backtest_processes import command, side_by_side, told, with_models
from backtest_yardsticks import DAY, walk, yardstick_a, yardstick_b_plus

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import TickBlock
from plan2.intelligence.backtest.feeds import Blocks, PointTicks
from plan2.intelligence.backtest.python_run import PolicyLoop
from plan2.intelligence.backtest.run_flow import Loop, RunOptions, run_flow
from plan2.intelligence.flows.flow import Flow, parse_flow, read_flow
from plan2.intelligence.flows.policies import Action
from plan2.intelligence.flows.source import write_source

FLOWS = Path(__file__).parents[1] / "docs/flows"
EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)
TICKS = 1_000_000
LONG, SHORT = Action(enter=1), Action(enter=-1)
PEERS = {
    "hftbacktest 2.4, B": 16.2,
    "nautilus 1.231 Rust engine, B in Python": 292.0,
    "nautilus 1.231 Cython engine, B in Python": 1_758.0,
}
"""Time of other engines on B as multiples of yardstick B+, measured once on a quiet machine."""

ALTERNATE = """
name = "alternate"
[source]
symbol = "EURUSD"
bars = "tick"
[parameters]
gap = 10
[policy]
long = "{long}"
short = "{short}"
[size]
lots = 0.01
[account]
balance = "10000000.00"
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A figure beside its goal."""

    name: str
    value: float
    sign: str
    goal: float

    def told(self) -> str:
        """For people."""
        met = self.value <= self.goal if self.sign == "≤" else self.value >= self.goal
        return f"{self.name:58s} {self.value:10.2f}  {self.sign} {self.goal:g}  " + (
            "met" if met else "MISSED"
        )


class Five:
    """Strategy B as a policy in Python."""

    def on_bar(self, view):
        """All five agree."""
        line, signal, strength, mean, average, upper, lower = view.values
        x = 0.5 * (view.bid + view.ask)
        if line > signal and strength > 50 and x > mean + 1e-7 and x > average:
            return LONG if x > upper + 1e-7 else None
        if line < signal and strength < 50 and x < mean - 1e-7 and x < average:
            return SHORT if x < lower - 1e-7 else None
        return None


def realistic(flow: Flow) -> Flow:
    """The flow with latency, stop, target, daily limit, commission, swap and margin."""
    change = msgspec.structs.replace
    return change(
        flow,
        exits=change(flow.exits, stop_loss="60 * point", take_profit="120 * point"),
        risk=change(flow.risk, daily_loss_max_fraction=0.02),
        execution=change(flow.execution, fill="next_quote", latency_ms=50.0, swap=True),
    )


def looped(flow: Flow, ticks: PointTicks, options: RunOptions) -> Callable[[], Loop]:
    """One compiled run of a flow, without reading ticks or making frames."""
    source = write_source(flow)

    def run() -> Loop:
        loop = Loop(flow, source, EURUSD, options)
        loop.run(ticks)
        return loop

    return run


def contenders(ticks: PointTicks, options: RunOptions) -> dict[str, Callable[[], object]]:
    """Name → work over all ticks."""
    columns = (ticks.ts_ns, ticks.bid.astype(np.int32), ticks.ask.astype(np.int32))
    equity = np.empty(len(ticks), np.float32)
    a, b = read_flow(FLOWS / "ema-cross.toml"), read_flow(FLOWS / "five-a-tick.toml")
    source = write_source(realistic(b))

    def policy() -> None:
        PolicyLoop(realistic(b), Five(), source, EURUSD, options).run(ticks)

    return {
        "yardstick A": lambda: yardstick_a(*columns),
        "yardstick B+": lambda: yardstick_b_plus(*columns, equity),
        "flow A": looped(a, ticks, options),
        "flow A, everything on": looped(realistic(a), ticks, options),
        "flow B": looped(b, ticks, options),
        "flow B, everything on": looped(realistic(b), ticks, options),
        "policy B in Python, everything on": policy,
    }


def measured(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Processor seconds of each contender in each round; the first time is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for run in work.values():
        run()
    for _ in range(rounds):
        for name, run in work.items():
            start = time.thread_time()
            run()
            seconds[name].append(time.thread_time() - start)
    return seconds


def order_cost(ticks: PointTicks, options: RunOptions, rounds: int) -> dict[str, float]:
    """Microseconds of an order's life, beside a flow that looks the same and never trades."""
    trading = parse_flow(
        ALTERNATE.format(long="close > lag(close, 1)", short="close < lag(close, 1)")
    )
    quiet = parse_flow(ALTERNATE.format(long="close > lag(close, 1) + 1", short="close < 0"))
    found = {}
    for length, times in ((1_160, 100), (11_600, 10), (116_000, 1)):  # 100,000 orders each time
        part = PointTicks(ticks.ts_ns[:length], ticks.bid[:length], ticks.ask[:length])
        busy, orders = run_often(trading, part, options, times, rounds)
        idle, _ = run_often(quiet, part, options, times, rounds)
        found[f"{orders:,} orders"] = (busy - idle) / orders * 1e6
    return found


def run_often(
    flow: Flow, ticks: PointTicks, options: RunOptions, times: int, rounds: int
) -> tuple[float, int]:
    """Processor seconds of one run, of several in each round, and how many orders it makes."""
    source, seconds = write_source(flow), []
    for _ in range(rounds + 1):  # the first one is not counted
        loops = [Loop(flow, source, EURUSD, options) for _ in range(times)]
        start = time.thread_time()
        for loop in loops:
            loop.run(ticks)
        seconds.append((time.thread_time() - start) / times)
    orders = int(loops[-1]._accounts["last_number"][0])  # noqa: SLF001 - the benchmark counts
    return statistics.median(seconds[1:]), orders


def streamed(ticks: PointTicks, total: int, options: RunOptions) -> dict[str, float]:
    """Memory while many ticks stream through strategy B with everything on."""
    flow = realistic(read_flow(FLOWS / "five-a-tick.toml"))
    span = int(ticks.ts_ns[-1] - ticks.ts_ns[0]) // DAY * DAY + DAY
    marks: list[float] = []

    def blocks() -> Iterator[TickBlock]:
        for turn in range(total // len(ticks)):
            marks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
            yield TickBlock("EURUSD", ticks.ts_ns + turn * span, ticks.bid / 1e5, ticks.ask / 1e5)

    start = time.perf_counter()
    run = run_flow(flow, Blocks("EURUSD", blocks), EURUSD, options)
    return {
        "ticks": run.ticks,
        "M ticks/s with conversion and hash": run.ticks / (time.perf_counter() - start) / 1e6,
        "MB at a tenth": marks[len(marks) // 10],
        "MB before the result": marks[-1],
        "MB with the result": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "orders": run.orders.height,
    }


def goals(table: dict[str, float], orders: dict[str, float]) -> list[Row]:
    """What was measured in this process beside its goal."""
    plus, full = table["yardstick B+"], table["flow B, everything on"]
    policy = table["policy B in Python, everything on"]
    rows = [Row("flow B with everything on / yardstick B+", full / plus, "≤", 2.0)]
    for peer, times in PEERS.items():
        least = 5.0 if peer.startswith("hft") else 100.0
        rows.append(Row(f"{peer} / flow B (by ratio)", times * plus / full, "≥", least))
        if "Python" in peer:
            least = 25.0 if "Cython" in peer else 4.0
            rows.append(Row(f"{peer} / policy B (by ratio)", times * plus / policy, "≥", least))
    rows.append(Row("policy B in Python, M ticks/s", 1e3 / policy, "≥", 1.0))
    rows.append(Row("one order's life, µs, the slowest", max(orders.values()), "≤", 10.0))
    slope = max(orders.values()) / min(orders.values())
    rows.append(Row("one order's life, slowest / quickest", slope, "≤", 1.2))
    return rows


def from_outside(asked: argparse.Namespace, ticks: PointTicks, folder: Path) -> list[Row]:
    """Whole commands and, when models are given, a flow that reads their forecasts."""
    file = asked.ticks or folder / "EURUSD_ticks.parquet"
    if asked.ticks is None:
        frame = {"ts_ns": ticks.ts_ns, "bid": ticks.bid / 1e5, "ask": ticks.ask / 1e5}
        pl.DataFrame(frame).write_parquet(file)
    ours = command(FLOWS / "five-a-tick.toml", file, folder)
    found = side_by_side(ours, asked.peer, 3)
    print(f"command to result, 1 M ticks: {told(found)}")
    rows = []
    if asked.peer:
        rows.append(Row("command to result / peer, wall", found["ours / peer, wall s"], "≤", 0.25))
        rows.append(Row("the same, processor time", found["ours / peer, cpu s"], "≤", 0.25))
        rows.append(Row("the same, memory", found["ours / peer, MB"], "≤", 0.5))
    if asked.models:
        shares = with_models(asked.models, FLOWS / "forecast.toml")
        print(f"a flow on forecasts: {told(shares)}")
        rows.append(Row("share of inference", shares["share of inference"], "≥", 0.8))
    return rows


def main() -> None:
    """Measure, print a table, and write JSON when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--stream", type=int, default=0, help="also run so many ticks")
    parser.add_argument("--ticks", type=Path, help="1 M ticks of the peer's, as plan2 reads them")
    parser.add_argument("--peer", help="command of another engine that does strategy B")
    parser.add_argument("--models", type=Path, help="data folder with EURUSD ticks and models")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    ticks = PointTicks(*walk(TICKS))
    with tempfile.TemporaryDirectory() as name:
        options = RunOptions(folder=Path(name) / "cache/flows")
        seconds = measured(contenders(ticks, options), asked.rounds)
        table = {k: statistics.median(v) / TICKS * 1e9 for k, v in seconds.items()}
        best = {k: min(v) / TICKS * 1e9 for k, v in seconds.items()}
        for contender, value in table.items():
            print(f"{contender:44s} {value:9.1f} ns/tick   best {best[contender]:9.1f}")
        orders = order_cost(ticks, options, asked.rounds)
        print(f"one order's life, µs: {told(orders)}")
        rows = [*goals(table, orders), *from_outside(asked, ticks, Path(name))]
        if asked.stream:
            stream = streamed(ticks, asked.stream, options)
            print(f"streamed: {told(stream)}")
            grown = stream["MB before the result"] - stream["MB at a tenth"]
            rows.append(Row("streaming, MB grown from a tenth to the end", grown, "≤", 20.0))
    for row in rows:
        print(row.told())
    report = {"ns_per_tick": table, "best": best, "goals": [asdict(row) for row in rows]}
    report |= {"order_us": orders, "python": sys.version.split()[0]}
    if asked.json is not None:
        asked.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
