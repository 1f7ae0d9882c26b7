"""Keeps a finished run with its figures and its page; it brings matplotlib along."""

from plan2.intelligence.backtest.figures.whole import figures_of
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.intelligence.backtest.kept.terms import Made, RunSummary, summary_of
from plan2.intelligence.backtest.page.page import page_of
from plan2.intelligence.backtest.run import BacktestRun


def publish(run: BacktestRun, kept: KeptRuns, made: Made) -> RunSummary:
    """Keep a run; returns how lists show it.

    The kept runs of the same flow and symbol count as tries on the same question.

    Args:
        run: what the engine left.
        kept: the tenant's runs.
        made: when and by what.
    """
    figures = figures_of(run, tries_beside(run, kept), tuple(made.other_paths.values()))
    summary = summary_of(run, figures, made)
    kept.add(run, summary, figures, page_of(run, summary, figures))
    return kept.record(run.run_id).summary


def tries_beside(run: BacktestRun, kept: KeptRuns) -> list[float]:
    """Daily Sharpe ratios of the other runs of this flow and symbol; equal results are one try."""
    others = {
        each.log_digest: each.daily_sharpe
        for each in kept.list().runs
        if (each.name, each.symbol) == (run.flow.name, run.flow.source.symbol)
        and each.log_digest != run.log_digest
    }
    return [sharpe for sharpe in others.values() if sharpe is not None]
