"""What backtests cost: flows with everything on beside fused loops that do only the same work.

Usage: `python benchmarks/backtest.py [--rounds 7] [--stream 0] [--json FILE]`. Contenders take
turns inside every round and are measured in processor time, so ratios survive a busy machine;
absolute figures hold within a factor of two. The yardsticks are written here: strategy A (two
averages of one-minute bars), and B+ (five indicators on every tick, with order latency, stop and
target, equity, drawdown and a daily loss limit). `--stream N` also runs N ticks to watch memory.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from numba import njit

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
DAY, MINUTE = 86_400_000_000_000, 60_000_000_000
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


@njit(inline="always", error_model="numpy")
def five(s, x):
    """RSI 14, MACD 12/26/9, SMA 20, EMA 20, Bollinger 20/2 after one more price."""
    if s[8] == 0.0:
        s[9] = s[12] = s[13] = s[4] = s[14] = x
    change = x - s[9]
    s[9] = x
    s[10] = max(change, 0.0) / 14 + s[10] * 13 / 14
    s[11] = max(-change, 0.0) / 14 + s[11] * 13 / 14
    s[0] = 1.0 if s[11] == 0.0 else 1.0 - 1.0 / (1.0 + s[10] / s[11])
    s[12] = 2 / 13 * x + 11 / 13 * s[12]
    s[13] = 2 / 27 * x + 25 / 27 * s[13]
    s[1] = s[12] - s[13]
    s[2] = s[1] if s[8] == 0.0 else 0.2 * s[1] + 0.8 * s[2]
    s[4] = 2 / 21 * x + 19 / 21 * s[4]
    y = x - s[14]
    slot = int(s[17])
    old = s[24 + slot]
    s[24 + slot] = y
    slot += 1
    if slot == 20:
        slot = 0
        s[15] = s[16] = 0.0
        for place in range(24, 44):
            s[15] += s[place]
            s[16] += s[place] * s[place]
    else:
        s[15] += y - old
        s[16] += y * y - old * old
    s[17] = slot
    s[8] += 1.0
    held = min(s[8], 20.0)
    mean = s[15] / held
    reach = 2.0 * np.sqrt(max(s[16] / held - mean * mean, 0.0))
    s[3] = mean + s[14]
    s[5], s[7] = s[3] + reach, s[3] - reach


@njit(inline="always")
def wanted(s, x):
    """The side of strategy B, 0 for none."""
    slack = 1e-7
    if s[1] > s[2] and s[0] > 0.5 and x > s[3] + slack and x > s[4] and x > s[5] + slack:
        return 1
    if s[1] < s[2] and s[0] < 0.5 and x < s[3] - slack and x < s[4] and x < s[7] - slack:
        return -1
    return 0


@njit
def yardstick_a(ts, bid, ask):
    """EMA 10 against EMA 20 of one-minute closes; profit in points."""
    fast = slow = 0.0
    bars = side = entry = profit = 0
    minute = ts[0] // MINUTE
    last = bid[0] + ask[0]
    for i in range(ts.shape[0]):
        if ts[i] // MINUTE != minute:
            minute = ts[i] // MINUTE
            price = last * 0.5e-5
            fast = price if bars == 0 else 2 / 11 * price + 9 / 11 * fast
            slow = price if bars == 0 else 2 / 21 * price + 19 / 21 * slow
            bars += 1
            want = 1 if fast >= slow else -1
            if bars >= 20 and want != side:
                profit += side * ((bid[i - 1] if side > 0 else ask[i - 1]) - entry)
                entry = ask[i - 1] if want > 0 else bid[i - 1]
                side = want
        last = bid[i] + ask[i]
    return profit


@njit
def yardstick_b_plus(ts, bid, ask, equity):  # noqa: C901 - one fused loop is the point
    """Strategy B with latency 50 ms, stop 60, target 120, daily limit 2,000, in points."""
    s = np.zeros(64)
    side = entry = cash = wait = due = peak = fall = day = start = 0
    last = -10_000
    blocked = False
    for i in range(ts.shape[0]):
        b, a, t = bid[i], ask[i], ts[i]
        if t // DAY != day:
            day, start, blocked = t // DAY, cash, False
        if wait != 0 and t >= due:
            if side != 0:
                cash += side * ((b if side > 0 else a) - entry) - 2
                side = 0
            if wait != 2:
                entry, side = (a if wait > 0 else b), wait
                cash -= 2
            wait = 0
        open_ = side * ((b if side > 0 else a) - entry)
        if side != 0 and wait == 0 and (open_ <= -60 or open_ >= 120):
            wait, due = 2, t + 50_000_000
        now = cash + open_
        peak = max(peak, now)
        fall = max(fall, peak - now)
        if now - start <= -2_000 and not blocked:
            blocked = True
            if side != 0 and wait == 0:
                wait, due = 2, t + 50_000_000
        equity[i] = now
        x = (b + a) * 0.5e-5
        five(s, x)
        if i < 100 or i - last < 500 or wait != 0 or blocked:
            continue
        want = wanted(s, x)
        if want not in (0, side):
            wait, due, last = want, t + 50_000_000, i
    return cash, fall


def walk(length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quotes like those of EUR/USD in points: clustered volatility, spread of 1 to 12 points."""
    rng = np.random.default_rng(42)
    gaps = np.clip(rng.lognormal(6.6, 1.2, length).astype(np.int64), 1, 25_000) * 1_000_000
    level = np.exp(0.6 * np.cumsum(rng.normal(0, 0.02, length)) / np.sqrt(length) * 30)
    mid = 108_000 + np.cumsum(rng.standard_t(5, length) * 1.1 * level)
    spread = np.clip(np.rint(rng.gamma(2.0, 1.6, length) + 1), 1, 12).astype(np.int64)
    bid = np.rint(mid - spread / 2).astype(np.int64)
    return 1_704_067_200_000_000_000 + np.cumsum(gaps), bid, bid + spread


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
    for length in (2_000, 20_000, 200_000):
        part = PointTicks(ticks.ts_ns[:length], ticks.bid[:length], ticks.ask[:length])
        runs = {"trades": looped(trading, part, options), "quiet": looped(quiet, part, options)}
        seconds = {k: statistics.median(v) for k, v in measured(runs, rounds).items()}
        orders = int(runs["trades"]()._accounts["last_number"][0])  # noqa: SLF001 - the benchmark counts
        found[f"{orders:,} orders"] = (seconds["trades"] - seconds["quiet"]) / orders * 1e6
    return found


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
        "MB at the end": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "orders": run.orders.height,
    }


def command_time(ticks: PointTicks, folder: Path, rounds: int) -> float:
    """Wall seconds from the command to its result, machine code known."""
    file = folder / "EURUSD_ticks.parquet"
    frame = {"ts_ns": ticks.ts_ns, "bid": ticks.bid / 1e5, "ask": ticks.ask / 1e5}
    pl.DataFrame(frame).write_parquet(file)
    argv = [sys.executable, "-m", "plan2", "--data-dir", str(folder), "backtest", "--json"]
    argv += [str(FLOWS / "five-a-tick.toml"), "--ticks", str(file), "--no-report"]
    seconds = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def main() -> None:
    """Measure, print a table, and write JSON when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--stream", type=int, default=0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    ticks = PointTicks(*walk(TICKS))
    with tempfile.TemporaryDirectory() as name:
        options = RunOptions(folder=Path(name) / "cache/flows")
        seconds = measured(contenders(ticks, options), asked.rounds)
        table = {k: statistics.median(v) / TICKS * 1e9 for k, v in seconds.items()}
        best = {k: min(v) / TICKS * 1e9 for k, v in seconds.items()}
        orders = order_cost(ticks, options, asked.rounds)
        command = command_time(ticks, Path(name), 3)
        stream = streamed(ticks, asked.stream, options) if asked.stream else {}
    for name, value in table.items():
        print(f"{name:44s} {value:9.1f} ns/tick   best {best[name]:9.1f}")
    plus, full = table["yardstick B+"], table["flow B, everything on"]
    policy = table["policy B in Python, everything on"]
    ratios = {"flow B, everything on / yardstick B+ (limit 2)": full / plus}
    ratios |= {f"{peer} / flow B (by ratio)": times * plus / full for peer, times in PEERS.items()}
    ratios |= {f"{peer} / policy B (by ratio)": t * plus / policy for peer, t in PEERS.items()}
    for name, value in ratios.items():
        print(f"{name:62s} {value:9.2f}")
    for name, value in orders.items():
        print(f"one order's life, {name:26s} {value:9.2f} µs")
    print(f"command to result, 1 M ticks                 {command:9.2f} s")
    for name, value in stream.items():
        print(f"streamed: {name:34s} {value:14,.1f}")
    report = {"ns_per_tick": table, "best": best, "ratios": ratios, "order_us": orders}
    report |= {"command_s": command, "stream": stream, "python": sys.version.split()[0]}
    if asked.json is not None:
        asked.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
