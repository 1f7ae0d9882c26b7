"""What the child of a backtest job does; it brings matplotlib along, so nothing else imports it."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from plan2.foundation.config.schema_backtests import Backtests
from plan2.intelligence.backtest.asked import AskedFlows, BacktestWish
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.intelligence.backtest.kept.terms import Made, RunSummary
from plan2.intelligence.backtest.publish import publish
from plan2.intelligence.flows.flow import Flow
from plan2.wiring.flow_run import FlowResult

PUBLISHING: Final = 0.9
"""The share of a job's progress at which the ticks are run and the report begins."""
MEBIBYTE: Final = 1 << 20

Progress = Callable[[float, str], None]
"""Told how far it is, 0 to 1, and what it does."""
RunTicks = Callable[[Flow, BacktestWish, Progress], FlowResult]
"""Runs a flow over the ticks of a wish; its progress goes from 0 to 1."""


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is kept: within which limits, when (UTC ns), and the hash of what made it."""

    limits: Backtests
    now_ns: int
    code_hash: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the job: where the run is, and what it shows."""

    verdict: str
    sentence: str
    run_id: str
    headlines: dict[str, float | None]
    removed: tuple[str, ...]


def carry_out(
    wish: BacktestWish,
    tenant_folder: Path,
    run_ticks: RunTicks,
    progress: Progress,
    keeping: Keeping,
) -> Outcome:
    """Run, keep and prune.

    Args:
        wish: what was asked for.
        tenant_folder: whose files they are.
        run_ticks: the engine.
        progress: told how far it is.
        keeping: how it is kept.

    Raises:
        InputError: the flow is not kept any more or cannot be run, or there are no ticks.
    """
    flow, kept = AskedFlows(tenant_folder).get(wish.flow_key), KeptRuns(tenant_folder)
    progress(0.0, f"{flow.name} on {flow.source.symbol}")
    found = run_ticks(flow, wish, lambda share, said: progress(share * PUBLISHING, said))
    progress(PUBLISHING, "figures and report")
    return _outcome(*keep(found, kept, keeping))


def keep(found: FlowResult, kept: KeptRuns, keeping: Keeping) -> tuple[RunSummary, tuple[str, ...]]:
    """Keep a run with its report; returns how lists show it, and the ids of what had to go."""
    made = Made(ts_ns=keeping.now_ns, code_hash=keeping.code_hash, other_paths=paths_of(found))
    summary, limits = publish(found.run, kept, made), keeping.limits
    return summary, kept.prune(limits.keep_runs, limits.keep_mb * MEBIBYTE)


def paths_of(found: FlowResult) -> dict[str, float]:
    """Net results on the other paths, for a run made of bars."""
    return {
        name: round(float(run.trades["net"].sum()), 2) for name, run in found.other_paths.items()
    }


def _outcome(summary: RunSummary, removed: tuple[str, ...]) -> Outcome:
    return Outcome(
        verdict=summary.verdict,
        sentence=summary.sentence,
        run_id=summary.run_id,
        headlines=summary.headlines,
        removed=removed,
    )
