"""What a host must know to trade one account through one terminal; holds no secret."""

from decimal import Decimal

import msgspec


class Mt5Options(msgspec.Struct, frozen=True, kw_only=True):
    """The connection's settings; JSON-able, the password travels apart.

    Attributes:
        symbols: our names. symbol_names: ours to the broker's, wins over every guess.
        login, server: of the account; 0 and "" take what the terminal shows at first and keep it.
        mode: demo, contest or real when another one must be refused, "" for any.
        path: of terminal64.exe; without it the package attaches to any terminal it finds, so an
        empty one is refused unless may_guess_terminal (for the twin).
        server_clock: `newyork+7`, `Europe/Athens`, `UTC+2` …, or `measured`.
        commission_per_lot: account currency, per lot and side, until learned from deals.
        settle_s: how long after sending an order its absence proves nothing.
        account_poll_ms: between two looks at account, positions, orders and deals.
        catch_up_s: ticks missed for longer than this are left to `history`.
        deal_overlap_s: how far back deals are asked for again, because they may come late.
        trace_days: how far back an order is looked for. tick_batch: rows of one request.
        select_polls: looks for the first quote of a symbol when connecting.
        history_looks: how often a piece of history is asked for until two answers agree.
        state_path: JSON file for what must survive this process; "" keeps it in memory.
    """

    symbols: tuple[str, ...]
    symbol_names: dict[str, str] = {}
    login: int = 0
    server: str = ""
    mode: str = ""
    path: str = ""
    may_guess_terminal: bool = False
    is_portable: bool = False
    connect_timeout_ms: int = 60_000
    server_clock: str = "newyork+7"
    commission_per_lot: Decimal = Decimal("3.50")
    settle_s: float = 30.0
    account_poll_ms: int = 200
    catch_up_s: int = 600
    deal_overlap_s: int = 3_600
    trace_days: int = 7
    tick_batch: int = 4_096
    select_polls: int = 50
    history_looks: int = 5
    state_path: str = ""
