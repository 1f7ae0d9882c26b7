"""What the risk page is told: limits with their use, exposure by currency and symbol."""

import pytest
from interface_fixtures import Stage
from trading_fixtures import EURUSD, NOON_NS, Desk, forecast, scene, tick

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.values import NS_PER_SECOND, Side
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.broker_day import next_day_start_ns, next_week_start_ns
from plan2.intelligence.trading.wishes import Ask, OrderWish
from plan2.interface.risk_items import LimitUse, RiskInfo
from plan2.interface.risk_view import risk_of

LOTS = 0.3
VALUE = LOTS * 100_000 * 1.10005  # at the mid of 1.10000 and 1.10010
LOSS = LOTS * 100_000 * 0.00010  # bought at the ask, worth the bid
EQUITY = 10_000.0 - LOSS


def holding() -> TradingAccount:
    """An account of 10,000 USD that has bought 0.3 lots of EURUSD at 1.10010."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.5)))
    wish = OrderWish(
        kind=OrderKind.OPEN,
        ask=Ask("user:anna", "a look"),
        symbol="EURUSD",
        side=Side.BUY,
        quantity=LOTS,
        stop_loss=1.08,
    )
    desk.account.requests.request(wish, NOON_NS)
    desk.fill(desk.sent[-1], 1.10010, "1")
    desk.account.on_tick(scene(tick(after_s=2.0, seq=1), forecast(0.5)))
    return desk.account


def limit(risk: RiskInfo, rule: str) -> LimitUse:
    """The one limit of a rule."""
    (found,) = [each for each in risk.limits if each.rule == rule]
    return found


def test_limits_say_what_is_used_in_their_own_unit() -> None:
    """Loss, exposure and counts of one position, by hand arithmetic."""
    risk = risk_of(holding())
    loss = limit(risk, "daily_loss")
    assert (loss.unit, loss.effect, loss.limit) == ("fraction", "halt", 0.03)
    assert loss.used == pytest.approx(LOSS / 10_000)
    assert loss.soft == pytest.approx([0.015, 0.024])
    week = limit(risk, "weekly_loss")
    assert (week.effect, week.limit, week.used) == ("halt", 0.06, loss.used)
    exposure = limit(risk, "exposure")
    assert (exposure.unit, exposure.effect) == ("fraction", "deny")
    assert exposure.used == pytest.approx(VALUE / EQUITY)
    assert limit(risk, "margin").used == pytest.approx(VALUE / EURUSD.leverage / EQUITY)
    assert [limit(risk, rule).used for rule in ("positions", "positions_per_symbol")] == [1, 1]
    assert limit(risk, "order_rate").used == 1


def test_the_days_loss_begins_anew_at_the_brokers_midnight_and_messages_slide() -> None:
    """Only what is counted by the day has an end; floods are counted over a window."""
    risk = risk_of(holding())
    assert limit(risk, "daily_loss").resets_us == next_day_start_ns(NOON_NS) // 1_000
    assert limit(risk, "weekly_loss").resets_us == next_week_start_ns(NOON_NS) // 1_000
    assert limit(risk, "drawdown").resets_us is None
    assert limit(risk, "messages_per_minute").window_s == 60
    assert risk.market_us == (NOON_NS + 2 * NS_PER_SECOND) // 1_000


def test_exposure_is_told_by_currency_and_symbol() -> None:
    """A long of EURUSD is long euros and short as many dollars."""
    risk = risk_of(holding())
    assert {item.currency: item.net for item in risk.currencies} == pytest.approx(
        {"EUR": VALUE, "USD": -VALUE}
    )
    (symbol,) = risk.symbols
    assert (symbol.symbol, symbol.positions, symbol.lots) == ("EURUSD", 1, LOTS)
    assert symbol.value == pytest.approx(VALUE)
    assert float(symbol.profit) == pytest.approx(-LOSS)


def test_before_the_first_quote_nothing_is_claimed() -> None:
    """No figure is made up: losses are unknown, floods are left out, no exposure is shown."""
    risk = risk_of(Desk().account)
    assert limit(risk, "daily_loss").used is None
    assert "order_rate" not in {each.rule for each in risk.limits}
    assert (risk.market_us, risk.currencies, risk.symbols) == (0, [], [])


async def test_the_route_shows_the_account_of_whoever_asks() -> None:
    """With a session the account's, without one nothing."""
    stage = Stage()
    async with await stage.signed_in() as client:
        shown = await client.get("/api/v1/risk")
    assert (shown.status_code, shown.json()["account_id"]) == (200, "paper-1")
    async with stage.client() as stranger:
        assert (await stranger.get("/api/v1/risk")).status_code == 401
