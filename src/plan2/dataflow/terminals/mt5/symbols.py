"""Our symbols and the broker's: names, contract data, and the filling modes that work.

Brokers decorate names (EURUSDm, EUR.USD, #XAUUSD). A name is taken from the configuration, else it
is the same, else the only one that contains ours and has our two currencies; anything else is a
question for a person, never a guess.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls
from plan2.dataflow.terminals.mt5.codes import Execution, FillingBit, OrderFilling, SwapMode
from plan2.dataflow.terminals.mt5.margins import MarginTerms, margin_terms
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.profits import (
    BY_CONTRACT_SIZE,
    CURRENCIES,
    TickWorth,
    tick_worth,
)
from plan2.dataflow.terminals.mt5.shape import AccountInfo, SymbolInfo
from plan2.foundation.errors import ConfigError, TerminalUnavailable
from plan2.foundation.instrument import Instrument, changed_terms

PAIR: Final = 6
"""Letters of a symbol that is named by its two currencies."""
CONFIG_KEY: Final = "symbol_names"
PLAIN_MARGIN: Final = MarginTerms()
"""Value over leverage."""


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """What orders need to know of a symbol; `name` is the broker's, `ours` ours."""

    ours: str
    name: str
    digits: int
    tick_size: float
    execution: int
    filling_mask: int
    expiration_mask: int

    def price(self, price: float) -> float:
        """Nearest price on the symbol's grid; 0.0 stays "none"."""
        if price <= 0 or self.tick_size <= 0:
            return float(price)
        return float(round(round(price / self.tick_size) * self.tick_size, self.digits))


class Symbols:
    """The configured symbols at this broker; empty until `load`.

    `notes` are things about them that a person should know.
    """

    def __init__(self, calls: Calls, options: Mt5Options) -> None:
        self.contracts: dict[str, Contract] = {}
        self.instruments: dict[str, Instrument] = {}
        self.notes: tuple[str, ...] = ()
        self._calls = calls
        self._options = options
        self._ours: dict[str, str] = {}
        self._pairs: tuple[SymbolInfo, ...] = ()
        self._refused: set[tuple[str, bool, OrderFilling]] = set()

    def load(self, account: AccountInfo) -> None:
        """Find, select and read every configured symbol, and its margin on this account.

        Raises:
            ConfigError: a symbol is not offered, or several fit.
            TerminalUnavailable: the terminal could not be asked.
        """
        offered = self._calls.symbols_get()
        if isinstance(offered, CallFailed):
            raise TerminalUnavailable(f"The terminal does not tell its symbols: {offered}.")
        names = match_names(self._options.symbols, self._options.symbol_names, offered)
        self._pairs = tuple(one for one in offered if one.trade_calc_mode in CURRENCIES)
        notes: list[str] = []
        for ours, name in names.items():
            notes += self._select(name)
            info = self._calls.symbol_info(name)
            if isinstance(info, CallFailed):
                raise TerminalUnavailable(f"The terminal does not tell the symbol {name}: {info}.")
            self.contracts[ours] = contract_of(ours, info)
            self.instruments[ours], told = self._read(ours, info, account)
            notes += told
        self._ours = {name: ours for ours, name in names.items()}
        self.notes = tuple(notes)

    def read_again(self, ours: str, account: AccountInfo) -> frozenset[str]:
        """Take over what the broker has changed of a symbol since; names what.

        What the terminal cannot tell at the moment stays as it was.
        """
        contract, known = self.contracts[ours], self.instruments[ours]
        info = self._calls.symbol_info(contract.name)
        if isinstance(info, CallFailed):
            return frozenset()
        try:
            told, _ = self._read(ours, info, account, known)
        except (ConfigError, TerminalUnavailable):
            return frozenset()
        self.contracts[ours] = contract_of(ours, info)
        changed = changed_terms(told, known)
        if changed:
            self.instruments[ours] = told
        return changed

    def _read(
        self, ours: str, info: SymbolInfo, account: AccountInfo, known: Instrument | None = None
    ) -> tuple[Instrument, list[str]]:
        """A symbol's contract data and what is to be said of them; `known`: what was told before.

        Raises:
            ConfigError: it cannot be traded. TerminalUnavailable: the terminal could not be asked.
        """
        worth = tick_worth(self._calls, info, account, (*self._pairs, info))
        margin = margin_terms(self._calls, info, account, worth)
        if self._calls.broken is not None:  # nothing is guessed because of that
            raise TerminalUnavailable(f"The terminal went away: {self._calls.broken}.")
        if margin.note and known is not None:
            margin = MarginTerms(
                mode=known.margin_mode,
                rate_long=known.margin_rate_long,
                rate_short=known.margin_rate_short,
                initial=known.margin_initial,
            )
        commission = self._options.commission_per_lot
        made = instrument_of(ours, info, account.leverage, commission, margin, worth)
        return made, [*swap_notes(info), *filter(None, (margin.note, worth.note))]

    def ours(self, name: str) -> str:
        """Our name of a broker's symbol; one that is not configured keeps the broker's."""
        return self._ours.get(name, name)

    def filling(self, contract: Contract, *, is_pending: bool) -> OrderFilling:
        """The filling mode to ask for: the first that fits and was not refused before."""
        fitting = fillings(contract, is_pending=is_pending)
        left = [one for one in fitting if (contract.name, is_pending, one) not in self._refused]
        return (left or fitting)[0]

    def refuse(self, contract: Contract, filling: OrderFilling, *, is_pending: bool) -> None:
        """Remember that the broker refused a filling mode, for the orders to come."""
        self._refused.add((contract.name, is_pending, filling))

    def _select(self, name: str) -> list[str]:
        """Put the symbol into the Market Watch and look for its first quote."""
        chosen = self._calls.symbol_select(name)
        if isinstance(chosen, CallFailed):
            return [f"{name}: cannot be put into the Market Watch: {chosen}"]
        for _ in range(self._options.select_polls):
            tick = self._calls.symbol_info_tick(name)
            if not isinstance(tick, CallFailed) and tick.bid > 0 and tick.ask > 0:
                return []
        return [f"{name}: no quote yet"]


def match_names(
    symbols: Iterable[str], configured: dict[str, str], offered: Iterable[SymbolInfo]
) -> dict[str, str]:
    """The broker's name of each of our symbols.

    Raises:
        ConfigError: a symbol is not offered, or several fit; names them and the key to set.
    """
    by_name = {info.name: info for info in offered}
    found: dict[str, str] = {}
    for ours in symbols:
        name = configured.get(ours, ours)
        if name in by_name:
            found[ours] = name
            continue
        if ours in configured:
            raise ConfigError(
                f"{CONFIG_KEY}.{ours} = {name!r}: the broker offers no such symbol.",
                remedy=f"Offered and similar: {_listed(_similar(ours, by_name))}.",
            )
        found[ours] = _only_match(ours, by_name)
    return found


def contract_of(ours: str, info: SymbolInfo) -> Contract:
    """What orders need, from the package's record."""
    return Contract(
        ours=ours,
        name=info.name,
        digits=info.digits,
        tick_size=info.trade_tick_size or info.point,
        execution=info.trade_exemode,
        filling_mask=info.filling_mode,
        expiration_mask=info.expiration_mode,
    )


def instrument_of(
    ours: str,
    info: SymbolInfo,
    leverage: int,
    commission: Decimal,
    margin: MarginTerms = PLAIN_MARGIN,
    worth: TickWorth = BY_CONTRACT_SIZE,
) -> Instrument:
    """Contract data in our terms; a swap that is not in points becomes 0 (see `swap_notes`).

    What goes by the tick is its own base: its lot is no number of units of a currency.
    """
    is_in_points = info.swap_mode == SwapMode.POINTS
    return Instrument(
        symbol=ours,
        base=ours if worth.value > 0.0 else unit_of(ours, info),
        quote=info.currency_profit,
        digits=info.digits,
        contract_size=info.trade_contract_size,
        volume_min=info.volume_min,
        volume_step=info.volume_step,
        volume_max=info.volume_max,
        stops_level_points=info.trade_stops_level,
        freeze_level_points=info.trade_freeze_level,
        swap_long_points=info.swap_long if is_in_points else 0.0,
        swap_short_points=info.swap_short if is_in_points else 0.0,
        swap_rollover3days=info.swap_rollover3days,
        commission_per_lot=commission,
        leverage=float(max(leverage, 1)),
        description=info.description,
        margin_mode=margin.mode,
        margin_rate_long=margin.rate_long,
        margin_rate_short=margin.rate_short,
        margin_initial=margin.initial,
        tick_size=worth.size,
        tick_value=worth.value,
    )


def unit_of(ours: str, info: SymbolInfo) -> str:
    """What a lot is so many units of: a pair's base currency, a metal, else the symbol itself.

    Brokers name the profit currency, or a country's, as the base of an index or a share; a unit of
    those is worth their price, not one euro.
    """
    base = info.currency_base
    is_traded = base != info.currency_profit and ours.upper().startswith(base.upper() or "-")
    return base if is_traded else ours


def swap_notes(info: SymbolInfo) -> list[str]:
    """What is not known of a symbol's swap."""
    if info.swap_mode in {SwapMode.DISABLED, SwapMode.POINTS}:
        return []
    names = {int(mode): mode.name.lower() for mode in SwapMode}
    word = names.get(info.swap_mode, str(info.swap_mode))
    return [f"{info.name}: swap is charged as {word}, not in points; costs ahead leave it out"]


def fillings(contract: Contract, *, is_pending: bool) -> list[OrderFilling]:
    """Filling modes that the symbol's mask and execution allow, the preferred one first.

    RETURN has no bit: market orders may use it unless execution is Market; most brokers take it for
    pending orders.
    """
    by_mask = [
        mode
        for bit, mode in (
            (FillingBit.IOC, OrderFilling.IOC),
            (FillingBit.FOK, OrderFilling.FOK),
        )
        if contract.filling_mask & bit
    ]
    if is_pending:
        return [OrderFilling.RETURN, *by_mask]
    may_return = contract.execution != Execution.MARKET
    return by_mask + [OrderFilling.RETURN] * may_return or [OrderFilling.FOK]


def _only_match(ours: str, by_name: dict[str, SymbolInfo]) -> str:
    fitting = [name for name in _similar(ours, by_name) if _has_currencies(ours, by_name[name])]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise ConfigError(
            f"Symbol {ours}: the broker offers {_listed(fitting)}; which one is not clear.",
            remedy=f'Say which: {CONFIG_KEY} = {{ {ours} = "{fitting[0]}" }}.',
        )
    same = [name for name, info in by_name.items() if _has_currencies(ours, info)]
    hint = f" Of the same currencies: {_listed(same)}." if same and len(ours) == PAIR else ""
    raise ConfigError(
        f"Symbol {ours}: the broker offers nothing of that name.",
        remedy=f"Name the broker's symbol in {CONFIG_KEY}, or drop {ours}.{hint}",
    )


def _similar(ours: str, by_name: dict[str, SymbolInfo]) -> list[str]:
    """Names that begin or end with ours, whatever the case and the signs between."""
    wanted = ours.upper()
    found = []
    for name in by_name:
        plain = "".join(letter for letter in name.upper() if letter.isalnum())
        if plain.startswith(wanted) or plain.endswith(wanted):
            found.append(name)
    return found


def _has_currencies(ours: str, info: SymbolInfo) -> bool:
    if len(ours) != PAIR:
        return True
    return (info.currency_base, info.currency_profit) == (ours[:3].upper(), ours[3:].upper())


def _listed(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "") if names else "none"
