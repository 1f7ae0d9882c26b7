"""The one door for orders: wishes become gated, durable orders once, or a refusal with numbers."""

from decimal import Decimal

import pytest
from trading_fixtures import BUY, NOON_NS, SELL, Desk, forecast, scene, tick

from plan2.dataflow.terminals.port import (
    LinkChange,
    LinkState,
    OrderKind,
    OrderUpdate,
    Trigger,
    UpdateKind,
)
from plan2.foundation.errors import JournalLost
from plan2.foundation.events.order import OrderDenied, OrderPlaced
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.risk.switch import Scope, Where
from plan2.intelligence.trading.orders import OrderState
from plan2.intelligence.trading.requests import Outcome
from plan2.intelligence.trading.wishes import Ask, OrderWish, Selection

ANNA = Ask("user:anna", "because")
ROBOT = Ask("algorithm:test", "because")
NOW_NS = NOON_NS + NS_PER_SECOND


def quoted() -> Desk:
    """An armed desk that has seen EURUSD at 1.10000/1.10010 and did nothing about it."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.5)))
    return desk


def holding(quantity: float = 0.1) -> Desk:
    """A desk with a position p1 of a person's wish, bought at 1.10010, stop 1.09000."""
    desk = quoted()
    assert ask(desk, OrderKind.OPEN, side=BUY, quantity=quantity, stop_loss=1.09).order_id
    desk.fill(desk.sent[-1], 1.10010, "1")
    return desk


def waiting() -> tuple[Desk, str]:
    """A desk whose buy limit at 1.09500 works at the broker as ticket 77."""
    desk = quoted()
    outcome = ask(
        desk,
        OrderKind.PENDING,
        side=BUY,
        quantity=0.1,
        trigger=Trigger.LIMIT,
        price=1.095,
        stop_loss=1.09,
    )
    desk.account.on_order_update(
        OrderUpdate(kind=UpdateKind.ACCEPTED, ts_ns=NOW_NS, order_id=outcome.order_id, ticket="77")
    )
    return desk, outcome.order_id


def ask(desk: Desk, kind: OrderKind, by: Ask = ANNA, **wish: object) -> Outcome:
    """Wish for something a second after noon, under a key that nobody used."""
    values = {"symbol": "EURUSD", "key": f"fact-{len(desk.sink.facts)}"} | wish
    return desk.account.requests.request(OrderWish(kind=kind, ask=by, **values), NOW_NS)  # type: ignore[arg-type]


def rule_of(outcome: Outcome) -> str:
    """Which rule refused."""
    assert outcome.refusal is not None, outcome
    return outcome.refusal.rule


def test_a_persons_order_is_durable_gated_and_signed() -> None:
    """Written before it is sent; prices on the grid; who, why and for how long are kept."""
    desk = quoted()
    outcome = ask(
        desk, OrderKind.OPEN, side=SELL, quantity=0.1, stop_loss=1.1050049, horizon_s=3600
    )
    order = desk.sent[-1]
    assert outcome == Outcome(order.order_id)
    assert desk.journaled_when_sent[-1][-1] == "OrderPlaced"
    assert (order.side, order.price, order.stop_loss) == (SELL, 1.10000, 1.105)
    placed = desk.account.orders.orders[order.order_id].placed
    assert (placed.decided_by, placed.executed_by, placed.reason) == (
        "user:anna",
        "user:anna",
        "because",
    )
    assert placed.expires_ts_ns == NOW_NS + 3600 * NS_PER_SECOND


@pytest.mark.parametrize(
    ("wish", "rule"),
    [
        ({"side": BUY, "quantity": 0.1}, "spread"),
        ({"side": BUY, "quantity": 0.105, "stop_loss": 1.09}, "volume"),
        ({"side": BUY, "quantity": 1.0, "stop_loss": 1.09}, "order_value"),
        ({"quantity": 0.1, "stop_loss": 1.09}, "side"),
        ({"side": BUY, "quantity": 0.1, "stop_loss": 1.09, "symbol": "NOPE"}, "unknown_symbol"),
    ],
)
def test_people_pass_the_same_gate(wish: dict[str, object], rule: str) -> None:
    """No stop (the spread is more than none of it), off the grid, too much: nothing is sent."""
    desk = quoted()
    assert rule_of(ask(desk, OrderKind.OPEN, **wish)) == rule
    assert desk.sent == []


def test_a_refusal_tells_its_numbers_and_is_written_down() -> None:
    """1 lot EURUSD is 110,005 USD; the limit of one order is 4 × 10,000."""
    desk = quoted()
    outcome = ask(desk, OrderKind.OPEN, side=BUY, quantity=1.0, stop_loss=1.09)
    assert outcome.refusal is not None
    assert outcome.refusal.value == pytest.approx(110_005.0)
    assert outcome.refusal.limit == pytest.approx(40_000.0)
    denied = [item.event for item in desk.sink.facts if isinstance(item.event, OrderDenied)]
    assert [(event.rule_id, event.threshold) for event in denied] == [("order_value", 40_000.0)]


def test_the_same_key_is_the_same_order_also_after_a_restart() -> None:
    """A repeated wish is told the first one's id; nothing is sent twice."""
    desk = quoted()
    wish = {"side": BUY, "quantity": 0.1, "stop_loss": 1.09, "key": "k-1"}
    first = ask(desk, OrderKind.OPEN, **wish)
    assert ask(desk, OrderKind.OPEN, **wish) == first
    again = Desk()
    for item in desk.sink.facts:
        again.account.apply(item.event)
    assert ask(again, OrderKind.OPEN, **wish) == first
    assert (len(desk.sent), len(again.sent)) == (1, 0)


def test_orders_of_one_request_cannot_pass_a_limit_together() -> None:
    """0.3 lots are 33,001.50 USD: two fit into 6 × 10,000 of exposure only one by one."""
    desk = quoted()
    wishes = [
        OrderWish(
            kind=OrderKind.PENDING,
            ask=ANNA,
            symbol="EURUSD",
            side=BUY,
            quantity=0.3,
            trigger=Trigger.LIMIT,
            price=price,
            stop_loss=1.08,
        )
        for price in (1.095, 1.094)
    ]
    first, second = desk.account.requests.request_all(wishes, NOW_NS)
    assert first.order_id
    assert second.order_id == ""
    assert len(desk.sent) == 1


def test_a_pending_order_reserves_until_it_is_over() -> None:
    """It counts in exposure while it works, and not after its withdrawal."""
    desk, order_id = waiting()
    assert desk.account.figures(tick(), NOW_NS).exposure == pytest.approx(11_000.5)
    assert desk.account.figures(tick(), NOW_NS).positions == 1.0
    ask(desk, OrderKind.CANCEL, order_id=order_id)
    desk.account.on_order_update(
        OrderUpdate(kind=UpdateKind.DONE, ts_ns=NOW_NS, order_id=desk.sent[-1].order_id)
    )
    assert desk.account.orders.orders[order_id].state is OrderState.CANCELLED
    assert desk.account.figures(tick(), NOW_NS).exposure == 0.0


def test_what_is_filled_is_not_reserved_any_more() -> None:
    """0.04 of 0.10 lots are a position, 0.06 wait: together 0.10 lots and one position."""
    desk, _ = waiting()
    desk.fill(desk.sent[-1], 1.095, "1", quantity=0.04)
    figures = desk.account.figures(tick(), NOW_NS)
    assert figures.exposure == pytest.approx(11_000.5)
    assert (figures.positions, figures.positions_symbol) == (1.0, 1.0)


def test_a_restart_reserves_for_what_still_works() -> None:
    """The reservation is folded from the events like everything else."""
    desk, _ = waiting()
    again = Desk()
    for item in desk.sink.facts:
        again.account.apply(item.event)
    again.account.rates.update(tick())
    assert again.account.figures(tick(), NOW_NS).exposure == pytest.approx(11_000.5)


def test_a_pending_order_is_changed_and_withdrawn_by_its_ticket() -> None:
    """What is left out stays as it is."""
    desk, order_id = waiting()
    assert ask(desk, OrderKind.CHANGE, order_id=order_id, price=1.094).order_id
    change = desk.sent[-1]
    assert (change.kind, change.order_ticket, change.price, change.stop_loss) == (
        OrderKind.CHANGE,
        "77",
        1.094,
        1.09,
    )
    assert ask(desk, OrderKind.CANCEL, order_id=order_id).order_id
    assert (desk.sent[-1].kind, desk.sent[-1].order_ticket) == (OrderKind.CANCEL, "77")


def test_a_change_of_nothing_and_of_nothing_known_are_refused() -> None:
    """The broker is not asked for what is so already."""
    desk, order_id = waiting()
    assert rule_of(ask(desk, OrderKind.CHANGE, order_id=order_id, price=1.095)) == "no_change"
    assert rule_of(ask(desk, OrderKind.CHANGE, order_id="x", price=1.0)) == "order_not_working"
    assert rule_of(ask(desk, OrderKind.CANCEL, order_id="x")) == "order_not_working"
    assert rule_of(ask(desk, OrderKind.CLOSE, position_id="x")) == "unknown_position"


def test_a_halt_and_a_dead_link_do_not_block_the_way_out() -> None:
    """Withdraw, close and protect pass; a new order does not."""
    desk = holding()
    desk.account.set_state(TradingState.HALTED, NOW_NS, "user:anna", "stop")
    desk.account.on_link(LinkChange(state=LinkState.DOWN, reason="gone", ts_ns=NOW_NS))
    assert not ask(desk, OrderKind.OPEN, side=BUY, quantity=0.1, stop_loss=1.09).order_id
    assert ask(desk, OrderKind.PROTECT, position_id="test:p1", stop_loss=1.095).order_id
    assert ask(desk, OrderKind.CLOSE, position_id="test:p1").order_id


def test_protecting_and_withdrawing_need_no_quote() -> None:
    """After a restart, before the first tick."""
    desk = holding()
    again = Desk()
    for item in desk.sink.facts:
        again.account.apply(item.event)
    assert ask(again, OrderKind.PROTECT, position_id="test:p1", stop_loss=1.095).order_id
    assert ask(again, OrderKind.CLOSE, position_id="test:p1").order_id
    assert rule_of(ask(again, OrderKind.OPEN, side=BUY, quantity=0.1, stop_loss=1.09)) == "price"


@pytest.mark.parametrize(
    ("by", "stop", "may"),
    [
        (ROBOT, 1.095, True),
        (ROBOT, 1.085, False),
        (ROBOT, 0.0, False),
        (ANNA, 1.085, True),
        (ANNA, 0.0, True),
    ],
)
def test_only_a_person_loosens_or_removes_a_stop(by: Ask, stop: float, may: bool) -> None:
    """The position is long with its stop at 1.09."""
    desk = holding()
    outcome = ask(desk, OrderKind.PROTECT, by, position_id="test:p1", stop_loss=stop)
    assert bool(outcome.order_id) is may
    if not may:
        assert rule_of(outcome) == "stop_kept"


def test_a_position_is_not_closed_twice_at_once() -> None:
    """While 0.06 of 0.10 lots are on their way out, 0.04 may still be asked for, not more."""
    desk = holding(0.1)
    assert ask(desk, OrderKind.CLOSE, position_id="test:p1", quantity=0.06).order_id
    refused = ask(desk, OrderKind.CLOSE, position_id="test:p1")
    assert rule_of(refused) == "reduces"
    assert refused.refusal is not None
    assert refused.refusal.limit == pytest.approx(0.04)
    assert ask(desk, OrderKind.CLOSE, position_id="test:p1", quantity=0.04).order_id


def test_an_unknown_close_blocks_the_next_an_unknown_protection_does_not() -> None:
    """A trade may have happened and must not happen twice; stops can be written again."""
    desk = holding()
    ask(desk, OrderKind.PROTECT, position_id="test:p1", stop_loss=1.095)
    unknown(desk)
    assert ask(desk, OrderKind.CLOSE, position_id="test:p1", quantity=0.05).order_id
    unknown(desk)
    refused = ask(desk, OrderKind.CLOSE, position_id="test:p1", quantity=0.05)
    assert rule_of(refused) == "symbol_blocked"


def doubtful_entry() -> Desk:
    """An entry that nobody knows the end of, and a position p9 of the same symbol."""
    desk = quoted()
    assert ask(desk, OrderKind.OPEN, side=SELL, quantity=0.1, stop_loss=1.11).order_id
    unknown(desk)
    manual(desk, "9", "p9", side=BUY, quantity=0.04)
    return desk


@pytest.mark.parametrize("is_hedging", [True, False])
def test_an_entry_of_unknown_outcome_and_the_way_out(is_hedging: bool) -> None:
    """By ticket it is open where each entry is a position of its own; new risk never is.

    On a netting account the entry may have made the position smaller: the close could turn it.
    """
    desk = doubtful_entry()
    desk.account.orders.is_hedging = is_hedging
    entry = ask(desk, OrderKind.OPEN, side=BUY, quantity=0.05, stop_loss=1.09)
    assert rule_of(entry) == "symbol_blocked"
    stops = ask(desk, OrderKind.PROTECT, position_id="test:p9", stop_loss=1.095)
    closed = ask(desk, OrderKind.CLOSE, position_id="test:p9")
    if not is_hedging:
        assert (rule_of(stops), rule_of(closed)) == ("symbol_blocked", "symbol_blocked")
        return
    assert stops.order_id
    assert closed.order_id
    assert (desk.sent[-1].position_ticket, desk.sent[-1].quantity) == ("p9", 0.04)
    unknown(desk)
    again = ask(desk, OrderKind.CLOSE, position_id="test:p9")
    assert rule_of(again) == "symbol_blocked", "the close itself may have happened"


def test_a_doubtful_close_of_one_position_leaves_the_others_free() -> None:
    """On a hedging account; a doubtful pair of opposite ones holds both."""
    desk = holding(0.1)
    manual(desk, "9", "p9", side=SELL, quantity=0.04)
    manual(desk, "8", "p8", side=BUY, quantity=0.04)
    desk.account.orders.is_hedging = True
    assert ask(desk, OrderKind.CLOSE_BY, position_id="test:p1", opposite_id="test:p9").order_id
    unknown(desk)
    for held in ("p1", "p9"):
        assert rule_of(ask(desk, OrderKind.CLOSE, position_id=f"test:{held}")) == "symbol_blocked"
    assert ask(desk, OrderKind.CLOSE, position_id="test:p8").order_id


def test_until_the_broker_says_so_an_account_counts_as_netting() -> None:
    """The comparison with the broker tells; it is asked at start, before anything is sent."""
    assert rule_of(ask(doubtful_entry(), OrderKind.CLOSE, position_id="test:p9")) == (
        "symbol_blocked"
    )


def unknown(desk: Desk) -> None:
    """The last order's outcome is not known."""
    order_id = desk.sent[-1].order_id
    desk.account.on_order_update(
        OrderUpdate(kind=UpdateKind.UNKNOWN, ts_ns=NOW_NS, order_id=order_id, reason="no reply")
    )


def test_opposite_positions_close_each_other() -> None:
    """As far as the smaller one goes; two on the same side do not."""
    desk = holding(0.1)
    manual(desk, "9", "p9", side=SELL, quantity=0.04)
    manual(desk, "8", "p8", side=BUY, quantity=0.04)
    wrong = ask(desk, OrderKind.CLOSE_BY, position_id="test:p1", opposite_id="test:p8")
    assert rule_of(wrong) == "opposite"
    assert ask(desk, OrderKind.CLOSE_BY, position_id="test:p1", opposite_id="test:p9").order_id
    order = desk.sent[-1]
    assert (order.position_ticket, order.opposite_ticket, order.quantity) == ("p1", "p9", 0.04)


def manual(desk: Desk, ticket: str, position: str, **deal: object) -> None:
    """A person's deal in the terminal."""
    order = desk.sent[-1]
    desk.fill(
        order, 1.1, ticket, position_ticket=position, reason="manual", token="", magic=0, **deal
    )


def test_everything_at_once_leaves_foreign_positions_alone() -> None:
    """Unless asked to close those too; all orders of a call are one durable record."""
    desk = holding()
    manual(desk, "9", "p9", quantity=0.02)
    before = len(desk.journal.entries)
    ours = desk.account.requests.close_all(Selection(), ANNA, NOW_NS)
    assert [order.position_ticket for order in desk.sent[1:]] == ["p1"]
    assert len(ours) == 1
    foreign = Selection(includes_foreign=True)
    results = desk.account.requests.close_all(foreign, ANNA, NOW_NS + 1)
    assert desk.sent[-1].position_ticket == "p9"
    assert [bool(result.order_id) for result in results] == [False, True]
    assert [entry.type for entry in desk.journal.entries[before:]].count("OrderPlaced") == 2


def test_claiming_and_releasing_are_written_down_with_who_and_why() -> None:
    """A claim has a horizon; the same wish again changes nothing."""
    desk = holding()
    manual(desk, "9", "p9", quantity=0.02)
    requests, position = desk.account.requests, desk.account.positions.open["test:p9"]
    assert not position.is_managed
    assert requests.claim("test:p9", ANNA, 60, NOW_NS) is None
    assert (position.is_managed, position.expires_ts_ns) == (True, NOW_NS + 60 * NS_PER_SECOND)
    again = requests.claim("test:p9", ANNA, 60, NOW_NS)
    assert again is not None
    assert again.rule == "no_change"
    assert requests.release("test:p9", ANNA, NOW_NS + 1) is None
    assert (position.is_managed, position.expires_ts_ns) == (False, 0)
    assert desk.sink.names()[-2:] == ["PositionClaimed", "PositionClaimed"]
    unknown_one = requests.claim("test:nobody", ANNA, 0, NOW_NS)
    assert unknown_one is not None
    assert unknown_one.rule == "unknown_position"


def test_what_is_not_watched_is_counted_but_cannot_be_claimed() -> None:
    """A person's gold position without quotes: no figure of it, so no new risk, and no care."""
    desk = holding()
    manual(desk, "9", "p9", quantity=0.02, symbol="XAUUSD")
    refused = desk.account.requests.claim("test:p9", ANNA, 0, NOW_NS)
    assert refused is not None
    assert refused.rule == "unknown_symbol"
    assert desk.account.figures(tick(), NOW_NS).positions == 2.0
    new = ask(desk, OrderKind.OPEN, side=BUY, quantity=0.01, stop_loss=1.09)
    assert new.refusal is not None
    desk.account.on_tick(scene(tick(after_s=60), forecast(0.60)))
    assert len(desk.sent) == 1


def test_a_journal_that_fails_sends_none_of_them() -> None:
    """Nothing durable, nothing sent, nothing reserved; trading is halted."""
    desk = quoted()
    desk.journal.failure = JournalLost("disk full")
    with pytest.raises(JournalLost):
        ask(desk, OrderKind.OPEN, side=BUY, quantity=0.1, stop_loss=1.09)
    assert desk.sent == []
    assert desk.account.figures(tick(), NOW_NS).exposure == 0.0
    assert desk.account.state is TradingState.HALTED


def test_an_over_fill_halts_its_symbol_until_a_person_arms_it() -> None:
    """Booked in full; new risk is refused, the way out is open; arming the symbol ends it."""
    desk = holding(0.1)
    opener = desk.sent[0]
    desk.fill(opener, 1.1002, "2", quantity=0.05, commission=Decimal("-0.10"))
    (position,) = desk.account.positions.open.values()
    assert position.quantity == pytest.approx(0.15)
    where = Where(Scope.SYMBOL, "EURUSD")
    assert desk.account.guard.switches.at(where) is TradingState.HALTED
    refused = ask(desk, OrderKind.OPEN, side=BUY, quantity=0.1, stop_loss=1.09)
    assert rule_of(refused) == "trading_state"
    assert desk.account.figures(tick(), NOW_NS).symbol_disputed == 1.0
    desk.account.set_state(TradingState.ARMED, NOW_NS, "user:anna", "checked", where)
    assert desk.account.figures(tick(), NOW_NS).symbol_disputed == 0.0
    assert ask(desk, OrderKind.CLOSE, position_id="test:p1").order_id
    assert "ReconciliationDifference" in desk.sink.names()


def test_a_link_that_breaks_has_the_books_compared_again() -> None:
    """New risk only when the link is up and the books agree."""
    desk = quoted()
    for state in (LinkState.DEGRADED, LinkState.UP):
        desk.account.on_link(LinkChange(state=state, reason="test", ts_ns=NOW_NS))
    assert (desk.account.link, desk.account.books_agree) == (LinkState.UP, False)
    refused = ask(desk, OrderKind.OPEN, side=BUY, quantity=0.1, stop_loss=1.09)
    assert rule_of(refused) == "books_agree"


def test_an_order_of_a_withdrawn_terminal_is_refused_not_lost() -> None:
    """Not connected: the id is told, and the order is rejected at once."""
    desk = quoted()
    desk.is_connected = False
    outcome = ask(desk, OrderKind.OPEN, side=BUY, quantity=0.1, stop_loss=1.09)
    assert desk.account.orders.orders[outcome.order_id].state is OrderState.REJECTED
    placed = [item.event for item in desk.sink.facts if isinstance(item.event, OrderPlaced)]
    assert len(placed) == 1
