"""Whether anything holds up the interpreter that trades while workers train, report and word.

An event loop wakes up every millisecond, takes a tick through features and a forecast, and notes
how late it was. More than 5 ms late is a stall (ML-065): *own* when this process used that much
processor time meanwhile, so that something in it held the loop or the interpreter; *machine* when
it did not, so that others had the cores. Beside it run, one after the other: nothing, a training,
an evaluation with its report, a language model's worker (asked to call nobody), each a child as the
product starts them, and at last a thread of plain Python in this process, which shows that the
counter counts. Prints a table and one line of JSON.

Run: python benchmarks/stalls.py [--seconds 20]
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from plan2.dataflow.archive import TickArchive
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND, TickBlock
from plan2.foundation.workers import run_worker
from plan2.intelligence.assistants.errand import Errand, ProviderPlan, Question
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.models.ensemble import Ensemble
from plan2.intelligence.models.members import LoadedModel
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.train import train

SYMBOL = "EURUSD"
DAYS = 4
EVERY_NS = NS_PER_MS
STALL_NS = 5 * NS_PER_MS
PLAN2 = (sys.executable, "-m", "plan2")
NOBODY = "http://127.0.0.1:9/v1"


def random_walk(days: int) -> TickBlock:
    """A driftless market: a tick about every four seconds, half a pip of spread."""
    rng = np.random.default_rng(1)
    count = days * 86_400 // 4
    ts_ns = 1_704_067_200 * NS_PER_SECOND + np.cumsum(rng.integers(1, 8 * NS_PER_SECOND, count))
    bid = np.round(1.1 * np.exp(np.cumsum(rng.normal(0.0, 4e-5, count))), 5)
    return TickBlock(SYMBOL, ts_ns, bid, bid + 5e-5)


class Lane:
    """Features and forecast of one symbol, fed with the same ticks over and over."""

    def __init__(self, block: TickBlock, request: TrainRequest, models: list[LoadedModel]) -> None:
        self._block = block
        self._engine = FeatureEngine(request.plan(), request.instrument(SYMBOL))
        self._ensemble = Ensemble(SYMBOL, [model.member() for model in models])
        self._row = self._shift_ns = 0

    def tick(self) -> None:
        """Take the next tick."""
        block, row = self._block, self._row
        ts_ns = int(block.ts_ns[row]) + self._shift_ns
        if self._engine.step(ts_ns, float(block.bid[row]), float(block.ask[row])):
            self._ensemble.commit(self._engine)
        self._ensemble.forecast(ts_ns, self._engine)
        self._row += 1
        if self._row == len(block):
            self._row, self._shift_ns = 0, ts_ns - int(block.ts_ns[0]) + NS_PER_SECOND


async def watched(lane: Lane, seconds: float) -> dict[str, float]:
    """Tick every millisecond for so long and count the stalls."""
    late, own, machine, worst_own = [], 0, 0, 0
    end_ns = time.perf_counter_ns() + int(seconds * NS_PER_SECOND)
    while (begun_ns := time.perf_counter_ns()) < end_ns:
        used_ns = time.process_time_ns()
        await asyncio.sleep(EVERY_NS / NS_PER_SECOND)
        late_ns = time.perf_counter_ns() - begun_ns - EVERY_NS
        used_ns = time.process_time_ns() - used_ns
        late.append(late_ns)
        if late_ns > STALL_NS:
            own += used_ns > STALL_NS
            machine += used_ns <= STALL_NS
            worst_own = max(worst_own, min(late_ns, used_ns))
        lane.tick()
    p50, p99 = (float(value) for value in np.percentile(np.array(late) / NS_PER_MS, [50, 99]))
    return {
        "ticks": len(late),
        "late_p50_ms": round(p50, 2),
        "late_p99_ms": round(p99, 2),
        "own_stalls": own,
        "machine_stalls": machine,
        "worst_own_ms": round(worst_own / NS_PER_MS, 1),
    }


@contextlib.asynccontextmanager
async def children(argv: tuple[str, ...] | None) -> AsyncIterator[Callable[[], int]]:
    """Runs a command as a child again and again; tells how many came to their end."""
    ended = 0

    async def again() -> None:
        nonlocal ended
        while argv is not None:
            result = await run_worker(argv, lambda _: None, 600.0)
            if result.failure is not None and result.failure.code == "worker_missing":
                raise SystemExit(f"{' '.join(argv)}: {result.failure.message}")
            ended += 1

    running = asyncio.create_task(again())
    try:
        yield lambda: ended
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


@contextlib.contextmanager
def busy_thread(wanted: bool):
    """A thread that computes in plain Python."""
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            sum(range(1_000))

    thread = threading.Thread(target=spin, daemon=True)
    if wanted:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if wanted:
            thread.join()


async def measured(lane: Lane, folder: Path, seconds: float) -> dict[str, dict[str, float]]:
    """Every phase."""
    errand = folder / "errand.json"
    question = Question(instructions="Say nothing.", data="", tokens=16)
    nobody = ProviderPlan(name="openai", url=NOBODY, model="none")
    errand.write_bytes(
        msgspec.json.encode(Errand(question=question, providers=(nobody,), timeout_s=1.0))
    )
    where = ("--data-dir", str(folder), "--families", "xgboost", "--symbol", SYMBOL)
    phases = {
        "nothing": None,
        "training": (*PLAN2, "train", "--worker", *where),
        "evaluation and report": (*PLAN2, "evaluate", *where),
        "language model": (*PLAN2, "assistants", "work", str(errand)),
        "a thread of Python (control)": None,
    }
    await watched(lane, 2.0)
    found = {}
    for name, argv in phases.items():
        print(f"beside {name}", file=sys.stderr, flush=True)
        with busy_thread("control" in name):
            async with children(argv) as ended:
                found[name] = {**await watched(lane, seconds), "children_ended": ended()}
    return found


def main() -> None:
    """Prepare a folder and models, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each phase")
    seconds = parser.parse_args().seconds
    os.environ["PLAN2_OPENAI_API_KEY"] = "none"
    block = random_walk(DAYS)
    instrument = Instrument(symbol=SYMBOL, base="EUR", quote="USD", digits=5)
    request = TrainRequest(
        symbols=(SYMBOL,), instruments={SYMBOL: instrument}, ts_ns=0, families=("xgboost", "lstm")
    )
    report = train(request, {SYMBOL: [block]}, lambda *_: None)
    models = [LoadedModel(model.manifest, model.content) for model in report.models]
    with TemporaryDirectory() as name:
        folder = Path(name)
        TickArchive(folder / "archive").merge(block)
        load = os.getloadavg()[0]
        results = asyncio.run(measured(Lane(block, request, models), folder, seconds))
    columns = list(next(iter(results.values())))
    print(f"load {load:.1f}, {seconds:g} s each")
    print(f"{'beside':<30}" + "".join(f"{column:>16}" for column in columns))
    for phase, figures in results.items():
        print(f"{phase:<30}" + "".join(f"{value:>16}" for value in figures.values()))
    json.dump({"load": round(load, 1), "seconds": seconds, "phases": results}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
