"""Trials in processes: in the order asked, bit for bit, in shares small enough to balance."""

import math
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest
from research_fixtures import EmaCross, random_walk

from plan2.foundation.clock import SimulatedClock
from plan2.intelligence.research import score as scores_module
from plan2.intelligence.research.ranges import Point, parse_ranges
from plan2.intelligence.research.score import Score
from plan2.intelligence.research.subject import Window
from plan2.intelligence.research.sweep import Question, Sweep
from plan2.intelligence.research.sweep_plan import SweepPlan
from plan2.intelligence.research.trial_ledger import TrialLedger, question_of
from plan2.intelligence.research.trial_workers import TrialWorkers

WINDOW = Window(0, 1)
ODD = (-0.0, 0.1, 5e-324, 1.7976931348623157e308, math.inf, 1 / 3)
PROCESSES = 2
SHARE_MAX = 1 / 8
"""Of what a process would get if all were dealt out at once: what the others may wait for."""


class Told(EmaCross):
    """Scores say how many points they were asked together with, and which their own is."""

    def scores(self, points: Sequence[Point], window: Window) -> list[Score]:
        """`trades` = how many points were asked at once, `net` = the point's own number."""
        return [
            Score(
                trades=len(points), wins=0, net=point["n"], gross=ODD[int(point["n"]) % len(ODD)],
                gains=0.0, losses=0.0, max_drawdown=0.0, daily=ODD[: int(point["n"]) % len(ODD)],
            )
            for point in points
        ]  # fmt: skip


def bits(score: Score) -> bytes:
    """A score's floats as they are in memory, with which equal ones of another sign differ."""
    floats = (score.net, score.gross, *score.daily)
    return struct.pack(f"{len(floats)}d", *floats)


@pytest.mark.parametrize("count", [1, 2, 3, 160])
def test_scores_come_in_order_and_bit_for_bit_in_small_shares(count: int) -> None:
    """However many there are; no share is so large that one process ends up working alone."""
    subject = Told(random_walk(3, seed=1))
    points = [{"n": float(number)} for number in range(count)]

    with TrialWorkers(subject, PROCESSES) as workers:
        found = workers.scores(points, WINDOW)

    here = subject.scores(points, WINDOW)
    assert [bits(each) for each in found] == [bits(each) for each in here]
    limit = max(1.0, count / PROCESSES * SHARE_MAX)
    assert max(each.trades for each in found) <= limit


@pytest.mark.parametrize(("method", "asked"), [("grid", 0), ("random", 0), ("tpe", 6)])
def test_a_value_is_worked_out_only_for_who_learns_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, asked: int
) -> None:
    """A grid and draws come as they come: the metric is for the result, once, at the end."""
    calls: list[Score] = []
    monkeypatch.setitem(
        scores_module.METRICS, "net", lambda score: calls.append(score) or score.net
    )
    subject = EmaCross(random_walk(30, seed=3))
    ranges = parse_ranges(["fast=4:8:4", "slow=20:40:10"])
    plan = SweepPlan(ranges=ranges, method=method, metric="net", trials=6)
    ledger = TrialLedger(tmp_path, question_of(subject.flow))
    sweep = Sweep(Question(subject, ledger, SimulatedClock(0)), subject.window, plan)

    with TrialWorkers(subject, 1) as workers:
        trials = sweep.run(workers, lambda *_: None)

    assert (len(trials), len(calls)) == (6, asked)
