"""What the risk page shows: every limit with its use, exposure by currency and symbol."""

import msgspec


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """A limit and how much of it is used, in the limit's own unit.

    `unit` is fraction (of equity) or count. `used` is None while it cannot be known. `soft` are the
    values at which a warning is written down. `effect` is halt, or deny when only new risk is
    refused. `resets_us` is the market time at which the count begins anew, None where it does not;
    `window_s` the sliding window of what is counted, 0 where there is none. `setting` is the key
    under which the limit is changed, empty where it follows from something else.
    """

    rule: str
    unit: str
    used: float | None
    soft: list[float]
    limit: float
    effect: str
    resets_us: int | None
    window_s: int
    setting: str


class CurrencyExposure(msgspec.Struct, frozen=True, kw_only=True):
    """Net of one currency over open positions, account currency, and as a fraction of equity.

    None while a rate is missing.
    """

    currency: str
    net: float | None
    fraction: float | None


class SymbolExposure(msgspec.Struct, frozen=True, kw_only=True):
    """The open positions of a symbol: signed lots, gross value and floating profit."""

    symbol: str
    positions: int
    lots: float
    value: float | None
    fraction: float | None
    profit: str


class RiskInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An account's risk now.

    Money in account currency. `holds` says why trading cannot be resumed yet, empty when it can;
    `currency_limit` is the largest net of one currency as a fraction of equity.
    """

    account_id: str
    market_us: int
    trading_state: str
    holds: str
    equity: str
    limits: list[LimitUse]
    currencies: list[CurrencyExposure]
    currency_limit: float
    symbols: list[SymbolExposure]
