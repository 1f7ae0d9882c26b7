"""What a move of the price is worth at a MetaTrader 5 broker, by each calculation mode.

The terminal's own `order_calc_profit` is the measure; figures without a terminal are contracts as
exchanges publish them (CME: E-mini S&P 500, a quarter of a point is 12.50 dollars) and the examples
of the MQL5 reference and forum.
"""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
from twin_fixtures import EURUSD, USDJPY, Ground, ground

from plan2.dataflow.terminals.mt5.calls import Calls
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.profits import BY_CONTRACT_SIZE, tick_worth, written
from plan2.dataflow.terminals.mt5.shape import AccountInfo, Mt5Module, SymbolInfo
from plan2.dataflow.terminals.mt5.symbols import Symbols
from plan2.dataflow.terminals.twin.options import TwinAccount
from plan2.foundation.errors import ConfigError, TerminalUnavailable
from plan2.foundation.values import Side

FOREX, FUTURES, CFD, CFDINDEX, CFDLEVERAGE, FREE_OF_LEVERAGE = range(6)
STOCKS, EXCHANGE_FUTURES, OPTIONS, BONDS, MOEX_STOCKS, MOEX_BONDS = 32, 33, 34, 37, 38, 39
COLLATERAL = 64
IN_CONTRACTS = (FOREX, CFD, CFDINDEX, CFDLEVERAGE, FREE_OF_LEVERAGE, STOCKS, MOEX_STOCKS)
IN_TICKS = (FUTURES, EXCHANGE_FUTURES, OPTIONS)
EURO_FUTURE = (0.00005, 6.25)
"""CME Euro FX: half a pip of 125,000 euros; here beside a contract size of 100,000."""
YEN = TwinAccount(currency="JPY", deposit="1000000.00")


def connected(mt5: Any, *symbols: str) -> Symbols:
    """Symbols as a terminal that has just connected knows them."""
    found = Symbols(Calls(cast(Mt5Module, mt5)), Mt5Options(symbols=symbols or (EURUSD,)))
    found.load(mt5.account_info())
    return found


class Changed:
    """The package, but that one function answers as the test says."""

    def __init__(self, here: Ground, **functions: Any) -> None:
        self._mt5 = here.mt5
        self._functions = functions

    def __getattr__(self, name: str) -> Any:
        return self._functions.get(name) or getattr(self._mt5, name)


def agrees(here: Ground, made: Symbols, symbol: str, quote_rate: float) -> None:
    """Whether a profit of ours is the terminal's, both sides, a win and a loss."""
    bid = here.mt5.symbol_info_tick(symbol).bid
    one = made.instruments[symbol]
    for side in Side:
        for closed in (round(bid * 1.003, one.digits), round(bid * 0.99, one.digits)):
            told = here.mt5.order_calc_profit(int(side is Side.SELL), symbol, 0.7, bid, closed)
            ours = one.profit(side, 0.7, bid, closed, quote_rate)
            assert float(ours) == pytest.approx(told, rel=1e-4, abs=0.011), (side, closed)


@pytest.mark.parametrize("mode", IN_CONTRACTS)
def test_modes_of_a_contract_size_are_as_ever(mode: int) -> None:
    """Not a field of the instrument tells of ticks, and the terminal agrees."""
    here = ground(calc_modes={EURUSD: mode}, ticks={})
    made = connected(here.mt5)

    one = made.instruments[EURUSD]
    assert (one.tick_size, one.tick_value, one.lot_units) == (0.0, 0.0, 100_000.0)
    agrees(here, made, EURUSD, 1.0)


@pytest.mark.parametrize("mode", IN_TICKS)
def test_a_future_goes_by_its_tick(mode: int) -> None:
    """100 ticks of 6.25 dollars, whatever the contract size says; it is its own base."""
    here = ground(calc_modes={EURUSD: mode}, ticks={EURUSD: EURO_FUTURE})
    made = connected(here.mt5)

    one = made.instruments[EURUSD]
    assert (one.tick_size, one.tick_value, one.base) == (*EURO_FUTURE, EURUSD)
    assert one.lot_units == 125_000.0
    assert one.profit(Side.BUY, 2.0, 1.08500, 1.09000, 1.0) == Decimal("1250.00")
    agrees(here, made, EURUSD, 1.0)
    assert made.notes == ()


@pytest.mark.parametrize("mode", IN_TICKS)
def test_a_future_in_another_currency(mode: int) -> None:
    """Its tick in yen, as the terminal tells it, is taken back to dollars by a pair."""
    here = ground(calc_modes={EURUSD: mode}, ticks={EURUSD: EURO_FUTURE}, accounts=(YEN,))
    made = connected(here.mt5, EURUSD, USDJPY)

    assert made.instruments[EURUSD].tick_value == 6.25
    agrees(here, made, EURUSD, 150.200)


@pytest.mark.parametrize("mode", [BONDS, MOEX_BONDS])
def test_a_bond_is_priced_in_percent(mode: int) -> None:
    """A hundredth of a percent of a face value of 1,000, ten bonds a lot: 0.10 a point of 0.01."""
    here = ground(calc_modes={EURUSD: mode}, face_values={EURUSD: 1_000.0})
    made = connected(here.mt5)

    one = made.instruments[EURUSD]
    assert one.lot_units == pytest.approx(100_000 * 1_000 / 100)
    agrees(here, made, EURUSD, 1.0)
    assert ["interest that accrues" in note for note in made.notes] == [True]


def test_a_future_whose_tick_is_its_contract_size_is_an_ordinary_symbol() -> None:
    """Nothing of it changes; its currencies stay what they are."""
    here = ground(calc_modes={EURUSD: FUTURES, USDJPY: FUTURES})
    made = connected(here.mt5, EURUSD, USDJPY)

    for symbol, base in ((EURUSD, "EUR"), (USDJPY, "USD")):
        one = made.instruments[symbol]
        assert (one.base, one.tick_value, one.tick_size) == (base, 0.0, 0.0)


def test_the_terminal_wins_over_the_formula() -> None:
    """A broker whose bonds go by the full face value: its word counts, and it is said."""
    here = ground(calc_modes={EURUSD: BONDS}, face_values={EURUSD: 1_000.0})

    def profit(_action: int, _symbol: str, lots: float, opened: float, closed: float) -> float:
        return (closed - opened) * 1_000.0 * 100_000.0 * lots

    made = connected(Changed(here, order_calc_profit=profit))

    assert made.instruments[EURUSD].lot_units == pytest.approx(1e8)
    assert "not 10 as its formula says" in made.notes[0]


@pytest.mark.parametrize("answer", [None, 0.0, float("nan")])
def test_a_terminal_that_does_not_tell_leaves_the_formula(answer: float | None) -> None:
    """The tick's value of the symbol's own data, and a note."""
    here = ground(calc_modes={EURUSD: FUTURES}, ticks={EURUSD: EURO_FUTURE})

    made = connected(Changed(here, order_calc_profit=lambda *_: answer))

    assert made.instruments[EURUSD].tick_value == 6.25
    assert any("does not tell its profit" in note for note in made.notes)


def test_margin_of_a_future_is_a_figure_per_lot_beside_its_ticks() -> None:
    """2,000 dollars a lot, as the terminal says."""
    here = ground(
        calc_modes={EURUSD: FUTURES}, ticks={EURUSD: EURO_FUTURE}, margins_initial={EURUSD: 2_000.0}
    )
    one = connected(here.mt5).instruments[EURUSD]
    tick = here.mt5.symbol_info_tick(EURUSD)

    assert float(one.margin(Side.BUY, 3.0, tick.bid, 1.0)) == pytest.approx(
        here.mt5.order_calc_margin(0, EURUSD, 3.0, tick.ask)
    )


@pytest.mark.parametrize("rate", [1.0, 1.5])
def test_margin_of_a_bond_is_a_share_of_its_value(rate: float) -> None:
    """Lots · contract · face value · price / 100 · rate."""
    here = ground(
        calc_modes={EURUSD: BONDS}, face_values={EURUSD: 1_000.0},
        margin_rates={EURUSD: (rate, rate)},
    )  # fmt: skip
    one = connected(here.mt5).instruments[EURUSD]
    tick = here.mt5.symbol_info_tick(EURUSD)

    assert float(one.margin(Side.BUY, 0.3, tick.ask, 1.0)) == pytest.approx(
        here.mt5.order_calc_margin(0, EURUSD, 0.3, tick.ask), rel=1e-3
    )


def test_what_the_trade_server_books_is_what_was_reckoned() -> None:
    """A position of a future at the twin: its profit in the terminal is ours."""
    here = ground(
        calc_modes={EURUSD: FUTURES}, ticks={EURUSD: EURO_FUTURE}, margins_initial={EURUSD: 2_000.0}
    )
    one = connected(here.mt5).instruments[EURUSD]
    request = {"action": 1, "symbol": EURUSD, "volume": 1.0, "type": 0, "type_filling": 1}
    here.mt5.order_send(**request)
    here.quote(1.08600, 1.08607)

    (held,) = here.mt5.positions_get()

    assert held.price_open == 1.08507
    assert held.profit == 116.25  # 93 points of 1.25 dollars
    assert one.profit(Side.BUY, 1.0, held.price_open, 1.08600, 1.0) == Decimal("116.25")


def test_collateral_is_no_instrument() -> None:
    """It has no profit; connecting says so instead of valuing it somehow."""
    with pytest.raises(ConfigError, match="collateral"):
        connected(ground(calc_modes={EURUSD: COLLATERAL}).mt5)


def worth_of(here: Ground, currency: str) -> object:
    """What is found for EURUSD, a future, by an account in this currency."""
    calls = Calls(cast(Mt5Module, here.mt5))
    info = cast(SymbolInfo, calls.symbol_info(EURUSD))
    offered = cast(tuple[SymbolInfo, ...], calls.symbols_get())
    account = cast(AccountInfo, SimpleNamespace(currency=currency, leverage=30))
    return tick_worth(calls, info, account, offered)


def test_without_a_pair_nothing_is_guessed() -> None:
    """Dollars into crowns: no symbol tells; a person must act."""
    here = ground(calc_modes={EURUSD: FUTURES}, ticks={EURUSD: EURO_FUTURE})

    with pytest.raises(ConfigError, match="worth in SEK"):
        worth_of(here, "SEK")


def test_a_pair_without_a_quote_is_waited_for() -> None:
    """The market of the pair may open later."""
    here = ground(calc_modes={EURUSD: FUTURES}, ticks={EURUSD: EURO_FUTURE})
    here.mt5.symbol_select(USDJPY, False)

    with pytest.raises(TerminalUnavailable, match="no quote yet"):
        worth_of(here, "JPY")


def test_its_own_price_converts_nothing_but_an_ordinary_symbol() -> None:
    """A future on EURUSD says what a dollar is in euros only if a lot is its contract size."""
    ordinary = ground(calc_modes={EURUSD: FUTURES}, accounts=(TwinAccount(currency="EUR"),))

    assert worth_of(ordinary, "EUR") is BY_CONTRACT_SIZE


@pytest.mark.parametrize(
    ("measured", "value"),
    [(12.4998, 12.5), (25.004, 25.0), (500.05, 500.0), (0.012_345_67, 0.012_346), (1e-3, 1e-3)],
)
def test_a_value_is_read_through_the_spread(measured: float, value: float) -> None:
    """The shortest number within what bid and ask blur."""
    assert written(measured) == pytest.approx(value, abs=1e-9)
