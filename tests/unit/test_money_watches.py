"""The watches of an account when the link, the disk or the broker's clock plays tricks on them."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from kill_fixtures import KillScene
from reconcile_fixtures import Office, deal_of, exit_of, position_of, working_of
from test_kill import kill
from trading_fixtures import NOON_NS, Desk, scene, tick

from plan2.dataflow.terminals.port import (
    LinkChange,
    LinkState,
    OrderKind,
    OrderUpdate,
    UpdateKind,
)
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import JournalLost
from plan2.foundation.events.account import EquityRecorded
from plan2.foundation.health import Status
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.risk.switch import ACCOUNT, Switch
from plan2.intelligence.trading.kill_watch import KillWatch
from plan2.intelligence.trading.orders import OrderState
from plan2.wiring.persevering import Persevering
from plan2.wiring.tenant_run import TenantRun

S = NS_PER_SECOND


async def test_a_link_that_breaks_in_the_middle_of_a_pass_has_the_books_compared_again() -> None:
    """It was down for a moment while positions were asked for: what was heard proves nothing."""
    office = await Office().settled()
    plain = office.terminal.positions

    async def breaking() -> object:
        office.link(LinkState.DEGRADED)
        office.link(LinkState.UP)
        office.terminal.positions = plain  # type: ignore[method-assign]
        return await plain()

    office.terminal.positions = breaking  # type: ignore[assignment,method-assign]
    office.clock.advance_to(office.clock.now_ns() + 61 * S)
    await office.reconciler.step(office.clock.now_ns())
    assert office.terminal.positions == plain
    assert not office.account.books_agree
    office.terminal.asked.clear()
    await office.wait(0.25)
    assert office.terminal.asked == ["deals", "orders", "positions", "account"]
    assert office.account.books_agree


async def test_an_order_that_was_filled_in_part_before_it_was_accepted_gets_its_ticket() -> None:
    """Its rest works at the broker: without the ticket no switch could withdraw it."""
    office = await Office().settled()
    order = office.pending(is_heard=False)
    deal = deal_of(order, office.clock.now_ns(), quantity=0.04)
    office.account.on_order_update(OrderUpdate(kind=UpdateKind.FILLED, ts_ns=deal.ts_ns, deal=deal))
    office.terminal.deal_list = (deal,)
    office.terminal.position_list = (position_of(order, quantity=0.04),)
    office.terminal.order_list = (working_of(order, quantity=0.06),)
    office.terminal.balance = Decimal("9999.65")
    await office.wait(30)
    assert office.order(order).ticket == "70"
    assert office.order(order).state is OrderState.PARTIALLY_FILLED
    assert office.differences() == []
    assert office.account.state is TradingState.ARMED


async def test_a_deal_stamped_in_the_future_hides_none_that_comes_after_it() -> None:
    """An hour ahead, as at a change of the broker's clock: the exit a minute later is booked."""
    office = await Office().settled()
    office.position()
    (entry,) = office.terminal.deal_list or ()
    ahead = msgspec.structs.replace(
        entry, ticket="9", position_ticket="901", token="", magic=0, reason="manual",
        ts_ns=office.clock.now_ns() + 3_600 * S,
    )  # fmt: skip
    office.terminal.deal_list = (entry, ahead)
    await office.wait(62)
    office.terminal.deal_list = (entry, ahead, exit_of(entry, office.clock.now_ns()))
    office.terminal.position_list = ()
    await office.wait(62)
    assert "test:700" not in office.account.positions.open


async def test_books_that_could_not_be_written_down_do_not_agree() -> None:
    """A deal was found and the disk is full: no new risk until it is booked, then again."""
    office = await Office().settled()
    order = office.open()
    office.terminal.deal_list = (deal_of(order, office.clock.now_ns()),)
    office.terminal.position_list = (position_of(order),)
    office.terminal.balance = Decimal("9999.65")
    office.desk.journal.failure = JournalLost("no space")
    with pytest.raises(JournalLost):
        await office.wait(62)
    assert not office.account.books_agree
    office.desk.journal.failure = None
    await office.wait(10)
    assert office.account.books_agree
    assert list(office.account.positions.open) == ["test:700"]


class Silent:
    """A terminal that is not asked."""


async def test_the_kill_watch_outlives_a_full_disk() -> None:
    """The withdrawal of a forbidden order leaves as soon as it can be written down."""
    stage = KillScene()
    stage.pend()
    journal = stage.desk.journal
    stage.account.set_state(TradingState.REDUCE_ONLY, NOON_NS, "user:ann", "test")
    stage.desk.sent.clear()
    stage.account.orders.open.pop(next(reversed(stage.account.orders.open)))  # it never left
    clock = SimulatedClock(NOON_NS + 2 * S)
    journal.failure = JournalLost("no space")
    reasons: list[str] = []
    watch = KillWatch(stage.account, Silent(), clock)  # type: ignore[arg-type]
    kills = Persevering(watch.step, reasons.append, again_s=0.0)
    task = asyncio.create_task(kills.run())
    for _ in range(10):
        await asyncio.sleep(0)
    assert (reasons, stage.desk.sent) == (["no space"], [])
    assert kills.check().status is Status.DOWN
    journal.failure = None
    clock.advance_to(NOON_NS + 4 * S)
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    assert [order.kind for order in stage.desk.sent] == [OrderKind.CANCEL]


def withdrawals(stage: KillScene, seconds: range) -> list[int]:
    """When the one forbidden order is asked for, while the broker refuses; seconds after noon."""
    asked = []
    for second in seconds:
        stage.account.withdrawal.enforce(NOON_NS + second * S)
        if stage.desk.sent:
            asked.append(second)
            refused = stage.desk.sent.pop()
            stage.account.on_order_update(
                OrderUpdate(
                    kind=UpdateKind.REJECTED,
                    ts_ns=NOON_NS + second * S,
                    order_id=refused.order_id,
                    reason="market_closed",
                )
            )
    return asked


def test_a_closed_market_is_not_asked_every_second_for_a_whole_weekend() -> None:
    """1, 2, 4, 8, 16, 32 seconds, then a minute; at once when the link is new or a kill begins."""
    stage = KillScene()
    stage.pend()
    stage.desk.sent.clear()
    stage.account.guard.switches.force(
        Switch(where=ACCOUNT, state=TradingState.HALTED, actor="t", reason="t", ts_ns=1)
    )
    asked = withdrawals(stage, range(3_600))
    assert asked[:8] == [0, 1, 3, 7, 15, 31, 63, 123]
    assert len(asked) == 6 + 59  # 63 + 60·58 = 3,543
    stage.account.on_link(LinkChange(state=LinkState.DOWN, reason="", ts_ns=NOON_NS))
    stage.account.on_link(LinkChange(state=LinkState.UP, reason="", ts_ns=NOON_NS))
    assert withdrawals(stage, range(3_601, 3_602)) == [3_601]
    stage.account.kills.begin(kill(ts_ns=NOON_NS + 3_602 * S), closes_foreign=False)
    assert [order.kind for order in stage.desk.sent] == [OrderKind.CANCEL]


def test_the_begin_of_a_day_is_written_down_at_once() -> None:
    """A crash a minute after the broker's midnight must not begin the day a second time."""
    desk = Desk()
    for second in (1, 35_990, 36_000, 36_010):
        desk.account.on_tick(scene(tick(after_s=second), None))
    recorded = [item.event for item in desk.sink.facts if isinstance(item.event, EquityRecorded)]
    assert [(event.ts_ns - NOON_NS) // S for event in recorded] == [1, 35_990, 36_000]
    assert recorded[-1].day_end_ns == NOON_NS + (36_000 + 86_400) * S


class TurnedBack(SimulatedClock):
    """A clock that was an hour ahead until somebody corrected it."""

    behind_ns = 0

    def now_ns(self) -> int:
        """The corrected time."""
        return super().now_ns() - self.behind_ns

    def advance_to(self, ts_ns: int) -> None:
        """Forward, in corrected time."""
        super().advance_to(ts_ns + self.behind_ns)


async def test_a_clock_that_was_put_back_keeps_nobody_waiting_for_the_time_it_told() -> None:
    """The books are compared at once, not when the old time comes again; then as ever."""
    office = Office()
    office.clock = office.reconciler._clock = clock = TurnedBack(NOON_NS)
    await office.settled()
    await office.wait(1)
    clock.behind_ns = 3_600 * S
    await office.wait(0.25)
    assert office.terminal.asked == ["deals", "orders", "positions", "account"]
    office.terminal.asked.clear()
    await office.wait(9.5)
    assert office.terminal.asked == []
    await office.wait(1)
    assert office.terminal.asked == ["deals", "orders"]


def test_a_withdrawal_does_not_wait_for_a_time_that_was_wrong() -> None:
    """Asked for an hour ahead of time; after the correction it is asked for at once."""
    stage = KillScene()
    stage.pend()
    stage.desk.sent.clear()
    stage.account.guard.switches.force(
        Switch(where=ACCOUNT, state=TradingState.HALTED, actor="t", reason="t", ts_ns=1)
    )
    assert withdrawals(stage, range(3_600, 3_601)) == [3_600]
    assert withdrawals(stage, range(1)) == [0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TradingState.ARMED, TradingState.REDUCE_ONLY),
        (TradingState.PAUSED, TradingState.REDUCE_ONLY),
        (TradingState.HALTED, TradingState.HALTED),
    ],
)
def test_only_exits_are_let_through_whatever_was_milder_before(
    before: TradingState, after: TradingState
) -> None:
    """A pause lets entry orders work at the broker; reduce-only takes them back."""
    desk = Desk().arm()
    desk.account.set_state(before, NOON_NS, "user:ann", "test")
    run: Any = object.__new__(TenantRun)
    run.account, run.say = desk.account, list[str]().append
    run.market = SimpleNamespace(clock=SimulatedClock(NOON_NS))
    run.reduce_only("the keys of this tenant cannot be had")
    assert desk.account.state is after
