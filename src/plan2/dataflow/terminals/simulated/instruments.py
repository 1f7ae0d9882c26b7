"""The symbols of the simulated market: what the broker says of them, and how their prices move.

Contract data follow what retail brokers publish for such accounts (lots of 100,000 units, gold of
100 ounces). The figures of `SymbolModel` are those of docs/simulated_market.md.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from plan2.foundation.errors import ConfigError
from plan2.foundation.instrument import Instrument


class SymbolModel(msgspec.Struct, frozen=True, kw_only=True):
    """How a symbol of the synthetic market moves.

    Attributes:
        price: mid at the market's first instant, quote currency; 0 for a cross.
        annual_volatility: standard deviation of the yearly log return (252 days).
        usd_loading: response of the log price to the log strength of the US dollar.
        ticks_per_s: quotes per second where `activity` is 1.
        spread_points: usual spread in points.
        sessions: activity added while Tokyo, London and New York work.
        legs: for a cross, its two symbols; `leg_sign` +1 multiplies them, -1 divides.
    """

    price: float = 0.0
    annual_volatility: float = 0.0
    usd_loading: float = 0.0
    ticks_per_s: float
    spread_points: float
    sessions: tuple[float, float, float]
    legs: tuple[str, ...] = ()
    leg_sign: int = 1


class SymbolSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol of the simulated market: contract data and price model."""

    instrument: Instrument
    model: SymbolModel


def _major(
    symbol: str, title: str, swaps: tuple[float, float], model: SymbolModel
) -> tuple[str, SymbolSheet]:
    """A pair of currencies; yen are quoted with three decimals, all others with five."""
    instrument = Instrument(
        symbol=symbol,
        base=symbol[:3],
        quote=symbol[3:],
        digits=3 if symbol.endswith("JPY") else 5,
        swap_long_points=swaps[0],
        swap_short_points=swaps[1],
        description=title,
    )
    return symbol, SymbolSheet(instrument=instrument, model=model)


GOLD = Instrument(
    symbol="XAUUSD",
    base="XAU",
    quote="USD",
    digits=2,
    contract_size=100.0,
    volume_max=50.0,
    swap_long_points=-28.0,
    swap_short_points=15.0,
    commission_per_lot=Decimal("3.50"),
    description="Gold, one ounce, in US dollars",
)

EUROPE, ASIA, AMERICA = (0.3, 1.0, 0.9), (0.8, 0.7, 0.9), (0.2, 0.5, 1.2)
"""Activity added by Tokyo, London and New York, for symbols at home in …"""

SHEETS: tuple[tuple[str, SymbolSheet], ...] = (
    _major("EURUSD", "Euro in US dollars", (-7.1, 2.6), SymbolModel(
        price=1.0855, annual_volatility=0.064, usd_loading=-1.0, ticks_per_s=0.85,
        spread_points=7.0, sessions=EUROPE)),
    _major("GBPUSD", "Pound sterling in US dollars", (-2.9, -1.6), SymbolModel(
        price=1.2690, annual_volatility=0.074, usd_loading=-1.05, ticks_per_s=0.70,
        spread_points=9.0, sessions=EUROPE)),
    _major("USDJPY", "US dollar in Japanese yen", (10.5, -22.0), SymbolModel(
        price=150.20, annual_volatility=0.080, usd_loading=1.1, ticks_per_s=0.70,
        spread_points=9.0, sessions=ASIA)),
    ("XAUUSD", SymbolSheet(instrument=GOLD, model=SymbolModel(
        price=2116.0, annual_volatility=0.125, usd_loading=-1.1, ticks_per_s=0.80,
        spread_points=18.0, sessions=AMERICA))),
    _major("AUDUSD", "Australian dollar in US dollars", (-3.0, -0.6), SymbolModel(
        price=0.6510, annual_volatility=0.088, usd_loading=-1.2, ticks_per_s=0.40,
        spread_points=8.0, sessions=ASIA)),
    _major("USDCHF", "US dollar in Swiss francs", (7.4, -13.0), SymbolModel(
        price=0.8850, annual_volatility=0.067, usd_loading=0.9, ticks_per_s=0.36,
        spread_points=9.0, sessions=EUROPE)),
    _major("USDCAD", "US dollar in Canadian dollars", (0.6, -4.5), SymbolModel(
        price=1.3580, annual_volatility=0.057, usd_loading=0.7, ticks_per_s=0.38,
        spread_points=9.0, sessions=AMERICA)),
    _major("NZDUSD", "New Zealand dollar in US dollars", (-1.7, -1.4), SymbolModel(
        price=0.6100, annual_volatility=0.092, usd_loading=-1.2, ticks_per_s=0.32,
        spread_points=11.0, sessions=ASIA)),
    _major("EURGBP", "Euro in pounds sterling", (-5.0, 1.3), SymbolModel(
        ticks_per_s=0.36, spread_points=9.0, sessions=EUROPE,
        legs=("EURUSD", "GBPUSD"), leg_sign=-1)),
    _major("EURJPY", "Euro in Japanese yen", (6.8, -17.5), SymbolModel(
        ticks_per_s=0.50, spread_points=12.0, sessions=ASIA, legs=("EURUSD", "USDJPY"))),
    _major("GBPJPY", "Pound sterling in Japanese yen", (14.0, -28.0), SymbolModel(
        ticks_per_s=0.70, spread_points=17.0, sessions=ASIA, legs=("GBPUSD", "USDJPY"))),
)  # fmt: skip

SYMBOLS = tuple(symbol for symbol, _ in SHEETS)
"""Every symbol on offer; the place in this list breaks ties between ticks of one instant."""


def sheets(symbols: Iterable[str]) -> dict[str, SymbolSheet]:
    """The sheets of these symbols, in the order asked for.

    Raises:
        ConfigError: for a symbol that the simulated market does not have.
    """
    offered = dict(SHEETS)
    wanted = tuple(symbols)
    for symbol in wanted:
        if symbol not in offered:
            raise ConfigError(
                f"market.symbols: the simulated market has no {symbol!r}",
                remedy=f"Choose among {', '.join(SYMBOLS)}.",
            )
    return {symbol: offered[symbol] for symbol in wanted}


def instruments(symbols: Iterable[str], leverage: float = 30.0) -> dict[str, Instrument]:
    """Contract data of these symbols for an account of this leverage."""
    return {
        symbol: msgspec.structs.replace(sheet.instrument, leverage=leverage)
        for symbol, sheet in sheets(symbols).items()
    }
