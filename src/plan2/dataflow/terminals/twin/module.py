"""The twin as one object with the 35 functions, 223 constants and 11 types of the package."""

from types import ModuleType
from typing import Final

from plan2.dataflow.terminals.twin import constants
from plan2.dataflow.terminals.twin.account import AccountCalls
from plan2.dataflow.terminals.twin.calculation import CalculationCalls
from plan2.dataflow.terminals.twin.connection import Connection
from plan2.dataflow.terminals.twin.lookups import LookupCalls
from plan2.dataflow.terminals.twin.market_data import MarketDataCalls
from plan2.dataflow.terminals.twin.session import Session
from plan2.dataflow.terminals.twin.shortcuts import ShortcutCalls
from plan2.dataflow.terminals.twin.structs import EXPORTED
from plan2.dataflow.terminals.twin.symbols import SymbolCalls
from plan2.dataflow.terminals.twin.trading import TradingCalls
from plan2.dataflow.terminals.twin.world import TwinWorld

NAME: Final = "MetaTrader5"
VERSION: Final = "5.0.6231"
SHORTCUTS: Final = {"Buy": "buy", "Sell": "sell", "Close": "close"}
GROUPS: Final = {
    Connection: ("initialize", "login", "shutdown", "version", "last_error"),
    AccountCalls: ("terminal_info", "account_info"),
    SymbolCalls: ("symbols_total", "symbols_get", "symbol_info", "symbol_select"),
    MarketDataCalls: (
        "symbol_info_tick", "copy_ticks_from", "copy_ticks_range", "copy_rates_from",
        "copy_rates_from_pos", "copy_rates_range", "market_book_add", "market_book_release",
        "market_book_get",
    ),
    LookupCalls: (
        "positions_total", "positions_get", "orders_total", "orders_get", "history_orders_total",
        "history_orders_get", "history_deals_total", "history_deals_get",
    ),
    CalculationCalls: ("order_calc_margin", "order_calc_profit"),
}  # fmt: skip
"""Which class has which functions of the package."""
FUNCTIONS: Final = frozenset({
    *(name for names in GROUPS.values() for name in names), "order_check", "order_send", *SHORTCUTS,
})  # fmt: skip
"""All 35 of them."""


class TwinModule(ModuleType):
    """One client's package; `twin_world` is what it talks to."""

    def __init__(self, world: TwinWorld) -> None:
        super().__init__(NAME, "A twin of the MetaTrader5 package over a simulated trade server.")
        self.twin_world = world
        self.__version__ = VERSION
        self.__dict__.update(constants.exported())
        self.__dict__.update({kind.__name__: kind for kind in EXPORTED})
        session = Session(world)
        for group, names in GROUPS.items():
            calls = group(session)
            self.__dict__.update({name: getattr(calls, name) for name in names})
        trading = TradingCalls(session)
        self.__dict__.update(order_check=trading.order_check, order_send=trading.order_send)
        shortcuts = ShortcutCalls(session, trading)
        self.__dict__.update({name: getattr(shortcuts, own) for name, own in SHORTCUTS.items()})


def build(world: TwinWorld) -> TwinModule:
    """A new client of the world, as a process of its own would be: not connected yet."""
    return TwinModule(world)
