"""What goes wrong with one tenant's account stays there: the accounts beside it trade on."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from trading_fixtures import NOON_NS, Desk, tick

from plan2.dataflow.quality import Verdict
from plan2.dataflow.terminals.port import LinkChange, LinkState, OrderUpdate, UpdateKind
from plan2.dataflow.terminals.simulated.account_file import open_account_file
from plan2.dataflow.terminals.simulated.broker import BrokerOptions, PaperBroker
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.paper import PaperTerminal
from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError, InvariantBroken, Plan2Error, TerminalUnavailable
from plan2.foundation.latency import Latency
from plan2.foundation.values import Tick
from plan2.intelligence.decision.schedule import NOTHING_SCHEDULED
from plan2.intelligence.pipeline import Pipeline, Seat
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.risk.switch import ACCOUNT
from plan2.wiring.tenant_run import EVERYBODY, TenantRun
from plan2.wiring.venue import Venue
from simulated_world import TUESDAY_NS, order


class Neighbour:
    """An account that counts its ticks, or fails at each."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.ticks = 0

    def on_tick(self, _scene: object) -> None:
        """One more."""
        self.ticks += 1
        if self.failure is not None:
            raise self.failure

    def on_order_update(self, _update: object) -> None:
        """The same."""
        self.on_tick(None)


def lane() -> Any:
    """A lane of a symbol without features and models."""
    engine = SimpleNamespace(
        step=lambda *_: False, ready=False, plan=SimpleNamespace(schema_id=""), values=np.empty(0)
    )
    return SimpleNamespace(
        quality=SimpleNamespace(check=lambda *_: Verdict.OK),
        engine=engine,
        forecast=lambda *_: None,
        among=lambda _: None,
        states=dict,
        standing=None,
        canary=None,
        volatility=float,
        situations=SimpleNamespace(novelty=float),
        schedule=NOTHING_SCHEDULED,
    )


@pytest.mark.parametrize(
    "failure",
    [InvariantBroken("books"), InputError("cannot be stored: nan"), ZeroDivisionError("float")],
)
def test_a_fault_of_any_kind_stops_its_own_account_alone(failure: Exception) -> None:
    """The first of three fails at the tick; it is told, and the two others get theirs."""
    faults: list[Plan2Error] = []
    own, sick, well = Neighbour(), Neighbour(failure), Neighbour()
    pipeline = Pipeline(
        {"EURUSD": lane()}, own, Bus(), SimulatedClock(tick().ts_ns), Latency(), faults.append
    )  # type: ignore[arg-type]
    for account in (sick, well):
        pipeline.join(Seat(account, faults.append))  # type: ignore[arg-type]
    pipeline.on_tick(tick())
    assert (own.ticks, sick.ticks, well.ticks) == (1, 1, 1)
    assert len(faults) == 1
    assert str(failure) in faults[0].message
    seat = Seat(sick, faults.append)  # type: ignore[arg-type]
    seat.on_order_update(OrderUpdate(kind=UpdateKind.DONE, ts_ns=0))
    assert len(faults) == 2


class Ears:
    """Hears how the link is."""

    def __init__(self) -> None:
        self.links: list[LinkChange] = []

    def on_link(self, change: LinkChange) -> None:
        """One more change."""
        self.links.append(change)

    def on_order_update(self, _update: OrderUpdate) -> None:
        """Not of interest."""

    def on_tick(self, _tick: Tick) -> None:
        """Nor this."""


async def test_a_paper_account_that_cannot_be_kept_is_cut_off_and_the_market_goes_on(
    tmp_path: Path,
) -> None:
    """Its file is gone: its link is down with the reason, and the pipeline hears every tick."""
    file = open_account_file(tmp_path / "paper.sqlite")
    options = BrokerOptions(market="a market", start_ns=TUESDAY_NS, latency_ms=0)
    broker = PaperBroker(instruments(("EURUSD",)), options, file)
    terminal = PaperTerminal("paper", SimulatedClock(TUESDAY_NS), broker, _no_history)
    ears, heard = Ears(), list[Tick]()
    await terminal.start(ears)  # type: ignore[arg-type]
    venue = Venue(SimpleNamespace(on_tick=heard.append))  # type: ignore[arg-type]
    venue.join(terminal)
    venue.on_tick(Tick("EURUSD", TUESDAY_NS, 1.1, 1.1001))
    terminal.submit(order())
    file.close()
    for second in (1, 2):
        venue.on_tick(Tick("EURUSD", TUESDAY_NS + second * 10**9, 1.1, 1.1001))
    assert len(heard) == 3
    assert [change.state for change in ears.links] == [LinkState.UP, LinkState.DOWN]
    assert "could not be written" in ears.links[-1].reason
    with pytest.raises(TerminalUnavailable):
        terminal.submit(order())


async def _no_history(symbol: str, start_ns: int, end_ns: int) -> Any:
    raise AssertionError((symbol, start_ns, end_ns))


@pytest.mark.parametrize(
    ("everybody", "own"),
    [(TradingState.HALTED, TradingState.HALTED), (TradingState.ARMED, TradingState.ARMED)],
)
def test_who_opens_after_everybody_was_halted_is_halted_too(
    everybody: TradingState, own: TradingState
) -> None:
    """A kill of all accounts must not miss the one that is just being opened."""
    first, late = Desk().arm(), Desk().arm()
    first.account.set_state(TradingState.HALTED, NOON_NS, "user:ann", "test", EVERYBODY)
    first.account.set_state(everybody, NOON_NS + 1, "user:ann", "test", EVERYBODY)
    run: Any = object.__new__(TenantRun)
    run.account, run.market = late.account, SimpleNamespace(clock=SimulatedClock(NOON_NS))
    run.heed(first.account)
    assert late.account.state is own
    assert late.account.guard.switches.at(ACCOUNT) is TradingState.ARMED
