"""order_calc_margin and order_calc_profit, by the symbol's calculation mode.

Formulas: MQL5 reference, ENUM_SYMBOL_CALC_MODE. The margin rate, which the package never shows, is
one unless the options say otherwise.
"""

from typing import Any

from plan2.dataflow.terminals.twin import constants
from plan2.dataflow.terminals.twin.arguments import (
    c_double,
    c_unsigned_long,
    expect_count,
    symbol_of,
)
from plan2.dataflow.terminals.twin.errors import CallFailed, exported
from plan2.dataflow.terminals.twin.session import Calls
from plan2.dataflow.terminals.twin.world import TwinWorld
from plan2.foundation.instrument import Instrument

BY_TICK_VALUE = frozenset({
    constants.SYMBOL_CALC_MODE_FUTURES,
    constants.SYMBOL_CALC_MODE_EXCH_FUTURES,
    constants.SYMBOL_CALC_MODE_EXCH_OPTIONS,
    constants.SYMBOL_CALC_MODE_EXCH_OPTIONS_MARGIN,
})  # fmt: skip
"""Modes whose profit is counted in ticks."""
BY_FACE_VALUE = frozenset({
    constants.SYMBOL_CALC_MODE_EXCH_BONDS,
    constants.SYMBOL_CALC_MODE_EXCH_BONDS_MOEX,
})  # fmt: skip
"""Modes whose price is in percent of a face value."""


class CalculationCalls(Calls):
    """order_calc_margin, order_calc_profit."""

    @exported(on_error=None)
    def order_calc_margin(self, *args: Any) -> float:  # Any: the package tests it itself
        """Margin of a market order, account currency; open positions do not count."""
        expect_count(args, 4)
        action = c_unsigned_long("order_calc_margin", args[0])
        symbol = symbol_of(args[1])
        volume, price = (c_double("order_calc_margin", each) for each in args[2:])

        def margin(world: TwinWorld) -> float:
            instrument = _instrument(world, action, symbol)
            rates = world.options.margin_rates.get(_ours(world, instrument), (1.0, 1.0))
            rate = rates[action == constants.ORDER_TYPE_SELL]
            return round(_margin(world, instrument, volume, price) * rate, 2)

        return self._session.ask("order_calc_margin", margin)

    @exported(on_error=None)
    def order_calc_profit(self, *args: Any) -> float:  # Any: the package tests it itself
        """Profit between two prices, account currency at the present rate."""
        expect_count(args, 5)
        action = c_unsigned_long("order_calc_profit", args[0])
        symbol = symbol_of(args[1])
        volume, opened, closed = (c_double("order_calc_profit", each) for each in args[2:])

        def profit(world: TwinWorld) -> float:
            instrument = _instrument(world, action, symbol)
            sign = 1.0 if action == constants.ORDER_TYPE_BUY else -1.0
            amount = sign * _profit(world, instrument, volume, closed - opened)
            return round(amount * _rate(world, instrument.quote), 2)

        return self._session.ask("order_calc_profit", profit)


def _instrument(world: TwinWorld, action: int, symbol: str) -> Instrument:
    if action not in {constants.ORDER_TYPE_BUY, constants.ORDER_TYPE_SELL}:
        raise CallFailed(constants.RES_E_INVALID_PARAMS)
    if symbol not in world.instruments:
        raise CallFailed(constants.RES_E_NOT_FOUND)
    return world.instruments[symbol]


def _margin(world: TwinWorld, one: Instrument, lots: float, price: float) -> float:
    """Account currency; FOREX counts in the base currency, all others in the quote currency."""
    units = lots * one.contract_size
    base, quote = _rate(world, one.base), _rate(world, one.quote)
    initial = world.options.margins_initial.get(_ours(world, one), 0.0)
    if initial > 0.0:
        return lots * initial * quote
    match _mode(world, one):
        case constants.SYMBOL_CALC_MODE_FOREX:
            return units / one.leverage * base
        case constants.SYMBOL_CALC_MODE_FOREX_NO_LEVERAGE:
            return units * base
        case constants.SYMBOL_CALC_MODE_CFDLEVERAGE:
            return units * price / one.leverage * quote
    if one.tick_value > 0.0:
        return _profit(world, one, lots, price) * quote
    # CFD, CFDINDEX with tick price / tick size = contract size, and exchange modes without a
    # fixed initial margin: the full value.
    return units * price * quote


def _profit(world: TwinWorld, one: Instrument, lots: float, move: float) -> float:
    """Quote currency."""
    mode, ours = _mode(world, one), _ours(world, one)
    if mode in BY_TICK_VALUE and ours in world.options.ticks:
        tick_size, tick_price = world.options.ticks[ours]
        return move * tick_price / tick_size * lots
    if mode in BY_FACE_VALUE:
        return move / 100 * world.options.face_values.get(ours, 0.0) * one.contract_size * lots
    return move * one.contract_size * lots


def _mode(world: TwinWorld, one: Instrument) -> int:
    return world.options.calc_modes.get(_ours(world, one), constants.SYMBOL_CALC_MODE_FOREX)


def _ours(world: TwinWorld, one: Instrument) -> str:
    return one.symbol.removesuffix(world.options.suffix)


def _rate(world: TwinWorld, currency: str) -> float:
    rate = world.quotes.rate(currency)
    if rate is None:
        raise CallFailed(constants.RES_E_FAIL)
    return rate
