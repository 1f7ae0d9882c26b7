"""What a MetaTrader 5 terminal and its trade server do with orders: points 12 to 20 of the list.

The list is specs/mt5.md, "Conformance list for our simulator". These tests trade, wait for weekends
and let things break, so they run against the twin only; none is meant for a real terminal.
"""

import datetime as dt
from typing import Any

import pytest
from twin_fixtures import EURUSD, USDJPY, Ground, ground, market_order

from plan2.dataflow.terminals.twin import faults as fault
from plan2.dataflow.terminals.twin.options import TwinAccount
from plan2.foundation.values import NS_PER_HOUR, NS_PER_SECOND, Side

NETTING = (TwinAccount(is_hedging=False),)
FAR_S = 2**31 - 1
DONE, PARTIAL = 10009, 10010


def closing(ticket: int, lots: float = 0.10, **changes: Any) -> dict[str, Any]:
    """A request that sells a long position by its ticket."""
    return market_order(type=1, volume=lots, position=ticket, comment="token-2", **changes)


def history(here: Ground) -> list[Any]:
    """All deals but the deposit."""
    return [deal for deal in here.mt5.history_deals_get(1, FAR_S) if deal.type != 2]


def test_point_12_a_cold_history_stalls_and_comes_in_part() -> None:
    """The first answer takes 129 s and is short; the second is quick and whole."""
    here = ground(cold_stall_s=129.0, cold_keep=0.5)
    for _ in range(19):
        here.quote(1.085, 1.08507)
    before_ns = here.clock.now_ns()

    first = here.mt5.copy_ticks_from(EURUSD, here.server_s() - 60, 100, -1)
    stalled_ns = here.clock.now_ns() - before_ns
    second = here.mt5.copy_ticks_from(EURUSD, here.server_s() - 300, 100, -1)

    assert stalled_ns == 129 * NS_PER_SECOND
    assert (len(first), len(second)) == (10, 20)
    assert first["time_msc"][-1] == second["time_msc"][-1], "the newest part comes first"
    assert here.clock.now_ns() == before_ns + stalled_ns


def test_point_12_scripted_stalls_and_partial_answers() -> None:
    """Any call may take its time; the terminal does not tell that rows are missing."""
    here = ground()
    for _ in range(9):
        here.quote(1.085, 1.08507)
    here.world.faults.script("copy_ticks_from", fault.partial(0.3), fault.stalls(45.0))
    start_ns, start_s = here.clock.now_ns(), here.server_s() - 60

    assert len(here.mt5.copy_ticks_from(EURUSD, start_s, 100, -1)) == 3
    assert here.mt5.last_error() == (1, "Success")
    assert len(here.mt5.copy_ticks_from(EURUSD, start_s, 100, -1)) == 10
    assert here.clock.now_ns() - start_ns == 45 * NS_PER_SECOND


def test_point_13_deals_are_late_but_positions_are_gone() -> None:
    """The position has vanished while its exit deal does not show yet."""
    here = ground(deals_delay_ms=2_000)
    ticket = here.mt5.order_send(market_order()).order
    here.wait(3.0)
    assert [deal.entry for deal in history(here)] == [0]

    here.mt5.order_send(closing(ticket))

    assert here.mt5.positions_get() == ()
    assert [deal.entry for deal in history(here)] == [0]
    here.wait(2.0)
    assert [deal.entry for deal in history(here)] == [0, 1]


def test_point_13_orders_and_positions_may_be_late_too() -> None:
    """Each with a delay of its own."""
    here = ground(positions_delay_ms=500, orders_delay_ms=1_500)
    here.mt5.order_send(market_order())

    assert (here.mt5.positions_total(), here.mt5.history_orders_total(1, FAR_S)) == (0, 0)
    here.wait(0.5)
    assert (here.mt5.positions_total(), here.mt5.history_orders_total(1, FAR_S)) == (1, 0)
    here.wait(1.0)
    assert here.mt5.history_orders_total(1, FAR_S) == 1


@pytest.mark.parametrize(
    ("happening", "code", "is_executed", "is_open"),
    [
        (fault.lost_reply(), -10002, True, False),
        (fault.lost_request(), -10001, False, False),
        (fault.lost_request(-10002), -10002, False, False),
        (fault.fails(-1, is_executed=True), -1, True, True),
        (fault.fails(-1), -1, False, True),
    ],
)
def test_point_14_a_lost_reply_does_not_tell(
    happening: fault.Happening, code: int, is_executed: bool, is_open: bool
) -> None:
    """None both ways; only the account knows whether it was executed."""
    here = ground()
    here.world.faults.script("order_send", happening)

    assert here.mt5.order_send(market_order()) is None
    assert here.mt5.last_error()[0] == code
    assert (here.mt5.account_info() is not None) is is_open
    here.mt5.initialize()
    assert here.mt5.positions_total() == int(is_executed)


@pytest.mark.parametrize("retcode", [10004, 10020, 10021, 10018, 10024, 10027, 10030, 10031])
def test_point_15_any_refusal_can_be_injected(retcode: int) -> None:
    """Once, with nothing done; the next request passes."""
    here = ground()
    here.world.faults.script("order_send", fault.answers(retcode))

    refused = here.mt5.order_send(market_order())

    assert (refused.retcode, refused.deal, refused.order) == (retcode, 0, 0)
    assert here.mt5.last_error() == (1, "Success")
    assert here.mt5.positions_total() == 0
    assert here.mt5.order_send(market_order()).retcode == DONE


@pytest.mark.parametrize("retcode", [10012, 10031])
def test_point_15_a_time_out_may_have_executed(retcode: int) -> None:
    """The reason why such a code means "unknown"."""
    here = ground()
    here.world.faults.script("order_send", fault.answers(retcode, is_executed=True))

    assert here.mt5.order_send(market_order()).retcode == retcode
    assert here.mt5.positions_total() == 1


def test_point_15_the_true_causes() -> None:
    """Toolbar, trade server, investor login, experts, the API switch; each with its own answer."""
    here = ground()
    terminal, account = here.world.terminal, here.world.account
    answers = {}
    for name, switch, value in (
        ("toolbar", (terminal, "has_autotrading"), False),
        ("server", (terminal, "is_connected"), False),
        ("investor", (account, "is_investor"), True),
        ("experts", (account, "allows_experts"), False),
    ):
        setattr(*switch, value)
        answers[name] = here.mt5.order_send(market_order()).retcode
        setattr(*switch, not value)
    terminal.is_api_disabled = True

    assert answers == {"toolbar": 10027, "server": 10031, "investor": 10017, "experts": 10026}
    assert here.mt5.terminal_info().tradeapi_disabled
    assert here.mt5.order_send(market_order()) is None
    assert here.mt5.last_error() == (-8, "Auto-Trading using Python API disabled in Terminal")
    assert here.mt5.positions_total() == 0


@pytest.mark.parametrize(
    ("changes", "retcode"),
    [
        ({"type_filling": 2}, 10030),
        ({"type_filling": 3}, 10030),
        ({"volume": 0.001}, 10014),
        ({"volume": 50.0}, 10019),
        ({"sl": 1.2}, 10016),
        ({"position": 4711}, 10036),
        ({"action": 3}, 10013),
        ({"symbol": "nothing"}, 10013),
        ({"action": 5, "type": 2, "price": 1.2}, 10015),
        ({"action": 5, "type": 2, "price": 1.0, "type_time": 2, "expiration": 1}, 10022),
        ({"action": 8, "order": 4711}, 10013),
    ],
)
def test_point_15_refusals_of_the_trade_server(changes: dict[str, Any], retcode: int) -> None:
    """Check and send agree, and nothing is done."""
    here = ground()
    request = market_order(**changes)

    assert here.mt5.order_check(request).retcode == retcode
    assert here.mt5.order_send(request).retcode == retcode
    assert here.mt5.positions_total() == here.mt5.orders_total() == 0


def test_point_15_instant_execution_requotes() -> None:
    """The price asked for must hold within the deviation; price 0 is no price."""
    here = ground(executions={EURUSD: 1})
    stale = market_order(price=1.08500, deviation=5)

    assert here.mt5.order_send(market_order()).retcode == 10015
    assert here.mt5.order_send(stale).retcode == 10004
    assert here.mt5.order_send(stale | {"deviation": 7}).retcode == DONE


def test_point_16_a_netting_reversal_keeps_the_identifier() -> None:
    """One in/out deal; the ticket is the turning order's, the identifier stays."""
    here = ground(accounts=NETTING)
    first = here.mt5.order_send(market_order())
    here.quote(1.08600, 1.08607)
    turning = here.mt5.order_send(market_order(type=1, volume=0.30))

    (position,) = here.mt5.positions_get()
    assert (position.type, position.volume) == (1, 0.20)
    assert position.identifier == first.order
    assert position.ticket == turning.order
    enter, turn = history(here)
    assert (enter.entry, turn.entry) == (0, 2)
    assert (turn.volume, turn.type, turn.position_id) == (0.30, 1, first.order)
    # 0.10 lots · 100,000 · (1.08600 − 1.08507)
    assert turn.profit == pytest.approx(9.30)
    # 0.30 lots at 3.50 a side
    assert turn.commission == pytest.approx(-1.05)
    assert turning.deal == turn.ticket
    protect = {"action": 6, "symbol": EURUSD, "sl": 1.09}
    assert here.mt5.order_send(protect | {"position": first.order}).retcode == 10036
    assert here.mt5.order_send(protect | {"position": turning.order}).retcode == DONE


def test_point_16_without_a_position_hedging_opens_the_opposite() -> None:
    """The trap: a sell does not close a buy; a sell with its ticket does, in part too."""
    here = ground()
    ticket = here.mt5.order_send(market_order()).order
    here.mt5.order_send(market_order(type=1))
    assert [one.type for one in here.mt5.positions_get()] == [0, 1]

    here.mt5.order_send(closing(ticket, 0.04))

    (rest,) = here.mt5.positions_get(ticket=ticket)
    assert (rest.volume, rest.identifier) == (0.06, ticket)
    assert here.mt5.order_send(closing(ticket, 0.07)).retcode in {10014, 10038}


def test_point_16_close_by_takes_both() -> None:
    """Two exit deals of kind out-by from one order of kind close-by."""
    here = ground()
    long = here.mt5.order_send(market_order()).order
    short = here.mt5.order_send(market_order(type=1, volume=0.04)).order

    done = here.mt5.order_send({"action": 10, "position": long, "position_by": short})

    assert done.retcode == DONE
    (rest,) = here.mt5.positions_get()
    assert (rest.ticket, rest.volume) == (long, 0.06)
    assert [deal.entry for deal in history(here)] == [0, 0, 3, 3]
    (order,) = here.mt5.history_orders_get(ticket=done.order)
    assert (order.type, order.position_id, order.position_by_id) == (8, long, short)


def test_point_17_the_rest_of_an_ioc_is_cancelled() -> None:
    """10010 with the volume that was had; FOK refuses instead."""
    here = ground()
    here.world.faults.script("order_send", fault.fills(0.06), fault.fills(0.06))

    done = here.mt5.order_send(market_order())
    none = here.mt5.order_send(market_order(type_filling=0))

    assert (done.retcode, done.volume) == (PARTIAL, 0.06)
    (order,) = here.mt5.history_orders_get(ticket=done.order)
    assert (order.state, order.volume_initial, order.volume_current) == (2, 0.10, 0.04)
    assert none.retcode == 10006
    assert [one.volume for one in here.mt5.positions_get()] == [0.06]


def test_point_18_at_the_weekend_the_tick_is_old_and_the_market_closed() -> None:
    """Friday 17:00 in New York is 22:00 UTC; afterwards nothing is accepted."""
    friday = dt.datetime(2024, 3, 8, 21, 59, tzinfo=dt.UTC)
    here = ground(int(friday.timestamp()) * NS_PER_SECOND)
    last = here.mt5.symbol_info_tick(EURUSD)
    here.clock.advance_to(here.clock.now_ns() + 20 * NS_PER_HOUR)

    assert here.mt5.symbol_info_tick(EURUSD) == last
    assert here.mt5.order_check(market_order()).retcode == 10018
    assert here.mt5.order_send(market_order()).retcode == 10018
    assert here.mt5.terminal_info().connected


def test_point_19_a_good_result_may_know_nothing_yet() -> None:
    """Executed, with deal, price and volume 0; the order leads to the deal."""
    here = ground()
    here.world.faults.script("order_send", fault.bare())

    done = here.mt5.order_send(market_order())

    assert (done.retcode, done.deal, done.price, done.volume) == (DONE, 0, 0.0, 0.0)
    (deal,) = history(here)
    assert (deal.order, deal.volume) == (done.order, 0.10)


def test_point_20_the_broker_writes_its_own_comments() -> None:
    """`[sl …]` and `[tp …]` with the level; the magic stays, the token does not."""
    here = ground()
    here.mt5.order_send(market_order(sl=1.08000, tp=1.09000))
    here.mt5.order_send(market_order(sl=1.08200))
    here.quote(1.08190, 1.08197)
    here.quote(1.09010, 1.09017)

    exits = [deal for deal in history(here) if deal.entry == 1]

    assert [(deal.comment, deal.reason, deal.magic) for deal in exits] == [
        ("[sl 1.08200]", 4, 7),
        ("[tp 1.09000]", 5, 7),
    ]
    assert [deal.price for deal in exits] == [1.08190, 1.09010]


@pytest.mark.parametrize(("keeps", "comment"), [(0, ""), (3, "tok")])
def test_point_20_a_broker_may_cut_or_erase_comments(keeps: int, comment: str) -> None:
    """The token is no proof of absence."""
    here = ground(comment_keeps=keeps)
    done = here.mt5.order_send(market_order())

    assert history(here)[0].comment == comment
    assert here.mt5.positions_get(ticket=done.order)[0].comment == comment


def test_pending_orders_live_and_end() -> None:
    """Placed with 10009, changed, reached; an expired one and a withdrawn one go to history."""
    here = ground()
    pending = market_order(action=5, type=2, price=1.08000, type_filling=2)
    placed = here.mt5.order_send(pending)
    late = here.mt5.order_send(pending | {"type_time": 2, "expiration": here.server_s() + 60})
    gone = here.mt5.order_send(pending)
    assert [placed.retcode, late.retcode, gone.retcode] == [DONE] * 3
    here.mt5.order_send({"action": 7, "order": placed.order, "price": 1.08100})
    here.mt5.order_send({"action": 8, "order": gone.order})
    here.wait(61)
    (working,) = here.mt5.orders_get()
    assert (working.ticket, working.type, working.price_open) == (placed.order, 2, 1.081)

    here.quote(1.08080, 1.08087)

    (position,) = here.mt5.positions_get()
    assert (position.identifier, position.price_open) == (placed.order, 1.08087)
    ended = {order.ticket: order.state for order in here.mt5.history_orders_get(1, FAR_S)}
    assert ended == {placed.order: 4, late.order: 6, gone.order: 2}


def test_a_stop_that_is_not_repeated_is_removed() -> None:
    """SLTP writes both levels; a missing one is zero."""
    here = ground()
    ticket = here.mt5.order_send(market_order(sl=1.08, tp=1.09)).order

    here.mt5.order_send({"action": 6, "position": ticket, "symbol": EURUSD, "sl": 1.081})

    (position,) = here.mt5.positions_get()
    assert (position.sl, position.tp) == (1.081, 0.0)
    same = {"action": 6, "position": ticket, "symbol": EURUSD, "sl": 1.081}
    assert here.mt5.order_send(same).retcode == 10025


def test_order_check_tells_the_account_after_it() -> None:
    """Retcode 0 and 'Done'; margin is that of everything with the new position."""
    here = ground()
    check = here.mt5.order_check(market_order())

    assert (check.retcode, check.comment) == (0, "Done")
    # 0.10 lots · 100,000 / 30 · 1.08500 (the bid)
    assert check.margin == pytest.approx(361.67)
    assert check.margin_free == pytest.approx(10_000 - 361.67)
    assert here.mt5.positions_total() == 0


def test_a_market_in_yen_is_paid_in_dollars() -> None:
    """Profit of a deal is converted at the quote of the moment."""
    here = ground()
    ticket = here.mt5.order_send(market_order(symbol=USDJPY)).order
    here.quote(151.209, 151.218, USDJPY)
    here.mt5.order_send(closing(ticket, symbol=USDJPY))

    exit_deal = history(here)[-1]

    # 10,000 · (151.209 − 150.209) yen / 151.218 yen a dollar
    assert exit_deal.profit == pytest.approx(66.13)


def test_a_person_s_trades_are_not_ours() -> None:
    """No magic, no comment, reason 0."""
    here = ground()
    ticket = here.world.person.opens(EURUSD, Side.SELL, 0.2)
    here.world.person.moves_stops(ticket, 1.09, 0.0)
    here.world.person.closes(ticket, 0.1)

    (position,) = here.mt5.positions_get()
    assert (position.magic, position.comment, position.reason, position.sl) == (0, "", 0, 1.09)
    assert [(deal.reason, deal.entry) for deal in history(here)] == [(0, 0), (0, 1)]
