"""The care of open positions: stops that only tighten, a watchdog, closing again after refusals."""

from decimal import Decimal

import msgspec
import pytest
from trading_fixtures import BUY, EURUSD, NOON_NS, SELL, Desk, forecast, scene, tick

from plan2.dataflow.terminals.port import ApprovedOrder, OrderKind, OrderUpdate, UpdateKind
from plan2.foundation.config.schema import Management
from plan2.foundation.events.order import PositionProtected
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND, Side
from plan2.intelligence.trading.orders import NEVER_ARRIVED
from plan2.intelligence.trading.placing import NOT_SENT
from plan2.intelligence.trading.positions import Position
from plan2.intelligence.trading.stops import emergency_stop, tighter_stop
from plan2.intelligence.trading.wishes import Ask, OrderWish

ANNA = Ask("user:anna", "because")
TRAILING = Management(trailing_distance_r=1.0, trailing_step_r=0.1)
BREAK_EVEN = Management(break_even_after_r=1.0)


def position(side: Side = BUY, **changes: object) -> Position:
    """0.10 lots at 1.10000 with a stop 100 points × 10 away: R = 0.01."""
    stop = 1.1 - side * 0.01
    values: dict[str, object] = {
        "position_id": "test:p1",
        "symbol": "EURUSD",
        "side": side,
        "quantity": 0.1,
        "open_price": 1.1,
        "stop_loss": stop,
        "take_profit": 0.0,
        "opened_ts_ns": NOON_NS,
        "expires_ts_ns": 0,
        "decision_id": "d",
        "opened_quantity": 0.1,
        "initial_stop": stop,
    }
    return Position(**{**values, **changes})  # type: ignore[arg-type]


def better(one: Position, bid: float, rules: Management, instrument: Instrument = EURUSD) -> object:
    """The stop that would be better at a bid; the ask is a pip above."""
    return tighter_stop(one, tick(bid, round(bid + 0.0001, 5)), instrument, 1.0, rules)


def test_the_trailing_stop_follows_one_r_behind_the_exit_price() -> None:
    """Long: 1.105 − 0.01 = 1.095. Short: ask 1.0951 + 0.01 = 1.1051."""
    assert better(position(), 1.105, TRAILING) == (1.095, "trailing")
    assert better(position(SELL), 1.095, TRAILING) == (1.1051, "trailing")


@pytest.mark.parametrize(("bid", "moves"), [(1.1009, False), (1.1010, True), (1.0950, False)])
def test_a_trailing_stop_moves_by_at_least_a_step_and_never_back(bid: float, moves: bool) -> None:
    """A step is 0.1 R = 0.001 from the stop at 1.09."""
    assert (better(position(), bid, TRAILING) is not None) is moves


@pytest.mark.parametrize(("bid", "moves"), [(1.1099, False), (1.1101, True)])
def test_break_even_waits_for_its_profit(bid: float, moves: bool) -> None:
    """One R is 0.01; commission of 7 USD per lot and round trip is 0.00007 per unit."""
    found = better(position(), bid, BREAK_EVEN)
    assert found == ((1.10007, "break_even") if moves else None)


def test_break_even_counts_the_swap_that_was_paid() -> None:
    """1 USD of swap on 10,000 units is 0.0001 per unit."""
    held = position(swap=Decimal("-1.00"))
    assert better(held, 1.1150, BREAK_EVEN) == (1.10017, "break_even")


def test_the_tighter_of_two_stops_wins() -> None:
    """At 1.13 the trailing stop 1.12 is better than break-even."""
    both = Management(trailing_distance_r=1.0, break_even_after_r=1.0)
    assert better(position(), 1.13, both) == (1.12, "trailing")


def test_the_brokers_least_distance_is_kept() -> None:
    """200 points are 0.002: a stop that wants to be nearer is moved away to exactly that."""
    near = Management(trailing_distance_r=0.1, trailing_step_r=0.1)
    strict = msgspec.structs.replace(EURUSD, stops_level_points=200)
    assert better(position(), 1.105, near, strict) == (1.103, "trailing")


def test_nothing_moves_inside_the_freeze_level() -> None:
    """The price is 40 points from the take-profit, the broker freezes at 50."""
    frozen = msgspec.structs.replace(EURUSD, freeze_level_points=50)
    held = position(take_profit=1.1054)
    assert better(held, 1.105, TRAILING, frozen) is None
    assert better(held, 1.105, TRAILING) is not None


def test_without_a_first_stop_there_is_no_r() -> None:
    """Nothing to measure by, nothing moves."""
    assert better(position(initial_stop=0.0), 1.2, TRAILING) is None


@pytest.mark.parametrize(
    ("held", "stop"),
    [
        (position(stop_loss=0.0), 1.09),
        (position(stop_loss=0.0, initial_stop=0.0), 1.08801),
        (position(stop_loss=0.0, initial_stop=1.12), 1.08801),
        (position(SELL, stop_loss=0.0, initial_stop=0.0), 1.11110),
    ],
)
def test_an_emergency_stop_is_the_first_one_or_a_fraction_away(held: Position, stop: float) -> None:
    """1 % from the bid 1.099 (1.08801) or from the ask 1.1001 (1.111101, on the grid 1.11110)."""
    quote = tick(1.0990 if held.side is BUY else 1.1000, 1.1001)
    assert emergency_stop(held, quote, EURUSD, 0.01) == stop


# --- on an account ----------------------------------------------------------------------


def holding(management: Management, stop: float = 1.09, horizon_s: int = 0) -> Desk:
    """A desk with 0.1 lots bought by a person at 1.10010."""
    desk = Desk(management=management).arm()
    see(desk, 0.0)
    wish = OrderWish(
        kind=OrderKind.OPEN,
        ask=ANNA,
        symbol="EURUSD",
        side=BUY,
        quantity=0.1,
        stop_loss=stop,
        horizon_s=horizon_s,
    )
    assert desk.account.requests.request(wish, NOON_NS).order_id
    desk.fill(desk.sent[0], 1.10010, "1")
    return desk


def see(desk: Desk, after_s: float, bid: float = 1.1) -> list[ApprovedOrder]:
    """A quote; returns the orders that it brought about."""
    before = len(desk.sent)
    quote = tick(bid, round(bid + 0.0001, 5), after_s=after_s)
    desk.account.on_tick(scene(quote, forecast(0.5)))
    return desk.sent[before:]


def say(desk: Desk, kind: UpdateKind, after_s: float, reason: str = "") -> None:
    """A word of the broker about the last order."""
    ts_ns = NOON_NS + int(after_s * NS_PER_SECOND)
    order_id = desk.sent[-1].order_id
    desk.account.on_order_update(
        OrderUpdate(kind=kind, ts_ns=ts_ns, order_id=order_id, reason=reason)
    )


def test_a_stop_is_moved_once_per_interval_and_signed() -> None:
    """Asked for by the care, not again before 10 s, nor while the last answer is missing."""
    desk = holding(TRAILING)
    (order,) = see(desk, 1, 1.12)
    assert (order.kind, order.stop_loss, order.position_ticket) == (OrderKind.PROTECT, 1.1099, "p1")
    placed = desk.account.orders.orders[order.order_id].placed
    assert (placed.decided_by, placed.reason) == ("algorithm:plan2-care", "trailing")
    assert see(desk, 12, 1.13) == []
    say(desk, UpdateKind.DONE, 12)
    assert desk.account.positions.open["test:p1"].stop_loss == 1.1099
    (again,) = see(desk, 13, 1.13)
    say(desk, UpdateKind.DONE, 13)
    assert again.stop_loss == pytest.approx(1.1199)
    assert see(desk, 14, 1.14) == []
    assert len(see(desk, 23.1, 1.14)) == 1


def unprotected(desk: Desk, after_s: float) -> None:
    """The broker shows the position without a stop."""
    ts_ns = NOON_NS + int(after_s * NS_PER_SECOND)
    gone = PositionProtected(
        ts_ns=ts_ns,
        position_id="test:p1",
        account_id="test",
        symbol="EURUSD",
        stop_loss=0.0,
        take_profit=0.0,
        reason="seen at the broker",
    )
    desk.account.book([gone])


def test_the_watchdog_gives_a_bare_position_its_stop_back() -> None:
    """After 5 s, once; when it is confirmed nothing more happens."""
    desk = holding(Management())
    unprotected(desk, 10)
    assert see(desk, 14.9) == []
    (order,) = see(desk, 15)
    assert (order.kind, order.stop_loss) == (OrderKind.PROTECT, 1.09)
    assert see(desk, 16) == []
    say(desk, UpdateKind.DONE, 16)
    assert see(desk, 60) == []
    unprotected(desk, 70)
    assert see(desk, 71) == []
    assert see(desk, 76)[0].kind is OrderKind.PROTECT


@pytest.mark.parametrize("word", [UpdateKind.REJECTED, UpdateKind.UNKNOWN, None])
def test_a_stop_that_is_not_confirmed_closes_the_position(word: UpdateKind | None) -> None:
    """Refused: at once. Unknown or silent: after 10 s, although the errand's outcome is open."""
    desk = holding(Management())
    unprotected(desk, 10)
    assert len(see(desk, 15)) == 1
    if word is not None:
        say(desk, word, 16, "invalid_stops")
    if word is not UpdateKind.REJECTED:
        assert see(desk, 24.9) == []
    (order,) = see(desk, 25)
    assert (order.kind, order.quantity, order.position_ticket) == (OrderKind.CLOSE, 0.1, "p1")
    placed = desk.account.orders.orders[order.order_id].placed
    assert placed.reason == "no stop at the broker"


def test_protect_sees_to_a_bare_position_at_once() -> None:
    """What the order saga calls when a fill is not known to be protected."""
    desk = holding(Management())
    unprotected(desk, 10)
    desk.account.management.protect("test:p1", NOON_NS + 11 * NS_PER_SECOND)
    assert desk.sent[-1].kind is OrderKind.PROTECT
    say(desk, UpdateKind.REJECTED, 12)
    desk.account.management.protect("test:p1", NOON_NS + 13 * NS_PER_SECOND)
    assert desk.sent[-1].kind is OrderKind.CLOSE


def test_a_refused_close_is_tried_again_with_a_new_order_after_a_pause() -> None:
    """2 s, then 4 s, then 8 s …, at most 60 s; never the same order, never two at once."""
    desk = holding(Management(), horizon_s=60)
    (first,) = see(desk, 60)
    assert see(desk, 61) == []
    say(desk, UpdateKind.REJECTED, 61, "market_closed")
    assert see(desk, 62.9) == []
    (second,) = see(desk, 63)
    say(desk, UpdateKind.REJECTED, 64, "market_closed")
    assert see(desk, 67.9) == []
    (third,) = see(desk, 68)
    assert len({first.order_id, second.order_id, third.order_id}) == 3
    at = 68.0
    for _ in range(8):
        say(desk, UpdateKind.REJECTED, at)
        at += 60
        assert len(see(desk, at)) == 1


def test_a_close_that_never_arrived_does_not_lengthen_the_pause() -> None:
    """Nobody refused it: two seconds each time, however often the link fails."""
    desk = holding(Management(), horizon_s=60)
    at = 60.0
    for reason in (NOT_SENT, NEVER_ARRIVED, NEVER_ARRIVED, NOT_SENT):
        assert len(see(desk, at)) == 1
        say(desk, UpdateKind.REJECTED, at, reason)
        assert see(desk, at + 1.9) == []
        at += 2


def test_nothing_is_closed_while_an_outcome_is_unknown() -> None:
    """The order may have closed it; once it is settled as refused, a new one goes out."""
    desk = holding(Management(), horizon_s=60)
    assert len(see(desk, 60)) == 1
    say(desk, UpdateKind.UNKNOWN, 61)
    for after_s in (100, 1_000, 10_000):
        assert see(desk, after_s) == []
    say(desk, UpdateKind.REJECTED, 10_000, "never reached the broker")
    assert len(see(desk, 10_003)) == 1


def test_what_a_close_left_open_is_closed_next() -> None:
    """Immediate or cancel: 0.06 of 0.10 lots were closed, 0.04 follow."""
    desk = holding(Management(), horizon_s=60)
    (close,) = see(desk, 60)
    desk.fill(close, 1.1, "2", is_exit=True, quantity=0.06)
    say(desk, UpdateKind.CANCELLED, 61, "no volume")
    (rest,) = see(desk, 64)
    assert rest.quantity == 0.04


def test_foreign_positions_are_left_alone_until_claimed() -> None:
    """No stop, long open, trailing on: nothing. Claimed: the watchdog and the horizon count."""
    desk = holding(TRAILING)
    deal = {"position_ticket": "p9", "reason": "manual", "token": "", "magic": 0}
    desk.fill(desk.sent[0], 1.1, "9", quantity=0.02, **deal)
    assert [order for order in see(desk, 100) if order.position_ticket == "p9"] == []
    claimed_ns = NOON_NS + 100 * NS_PER_SECOND
    assert desk.account.requests.claim("test:p9", ANNA, 50, claimed_ns) is None
    assert [order.position_ticket for order in see(desk, 105)] == ["p9"]
    say(desk, UpdateKind.DONE, 106)
    assert [order.kind for order in see(desk, 151)] == [OrderKind.CLOSE]


def test_trailing_and_break_even_are_off_unless_configured() -> None:
    """A good position simply runs."""
    desk = holding(Management())
    assert see(desk, 100, 1.2) == []
