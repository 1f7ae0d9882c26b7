"""The kill switch on one account: halt, withdraw, close, and go on until the terminal shows it.

What was asked for is written down first (`KillBegun`, together with the halt), so a kill outlives a
crash. All orders of one push leave in one durable record. A close that the broker refused is tried
again with the management's back-off once a newer quote is there: where the market is closed, that
is when it opens. Arming the same switch again ends a kill.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from plan2.dataflow.terminals.port import OrderKind, TerminalOrder, TerminalPosition
from plan2.foundation.events.account import KillBegun, KillFinished, TradingStateChanged
from plan2.foundation.events.base import Event
from plan2.foundation.events.fact import fact
from plan2.foundation.events.order import OrderCancelled, PositionClosed
from plan2.foundation.values import NS_PER_SECOND, Tick
from plan2.intelligence.risk.gate import MAGIC
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.risk.switch import Scope, Where
from plan2.intelligence.trading.broker_view import BrokerView
from plan2.intelligence.trading.chronicle import Chronicle
from plan2.intelligence.trading.management import Management
from plan2.intelligence.trading.orders import Order, OrderState
from plan2.intelligence.trading.positions import Position, position_id_of
from plan2.intelligence.trading.requests import Outcome
from plan2.intelligence.trading.summary import account_stream
from plan2.intelligence.trading.switching import Change, Switching
from plan2.intelligence.trading.wishes import Ask, OrderWish, Sight
from plan2.intelligence.trading.withdrawal import Withdrawal

REPORT_AFTER_NS: Final = 10 * NS_PER_SECOND
"""Market time after which a kill that is not flat yet says so, once."""


class KillDesk(msgspec.Struct, frozen=True):
    """What a kill works with: the account's own parts."""

    tenant_id: str
    sight: Sight
    request_all: Callable[[Sequence[OrderWish], int], tuple[Outcome, ...]]
    management: Management
    switching: Switching
    withdrawal: Withdrawal
    broker: BrokerView
    chronicle: Chronicle


class Run(msgspec.Struct, kw_only=True):
    """A kill that is not finished.

    `tried` is, per position, the time of the quote that the last close went by; `failed` says what
    would not go and why.
    """

    begun: KillBegun
    where: Where
    tried: dict[str, int] = {}
    failed: dict[str, str] = {}
    withdrawn: int = 0
    closed: int = 0
    is_told: bool = False

    def wants(self, position: Position) -> bool:
        """Whether it closes this position."""
        is_meant = position.is_managed or self.begun.closes_foreign
        return is_meant and self.where.covers(position.symbol, position.flow_id)

    @property
    def ask(self) -> Ask:
        """In whose name it asks for orders."""
        return Ask(self.begun.actor, f"kill: {self.begun.reason}")


class Kills:
    """All kills of one account that are not finished; every `now_ns` is market time."""

    def __init__(self, desk: KillDesk) -> None:
        self.live: dict[Where, Run] = {}
        self._desk = desk
        self._account_id = desk.sight.account_id
        self._orders = desk.sight.orders
        self._positions = desk.sight.positions

    def begin(self, change: Change, *, closes_foreign: bool) -> None:
        """Halt and let every order that helps leave at once; again for what is left when repeated.

        Raises:
            JournalLost: it cannot be written down; trading is halted, and nothing was sent.
        """
        begun = KillBegun(
            ts_ns=change.ts_ns,
            account_id=self._account_id,
            tenant_id=self._desk.tenant_id,
            scope=change.where.scope.value,
            target=change.where.target,
            actor=change.actor,
            reason=change.reason.removeprefix("kill: "),
            closes_foreign=closes_foreign,
        )
        self._desk.switching.throw(change, [begun])
        self._desk.withdrawal.hurry()
        self.push(change.ts_ns)

    def apply(self, event: Event) -> None:
        """Fold an event, live and at a restart; call it before the books hear it."""
        if isinstance(event, KillBegun):
            where = Where(Scope(event.scope), event.target)
            self.live[where] = Run(begun=event, where=where)
        elif isinstance(event, KillFinished | TradingStateChanged):
            self._end(event)
        elif isinstance(event, OrderCancelled | PositionClosed):
            for run in self.live.values():
                self._count(run, event)

    def on_tick(self, tick: Tick) -> None:
        """Try to close what would not go before, now that there is a quote."""
        if self._positions.of_symbol(tick.symbol):
            self.push(tick.ts_ns)

    def push(self, now_ns: int) -> None:
        """Ask for every order that helps now: withdrawals first, then closes, in one record.

        Raises:
            JournalLost: they could not be written down; none was sent.
        """
        for run in list(self.live.values()):
            wishes = [
                *self._desk.withdrawal.wishes(self._working(run), run.ask, now_ns),
                *self._closes(run, now_ns),
            ]
            self._request(run, wishes, now_ns)

    def verify(
        self,
        orders: Sequence[TerminalOrder],
        positions: Sequence[TerminalPosition],
        now_ns: int,
    ) -> None:
        """Compare with what the terminal holds: all gone ends a kill, the rest is asked for again.

        `orders` must have been asked for before `positions`, or a fill in between is missed. An
        answer may be older than a fill that was heard meanwhile, so our own books count as well.
        """
        for run in list(self.live.values()):
            left: list[str] = []
            open_orders = [item for item in orders if self._meant(run, item, left)]
            open_positions = [item for item in positions if self._is_open(run, item, left)]
            waiting = any(self._waits(run, order) for order in self._orders.open.values())
            if not (open_orders or open_positions or waiting or self._holds(run)):
                self._tell(run, now_ns, left, is_flat=True)
                continue
            lost = [item for item in open_orders if item.ticket not in self._orders.by_ticket]
            self._request(run, self._desk.withdrawal.foreign(lost, run.ask, now_ns), now_ns)
            if not run.is_told and now_ns - run.begun.ts_ns >= REPORT_AFTER_NS:
                run.is_told = True
                self._tell(run, now_ns, left, is_flat=False)

    # --- what is meant --------------------------------------------------------------------

    def _working(self, run: Run) -> list[Order]:
        return [
            order
            for order in self._orders.working()
            if run.where.covers(order.placed.symbol, order.placed.flow_id)
        ]

    def _waits(self, run: Run, order: Order) -> bool:
        """Whether an order may still change a position: sent, or of unknown outcome."""
        placed = order.placed
        return order.kind is not OrderKind.PROTECT and run.where.covers(
            placed.symbol, placed.flow_id
        )

    def _holds(self, run: Run) -> bool:
        """Whether our books hold a position that has to go and that is not known to be gone."""
        missing = self._desk.broker.missing
        return any(
            run.wants(position) and position.position_id not in missing
            for position in self._positions.open.values()
        )

    def _meant(self, run: Run, item: TerminalOrder, left: list[str]) -> bool:
        """Whether an order at the broker has to go; names it in `left` when it is foreign."""
        order = self._orders.of_ticket(item.ticket)
        flow_id = order.placed.flow_id if order is not None else ""
        if not run.where.covers(item.symbol, flow_id):
            return False
        if order is None and item.magic != MAGIC and not run.begun.closes_foreign:
            left.append(f"order {item.ticket} {item.symbol}")
            return False
        return True

    def _is_open(self, run: Run, item: TerminalPosition, left: list[str]) -> bool:
        """Whether a position at the broker has to go; names it in `left` when it is foreign."""
        known = self._positions.open.get(position_id_of(self._account_id, item.ticket))
        if known is None:
            # Not in the books yet: reconciliation adopts it, then it is ours or foreign.
            return run.where.covers(item.symbol, "")
        if run.where.covers(known.symbol, known.flow_id) and not run.wants(known):
            left.append(f"position {item.ticket} {item.symbol}")
        return run.wants(known)

    def _closes(self, run: Run, now_ns: int) -> list[OrderWish]:
        """Closes that are not under way, each tried again only after a newer quote."""
        wishes = []
        for position in self._positions.open.values():
            if not run.wants(position) or not self._desk.management.may_close(position, now_ns):
                continue
            quote = self._desk.sight.quotes.get(position.symbol)
            quoted_ns = quote.ts_ns if quote is not None else 0
            if run.tried.get(position.position_id, -1) >= quoted_ns:
                continue
            run.tried[position.position_id] = quoted_ns
            wishes.append(
                OrderWish(
                    kind=OrderKind.CLOSE,
                    ask=run.ask,
                    position_id=position.position_id,
                    flow_id=position.flow_id,
                    key=f"kill:{run.begun.ts_ns}:{position.position_id}:{now_ns}",
                )
            )
        return wishes

    def _request(self, run: Run, wishes: Sequence[OrderWish], now_ns: int) -> None:
        if not wishes:
            return
        outcomes = self._desk.request_all(wishes, now_ns)
        for wish, outcome in zip(wishes, outcomes, strict=True):
            name = wish.position_id or wish.order_id or wish.order_ticket
            run.failed.pop(name, None)
            if outcome.refusal is not None:
                run.failed[name] = f"{name}: {outcome.refusal.message}"
                if run.tried.pop(name, None) is not None:
                    self._desk.management.note_refused_close(name, now_ns)

    # --- what came of it ------------------------------------------------------------------

    def _count(self, run: Run, event: OrderCancelled | PositionClosed) -> None:
        if isinstance(event, OrderCancelled):
            order = self._orders.orders.get(event.order_id)
            is_pending = order is not None and order.kind is OrderKind.PENDING
            flow_id = order.placed.flow_id if order is not None else ""
            run.withdrawn += is_pending and run.where.covers(event.symbol, flow_id)
            return
        position = self._positions.open.get(event.position_id)
        run.closed += position is not None and run.wants(position)

    def _end(self, event: KillFinished | TradingStateChanged) -> None:
        """A kill ends when all is flat, or when its switch is armed again."""
        where = Where(Scope(event.scope), event.target)
        is_over = (
            event.is_flat
            if isinstance(event, KillFinished)
            else event.new_state == TradingState.ARMED.word
        )
        if is_over:
            self.live.pop(where, None)
        elif isinstance(event, KillFinished) and where in self.live:
            self.live[where].is_told = True

    def _tell(self, run: Run, now_ns: int, left: list[str], *, is_flat: bool) -> None:
        unknown = [
            f"order {order.placed.order_id} {order.placed.symbol}: {order.reason or 'no answer'}"
            for order in self._orders.open.values()
            if order.state is OrderState.UNKNOWN and self._waits(run, order)
        ]
        event = KillFinished(
            ts_ns=now_ns,
            account_id=self._account_id,
            tenant_id=self._desk.tenant_id,
            scope=run.where.scope.value,
            target=run.where.target,
            actor=run.begun.actor,
            reason=run.begun.reason,
            orders_cancelled=run.withdrawn,
            positions_closed=run.closed,
            failed=() if is_flat else (*run.failed.values(), *self._refused(run)),
            unknown=tuple(unknown),
            is_flat=is_flat,
            left=tuple(left),
        )
        stream = account_stream(self._account_id)
        self._desk.chronicle.record_durable([fact(stream, event, repr(event))])
        self.apply(event)

    def _refused(self, run: Run) -> list[str]:
        """Positions whose close was tried and that are still there, and what they wait for."""
        return [
            f"position {position.ticket} {position.symbol}: tried, and again at its next quote"
            for position in self._positions.open.values()
            if run.wants(position)
            and position.position_id in run.tried
            and not self._orders.closing(position.ticket)
        ]
