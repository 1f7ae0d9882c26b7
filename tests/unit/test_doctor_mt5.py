"""The doctor before MetaTrader 5: the twin is the terminal; each fault says what to do."""

import json
import os
import sys
from pathlib import Path

import pytest

from plan2 import cli
from plan2.dataflow.terminals.twin import metatrader5
from plan2.dataflow.terminals.twin.module import build
from plan2.dataflow.terminals.twin.opening import open_world
from plan2.dataflow.terminals.twin.options import TwinOptions
from plan2.dataflow.terminals.twin.world import TwinWorld
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.lock import DataDirLock
from plan2.foundation.values import NS_PER_SECOND
from plan2.wiring.mt5_package import TWIN

Captured = pytest.CaptureFixture[str]
TUESDAY_NS = 1_758_621_600 * NS_PER_SECOND
"""2025-09-23 10:00 UTC: the market is open."""


@pytest.fixture(autouse=True)
def _configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAN2_DATABASE__URL", raising=False)
    monkeypatch.setenv("PLAN2_SERVER__PORT", "0")
    monkeypatch.setenv("PLAN2_MARKET__SYMBOLS", '["EURUSD"]')
    monkeypatch.setenv("PLAN2_MT5__PACKAGE", TWIN)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> TwinWorld:
    """The world behind the package that the doctor will import."""
    clock = SimulatedClock(TUESDAY_NS)
    made = open_world(TwinOptions(history_days=1), clock)
    module = build(made)
    monkeypatch.setattr(metatrader5, "twin", lambda: module)
    return made


def examined(
    folder: Path, capsys: Captured, *options: str
) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit code and findings about the terminal, by subject."""
    code = cli.run(["doctor", "--data-dir", str(folder / "new"), "--json", *options])
    findings = json.loads(capsys.readouterr().out)["findings"]
    return code, {row["subject"]: row for row in findings if row["subject"][:3] in {"mt5", "ter"}}


def test_every_step_of_a_sound_set_up(tmp_path: Path, capsys: Captured, world: TwinWorld) -> None:
    """Package, path, connection, account, the rights one by one, symbols; nothing is created."""
    _, found = examined(tmp_path, capsys, "--mt5")

    fine = {subject for subject, row in found.items() if row["verdict"] == "ok"}
    assert {
        "mt5 package",
        "mt5 terminal path",
        "mt5 connection",
        "mt5 login",
        "mt5 server",
        "mt5 trade mode",
        "mt5 trade server",
        "mt5 AutoTrading button",
        "mt5 API trading",
        "mt5 trading rights",
        "mt5 automatic trading at the broker",
        "mt5 symbols",
        "mt5 history",
    } <= fine
    assert found["mt5 in use"]["verdict"] == "warn"
    assert not (tmp_path / "new").exists()


def test_the_button_that_is_off(tmp_path: Path, capsys: Captured, world: TwinWorld) -> None:
    """Bad, exit 1, and which button to press."""
    world.terminal.has_autotrading = False

    code, found = examined(tmp_path, capsys, "--mt5")

    assert code == 1
    assert (found["mt5 AutoTrading button"]["verdict"]) == "bad"
    assert "AutoTrading" in found["mt5 AutoTrading button"]["remedy"]


def test_steps_after_a_failure_are_not_taken(
    tmp_path: Path, capsys: Captured, world: TwinWorld
) -> None:
    """Without a connection there is no account to speak of."""
    world.terminal.is_installed = False
    world.terminal.is_running = False

    code, found = examined(tmp_path, capsys, "--mt5")

    assert (code, found["mt5 connection"]["verdict"]) == (1, "bad")
    assert found["mt5 connection"]["remedy"]
    assert "mt5 login" not in found


def test_another_account_than_configured(
    tmp_path: Path, capsys: Captured, world: TwinWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named with what was expected; the password is nowhere in the report."""
    monkeypatch.setenv("PLAN2_MT5__SERVER", "Elsewhere-Live")
    secret = tmp_path / "password.txt"
    secret.write_text("hunter22\n", encoding="utf-8")
    monkeypatch.setenv("PLAN2_MT5__PASSWORD_FILE", str(secret))

    code, found = examined(tmp_path, capsys, "--mt5")

    assert code == 1
    assert "Elsewhere-Live" in json.dumps(found)
    assert "hunter22" not in json.dumps(found)


@pytest.mark.skipif(sys.platform == "win32", reason="the package may be there")
def test_where_the_package_cannot_be(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not Windows: one bad step, and the way that does work from here."""
    monkeypatch.setenv("PLAN2_MT5__PACKAGE", "MetaTrader5")

    code, found = examined(tmp_path, capsys, "--mt5")

    assert (code, list(found)) == (1, ["mt5 package", "mt5 elsewhere"])
    assert "plan2 terminal-keys create" in found["mt5 elsewhere"]["remedy"]
    assert "plan2 terminal --server" in found["mt5 elsewhere"]["remedy"]


@pytest.mark.parametrize(
    ("kind", "package", "verdict"),
    [
        ("simulated", "MetaTrader5", "ok"),
        ("remote", "MetaTrader5", "unknown"),
        ("mt5", "MetaTrader5", "bad"),
        ("mt5", TWIN, "unknown"),
    ],
)
def test_a_look_without_connecting(
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    package: str,
    verdict: str,
) -> None:
    """The plain doctor says what is configured and touches no terminal."""
    monkeypatch.setenv("PLAN2_TERMINAL__KIND", kind)
    monkeypatch.setenv("PLAN2_MT5__PACKAGE", package)

    code, found = examined(tmp_path, capsys)

    assert (list(found), found["terminal"]["verdict"]) == (["terminal"], verdict)
    assert code == (1 if verdict == "bad" else 0)
    assert (verdict == "ok") == (found["terminal"]["remedy"] == "")


def test_a_terminal_in_use_is_left_alone(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second client at the terminal's pipe could block both."""
    monkeypatch.setenv("PLAN2_TERMINAL__KIND", "mt5")
    with DataDirLock(tmp_path / "new"):
        _, found = examined(tmp_path, capsys, "--mt5")

    assert list(found) == ["mt5"]
    assert str(os.getpid()) in found["mt5"]["found"]
