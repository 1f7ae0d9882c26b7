"""A fault anywhere halts trading, and holds even when nothing can be written down any more."""

from types import SimpleNamespace

from trading_fixtures import Desk

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import JournalLost
from plan2.intelligence.risk.state import TradingState
from plan2.wiring.tenant_run import TenantRun


def halting_part(desk: Desk) -> tuple[TenantRun, list[str]]:
    """A tenant's run of which only what halts is there."""
    said: list[str] = []
    made = object.__new__(TenantRun)
    made.tenant_id = desk.account.identity.tenant_id
    made.account = desk.account
    made.market = SimpleNamespace(clock=SimulatedClock(7))  # type: ignore[assignment]
    made.say = said.append
    return made, said


def test_a_fault_halts_and_is_remembered() -> None:
    """The switch moves, the reason is stored, and a person is told."""
    desk = Desk().arm()
    made, said = halting_part(desk)
    made.halt("the models do not fit")
    assert desk.account.state is TradingState.HALTED
    assert said == ["TRADING HALTED: the models do not fit"]
    assert desk.sink.names()[-1] == "TradingStateChanged"


def test_a_lost_journal_halts_all_the_same() -> None:
    """Nothing can be written down; no order may leave either way."""
    desk = Desk().arm()
    desk.journal.failure = JournalLost("disk full")
    made, _ = halting_part(desk)
    made.halt("the journal is lost")
    assert desk.account.state is TradingState.HALTED
