"""The trades of a live day, rebuilt from the account's stored events."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import msgspec

from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderDenied, OrderExecuted, OrderPlaced, OrderRejected
from plan2.foundation.instrument import CENT
from plan2.foundation.values import Side

NEVER_NS: Final = 2**62


class SeenTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A trade from entry to exit; prices in quote currency, money in account currency, times UTC.

    A part of a position that was closed by itself is a trade. `closed_ns` 0 = still open at the
    end, and `net` then 0; else `net` is profit, commission and swap.
    """

    side: int
    lots: float
    decided_ns: int
    opened_ns: int
    open_price: float
    closed_ns: int = 0
    close_price: float = 0.0
    net: Decimal = Decimal(0)


class Refused(msgspec.Struct, frozen=True):
    """An entry that was refused: when it was decided, and the broker's word or the gate's rule."""

    decided_ns: int
    reason: str


class LiveDay(msgspec.Struct, frozen=True, kw_only=True):
    """What one flow did on an account in some time, oldest first.

    `refused`, `refused_exits`: by the broker; `denied`: by the risk gate.
    """

    trades: tuple[SeenTrade, ...]
    refused: tuple[Refused, ...]
    denied: tuple[Refused, ...] = ()
    refused_exits: tuple[Refused, ...] = ()


class _Open(msgspec.Struct):
    """What is still open of a position: the trade so far, its lots, the commission of its entry."""

    trade: SeenTrade
    left: float
    commission: Decimal


class TradeBook:
    """The trades of one flow, put together from an account's events as they come.

    Args:
        flow_id: whose; what happens to others' orders changes nothing.
    """

    __slots__ = ("_denied", "_done", "_exits", "_flow_id", "_open", "_placed", "_refused")

    def __init__(self, flow_id: str) -> None:
        self._flow_id = flow_id
        self._placed: dict[str, OrderPlaced] = {}
        self._open: dict[str, _Open] = {}
        self._done: list[SeenTrade] = []
        self._refused: list[Refused] = []
        self._exits: list[Refused] = []
        self._denied: list[Refused] = []

    def take(self, event: Event) -> bool:
        """Take the next event of the log; whether a trade began, changed or ended with it."""
        if isinstance(event, OrderPlaced):
            if event.flow_id == self._flow_id:
                self._placed[event.order_id] = event
        elif isinstance(event, OrderRejected):
            order = self._placed.get(event.order_id)
            if order is not None and order.kind in {"open", "close"}:
                where = self._refused if order.kind == "open" else self._exits
                where.append(Refused(order.ts_ns, event.reason))
        elif isinstance(event, OrderDenied):
            self._denied.append(Refused(event.ts_ns, event.rule_id))
        elif isinstance(event, OrderExecuted):
            return self._leave(event) if event.is_exit else self._enter(event)
        return False

    def day(self) -> LiveDay:
        """Everything so far, oldest first."""
        trades = self._done + [
            msgspec.structs.replace(each.trade, lots=round(each.left, 8))
            for each in self._open.values()
        ]
        trades.sort(key=lambda each: (each.decided_ns, each.opened_ns, each.closed_ns or NEVER_NS))
        return LiveDay(
            trades=tuple(trades),
            refused=tuple(self._refused),
            denied=tuple(self._denied),
            refused_exits=tuple(self._exits),
        )

    def _enter(self, event: OrderExecuted) -> bool:
        order = self._placed.get(event.order_id)
        if order is None:
            return False
        trade = SeenTrade(
            side=Side[event.side.upper()].value,
            lots=event.executed_quantity,
            decided_ns=order.ts_ns,
            opened_ns=event.ts_ns,
            open_price=event.executed_price,
        )
        self._open[event.position_id] = _Open(trade, trade.lots, Decimal(event.commission))
        return True

    def _leave(self, event: OrderExecuted) -> bool:
        held = self._open.get(event.position_id)
        if held is None:
            return False
        lots = event.executed_quantity
        share = held.commission * Decimal(repr(lots)) / Decimal(repr(held.left))
        entry = share.quantize(CENT, rounding=ROUND_HALF_EVEN)
        held.commission -= entry
        held.left = round(held.left - lots, 8)
        net = entry + Decimal(event.profit) + Decimal(event.commission) + Decimal(event.swap)
        self._done.append(
            msgspec.structs.replace(
                held.trade,
                lots=lots,
                closed_ns=event.ts_ns,
                close_price=event.executed_price,
                net=net,
            )
        )
        if held.left <= 0.0:
            del self._open[event.position_id]
        return True


def live_day(events: Iterable[Event], flow_id: str) -> LiveDay:
    """The trades of a flow from an account's events, oldest first; others' are left out."""
    book = TradeBook(flow_id)
    for event in events:
        book.take(event)
    return book.day()
