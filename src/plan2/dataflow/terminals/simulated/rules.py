"""What a broker allows on an account and for a symbol, beyond the contract data."""

import enum
from decimal import Decimal

import msgspec

from plan2.dataflow.terminals.port import Trigger
from plan2.dataflow.terminals.simulated.requests import Filling


class ExecutionMode(enum.Enum):
    """How market orders are priced; MetaTrader's SYMBOL_TRADE_EXECUTION_*."""

    REQUEST = 0
    """At the price asked for, or "price changed"."""
    INSTANT = 1
    """At the price asked for, or a requote."""
    MARKET = 2
    """At the market; price and deviation are ignored."""
    EXCHANGE = 3
    """At the market."""


class TradeMode(enum.Enum):
    """What may be done with a symbol; MetaTrader's SYMBOL_TRADE_MODE_*."""

    DISABLED = 0
    LONG_ONLY = 1
    SHORT_ONLY = 2
    CLOSE_ONLY = 3
    FULL = 4


class SymbolRules(msgspec.Struct, frozen=True, kw_only=True):
    """Rules of one symbol.

    Attributes:
        fillings: of market orders; RETURN goes without saying unless execution is MARKET.
        triggers: kinds of pending orders on offer. allows_expiry: of pending orders.
        volume_limit: most lots in one direction, working orders included; 0 = any.
    """

    execution: ExecutionMode = ExecutionMode.MARKET
    fillings: frozenset[Filling] = frozenset({Filling.FOK, Filling.IOC})
    trade_mode: TradeMode = TradeMode.FULL
    triggers: frozenset[Trigger] = frozenset({Trigger.LIMIT, Trigger.STOP, Trigger.STOP_LIMIT})
    allows_expiry: bool = True
    volume_limit: float = 0.0


ORDINARY = SymbolRules()


class AccountRules(msgspec.Struct, frozen=True, kw_only=True):
    """Rules of one account.

    Attributes:
        is_hedging: several positions per symbol, else one. is_hedge_prohibited: not of both sides.
        is_fifo: a symbol's oldest position must be closed first.
        hedged_margin: for a lot held on both sides, as a share of a lot's margin; 0 = none.
        stop_out_level: equity / margin at or below which positions are closed.
        max_orders: working pending orders. max_requests_per_s: 0 = any.
        symbols: rules of those symbols that are not `ORDINARY`.
    """

    is_hedging: bool = True
    trade_allowed: bool = True
    is_hedge_prohibited: bool = False
    is_fifo: bool = False
    hedged_margin: float = 0.0
    stop_out_level: Decimal = Decimal("0.5")
    max_orders: int = 200
    max_requests_per_s: int = 0
    symbols: dict[str, SymbolRules] = {}

    def of(self, symbol: str) -> SymbolRules:
        """The symbol's rules."""
        return self.symbols.get(symbol, ORDINARY)
