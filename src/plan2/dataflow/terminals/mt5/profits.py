"""What a move of the price is worth at this broker, by the symbol's calculation mode.

Profit of a position, profit currency (MQL5 reference, ENUM_SYMBOL_CALC_MODE):

- FOREX, CFD, CFDINDEX, CFDLEVERAGE, shares: (close − open) · contract size · lots;
- futures: (close − open) · tick price / tick size · lots; options are taken as these;
- bonds, priced in percent of the face value: (close − open) / 100 · face value · contract size ·
  lots, without the interest that accrues meanwhile;
- collateral is not traded.

The package tells the tick's value in account currency at the present rate, and brokers differ on
bonds; so the terminal is asked (`order_calc_profit`) when it connects, and its answer wins over the
formula. All that follows, paper accounts and backtests too, reckons with one figure: what a tick
brings a lot (`Instrument.tick_value`).
"""

import math
from collections.abc import Iterable
from typing import Final

import msgspec

from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls
from plan2.dataflow.terminals.mt5.codes import CalcMode, OrderType
from plan2.dataflow.terminals.mt5.shape import AccountInfo, SymbolInfo
from plan2.foundation.errors import ConfigError, TerminalUnavailable

CURRENCIES: Final = frozenset({CalcMode.FOREX, CalcMode.FOREX_NO_LEVERAGE})
"""Modes of symbols whose price says what a currency is worth."""
BY_CONTRACT: Final = CURRENCIES | {
    CalcMode.CFD,
    CalcMode.CFDINDEX,
    CalcMode.CFDLEVERAGE,
    CalcMode.EXCH_STOCKS,
    CalcMode.EXCH_STOCKS_MOEX,
}
BY_FACE_VALUE: Final = frozenset({CalcMode.EXCH_BONDS, CalcMode.EXCH_BONDS_MOEX})
"""All others but collateral go by the tick."""
PERCENT: Final = 100.0
NEAR, FAR = 1.01, 1.02
"""Prices asked about, as shares of the last; the difference leaves out what does not move."""
SAME: Final = 0.005
"""Values of a tick that are nearer than this are one: cents, bid and ask blur them."""
BLUR: Final = 3e-4
"""Of that, what the two sides of a pair make, through which a value is taken back."""
FIGURES: Final = 6
"""Significant digits of a measured value at most."""


class TickWorth(msgspec.Struct, frozen=True, kw_only=True):
    """What a lot gains by a tick, profit currency; value 0.0 = what its contract size says.

    `quote_rate` is account currency per unit of profit currency, where it had to be known.
    """

    size: float = 0.0
    value: float = 0.0
    quote_rate: float = 0.0
    note: str = ""

    def units(self, info: SymbolInfo) -> float:
        """What a lot gains when the price rises by one, profit currency."""
        return self.value / self.size if self.value > 0.0 else info.trade_contract_size


BY_CONTRACT_SIZE: Final = TickWorth()


def tick_worth(
    calls: Calls, info: SymbolInfo, account: AccountInfo, offered: Iterable[SymbolInfo]
) -> TickWorth:
    """How this broker reckons a symbol's profit; `offered`: all symbols, for the conversion.

    Raises:
        ConfigError: the symbol cannot be traded, or nothing converts its profit.
        TerminalUnavailable: there is no quote to convert by yet.
    """
    if info.trade_calc_mode in BY_CONTRACT:
        return BY_CONTRACT_SIZE
    if info.trade_calc_mode == CalcMode.SERV_COLLATERAL:
        raise ConfigError(
            f"{info.name} is collateral, which has no profit and cannot be traded.",
            remedy="Take it out of the symbols of this account.",
        )
    size = info.trade_tick_size or info.point
    rate, is_own = _quote_rate(calls, info, account, offered)
    documented = _documented(info, size, rate)
    told = _told(calls, info) * size / rate
    is_documented = not told > 0.0 or math.isclose(told, documented, rel_tol=SAME)
    value = documented if is_documented else told
    if not (value > 0.0 and math.isfinite(value)):
        raise TerminalUnavailable(f"The terminal does not tell the tick value of {info.name}.")
    if rate != 1.0 or not is_documented:
        value = written(value)
    if math.isclose(value, info.trade_contract_size * size, rel_tol=SAME):
        return BY_CONTRACT_SIZE
    if is_own:
        raise _without_rate(info, account)
    return TickWorth(size=size, value=value, quote_rate=rate, note=_note(info, documented, told))


def written(value: float) -> float:
    """A measured value as the broker may have written it: the shortest number that is as near."""
    shorter = (float(f"{value:.{figures}g}") for figures in range(1, FIGURES + 1))
    return next(one for one in shorter if math.isclose(one, value, rel_tol=BLUR))


def _documented(info: SymbolInfo, size: float, rate: float) -> float:
    """A tick's value by the mode's formula, profit currency."""
    if info.trade_calc_mode in BY_FACE_VALUE:
        return info.trade_contract_size * info.trade_face_value / PERCENT * size
    return info.trade_tick_value / rate


def _told(calls: Calls, info: SymbolInfo) -> float:
    """What a price higher by one brings a lot, account currency; 0.0 when it is not told."""
    tick = calls.symbol_info_tick(info.name)
    if isinstance(tick, CallFailed) or not tick.bid > 0.0:
        return 0.0
    lots = min(max(1.0, info.volume_min), info.volume_max)
    near, far = (round(tick.bid * share, info.digits) for share in (NEAR, FAR))
    profits = [
        calls.order_calc_profit(OrderType.BUY, info.name, lots, tick.bid, price)
        for price in (near, far)
    ]
    if not far > near or any(isinstance(one, CallFailed) for one in profits):
        return 0.0
    less, more = (one for one in profits if not isinstance(one, CallFailed))
    worth = (more - less) / (lots * (far - near))
    return worth if math.isfinite(worth) else 0.0


def _quote_rate(
    calls: Calls, info: SymbolInfo, account: AccountInfo, offered: Iterable[SymbolInfo]
) -> tuple[float, bool]:
    """Account currency per unit of profit currency, and whether only its own price says so."""
    pair = {info.currency_profit, account.currency}
    if len(pair) == 1:
        return 1.0, False
    fitting = [one for one in offered if {one.currency_base, one.currency_profit} == pair]
    telling = [one for one in fitting if one.trade_calc_mode in CURRENCIES]
    if not telling and info.name not in {one.name for one in fitting}:
        raise _without_rate(info, account)
    for one in telling or [info]:
        tick = calls.symbol_info_tick(one.name)
        if not isinstance(tick, CallFailed) and tick.bid > 0.0:
            mid = (tick.bid + tick.ask) / 2.0
            is_direct = one.currency_base == info.currency_profit
            return (mid if is_direct else 1.0 / mid), not telling
    names = ", ".join(one.name for one in telling[:3]) or info.name
    raise TerminalUnavailable(
        f"{names}: no quote yet, by which the profit of {info.name} is converted."
    )


def _without_rate(info: SymbolInfo, account: AccountInfo) -> ConfigError:
    return ConfigError(
        f"{info.name} earns {info.currency_profit}, and no symbol of this broker says what that is "
        f"worth in {account.currency}.",
        remedy=f"Take {info.name} out of the symbols of this account.",
    )


def _note(info: SymbolInfo, documented: float, told: float) -> str:
    """What a person should know of it; empty when all is as documented."""
    if not told > 0.0:
        return f"{info.name}: the terminal does not tell its profit; taken by the formula"
    if not math.isclose(told, documented, rel_tol=SAME):
        return f"{info.name}: a tick brings {told:g}, not {documented:g} as its formula says"
    if info.trade_calc_mode in BY_FACE_VALUE:
        return f"{info.name}: a bond; the interest that accrues is left out of profits ahead"
    return ""
