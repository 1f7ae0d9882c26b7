"""The trades of a live day, rebuilt from the account's stored events."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderDenied, OrderExecuted, OrderPlaced, OrderRejected
from plan2.foundation.values import Side


class SeenTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A trade from entry to exit; prices in quote currency, money in account currency, times UTC.

    `closed_ns` 0 = still open at the end; `net`: profit, commission and swap.
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
    """What one flow did on an account in some time, oldest first; `denied`: by the risk gate."""

    trades: tuple[SeenTrade, ...]
    refused: tuple[Refused, ...]
    denied: tuple[Refused, ...] = ()


class _Open(msgspec.Struct):
    trade: SeenTrade
    left: float


def live_day(events: Iterable[Event], flow_id: str) -> LiveDay:
    """The trades of a flow from an account's events, oldest first; others' are left out."""
    placed: dict[str, OrderPlaced] = {}
    open_: dict[str, _Open] = {}
    done: list[SeenTrade] = []
    refused: list[Refused] = []
    denied: list[Refused] = []
    for event in events:
        if isinstance(event, OrderPlaced):
            if event.flow_id == flow_id:
                placed[event.order_id] = event
        elif isinstance(event, OrderRejected):
            order = placed.get(event.order_id)
            if order is not None and order.kind == "open":
                refused.append(Refused(order.ts_ns, event.reason))
        elif isinstance(event, OrderDenied):
            denied.append(Refused(event.ts_ns, event.rule_id))
        elif isinstance(event, OrderExecuted):
            _fill(event, placed, open_, done)
    done += [each.trade for each in open_.values()]
    done.sort(key=lambda trade: (trade.decided_ns, trade.opened_ns))
    return LiveDay(trades=tuple(done), refused=tuple(refused), denied=tuple(denied))


def _fill(
    event: OrderExecuted,
    placed: dict[str, OrderPlaced],
    open_: dict[str, _Open],
    done: list[SeenTrade],
) -> None:
    cost = Decimal(event.profit) + Decimal(event.commission) + Decimal(event.swap)
    if not event.is_exit:
        order = placed.get(event.order_id)
        if order is not None:
            trade = SeenTrade(
                side=Side[event.side.upper()].value,
                lots=event.executed_quantity,
                decided_ns=order.ts_ns,
                opened_ns=event.ts_ns,
                open_price=event.executed_price,
                net=cost,
            )
            open_[event.position_id] = _Open(trade, trade.lots)
        return
    held = open_.get(event.position_id)
    if held is None:
        return
    held.left -= event.executed_quantity
    held.trade = msgspec.structs.replace(
        held.trade,
        closed_ns=event.ts_ns,
        close_price=event.executed_price,
        net=held.trade.net + cost,
    )
    if held.left <= 1e-9:
        done.append(held.trade)
        del open_[event.position_id]
