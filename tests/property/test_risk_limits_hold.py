"""R-107, R-108: whatever is asked for, no order leaves that breaks a limit at the moment it leaves.

A model of its own keeps count of what was sent and filled, and looks at every order as the terminal
would see it; it shares no code with the gate.
"""

import asyncio
import math
from collections import Counter
from typing import ClassVar

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from trading_fixtures import BUY, NOON_NS, RULES, SELL, Desk, forecast, scene, tick

from plan2.dataflow.terminals.port import (
    ApprovedOrder,
    LinkChange,
    LinkState,
    OrderKind,
    OrderUpdate,
    Trigger,
    UpdateKind,
)
from plan2.foundation.config.schema import Risk
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.wishes import Ask, OrderWish

LIMITS = Risk(
    positions_max=5,
    positions_per_symbol_max=5,
    exposure_max_fraction=6.0,
    order_value_max_fraction=2.5,
    order_volume_max_lots=0.2,
    messages_per_second_max=4,
    messages_per_minute_max=25,
    orders_per_minute_max=1_000,
    duplicate_window_s=0.0,
    collar_window_max_fraction=0.2,
)
TIGHT = msgspec.structs.replace(RULES, risk=LIMITS)
ENTRIES = {OrderKind.OPEN, OrderKind.PENDING}
PERSON = Ask("user:ann", "test")


class Model:
    """What was sent and filled, counted by hand."""

    def __init__(self) -> None:
        self.sent_ns: list[tuple[int, OrderKind]] = []
        self.waiting: dict[str, ApprovedOrder] = {}
        self.order_of: dict[str, str] = {}
        self.open_lots: dict[str, float] = {}
        self.mid = math.nan
        self.is_armed = True
        self.is_up = True

    def check(self, order: ApprovedOrder, equity: float) -> None:
        """Hold an order that is about to leave against every limit it could break."""
        now_ns = order.ts_ns
        spare = order.kind is OrderKind.CANCEL
        if order.kind in ENTRIES:
            assert self.is_armed, f"{order.kind} while not armed"
            assert self.is_up, f"{order.kind} while the link is down"
            self._check_size(order, equity)
            self._check_price(order)
        if not spare:
            room = 1 if order.kind in ENTRIES | {OrderKind.CHANGE} else 2
            counted = self.sent_ns
            if room == 2:
                counted = [item for item in counted if item[1] is not OrderKind.CANCEL]
            second = sum(1 for at, _ in counted if at > now_ns - NS_PER_SECOND)
            minute = sum(1 for at, _ in counted if at > now_ns - 60 * NS_PER_SECOND)
            assert second + 1 <= room * LIMITS.messages_per_second_max
            assert minute + 1 <= room * LIMITS.messages_per_minute_max
        self.sent_ns.append((now_ns, order.kind))
        if order.kind in ENTRIES:
            self.waiting[order.order_id] = order

    def _check_size(self, order: ApprovedOrder, equity: float) -> None:
        lots = [*self.open_lots.values(), *(item.quantity for item in self.waiting.values())]
        assert len(lots) + 1 <= LIMITS.positions_max
        assert order.quantity <= LIMITS.order_volume_max_lots + 1e-12
        value = order.quantity * 100_000 * self.mid
        assert value <= LIMITS.order_value_max_fraction * equity + 0.01
        total = sum(lots) * 100_000 * self.mid + value
        assert total <= LIMITS.exposure_max_fraction * equity + 0.01

    def _check_price(self, order: ApprovedOrder) -> None:
        assert order.stop_loss > 0.0
        limit = (
            LIMITS.collar_max_fraction
            if order.kind is OrderKind.OPEN
            else LIMITS.collar_pending_max_fraction
        )
        assert abs(order.price - self.mid) / self.mid <= limit + 1e-12


class WatchedDesk(Desk):
    """A desk whose terminal looks at each order before it takes it."""

    def __init__(self, model: Model) -> None:
        self.model = model
        super().__init__(TIGHT)

    def _submit(self, order: ApprovedOrder) -> None:
        self.model.check(order, float(self.account.portfolio.equity))
        super()._submit(order)


class AnySequence(RuleBasedStateMachine):
    """People, the policy, the broker and time do anything in any order."""

    left: ClassVar[Counter[OrderKind]] = Counter()
    """Orders that left, over all sequences: a test without any would prove nothing."""

    @initialize()
    def begin(self) -> None:
        """An armed desk at noon."""
        self.model = Model()
        self.desk = WatchedDesk(self.model)
        self.desk.arm()
        self.account = self.desk.account
        self.after_s = 0.0
        self.count = 0
        self.quote(0.0, 0)

    @rule(step_s=st.sampled_from([0.05, 0.3, 2.0, 20.0]), points=st.integers(-300, 300))
    def quote(self, step_s: float, points: int) -> None:
        """Time passes and the price moves; the policy may decide to trade."""
        self.after_s += step_s
        bid = round(1.1 + points * 1e-5, 5)
        self.model.mid = bid + 0.00005
        self.account.on_tick(scene(tick(bid, bid + 0.0001, self.after_s), forecast(0.60)))

    @rule(
        count=st.integers(1, 8),
        lots=st.sampled_from([0.01, 0.01, 0.05, 0.15, 0.2, 0.21, 5.0]),
        side=st.sampled_from([BUY, SELL]),
        offset=st.sampled_from([0.002, 0.002, 0.05, 0.0563, 0.3]),
        is_pending=st.booleans(),
    )
    def ask(self, count: int, lots: float, side: object, offset: float, is_pending: bool) -> None:
        """A person asks for entries, sound or not, one after the other."""
        for _ in range(count):
            self._enter(lots, side, offset, is_pending)

    def _enter(self, lots: float, side: object, offset: float, is_pending: bool) -> None:
        price = self.model.mid - side.value * offset  # type: ignore[attr-defined]
        self._request(
            kind=OrderKind.PENDING if is_pending else OrderKind.OPEN,
            symbol="EURUSD",
            side=side,
            quantity=lots,
            trigger=Trigger.LIMIT if is_pending else Trigger.MARKET,
            price=price if is_pending else None,
            stop_loss=price - side.value * 0.02,  # type: ignore[attr-defined]
        )
        if is_pending and self.desk.sent and self._is_open(self.desk.sent[-1]):
            self._say(UpdateKind.ACCEPTED, self.desk.sent[-1], ticket=f"w{self.count}")

    @rule(which=st.integers(0, 9), cancel=st.booleans())
    def touch_pending(self, which: int, cancel: bool) -> None:
        """A person withdraws or moves a working order."""
        working = self.account.orders.working()
        if not working:
            return
        order = working[which % len(working)]
        kind = OrderKind.CANCEL if cancel else OrderKind.CHANGE
        price = None if cancel else round(order.price + 0.0001, 5)
        self._request(kind=kind, order_id=order.placed.order_id, price=price)

    @rule(which=st.integers(0, 9), close=st.booleans())
    def touch_position(self, which: int, close: bool) -> None:
        """A person closes a position or moves its stop."""
        positions = list(self.account.positions.open.values())
        if not positions:
            return
        position = positions[which % len(positions)]
        if close:
            self._request(kind=OrderKind.CLOSE, position_id=position.position_id)
            return
        stop = round(position.stop_loss + position.side.value * 0.0001, 5)
        kind = OrderKind.PROTECT
        self._request(kind=kind, position_id=position.position_id, stop_loss=stop)

    @rule(which=st.integers(0, 9), answer=st.sampled_from(["fill", "accept", "reject"]))
    def broker(self, which: int, answer: str) -> None:
        """The broker answers an order that waits."""
        waiting = [order for order in self.desk.sent if self._is_open(order)]
        if not waiting:
            return
        order = waiting[which % len(waiting)]
        self.count += 1
        if order.kind in {OrderKind.PROTECT, OrderKind.CHANGE, OrderKind.CANCEL}:
            self._say(UpdateKind.REJECTED if answer == "reject" else UpdateKind.DONE, order)
            if order.kind is OrderKind.CANCEL and answer != "reject":
                withdrawn = self.model.order_of.get(order.order_ticket, "")
                self.model.waiting.pop(withdrawn, None)
        elif answer == "reject":
            self._say(UpdateKind.REJECTED, order)
            self.model.waiting.pop(order.order_id, None)
        elif answer == "accept" and order.kind is OrderKind.PENDING:
            self._say(UpdateKind.ACCEPTED, order, ticket=f"w{self.count}")
        else:
            self._fill(order)

    @rule(state=st.sampled_from([*TradingState, *[TradingState.ARMED] * 12]))
    def switch(self, state: TradingState) -> None:
        """A person throws the switch; arming comes more often, or little would happen."""
        now_ns = NOON_NS + int(self.after_s * NS_PER_SECOND)
        self.model.is_armed = state is TradingState.ARMED
        self.account.set_state(state, now_ns, "user:ann", "test")
        self.model.is_armed = self.account.state is TradingState.ARMED

    @rule(is_up=st.sampled_from([*[True] * 9, False]))
    def link(self, is_up: bool) -> None:
        """The link breaks or comes back."""
        state = LinkState.UP if is_up else LinkState.DOWN
        self.model.is_up = is_up
        self.account.on_link(LinkChange(state=state, reason="test", ts_ns=NOON_NS))
        self.account.books_agree = True  # so that the link alone has to refuse

    def teardown(self) -> None:
        """Count what left."""
        self.left.update(order.kind for order in self.desk.sent)

    def _request(self, **wish: object) -> None:
        self.count += 1
        now_ns = NOON_NS + int(self.after_s * NS_PER_SECOND)
        asked = OrderWish(ask=PERSON, key=f"{self.count}", **wish)  # type: ignore[arg-type]
        self.account.requests.request(asked, now_ns)

    def _is_open(self, order: ApprovedOrder) -> bool:
        known = self.account.orders.open.get(order.order_id)
        return known is not None and known.is_open

    def _say(self, kind: UpdateKind, order: ApprovedOrder, ticket: str = "") -> None:
        if ticket:
            self.model.order_of[ticket] = order.order_id
        self.account.on_order_update(
            OrderUpdate(kind=kind, ts_ns=order.ts_ns + 1, order_id=order.order_id, ticket=ticket)
        )

    def _fill(self, order: ApprovedOrder) -> None:
        is_exit = order.kind is OrderKind.CLOSE
        ticket = order.position_ticket if is_exit else f"p{self.count}"
        if is_exit and ticket not in self.model.open_lots:
            return
        self.model.waiting.pop(order.order_id, None)
        if is_exit:
            del self.model.open_lots[ticket]
        else:
            self.model.open_lots[ticket] = order.quantity
        self.desk.fill(order, order.price, f"{self.count}", position_ticket=ticket, is_exit=is_exit)


def test_no_order_that_leaves_breaks_a_limit() -> None:
    """R-107: 200 sequences of up to 50 steps, 10,000 in all."""
    run_state_machine_as_test(
        AnySequence,
        settings=settings(
            max_examples=200,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    left = AnySequence.left
    assert left[OrderKind.OPEN] + left[OrderKind.PENDING] > 200, left


def test_the_model_sees_every_kind_of_order() -> None:
    """One sequence by hand: which kinds leave by chance differs from seed to seed."""
    machine = AnySequence()
    machine.begin()
    machine.quote(20.0, 0)
    machine.ask(1, 0.05, BUY, 0.002, is_pending=True)
    machine.quote(20.0, 0)
    machine.touch_pending(0, cancel=False)
    machine.broker(0, "accept")
    machine.quote(20.0, 0)
    machine.touch_pending(0, cancel=True)
    machine.broker(0, "accept")
    machine.ask(1, 0.05, BUY, 0.002, is_pending=False)
    while not machine.account.positions.open:
        machine.broker(0, "fill")
    machine.quote(20.0, 0)
    machine.touch_position(0, close=False)
    machine.broker(0, "accept")
    machine.touch_position(0, close=True)
    sent = {order.kind for order in machine.desk.sent}
    assert sent == set(OrderKind) - {OrderKind.CLOSE_BY}


async def test_two_hundred_at_once_cannot_pass_a_cap_of_ten() -> None:
    """R-108: 200 tasks race for ten positions; each approval counts before the next one."""
    limits = msgspec.structs.replace(
        LIMITS,
        positions_max=10,
        positions_per_symbol_max=10,
        messages_per_second_max=1_000,
        messages_per_minute_max=1_000,
        orders_per_minute_max=1_000,
        duplicate_window_s=0.0,
    )
    desk = Desk(msgspec.structs.replace(RULES, risk=limits)).arm()
    desk.account.on_tick(scene(tick(), None))

    async def want(number: int) -> None:
        await asyncio.sleep(0)
        wish = OrderWish(
            kind=OrderKind.OPEN,
            ask=PERSON,
            symbol="EURUSD",
            side=BUY,
            quantity=0.01,
            stop_loss=1.09,
            key=f"{number}",
        )
        desk.account.requests.request(wish, NOON_NS)

    await asyncio.gather(*(want(number) for number in range(200)))
    assert len(desk.sent) == 10
