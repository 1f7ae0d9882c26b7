"""R-110: the kill switch withdraws, closes, goes on, and ends only when the terminal shows it."""

import pytest
from kill_fixtures import KillScene, foreign
from trading_fixtures import NOON_NS, Desk, forecast, scene, tick

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.errors import JournalLost
from plan2.foundation.events.account import KillFinished
from plan2.foundation.events.order import PositionOpened
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.risk.switch import ACCOUNT, Scope, Where
from plan2.intelligence.trading.switching import Change

S = NS_PER_SECOND


def kill(where: Where = ACCOUNT, ts_ns: int = NOON_NS) -> Change:
    """A person's kill of a scope."""
    return Change(
        state=TradingState.HALTED, ts_ns=ts_ns, actor="user:ann", reason="kill: test", where=where
    )


def finished(stage: KillScene) -> list[KillFinished]:
    """What was told of kills so far."""
    return [item.event for item in stage.desk.sink.facts if isinstance(item.event, KillFinished)]


def verify(stage: KillScene, after_s: float) -> None:
    """The terminal is asked `after_s` seconds after noon."""
    stage.account.kills.verify(
        tuple(stage.working.values()),
        tuple(stage.positions.values()),
        NOON_NS + int(after_s * S),
    )


def kinds(orders: list) -> list[str]:
    """Kinds of orders, in order."""
    return [order.kind.value for order in orders]


def test_everything_leaves_at_once_in_one_durable_record() -> None:
    """Halt and wish are one record, all orders the next; withdrawals go before closes."""
    stage = KillScene()
    stage.pend(2)
    stage.open_position()
    before, records = len(stage.desk.sent), len(stage.desk.journal.records)
    stage.account.kills.begin(kill(), closes_foreign=False)
    assert kinds(stage.desk.sent[before:]) == ["cancel", "cancel", "close"]
    written = stage.desk.journal.records[records:]
    assert [entry.type for entry in written[0]] == ["TradingStateChanged", "KillBegun"]
    assert [entry.type for entry in written[1]] == ["OrderPlaced"] * 3
    assert stage.account.state is TradingState.HALTED


def test_no_new_order_leaves_after_it() -> None:
    """The best forecast is denied from the very next tick on."""
    stage = KillScene()
    stage.account.kills.begin(kill(), closes_foreign=False)
    before = len(stage.desk.sent)
    decision = stage.account.on_tick(scene(tick(after_s=0.001), forecast(0.60)))
    assert decision.order is None
    assert len(stage.desk.sent) == before


def test_it_ends_when_the_terminal_shows_nothing_left_and_counts_what_it_did() -> None:
    """Not before: an answer that still shows a position proves the contrary."""
    stage = KillScene()
    stage.pend(3)
    stage.open_position()
    before = len(stage.desk.sent)
    stage.account.kills.begin(kill(), closes_foreign=False)
    verify(stage, 1)
    assert finished(stage) == []
    stage.answer_all(stage.desk.sent[before:])
    verify(stage, 2)
    (told,) = finished(stage)
    assert (told.is_flat, told.orders_cancelled, told.positions_closed) == (True, 3, 1)
    assert (told.failed, told.unknown, told.left) == ((), (), ())
    assert stage.account.kills.live == {}


def test_a_closed_market_is_said_and_closing_is_tried_again_at_the_next_quote() -> None:
    """Refused once; nothing is sent without a quote; with one, after the back-off, it goes."""
    stage = KillScene()
    stage.open_position()
    stage.refuse_closes = True
    before = len(stage.desk.sent)
    stage.account.kills.begin(kill(), closes_foreign=False)
    stage.answer_all(stage.desk.sent[before:])
    for second in range(1, 60):
        stage.account.kills.push(NOON_NS + second * S)
    assert len(stage.desk.sent) == before + 1
    verify(stage, 60)
    (told,) = finished(stage)
    assert not told.is_flat
    assert told.failed == ("position p1 EURUSD: tried, and again at its next quote",)
    stage.refuse_closes = False
    stage.tick(3_600)
    assert kinds(stage.desk.sent[before:]) == ["close", "close"]
    stage.answer_all(stage.desk.sent[-1:])
    verify(stage, 3_601)
    assert [event.is_flat for event in finished(stage)] == [False, True]


@pytest.mark.parametrize(
    ("where", "cancelled", "closed"),
    [
        (Where(Scope.GLOBAL), 2, 2),
        (ACCOUNT, 2, 2),
        (Where(Scope.SYMBOL, "EURUSD"), 2, 2),
        (Where(Scope.SYMBOL, "GBPUSD"), 0, 0),
        (Where(Scope.FLOW, "scalper"), 1, 1),
    ],
)
def test_selectors_are_exact(where: Where, cancelled: int, closed: int) -> None:
    """One order and one position of each of two flows: only what is meant goes, and is halted."""
    stage = KillScene()
    for flow_id in ("main", "scalper"):
        stage.pend(1, flow_id)
        stage.open_position(flow_id)
    before = len(stage.desk.sent)
    stage.account.kills.begin(kill(where), closes_foreign=False)
    sent = kinds(stage.desk.sent[before:])
    assert (sent.count("cancel"), sent.count("close")) == (cancelled, closed)
    assert stage.account.guard.switches.at(where) is TradingState.HALTED
    other = stage.account.guard.switches.state_of("USDJPY", "other")
    is_wide = where.scope in {Scope.GLOBAL, Scope.ACCOUNT}
    assert other is (TradingState.HALTED if is_wide else TradingState.ARMED)


def test_foreign_trades_are_left_and_named_unless_asked_for() -> None:
    """A position that no order of ours opened stays, and the result says so."""
    for asked in (False, True):
        stage = KillScene()
        adopt(stage, "77")
        before = len(stage.desk.sent)
        stage.account.kills.begin(kill(), closes_foreign=asked)
        assert kinds(stage.desk.sent[before:]) == (["close"] if asked else [])
        verify(stage, 1)
        told = finished(stage)
        assert [event.left for event in told] == ([] if asked else [("position 77 EURUSD",)])


def adopt(stage: KillScene, ticket: str) -> None:
    """Reconciliation found a foreign position at the broker."""
    stage.positions[ticket] = foreign(ticket)
    stage.account.book(
        [
            PositionOpened(
                ts_ns=NOON_NS,
                position_id=f"test:{ticket}",
                account_id="test",
                tenant_id="default",
                symbol="EURUSD",
                direction="buy",
                quantity=0.1,
                open_price=1.1,
                stop_loss=1.09,
                take_profit=0.0,
                commission="0.00",
                decision_id="",
                expires_ts_ns=0,
                is_managed=False,
            )
        ]
    )


def test_an_order_that_only_the_broker_knows_is_withdrawn_by_its_ticket() -> None:
    """Accepted, but its answer never reached us: it is ours by its magic number."""
    stage = KillScene()
    stage.pend(1)
    (ticket,) = stage.working
    lost = KillScene()
    lost.working = dict(stage.working)
    lost.account.kills.begin(kill(), closes_foreign=False)
    verify(lost, 1)
    assert lost.desk.sent[-1].kind is OrderKind.CANCEL
    assert lost.desk.sent[-1].order_ticket == ticket
    assert finished(lost) == []


def test_a_withdrawal_under_way_is_not_asked_for_twice() -> None:
    """Pushing on every step sends one withdrawal; a refused one is repeated after a second."""
    stage = KillScene()
    stage.pend(1)
    before = len(stage.desk.sent)
    stage.account.kills.begin(kill(), closes_foreign=False)
    for step in range(20):
        stage.account.kills.push(NOON_NS + step * S // 5)
    assert len(stage.desk.sent) == before + 1


def test_a_crash_in_the_middle_goes_on_where_it_was() -> None:
    """A new process folds the same events: the kill lives, and what is left is asked for."""
    stage = KillScene()
    stage.open_position()
    stage.refuse_closes = True
    before = len(stage.desk.sent)
    stage.account.kills.begin(kill(), closes_foreign=False)
    stage.answer_all(stage.desk.sent[before:])
    after = Desk(stage.account.rules)
    for item in stage.desk.sink.facts:
        after.account.apply(item.event)
    assert list(after.account.kills.live) == [ACCOUNT]
    assert after.account.state is TradingState.HALTED
    after.account.on_tick(scene(tick(after_s=3_600), None))
    assert kinds(after.sent) == ["close"]


def test_a_crash_before_any_order_left_goes_on_too() -> None:
    """Only the halt and the wish were durable: the next process sends the orders."""
    stage = KillScene()
    stage.pend(2)
    facts = list(stage.desk.sink.facts)
    stage.account.kills.begin(kill(), closes_foreign=False)
    first = stage.desk.sink.facts[len(facts) :][:2]
    after = Desk(stage.account.rules)
    for item in [*facts, *first]:
        after.account.apply(item.event)
    after.account.kills.push(NOON_NS + S)
    assert kinds(after.sent) == ["cancel", "cancel"]


def test_arming_the_same_switch_ends_a_kill() -> None:
    """A person resumed: nothing is closed any more."""
    stage = KillScene()
    stage.account.kills.begin(kill(), closes_foreign=False)
    stage.account.set_state(TradingState.ARMED, NOON_NS + S, "user:ann", "all is well")
    assert stage.account.kills.live == {}


def test_a_lost_journal_halts_and_sends_nothing() -> None:
    """What cannot be written down is not sent, but trading stops all the same."""
    stage = KillScene()
    stage.pend(1)
    before = len(stage.desk.sent)
    stage.desk.journal.failure = JournalLost("disk full")
    with pytest.raises(JournalLost):
        stage.account.kills.begin(kill(), closes_foreign=False)
    assert stage.account.state is TradingState.HALTED
    assert len(stage.desk.sent) == before


def test_halting_withdraws_working_entries_and_pausing_does_not() -> None:
    """Reduce-only and halt take them back; a pause leaves them."""
    for state, sent in (
        (TradingState.PAUSED, []),
        (TradingState.REDUCE_ONLY, ["cancel"]),
        (TradingState.HALTED, ["cancel"]),
    ):
        stage = KillScene()
        stage.pend(1)
        before = len(stage.desk.sent)
        stage.account.set_state(state, NOON_NS + S, "user:ann", "test")
        assert kinds(stage.desk.sent[before:]) == sent


def test_a_thousand_withdrawals_do_not_wait_for_the_broker() -> None:
    """R-110: all 1,000 leave in one push, in one record, whatever the message limits say."""
    stage = KillScene()
    stage.pend(1_000)
    before, records = len(stage.desk.sent), len(stage.desk.journal.records)
    stage.account.kills.begin(kill(), closes_foreign=False)
    assert kinds(stage.desk.sent[before:]) == ["cancel"] * 1_000
    assert len(stage.desk.journal.records) == records + 2
