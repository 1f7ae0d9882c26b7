"""From the package's records to the port's values; money becomes Decimal at the account's digits.

A position's ticket is MetaTrader's identifier, which outlives the changes of POSITION_TICKET. A
deal that turned a netting position round is told as two: the exit under its own ticket, the entry
under the same with `.in` behind it.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import msgspec

from plan2.dataflow.terminals.mt5.codes import (
    DealEntry,
    DealReason,
    DealType,
    OrderType,
    PositionType,
)
from plan2.dataflow.terminals.mt5.session import account_mode, is_hedging
from plan2.dataflow.terminals.mt5.shape import (
    AccountInfo,
    TerminalInfo,
    TradeDeal,
    TradeOrder,
    TradePosition,
)
from plan2.dataflow.terminals.port import (
    AccountState,
    Deal,
    TerminalOrder,
    TerminalPosition,
    Trigger,
)
from plan2.foundation.values import Side

IN_SUFFIX: Final = ".in"
LOT_DIGITS: Final = 8

REASONS: Final = {
    int(DealReason.EXPERT): "client",
    int(DealReason.SL): "stop_loss",
    int(DealReason.TP): "take_profit",
    int(DealReason.SO): "stop_out",
}
OTHERS: Final = "manual"
"""A person at the terminal, a phone or the web, or the broker's own bookkeeping."""
TRIGGERS: Final = {
    int(OrderType.BUY): (Side.BUY, Trigger.MARKET),
    int(OrderType.SELL): (Side.SELL, Trigger.MARKET),
    int(OrderType.BUY_LIMIT): (Side.BUY, Trigger.LIMIT),
    int(OrderType.SELL_LIMIT): (Side.SELL, Trigger.LIMIT),
    int(OrderType.BUY_STOP): (Side.BUY, Trigger.STOP),
    int(OrderType.SELL_STOP): (Side.SELL, Trigger.STOP),
    int(OrderType.BUY_STOP_LIMIT): (Side.BUY, Trigger.STOP_LIMIT),
    int(OrderType.SELL_STOP_LIMIT): (Side.SELL, Trigger.STOP_LIMIT),
}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the record itself does not say: our symbol, the token, the UTC time, money's digits."""

    symbol: str
    token: str
    ts_ns: int
    digits: int = 2


def money(amount: float, digits: int) -> Decimal:
    """An amount as the account keeps it."""
    return Decimal(repr(float(amount))).quantize(
        Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN
    )


def account_of(account: AccountInfo, terminal: TerminalInfo) -> AccountState:
    """The account's figures; trading counts as allowed only when terminal and account allow it."""
    digits = account.currency_digits
    return AccountState(
        login=str(account.login),
        server=account.server,
        currency=account.currency,
        mode=account_mode(account),
        balance=money(account.balance, digits),
        equity=money(account.equity, digits),
        margin=money(account.margin, digits),
        trade_allowed=bool(
            account.trade_allowed
            and account.trade_expert
            and terminal.trade_allowed
            and not terminal.tradeapi_disabled
        ),
        is_hedging=is_hedging(account),
        leverage=float(account.leverage),
    )


def position_of(found: TradePosition, told: Told) -> TerminalPosition:
    """An open position under its identifier."""
    return TerminalPosition(
        ticket=str(found.identifier),
        symbol=told.symbol,
        side=Side.BUY if found.type == PositionType.BUY else Side.SELL,
        quantity=float(found.volume),
        open_price=float(found.price_open),
        stop_loss=float(found.sl),
        take_profit=float(found.tp),
        swap=money(found.swap, told.digits),
        profit=money(found.profit, told.digits),
        magic=int(found.magic),
        token=told.token,
        opened_ts_ns=told.ts_ns,
    )


def is_pending(found: TradeOrder) -> bool:
    """Whether this is an order that waits for a price; market orders on their way are not."""
    return found.type in TRIGGERS and TRIGGERS[found.type][1] is not Trigger.MARKET


def order_of(found: TradeOrder, told: Told, expires_ts_ns: int) -> TerminalOrder:
    """A working pending order with what is left of it."""
    side, trigger = TRIGGERS[found.type]
    return TerminalOrder(
        ticket=str(found.ticket),
        symbol=told.symbol,
        side=side,
        trigger=trigger,
        quantity=float(found.volume_current),
        price=float(found.price_open),
        limit_price=float(found.price_stoplimit),
        stop_loss=float(found.sl),
        take_profit=float(found.tp),
        expires_ts_ns=expires_ts_ns,
        magic=int(found.magic),
        token=told.token,
        placed_ts_ns=told.ts_ns,
    )


def is_trade(found: TradeDeal) -> bool:
    """Whether a deal is an execution, not a booking on the account."""
    return found.type in {DealType.BUY, DealType.SELL} and found.volume > 0


def is_exit(found: TradeDeal) -> bool:
    """Whether a deal closes (the first part of a turn does too)."""
    return found.entry != DealEntry.IN


def side_of(found: TradeDeal) -> Side:
    """The side of the deal itself."""
    return Side.BUY if found.type == DealType.BUY else Side.SELL


def deal_of(found: TradeDeal, told: Told, *, is_ours: bool) -> Deal:
    """An execution; the broker's fee counts as commission. `is_ours`: an order of ours made it."""
    return Deal(
        ticket=str(found.ticket),
        order_ticket=str(found.order),
        position_ticket=str(found.position_id),
        symbol=told.symbol,
        side=side_of(found),
        is_exit=is_exit(found),
        quantity=float(found.volume),
        price=float(found.price),
        commission=money(found.commission, told.digits) + money(found.fee, told.digits),
        swap=money(found.swap, told.digits),
        profit=money(found.profit, told.digits),
        reason="client" if is_ours else REASONS.get(found.reason, OTHERS),
        token=told.token,
        magic=int(found.magic),
        ts_ns=told.ts_ns,
    )


def turned(deal: Deal, held_lots: float) -> tuple[Deal, Deal]:
    """The two deals of one that turned a position of `held_lots` round.

    Commission is shared by volume, the rounding stays with the entry; profit and swap belong to the
    exit.
    """
    out = round(min(held_lots, deal.quantity), LOT_DIGITS)
    part = Decimal(repr(out)) / Decimal(repr(deal.quantity))
    cost = (deal.commission * part).quantize(deal.commission, rounding=ROUND_HALF_EVEN)
    zero = deal.commission - deal.commission
    leaving = msgspec.structs.replace(deal, quantity=out, commission=cost, is_exit=True)
    entering = msgspec.structs.replace(
        deal,
        ticket=deal.ticket + IN_SUFFIX,
        is_exit=False,
        quantity=round(deal.quantity - out, LOT_DIGITS),
        commission=deal.commission - cost,
        swap=zero,
        profit=zero,
    )
    return leaving, entering


def held_before(history: Iterable[TradeDeal], turning: TradeDeal) -> float:
    """Lots that a netting position held when a deal turned it, from all deals of the position."""
    held = 0.0
    for one in sorted(history, key=lambda deal: (deal.time_msc, deal.ticket)):
        if one.ticket == turning.ticket:
            break
        if is_trade(one):
            held += one.volume * int(side_of(one))
    return abs(round(held, LOT_DIGITS))
