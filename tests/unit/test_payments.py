"""Deposits and withdrawals: no loss, no gain, and no way to hide one; also over a restart."""

from decimal import Decimal

import pytest
from reconcile_fixtures import Office
from trading_fixtures import NOON_NS, RULES, Desk, forecast, scene, tick

from plan2.foundation.events.account import BalanceAdjusted, EquityRecorded, RiskLimitBreached
from plan2.foundation.events.order import PositionClosed
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.flow_ledger import FlowAccountBook

WHOLE_PASS_S = 80


def holding() -> Desk:
    """A desk with one lot long bought at 1.10010; a pip is ten dollars."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    desk.fill(desk.sent[0], 1.10010, "1", quantity=1.0)
    return desk


def at_loss(desk: Desk, dollars: float, after_s: float) -> None:
    """A quote at which the lot has lost so many dollars."""
    bid = 1.10010 - dollars / 100_000
    desk.account.on_tick(scene(tick(bid, bid + 0.0001, after_s=after_s), None))


def pay(desk: Desk, amount: str, *, is_told: bool = True, is_result: bool = False) -> None:
    """What reconciliation books; `is_told` False is an event of before payments were told apart."""
    portfolio = desk.account.portfolio
    event = BalanceAdjusted(
        ts_ns=NOON_NS,
        account_id="test",
        tenant_id="default",
        amount=amount,
        balance=str(portfolio.balance + Decimal(amount)),
        reason="no deal",
        equity=str(portfolio.equity) if is_told else "",
        is_result=is_result,
    )
    desk.account.book([event])


def restarted(desk: Desk) -> Desk:
    """A new process that folds what the old one stored."""
    after = Desk(RULES)
    for item in desk.sink.facts:
        after.account.apply(item.event)
    return after


def test_a_withdrawal_of_half_is_no_loss_and_half_the_money_is_left_to_lose() -> None:
    """200 of 10,000 lost, 4,900 of 9,800 taken out: still 2 %; 3 % of the 5,000 are 150."""
    desk = holding()
    at_loss(desk, 200, 1)
    pay(desk, "-4900.00")
    at_loss(desk, 200, 2)
    portfolio = desk.account.portfolio
    assert portfolio.equity == Decimal("4900.00")
    assert portfolio.marks.day_start_equity == Decimal("5000.00")
    assert (portfolio.day_loss, portfolio.week_loss, portfolio.drawdown) == (0.02, 0.02, 0.02)
    at_loss(desk, 249, 3)
    assert desk.account.state is TradingState.ARMED
    at_loss(desk, 250, 4)
    assert desk.account.state is TradingState.HALTED


def test_a_deposit_does_not_hide_a_loss() -> None:
    """290 of 10,000 lost, 87,390 of nine times 9,710 paid in: 2.9 % still, and 100 more halt."""
    desk = holding()
    at_loss(desk, 290, 1)
    pay(desk, "87390.00")
    at_loss(desk, 290, 2)
    portfolio = desk.account.portfolio
    assert portfolio.marks.peak_equity == Decimal("100000.00")
    assert portfolio.drawdown == 0.029
    at_loss(desk, 389, 3)
    assert desk.account.state is TradingState.ARMED
    at_loss(desk, 390, 4)
    assert desk.account.state is TradingState.HALTED


def test_the_days_profit_is_money_without_what_was_paid_in() -> None:
    """R: a loss of 290 is shown as 290, whatever was paid in or out since."""
    desk = holding()
    at_loss(desk, 290, 1)
    pay(desk, "5000.00")
    assert desk.account.portfolio.day_profit == Decimal("-290.00")
    pay(desk, "-9000.00")
    assert desk.account.portfolio.day_profit == Decimal("-290.00")


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_restart_measures_the_same(is_recorded: bool) -> None:
    """Folded from the payment alone, or with a figure that was written down after it."""
    desk = holding()
    at_loss(desk, 200, 301)
    pay(desk, "-4900.00")
    if is_recorded:
        at_loss(desk, 201, 700)
    after = restarted(desk)
    assert after.account.portfolio.marks == desk.account.portfolio.marks
    at_loss(after, 249, 702)
    assert after.account.state is TradingState.ARMED
    at_loss(after, 250, 703)
    assert after.account.state is TradingState.HALTED


def test_a_log_of_before_is_folded_by_its_own_rules() -> None:
    """Without the equity a payment left the marks alone, and so it does today."""
    desk = holding()
    at_loss(desk, 200, 301)
    pay(desk, "-4900.00", is_told=False)
    after = restarted(desk)
    assert after.account.portfolio.marks.day_start_equity == Decimal("10000.00")
    at_loss(after, 200, 302)
    assert after.account.portfolio.day_loss == pytest.approx(0.51)
    assert after.account.state is TradingState.HALTED


def test_an_emptied_account_that_lost_nothing_is_not_halted() -> None:
    """10,000 of 10,000 taken out and paid in again: no loss before, meanwhile or after."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), None))
    pay(desk, "-10000.00")
    desk.account.on_tick(scene(tick(after_s=1), None))
    assert desk.account.portfolio.day_loss == 0.0
    pay(desk, "10000.00")
    desk.account.on_tick(scene(tick(after_s=2), None))
    assert desk.account.portfolio.marks.peak_equity == Decimal("10000.00")
    assert desk.account.state is TradingState.ARMED


def test_emptying_an_account_does_not_forget_what_was_lost() -> None:
    """200 lost, all taken out and paid in again within the day: 2 % as before."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), None))
    pay(desk, "-200.00", is_result=True)
    desk.account.on_tick(scene(tick(after_s=1), None))
    pay(desk, "-9800.00")
    pay(desk, "9800.00")
    assert desk.account.portfolio.day_loss == pytest.approx(0.02)


def test_a_flows_losses_stay_the_share_they_were() -> None:
    """It lost 100 of the day's 10,000; the account is doubled: 200 of 20,000."""
    book = FlowAccountBook(realised=Decimal(50), day_start=Decimal(150), best=Decimal(250))
    book.pay(Decimal(2))
    assert book.day_start - book.realised == Decimal(200)
    assert book.best - book.realised == Decimal(400)
    assert book.realised == Decimal(50)


async def test_reconciliation_tells_a_deposit_by_the_equity_before_it() -> None:
    """9,750 more than we know of is written down with our 10,000; nothing is lost or won."""
    office = await Office().settled()
    office.terminal.balance = Decimal("19750.00")
    await office.wait(WHOLE_PASS_S)
    (event,) = adjustments(office)
    assert (event.amount, event.equity) == ("9750.00", "10000.00")
    portfolio = office.account.portfolio
    assert portfolio.marks.peak_equity == Decimal("19750.00")
    assert portfolio.day_profit == 0


async def test_the_result_of_a_position_without_a_deal_is_no_withdrawal() -> None:
    """A position closed as unexplained lost 400 at the broker: that is 4 %, and it halts."""
    office = await Office().settled()
    account = office.account
    account.on_tick(scene(tick(), None))
    account.positions.lacks_result = True
    office.terminal.balance = Decimal("9600.00")
    await office.wait(WHOLE_PASS_S)
    (event,) = adjustments(office)
    assert event.is_result
    assert not account.positions.lacks_result
    account.on_tick(scene(tick(after_s=WHOLE_PASS_S + 1), None))
    assert account.portfolio.day_loss == pytest.approx(0.04)
    facts = office.desk.sink.facts
    assert any(isinstance(fact.event, RiskLimitBreached) for fact in facts)


async def test_a_position_that_ended_without_a_result_leaves_no_doubt_behind() -> None:
    """The balance is as it was: what comes later is a payment again."""
    office = await Office().settled()
    office.account.positions.lacks_result = True
    await office.wait(WHOLE_PASS_S)
    office.terminal.balance = Decimal("12000.00")
    await office.wait(WHOLE_PASS_S)
    assert [event.is_result for event in adjustments(office)] == [False]


def test_only_a_position_without_a_deal_lacks_its_result() -> None:
    """One that a deal closed has its result in the deal."""
    for reason, lacks in (("stop_loss", False), ("unexplained", True)):
        desk = holding()
        desk.account.apply(
            PositionClosed(
                ts_ns=NOON_NS,
                position_id="test:p1",
                account_id="test",
                tenant_id="default",
                symbol="EURUSD",
                direction="buy",
                quantity=1.0,
                open_price=1.10010,
                close_price=1.1,
                profit="0.00",
                commission="0.00",
                swap="0.00",
                reason=reason,
                decision_id="",
            )
        )
        assert desk.account.positions.lacks_result is lacks


def test_what_is_recorded_says_what_the_day_counts_from() -> None:
    """The figure of every five minutes carries all four marks."""
    desk = holding()
    at_loss(desk, 200, 301)
    pay(desk, "-4900.00")
    at_loss(desk, 200, 700)
    recorded = [f.event for f in desk.sink.facts if isinstance(f.event, EquityRecorded)][-1]
    assert Decimal(recorded.day_start_equity) == Decimal(5000)
    assert Decimal(recorded.day_capital) == Decimal(5100)


def adjustments(office: Office) -> list[BalanceAdjusted]:
    """What was booked without a deal, oldest first."""
    facts = office.desk.sink.facts
    return [fact.event for fact in facts if isinstance(fact.event, BalanceAdjusted)]
