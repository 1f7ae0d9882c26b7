"""What one forecast costs: every family and the whole ensemble, hot and after 10 ms of idling.

Trains all families on a random walk (the cost depends on their shape, not on their skill), then
prints a table in microseconds, beside the limits of ML-060 and ML-061 and whether they are kept,
and one line of JSON. Wall time and CPU time of the thread: on a shared machine the first holds the
neighbours' slices too. What is being done goes to stderr: two and a half minutes on two calm cores,
a third of them idling. Run: python benchmarks/models.py
"""

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.models.ensemble import load_ensembles
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.models.session import RecurrentModel, RowModel, open_session
from plan2.intelligence.models.window import WindowModel
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.train import register_report, train

SYMBOL = "EURUSD"
DAYS = 6
CALLS = 5_000
IDLE_CALLS = 300
IDLE_S = 0.01
BAR = np.zeros(16)
HOT, COLD = "cpu_p50_us", "cpu_p99_us"
LIMITS = {
    **dict.fromkeys(("xgboost", "lightgbm", "random_forest"), (HOT, 60.0)),
    "lstm": (HOT, 40.0),
    "cnn at a close": (HOT, 70.0),
    "transformer at a close": (HOT, 350.0),
    "all at a close": (HOT, 800.0),
    "all at a close, idle": (COLD, 3_000.0),
}
"""ML-060 and ML-061 of the specification: which figure, and the most it may be."""


def random_walk(seed: int, days: int) -> TickBlock:
    """A driftless market: a tick about every four seconds, half a pip of spread."""
    rng = np.random.default_rng(seed)
    count = days * 86_400 // 4
    ts_ns = np.cumsum(rng.integers(1, 8 * NS_PER_SECOND, count))
    mid = 1.1 * np.exp(np.cumsum(rng.normal(0.0, 4e-5, count)))
    bid = np.round(mid, 5)
    return TickBlock(SYMBOL, ts_ns, bid, bid + 5e-5)


def percentiles(durations_ns: list[tuple[int, int]]) -> dict[str, float]:
    """Median and tail of wall and CPU time, in microseconds."""
    wall, cpu = np.percentile(np.array(durations_ns) / 1e3, [50, 99], axis=0).T
    figures = zip(("p50_us", "p99_us", "cpu_p50_us", "cpu_p99_us"), (*wall, *cpu), strict=True)
    return {name: round(float(value), 1) for name, value in figures}


def told(message: str, share: float = 1.0) -> None:
    """Say on stderr what is being done, so that nobody takes a long run for a stuck one."""
    print(f"{share:>5.0%}  {message}", file=sys.stderr, flush=True)


def verdict(name: str, figures: dict[str, float]) -> str:
    """The limit of a row, and whether it is kept; empty where there is none."""
    if name not in LIMITS:
        return ""
    figure, limit = LIMITS[name]
    words = "CPU p50" if figure == HOT else "CPU p99"
    return f"{words} {limit:.0f}: {'kept' if figures[figure] <= limit else 'BROKEN'}"


def timed(call, calls: int, idle_s: float = 0.0) -> dict[str, float]:
    """Percentiles of repeated calls, each after idling when asked for."""
    durations = []
    for _ in range(calls):
        if idle_s:
            time.sleep(idle_s)
        cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
        call()
        durations.append((time.perf_counter_ns() - wall, time.thread_time_ns() - cpu))
    return percentiles(durations)


def main() -> None:
    """Train, load, measure, print."""
    instrument = Instrument(symbol=SYMBOL, base="EUR", quote="USD", digits=5)
    block = random_walk(1, DAYS)
    request = TrainRequest(
        symbols=(SYMBOL,), instruments={SYMBOL: instrument}, ts_ns=0, families=("all",)
    )
    report = train(request, {SYMBOL: [block]}, told)
    with TemporaryDirectory() as folder:
        registry = Registry(Path(folder))
        register_report(registry, report)
        schema_id = request.plan().schema_id
        ensemble = load_ensembles(registry, [SYMBOL], schema_id)[SYMBOL]
    engine = FeatureEngine(request.plan(), instrument)
    ensemble.catch_up(engine.step_block(block.slice(0, len(block) - 2 * CALLS)))
    ticks = iter(range(len(block) - 2 * CALLS, len(block)))
    results = {"forecast on fresh ticks": timed_ticks(engine, ensemble, block, ticks)}
    content = {model.manifest.family: model.content for model in report.models}
    for member in ensemble.members:
        family = member.manifest.family
        asked = asking(member, engine, content[family])
        for name, call in asked.items():
            told(f"asking {name}")
            results[name] = timed(call, CALLS)
            results[f"{name}, idle"] = timed(call, IDLE_CALLS, IDLE_S)

    def closing() -> None:
        """What the tick that closes a bar costs: every member runs."""
        ensemble.commit(engine)
        ensemble.forecast(0, engine)

    results["all at a close"] = timed(closing, CALLS)
    results["all at a close, idle"] = timed(closing, IDLE_CALLS, IDLE_S)
    results["states for the record"] = timed(ensemble.states, CALLS)
    print(f"{'us':<34}{'p50':>9}{'p99':>9}{'CPU p50':>9}{'CPU p99':>9}   limit")
    for name, figures in results.items():
        values = "".join(f"{value:>9.1f}" for value in figures.values())
        print(f"{name:<34}{values}   {verdict(name, figures)}".rstrip())
    json.dump(results, sys.stdout)
    print()


def asking(member, engine, content):
    """Ways to ask one model: as it is served, and by ONNX Runtime where that is another."""
    family = member.manifest.family
    session = open_session(content)
    if member.is_kept:
        model = WindowModel(session)
        return {f"{family} at a close": lambda: (model.commit(BAR), model.probability())}
    if len(session.get_inputs()) == 1:
        runtime = RowModel(session)
        call = {f"{family}, ONNX Runtime": lambda: runtime.predict(engine.values)}
    else:
        net = RecurrentModel(session)
        call = {f"{family}, ONNX Runtime": lambda: net.peek(engine.sequence)}
    return {family: lambda: member.probability(engine), **call}


def timed_ticks(engine, ensemble, block, ticks) -> dict[str, float]:
    """The forecast part of the tick path on fresh ticks, commits included."""
    durations = []
    for k in ticks:
        ts_ns, bid, ask = int(block.ts_ns[k]), float(block.bid[k]), float(block.ask[k])
        is_closed = engine.step(ts_ns, bid, ask)
        cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
        if is_closed:
            ensemble.commit(engine)
        ensemble.forecast(ts_ns, engine)
        durations.append((time.perf_counter_ns() - wall, time.thread_time_ns() - cpu))
    return percentiles(durations)


if __name__ == "__main__":
    main()
