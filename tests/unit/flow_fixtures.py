"""Flows for tests: files with round numbers, and policies that do as they are told."""

from collections.abc import Mapping
from typing import Any

import msgspec

from plan2.dataflow.terminals.port import ApprovedOrder
from plan2.foundation.config.schema import Management, Risk
from plan2.foundation.values import Tick
from plan2.intelligence.decision.decide import Decision, Rules
from plan2.intelligence.decision.record import DecisionRecord
from plan2.intelligence.flows.flow import Flow, flow_digest, parse_flow
from plan2.intelligence.flows.policy import NO_SIGNAL, Signal
from plan2.intelligence.trading.flow_seats import FlowSeat
from unit.trading_fixtures import Desk, scene, tick

EMA_CROSS = """\
name = "ema-cross"
[source]
symbol = "EURUSD"
[parameters]
fast = 10
slow = 20
[features]
quick = "ema(close, fast)"
calm = "ema(close, slow)"
[policy]
long = "quick >= calm"
short = "quick < calm"
[exits]
stop_loss = "30 * pip"
[size]
lots = 0.10
"""

LONG = Signal(entry=1, stop_loss=0.00300, take_profit=0.00200)
SHORT = Signal(entry=-1, stop_loss=0.00300)
EXIT = Signal(exit_long=True, exit_short=True)
WHY = "quick 1.10021 ≥ calm 1.10018"


class Script:
    """Gives the signals of a script, by the second after noon, and remembers what it saw."""

    def __init__(self, signals: Mapping[int, Signal] | None = None) -> None:
        self.signals = dict(signals or {})
        self.seen: list[Tick] = []

    @property
    def bars(self) -> int:
        """Every tick is a bar."""
        return len(self.seen)

    def step(self, tick: Tick, _forecast: object, _features: object) -> Signal:
        """The signal of the tick's second, if the script has one."""
        self.seen.append(tick)
        return self.signals.pop(round(tick.ts_ns / 1e9) % 43_200, NO_SIGNAL)

    def why(self) -> str:
        """Always the same sentence."""
        return WHY


def flow_of(text: str = EMA_CROSS, **parts: Any) -> Flow:  # tables of the file, as structs
    """The flow of a file with some tables replaced."""
    return msgspec.structs.replace(parse_flow(text), **parts)


def seat_of(signals: Mapping[int, Signal], flow: Flow | None = None) -> FlowSeat:
    """Version 3 of a flow that follows a script."""
    declared = flow or flow_of()
    return FlowSeat(declared, 3, flow_digest(declared), Script(signals))


ROOMY = Rules(
    account_id="test",
    decision=Desk().account.rules.decision,
    risk=Risk(
        risk_per_trade_fraction=1.0,
        duplicate_window_s=0.0,
        volatility_target_fraction=100.0,
        expected_shortfall_max_fraction=100.0,
        currency_exposure_max_fraction=100.0,
    ),
)
"""Limits that bind none of the small orders of these tests."""


def flow_desk(
    signals: Mapping[int, Signal],
    flow: Flow | None = None,
    rules: Rules = ROOMY,
    management: Management | None = None,
) -> Desk:
    """An armed account of 10,000 USD on which a flow trades."""
    desk = Desk(rules, management or Management()).arm()
    desk.account.flows.seat(seat_of(signals, flow))
    return desk


def at(desk: Desk, second: int, bid: float = 1.10000, ask: float = 1.10010) -> Decision:
    """Let a quote come, so many seconds after noon."""
    return desk.account.on_tick(scene(tick(bid, ask, after_s=second, seq=second), None))


def fill_last(desk: Desk, price: float, ticket: str, **deal: object) -> ApprovedOrder:
    """The broker executes the newest order."""
    order = desk.sent[-1]
    desk.fill(order, price, ticket, **deal)
    return order


def records(desk: Desk) -> list[DecisionRecord]:
    """The decision records that were stored, oldest first."""
    found = [item.event for item in desk.sink.facts if type(item.event).__name__ == "DecisionMade"]
    return [msgspec.convert(event.record, DecisionRecord) for event in found]  # type: ignore[attr-defined]
