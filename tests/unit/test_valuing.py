"""What open positions are worth, tick after tick; every figure worked out by hand."""

from decimal import Decimal

import msgspec
import pytest

from plan2.foundation.instrument import Instrument, MarginMode
from plan2.foundation.values import Tick
from plan2.intelligence.trading.portfolio import PROFITS_KEPT, Portfolio
from plan2.intelligence.trading.positions import Position, PositionBook
from plan2.intelligence.trading.rates import Rates
from plan2.intelligence.trading.spread_of_risk import SizingVolatility, spread_of
from unit.trading_fixtures import BUY, EURUSD, SELL, tick

INSTRUMENTS = {"EURUSD": EURUSD}


def held(number: int = 1, **changes: object) -> Position:
    """0.10 lots of EURUSD bought at 1.10000."""
    values: dict[str, object] = {
        "position_id": str(number),
        "symbol": "EURUSD",
        "side": BUY,
        "quantity": 0.10,
        "open_price": 1.10000,
        "stop_loss": 0.0,
        "take_profit": 0.0,
        "opened_ts_ns": 1,
        "expires_ts_ns": 0,
        "decision_id": "d",
        "opened_quantity": 0.10,
    }
    return Position(**(values | changes))  # type: ignore[arg-type]  # names to values


def test_the_value_follows_price_quantity_and_side() -> None:
    """3 pips of 0.10 lots are 3 dollars; nothing of what was known before stays in force."""
    book, rates = PositionBook(), Rates("USD", INSTRUMENTS)
    portfolio = Portfolio(Decimal(1000), book, INSTRUMENTS)
    position = book.open["1"] = held()

    def equity(bid: float, ask: float) -> Decimal:
        rates.update(tick(bid=bid, ask=ask))
        portfolio.mark(tick(bid=bid, ask=ask), rates)
        assert portfolio.equity == 1000 + portfolio.floating_of(position, rates)
        return portfolio.equity

    assert equity(1.10030, 1.10040) == Decimal("1003.00")
    assert equity(1.10030, 1.10050) == Decimal("1003.00")
    assert equity(1.09980, 1.09990) == Decimal("998.00")
    position.quantity = 0.05
    assert equity(1.09980, 1.09990) == Decimal("999.00")
    position.open_price = 1.09970
    assert equity(1.09980, 1.09990) == Decimal("1000.50")
    position.side = SELL
    assert equity(1.09980, 1.09990) == Decimal("999.00")


def test_margin_goes_by_side_and_mode() -> None:
    """0.10 bought and 0.20 sold at a mid of 1.10: 11,000 and 22,000 dollars of value."""
    book, rates = PositionBook(), Rates("USD", INSTRUMENTS)
    book.open = {"1": held(1), "2": held(2, side=SELL, quantity=0.20)}
    rates.update(tick(bid=1.09990, ask=1.10010))

    def margin(**terms: object) -> float:
        instrument = msgspec.structs.replace(EURUSD, leverage=30.0, **terms)
        return Portfolio(Decimal(1000), book, {"EURUSD": instrument}).margin(rates)

    assert margin() == pytest.approx(1_100.00)
    assert margin(margin_rate_short=2.0) == pytest.approx(11_000 / 30 + 2 * 22_000 / 30)
    assert margin(margin_mode=MarginMode.VALUE, margin_rate_long=0.1) == pytest.approx(23_100.00)
    per_lot = {"margin_mode": MarginMode.LOT, "margin_initial": 500.0, "margin_rate_long": 1.2}
    assert margin(**per_lot) == pytest.approx(0.10 * 600 + 0.20 * 500)


def test_a_future_is_valued_by_its_tick() -> None:
    """Two E-mini S&P at 5,000: 12.50 a quarter of a point, 50 a point, 250,000 dollars a lot."""
    future = Instrument(
        symbol="ES", base="ES", quote="USD", digits=2, contract_size=1.0, tick_size=0.25,
        tick_value=12.5, margin_mode=MarginMode.LOT, margin_initial=13_000.0,
    )  # fmt: skip
    known, quote = {"ES": future}, Tick("ES", 1, 5_009.75, 5_010.25)
    book, rates = PositionBook(), Rates("USD", known)
    book.open = {"1": held(symbol="ES", quantity=2.0, open_price=5_000.0)}
    portfolio = Portfolio(Decimal(100_000), book, known)
    rates.update(quote)
    portfolio.mark(quote, rates)

    assert portfolio.equity == Decimal("100975.00")
    assert portfolio.exposure(rates) == pytest.approx(2 * 50 * 5_010.0)
    assert portfolio.margin(rates) == pytest.approx(26_000.0)
    volatility = SizingVolatility()
    spread = spread_of([("ES", 2.0)], known, rates, volatility, 0.02)
    assert spread.volatility_sum == pytest.approx(0.02 * 501_000.0)
    assert spread.net_of("USD") == pytest.approx(-501_000.0)


def test_what_is_remembered_of_closed_positions_is_bounded() -> None:
    """Thousands of trades later, one that is asked for again is right and the memory small."""
    book, rates = PositionBook(), Rates("USD", INSTRUMENTS)
    portfolio = Portfolio(Decimal(1000), book, INSTRUMENTS)
    rates.update(tick(bid=1.10010, ask=1.10020))
    portfolio.mark(tick(bid=1.10010, ask=1.10020), rates)
    for number in range(2_000):
        assert portfolio.floating_of(held(number), rates) == Decimal("1.00")
    assert len(portfolio._profits) <= PROFITS_KEPT + 1
