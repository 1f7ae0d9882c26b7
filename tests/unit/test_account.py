"""An account through a trade's life: durable before sent, booked once, halted at its limits."""

from decimal import Decimal

import msgspec
import pytest
from trading_fixtures import BUY, NOON_NS, RULES, SELL, Desk, forecast, scene, tick

from plan2.dataflow.terminals.port import OrderUpdate, UpdateKind
from plan2.foundation.errors import JournalLost
from plan2.intelligence.decision.material import Material, MaterialEncoder
from plan2.intelligence.decision.record import DecisionRecord, Outcome, Reason
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.orders import OrderState
from plan2.intelligence.trading.placing import NOT_SENT, TAKEN, facts_of
from plan2.intelligence.trading.wishes import Ask, Selection


def opened() -> Desk:
    """A desk with 0.23 lots EURUSD bought at 1.10010."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    desk.fill(desk.sent[0], 1.10010, "1", commission=Decimal("-0.80"))
    return desk


def test_trading_starts_halted() -> None:
    """Without arming the best forecast is denied."""
    desk = Desk()
    decision = desk.account.on_tick(scene(tick(), forecast(0.60)))
    assert decision.reason is Reason.RISK_DENIED
    assert desk.sent == []
    assert "OrderDenied" in desk.sink.names()


def test_the_order_is_durable_before_the_terminal_hears_of_it() -> None:
    """Decision record and order are in the journal when submit is called."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    assert desk.journaled_when_sent == [["TradingStateChanged", "DecisionTaken"]]


def test_the_journal_gives_back_the_very_facts_that_were_announced() -> None:
    """After a crash between call and announcement, the drained facts are the same ones."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    kept = next(entry for entry in desk.journal.entries if entry.type == TAKEN)
    names = {"DecisionMade", "OrderPlaced"}
    announced = [item for item in desk.sink.facts if type(item.event).__name__ in names]
    assert list(facts_of(kept)) == announced


def test_the_owner_is_encoded_once_and_again_when_it_changes() -> None:
    """The journal's bytes are those of the material itself, whoever owned the one before."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    kept = next(entry for entry in desk.journal.entries if entry.type == TAKEN)
    first = msgspec.msgpack.decode(kept.payload, type=Material)
    owner = msgspec.structs.replace(first.owner, config_hash="another")
    second = msgspec.structs.replace(first, owner=owner)
    encoder = MaterialEncoder()
    for material in (first, first, second, first):
        assert encoder.encode(material) == msgspec.msgpack.encode(material)


def test_an_order_that_the_terminal_did_not_take_is_rejected_not_forgotten() -> None:
    """Not connected: certainly not sent, so the order ends at once and its reservation with it."""
    desk = Desk().arm()
    desk.is_connected = False
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    (order,) = desk.account.orders.orders.values()
    assert (order.state, order.reason) == (OrderState.REJECTED, NOT_SENT)
    assert desk.sink.names()[-3:] == ["OrderPlaced", "OrderRejected", "EquityRecorded"]


def test_the_terminal_does_not_wait_for_the_event_store_or_the_screens() -> None:
    """Announcing what is durable comes after the call."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    assert "OrderPlaced" not in desk.announced_when_sent[0]
    assert desk.sink.names()[1:4] == ["DecisionMade", "OrderPlaced", "OrderSent"]


def test_a_journal_that_fails_sends_nothing_and_halts() -> None:
    """No durable intent, no order."""
    desk = Desk().arm()
    desk.journal.failure = JournalLost("disk full")
    with pytest.raises(JournalLost):
        desk.account.on_tick(scene(tick(), forecast(0.60)))
    assert desk.sent == []
    assert desk.account.state is TradingState.HALTED


def test_no_second_order_while_one_is_under_way() -> None:
    """The reason says so."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    decision = desk.account.on_tick(scene(tick(after_s=10), forecast(0.60)))
    assert decision.reason is Reason.ORDER_PENDING
    assert len(desk.sent) == 1


def test_a_fill_opens_one_position_and_repeats_change_nothing() -> None:
    """The deal's ticket is the fill's id."""
    desk = opened()
    desk.fill(desk.sent[0], 1.10010, "1", commission=Decimal("-0.80"))
    positions = list(desk.account.positions.open.values())
    assert [(item.side, item.quantity, item.open_price) for item in positions] == [
        (BUY, 0.23, 1.10010)
    ]
    assert desk.account.portfolio.balance == Decimal("9999.20")
    assert desk.sink.names().count("PositionOpened") == 1


def test_equity_follows_the_bid_by_hand() -> None:
    """0.23 lots, bid 10 pips above the entry: 23 USD floating."""
    desk = opened()
    desk.account.on_tick(scene(tick(1.10110, 1.10120, after_s=60), forecast(0.5)))
    assert desk.account.portfolio.equity == Decimal("9999.20") + Decimal("23.00")


def test_a_stop_of_the_broker_closes_the_position() -> None:
    """Balance = 10,000 − 0.80 + 47.15 − 0.80, by hand; reason and decision are kept."""
    desk = opened()
    desk.fill(
        desk.sent[0],
        1.10215,
        "2",
        side=SELL,
        is_exit=True,
        reason="take_profit",
        commission=Decimal("-0.80"),
        profit=Decimal("47.15"),
    )
    assert desk.account.positions.open == {}
    assert desk.account.portfolio.balance == Decimal("10045.55")
    closed = desk.sink.facts[-1].event
    assert (closed.reason, closed.profit, closed.commission) == ("take_profit", "47.15", "-1.60")
    assert closed.decision_id == desk.sent[0].decision_id


def test_time_exit_closes_after_the_horizon() -> None:
    """Two hours after the order a closing order goes out, once."""
    desk = opened()
    late = tick(1.10000, 1.10010, after_s=7201)
    desk.account.on_tick(scene(late, forecast(0.5)))
    desk.account.on_tick(scene(tick(after_s=7202), forecast(0.5)))
    assert len(desk.sent) == 2
    closing = desk.sent[1]
    assert (closing.side, closing.quantity, closing.position_ticket) == (SELL, 0.23, "p1")


def test_a_rejected_order_frees_its_reservation() -> None:
    """The next decision may trade again."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    order = desk.sent[0]
    assert desk.account.figures(tick(), tick().ts_ns).exposure == pytest.approx(25_301.15)
    desk.account.on_order_update(
        OrderUpdate(
            kind=UpdateKind.REJECTED,
            ts_ns=order.ts_ns,
            order_id=order.order_id,
            reason="market closed",
        )
    )
    assert desk.account.orders.orders[order.order_id].state is OrderState.REJECTED
    assert desk.account.figures(tick(), tick().ts_ns).exposure == 0.0


def test_an_unknown_outcome_blocks_the_symbol() -> None:
    """Nothing is sent for it until it is settled."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    order = desk.sent[0]
    desk.account.on_order_update(
        OrderUpdate(
            kind=UpdateKind.UNKNOWN, ts_ns=order.ts_ns, order_id=order.order_id, reason="no reply"
        )
    )
    assert desk.account.figures(tick(), tick().ts_ns).symbol_blocked == 1.0
    desk.account.on_tick(scene(tick(after_s=400), forecast(0.60)))
    assert len(desk.sent) == 1


def test_daily_loss_halts_and_names_the_rule() -> None:
    """3 % of 10,000: a fall of 132 pips on 0.23 lots is more than 300 USD."""
    desk = opened()
    desk.account.on_tick(scene(tick(1.08690, 1.08700, after_s=60), forecast(0.5)))
    assert desk.account.state is TradingState.HALTED
    breach = next(
        item.event for item in desk.sink.facts if type(item.event).__name__ == "RiskLimitBreached"
    )
    assert breach.rule_id == "daily_loss"
    assert breach.current_value == pytest.approx((10_000 - 9_695.60) / 10_000, abs=1e-9)


def test_folding_the_facts_again_gives_the_same_books() -> None:
    """What a restart does."""
    desk = opened()
    desk.account.on_tick(scene(tick(1.10110, 1.10120, after_s=60), forecast(0.5)))
    again = Desk()
    for item in desk.sink.facts:
        again.account.apply(item.event)
    assert again.account.state is TradingState.ARMED
    assert again.account.portfolio.balance == desk.account.portfolio.balance
    ours = [msgspec.structs.asdict(item) for item in desk.account.positions.open.values()]
    theirs = [msgspec.structs.asdict(item) for item in again.account.positions.open.values()]
    assert ours == theirs
    assert again.account.orders.open.keys() == desk.account.orders.open.keys()


def test_records_say_everything_and_the_digest_names_the_run() -> None:
    """The record decodes into its own type, and the same ticks give the same digest."""
    desk, twin = opened(), opened()
    other = Desk(msgspec.structs.replace(RULES, account_id="another")).arm()
    other.account.on_tick(scene(tick(), forecast(0.60)))
    made = [item.event for item in desk.sink.facts if type(item.event).__name__ == "DecisionMade"]
    record = msgspec.convert(made[0].record, DecisionRecord)
    assert record.outcome is Outcome.TRADED
    assert record.features.values == (1.5, None)
    assert record.sentence.startswith("Bought 0.23 lots: 60.0% up 20.0 pips first within 120 min")
    assert desk.account.keeper.digest == twin.account.keeper.digest
    assert desk.account.keeper.digest == other.account.keeper.digest


def test_quiet_ticks_are_not_written_down_one_by_one() -> None:
    """The same reason again is not news; another reason is, after the configured time."""
    desk = Desk().arm()
    for second in range(100):
        desk.account.on_tick(scene(tick(after_s=second), forecast(0.51)))
    assert desk.sink.names().count("DecisionMade") == 1
    desk.account.on_tick(scene(tick(after_s=110), forecast(0.55, standard_error=0.2)))
    assert desk.sink.names().count("DecisionMade") == 1
    desk.account.on_tick(scene(tick(after_s=125), forecast(0.55, standard_error=0.2)))
    assert desk.sink.names().count("DecisionMade") == 2


def test_closing_everything_works_while_halted() -> None:
    """The way out is open; the order says who asked and why, and nothing is bought again."""
    desk = opened()
    desk.account.set_state(TradingState.HALTED, NOON_NS, "user:tester", "enough")
    asked = Ask("user:tester", "enough")
    (outcome,) = desk.account.requests.close_all(Selection(), asked, NOON_NS + 1)
    closing = desk.sent[-1]
    assert outcome.order_id == closing.order_id
    assert (closing.side, closing.quantity, closing.position_ticket) == (SELL, 0.23, "p1")
    placed = desk.account.orders.orders[closing.order_id].placed
    assert (placed.decided_by, placed.reason) == ("user:tester", "enough")
    desk.fill(closing, 1.10000, "3", is_exit=True, profit=Decimal("-2.30"))
    desk.account.on_tick(scene(tick(after_s=900), forecast(0.60)))
    assert desk.account.positions.open == {}
    assert len(desk.sent) == 2


def test_a_tick_met_again_after_a_restart_does_not_order_twice() -> None:
    """The order of that decision exists already, whatever became of it."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    order = desk.sent[0]
    again = Desk()
    for item in desk.sink.facts:
        again.account.apply(item.event)
    again.account.on_order_update(
        OrderUpdate(
            kind=UpdateKind.REJECTED, ts_ns=order.ts_ns, order_id=order.order_id, reason="lost"
        )
    )
    again.account.on_tick(scene(tick(), forecast(0.60)))
    assert again.sent == []
