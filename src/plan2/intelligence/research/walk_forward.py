"""Walk-forward: choose the numbers on the past, trade the time after, and go on.

What is stitched together from the times after is what somebody would have had who chose like this,
so it is the only equity curve of an optimised rule that means anything.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
from msgspec import Meta

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.research.ranges import Point
from plan2.intelligence.research.score import Score, score_of, value_of
from plan2.intelligence.research.stitching import efficiency_of, stitched
from plan2.intelligence.research.subject import AS_WRITTEN, Window
from plan2.intelligence.research.sweep import Question, Sweep
from plan2.intelligence.research.sweep_plan import SweepPlan
from plan2.intelligence.research.sweep_result import ranked_by
from plan2.intelligence.research.trial_ledger import Tried
from plan2.intelligence.research.trial_workers import TrialWorkers
from plan2.intelligence.training.multiple_testing import daily_sharpe

CURVE_POINTS: Final = 500
FOLDS_MIN: Final = 2


class WalkPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How the time is cut.

    Attributes:
        sweep: how numbers are chosen inside each window.
        folds: how many times they are chosen.
        train_share: length of a training window in test windows, at least 1.
        mode: `rolling` forgets what is older; `anchored` always begins at the first quote.
    """

    sweep: SweepPlan
    folds: Annotated[int, Meta(ge=FOLDS_MIN, le=100)] = 6
    train_share: Annotated[float, Meta(ge=1, le=50)] = 3.0
    mode: Literal["rolling", "anchored"] = "rolling"


class FoldRow(msgspec.Struct, frozen=True, kw_only=True):
    """One choice and the time after; money in account currency, times UTC ns.

    Attributes:
        point: what was chosen; None when no trial traded enough, and then nothing is traded.
        inside, outside: the metric where it was chosen and after; None where it cannot be had.
    """

    train_start_ns: int
    test_start_ns: int
    test_end_ns: int
    point: Point | None
    inside: float | None
    outside: float | None
    inside_net: float
    net: float
    trades: int
    max_drawdown: float


class WalkForward(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome.

    Attributes:
        efficiency: profit a day after, over profit a day where the numbers were chosen.
        curve: (UTC ns, account currency): sum of the results after, at the end of each day.
        net, trades, sharpe: of the times after; the Sharpe ratio is of days, times √252.
        winning_folds: of `folds`, those that earned.
    """

    metric: str
    mode: str
    planned: int
    folds: tuple[FoldRow, ...]
    curve: tuple[tuple[int, float], ...]
    net: float
    trades: int
    sharpe: float | None
    efficiency: float | None
    winning_folds: int
    verdict: str


Watch = Callable[[Sequence[FoldRow], str, float], None]
"""(folds so far, what it does, how far it is from 0 to 1)."""


def walk_windows(window: Window, plan: WalkPlan) -> list[tuple[Window, Window]]:
    """Pairs of a training window and the test window right after it, oldest first.

    Test windows have equal lengths, follow each other without a gap and reach to the end.

    Raises:
        InputError: a test window would be shorter than a day.
    """
    length = window.end_ns - window.start_ns
    test = int(length / (plan.folds + plan.train_share))
    if test < NS_PER_DAY:
        raise InputError(
            f"{length / NS_PER_DAY:.1f} days are too few for {plan.folds} folds; a test window "
            f"would have {test / NS_PER_DAY:.2f} days, at least 1 is needed.",
            remedy="Take a longer time, fewer folds or a smaller train share.",
        )
    first = window.end_ns - plan.folds * test
    pairs = []
    for number in range(plan.folds):
        start = first + number * test
        end = window.end_ns if number == plan.folds - 1 else start + test
        train = window.start_ns
        if plan.mode == "rolling":
            train = max(train, start - int(plan.train_share * test))
        pairs.append((Window(train, start), Window(start, end)))
    return pairs


def walk_forward(
    question: Question,
    window: Window,
    plan: WalkPlan,
    workers: TrialWorkers,
    watch: Watch,
) -> tuple[WalkForward, list[BacktestRun]]:
    """Walk; goes on where it was interrupted, because every trial is in the ledger.

    Returns:
        The outcome, and the runs of the test windows in which there was a choice to trade.
    """
    rows: list[FoldRow] = []
    runs: list[BacktestRun] = []
    pairs = walk_windows(window, plan)
    for number, (train, test) in enumerate(pairs):

        def observe(trials: list[Tried], total: int, number: int = number) -> None:
            share = (number + len(trials) / max(1, total)) / len(pairs)
            watch(rows, f"fold {number + 1} of {len(pairs)}, trial {len(trials)}", share)

        trials = Sweep(question, train, plan.sweep).run(workers, observe)
        row, run = _fold(workers, plan.sweep.metric, trials, train, test)
        rows.append(row)
        if run is not None:
            runs.append(run)
    watch(rows, "done", 1.0)
    return _outcome(plan, rows, runs), runs


def walk_so_far(plan: WalkPlan, rows: Sequence[FoldRow]) -> WalkForward:
    """What is known while it walks on: the folds, and nothing that needs all of them."""
    return _outcome(plan, rows, [])


def _fold(
    workers: TrialWorkers, metric: str, trials: list[Tried], train: Window, test: Window
) -> tuple[FoldRow, BacktestRun | None]:
    ranked = ranked_by(metric, [trial for trial in trials if trial.is_whole])
    best = ranked[0] if ranked and value_of(ranked[0].score, metric) is not None else None
    run = workers.runs([(best.point, test, AS_WRITTEN)])[0] if best is not None else None
    after: Score | None = score_of(run) if run is not None else None
    row = FoldRow(
        train_start_ns=train.start_ns,
        test_start_ns=test.start_ns,
        test_end_ns=test.end_ns,
        point=best.point if best is not None else None,
        inside=value_of(best.score, metric) if best is not None else None,
        outside=value_of(after, metric) if after is not None else None,
        inside_net=best.score.net if best is not None else 0.0,
        net=after.net if after is not None else 0.0,
        trades=after.trades if after is not None else 0,
        max_drawdown=after.max_drawdown if after is not None else 0.0,
    )
    return row, run


def _outcome(plan: WalkPlan, rows: Sequence[FoldRow], runs: Sequence[BacktestRun]) -> WalkForward:
    days, daily = stitched(runs)
    sharpe = daily_sharpe(daily)
    inside = [(Window(row.train_start_ns, row.test_start_ns), row.inside_net) for row in rows]
    after = [(Window(row.test_start_ns, row.test_end_ns), row.net) for row in rows]
    efficiency = efficiency_of(inside, after)
    net = round(sum(row.net for row in rows), 2)
    curve = list(zip(((days + 1) * NS_PER_DAY).tolist(), daily.cumsum().tolist(), strict=True))
    step = max(1, -(-len(curve) // CURVE_POINTS))
    kept = curve[::-1][::step][::-1]
    return WalkForward(
        metric=plan.sweep.metric,
        mode=plan.mode,
        planned=plan.folds,
        folds=tuple(rows),
        curve=tuple((at, round(value, 2)) for at, value in kept),
        net=net,
        trades=sum(row.trades for row in rows),
        sharpe=None if sharpe is None else sharpe * float(np.sqrt(252.0)),
        efficiency=efficiency,
        winning_folds=sum(row.net > 0.0 for row in rows),
        verdict=_verdict(rows, net, efficiency),
    )


def _verdict(rows: Sequence[FoldRow], net: float, efficiency: float | None) -> str:
    traded = [row for row in rows if row.trades]
    if not traded:
        return "Nothing was traded after any choice: nothing can be said."
    text = f"{sum(row.net > 0.0 for row in rows)} of {len(rows)} times after a choice earned"
    if net <= 0.0:
        return f"It loses {-net:,.2f} outside of where its numbers were chosen; {text}."
    if efficiency is None:
        return f"It earns {net:,.2f} after, although it lost where it was fitted; {text}."
    return f"It earns {net:,.2f} after, {efficiency:.0%} of what the choice promised; {text}."
