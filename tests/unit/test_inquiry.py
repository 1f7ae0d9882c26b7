"""Decisions that are asked about later are taken again with the contracts of their own market."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from trading_fixtures import EURUSD

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.instrument import Instrument
from plan2.intelligence.decision.record import DecisionRecord
from plan2.wiring.contract_file import FILE_NAME
from plan2.wiring.inquiry import Inquiry
from plan2.wiring.live_account import FOLDER, LiveAccount, renewed, write_account
from plan2.wiring.markets import simulated_home

BROKERS = msgspec.structs.replace(EURUSD, stops_level_points=30, contract_size=10_000.0)
CHANGED = msgspec.structs.replace(BROKERS, stops_level_points=50)


@pytest.fixture
def inquiry(tmp_path: Path) -> Inquiry:
    """A data folder with an account at a broker, who changed a contract at 100 ns."""
    known = LiveAccount(
        login="1",
        server="Demo",
        mode="demo",
        currency="USD",
        start_balance="100",
        since_ns=0,
        instruments={"EURUSD": BROKERS},
    )
    write_account(tmp_path / FOLDER / "own.json", renewed(known, {"EURUSD": CHANGED}, 100))
    (tmp_path / FILE_NAME).write_text(
        '[GBPUSDm]\nbase = "GBP"\nquote = "USD"\ndigits = 5\ncommission_per_lot = 3.5\n'
    )
    return Inquiry(cast(Any, InMemoryEventStore(SimulatedClock(0))), tmp_path, leverage=30.0)


def contract(inquiry: Inquiry, account: str, symbol: str, ts_ns: int) -> Instrument | None:
    """The contract that a decision of an account is taken again with."""
    record = SimpleNamespace(symbol=symbol, ts_ns=ts_ns)
    return inquiry._replayer(account)._contract_at(cast(DecisionRecord, record))


def test_a_brokers_account_has_its_own_contracts_and_those_of_then(inquiry: Inquiry) -> None:
    """Not the simulated market's; before the change what held before it."""
    assert contract(inquiry, "own", "EURUSD", 99) == BROKERS
    assert contract(inquiry, "own", "EURUSD", 100) == CHANGED
    assert contract(inquiry, "own", "USDJPY", 100) is None


def test_other_accounts_have_the_simulated_markets(inquiry: Inquiry) -> None:
    """With the leverage that is configured; a replay knows what the file says as well."""
    for account in ("paper", "replay-1"):
        found = contract(inquiry, account, "EURUSD", 99)
        assert found is not None
        assert (found.leverage, found.contract_size) == (30.0, 100_000.0)
    written = contract(inquiry, "replay-1", "GBPUSDm", 99)
    assert written is not None
    assert written.base == "GBP"
    assert contract(inquiry, "paper", "GBPUSDm", 99) is None


def test_its_models_lie_where_those_of_its_market_do(inquiry: Inquiry, tmp_path: Path) -> None:
    """A broker's and the past's in the data folder, the simulated market's in its own."""
    assert inquiry._home("own") == inquiry._home("replay-1") == tmp_path
    assert inquiry._home("paper") == simulated_home(tmp_path)
