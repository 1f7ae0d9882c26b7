"""`plan2 status`, `risk` and `decisions`: what the API says, as a person reads it."""

import json
from collections.abc import Mapping
from pathlib import Path

from api_stand_in import running
from click.testing import CliRunner

from plan2 import cli
from plan2.commands import risk, status
from plan2.commands.running import NotRunning

SYSTEM = {
    "version": "1.2.3", "mode": "simulated", "speed": 10.0, "symbols": ["EURUSD", "XAUUSD"],
    "market_us": 1_709_640_000_000_000, "started_us": 1_709_636_400_000_000, "currency": "USD",
}  # fmt: skip
ACCOUNT = {
    "account_id": "paper", "equity": "10062.13", "balance": "10064.35", "day_pnl": "62.13",
    "open_positions": 2, "drawdown": 0.00131, "trading_state": "halted",
}  # fmt: skip
TRADING = {"accounts": [{"account_id": "paper", "holds": "The broker has not been heard of yet."}]}
WELL = {"name": "market", "status": "ok", "detail": ""}
DONE = {"name": "onboarding", "status": "stopped", "detail": "It finished its work."}
ILL = {"name": "feeds", "status": "degraded", "detail": "no tick of EURUSD for 90 s"}
LIMIT = {
    "rule": "daily_loss", "unit": "fraction", "used": 0.0075, "soft": [0.015], "limit": 0.03,
    "effect": "halt", "resets_us": 1_709_676_000_000_000, "window_s": 0,
    "setting": "risk.daily_loss_max_fraction",
}  # fmt: skip
RISK = {
    "account_id": "paper", "trading_state": "armed", "holds": "", "limits": [LIMIT],
    "symbols": [{"symbol": "XAUUSD", "positions": 1, "lots": -0.09, "value": 19548.585,
                 "fraction": 1.943, "profit": "-1.08"}],
    "currencies": [{"currency": "USD", "net": None, "fraction": None}],
}  # fmt: skip
DECISION = {
    "ts_us": 1_709_640_000_000_000, "symbol": "EURUSD", "side": "sell", "p": 0.6866,
    "decision_id": "069aa8", "sentence": "Not traded: the cost is larger than the edge.",
}  # fmt: skip


def said(folder: Path, words: list[str], answers: Mapping[str, object]) -> tuple[str, list[str]]:
    """What a verb prints when the running Plan2 answers so, and what it asked for."""
    with running(folder, lambda _, path: (200, answers[path.partition("?")[0]])) as asked:
        done = CliRunner().invoke(cli.command, ["--data-dir", str(folder), *words])
    assert done.exit_code == 0, done.output
    return done.output, asked


def test_status_says_what_one_wants_to_know_first(tmp_path: Path) -> None:
    """What runs, that it does not trade and why, the money, and the part that is unwell."""
    answers = {"system": SYSTEM, "account": ACCOUNT, "trading": TRADING}
    answers["health"] = {"components": [WELL, DONE, ILL]}
    shown, _ = said(tmp_path, ["status"], answers)
    assert "Plan2 1.2.3, simulated market at 10 × real time, EURUSD, XAUUSD" in shown
    assert "2024-03-05 12:00:00Z" in shown
    assert "trading is halted. The broker has not been heard of yet." in shown
    assert "Equity 10062.13 USD, balance 10064.35, today +62.13, 2 positions open, 0.13% " in shown
    assert "feeds is degraded: no tick of EURUSD for 90 s" in shown
    assert "market is" not in shown
    assert "onboarding" not in shown
    assert json.loads(said(tmp_path, ["status", "--json"], answers)[0]) == answers


def test_when_everything_is_well_it_says_so() -> None:
    """One line, not one for each part; a loss keeps its sign."""
    health = {"components": [WELL, DONE]}
    account = ACCOUNT | {"day_pnl": "-3.10", "open_positions": 1}
    lines = status.lines(
        {"system": SYSTEM | {"speed": 1.0}, "account": account, "trading": TRADING,
         "health": health}
    )  # fmt: skip
    assert lines[-1] == "Every part is well."
    assert "today -3.10, 1 position open" in lines[2]
    assert "real time" not in lines[0]


def test_where_nothing_runs_it_says_so(tmp_path: Path) -> None:
    """The code of "not now", as the help promises."""
    assert cli.run(["status", "--data-dir", str(tmp_path)]) == NotRunning.exit_code == 4


def test_a_limit_is_shown_with_the_share_that_is_used(tmp_path: Path) -> None:
    """0.75 % of 3 % are a quarter; unknown is a dash, never a zero."""
    shown, _ = said(tmp_path, ["risk", "limits"], {"risk": RISK})
    row = next(line for line in shown.splitlines() if line.startswith("daily_loss"))
    assert row.split() == [
        "daily_loss", "0.75%", "3.00%", "25%", "halt", "2024-03-05", "22:00:00Z",
        "risk.daily_loss_max_fraction",
    ]  # fmt: skip
    assert "19548.58" in shown
    assert shown.splitlines()[-1].split() == ["USD", "–", "–"]
    assert risk.limit_row(LIMIT | {"used": None, "unit": "count"})["share"] is None
    assert risk.limit_row(LIMIT | {"limit": 0, "unit": "count"})["share"] is None


def test_decisions_are_asked_for_as_wished(tmp_path: Path) -> None:
    """The filters go into the question; the chance is shown in per cent."""
    words = ["decisions", "list", "--symbol", "EURUSD", "--outcome", "not_traded", "--limit", "5"]
    shown, asked = said(tmp_path, words, {"decisions": {"items": [DECISION]}})
    assert asked == ["GET decisions?symbol=EURUSD&outcome=not_traded&limit=5"]
    assert "68.7%" in shown
    assert "the cost is larger than the edge." in shown
    assert json.loads(
        said(tmp_path, [*words, "--json"], {"decisions": {"items": [DECISION]}})[0]
    ) == [DECISION]


def test_the_curve_is_a_table(tmp_path: Path) -> None:
    """One line a point, in the order of the answer."""
    curve = {"time_us": [1_709_640_000_000_000], "balance": ["10.5"], "equity": ["11.25"]}
    shown, asked = said(tmp_path, ["equity", "--limit", "1"], {"equity": curve})
    assert asked == ["GET equity?limit=1"]
    assert shown.splitlines()[1].split() == ["2024-03-05", "12:00:00Z", "10.5", "11.25"]


def test_the_past_is_asked_for_by_its_instant(tmp_path: Path) -> None:
    """Noon of 5 March 2024 in microseconds; what was open then is listed, nothing else."""
    account = {
        "account_id": "paper", "trading_state": "paused", "balance": "10.00", "equity": "11.00",
        "margin": "0.00", "recorded_us": 1_709_640_000_000_000, "orders": [],
        "positions": [{"symbol": "XAUUSD", "opened_us": 1_709_636_400_000_000}],
    }  # fmt: skip
    state = {"at_us": 1_709_640_000_000_000, "position": 388, "accounts": [account]}
    words = ["audit", "past", "--at", "2024-03-05T12:00:00Z"]
    shown, asked = said(tmp_path, words, {"audit/state": state})
    assert asked == ["GET audit/state?at_us=1709640000000000"]
    assert "At 2024-03-05 12:00:00Z, after event 388:" in shown
    assert "Account paper: trading was paused; balance 10.00, equity 11.00" in shown
    assert "XAUUSD" in shown
    assert "2024-03-05 11:00:00Z" in shown
