"""Ticks and bars of the past together: bars stand in where a symbol has no ticks."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from model_fixtures import random_walk, request

from plan2.commands.evaluate import command as evaluate
from plan2.commands.train import END_OF_TIME_NS
from plan2.commands.training_order import Order, Trained
from plan2.commands.training_run import carry_out
from plan2.dataflow.archive import TickArchive
from plan2.dataflow.bar_archive import BarArchive
from plan2.dataflow.bars import build_bars
from plan2.dataflow.market_archive import Holding, MarketArchive
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY, TickBlock
from plan2.intelligence.training.train import gathered
from plan2.wiring.data_sets import BuildOrder, assembled

DAYS = 12


@pytest.fixture(scope="module")
def walk() -> TickBlock:
    """A random walk of EURUSD."""
    return random_walk(4, float(DAYS))


@pytest.fixture
def folder(tmp_path: Path, walk: TickBlock) -> Path:
    """A data folder with bars of two periods, as a new user brings them."""
    bars = BarArchive(tmp_path / "archive")
    for period_s in (60, 300):
        bars.merge(build_bars(walk, period_s))
    return tmp_path


def order(folder: Path, **changes: object) -> Order:
    """An evaluation of logistic regression alone."""
    usual = {
        "folder": folder, "symbols": (), "families": ("logistic",), "start_ns": 0,
        "end_ns": END_OF_TIME_NS, "seed": 1, "horizon_minutes": 60, "bar_period_s": 60,
        "registers": False,
    }  # fmt: skip
    return Order(**{**usual, **changes})


def test_bars_stand_in_where_there_are_no_ticks(folder: Path, walk: TickBlock) -> None:
    """The shortest period is taken; it counts bars until there are ticks."""
    archive = MarketArchive(folder / "archive")
    bars = build_bars(walk, 60)
    assert archive.symbols() == ("EURUSD",)
    assert archive.bar_period_s("EURUSD") == 60
    first_ns, last_ns = int(bars.ts_ns[0]), int(bars.ts_ns[-1])
    days = (last_ns - first_ns) // NS_PER_DAY + 1
    assert archive.holdings() == [Holding("EURUSD", days, 0, len(bars), first_ns, last_ns)]

    archive.ticks.merge(walk)

    assert archive.bar_period_s("EURUSD") == 0
    [held] = archive.holdings()
    assert (held.ticks, held.bars) == (len(walk), 0)
    assert (held.first_ts_ns, held.last_ts_ns) == (int(walk.ts_ns[0]), int(walk.ts_ns[-1]))


def test_training_reads_bars_as_a_data_set_of_them_does(folder: Path) -> None:
    """One way from bars to samples, whichever verb is typed."""
    asked = request(("EURUSD",), horizon_minutes=60)
    bars = MarketArchive(folder / "archive").bars("EURUSD")
    [ours] = gathered(asked, {"EURUSD": bars}, lambda *_: None).series
    built = BuildOrder(name="same", start_ns=0, end_ns=END_OF_TIME_NS, bars_s=60)
    [theirs] = assembled(folder, built, asked, lambda _: None)
    assert len(ours.labels) > 0
    assert ours.labels.tobytes() == theirs.labels.tobytes()
    assert ours.tick_hash == theirs.tick_hash


def test_a_report_on_bars_says_so(folder: Path) -> None:
    """A new user's first way: import bars, then one command; nothing is called ticks."""
    found: Trained = carry_out(order(folder), lambda *_: None)
    assert found.events > 100
    assert found.report[-1].startswith("Made of bars, not of ticks")
    assert "Made of bars" in Path(found.page).read_text(encoding="utf-8")


def test_bars_too_coarse_for_the_horizon_are_refused(folder: Path) -> None:
    """Five-minute bars hold both barriers of an hour too often; what to do is said."""
    asked = request(("EURUSD",), horizon_minutes=60)
    coarse = BarArchive(folder / "archive").read("EURUSD", 300)
    with pytest.raises(InputError, match=r"too coarse.*at least 20 bars"):
        gathered(asked, {"EURUSD": coarse}, lambda *_: None)


def test_nothing_archived_is_said_with_both_ways_out(tmp_path: Path) -> None:
    """Before any import."""
    found = CliRunner().invoke(evaluate, ["--data-dir", str(tmp_path)])
    assert isinstance(found.exception, InputError)
    assert "Bring ticks or bars in" in found.exception.remedy
    assert TickArchive(tmp_path / "archive").symbols() == ()
