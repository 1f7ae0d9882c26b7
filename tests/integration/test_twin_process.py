"""The twin as an importable module in a process of its own, as a terminal host uses it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

MODULE = "plan2.dataflow.terminals.twin.metatrader5"
SOURCE = Path(__file__).parents[2] / "src"

IMPORT_ONLY = f"""
import json
import {MODULE} as mt5
worlds = [mt5.twin.cache_info().currsize]
assert mt5.COPY_TICKS_ALL == -1 and mt5.TradeDeal.n_fields == 18
assert mt5.__version__ == "5.0.6231"
assert not hasattr(mt5, "order_sent")
worlds.append(mt5.twin.cache_info().currsize)
assert mt5.last_error() == (1, "Success")
worlds.append(mt5.twin.cache_info().currsize)
print(json.dumps(worlds))
"""

TRADE = f"""
import json
import {MODULE} as mt5
assert mt5.initialize(), mt5.last_error()
mt5.symbol_select("EURUSDm", True)
request = {{"action": mt5.TRADE_ACTION_DEAL, "symbol": "EURUSDm", "volume": 0.1,
           "type": mt5.ORDER_TYPE_BUY, "type_filling": mt5.ORDER_FILLING_IOC, "comment": "t"}}
result = mt5.order_send(request)
print(json.dumps({{
    "retcode": result.retcode,
    "positions": [one.ticket for one in mt5.positions_get()],
    "login": mt5.account_info().login,
    "time": mt5.symbol_info_tick("EURUSDm").time,
}}))
"""


def run(code: str, **options: Any) -> Any:
    """What a fresh interpreter prints, as JSON."""
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "PLAN2_TWIN": json.dumps(options)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_importing_makes_nothing() -> None:
    """Constants and types are there at once; the world comes with the first function."""
    assert run(IMPORT_ONLY) == [0, 0, 1]


def test_a_second_process_finds_what_the_first_left(tmp_path: Path) -> None:
    """Positions survive in the state file and the market goes on from its beginning."""
    options = {
        "symbols": ["EURUSD"],
        "suffix": "m",
        "start": "2024-03-05T08:00:00",
        "speed": 60.0,
        "history_days": 1,
        "accounts": [{"login": 77}],
        "state_path": str(tmp_path / "twin.bin"),
    }

    first = run(TRADE, **options)
    second = run(TRADE, **options)

    assert first["retcode"] == second["retcode"] == 10009
    assert first["login"] == 77
    assert second["positions"] == [*first["positions"], first["positions"][0] + 1]
    assert second["time"] > first["time"] >= 1_709_632_800 - 60
