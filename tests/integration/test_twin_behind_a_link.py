"""The product's own child process and agent, each with the MetaTrader 5 engine over the twin."""

import asyncio
import os
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from integration.test_terminal_door import House, house
from plan2.dataflow.terminals.port import LinkState, UpdateKind
from plan2.dataflow.terminals.remote.local_host import LocalHost
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.dataflow.terminals.simulated.calendar import is_open
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Market, Mt5, Settings
from plan2.wiring.mt5_host import errand_of
from plan2.wiring.mt5_package import TWIN
from remote_world import Ear
from simulated_world import order

SOURCES = Path(__file__).parents[2] / "src"
PATIENCE_S = 120.0


@pytest.fixture(autouse=True)
def _children_find_plan2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(SOURCES))
    if not is_open(LiveClock().now_ns()):
        pytest.skip("the twin lives by the machine's clock, and its market is closed now")
    monkeypatch.setenv("PLAN2_TWIN", '{"symbols": ["EURUSD"]}')


async def until_up_with_quotes(ear: Ear) -> None:
    """Wait for the link, then for the market."""
    await ear.until(lambda: any(link.state is LinkState.UP for link in ear.links), PATIENCE_S)
    await ear.until(lambda: bool(ear.ticks), PATIENCE_S)


async def round_trip(terminal: RemoteTerminal, ear: Ear) -> None:
    """An order is filled, its position is there, and its token finds the deal."""
    sent = order(order_id="twin-1", token="token-twin-1", ts_ns=LiveClock().now_ns())
    terminal.submit(sent)
    await ear.until(lambda: UpdateKind.FILLED in ear.words("twin-1"), PATIENCE_S)
    positions = await terminal.positions()
    assert positions is not None
    assert [(one.symbol, one.quantity, one.token) for one in positions] == [
        ("EURUSD", 0.1, "token-twin-1")
    ]


async def test_plan2_terminal_local_trades(tmp_path: Path) -> None:
    """`plan2 terminal --local` under a LocalHost: account, symbols, quotes, an order, its end."""
    settings = Settings(market=Market(symbols=("EURUSD",)), mt5=Mt5(package=TWIN))
    terminal, ear = RemoteTerminal("live", LiveClock()), Ear()
    argv = [sys.executable, "-m", "plan2", "terminal", "--local"]
    errand = msgspec.json.encode(errand_of(settings, tmp_path / "host"))
    hosting = asyncio.create_task(LocalHost(terminal, argv, errand, np.random.default_rng(1)).run())
    try:
        await terminal.wait_ready(PATIENCE_S)
        assert set(terminal.instruments()) == {"EURUSD"}
        account = await terminal.account()
        assert account is not None
        assert (account.login, account.mode) == ("5000001", "demo")
        await terminal.start(ear)
        await until_up_with_quotes(ear)
        await round_trip(terminal, ear)
        trace = await terminal.trace("token-twin-1")
        assert trace is None or len(trace.deals) == 1
    finally:
        await terminal.stop()
        hosting.cancel()
        await asyncio.gather(hosting, return_exceptions=True)


async def test_plan2_terminal_serves_a_server_elsewhere(tmp_path: Path) -> None:
    """`plan2 terminal --server … --json` with a key from the environment; Ctrl+C ends it with 0."""
    async with house() as made:
        secret, _ = await made.keys.create("live", "desk")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "plan2", "--data-dir", str(tmp_path), "terminal"),
            *("--server", made.url, "--package", TWIN, "--symbol", "EURUSD", "--json"),
            env={**os.environ, "PLAN2_TERMINAL_KEY": secret},
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            await until_up_with_quotes(made.ear)
            await round_trip(made.terminal, made.ear)
            process.terminate()
            printed, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        finally:
            if process.returncode is None:
                process.kill()
    assert process.returncode == 0
    lines = [msgspec.json.decode(line) for line in printed.splitlines()]
    assert {"said": "Connected to the server."} in lines
    assert any(line.get("terminal") == "up" and line["login"] == "5000001" for line in lines)
    assert secret.encode() not in printed
    assert _reason_is_plain(made)


def _reason_is_plain(made: House) -> bool:
    return all(link.reason for link in made.ear.links)
