"""The loss limits at work: warned on the way, halted at the limit, and right after a restart."""

from decimal import Decimal

import pytest
from trading_fixtures import BUY, EURUSD, NOON_NS, RULES, Desk, forecast, scene, tick

from plan2.foundation.events.account import (
    EquityRecorded,
    RiskLimitBreached,
    RiskLimitNeared,
    TradingStateChanged,
)
from plan2.foundation.events.base import Event
from plan2.foundation.values import NS_PER_HOUR
from plan2.intelligence.risk.state import TradingState


def holding(lots: float = 1.0) -> Desk:
    """A desk with a long of so many lots bought at 1.10010; a pip is ten dollars a lot."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    desk.fill(desk.sent[0], 1.10010, "1", quantity=lots)
    return desk


def at_loss(desk: Desk, dollars: float, after_s: float) -> None:
    """A quote at which one lot has lost so many dollars."""
    bid = 1.10010 - dollars / 100_000
    desk.account.on_tick(scene(tick(bid, bid + 0.0001, after_s=after_s), None))


def told(desk: Desk, kind: type[Event]) -> list[Event]:
    """Events of a kind, oldest first."""
    return [item.event for item in desk.sink.facts if type(item.event) is kind]


def test_warnings_at_half_and_at_four_fifths_of_the_limit() -> None:
    """3 % of 10,000 is 300: warned at 150 and 240, each once, and trading goes on."""
    desk = holding()
    for second, dollars in enumerate((149, 150, 200, 239, 240, 250, 160)):
        at_loss(desk, dollars, 1 + second)
    warned = told(desk, RiskLimitNeared)
    assert [(event.rule_id, event.share) for event in warned] == [
        ("daily_loss", 0.5),
        ("daily_loss", 0.8),
    ]
    assert desk.account.state is TradingState.ARMED


def test_the_limit_itself_halts_and_says_until_when() -> None:
    """At 300 of 10,000 trading is halted; noon UTC in March is before 17:00 New York, 22:00 UTC."""
    desk = holding()
    at_loss(desk, 299, 1)
    assert desk.account.state is TradingState.ARMED
    at_loss(desk, 300, 2)
    assert desk.account.state is TradingState.HALTED
    (breach,) = told(desk, RiskLimitBreached)
    assert (breach.rule_id, breach.action) == ("daily_loss", "halt")
    change = told(desk, TradingStateChanged)[-1]
    assert change.actor == "risk"
    assert change.reason.endswith("counts until 2024-03-05 22:00 UTC")
    assert "22:00 UTC" in desk.account.losses.holds()


def test_a_breach_is_written_down_once() -> None:
    """Every further tick below the limit adds nothing."""
    desk = holding()
    for second in range(5):
        at_loss(desk, 310, 1 + second)
    assert len(told(desk, RiskLimitBreached)) == 1


def test_the_new_broker_day_forgets_the_days_loss_but_not_the_drawdown() -> None:
    """After 22:00 UTC the loss counts from the new day's start; the fall from the peak stays."""
    desk = holding()
    at_loss(desk, 310, 1)
    at_loss(desk, 310, 10 * 3_600 + 1)
    assert desk.account.losses.holds() == ""
    assert desk.account.portfolio.day_loss == 0.0
    assert desk.account.portfolio.drawdown == pytest.approx(0.031, abs=1e-3)


def test_a_week_of_small_losses_halts_until_sunday() -> None:
    """No day loses the 3 % that halts, all together lose the 6 % of 10,000 that do: 600.

    NOON_NS is a Tuesday in March; the week ends on Sunday the 10th, the day on which New York's
    clocks change: 17:00 there is 21:00 UTC.
    """
    desk = holding()
    day = 24 * 3_600
    at_loss(desk, 290, 1)
    at_loss(desk, 290, day)
    at_loss(desk, 570, day + 1)
    assert desk.account.state is TradingState.ARMED
    at_loss(desk, 570, 2 * day)
    at_loss(desk, 599, 2 * day + 1)
    assert desk.account.state is TradingState.ARMED
    at_loss(desk, 600, 2 * day + 2)
    assert desk.account.state is TradingState.HALTED
    assert told(desk, RiskLimitBreached)[-1].rule_id == "weekly_loss"
    assert desk.account.losses.holds().endswith("counts until 2024-03-10 21:00 UTC")
    at_loss(desk, 600, 5 * day + 10 * 3_600)
    assert desk.account.losses.holds() == ""


def test_a_restart_measures_the_week_from_the_same_start() -> None:
    """Lost 550 in two days, restarted, and 50 more: the week's limit is reached."""
    desk = holding()
    day = 24 * 3_600
    at_loss(desk, 290, 1)
    at_loss(desk, 290, day)
    at_loss(desk, 550, day + 301)
    after = restarted(desk)
    assert after.account.portfolio.marks.week_start_equity == Decimal("10000.00")
    at_loss(after, 551, 2 * day)
    at_loss(after, 600, 2 * day + 1)
    assert after.account.state is TradingState.HALTED


def restarted(desk: Desk) -> Desk:
    """A new process that folds what the old one stored."""
    after = Desk(RULES)
    for item in desk.sink.facts:
        after.account.apply(item.event)
    return after


def test_a_restart_measures_from_the_same_day_start_and_peak() -> None:
    """R: equity 9,710 of 10,000 before and after; the halt would come at the same quote."""
    desk = holding()
    at_loss(desk, 290, 301)
    after = restarted(desk)
    at_loss(after, 299, 302)
    assert after.account.state is TradingState.ARMED
    assert after.account.portfolio.day_loss == pytest.approx(0.0299)
    at_loss(after, 300, 303)
    assert after.account.state is TradingState.HALTED


def test_a_restart_that_finds_the_very_balance_it_began_with_still_measures() -> None:
    """Equity equal to the opening balance is 10 % below a peak of 11,112: that halts."""
    desk = Desk().arm()
    desk.account.apply(
        EquityRecorded(
            ts_ns=NOON_NS,
            account_id="test",
            tenant_id="default",
            balance="10000.00",
            equity="10000.00",
            margin="0.00",
            day_start_equity="10000.00",
            day_end_ns=NOON_NS + 10 * NS_PER_HOUR,
            peak_equity="11112.00",
        )
    )
    desk.account.on_tick(scene(tick(), None))
    assert desk.account.state is TradingState.HALTED


def test_an_account_that_is_half_valued_is_not_measured() -> None:
    """After a restart the first quote is of another symbol: no false equity, no new risk."""
    desk = holding()
    at_loss(desk, 200, 301)
    after = restarted(desk)
    portfolio = after.account.portfolio
    assert portfolio.marks.peak_equity == Decimal("10000.00")
    (position,) = after.account.positions.open.values()
    position.symbol = "GBPUSD"  # a position that the coming quotes do not value
    after.account._instruments["GBPUSD"] = EURUSD
    after.account.on_tick(scene(tick(after_s=302), forecast(0.60)))
    assert not portfolio.is_valued
    assert portfolio.equity == Decimal("9800.00")
    assert after.sent == []
    assert position.side is BUY
