"""A wish carried out: partial reports while it runs, the judgement at the end, and the shelf."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from research_fixtures import FLOW_TEXT, EmaCross, random_walk

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND
from plan2.intelligence.research.carry_out import Laboratory, carry_out
from plan2.intelligence.research.report import Report
from plan2.intelligence.research.shelf import KEPT_MAX, Shelf
from plan2.intelligence.research.stitching import joined
from plan2.intelligence.research.subject import Window
from plan2.intelligence.research.wish import Wish

SUBJECT = EmaCross(random_walk(120, seed=8, memory=0.6))
SWEEP = Wish(kind="sweep", flow=FLOW_TEXT, ranges=("fast=4:12:4", "slow=20:40:10"))


class Clock(SimulatedClock):
    """A second later whenever it is asked."""

    def now_ns(self) -> int:
        """The next second."""
        self.advance_to(super().now_ns() + NS_PER_SECOND)
        return super().now_ns()


def done(wish: Wish, folder: Path) -> tuple[Report, list[Report]]:
    """A wish carried out, and everything that was told on the way."""
    told: list[Report] = []
    shelf = Shelf(folder)
    shelf.ask(wish)
    laboratory = Laboratory(SUBJECT, shelf, Clock(), told.append, "code")
    return carry_out(wish, laboratory), told


def test_a_sweep_is_told_while_it_runs_and_judged_at_the_end(tmp_path: Path) -> None:
    """A sweep is told while it runs and judged at the end."""
    report, told = done(SWEEP, tmp_path)
    assert told[-1] == report == Shelf(tmp_path).report(SWEEP.research_id)
    partial = [each for each in told if each.state == "running" and each.sweep is not None]
    assert partial
    assert all(each.sweep.deflated is None and each.sweep.rows for each in partial[1:])
    assert [each.fraction for each in told] == sorted(each.fraction for each in told)
    assert report.sweep is not None
    assert report.run is not None
    assert report.run.point == report.sweep.best.point
    assert report.run.net == report.sweep.best.net
    assert [each.ok for each in report.detections] == [True] * 6
    assert report.chance is not None
    assert report.chance.fan.actual[-1] == pytest.approx(report.run.net, abs=0.01)
    assert report.chance.entries is not None
    assert report.verdict == report.sweep.verdict


def test_a_walk_and_a_stress_are_judged_too(tmp_path: Path) -> None:
    """A walk and a stress are judged too."""
    walk = msgspec.structs.replace(SWEEP, kind="walk_forward", metric="net", folds=3)
    report, told = done(walk, tmp_path)
    assert report.walk_forward is not None
    assert report.run is not None
    assert report.run.net == pytest.approx(report.walk_forward.net, abs=0.01)
    assert any(each.walk_forward is not None for each in told[:-1])
    stress = Wish(kind="stress", flow=FLOW_TEXT, noise_runs=2, jitter_runs=2)
    report, _ = done(stress, tmp_path)
    assert report.stress is not None
    assert "1.5 times the costs" in report.verdict


def test_an_equal_wish_has_the_same_name_and_other_ones_another() -> None:
    """An equal wish has the same name and other ones another."""
    assert SWEEP.research_id == msgspec.structs.replace(SWEEP, processes=4).research_id
    assert SWEEP.research_id != msgspec.structs.replace(SWEEP, seed=2).research_id


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ranges": ()}, "No parameter varies"),
        ({"ranges": ("quick=1:2",)}, "no parameter 'quick'"),
        ({"ranges": ("fast=0.5:2.5",)}, "needs steps"),
        ({"metric": "luck"}, "no metric"),
        ({"flow": "name ="}, "not TOML"),
        ({"parameters": {"quick": 1.0}}, "no parameter 'quick'"),
        ({"start_ns": 5, "end_ns": 5}, "before the time to stop"),
        ({"kind": "stress"}, "not ranges"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(change: dict[str, object], says: str) -> None:
    """What cannot be done is refused at once."""
    with pytest.raises(InputError, match=says):
        msgspec.structs.replace(SWEEP, **change).check()


def test_a_time_without_ticks_is_refused(tmp_path: Path) -> None:
    """A time without ticks is refused."""
    with pytest.raises(InputError, match="no ticks in the chosen time"):
        done(msgspec.structs.replace(SWEEP, start_ns=1, end_ns=NS_PER_DAY), tmp_path)


def test_the_shelf_keeps_the_newest_and_names_what_is_damaged(tmp_path: Path) -> None:
    """The shelf keeps the newest and names what is damaged."""
    shelf = Shelf(tmp_path)
    for seed in range(KEPT_MAX + 3):
        shelf.ask(msgspec.structs.replace(SWEEP, seed=seed))
    assert len(shelf.newest(1_000)) == KEPT_MAX
    assert shelf.has(msgspec.structs.replace(SWEEP, seed=KEPT_MAX + 2).research_id)
    assert not shelf.has("../secret")
    with pytest.raises(InputError, match="no research"):
        shelf.wish("../../../../etc/passwd")
    (newest, *_) = shelf.newest(1)
    (shelf.folder / newest / "wish.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        shelf.wish(newest)
    assert shelf.report(newest) is None


def test_joined_runs_go_on_with_the_money_before() -> None:
    """Joined runs go on with the money before."""
    start, end = SUBJECT.window.start_ns, SUBJECT.window.end_ns
    middle = (start + end) // 2
    runs = [SUBJECT.run({}, Window(start, middle)), SUBJECT.run({}, Window(middle, end))]
    whole = joined(runs)
    gains = [run.end_balance - run.start_balance for run in runs]
    assert whole.end_balance == pytest.approx(10_000.0 + sum(gains))
    assert whole.equity["equity"][-1] == pytest.approx(whole.end_balance)
    # The second curve begins where the first one ended.
    first = len(runs[0].equity)
    second = runs[1].equity["equity"].to_numpy() + gains[0]
    assert np.allclose(whole.equity["equity"].to_numpy()[first:], second)
    assert len(whole.trades) == sum(len(run.trades) for run in runs)
