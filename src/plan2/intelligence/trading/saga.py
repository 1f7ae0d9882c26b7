"""The saga of an order: what it waits for, until when, and what is done when that is over.

    placed → sent → (accepted | unknown) → filled → protected → ended

`TABLE` is the whole of it. Where a saga stands is folded from the stored events, so after a crash
it goes on at the very step it had reached. A saga ends when nothing of it is left to happen: the
order was refused, withdrawn or expired, the errand was run, the position was closed. Nothing is
done here: the remedies are carried out by reconciliation and by position management.
"""

import enum

import msgspec

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import (
    OrderAccepted,
    OrderCancelled,
    OrderCompleted,
    OrderExecuted,
    OrderExpired,
    OrderOutcomeUnknown,
    OrderPlaced,
    OrderRejected,
    OrderSent,
    PositionClosed,
    PositionOpened,
    PositionProtected,
)
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.trading.orders import LOT_SLACK, kind_of


class Step(enum.StrEnum):
    """How far a saga is."""

    PLACED = "placed"
    SENT = "sent"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    """Taken by the broker, to be executed at once."""
    WORKING = "working"
    """A pending order that waits for its price."""
    FILLED = "filled"
    """A position without a stop at the broker."""
    PROTECTED = "protected"
    ENDED = "ended"


class Remedy(enum.StrEnum):
    """What is done when a step takes too long."""

    ASK = "ask the broker what became of the order"
    PROTECT = "set a stop at the broker, or close the position"
    CALL = "a person has to look"
    NONE = "none"


class Rule(msgspec.Struct, frozen=True):
    """What a step waits for and how long; seconds of the terminal's clock.

    With `after_expiry` the time runs from when the order or the position should have ended; one
    that never expires may take as long as it likes.
    """

    waits_for: str
    limit_s: float
    remedy: Remedy
    after_expiry: bool = False


TABLE: dict[Step, Rule] = {
    Step.PLACED: Rule("the call to the terminal", 5.0, Remedy.ASK),
    Step.SENT: Rule("the broker's answer", 5.0, Remedy.ASK),
    Step.UNKNOWN: Rule("the broker's records", 5.0, Remedy.ASK),
    Step.ACCEPTED: Rule("the execution", 5.0, Remedy.ASK),
    Step.WORKING: Rule("its price, its expiry or a withdrawal", 30.0, Remedy.ASK, True),
    Step.FILLED: Rule("a stop at the broker", 10.0, Remedy.PROTECT),
    Step.PROTECTED: Rule("the close of its position", 60.0, Remedy.CALL, True),
    Step.ENDED: Rule("nothing", 0.0, Remedy.NONE),
}
"""The order-execution saga."""

SAGA_EVENTS: tuple[type[Event], ...] = (
    OrderPlaced,
    OrderSent,
    OrderAccepted,
    OrderOutcomeUnknown,
    OrderExecuted,
    OrderRejected,
    OrderCompleted,
    OrderCancelled,
    OrderExpired,
    PositionOpened,
    PositionProtected,
    PositionClosed,
)
"""What sagas are folded from."""

_ENDS = (OrderRejected, OrderCompleted, OrderCancelled, OrderExpired)


class Stake(msgspec.Struct):
    """An order's part in a position that it opened or added to; `side` as in the events."""

    side: str
    is_protected: bool = False
    expires_ts_ns: int = 0


class Saga(msgspec.Struct, kw_only=True):
    """One order on its way; `since_ns` is when it reached its step, market time."""

    order_id: str
    symbol: str
    kind: OrderKind
    quantity: float
    step: Step
    since_ns: int
    expires_ts_ns: int
    is_order_over: bool = False
    fills: int = 0
    filled: float = 0.0
    stakes: dict[str, Stake] = {}

    def due_ns(self) -> int | None:
        """When the present step takes too long; None when it may take as long as it likes."""
        rule = TABLE[self.step]
        limit_ns = int(rule.limit_s * NS_PER_SECOND)
        if not rule.after_expiry:
            return self.since_ns + limit_ns
        ends = [stake.expires_ts_ns for stake in self.stakes.values()] or [self.expires_ts_ns]
        first = min((end for end in ends if end), default=0)
        return first + limit_ns if first else None


class Overdue(msgspec.Struct, frozen=True, kw_only=True):
    """A step that takes too long."""

    saga: Saga
    waited_s: float

    @property
    def remedy(self) -> Remedy:
        """What is done about it."""
        return TABLE[self.saga.step].remedy

    def __str__(self) -> str:
        waits_for = TABLE[self.saga.step].waits_for
        return (
            f"order {self.saga.order_id} ({self.saga.kind.value} {self.saga.symbol}) has been "
            f"waiting for {waits_for} for {self.waited_s:.0f} s"
        )


class SagaBook:
    """All sagas that have not ended; `apply` is the only way it changes."""

    def __init__(self) -> None:
        self.live: dict[str, Saga] = {}
        self._holders: dict[str, list[str]] = {}
        """Orders by position: on a netting account several orders have one position."""
        self._foreign: set[str] = set()
        """Positions that somebody else opened: lots of ours in one are not looked after."""

    def apply(self, event: Event) -> None:
        """Fold one event; events that no saga is made of are ignored."""
        if isinstance(event, OrderPlaced):
            self._begin(event)
        elif isinstance(event, OrderExecuted):
            self._execute(event)
        elif isinstance(event, (PositionOpened, PositionProtected)):
            self._note_owner(event)
            self._protect(event)
        elif isinstance(event, PositionClosed):
            self._close(event)
        elif (saga := self.live.get(getattr(event, "order_id", ""))) is not None:
            _hear(saga, event)
            self._end_if_over(saga)

    def overdue(self, now_ns: int) -> list[Overdue]:
        """Steps that take too long at a time of the terminal's clock."""
        found = []
        for saga in self.live.values():
            due_ns = saga.due_ns()
            if due_ns is not None and now_ns > due_ns:
                waited_s = (now_ns - saga.since_ns) / NS_PER_SECOND
                found.append(Overdue(saga=saga, waited_s=waited_s))
        return found

    def _begin(self, event: OrderPlaced) -> None:
        self.live[event.order_id] = Saga(
            order_id=event.order_id,
            symbol=event.symbol,
            kind=kind_of(event),
            quantity=event.quantity,
            step=Step.PLACED,
            since_ns=event.ts_ns,
            expires_ts_ns=event.order_expires_ts_ns,
        )

    def _execute(self, event: OrderExecuted) -> None:
        saga = self.live.get(event.order_id)
        if saga is None:
            return
        saga.fills += 1
        saga.filled += event.executed_quantity
        if saga.kind is OrderKind.CLOSE_BY:  # as far as the smaller position goes, in two deals
            is_complete = saga.fills >= 2
        else:
            is_complete = saga.filled >= saga.quantity - LOT_SLACK
        saga.is_order_over = saga.is_order_over or is_complete
        is_own = event.position_id not in self._foreign
        if not event.is_exit and is_own and event.position_id not in saga.stakes:
            saga.stakes[event.position_id] = self._stake(event)
            self._holders.setdefault(event.position_id, []).append(saga.order_id)
        _take_step(saga, event.ts_ns)
        self._end_if_over(saga)

    def _stake(self, event: OrderExecuted) -> Stake:
        """A new part; an addition is as protected as the position that it adds to."""
        for saga in self._holding(event.position_id):
            other = saga.stakes[event.position_id]
            if other.side == event.side:
                return Stake(event.side, other.is_protected, other.expires_ts_ns)
        return Stake(event.side)

    def _note_owner(self, event: PositionOpened | PositionProtected) -> None:
        if isinstance(event, PositionOpened) and not event.is_managed:
            self._foreign.add(event.position_id)

    def _protect(self, event: PositionOpened | PositionProtected) -> None:
        for saga in self._holding(event.position_id):
            stake = saga.stakes[event.position_id]
            stake.is_protected = event.stop_loss != 0.0
            if isinstance(event, PositionOpened):
                stake.expires_ts_ns = event.expires_ts_ns
            _take_step(saga, event.ts_ns)

    def _close(self, event: PositionClosed) -> None:
        """Every part in it ends; one of the other side is of the position that follows it."""
        self._foreign.discard(event.position_id)
        holding = self._holding(event.position_id)
        left = [one for one in holding if one.stakes[event.position_id].side != event.direction]
        self._holders.pop(event.position_id, None)
        if left:
            self._holders[event.position_id] = [saga.order_id for saga in left]
        for saga in holding:
            if saga not in left:
                del saga.stakes[event.position_id]
                _take_step(saga, event.ts_ns)
                self._end_if_over(saga)

    def _holding(self, position_id: str) -> list[Saga]:
        """Sagas with a part in a position, the oldest first."""
        return [self.live[order_id] for order_id in self._holders.get(position_id, ())]

    def _end_if_over(self, saga: Saga) -> None:
        if saga.is_order_over and not saga.stakes:
            saga.step = Step.ENDED
            del self.live[saga.order_id]


def _hear(saga: Saga, event: Event) -> None:
    """The broker's word on the order itself."""
    if isinstance(event, _ENDS):
        saga.is_order_over = True
    elif isinstance(event, OrderSent) and saga.step is Step.PLACED:
        saga.step, saga.since_ns = Step.SENT, event.ts_ns
    elif isinstance(event, OrderOutcomeUnknown) and not saga.filled:
        saga.step, saga.since_ns = Step.UNKNOWN, event.ts_ns
    elif isinstance(event, OrderAccepted) and not saga.filled:
        is_pending = saga.kind is OrderKind.PENDING
        saga.step = Step.WORKING if is_pending else Step.ACCEPTED
        saga.since_ns = event.ts_ns
    if saga.stakes:
        _take_step(saga, event.ts_ns)


def _take_step(saga: Saga, ts_ns: int) -> None:
    """Where an order with executions stands: its positions first, then what is left of it."""
    if any(not stake.is_protected for stake in saga.stakes.values()):
        step = Step.FILLED
    elif saga.is_order_over:
        step = Step.PROTECTED
    else:
        step = Step.WORKING if saga.kind is OrderKind.PENDING else Step.ACCEPTED
    if step is not saga.step:
        saga.step, saga.since_ns = step, ts_ns
