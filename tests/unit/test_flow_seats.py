"""A flow on an account: its orders meet the same gate, journal and books as everybody's."""

import math
from decimal import Decimal

import msgspec
import pytest

from plan2.dataflow.economic_calendar import HIGH, Entry
from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.config.schema import Management
from plan2.foundation.events.order import OrderPlaced
from plan2.intelligence.decision.explain import replay
from plan2.intelligence.decision.record import Outcome, Reason
from plan2.intelligence.decision.schedule import Schedule
from plan2.intelligence.flows.flow import Exits, FlowRisk, ModelUse, Partial, Policy, Size
from plan2.intelligence.flows.policy import Signal
from plan2.intelligence.models.standing import Standing
from plan2.intelligence.risk.news import NewsShade
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.risk.switch import Scope, Where
from plan2.intelligence.trading.placing import facts_of
from unit.flow_fixtures import (
    EXIT,
    LONG,
    ROOMY,
    SHORT,
    WHY,
    at,
    fill_last,
    flow_desk,
    flow_of,
    records,
    seat_of,
)
from unit.trading_fixtures import BUY, EURUSD, NOON_NS, SELL, Desk, forecast, scene, tick


def placed(desk: Desk) -> list[OrderPlaced]:
    """The orders that were written down, oldest first."""
    return [item.event for item in desk.sink.facts if isinstance(item.event, OrderPlaced)]


def held(flow_text_parts: dict[str, object] | None = None, **signals: Signal) -> Desk:
    """0.10 lots bought at 1.10010 by the flow at second 1, filled a second later."""
    script = {int(name[1:]): signal for name, signal in signals.items()}
    desk = flow_desk({1: LONG, **script}, flow_of(**(flow_text_parts or {})))
    at(desk, 1)
    fill_last(desk, 1.10010, "1")
    return desk


def test_a_signal_becomes_an_order_with_stop_and_target_in_the_opening_request() -> None:
    """Ask 1.10010: stop 30 pips below, target 20 pips above, lots as the file says."""
    desk = flow_desk({1: LONG})
    decision = at(desk, 1)
    (order,) = desk.sent
    assert decision.outcome is Outcome.TRADED
    assert (order.side, order.quantity, order.kind) == (BUY, 0.10, OrderKind.OPEN)
    assert (order.price, order.stop_loss, order.take_profit) == (1.10010, 1.09710, 1.10210)


def test_it_is_durable_before_it_is_sent_and_the_journal_gives_it_back() -> None:
    """The flow is in the decision and in the order, also after a crash in between."""
    desk = flow_desk({1: LONG})
    at(desk, 1)
    assert desk.journaled_when_sent[0][-1] == "DecisionTaken"
    (_, order) = facts_of(desk.journal.entries[-1])
    event = order.event
    assert isinstance(event, OrderPlaced)
    assert (event.flow_id, event.decided_by) == ("ema-cross", "algorithm:flow-ema-cross")
    assert event == placed(desk)[0]


def test_the_record_names_flow_version_and_condition() -> None:
    """What a person reads of it."""
    desk = flow_desk({1: LONG})
    at(desk, 1)
    (record,) = records(desk)
    assert not isinstance(record.flow, msgspec.UnsetType)
    assert (record.flow.name, record.flow.version, record.reason) == (
        "ema-cross",
        3,
        Reason.FLOW_ENTRY,
    )
    assert record.sentence == f"Bought 0.1 lots, flow ema-cross 3: {WHY}."


def test_such_a_decision_can_be_taken_again_from_its_record() -> None:
    """Size and gate are repeated bit for bit; a changed limit of the flow is noticed."""
    desk = flow_desk({1: LONG})
    at(desk, 1)
    (record,) = records(desk)
    assert replay(record, EURUSD, lambda item: item.forecast).identical
    assert not isinstance(record.flow, msgspec.UnsetType)
    limits = msgspec.structs.replace(record.flow.limits, spread_max_points=9.0)
    changed = msgspec.structs.replace(
        record, flow=msgspec.structs.replace(record.flow, limits=limits)
    )
    assert not replay(changed, EURUSD, lambda item: item.forecast).identical


def test_the_default_decision_rests_where_a_flow_trades_and_nowhere_else() -> None:
    """A forecast worth a trade leads to none on the flow's symbol, and does once it is gone."""
    desk = flow_desk({})
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    assert desk.sent == []
    desk.account.flows.unseat("ema-cross")
    desk.account.on_tick(scene(tick(after_s=1, seq=1), forecast(0.60)))
    assert placed(desk)[0].flow_id == "main"


def test_one_position_and_not_a_second_one() -> None:
    """While the order is under way and while the position is open."""
    desk = flow_desk({1: LONG, 2: LONG, 3: LONG})
    at(desk, 1)
    at(desk, 2)
    fill_last(desk, 1.10010, "1")
    at(desk, 3)
    assert len(desk.sent) == 1


def test_an_exit_signal_closes_and_says_why() -> None:
    """Whole, at market, named after the flow."""
    desk = held(s10=EXIT)
    at(desk, 10)
    order = desk.sent[-1]
    assert (order.kind, order.side, order.quantity) == (OrderKind.CLOSE, SELL, 0.10)
    assert placed(desk)[-1].flow_id == "ema-cross"
    assert records(desk)[-1].sentence == f"Closed by flow ema-cross 3: {WHY}."


def test_an_exit_of_the_other_side_leaves_a_long_alone() -> None:
    """exit_short says nothing about longs."""
    desk = held(s10=Signal(exit_short=True))
    at(desk, 10)
    assert len(desk.sent) == 1


def test_a_reversal_closes_and_opens_in_one_breath() -> None:
    """The position that goes does not count against the one that comes."""
    desk = held(s10=SHORT)
    at(desk, 10)
    closing, opening = desk.sent[1:]
    assert (closing.kind, closing.side) == (OrderKind.CLOSE, SELL)
    assert (opening.kind, opening.side, opening.stop_loss) == (OrderKind.OPEN, SELL, 1.10300)


def test_an_opposite_signal_within_the_entry_gap_turns_nothing_round() -> None:
    """As in the compiled loop: it is no entry yet, so what is held is not closed for it."""
    desk = held({"policy": Policy(long="1", short="1", entry_gap=5)}, s10=SHORT, s20=SHORT)
    at(desk, 10)
    assert [order.kind for order in desk.sent] == [OrderKind.OPEN]
    for second in (12, 14, 16, 20):
        at(desk, second)
    assert [order.kind for order in desk.sent] == [OrderKind.OPEN, OrderKind.CLOSE, OrderKind.OPEN]


def test_an_opposite_signal_without_a_stop_that_exists_turns_nothing_round() -> None:
    """An indicator that is not defined yet: no entry, and so no reason to leave."""
    desk = held(s10=Signal(entry=-1, stop_loss=math.nan))
    at(desk, 10)
    assert [order.kind for order in desk.sent] == [OrderKind.OPEN]


def test_entries_into_one_netting_position_count_as_positions() -> None:
    """Two of at most two: the third signal, which would add to the same position, opens nothing."""
    wide = msgspec.structs.replace(ROOMY.risk, positions_per_symbol_max=5)
    rules = msgspec.structs.replace(ROOMY, risk=wide)
    flow = flow_of(risk=FlowRisk(positions_max=2))
    desk = flow_desk({1: LONG, 10: LONG, 20: LONG}, flow, rules)
    at(desk, 1)
    fill_last(desk, 1.10010, "1")
    at(desk, 10)
    fill_last(desk, 1.10020, "2")
    (position,) = desk.account.positions.open.values()
    assert (position.entries, position.quantity) == (2, 0.2)
    at(desk, 20)
    assert len(desk.sent) == 2


def test_distances_count_in_whole_points() -> None:
    """25.03 pips are 250 points: the stop lies there, and so the record and the size have it."""
    desk = flow_desk({1: Signal(entry=1, stop_loss=0.002503, take_profit=0.001996)})
    at(desk, 1)
    (order,) = desk.sent
    assert (order.price, order.stop_loss, order.take_profit) == (1.10010, 1.09760, 1.10210)
    (record,) = records(desk)
    assert not isinstance(record.flow, msgspec.UnsetType)
    assert record.flow.stop_loss == 0.0025


def test_without_reverse_an_opposite_signal_waits_for_the_exit() -> None:
    """`reverse = false`: the long stays and nothing is opened."""
    desk = held({"policy": Policy(long="1", short="1", reverse=False)}, s10=SHORT)
    at(desk, 10)
    assert len(desk.sent) == 1


def test_a_paused_flow_opens_nothing_from_that_tick_on_but_still_leaves() -> None:
    """Its policy sees every tick all the same."""
    desk = held(s10=EXIT, s20=LONG)
    seat = desk.account.flows.find("ema-cross")
    assert seat is not None
    seat.is_paused = True
    at(desk, 10)
    assert desk.sent[-1].kind is OrderKind.CLOSE
    fill_last(desk, 1.10000, "2", is_exit=True, side=SELL, profit=Decimal("-1.00"))
    at(desk, 20)
    assert len(desk.sent) == 2
    seat.is_paused = False
    seat.policy.signals[30] = LONG  # type: ignore[attr-defined]
    at(desk, 30)
    assert desk.sent[-1].kind is OrderKind.OPEN


def test_a_halted_account_or_flow_denies_it_at_the_gate() -> None:
    """The switches bear on flows as on everything."""
    desk = flow_desk({1: LONG, 2: LONG})
    desk.account.set_state(
        TradingState.PAUSED, tick().ts_ns, "user:tester", "test", Where(Scope.FLOW, "ema-cross")
    )
    assert at(desk, 1).reason is Reason.RISK_DENIED
    assert desk.sent == []
    failed = [check.rule for check in records(desk)[-1].checks if not check.passed]
    assert failed == ["trading_state"]


@pytest.mark.parametrize(
    ("risk", "rule", "words"),
    [
        (FlowRisk(spread_max_points=9.0), "flow_spread", "flow_spread is 10, the limit is 9"),
        (FlowRisk(hours="13:00-15:00"), "flow_hours", "flow_hours is 0, the limit is 1"),
    ],
)
def test_limits_of_the_flow_are_rules_of_the_gate(risk: FlowRisk, rule: str, words: str) -> None:
    """Denied with the limit's name, its figure and a sentence; noon, spread 10 points."""
    desk = flow_desk({1: LONG}, flow_of(risk=risk))
    decision = at(desk, 1)
    assert decision.reason is Reason.RISK_DENIED
    assert [check.rule for check in decision.checks if not check.passed] == [rule]
    assert words in records(desk)[-1].sentence


def trade_and_lose(desk: Desk, second: int, loss: str) -> None:
    """The flow's position closes at a loss."""
    at(desk, second)
    profit = Decimal(loss)
    fill_last(desk, 1.09900, str(second), is_exit=True, side=SELL, profit=profit)


def test_the_flows_own_loss_stops_it_and_the_brokers_midnight_lets_it_go_on() -> None:
    """100.00 lost of 10,000.00 is 1 %, the limit itself refuses; 17:00 New York is 22:00 UTC."""
    desk = held({"risk": FlowRisk(daily_loss_max_fraction=0.01)}, s10=EXIT, s20=LONG)
    trade_and_lose(desk, 10, "-100.00")
    decision = at(desk, 20)
    assert [check.rule for check in decision.checks if not check.passed] == ["flow_daily_loss"]
    next_day = 10 * 3600 + 60
    seat = desk.account.flows.find("ema-cross")
    assert seat is not None
    seat.policy.signals[next_day] = LONG  # type: ignore[attr-defined]
    assert at(desk, next_day).outcome is Outcome.TRADED


def test_a_drawdown_of_the_flow_outlives_the_day() -> None:
    """It is measured from the flow's best result."""
    desk = held({"risk": FlowRisk(drawdown_max_fraction=0.01)}, s10=EXIT)
    trade_and_lose(desk, 10, "-100.00")
    next_day = 10 * 3600 + 60
    seat = desk.account.flows.find("ema-cross")
    assert seat is not None
    seat.policy.signals[next_day] = LONG  # type: ignore[attr-defined]
    decision = at(desk, next_day)
    assert [check.rule for check in decision.checks if not check.passed] == ["flow_drawdown"]


def test_orders_per_day_are_counted_by_flow() -> None:
    """One a day: the second entry is denied."""
    desk = held({"risk": FlowRisk(orders_per_day_max=1)}, s10=EXIT, s20=LONG)
    trade_and_lose(desk, 10, "-1.00")
    decision = at(desk, 20)
    assert [check.rule for check in decision.checks if not check.passed] == ["flow_orders_per_day"]


def test_a_size_by_risk_loses_that_share_at_the_stop() -> None:
    """1 % of 10,000 at 30 pips of 10 USD per lot: 100 / 300 = 0.33 lots."""
    desk = flow_desk({1: LONG}, flow_of(size=Size(risk_fraction=0.01)))
    at(desk, 1)
    assert desk.sent[0].quantity == 0.33


def test_the_accounts_cap_binds_a_flow_that_asks_for_too_much() -> None:
    """0.5 % of 10,000 at 31 pips and 0.7 pips of commission: 50 / 317 = 0.15 lots, named in it."""
    risk = msgspec.structs.replace(ROOMY.risk, risk_per_trade_fraction=0.005)
    rules = msgspec.structs.replace(ROOMY, risk=risk)
    desk = flow_desk({1: LONG}, flow_of(size=Size(lots=1.0)), rules)
    at(desk, 1)
    assert desk.sent[0].quantity == 0.15
    size = records(desk)[0].size
    assert size is not None
    assert size.binding == "risk"


def test_news_shrinks_or_vetoes_a_flow_and_the_record_holds_it() -> None:
    """Half of 0.10 lots; nothing of it; and nothing that lies on another symbol."""
    for factor, lots in ((0.5, [0.05]), (0.0, []), (1.0, [0.10])):
        desk = flow_desk({1: LONG})
        shade = NewsShade(symbol="EURUSD", factor=factor, until_ns=NOON_NS + 60 * 10**9)
        desk.account.guard.news.put(shade, NOON_NS)
        desk.account.guard.news.put(NewsShade(symbol="USDJPY", factor=0.0, until_ns=2**62), 0)
        decision = at(desk, 1)
        assert [order.quantity for order in desk.sent] == lots
        assert decision.size is not None
        assert decision.size.binding == ("flow" if factor == 1.0 else "news")
        (record,) = records(desk)
        assert replay(record, EURUSD, lambda item: item.forecast).identical


def test_doubts_about_models_bind_only_a_flow_that_reads_them() -> None:
    """An old champion leaves half of 0.10 lots; a situation nobody has seen leaves nothing."""
    reads = flow_of(models=ModelUse(use=True))
    old = Standing(size_factor=0.5)
    for flow, lots in ((reads, 0.05), (flow_of(), 0.10)):
        desk = flow_desk({1: LONG}, flow)
        desk.account.on_tick(
            msgspec.structs.replace(scene(tick(after_s=1, seq=1), None), standing=old)
        )
        assert [order.quantity for order in desk.sent] == [lots]
    for flow, reason in ((reads, Reason.NOVEL_SITUATION), (flow_of(), Reason.FLOW_ENTRY)):
        desk = flow_desk({1: LONG}, flow)
        strange = msgspec.structs.replace(scene(tick(after_s=1, seq=1), None), novelty=lambda: 1.0)
        assert desk.account.on_tick(strange).reason is reason


def test_around_an_event_only_a_flow_that_reads_models_rests() -> None:
    """One of rules alone trades on; the record of the other names the event and replays."""
    cpi = Entry(
        at_ns=NOON_NS + 60 * 10**9, currency="USD", name="CPI", impact=HIGH, known_from_ns=0
    )
    seen = msgspec.structs.replace(scene(tick(after_s=1, seq=1), None), schedule=Schedule([cpi]))
    assert flow_desk({1: LONG}, flow_of()).account.on_tick(seen).reason is Reason.FLOW_ENTRY
    desk = flow_desk({1: LONG}, flow_of(models=ModelUse(use=True)))
    assert desk.account.on_tick(seen).reason is Reason.SCHEDULED_EVENT
    (record,) = records(desk)
    assert record.sentence == (
        "Not traded by flow ema-cross 3: CPI (USD, high impact) is scheduled for 2024-03-05 "
        "12:01 UTC; models enter nothing from 15 minutes before until 15 after."
    )
    assert replay(record, EURUSD, lambda item: item.forecast).identical


def test_a_flow_without_a_stop_gets_the_emergency_stop() -> None:
    """1 % of the mid 1.10005 below the ask: 1.10010 - 0.0110005, on the grid."""
    desk = flow_desk({1: Signal(entry=1)})
    at(desk, 1)
    assert desk.sent[0].stop_loss == 1.0891
    assert desk.sent[0].take_profit == 0.0


def test_its_time_is_over() -> None:
    """`time_s = 60`: closed on the first tick a minute after its fill at second 2."""
    desk = held({"exits": Exits(time_s=60.0)})
    at(desk, 61)
    assert len(desk.sent) == 1
    at(desk, 62)
    assert desk.sent[-1].kind is OrderKind.CLOSE
    assert placed(desk)[-1].flow_id == "ema-cross"
    sentence = records(desk)[-1].sentence
    assert sentence == "Closed: the time that flow ema-cross gives a position is over."


def test_its_stop_trails_and_goes_to_break_even() -> None:
    """15 pips behind the best bid; 30 pips of profit are 1 R: entry + 1 pip."""
    exits = Exits(trailing="15 * pip", break_even_after_r=1.0, break_even_offset="1 * pip")
    long = msgspec.structs.replace(
        LONG, trailing=0.00150, break_even_offset=0.00010, take_profit=0.0
    )
    desk = flow_desk({1: long}, flow_of(exits=exits), management=Management())
    at(desk, 1)
    fill_last(desk, 1.10010, "1")
    at(desk, 20, 1.10000, 1.10010)
    assert (desk.sent[-1].kind, desk.sent[-1].stop_loss) == (OrderKind.PROTECT, 1.09850)
    tight = flow_desk({1: msgspec.structs.replace(long, trailing=0.0)}, flow_of(exits=exits))
    at(tight, 1)
    fill_last(tight, 1.10010, "1")
    at(tight, 20, 1.10309, 1.10319)
    assert len(tight.sent) == 1
    at(tight, 30, 1.10310, 1.10320)
    assert (tight.sent[-1].kind, tight.sent[-1].stop_loss) == (OrderKind.PROTECT, 1.10020)


def test_a_share_is_closed_at_its_profit_once() -> None:
    """Half of 0.10 lots at 1 R, 30 pips; once the position is 0.05 nothing more is due."""
    exits = Exits(partial=(Partial(at_r=1.0, fraction=0.5),))
    desk = flow_desk({1: LONG}, flow_of(exits=exits))
    at(desk, 1)
    fill_last(desk, 1.10010, "1")
    at(desk, 20, 1.10309, 1.10319)
    assert len(desk.sent) == 1
    at(desk, 30, 1.10310, 1.10320)
    assert (desk.sent[-1].kind, desk.sent[-1].quantity) == (OrderKind.CLOSE, 0.05)
    fill_last(desk, 1.10310, "2", is_exit=True, side=SELL, profit=Decimal("15.00"))
    at(desk, 40, 1.10320, 1.10330)
    assert len(desk.sent) == 2


def test_a_restart_gives_positions_and_results_back() -> None:
    """The same events folded again: whose position, what it lives by, what it earned."""
    exits = Exits(partial=(Partial(at_r=1.0, fraction=0.5),))
    desk = flow_desk({1: LONG}, flow_of(exits=exits))
    at(desk, 1)
    fill_last(desk, 1.10010, "1", commission=Decimal("-0.35"))
    again = Desk(ROOMY).arm()
    for item in desk.sink.facts:
        again.account.apply(item.event)
    (position,) = again.account.positions.open.values()
    assert position.flow_id == "ema-cross"
    assert again.account.flows.ledger.of("ema-cross").realised == Decimal("-0.35")
    at(again, 30, 1.10310, 1.10320)
    assert again.sent[-1].quantity == 0.05


def test_ticks_that_come_while_a_policy_warms_up_are_not_lost() -> None:
    """It catches up with those after what history told it, without acting on them."""
    seat = seat_of({1: LONG, 5: LONG})
    seat.waiting = []
    desk = Desk(ROOMY).arm()
    desk.account.flows.seat(seat)
    for second in (1, 2, 3):
        at(desk, second)
    seat.begin((tick(after_s=1, seq=1).ts_ns, 1))
    assert [each.seq for each in seat.policy.seen] == [2, 3]  # type: ignore[attr-defined]
    assert desk.sent == []
    at(desk, 5)
    assert len(desk.sent) == 1
