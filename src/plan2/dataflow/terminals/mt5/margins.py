"""How a symbol's margin is reckoned at this broker: asked of the terminal when it connects.

The package shows the calculation mode but not the margin rate, which brokers set by symbol and side
(for metals, indices and coins it is seldom 1). `order_calc_margin` knows it: one lot's margin over
the mode's formula is the rate. So each order's margin is known here before it is sent, without a
call that would hold up the order. Formulas: MQL5 reference, ENUM_SYMBOL_CALC_MODE.
"""

import math
from typing import Final

import msgspec

from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls
from plan2.dataflow.terminals.mt5.codes import CalcMode, OrderType
from plan2.dataflow.terminals.mt5.profits import BY_CONTRACT_SIZE, TickWorth
from plan2.dataflow.terminals.mt5.shape import AccountInfo, SymbolInfo
from plan2.foundation.instrument import MarginMode

MODES: Final = {
    int(CalcMode.FOREX): MarginMode.LEVERAGE,
    int(CalcMode.CFDLEVERAGE): MarginMode.LEVERAGE,
    int(CalcMode.FUTURES): MarginMode.LOT,
    int(CalcMode.EXCH_FUTURES): MarginMode.LOT,
    int(CalcMode.EXCH_OPTIONS): MarginMode.LOT,
    int(CalcMode.EXCH_OPTIONS_MARGIN): MarginMode.LOT,
}
"""All others take a share of the full value."""
MOVE: Final = 0.01
"""Of the price: the move whose profit tells what the quote currency is worth."""
NEAT: Final = 0.005
"""A rate so near to whole hundredths is meant to be that: bid, ask and cents blur it."""
RATE_STEPS: Final = 1e6


class MarginTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Margin fields of an `Instrument`; `note` says what the terminal did not tell."""

    mode: MarginMode = MarginMode.LEVERAGE
    rate_long: float = 1.0
    rate_short: float = 1.0
    initial: float = 0.0
    note: str = ""


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """Of one lot on one side, quote currency: the margin that the terminal tells, and the value."""

    margin: float
    value: float


def margin_terms(
    calls: Calls, info: SymbolInfo, account: AccountInfo, worth: TickWorth = BY_CONTRACT_SIZE
) -> MarginTerms:
    """How this broker reckons a symbol's margin.

    A terminal that does not tell leaves the mode's formula at a rate of 1; where that takes a
    figure per lot which is not known either, the full value.
    """
    mode = mode_of(info)
    told = _told(calls, info, account, worth)
    if told is None:
        is_known = mode is not MarginMode.LOT or info.margin_initial > 0.0
        return MarginTerms(
            mode=mode if is_known else MarginMode.VALUE,
            initial=info.margin_initial if mode is MarginMode.LOT else 0.0,
            note=f"{info.name}: the terminal does not tell its margin; taken at a rate of 1",
        )
    divisor = float(max(account.leverage, 1)) if mode is MarginMode.LEVERAGE else 1.0
    initial = told[0].margin if mode is MarginMode.LOT else 0.0
    long, short = (neat(one.margin / (initial or one.value / divisor)) for one in told)
    return MarginTerms(mode=mode, rate_long=long, rate_short=short, initial=initial)


def mode_of(info: SymbolInfo) -> MarginMode:
    """What the margin is a share of; a figure per lot goes before every formula."""
    if info.margin_initial > 0.0:
        return MarginMode.LOT
    return MODES.get(info.trade_calc_mode, MarginMode.VALUE)


def neat(rate: float) -> float:
    """A measured rate as the broker wrote it; else rounded up, six decimals."""
    hundredths = round(rate, 2)
    if abs(hundredths - rate) <= NEAT * rate:
        return hundredths
    return math.ceil(rate * RATE_STEPS) / RATE_STEPS


def _told(
    calls: Calls, info: SymbolInfo, account: AccountInfo, worth: TickWorth
) -> tuple[_Told, _Told] | None:
    """Of a buy and of a sell; None when the terminal leaves one of the questions open."""
    tick = calls.symbol_info_tick(info.name)
    if isinstance(tick, CallFailed) or not tick.bid > 0.0:
        return None
    rate = worth.quote_rate or _quote_rate(calls, info, account, tick.bid)
    lots = _lots(info)
    told = []
    for action, price in ((OrderType.BUY, tick.ask), (OrderType.SELL, tick.bid)):
        margin = calls.order_calc_margin(action, info.name, lots, price)
        if isinstance(margin, CallFailed) or not (margin > 0.0 and rate > 0.0):
            return None
        value = price * worth.units(info)
        told.append(_Told(margin=margin / (lots * rate), value=value))
    return told[0], told[1]


def _quote_rate(calls: Calls, info: SymbolInfo, account: AccountInfo, price: float) -> float:
    """Account currency per unit of the profit currency, from a move's profit; 0.0 if not told."""
    if info.currency_profit == account.currency:
        return 1.0
    higher = round(price * (1.0 + MOVE), info.digits)
    lots = _lots(info)
    profit = calls.order_calc_profit(OrderType.BUY, info.name, lots, price, higher)
    moved = (higher - price) * lots * info.trade_contract_size
    return 0.0 if isinstance(profit, CallFailed) or not moved > 0.0 else profit / moved


def _lots(info: SymbolInfo) -> float:
    """What is asked about: one lot where the symbol allows it."""
    return min(max(1.0, info.volume_min), info.volume_max)
