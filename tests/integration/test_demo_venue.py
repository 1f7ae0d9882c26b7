"""The venue for a real demo terminal is itself tried out: the twin stands in, in wall time.

What is proven is the venue's own code: translation, waiting, sweeping up, refusing. A process of
its own, as a user runs it; the twin's market runs many times as fast as the clock on the wall.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SUITE = ("test_terminal_contract.py", "test_terminal_orders_contract.py")
LIMIT_S = 180
PACKAGE = "plan2.dataflow.terminals.twin.metatrader5"


def played(words: str, package: str = PACKAGE, patience_s: int = 60, **twin: Any) -> str:
    """What the suite's tests with these words in their names say at the demo venue."""
    options = {
        "symbols": ["EURUSD", "USDJPY"],
        "suffix": "m",
        "start": "2024-03-05T08:00:00",
        "speed": 300,
        **twin,
    }
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "src"),
        "PLAN2_MT5_DEMO": "/twin/terminal64.exe",
        "PLAN2_MT5_DEMO_PACKAGE": package,
        "PLAN2_MT5_DEMO_PATIENCE_S": str(patience_s),
        "PLAN2_TWIN": json.dumps(options),
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs"]
    command += [f"tests/contract/{name}" for name in SUITE] + ["-k", f"demo and ({words})"]
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    return done.stdout


def test_orders_go_out_and_nothing_stays() -> None:
    """Opened, closed in parts, changed, withdrawn; the next test finds nothing of it."""
    said = played("opens_exactly_one or in_parts or is_changed or is_withdrawn or unconnected")
    assert re.search(r"^5 passed", said, re.MULTILINE), said


def test_a_netting_account_runs_what_is_for_it() -> None:
    """The netting test runs, and the others are skipped with the reason."""
    said = played("netting_adds or is_withdrawn", accounts=[{"is_hedging": False}])
    assert "1 passed, 1 skipped" in said, said
    assert "this account is netting" in said


def test_another_account_is_refused_in_a_sentence() -> None:
    """No test runs, nothing is sent, and the reason is one line."""
    said = played("good_start", accounts=[{"trade_mode": 2}])
    assert "Account 5000001 is a real account; expected demo." in said
    assert "Traceback" not in said
    assert "passed" not in said


def test_a_closed_market_is_a_skip() -> None:
    """On a Saturday no quote comes, and the reason says so."""
    said = played("opens_exactly_one", patience_s=2, start="2024-03-09T12:00:00", speed=1)
    assert "market closed" in said, said


def test_without_the_package_it_is_a_skip() -> None:
    """Where MetaTrader5 cannot be imported, nothing is run."""
    assert "cannot be imported" in played("good_start", package="no_such_package")
