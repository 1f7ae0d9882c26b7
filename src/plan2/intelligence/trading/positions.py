"""Open positions of an account, folded from events, and what they are worth now.

Money counts from the moment a fill is known. A fill that does not fit its position yet (an exit
before its entry, the entry of a reversal before its exit) waits until the missing one arrives, so
the order in which a broker tells its deals does not matter.
"""

from decimal import Decimal

import msgspec

from plan2.foundation.errors import require
from plan2.foundation.events.account import BalanceAdjusted
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import (
    OrderExecuted,
    PositionClaimed,
    PositionClosed,
    PositionOpened,
    PositionProtected,
)
from plan2.foundation.values import Side
from plan2.intelligence.trading.altered_deals import AlteredDeals

UNEXPLAINED = "unexplained"
"""Why a position was closed that the broker no longer had, without a deal that says so."""
FILLS_KEPT = 10_000
"""Fills remembered against duplicates; a broker repeats itself within minutes, not weeks."""
WAITING_KEPT = 1_000
"""Positions with fills that wait for others; beyond that the oldest are given up."""
LOT_SLACK = 1e-9
"""Lots that are only the rounding of sums of lots."""


class Position(msgspec.Struct, kw_only=True):
    """One open position; prices in quote currency, quantity in lots, money in account currency.

    Attributes:
        is_managed: whether Plan2 closes and protects it; else it is only shown and counted.
        initial_stop: the first stop it had, 0.0 = none yet; what its risk is measured from.
        unprotected_ts_ns: since when it has no stop at the broker, 0 = it has one.
        exit_price, exit_ts_ns, exit_reason: of its last exit.
        entries: orders that made it, more than one on a netting account alone; entry_order: the
            newest of them that is known.
    """

    position_id: str
    symbol: str
    side: Side
    quantity: float
    open_price: float
    stop_loss: float
    take_profit: float
    opened_ts_ns: int
    expires_ts_ns: int
    decision_id: str
    opened_quantity: float
    is_managed: bool = True
    flow_id: str = ""
    initial_stop: float = 0.0
    unprotected_ts_ns: int = 0
    exit_price: float = 0.0
    exit_ts_ns: int = 0
    exit_reason: str = ""
    profit: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)
    swap: Decimal = Decimal(0)
    entries: int = 1
    entry_order: str = ""

    @property
    def ticket(self) -> str:
        """The broker's name for it."""
        return self.position_id.rpartition(":")[2]

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left of it."""
        return self.quantity <= LOT_SLACK

    def fits(self, fill: OrderExecuted) -> bool:
        """Whether a fill can be applied now: an addition, or an exit that is not too large."""
        is_same_side = fill.side == self.side.name.lower()
        if fill.is_exit:
            is_small = fill.executed_quantity <= self.quantity + LOT_SLACK
            return not is_same_side and is_small
        return is_same_side


def position_id_of(account_id: str, ticket: str) -> str:
    """Our name for a broker's position: unique over accounts."""
    return f"{account_id}:{ticket}"


class PositionBook:
    """All open positions; `apply` is the only way it changes."""

    def __init__(self) -> None:
        self.open: dict[str, Position] = {}
        self.fills: dict[str, OrderExecuted] = {}
        self.waiting: dict[str, list[OrderExecuted]] = {}
        """Fills by position that could not be applied yet, oldest first."""
        self.realised = Decimal(0)
        """Σ profit + commission + swap over all fills, and adjustments; account currency."""
        self.adjusted = Decimal(0)
        """Σ of what was paid in and out, account currency; part of `realised`."""
        self.lacks_result = False
        """Whether a position was closed whose result will only show as another balance."""
        self.altered = AlteredDeals()
        """Fills that the broker told differently afterwards."""
        self._forgotten_ns = 0

    def apply(self, event: Event) -> None:
        """Fold one event; events that are not about positions are ignored."""
        self.altered.apply(event)
        if isinstance(event, OrderExecuted):
            self._fill(event)
        elif isinstance(event, PositionOpened):
            self._open(event)
        elif isinstance(event, PositionProtected):
            self._protect(event)
        elif isinstance(event, PositionClaimed):
            self._claim(event)
        elif isinstance(event, PositionClosed):
            is_there = event.position_id in self.open
            require(is_there, f"position {event.position_id} closed but not open")
            del self.open[event.position_id]
            self.lacks_result |= event.reason == UNEXPLAINED
        elif isinstance(event, BalanceAdjusted):
            self.lacks_result = False
            self.realised += Decimal(event.amount)
            if not event.is_result:
                self.adjusted += Decimal(event.amount)

    def is_booked(self, fill_id: str, ts_ns: int) -> bool:
        """Whether a fill is in the books; one older than all that is remembered counts as such."""
        return fill_id in self.fills or ts_ns <= self._forgotten_ns

    def of_symbol(self, symbol: str) -> list[Position]:
        """Open positions of a symbol, oldest first."""
        return [item for item in self.open.values() if item.symbol == symbol]

    def trial(self, position_id: str) -> "PositionBook":
        """A book with a copy of one position only, to see what a fill would bring about."""
        book = PositionBook()
        position = self.open.get(position_id)
        if position is not None:
            book.open[position_id] = msgspec.structs.replace(position)
        if position_id in self.waiting:
            book.waiting[position_id] = list(self.waiting[position_id])
        return book

    def waiting_entry(self, position_id: str) -> OrderExecuted | None:
        """The oldest entry that no open position has taken up."""
        fills = self.waiting.get(position_id, ())
        return next((fill for fill in fills if not fill.is_exit), None)

    def _fill(self, event: OrderExecuted) -> None:
        require(event.fill_id not in self.fills, f"fill {event.fill_id} is booked twice")
        self.fills[event.fill_id] = event
        if len(self.fills) > FILLS_KEPT:
            forgotten = self.fills.pop(next(iter(self.fills)))
            self._forgotten_ns = max(self._forgotten_ns, forgotten.ts_ns)
        self.realised += Decimal(event.profit) + Decimal(event.commission) + Decimal(event.swap)
        self.waiting.setdefault(event.position_id, []).append(event)
        if len(self.waiting) > WAITING_KEPT:
            del self.waiting[next(iter(self.waiting))]
        self._use_waiting(event.position_id)

    def _use_waiting(self, position_id: str) -> None:
        """Apply what fits, until nothing does."""
        position, fills = self.open.get(position_id), self.waiting.get(position_id, [])
        while position is not None:
            fitting = next((fill for fill in fills if position.fits(fill)), None)
            if fitting is None:
                break
            fills.remove(fitting)
            _apply(position, fitting)
        if not fills:
            self.waiting.pop(position_id, None)

    def _open(self, event: PositionOpened) -> None:
        require(event.position_id not in self.open, f"position {event.position_id} opened twice")
        entry = self.waiting_entry(event.position_id)
        if entry is not None:
            self.waiting[event.position_id].remove(entry)
        self.open[event.position_id] = Position(
            position_id=event.position_id,
            symbol=event.symbol,
            side=Side[event.direction.upper()],
            quantity=event.quantity,
            open_price=event.open_price,
            stop_loss=event.stop_loss,
            take_profit=event.take_profit,
            opened_ts_ns=event.ts_ns,
            expires_ts_ns=event.expires_ts_ns,
            decision_id=event.decision_id,
            opened_quantity=event.quantity,
            is_managed=event.is_managed,
            flow_id=event.flow_id,
            initial_stop=event.stop_loss,
            unprotected_ts_ns=0 if event.stop_loss else event.ts_ns,
            commission=Decimal(event.commission),
            entry_order=entry.order_id if entry is not None else "",
        )
        self._use_waiting(event.position_id)

    def _protect(self, event: PositionProtected) -> None:
        position = self.open.get(event.position_id)
        if position is None:
            return
        position.stop_loss, position.take_profit = event.stop_loss, event.take_profit
        position.initial_stop = position.initial_stop or event.stop_loss
        if event.stop_loss:
            position.unprotected_ts_ns = 0
        else:
            position.unprotected_ts_ns = position.unprotected_ts_ns or event.ts_ns

    def _claim(self, event: PositionClaimed) -> None:
        position = self.open.get(event.position_id)
        if position is None:
            return
        position.is_managed = event.is_managed
        position.expires_ts_ns = event.expires_ts_ns
        if event.is_managed and not position.stop_loss:
            position.unprotected_ts_ns = event.ts_ns


def _apply(position: Position, fill: OrderExecuted) -> None:
    position.profit += Decimal(fill.profit)
    position.commission += Decimal(fill.commission)
    position.swap += Decimal(fill.swap)
    if fill.is_exit:
        position.quantity = round(max(0.0, position.quantity - fill.executed_quantity), 8)
        position.exit_price = fill.executed_price
        position.exit_ts_ns = fill.ts_ns
        position.exit_reason = fill.reason
        return
    if fill.order_id != position.entry_order:
        position.entries += 1 if position.entry_order else 0
        position.entry_order = fill.order_id
    total = position.quantity + fill.executed_quantity
    spent = position.quantity * position.open_price
    added = fill.executed_quantity * fill.executed_price
    position.open_price = (spent + added) / total
    position.quantity = round(total, 8)
    position.opened_quantity = round(position.opened_quantity + fill.executed_quantity, 8)
