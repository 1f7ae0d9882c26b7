"""Whole commands in turns, as the operating system counts them, and a flow that reads forecasts."""

import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.config.load import load
from plan2.intelligence.backtest.outside import Outside
from plan2.intelligence.backtest.run_flow import RunOptions, run_flow
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.flows.flow import read_flow
from plan2.intelligence.flows.source import write_source
from plan2.intelligence.models.ensemble import load_ensembles
from plan2.intelligence.models.registry import TrialRegistry
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.flow_run import FlowWindow, contract_of, tick_feed


def whole(argv: list[str]) -> dict[str, float]:
    """Wall and processor seconds and the largest resident memory of one command."""
    began = time.perf_counter()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{shlex.join(argv)} ended with {child.returncode}")
    cpu = used.ru_utime + used.ru_stime
    return {"wall s": time.perf_counter() - began, "cpu s": cpu, "MB": used.ru_maxrss / 1024}


def command(flow: Path, ticks: Path, folder: Path) -> list[str]:
    """`plan2 backtest` of a flow on a file of ticks."""
    argv = [sys.executable, "-m", "plan2", "--data-dir", str(folder), "backtest", "--json"]
    return [*argv, str(flow), "--ticks", str(ticks), "--no-report"]


def side_by_side(ours: list[str], peer: str | None, rounds: int) -> dict[str, float]:
    """Medians of our command and the peer's in turns; ratios are medians of pairs."""
    whole(ours)
    pairs = [(whole(ours), whole(shlex.split(peer)) if peer else {}) for _ in range(rounds)]
    found = {f"ours, {n}": statistics.median(one[n] for one, _ in pairs) for n in pairs[0][0]}
    if peer:
        for name in pairs[0][0]:
            found[f"peer, {name}"] = statistics.median(b[name] for _, b in pairs)
            found[f"ours / peer, {name}"] = statistics.median(a[name] / b[name] for a, b in pairs)
    return found


def with_models(data: Path, flow_file: Path) -> dict[str, float]:
    """Where the time of a flow goes that reads the forecasts of a data folder's models."""
    loaded = load(None, {**os.environ, "PLAN2_DATA_DIR": str(data.absolute())})
    flow = read_flow(flow_file)
    symbol = flow.source.symbol
    instrument, feed = contract_of(loaded, symbol), tick_feed(loaded, symbol, FlowWindow())
    plan, names = plan_of(loaded.settings), tuple(write_source(flow).program.outer)
    ensembles = load_ensembles(TrialRegistry(data / "models"), (symbol,), plan.schema_id)
    weight = loaded.settings.decision.uncertainty_weight
    for _ in range(2):  # the first one compiles what is not compiled yet
        outside = Outside(names, FeatureEngine(plan, instrument), ensembles[symbol], weight)
        began = stopwatch_ns()
        outer = outside.collect(feed)
        collected_s = (stopwatch_ns() - began) / 1e9
        run = run_flow(flow, feed, instrument, RunOptions(folder=data / "cache/flows", outer=outer))
        seconds = (stopwatch_ns() - began) / 1e9
    return {
        "ticks": run.ticks,
        "forecasts": len(outer.times),
        "models": len(ensembles[symbol].members),
        "inference s": outside.inference_s,
        "features s": collected_s - outside.inference_s,
        "flow and account s": seconds - collected_s,
        "share of inference": outside.inference_s / seconds,
    }


def told(found: dict[str, float]) -> str:
    """One line of JSON, for people."""
    return json.dumps({name: round(value, 3) for name, value in found.items()})
