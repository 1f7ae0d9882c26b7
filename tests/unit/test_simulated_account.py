"""Nights, margin, netting and misfortunes of the paper account; amounts worked out by hand."""

from decimal import Decimal

import pytest

from plan2.dataflow.terminals.port import Trace, UpdateKind
from plan2.dataflow.terminals.simulated.broker import BrokerOptions, PaperBroker
from plan2.dataflow.terminals.simulated.faults import FaultDraw, Faults
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.foundation.errors import InvariantBroken
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND, Side, Tick
from simulated_world import TUESDAY_NS, Desk, closing, desk, order

BUY, SELL = Side.BUY, Side.SELL
ACCEPTED, FILLED, UNKNOWN = UpdateKind.ACCEPTED, UpdateKind.FILLED, UpdateKind.UNKNOWN
NIGHT_NS = TUESDAY_NS + 14 * NS_PER_HOUR
"""Tuesday 22:00 UTC = 17:00 New York in winter."""


def held(side: Side, until_ns: int, lots: float = 1.0) -> Desk:
    """A EURUSD position opened on Tuesday morning, and one quote at `until_ns`."""
    made = desk()
    made.submit(order("EURUSD", side, quantity=lots))
    made.quote("EURUSD", 1.10000, 1.10010)
    made.quote("EURUSD", 1.10000, 1.10010, after_ns=until_ns - made.now_ns)
    return made


@pytest.mark.parametrize(
    ("side", "until_ns", "swap"),
    [
        (BUY, NIGHT_NS - 1, "0.00"),
        (BUY, NIGHT_NS, "-7.10"),
        (SELL, NIGHT_NS, "2.60"),
        (BUY, NIGHT_NS + NS_PER_DAY, "-28.40"),
        (BUY, NIGHT_NS + 2 * NS_PER_DAY, "-35.50"),
        (BUY, NIGHT_NS + 3 * NS_PER_DAY, "-42.60"),
        (BUY, NIGHT_NS + 6 * NS_PER_DAY - NS_PER_HOUR - 1, "-42.60"),
        (BUY, NIGHT_NS + 6 * NS_PER_DAY - NS_PER_HOUR, "-49.70"),
    ],
    ids=["before", "long", "short", "wednesday", "thursday", "friday", "weekend", "monday"],
)
def test_swap_by_night(side: Side, until_ns: int, swap: str) -> None:
    """1 lot at −7.1 / +2.6 points is −7.10 / +2.60 USD a night; Wednesday counts three.

    Monday's rollover is one hour of UTC earlier: New York went to summer time on Sunday.
    """
    made = held(side, until_ns)
    assert made.broker.positions()[0].swap == Decimal(swap)
    assert made.balance() == Decimal("9996.50")


def test_swap_is_booked_with_the_exit_in_proportion() -> None:
    """Of −7.10, closing 0.3 of 1.0 lots takes −2.13 and the rest −4.97."""
    made = held(BUY, NIGHT_NS)
    for lots in (0.3, 0.7):
        made.submit(closing("EURUSD", SELL, "1", quantity=lots, order_id=f"close-{lots}"))
        made.quote("EURUSD", 1.10010, 1.10020)
    assert [deal.swap for deal in made.deals()] == [
        Decimal("0.00"),
        Decimal("-2.13"),
        Decimal("-4.97"),
    ]
    # −3.50 entry; exits −1.05 and −2.45; swap −7.10; no profit: sold where it was bought
    assert made.balance() == Decimal("9985.90")


def test_yen_swap_is_converted() -> None:
    """0.5 lots USDJPY long: 10.5 points · 0.001 · 50000 = 525 JPY / 150.01 = 3.50 USD."""
    made = desk()
    made.submit(order("USDJPY", BUY, quantity=0.5))
    made.quote("USDJPY", 150.00, 150.01)
    made.quote("USDJPY", 150.00, 150.01, after_ns=NIGHT_NS - made.now_ns)
    assert made.broker.positions()[0].swap == Decimal("3.50")


def test_stop_out_closes_the_largest_loss_first() -> None:
    """At 50 % of the margin the worst position goes, then the account is left alone.

    Deposit 2000; long 0.20 and short 0.10 lots. Without relief for hedged lots (which bind twice
    the average of both sides) the margin is 733.33 + 366.67 = 1100.00 and the level 550.00.
    """
    made = desk(deposit=Decimal("2000.00"), hedged_margin=2.0)
    made.submit(order("EURUSD", BUY, quantity=0.20))
    made.submit(order("EURUSD", SELL, quantity=0.10, order_id="order-2"))
    made.quote("EURUSD", 1.10000, 1.10000)
    assert made.broker.account().margin == Decimal("1100.00")
    # 2000 − 1.05 commission; net long 0.10 lots lose 0.10 USD a point: 550.95, then 549.95 are left
    made.quote("EURUSD", 0.95520, 0.95520)
    assert len(made.broker.positions()) == 2
    made.quote("EURUSD", 0.95510, 0.95510)
    assert [deal.reason for deal in made.deals()] == ["client", "client", "stop_out"]
    assert made.deals()[2].side is SELL
    assert [one.side for one in made.broker.positions()] == [SELL]
    assert made.updates[-1].order_id == ""


@pytest.mark.parametrize(("deposit", "survivors"), [("550.38", 0), ("550.39", 1)])
def test_stop_out_is_exact_to_the_cent(deposit: str, survivors: int) -> None:
    """0.10 lots at 1.10000: margin 366.67, level 183.335; at 1.06333 the loss is 366.70.

    550.38 − 0.35 − 366.70 = 183.33 is a stop-out; a cent more is not.
    """
    made = desk(deposit=Decimal(deposit))
    made.submit(order("EURUSD", BUY, quantity=0.10))
    made.quote("EURUSD", 1.10000, 1.10000)
    made.quote("EURUSD", 1.06333, 1.06333)
    assert len(made.broker.positions()) == survivors


def test_stop_out_at_exactly_half_the_margin() -> None:
    """0.30 lots: margin 1100.00. 1151.05 − 1.05 − 600.00 (2000 points) = 550.00: closed."""
    made = desk(deposit=Decimal("1151.05"))
    made.submit(order("EURUSD", BUY, quantity=0.30))
    made.quote("EURUSD", 1.10000, 1.10000)
    made.quote("EURUSD", 1.08001, 1.08001)
    assert len(made.broker.positions()) == 1
    made.quote("EURUSD", 1.08000, 1.08000)
    assert made.broker.positions() == ()
    assert made.balance() == Decimal("548.95")


def test_hedging_keeps_opposite_positions_apart() -> None:
    """A hedging account holds a long and a short of the same symbol."""
    made = desk()
    made.submit(order("EURUSD", BUY))
    made.submit(order("EURUSD", SELL, order_id="order-2"))
    made.quote("EURUSD", 1.10000, 1.10010)
    assert [(one.ticket, one.side) for one in made.broker.positions()] == [("1", BUY), ("2", SELL)]


def netting() -> Desk:
    """A netting account with 0.10 lots EURUSD bought at 1.10010."""
    made = desk(is_hedging=False)
    made.submit(order("EURUSD", BUY, stop_loss=1.09))
    made.quote("EURUSD", 1.10000, 1.10010)
    return made


def test_netting_adds_at_the_average_price() -> None:
    """0.10 at 1.10010 and 0.30 at 1.10210 make 0.40 at 1.10160, with the newer stops."""
    made = netting()
    made.submit(order("EURUSD", BUY, quantity=0.30, order_id="more", stop_loss=1.095))
    made.quote("EURUSD", 1.10200, 1.10210)
    (position,) = made.broker.positions()
    assert (position.quantity, position.open_price) == (0.4, 1.1016)
    assert (position.ticket, position.stop_loss) == ("1", 1.095)


def test_netting_reduces_and_turns_round() -> None:
    """Selling 0.25 against 0.10 long books an exit of 0.10 and a new short of 0.15."""
    made = netting()
    made.submit(order("EURUSD", SELL, quantity=0.25, order_id="turn"))
    made.quote("EURUSD", 1.10110, 1.10120)
    leaving, entry = made.deals()[1:]
    assert (leaving.is_exit, leaving.quantity, leaving.profit) == (True, 0.1, Decimal("10.00"))
    assert (entry.is_exit, entry.quantity, entry.side) == (False, 0.15, SELL)
    assert leaving.order_ticket == entry.order_ticket
    assert entry.ticket == f"{leaving.ticket}.in"
    (position,) = made.broker.positions()
    assert (position.ticket, position.side, position.quantity) == ("1", SELL, 0.15)
    assert position.open_price == 1.10110
    assert made.broker.desk.book.positions["1"].ticket == leaving.order_ticket == "2"


def test_netting_closes_without_a_ticket() -> None:
    """On a netting account the symbol names the position."""
    made = netting()
    made.submit(closing("EURUSD", SELL, "", quantity=0.10))
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.broker.positions() == ()


def test_lost_reply_executes_but_leaves_us_in_the_dark() -> None:
    """The answer is UNKNOWN; the deal is found by its token."""
    made = desk(faults=Faults(lost_reply=1.0))
    made.submit(order())
    made.quote("EURUSD", 1.10000, 1.10010)
    assert [(u.kind, u.reason) for u in made.updates] == [(UNKNOWN, "no_reply")]
    trace = made.broker.trace("token-order-1")
    assert trace is not None
    assert len(trace.deals) == 1
    assert trace.is_over


def test_lost_order_never_happened() -> None:
    """The answer is UNKNOWN and there is no deal; the broker does not know the token."""
    made = desk(faults=Faults(lost_order=1.0))
    for _ in range(2):
        made.submit(order())
        made.quote("EURUSD", 1.10000, 1.10010)
    assert made.kinds() == [UNKNOWN, UNKNOWN]
    assert made.broker.trace("token-order-1") == Trace()
    assert made.broker.positions() == ()
    assert "token-order-1" not in made.broker._tokens


def test_duplicate_delay_and_partial_fill() -> None:
    """Answers arrive twice, two seconds late, for half of the lots rounded down to the step."""
    made = desk(faults=Faults(duplicate_reply=1.0, delay=1.0, partial_fill=1.0))
    made.submit(order(quantity=0.05))
    made.quote("EURUSD", 1.10000, 1.10010, after_ns=2 * NS_PER_SECOND)
    assert made.updates == []
    made.quote("EURUSD", 1.10000, 1.10010)
    cancelled = UpdateKind.CANCELLED
    assert made.kinds() == [ACCEPTED, ACCEPTED, FILLED, FILLED, cancelled, cancelled]
    assert made.broker.positions()[0].quantity == 0.02
    assert len(made.broker.deals(0)) == 1


def test_fates_depend_on_the_seed_alone() -> None:
    """The same seed deals the same fates; about as many as asked for."""
    draws = [FaultDraw(Faults(seed=5, lost_reply=0.3)) for _ in range(2)]
    first, second = ([draw.next_fate() for _ in range(1000)] for draw in draws)
    assert first == second
    assert 250 < sum(fate.is_reply_lost for fate in first) < 350
    assert not any(fate.is_lost or fate.is_partial or fate.delay_ns for fate in first)


def test_a_position_without_a_rate_stops_the_account() -> None:
    """Figures that cannot be converted are never guessed."""
    broker = PaperBroker(instruments(("EURUSD", "USDJPY")), BrokerOptions(), None, lambda _: True)
    broker.submit(order("USDJPY", BUY))
    broker.on_tick(Tick("USDJPY", TUESDAY_NS + NS_PER_SECOND, 150.0, 150.01))
    broker._quotes._last.clear()
    with pytest.raises(InvariantBroken, match="USDJPY"):
        broker.account()
