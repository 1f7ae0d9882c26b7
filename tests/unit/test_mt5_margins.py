"""Margins at a MetaTrader 5 broker: learned when connecting, the terminal's own figures after."""

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from twin_fixtures import EURUSD, USDJPY, Ground, ground

from plan2.dataflow.terminals.mt5.calls import Calls
from plan2.dataflow.terminals.mt5.margins import margin_terms, neat
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.shape import AccountInfo, Mt5Module, SymbolInfo
from plan2.dataflow.terminals.mt5.symbols import Symbols
from plan2.dataflow.terminals.twin.faults import Happening
from plan2.dataflow.terminals.twin.options import TwinAccount
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.instrument import Instrument, MarginMode
from plan2.foundation.values import Side

FOREX, FUTURES, CFD, CFDINDEX, CFDLEVERAGE, FREE_OF_LEVERAGE, STOCKS = 0, 1, 2, 3, 4, 5, 32


def connected(here: Ground) -> Symbols:
    """Both symbols as a terminal that has just connected knows them."""
    symbols = Symbols(Calls(cast(Mt5Module, here.mt5)), Mt5Options(symbols=(EURUSD, USDJPY)))
    symbols.load(here.mt5.account_info())
    return symbols


@pytest.mark.parametrize("mode", [FOREX, CFD, CFDINDEX, CFDLEVERAGE, FREE_OF_LEVERAGE, STOCKS])
@pytest.mark.parametrize("rates", [(1.0, 1.0), (1.5, 2.0), (0.05, 0.0333)])
def test_an_orders_margin_is_what_the_terminal_would_say(
    mode: int, rates: tuple[float, float]
) -> None:
    """At a price of today, for both sides and a pair whose quote currency is not the account's."""
    modes = {EURUSD: mode, USDJPY: mode}
    here = ground(calc_modes=modes, margin_rates={EURUSD: rates, USDJPY: rates})
    symbols = connected(here)

    for symbol in (EURUSD, USDJPY):
        one, tick = symbols.instruments[symbol], here.mt5.symbol_info_tick(symbol)
        base, quote = (here.world.quotes.rate(unit) for unit in (one.base, one.quote))
        for side, price in ((Side.BUY, tick.ask), (Side.SELL, tick.bid)):
            told = here.mt5.order_calc_margin(int(side is Side.SELL), symbol, 0.7, price)
            ours = float(one.margin(side, 0.7, base or 0.0, quote or 0.0))
            assert ours == pytest.approx(told, rel=2e-4), (symbol, side)
        assert (one.margin_rate(Side.BUY), one.margin_rate(Side.SELL)) == pytest.approx(
            rates, rel=2e-4
        )
    assert symbols.notes == ()


def test_plain_currencies_are_taken_as_ever() -> None:
    """FOREX at a rate of 1: not a bit of an instrument differs from what it was without asking."""
    made = connected(ground()).instruments

    for one in made.values():
        plain = (one.margin_mode, one.margin_rate_long, one.margin_rate_short, one.margin_initial)
        assert plain == (MarginMode.LEVERAGE, 1.0, 1.0, 0.0)


@pytest.mark.parametrize("mode", [FOREX, FUTURES])
def test_a_figure_per_lot_goes_before_the_price(mode: int) -> None:
    """150,000 yen a lot at 150.209 for a dollar; a sell takes half as much again."""
    here = ground(
        calc_modes={USDJPY: mode}, margins_initial={USDJPY: 150_000.0},
        margin_rates={USDJPY: (1.0, 1.5)},
    )  # fmt: skip
    one = connected(here).instruments[USDJPY]

    assert one.margin_mode is MarginMode.LOT
    rates = (1.0, 1 / 150.209)
    assert float(one.margin(Side.SELL, 2.0, *rates)) == pytest.approx(2_995.83, abs=0.5)
    assert float(one.margin(Side.BUY, 2.0, *rates)) == pytest.approx(1_997.22, abs=0.5)


@pytest.mark.parametrize(
    ("mode", "initial", "expected"),
    [
        (FOREX, 0.0, (MarginMode.LEVERAGE, 0.0)),
        (CFD, 0.0, (MarginMode.VALUE, 0.0)),
        (FUTURES, 500.0, (MarginMode.LOT, 500.0)),
        (FUTURES, 0.0, (MarginMode.VALUE, 0.0)),
    ],
)
@pytest.mark.parametrize("answer", [None, 0.0, float("nan")])
def test_a_terminal_that_does_not_tell(
    mode: int, initial: float, expected: tuple[MarginMode, float], answer: float | None
) -> None:
    """The documented formula at a rate of 1, the full value where that is not known; it is said."""
    here = ground(calc_modes={EURUSD: mode}, margins_initial={EURUSD: initial})

    class Silent:
        def __getattr__(self, name: str) -> Any:
            if name.startswith("order_calc"):
                return lambda *_: answer
            return getattr(here.mt5, name)

    calls = Calls(cast(Mt5Module, Silent()))
    info = cast(SymbolInfo, calls.symbol_info(EURUSD))
    found = margin_terms(calls, info, cast(AccountInfo, calls.account_info()))

    assert (found.mode, found.initial) == expected
    assert (found.rate_long, found.rate_short) == (1.0, 1.0)
    assert "does not tell its margin" in found.note


@pytest.mark.parametrize("call", ["order_calc_margin", "order_calc_profit"])
def test_a_terminal_that_goes_away_meanwhile_is_asked_again_later(call: str) -> None:
    """No margin is guessed because of it: connecting fails as with every other question."""
    here = ground(calc_modes={EURUSD: CFD})
    here.world.faults.script(call, Happening(error_after=-10_002))

    with pytest.raises(TerminalUnavailable, match="went away"):
        connected(here)

    here.mt5.initialize()
    assert connected(here).instruments[EURUSD].margin_mode is MarginMode.VALUE


def test_an_account_that_names_no_leverage() -> None:
    """As some at exchanges do: counted as 1, not divided by."""
    here = ground(accounts=(TwinAccount(leverage=1),))
    account = here.mt5.account_info()
    nameless = SimpleNamespace(currency=account.currency, leverage=0)
    calls = Calls(cast(Mt5Module, here.mt5))
    info = cast(SymbolInfo, calls.symbol_info(EURUSD))

    found = margin_terms(calls, info, cast(AccountInfo, nameless))

    assert found.rate_long == 1.0


@pytest.mark.parametrize(
    ("measured", "rate"),
    [(0.999_93, 1.0), (1.4993, 1.5), (0.0501, 0.05), (0.033_333_1, 0.033_334), (0.0266, 0.0266)],
)
def test_a_rate_is_read_through_the_spread(measured: float, rate: float) -> None:
    """Whole hundredths within half a percent; anything else is kept, rounded up."""
    assert neat(measured) == pytest.approx(rate, abs=1e-9)


def test_an_older_record_of_an_instrument_reads_as_it_was() -> None:
    """Contract data kept by an earlier version have no margin fields."""
    kept = b'{"symbol":"EURUSD","base":"EUR","quote":"USD","digits":5,"leverage":30.0}'

    one = msgspec.json.decode(kept, type=Instrument)

    assert one == Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5, leverage=30.0)
