"""How far exits may slip: enough to get out, never a large part of what is sold."""

import math

import pytest
from trading_fixtures import BUY, NOON_NS, Desk, forecast, scene, tick

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.risk.exit_slip import exit_deviation
from plan2.intelligence.trading.wishes import Ask, OrderWish


@pytest.mark.parametrize(
    ("digits", "price", "points"),
    [
        (5, 1.0855, 500),  # EURUSD: 0.46 %
        (3, 150.20, 500),  # USDJPY: 0.33 %
        (2, 60_000.00, 18_000),  # a coin: 180 dollars; 500 points were 5
        (2, 20.00, 20),  # a share: 1 % are 20 cents; 500 points were 5 dollars
        (2, 3.00, 20),  # never less than an entry may
        (0, 40_000.0, 400),  # an index in whole points: 1 %
        (5, 0.0, 500),  # without a quote as ever
        (5, math.nan, 500),
    ],
)
def test_points_by_price(digits: int, price: float, points: int) -> None:
    """Figures worked by hand: 0.3 % and 1 % of the price around 500 points."""
    one = Instrument(symbol="X", base="X", quote="USD", digits=digits)

    assert exit_deviation(one, price) == points


def test_an_exit_may_slip_further_than_an_entry() -> None:
    """A requote in a fast market would leave the position open."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.5)))
    ask, now_ns = Ask("user:anna", "test"), NOON_NS + NS_PER_SECOND
    wish = OrderWish(
        kind=OrderKind.OPEN, ask=ask, symbol="EURUSD", side=BUY, quantity=0.1, stop_loss=1.09
    )
    assert desk.account.requests.request(wish, now_ns).order_id
    desk.fill(desk.sent[-1], 1.10010, "1")
    close = OrderWish(kind=OrderKind.CLOSE, ask=ask, position_id="test:p1")
    assert desk.account.requests.request(close, now_ns).order_id

    assert [order.deviation_points for order in desk.sent] == [20, 500]
