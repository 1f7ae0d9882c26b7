"""Walk-forward: windows without overlap, choices from the past alone, stitched results."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from research_fixtures import EmaCross, Quotes, random_walk

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.research.ranges import parse_ranges
from plan2.intelligence.research.stitching import efficiency_of, stitched
from plan2.intelligence.research.subject import Window
from plan2.intelligence.research.sweep import Question
from plan2.intelligence.research.sweep_plan import SweepPlan
from plan2.intelligence.research.trial_ledger import TrialLedger, question_of
from plan2.intelligence.research.trial_workers import TrialWorkers
from plan2.intelligence.research.walk_forward import (
    WalkForward,
    WalkPlan,
    walk_forward,
    walk_windows,
)

SWEEP = SweepPlan(ranges=parse_ranges(["fast=4:12:4", "slow=20:40:20"]), metric="net")
PLAN = WalkPlan(sweep=SWEEP, folds=4, train_share=2.0)


def walked(subject: EmaCross, folder: Path, plan: WalkPlan = PLAN) -> WalkForward:
    """Walk with one process."""
    ledger = TrialLedger(folder, question_of(subject.flow))
    with TrialWorkers(subject, 1) as workers:
        outcome, runs = walk_forward(
            Question(subject, ledger, SimulatedClock()),
            subject.window,
            plan,
            workers,
            lambda *_: None,
        )
    assert sum(len(run.trades) for run in runs) == outcome.trades
    return outcome


@given(
    days=st.floats(30, 3_000),
    folds=st.integers(2, 12),
    share=st.floats(1, 8),
    mode=st.sampled_from(["rolling", "anchored"]),
)
def test_windows_follow_each_other(days: float, folds: int, share: float, mode: str) -> None:
    """Windows follow each other."""
    window = Window(5 * NS_PER_DAY, int((5 + days) * NS_PER_DAY))
    plan = WalkPlan(sweep=SWEEP, folds=folds, train_share=share, mode=mode)
    pairs = walk_windows(window, plan)
    assert len(pairs) == folds
    assert pairs[-1][1].end_ns == window.end_ns
    for train, test in pairs:
        assert window.start_ns <= train.start_ns < train.end_ns == test.start_ns < test.end_ns
        if mode == "anchored":
            assert train.start_ns == window.start_ns
        length = test.end_ns - test.start_ns
        assert train.end_ns - train.start_ns >= 0.99 * min(share, 1.0) * length
    for (_, earlier), (_, later) in itertools.pairwise(pairs):
        assert earlier.end_ns == later.start_ns


def test_too_short_a_time_is_refused() -> None:
    """Too short a time is refused."""
    with pytest.raises(InputError, match="too few for 6 folds"):
        walk_windows(Window(0, 8 * NS_PER_DAY), WalkPlan(sweep=SWEEP))


def test_each_fold_trades_the_best_of_its_own_past(tmp_path: Path) -> None:
    """Each fold trades the best of its own past."""
    subject = EmaCross(random_walk(120, seed=4, memory=0.4))
    outcome = walked(subject, tmp_path)
    for row in outcome.folds:
        train = Window(row.train_start_ns, row.test_start_ns)
        nets = {
            (fast, slow): subject.run({"fast": fast, "slow": slow}, train).trades["net"].sum()
            for fast in (4.0, 8.0, 12.0)
            for slow in (20.0, 40.0)
        }
        assert row.point is not None
        assert nets[row.point["fast"], row.point["slow"]] == pytest.approx(max(nets.values()))
        after = subject.run(row.point, Window(row.test_start_ns, row.test_end_ns))
        assert row.net == pytest.approx(after.end_balance - after.start_balance, abs=0.01)
    assert outcome.net == pytest.approx(sum(row.net for row in outcome.folds), abs=0.01)
    assert outcome.curve[-1][1] == pytest.approx(outcome.net, abs=0.02)


def test_the_future_changes_no_choice(tmp_path: Path) -> None:
    """The future changes no choice."""
    quotes = random_walk(120, seed=4)
    first = walked(EmaCross(quotes), tmp_path / "a")
    cut = first.folds[-1].test_start_ns
    later = quotes.ts_ns >= cut
    other = Quotes(quotes.ts_ns, np.where(later, quotes.mid[::-1], quotes.mid))
    second = walked(EmaCross(other), tmp_path / "b")
    assert [row.point for row in first.folds] == [row.point for row in second.folds]
    assert first.folds[:-1] == second.folds[:-1]
    assert first.folds[-1].net != second.folds[-1].net


def test_an_interrupted_walk_goes_on(tmp_path: Path) -> None:
    """An interrupted walk goes on."""
    quotes = random_walk(100, seed=6)
    expected = walked(EmaCross(quotes), tmp_path)
    again = EmaCross(quotes)
    assert walked(again, tmp_path) == expected
    assert sum(again.calls) == 0


def test_a_choice_without_trades_trades_nothing(tmp_path: Path) -> None:
    """A choice without trades trades nothing."""
    plan = replace_metric(PLAN, "sharpe")
    flat = random_walk(60, seed=1)
    still = Quotes(flat.ts_ns, np.full(len(flat.mid), 1.1))
    outcome = walked(EmaCross(still), tmp_path, plan)
    assert {row.point for row in outcome.folds} == {None}
    assert outcome.trades == 0
    assert outcome.efficiency is None
    assert "nothing can be said" in outcome.verdict


def replace_metric(plan: WalkPlan, metric: str) -> WalkPlan:
    """The same plan by another metric."""
    sweep = SweepPlan(ranges=plan.sweep.ranges, metric=metric)
    return WalkPlan(sweep=sweep, folds=plan.folds, train_share=plan.train_share)


def test_efficiency_by_hand() -> None:
    """Efficiency by hand."""
    # 300 in 30 days where it was chosen, 60 in 20 days after: 3 a day of 10 a day.
    inside = [(Window(0, 30 * NS_PER_DAY), 300.0)]
    after = [(Window(0, 10 * NS_PER_DAY), 80.0), (Window(0, 10 * NS_PER_DAY), -20.0)]
    assert efficiency_of(inside, after) == pytest.approx(0.3)
    assert efficiency_of([(Window(0, NS_PER_DAY), -5.0)], after) is None


def test_a_shared_day_is_one_day() -> None:
    """A shared day is one day."""
    subject = EmaCross(random_walk(30, seed=2))
    start, end = subject.window.start_ns, subject.window.end_ns
    noon = start + 10 * NS_PER_DAY + NS_PER_DAY // 2
    runs = [subject.run({}, Window(start, noon)), subject.run({}, Window(noon, end))]
    days, changes = stitched(runs)
    assert len(days) == len(np.unique(days)) == 22
    assert changes.sum() == pytest.approx(sum(run.end_balance - 10_000.0 for run in runs))
    alone = replace(runs[0], start_balance=9_000.0)
    assert stitched([alone])[1].sum() == pytest.approx(runs[0].end_balance - 9_000.0)
