"""Sweeps: every trial counted, the same whoever runs them, going on where they were stopped."""

from pathlib import Path

import numpy as np
import pytest
from research_fixtures import EmaCross, random_walk

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError, InvariantBroken
from plan2.foundation.values import NS_PER_MINUTE
from plan2.intelligence.research.ranges import parse_ranges
from plan2.intelligence.research.score import Score, score_of, value_of
from plan2.intelligence.research.sweep import Question, Sweep
from plan2.intelligence.research.sweep_plan import SweepPlan
from plan2.intelligence.research.sweep_result import SweepResult, sweep_result
from plan2.intelligence.research.trial_ledger import TrialLedger, Tried, question_of
from plan2.intelligence.research.trial_workers import TrialWorkers

QUOTES = random_walk(90, seed=3)
PLAN = SweepPlan(ranges=parse_ranges(["fast=4:12:4", "slow=20:40:10"]), metric="net")


class TickingClock(SimulatedClock):
    """Moves on by a minute whenever it is asked."""

    def now_ns(self) -> int:
        """A minute later than the last time."""
        self.advance_to(super().now_ns() + NS_PER_MINUTE)
        return super().now_ns()


def swept(
    folder: Path,
    plan: SweepPlan = PLAN,
    subject: EmaCross | None = None,
    processes: int = 1,
    stop_after: int | None = None,
) -> tuple[list[Tried], SweepResult]:
    """Run a sweep and take its result; `stop_after` so many trials it is interrupted."""
    subject = subject or EmaCross(QUOTES)
    ledger = TrialLedger(folder, question_of(subject.flow))
    sweep = Sweep(Question(subject, ledger, TickingClock()), subject.window, plan)
    totals = []

    def observe(trials: list[Tried], total: int) -> None:
        totals.append(total)
        if stop_after is not None and len(trials) >= stop_after:
            raise KeyboardInterrupt

    with TrialWorkers(subject, processes) as workers:
        trials = sweep.run(workers, observe)
    return trials, sweep_result(plan, trials, totals[-1], ledger)


def test_a_grid_tries_every_point_and_its_best_is_the_best_run(tmp_path: Path) -> None:
    """A grid tries every point and its best is the best run."""
    _, result = swept(tmp_path)
    assert result.trials == result.planned == result.counted == 9
    subject = EmaCross(QUOTES)
    own = {
        (fast, slow): score_of(subject.run({"fast": fast, "slow": slow}, subject.window)).net
        for fast in (4.0, 8.0, 12.0)
        for slow in (20.0, 30.0, 40.0)
    }
    best = max(own, key=lambda key: own[key])
    assert result.best is not None
    assert (result.best.point["fast"], result.best.point["slow"]) == best
    assert result.best.value == own[best]
    assert [row.net for row in result.rows] == sorted(own.values(), reverse=True)
    (heat,) = result.heat_maps
    assert heat.cells[1][2] == own[12.0, 30.0]


def test_a_walk_without_edge_is_told_from_skill(tmp_path: Path) -> None:
    """A walk without edge is told from skill."""
    _, result = swept(tmp_path, SweepPlan(ranges=PLAN.ranges))
    assert result.deflated is not None
    assert result.deflated < 0.95
    assert "cannot be told from luck" in result.verdict


def test_a_real_trend_stands_out(tmp_path: Path) -> None:
    """A real trend stands out."""
    subject = EmaCross(random_walk(200, seed=5, memory=0.9))
    _, result = swept(tmp_path, SweepPlan(ranges=PLAN.ranges), subject)
    assert result.deflated is not None
    assert result.deflated > 0.99
    assert result.overfitting is not None
    assert "stands out from luck" in result.verdict


def test_two_processes_give_the_same_trials(tmp_path: Path) -> None:
    """Two processes give the same trials."""
    alone, _ = swept(tmp_path / "one")
    together, _ = swept(tmp_path / "two", processes=2)
    assert alone == together


def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path: Path) -> None:
    """An interrupted sweep goes on where it was."""
    whole, expected = swept(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        swept(tmp_path / "cut", stop_after=4)
    subject = EmaCross(QUOTES)
    trials, result = swept(tmp_path / "cut", subject=subject)
    assert sum(subject.calls) == len(whole) - 4
    assert trials == whole
    assert result == expected
    again = EmaCross(QUOTES)
    swept(tmp_path / "cut", subject=again)
    assert sum(again.calls) == 0


def test_earlier_sweeps_of_the_same_rule_count_against_the_best(tmp_path: Path) -> None:
    """Earlier sweeps of the same rule count against the best."""
    _, first = swept(tmp_path)
    more = SweepPlan(ranges=parse_ranges(["fast=5,6", "slow=25"]), metric="net")
    _, second = swept(tmp_path, more)
    assert (first.counted, second.counted) == (9, 11)


@pytest.mark.parametrize("method", ["random", "tpe"])
def test_draws_keep_to_their_budget_and_repeat(tmp_path: Path, method: str) -> None:
    """Draws keep to their budget and repeat."""
    ranges = parse_ranges(["fast=3:15", "slow=log(18,60)"])
    plan = SweepPlan(ranges=ranges, method=method, trials=10, metric="net", seed=4)
    trials, result = swept(tmp_path / "a", plan)
    assert len(trials) == 10
    assert result.planned == 10
    assert all(3 <= t.point["fast"] <= 15 and 18 <= t.point["slow"] <= 60 for t in trials)
    assert trials == swept(tmp_path / "b", plan)[0]
    if method == "tpe":
        assert trials == swept(tmp_path / "c", plan, processes=2)[0]


def test_a_guided_search_goes_on_after_an_interruption(tmp_path: Path) -> None:
    """A guided search goes on after an interruption."""
    ranges = parse_ranges(["fast=3:15", "slow=20:60"])
    plan = SweepPlan(ranges=ranges, method="tpe", trials=12, metric="net")
    with pytest.raises(KeyboardInterrupt):
        swept(tmp_path, plan, stop_after=4)
    subject = EmaCross(QUOTES)
    trials, _ = swept(tmp_path, plan, subject)
    assert len(trials) == 12
    assert sum(subject.calls) < 12


def test_time_and_patience_end_a_sweep(tmp_path: Path) -> None:
    """Time and patience end a sweep."""
    many = parse_ranges(["fast=3:15", "slow=20:60"])
    limited = SweepPlan(ranges=many, metric="net", minutes=5.0)
    trials, result = swept(tmp_path / "minutes", limited)
    assert 0 < len(trials) < result.planned
    patient = SweepPlan(ranges=many, metric="net", patience=8)
    trials, _ = swept(tmp_path / "patience", patient)
    values = [trial.score.net for trial in trials]
    assert len(trials) < 13 * 41
    assert max(values[-8:]) <= max(values[:-8])


def test_the_worse_half_is_left_after_a_third_and_still_counted(tmp_path: Path) -> None:
    """The worse half is left after a third and still counted."""
    plan = SweepPlan(
        ranges=parse_ranges(["fast=3:10", "slow=20:26:2"]), metric="net", median_stop=True
    )
    trials, result = swept(tmp_path, plan)
    assert len(trials) == result.counted == 32
    assert 8 <= result.stopped < 24
    assert all(len(t.score.daily) < 30 for t in trials if not t.is_whole)
    assert result.best is not None
    assert result.best.is_whole


def test_a_range_of_no_parameter_and_an_unknown_metric_are_refused(tmp_path: Path) -> None:
    """A range of no parameter and an unknown metric are refused."""
    with pytest.raises(InputError, match="no parameter 'quick'"):
        swept(tmp_path, SweepPlan(ranges=parse_ranges(["quick=1:2"])))
    with pytest.raises(InputError, match="no metric"):
        swept(tmp_path, SweepPlan(ranges=PLAN.ranges, metric="luck"))


def test_a_changed_ledger_is_noticed(tmp_path: Path) -> None:
    """A changed ledger is noticed."""
    swept(tmp_path)
    (file,) = (tmp_path / "trials").iterdir()
    file.write_bytes(file.read_bytes().replace(b'"trades":', b'"trades":1', 1))
    with pytest.raises(InvariantBroken):
        swept(tmp_path)


def test_metrics_by_hand() -> None:
    """Metrics by hand."""
    daily = (100.0, -50.0, 0.0, 150.0)  # mean 50, sample deviation √(25,000/3) = 91.287
    score = Score(
        trades=12, wins=6, net=200.0, gross=230.0, gains=500.0, losses=-300.0,
        max_drawdown=80.0, daily=daily,
    )  # fmt: skip
    deviation = np.sqrt((50.0**2 + 100.0**2 + 50.0**2 + 100.0**2) / 3)
    assert value_of(score, "sharpe") == pytest.approx(50.0 / deviation * np.sqrt(252))
    assert value_of(score, "profit_factor") == pytest.approx(5 / 3)
    assert value_of(score, "recovery_factor") == 2.5
    assert value_of(score, "expectancy") == pytest.approx(200 / 12)
