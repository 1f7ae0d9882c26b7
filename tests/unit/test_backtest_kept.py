"""Kept runs: whole or not at all, never changed; damage is named; exports and comparisons."""

import csv
import io
import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from plan2.foundation.errors import InputError
from plan2.intelligence.backtest.figures.whole import figures_of
from plan2.intelligence.backtest.kept.cells import cell, figure_text
from plan2.intelligence.backtest.kept.compare import compare
from plan2.intelligence.backtest.kept.export import export
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.intelligence.backtest.kept.terms import TABLES, Made, summary_of
from plan2.intelligence.backtest.publish import tries_beside
from plan2.intelligence.backtest.run import BacktestRun
from unit.backtest_fixtures import MONDAY_NS, flow_of, run_of, trade, walk

CODE = "c" * 64


def keep(kept: KeptRuns, run: BacktestRun, made_ns: int = 1) -> str:
    """Keep a run with a page that is only a word."""
    figures = figures_of(run, tries_beside(run, kept))
    return kept.add(
        run, summary_of(run, figures, Made(ts_ns=made_ns, code_hash=CODE)), figures, "<p>page</p>"
    )


@pytest.fixture
def kept(tmp_path: Path) -> KeptRuns:
    """An empty shelf."""
    return KeptRuns(tmp_path / "tenant")


def test_what_was_kept_comes_back(kept: KeptRuns) -> None:
    """Record, figures, tables and page are what was given."""
    run = walk()
    run_id = keep(kept, run, made_ns=5)
    record = kept.record(run_id)
    assert (record.summary.run_id, record.summary.made_ns, record.flow) == (run_id, 5, run.flow)
    assert record.summary.trades == run.trades.height
    assert kept.figures(run_id) == figures_of(run)
    assert kept.page(run_id) == b"<p>page</p>"
    for name in TABLES:
        assert_frame_equal(kept.table(run_id, name), getattr(run, name))


def test_a_run_is_kept_once(kept: KeptRuns) -> None:
    """The second time changes nothing; nothing unfinished is left."""
    run = walk()
    run_id = keep(kept, run, made_ns=1)
    keep(kept, run, made_ns=2)
    assert kept.record(run_id).summary.made_ns == 1
    assert [each.run_id for each in kept.list().runs] == [run_id]


def test_lists_are_newest_first(kept: KeptRuns) -> None:
    """By the time at which they were made."""
    old, new = keep(kept, walk(seed=1), 1), keep(kept, walk(seed=2), 2)
    shelf = kept.list()
    assert [each.run_id for each in shelf.runs] == [new, old]
    assert shelf.size > 0


@pytest.mark.parametrize("name", ["run.json", "figures.json", "trades.parquet"])
def test_damage_is_named_and_not_fatal(kept: KeptRuns, tmp_path: Path, name: str) -> None:
    """A file that is cut off: the run is listed as damaged, the other one as whole."""
    broken, whole = keep(kept, walk(seed=1)), keep(kept, walk(seed=2))
    file = tmp_path / "tenant" / "backtests" / broken / name
    file.write_bytes(file.read_bytes()[:-7])
    shelf = kept.list()
    assert [each.run_id for each in shelf.runs] == [whole]
    assert [each.run_id for each in shelf.damaged] == [broken]
    assert name in shelf.damaged[0].reason


def test_a_changed_byte_is_noticed_when_it_is_read(kept: KeptRuns, tmp_path: Path) -> None:
    """The length is the same, the content is not; running again repairs it."""
    run = walk()
    run_id = keep(kept, run)
    file = tmp_path / "tenant" / "backtests" / run_id / "equity.parquet"
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"equity\.parquet is not what was written"):
        kept.table(run_id, "equity")
    keep(kept, run)
    assert_frame_equal(kept.table(run_id, "equity"), run.equity)


@pytest.mark.parametrize("name", ["", "..", "../other", "a/b", "unknown-run-id", ".hidden-run"])
def test_only_ids_name_runs(kept: KeptRuns, name: str) -> None:
    """Nothing else of the disk can be asked for or removed."""
    keep(kept, walk())
    for ask in (kept.record, kept.remove, kept.page):
        with pytest.raises(InputError, match="There is no backtest"):
            ask(name)


def test_pruning_takes_the_oldest_first_and_leaves_the_newest(kept: KeptRuns) -> None:
    """By number, then by size."""
    ids = [keep(kept, walk(seed=seed), seed) for seed in (1, 2, 3)]
    assert kept.prune(2, 10**9) == (ids[0],)
    assert kept.prune(2, 1) == (ids[1],)
    assert [each.run_id for each in kept.list().runs] == [ids[2]]


def test_other_runs_of_the_flow_are_tries(kept: KeptRuns) -> None:
    """The same flow with other parameters counts, another flow does not, a repetition neither."""
    run = walk(seed=1)
    keep(kept, run)
    keep(kept, walk(seed=2, flow=flow_of(fast=20.0)))
    keep(kept, walk(seed=3, flow=flow_of(name="other")))
    assert len(tries_beside(run, kept)) == 1
    assert len(tries_beside(walk(seed=4), kept)) == 2


def test_csv_is_what_the_screen_shows(kept: KeptRuns) -> None:
    """Times in UTC, money with two decimals, sides in words."""
    run = run_of([trade(0, -3.5, side=-1, commission=-0.7, gross=-2.8)], [(MONDAY_NS, 9_996.5)])
    run_id = keep(kept, run)
    rows = list(csv.DictReader(io.StringIO(export(kept, run_id, "csv", "trades").decode())))
    assert rows[0]["open_utc"] == "2024-01-01T00:00:00.000Z"
    assert rows[0]["close_utc"] == "2024-01-01T01:00:00.000Z"
    assert (rows[0]["side"], rows[0]["net"], rows[0]["commission"]) == ("short", "-3.50", "-0.70")
    assert (rows[0]["lots"], rows[0]["open_price"]) == ("0.1", "1.1")


def test_a_reason_is_no_formula(kept: KeptRuns) -> None:
    """What a plug-in calls its exit does not run in a spreadsheet."""
    run = run_of([trade(0, 1.0, exit_reason="=HYPERLINK(1)")], [(MONDAY_NS, 10_001.0)])
    found = export(kept, keep(kept, run), "csv", "trades").decode()
    assert ",'=HYPERLINK(1)," in found


def test_exports_hold_everything(kept: KeptRuns) -> None:
    """JSON: all parts, null for what is no number; Parquet: the frame; metrics: every one."""
    run = walk()
    run_id = keep(kept, run)
    whole = json.loads(export(kept, run_id, "json"))
    assert len(whole["trades"]) == run.trades.height
    assert whole["summary"]["log_digest"] == run.log_digest
    frame = pl.read_parquet(io.BytesIO(export(kept, run_id, "parquet", "orders")))
    assert_frame_equal(frame, run.orders)
    metrics = list(csv.DictReader(io.StringIO(export(kept, run_id, "csv", "metrics").decode())))
    figures = figures_of(run).metrics
    assert {row["metric"] for row in metrics} == set(figures)
    rate = next(row for row in metrics if row["metric"] == "win_rate")
    assert float(rate["value"]) == figures["win_rate"].value
    with pytest.raises(InputError, match="not as Parquet"):
        export(kept, run_id, "parquet", "metrics")


def test_a_comparison_marks_the_better_one(kept: KeptRuns) -> None:
    """More is better for the net result, less for volatility, neither for exposure."""
    good = run_of([trade(0, 50.0)], [(MONDAY_NS, 10_050.0)], flow=flow_of(fast=5.0))
    bad = run_of([trade(0, -50.0)], [(MONDAY_NS, 9_950.0)])
    found = compare(kept, [keep(kept, bad), keep(kept, good)])
    best = {each.definition.name: each.best for each in found.figures}
    assert best["net_profit"] == (1,)
    assert best["max_drawdown"] == (1,)
    assert best["exposure"] == ()
    assert found.parameters == {"fast": (12.0, 5.0)}
    assert found.notes == ()


def test_a_comparison_says_what_differs(kept: KeptRuns) -> None:
    """Other times, other ticks; one run or seven are refused."""
    one = keep(kept, walk(seed=1))
    other = keep(kept, walk(days=30, seed=2, data_id="e" * 64))
    notes = " ".join(compare(kept, [one, other]).notes)
    assert "different times" in notes
    assert "different ticks" in notes
    for wrong in ([one], [one, one], [one] * 7):
        with pytest.raises(InputError, match="two to 6"):
            compare(kept, wrong)


def test_cells_and_figures_as_text() -> None:
    """Nothing has not happened; no negative zero; hours below a day."""
    assert cell("filled_ns", 0) == ""
    assert cell("net", -0.0) == "0.00"
    assert cell("price", 1.10025) == "1.10025"
    assert figure_text("days", 0.25) == "6.0 h"
    assert figure_text("fraction", -0.1234) == "-12.34%"
    assert figure_text("money", None) == "–"
