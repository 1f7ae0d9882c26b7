"""Functions of the package about symbols: what there is, what is selected, contract data."""

from typing import Any, Final

import numpy as np

from plan2.dataflow.terminals.port import Trigger
from plan2.dataflow.terminals.simulated.requests import Filling
from plan2.dataflow.terminals.simulated.rules import SymbolRules
from plan2.dataflow.terminals.twin import constants
from plan2.dataflow.terminals.twin.arguments import (
    GROUP_MAX,
    expect_count,
    group_matches,
    named_text,
    symbol_of,
    unnamed_text,
)
from plan2.dataflow.terminals.twin.errors import CallFailed, exported
from plan2.dataflow.terminals.twin.session import Calls
from plan2.dataflow.terminals.twin.structs import SymbolInfo, record
from plan2.dataflow.terminals.twin.world import TwinWorld
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND

DAY_S: Final = 86_400

# Bits of MQL5 that the package does not export.
FILLING_BITS: Final = {Filling.FOK: 1, Filling.IOC: 2}
"""SYMBOL_FILLING_*; RETURN has no bit."""
EXPIRATION_GTC: Final = 1
EXPIRATION_ALL: Final = 15
"""GTC, DAY, SPECIFIED and SPECIFIED_DAY."""
ORDER_BITS: Final = {Trigger.LIMIT: 2, Trigger.STOP: 4, Trigger.STOP_LIMIT: 8}
ORDER_ALWAYS: Final = 1 + 16 + 32 + 64
"""SYMBOL_ORDER_MARKET, _SL, _TP and _CLOSEBY."""


class SymbolCalls(Calls):
    """symbols_total, symbols_get, symbol_info, symbol_select."""

    @exported(on_error=None)
    def symbols_total(self) -> int:
        """How many symbols the broker offers."""
        return self._session.ask("symbols_total", lambda world: len(world.instruments))

    def symbols_get(
        self, *args: Any, **kwargs: Any
    ) -> tuple[SymbolInfo, ...] | bool | None:  # Any: any argument
        """Contract data of the symbols in a group; False for bad arguments, None on an error."""
        answer = self._symbols_of(*args, **kwargs)
        is_refused = self._session.last_error[0] == constants.RES_E_INVALID_PARAMS
        return False if answer is None and is_refused else answer

    @exported(on_error=None)
    def _symbols_of(self, *args: Any, **kwargs: Any) -> tuple[SymbolInfo, ...]:  # Any: any argument
        expect_count(args, 0, 1)
        group = unnamed_text(args, 0, GROUP_MAX) if args else None
        group = group or named_text(kwargs, "group", GROUP_MAX)
        return self._session.ask(
            "symbols_get",
            lambda world: tuple(
                symbol_record(world, name)
                for name in world.instruments
                if group is None or group_matches(group, name)
            ),
        )

    @exported(on_error=None)
    def symbol_info(self, *args: Any) -> SymbolInfo:  # Any: the package tests it itself
        """Contract data and last quote of one symbol, selected or not."""
        expect_count(args, 1)
        symbol = symbol_of(args[0])

        def info(world: TwinWorld) -> SymbolInfo:
            if symbol not in world.instruments:
                raise CallFailed(constants.RES_E_NOT_FOUND)
            return symbol_record(world, symbol)

        return self._session.ask("symbol_info", info)

    @exported(on_error=False)
    def symbol_select(self, *args: Any) -> bool:  # Any: the package tests it itself
        """Put a symbol into Market Watch or take it out."""
        expect_count(args, 1, 2)
        symbol = symbol_of(args[0])
        is_wanted = bool(args[1]) if len(args) > 1 else True
        return self._session.ask(
            "symbol_select", lambda world: _select(world, symbol, is_wanted=is_wanted)
        )


def is_synchronised(world: TwinWorld, symbol: str) -> bool:
    """Whether a selected symbol has had the time to get its first quote."""
    since_ns = world.terminal.selected.get(symbol)
    delay_ns = world.options.select_delay_ms * NS_PER_MS
    return since_ns is not None and world.now_ns() >= since_ns + delay_ns


def require_selected(world: TwinWorld, symbol: str, code: int) -> None:
    """Fail with the code for an unknown symbol or one outside of Market Watch."""
    if symbol not in world.instruments or symbol not in world.terminal.selected:
        raise CallFailed(code)


def symbol_record(world: TwinWorld, symbol: str) -> SymbolInfo:
    """All 96 fields of a symbol."""
    instrument = world.instruments[symbol]
    is_selected = symbol in world.terminal.selected
    return record(
        SymbolInfo,
        select=is_selected,
        visible=is_selected,
        **_contract(world, instrument),
        **_rules(world.desk.rules.of(symbol), instrument),
        **_quote(world, instrument),
    )


def _select(world: TwinWorld, symbol: str, *, is_wanted: bool) -> bool:
    if symbol not in world.instruments:
        raise CallFailed(constants.RES_E_NOT_FOUND)
    if is_wanted:
        world.terminal.selected.setdefault(symbol, world.now_ns())
        return True
    if world.desk.book.of_symbol(symbol):
        raise CallFailed(constants.RES_E_FAIL)
    world.terminal.selected.pop(symbol, None)
    return True


def _contract(world: TwinWorld, one: Instrument) -> dict[str, object]:
    rate = world.quotes.rate(one.quote) or 0.0
    tick_size = one.tick_size or one.point
    tick_value = round((one.tick_value or one.contract_size * tick_size) * rate, 8)
    ours = one.symbol.removesuffix(world.options.suffix)
    return {
        "name": one.symbol,
        "path": f"Forex\\{one.symbol}",
        "description": one.description,
        "digits": one.digits,
        "point": one.point,
        "trade_calc_mode": world.options.calc_modes.get(ours, constants.SYMBOL_CALC_MODE_FOREX),
        "trade_tick_size": tick_size,
        "trade_tick_value": tick_value,
        "trade_tick_value_profit": tick_value,
        "trade_tick_value_loss": tick_value,
        "trade_contract_size": one.contract_size,
        "trade_face_value": world.options.face_values.get(ours, 0.0),
        "volume_min": one.volume_min,
        "volume_max": one.volume_max,
        "volume_step": one.volume_step,
        "trade_stops_level": one.stops_level_points,
        "trade_freeze_level": one.freeze_level_points,
        "swap_mode": constants.SYMBOL_SWAP_MODE_POINTS,
        "swap_long": one.swap_long_points,
        "swap_short": one.swap_short_points,
        "swap_rollover3days": one.swap_rollover3days,
        "margin_initial": world.options.margins_initial.get(ours, 0.0),
        "margin_hedged": one.contract_size * world.desk.rules.hedged_margin,
        "currency_base": one.base,
        "currency_profit": one.quote,
        "currency_margin": one.base,
    }


def _rules(rules: SymbolRules, one: Instrument) -> dict[str, object]:
    return {
        "trade_mode": rules.trade_mode.value,
        "trade_exemode": rules.execution.value,
        "filling_mode": sum(FILLING_BITS.get(each, 0) for each in rules.fillings),
        "order_mode": ORDER_ALWAYS + sum(ORDER_BITS.get(each, 0) for each in rules.triggers),
        "expiration_mode": EXPIRATION_ALL if rules.allows_expiry else EXPIRATION_GTC,
        "order_gtc_mode": constants.SYMBOL_ORDERS_GTC,
        "volume_limit": rules.volume_limit,
        "chart_mode": constants.SYMBOL_CHART_MODE_BID,
        "spread_float": one.digits > 0,
    }


def _quote(world: TwinWorld, one: Instrument) -> dict[str, object]:
    """The last quote and the extremes of the server's day; zeros while there is none."""
    last = world.market.last(one.symbol)
    if not is_synchronised(world, one.symbol) or len(last) == 0:
        return {}
    ts_ns, bid, ask = int(last.ts_ns[-1]), float(last.bid[-1]), float(last.ask[-1])
    time_s = world.server.s(ts_ns)
    today = world.market.ticks(one.symbol, ts_ns - time_s % DAY_S * NS_PER_SECOND, ts_ns + 1)
    return {
        "time": time_s,
        "bid": bid,
        "ask": ask,
        "spread": round(one.points(ask - bid)),
        "bidhigh": np.max(today.bid, initial=bid),
        "bidlow": np.min(today.bid, initial=bid),
        "askhigh": np.max(today.ask, initial=ask),
        "asklow": np.min(today.ask, initial=ask),
    }
