"""What a flow may not do with money: turn round half-way, or ask for what is no price."""

import math
from pathlib import Path
from typing import ClassVar

import msgspec
import numpy as np
import pytest

from plan2.dataflow.terminals.port import OrderKind, OrderUpdate, UpdateKind
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Settings
from plan2.foundation.values import NS_PER_SECOND, TickBlock
from plan2.intelligence.decision.record import Reason
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.life import FlowState, FlowVersion
from plan2.intelligence.flows.policy import Signal
from plan2.wiring.flow_stage import AccountStage, StagePlan
from unit.flow_fixtures import (
    EMA_CROSS,
    LONG,
    ROOMY,
    SHORT,
    Script,
    at,
    fill_last,
    flow_desk,
    flow_of,
    seat_of,
)
from unit.trading_fixtures import EURUSD, NOON_NS, Desk, forecast, scene, tick


def two_longs(signal: Signal) -> Desk:
    """A flow that reverses and holds two longs, and what it says at second 9."""
    flow = flow_of()
    flow = msgspec.structs.replace(
        flow,
        risk=msgspec.structs.replace(flow.risk, positions_max=2),
        policy=msgspec.structs.replace(flow.policy, reverse=True),
    )
    risk = msgspec.structs.replace(ROOMY.risk, positions_per_symbol_max=4)
    rules = msgspec.structs.replace(ROOMY, risk=risk)
    desk = flow_desk({1: LONG, 3: LONG, 9: signal}, flow, rules)
    for second, name in ((1, "p1"), (3, "p2")):
        at(desk, second)
        fill_last(desk, 1.1001, str(second), position_ticket=name)
    assert len(desk.account.positions.open) == 2
    return desk


def test_it_turns_round_when_all_that_it_holds_is_being_closed() -> None:
    """Two closes, then the entry of the other side."""
    desk = two_longs(SHORT)
    at(desk, 9)
    assert [order.kind for order in desk.sent[2:]] == [
        OrderKind.CLOSE,
        OrderKind.CLOSE,
        OrderKind.OPEN,
    ]


def test_it_does_not_turn_round_while_one_position_cannot_be_closed() -> None:
    """The first one's close was refused a moment ago and waits: no short beside a long."""
    desk = two_longs(SHORT)
    desk.account.management.note_refused_close("test:p1", NOON_NS + 8 * NS_PER_SECOND)
    at(desk, 9)
    (close,) = desk.sent[2:]
    assert (close.kind, close.position_ticket) == (OrderKind.CLOSE, "p2")


@pytest.mark.parametrize("name", ["stop_loss", "take_profit", "trailing", "break_even_offset"])
def test_an_infinite_distance_gives_no_entry(name: str) -> None:
    """A division by nothing in the flow's file: no broker takes it, and no JSON holds it."""
    desk = flow_desk({1: msgspec.structs.replace(LONG, **{name: math.inf})})
    at(desk, 1)
    assert desk.sent == []


class SlowStage(AccountStage):
    """Making a policy takes so long that a tick worth a trade comes in between."""

    desk: Desk
    decisions: list[Reason]

    def _policy(self, flow: Flow) -> Script:  # type: ignore[override]
        decision = self.desk.account.on_tick(scene(tick(), forecast(0.60)))
        self.decisions.append(decision.reason)
        return Script()


class Past:
    """A market without a past."""

    instruments: ClassVar = {"EURUSD": EURUSD}
    clock = SimulatedClock(NOON_NS)
    home = Path("nowhere")

    @property
    def terminal(self) -> "Past":
        """Itself."""
        return self

    async def history(self, symbol: str, start_ns: int, end_ns: int) -> TickBlock:
        """Nothing."""
        return TickBlock(symbol, np.empty(0, np.int64), np.empty(0), np.empty(0))


async def test_nobody_else_trades_a_symbol_while_its_flow_takes_its_seat(tmp_path: Path) -> None:
    """As after every start: the ensemble's own decision rests until the flow is there."""
    desk = Desk().arm()
    plan = StagePlan(account=desk.account, market=Past(), settings=Settings(), folder=tmp_path)  # type: ignore[arg-type]
    stage = SlowStage(plan)
    stage.desk, stage.decisions = desk, []
    version = FlowVersion(
        name="ema-cross", version=1, digest="d", body=EMA_CROSS, symbol="EURUSD", by="ann",
        created_ns=NOON_NS, since_ns=NOON_NS, state=FlowState.PAPER,
    )  # fmt: skip
    await stage.show([version])
    assert stage.decisions == [Reason.NO_SIGNAL]
    assert desk.sent == []
    assert [seat.name for seat in desk.account.flows.all()] == ["ema-cross"]
    await stage.show([])
    desk.account.on_tick(scene(tick(after_s=1, seq=1), forecast(0.60)))
    assert len(desk.sent) == 1


def test_a_restart_does_not_forget_what_a_flow_lost_today() -> None:
    """It was 100 USD up at the broker's midnight, 22:00 UTC, and has lost them since."""
    desk = flow_desk({1: LONG})
    at(desk, 1)
    fill_last(desk, 1.1001, "1")
    at(desk, 36_001, 1.1101, 1.1102)
    at(desk, 36_400, 1.1001, 1.1002)
    after = Desk(ROOMY)
    for item in desk.sink.facts:
        after.account.apply(item.event)
    after.account.flows.seat(seat_of({}))
    at(after, 36_401, 1.1001, 1.1002)
    book = after.account.flows.ledger.of("ema-cross")
    assert (book.day_start, book.best, book.realised) == (100, 100, 0)


async def test_what_a_retired_flow_had_on_its_way_is_closed_too(tmp_path: Path) -> None:
    """Its entry is filled after it has left; refused, the close is tried again at a newer quote."""
    desk = flow_desk({1: LONG})
    at(desk, 1)
    market = Past()
    market.clock = SimulatedClock(NOON_NS + 3 * NS_PER_SECOND)
    plan = StagePlan(account=desk.account, market=market, settings=Settings(), folder=tmp_path)  # type: ignore[arg-type]
    stage = AccountStage(plan)
    stage.close_orphans()
    await stage.show([])
    assert len(desk.sent) == 1
    fill_last(desk, 1.1001, "1")
    stage.close_orphans()
    close = desk.sent[-1]
    assert (close.kind, close.position_ticket) == (OrderKind.CLOSE, "p1")
    refused = OrderUpdate(kind=UpdateKind.REJECTED, ts_ns=close.ts_ns, order_id=close.order_id)
    desk.account.on_order_update(refused)
    for second in (4, 100):
        market.clock.advance_to(NOON_NS + second * NS_PER_SECOND)
        stage.close_orphans()
    assert len(desk.sent) == 2
    at(desk, 101)
    stage.close_orphans()
    assert [order.kind for order in desk.sent[1:]] == [OrderKind.CLOSE, OrderKind.CLOSE]
