"""What kind of terminal and trade server a twin is; the JSON that a child process gets."""

from typing import Final

import msgspec

from plan2.dataflow.terminals.twin.faults import Happening, SeededFaults
from plan2.foundation.errors import ConfigError

VARIABLE: Final = "PLAN2_TWIN"
"""The environment variable with `TwinOptions` as JSON."""


class TwinAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account at the trade server; `is_investor` is a login that may only look."""

    login: int = 5_000_001
    password: str = "twin"  # noqa: S105 - of a simulated account
    server: str = "Plan2-Twin"
    trade_mode: int = 0
    currency: str = "USD"
    deposit: str = "10000.00"
    leverage: int = 30
    is_hedging: bool = True
    is_investor: bool = False


class TwinOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One terminal with its trade server.

    Attributes:
        symbols: of the market, by our names. suffix: what the broker appends to them.
        start: first instant, ISO 8601 UTC; empty = when it is opened. speed: of market time.
        history_days: of market before the start. server_clock: as `ServerClock.parse` reads it.
        accounts: known to the server; the terminal is logged in to the first.
        calc_modes, executions: MetaTrader's number by our symbol; absent = FOREX, MARKET.
        margin_rates: of buys and sells, by our symbol; absent = 1. margins_initial: profit
        currency per lot; absent = 0, none.
        ticks: size of a price step and what it brings a lot in profit currency, by our symbol, for
        modes that go by the tick; absent = a point and what the contract size says. face_values:
        of bonds, profit currency.
        selected: broker names in Market Watch at the start. path: of terminal64.exe; empty = any.
        latency_ms: an order_send takes. launch_s: the terminal needs to start.
        cold_stall_s, cold_keep: how long the first history call of a symbol takes, and the share
        of rows that it brings. comment_keeps: characters of a comment that the broker keeps.
        faults, script: by chance, and for the first calls of a function by its name.
        state_path: where accounts and time are kept for the next process; empty = nowhere.
    """

    seed: int = 20_260
    symbols: tuple[str, ...] = ("EURUSD",)
    suffix: str = ""
    start: str = ""
    speed: float = 1.0
    history_days: int = 2
    server_clock: str = "newyork+7"
    accounts: tuple[TwinAccount, ...] = (TwinAccount(),)
    calc_modes: dict[str, int] = {}
    margin_rates: dict[str, tuple[float, float]] = {}
    margins_initial: dict[str, float] = {}
    ticks: dict[str, tuple[float, float]] = {}
    face_values: dict[str, float] = {}
    executions: dict[str, int] = {}
    selected: tuple[str, ...] = ()
    path: str = ""
    build: int = 6231
    maxbars: int = 100_000
    latency_ms: int = 0
    select_delay_ms: int = 0
    launch_s: float = 2.0
    cold_stall_s: float = 0.0
    cold_keep: float = 0.5
    deals_delay_ms: int = 0
    orders_delay_ms: int = 0
    positions_delay_ms: int = 0
    comment_keeps: int = 29
    faults: SeededFaults = SeededFaults()
    script: dict[str, tuple[Happening, ...]] = {}
    state_path: str = ""


def read_options(text: str) -> TwinOptions:
    """The options in a JSON text; an empty text means all defaults.

    Raises:
        ConfigError: it is not JSON of `TwinOptions`, or has no symbol or no account.
    """
    try:
        options = msgspec.json.decode(text or "{}", type=TwinOptions)
    except msgspec.MsgspecError as error:
        raise ConfigError(
            f"{VARIABLE}: {error}", remedy="Give a JSON object with the fields of TwinOptions."
        ) from error
    if not options.symbols or not options.accounts or options.speed <= 0:
        raise ConfigError(
            f"{VARIABLE}: symbols and accounts must not be empty and speed must be positive",
            remedy='For example {"symbols": ["EURUSD"]}.',
        )
    return options
