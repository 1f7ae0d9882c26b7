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


def live_day(events: Iterable[Event], flow_id: str) -> LiveDay:
    """The trades of a flow from an account's events, oldest first; others' are left out."""
    placed: dict[str, OrderPlaced] = {}
    open_: dict[str, _Open] = {}
    done: list[SeenTrade] = []
    refused: list[Refused] = []
    exits: list[Refused] = []
    denied: list[Refused] = []
    for event in events:
        if isinstance(event, OrderPlaced):
            if event.flow_id == flow_id:
                placed[event.order_id] = event
        elif isinstance(event, OrderRejected):
            order = placed.get(event.order_id)
            if order is not None and order.kind in {"open", "close"}:
                where = refused if order.kind == "open" else exits
                where.append(Refused(order.ts_ns, event.reason))
        elif isinstance(event, OrderDenied):
            denied.append(Refused(event.ts_ns, event.rule_id))
        elif isinstance(event, OrderExecuted):
            _fill(event, placed, open_, done)
    done += [
        msgspec.structs.replace(each.trade, lots=round(each.left, 8)) for each in open_.values()
    ]
    done.sort(key=lambda trade: (trade.decided_ns, trade.opened_ns, trade.closed_ns or NEVER_NS))
    return LiveDay(
        trades=tuple(done),
        refused=tuple(refused),
        denied=tuple(denied),
        refused_exits=tuple(exits),
    )


def _fill(
    event: OrderExecuted,
    placed: dict[str, OrderPlaced],
    open_: dict[str, _Open],
    done: list[SeenTrade],
) -> None:
    if not event.is_exit:
        order = placed.get(event.order_id)
        if order is not None:
            trade = SeenTrade(
                side=Side[event.side.upper()].value,
                lots=event.executed_quantity,
                decided_ns=order.ts_ns,
                opened_ns=event.ts_ns,
                open_price=event.executed_price,
            )
            open_[event.position_id] = _Open(trade, trade.lots, Decimal(event.commission))
        return
    held = open_.get(event.position_id)
    if held is None:
        return
    lots = event.executed_quantity
    share = Decimal(repr(lots)) / Decimal(repr(held.left))
    entry = (held.commission * share).quantize(CENT, rounding=ROUND_HALF_EVEN)
    held.commission -= entry
    held.left = round(held.left - lots, 8)
    done.append(
        msgspec.structs.replace(
            held.trade,
            lots=lots,
            closed_ns=event.ts_ns,
            close_price=event.executed_price,
            net=entry + Decimal(event.profit) + Decimal(event.commission) + Decimal(event.swap),
        )
    )
    if held.left <= 0.0:
        del open_[event.position_id]
