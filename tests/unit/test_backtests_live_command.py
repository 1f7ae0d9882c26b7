"""`plan2 backtests live`: figures of trading beside those of the run, from the running Plan2."""

import json
from pathlib import Path

import pytest
from api_stand_in import running
from click.testing import CliRunner

from plan2 import cli
from plan2.commands import backtests_live
from plan2.commands.running import NotRunning
from plan2.foundation.errors import InputError
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.wiring.result_folders import results_folder
from unit.backtest_fixtures import walk
from unit.test_backtest_kept import keep

NOON_US = 1_709_640_000_000_000
LIVE = {
    "version": 2, "state": "live", "first_us": NOON_US, "last_us": NOON_US + 3_600_000_000,
    "open": 1, "figures": {
        "net_profit": {"value": -12.5, "reason": "", "low": None, "high": None},
        "trades": {"value": 3.0, "reason": "", "low": None, "high": None},
        "profit_factor": {"value": None, "reason": "No trade lost.", "low": None, "high": None},
    },
}  # fmt: skip
PAPER = {
    "version": 2, "state": "paper", "first_us": 0, "last_us": 0, "open": 0, "figures": {},
}  # fmt: skip


def kept_run(folder: Path, tenant: str = "default") -> tuple[str, KeptRuns]:
    """A run of a tenant in a data folder."""
    kept = KeptRuns(results_folder(folder, tenant))
    return keep(kept, walk()), kept


def said(folder: Path, words: list[str], answer: object) -> tuple[str, list[str]]:
    """What the verb prints, and which paths it asked for."""
    with running(folder, lambda *_: (200, answer)) as asked:
        done = CliRunner().invoke(cli.command, ["--data-dir", str(folder), "backtests", *words])
    assert done.exit_code == 0, done.output
    return done.output, asked


def test_what_was_earned_since_stands_beside_the_run(tmp_path: Path) -> None:
    """A column each, the run's own figure first; what cannot be had is a dash, never a zero."""
    run_id, kept = kept_run(tmp_path)
    shown, asked = said(tmp_path, ["live", run_id[:6]], [LIVE, PAPER])
    assert asked == [f"GET backtests/{run_id}/live"]
    lines = shown.splitlines()
    assert lines[0] == ("Version 2, live: 2024-03-05 12:00:00Z to 2024-03-05 13:00:00Z, 1 open.")
    assert lines[1] == "Version 2, paper: no trade is closed yet, nothing open."
    assert lines[2].split() == ["BACKTEST", "LIVE", "2", "PAPER", "2"]
    rows = {line.split("  ")[0]: line.split() for line in lines[3:]}
    assert len(rows) == 3
    own = kept.figures(run_id).metrics
    assert rows["Trades"][-3:] == [f"{own['trades'].value:,.0f}", "3", "–"]
    assert rows["Net result"][-2:] == ["-12.50", "–"]
    assert rows["Profit factor"][-2:] == ["–", "–"]


def test_for_a_program_it_is_the_answer_itself(tmp_path: Path) -> None:
    """As JSON, also where nothing has traded; a person reads a sentence then."""
    run_id, _ = kept_run(tmp_path)
    assert json.loads(said(tmp_path, ["live", run_id, "--json"], [LIVE])[0]) == [LIVE]
    assert said(tmp_path, ["live", run_id, "--json"], [])[0].strip() == "[]"
    shown, _ = said(tmp_path, ["live", run_id], [])
    assert shown.strip() == (
        "No version with the text of this backtest has traded on paper or live."
    )


def test_a_run_of_another_tenant_is_asked_for_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its folder, and by its id; without it there is no such run."""
    run_id, _ = kept_run(tmp_path, "acme")
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(
        backtests_live, "ask", lambda _, path, tenant: asked.append((path, tenant)) or []
    )
    argv = ["--data-dir", str(tmp_path), "backtests", "live", run_id]
    assert cli.run([*argv[2:], "--tenant", "acme", *argv[:2]]) == 0
    assert asked == [(f"backtests/{run_id}/live", "acme")]
    assert cli.run([*argv[2:], *argv[:2]]) == InputError.exit_code


def test_where_nothing_runs_it_says_so(tmp_path: Path) -> None:
    """The code of "not now", as the help promises."""
    run_id, _ = kept_run(tmp_path)
    argv = ["backtests", "live", run_id, "--data-dir", str(tmp_path)]
    assert cli.run(argv) == NotRunning.exit_code == 4
