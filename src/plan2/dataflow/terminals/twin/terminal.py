"""The terminal program and the accounts at its trade server: switches for tests and people."""

from decimal import Decimal
from typing import Final

import msgspec

from plan2.dataflow.terminals.simulated.desk import Desk, open_desk
from plan2.dataflow.terminals.simulated.rules import AccountRules, ExecutionMode, SymbolRules
from plan2.dataflow.terminals.twin import constants
from plan2.dataflow.terminals.twin.clockwork import ServerTime
from plan2.dataflow.terminals.twin.options import TwinAccount, TwinOptions
from plan2.dataflow.terminals.twin.records import Records
from plan2.dataflow.terminals.twin.structs import AccountInfo, TradeOrder, TradePosition, record
from plan2.foundation.instrument import Instrument, MarginMode

NAME: Final = "Plan2 Twin of MetaTrader 5"
MARGIN_CALL_PERCENT: Final = 100.0
NO_LEVEL: Final = 0.0
"""The margin level of an account without positions."""


class Terminal(msgspec.Struct, kw_only=True):
    """The program on the desktop.

    Attributes:
        is_installed: initialize finds it. is_running: it answers; initialize starts it.
        is_connected: to the trade server. has_autotrading: the toolbar button is on.
        is_api_disabled: "disable automatic trading via external Python API" is ticked.
        run: grows with every start and every broken pipe; a handle is good for one run.
        selected: Market Watch, broker names with the time of selection, UTC nanoseconds.
        warm: symbols whose history was loaded before.
    """

    is_installed: bool = True
    is_running: bool = True
    is_connected: bool = True
    has_autotrading: bool = True
    is_api_disabled: bool = False
    run: int = 1
    selected: dict[str, int] = {}
    warm: set[str] = set()


class Shown(msgspec.Struct, frozen=True):
    """What the terminal last heard from its trade server."""

    positions: tuple[TradePosition, ...]
    orders: tuple[TradeOrder, ...]
    account: AccountInfo


class Account:
    """One account at the trade server.

    `is_investor`: logged in with the password that may only look. `allows_experts`: programs may
    trade. Both may be changed at any time.
    """

    def __init__(self, terms: TwinAccount, desk: Desk, records: Records) -> None:
        self.terms = terms
        self.desk = desk
        self.records = records
        self.is_investor = terms.is_investor
        self.allows_experts = True

    def info(self) -> AccountInfo:
        """The account's figures at the last quotes."""
        terms, desk = self.terms, self.desk
        equity, margin, balance = desk.equity(), desk.margin(), desk.book.balance
        mode = constants.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING
        return record(
            AccountInfo,
            login=terms.login,
            trade_mode=terms.trade_mode,
            leverage=terms.leverage,
            limit_orders=desk.rules.max_orders,
            margin_so_mode=constants.ACCOUNT_STOPOUT_MODE_PERCENT,
            trade_allowed=not self.is_investor and desk.rules.trade_allowed,
            trade_expert=self.allows_experts,
            margin_mode=mode if terms.is_hedging else constants.ACCOUNT_MARGIN_MODE_RETAIL_NETTING,
            currency_digits=2,
            fifo_close=desk.rules.is_fifo,
            balance=balance,
            profit=equity - balance,
            equity=equity,
            margin=margin,
            margin_free=equity - margin,
            margin_level=margin_level(equity, margin),
            margin_so_call=MARGIN_CALL_PERCENT,
            margin_so_so=desk.rules.stop_out_level * 100,
            name="Plan2 Twin",
            server=terms.server,
            currency=terms.currency,
            company="Plan2",
        )


def open_account(
    terms: TwinAccount,
    options: TwinOptions,
    contracts: dict[str, Instrument],
    server: ServerTime,
    now_ns: int,
) -> Account:
    """An account as it is on its first day."""
    own = {symbol: _contract(one, terms, options) for symbol, one in contracts.items()}
    symbols = {
        symbol + options.suffix: SymbolRules(execution=ExecutionMode(number))
        for symbol, number in options.executions.items()
    }
    desk = open_desk(
        own,
        AccountRules(is_hedging=terms.is_hedging, symbols=symbols),
        terms.currency,
        Decimal(terms.deposit),
        ts_ns=now_ns,
    )
    return Account(terms, desk, Records(desk, server, options.comment_keeps))


def _contract(one: Instrument, terms: TwinAccount, options: TwinOptions) -> Instrument:
    """A symbol as this account trades it: how its margin is reckoned, by its calculation mode."""
    ours = one.symbol.removesuffix(options.suffix)
    rates = options.margin_rates.get(ours, (1.0, 1.0))
    initial = options.margins_initial.get(ours, 0.0)
    mode = options.calc_modes.get(ours, constants.SYMBOL_CALC_MODE_FOREX)
    is_levered = mode in {constants.SYMBOL_CALC_MODE_FOREX, constants.SYMBOL_CALC_MODE_CFDLEVERAGE}
    by_value = MarginMode.LEVERAGE if is_levered else MarginMode.VALUE
    size, value = tick_of(one, options)
    return msgspec.structs.replace(
        one,
        base=one.symbol if value > 0.0 else one.base,
        tick_size=size,
        tick_value=value,
        leverage=float(terms.leverage),
        margin_mode=MarginMode.LOT if initial > 0.0 else by_value,
        margin_rate_long=rates[0],
        margin_rate_short=rates[1],
        margin_initial=initial,
    )


def tick_of(one: Instrument, options: TwinOptions) -> tuple[float, float]:
    """Size and value of a tick where the options go by it; zeros where by the contract size."""
    ours = one.symbol.removesuffix(options.suffix)
    face_value = options.face_values.get(ours, 0.0)
    if face_value > 0.0:
        return one.point, round(one.point * one.contract_size * face_value / 100, 8)
    return options.ticks.get(ours, (0.0, 0.0))


def margin_level(equity: Decimal, margin: Decimal) -> float:
    """Equity in percent of the margin, 0 when no margin is bound."""
    return float(equity / margin * 100) if margin else NO_LEVEL
