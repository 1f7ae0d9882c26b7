"""What one forecast costs: trees, LSTM step, the whole ensemble, hot and after idling.

Trains small models on synthetic arrays (the cost depends on their shape, not on their skill), then
prints a table in microseconds and one line of JSON. Run: python benchmarks/models.py
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
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.train import register_report, train

SYMBOL = "EURUSD"
DAYS = 6
CALLS = 5_000
IDLE_CALLS = 300
IDLE_S = 0.01


def random_walk(seed: int, days: int) -> TickBlock:
    """A driftless market: a tick about every four seconds, half a pip of spread."""
    rng = np.random.default_rng(seed)
    count = days * 86_400 // 4
    ts_ns = np.cumsum(rng.integers(1, 8 * NS_PER_SECOND, count))
    mid = 1.1 * np.exp(np.cumsum(rng.normal(0.0, 4e-5, count)))
    bid = np.round(mid, 5)
    return TickBlock(SYMBOL, ts_ns, bid, bid + 5e-5)


def percentiles(durations_ns: list[int]) -> dict[str, float]:
    """Median and tail in microseconds."""
    p50, p99 = np.percentile(durations_ns, [50, 99]) / 1e3
    return {"p50_us": round(float(p50), 1), "p99_us": round(float(p99), 1)}


def timed(call, calls: int, idle_s: float = 0.0) -> dict[str, float]:
    """Percentiles of repeated calls, each after idling when asked for."""
    durations = []
    for _ in range(calls):
        if idle_s:
            time.sleep(idle_s)
        started = time.perf_counter_ns()
        call()
        durations.append(time.perf_counter_ns() - started)
    return percentiles(durations)


def main() -> None:
    """Train, load, measure, print."""
    instrument = Instrument(symbol=SYMBOL, base="EUR", quote="USD", digits=5)
    block = random_walk(1, DAYS)
    request = TrainRequest(symbols=(SYMBOL,), instruments={SYMBOL: instrument}, ts_ns=0)
    report = train(request, {SYMBOL: [block]}, lambda *_: None)
    with TemporaryDirectory() as folder:
        registry = Registry(Path(folder))
        register_report(registry, report)
        schema_id = request.plan().schema_id
        ensemble = load_ensembles(registry, [SYMBOL], schema_id)[SYMBOL]
    engine = FeatureEngine(request.plan(), instrument)
    ensemble.catch_up(engine.step_block(block.slice(0, len(block) - 2 * CALLS)))
    ticks = iter(range(len(block) - 2 * CALLS, len(block)))
    results = {"forecast": timed_ticks(engine, ensemble, block, ticks)}
    members = {member.manifest.family: member for member in ensemble.members}
    for family, member in members.items():
        results[f"{family} probability"] = timed(lambda m=member: m.probability(engine), CALLS)
    content = next(m.content for m in report.models if m.manifest.family == "xgboost")
    runtime = RowModel(open_session(content))
    content_of_net = next(m.content for m in report.models if m.manifest.family == "lstm")
    net = RecurrentModel(open_session(content_of_net))
    results["lstm, ONNX Runtime"] = timed(lambda: net.peek(engine.sequence), CALLS)
    results["xgboost, ONNX Runtime"] = timed(lambda: runtime.predict(engine.values), CALLS)
    results["forecast after 10 ms idle"] = timed(
        lambda: ensemble.forecast(0, engine), IDLE_CALLS, IDLE_S
    )
    results["states for the record"] = timed(ensemble.states, CALLS)
    for name, figures in results.items():
        print(f"{name:<28} p50 {figures['p50_us']:>8.1f} us   p99 {figures['p99_us']:>8.1f} us")
    json.dump(results, sys.stdout)
    print()


def timed_ticks(engine, ensemble, block, ticks) -> dict[str, float]:
    """The forecast part of the tick path on fresh ticks, commits included."""
    durations = []
    for k in ticks:
        ts_ns, bid, ask = int(block.ts_ns[k]), float(block.bid[k]), float(block.ask[k])
        is_closed = engine.step(ts_ns, bid, ask)
        started = time.perf_counter_ns()
        if is_closed:
            ensemble.commit(engine)
        ensemble.forecast(ts_ns, engine)
        durations.append(time.perf_counter_ns() - started)
    return percentiles(durations)


if __name__ == "__main__":
    main()
