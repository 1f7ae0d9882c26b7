"""The decision: arithmetic by hand, and every reason reached."""

import math
from typing import Never

import msgspec
import pytest
from trading_fixtures import EURUSD, RULES, figures, forecast, tick

from plan2.foundation.config.schema import Decision as DecisionConfig
from plan2.foundation.values import Side
from plan2.intelligence.decision.decide import Engagement, Rules, Situation, decide, engagement_of
from plan2.intelligence.decision.policy import edge_of
from plan2.intelligence.decision.record import Outcome, Reason
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.risk.limits import AccountFigures


def situation(
    belief: Forecast | None, account: AccountFigures | None = None, ready: bool = True
) -> Situation:
    """An entry to decide on."""
    return Situation(
        tick=tick(),
        instrument=EURUSD,
        ready=ready,
        forecast=belief,
        quote_rate=(account or figures()).quote_rate,
        since_entry_s=(account or figures()).seconds_since_same,
        engagement=lambda: engagement_of(account or figures()),
        figures=lambda: account or figures(),
    )


def test_edge_arithmetic_by_hand() -> None:
    """Spread 1 pip, commission 2 × 3.50 USD a lot = 0.7 pip; p = 0.60 over 20 pips is 4 pips."""
    edge = edge_of(tick(), forecast(0.60, 0.00200), EURUSD, 1.0, DecisionConfig())
    assert edge.side == 1
    assert edge.cost == pytest.approx(0.00017, rel=1e-9)
    assert edge.ev == pytest.approx(0.00040 - 0.00017, rel=1e-9)
    assert edge.ev_lcb == edge.ev


def test_edge_of_a_fall_mirrors_the_rise() -> None:
    """p_up = 0.40 is the same bet downwards."""
    up = edge_of(tick(), forecast(0.60), EURUSD, 1.0, DecisionConfig())
    down = edge_of(tick(), forecast(0.40), EURUSD, 1.0, DecisionConfig())
    assert down.side == -1
    assert down.ev == pytest.approx(up.ev, rel=1e-12)


def test_uncertainty_lowers_the_probability_by_its_weight() -> None:
    """With weight 0.5 and a standard error of 0.04 the bound is 0.58."""
    config = DecisionConfig(uncertainty_weight=0.5)
    edge = edge_of(tick(), forecast(0.60, standard_error=0.04), EURUSD, 1.0, config)
    assert edge.p_lcb == pytest.approx(0.58)
    assert edge.ev_lcb == pytest.approx(0.16 * 0.002 - 0.00017, rel=1e-9)


@pytest.mark.parametrize(
    ("belief", "account", "ready", "reason"),
    [
        (forecast(0.60), figures(), False, Reason.WARMING_UP),
        (None, figures(), True, Reason.NO_FORECAST),
        (
            msgspec.structs.replace(forecast(0.5), abstained="no_volatility"),
            figures(),
            True,
            Reason.NO_FORECAST,
        ),
        (forecast(0.60), figures(quote_rate=math.nan), True, Reason.NO_RATE),
        (forecast(0.60), figures(orders_pending_symbol=1.0), True, Reason.ORDER_PENDING),
        (forecast(0.60), figures(positions_symbol=1.0), True, Reason.POSITION_OPEN),
        (forecast(0.60), figures(cooldown_left_s=10.0), True, Reason.COOLDOWN),
        (forecast(0.51), figures(), True, Reason.COST_ABOVE_EDGE),
        (forecast(0.55, standard_error=0.2), figures(), True, Reason.EDGE_UNCERTAIN),
        (forecast(0.60), figures(equity=1.0), True, Reason.SIZE_TOO_SMALL),
        (forecast(0.60), figures(trading_state=2.0), True, Reason.RISK_DENIED),
        (forecast(0.60), figures(), True, Reason.EXPECTED_VALUE),
    ],
)
def test_every_reason_is_reached(
    belief: Forecast | None, account: AccountFigures, ready: bool, reason: Reason
) -> None:
    """Each situation leads to exactly its reason."""
    assert decide(situation(belief, account, ready), RULES).reason is reason


def test_a_trade_carries_its_stops_and_an_order() -> None:
    """Mid 1.10005 and a barrier of 20 pips give 1.09805 and 1.10205."""
    decision = decide(situation(forecast(0.60, 0.00200)), RULES)
    order = decision.order
    assert decision.outcome is Outcome.TRADED
    assert order is not None
    assert (order.side, order.price) == (Side.BUY, 1.10010)
    assert (order.stop_loss, order.take_profit) == (1.09805, 1.10205)
    assert len(order.token) <= 26
    assert order.token.isascii()


def test_size_is_the_smallest_cap_by_hand() -> None:
    """Risk: 0.5 % of 10,000 = 50 USD over (20 + 1.7) pips · 10 USD = 217 USD a lot → 0.23 lots."""
    decision = decide(situation(forecast(0.60, 0.00200)), RULES)
    assert decision.size is not None
    assert decision.size.caps["risk"] == pytest.approx(50.0 / 217.0, rel=1e-9)
    assert decision.size.caps["kelly"] == pytest.approx(0.25 * 0.2 * 10_000 / 217.0, rel=1e-9)
    assert decision.size.caps["order_value"] == pytest.approx(40_000 / 110_000, rel=1e-9)
    assert decision.size.binding == "risk"
    assert decision.size.quantity == 0.23


def test_the_account_is_not_asked_for_a_bet_that_is_not_wanted() -> None:
    """Quiet ticks must stay cheap."""

    def never() -> Never:
        raise AssertionError("asked")

    quiet = Situation(
        tick=tick(),
        instrument=EURUSD,
        ready=True,
        forecast=forecast(0.51),
        quote_rate=1.0,
        since_entry_s=1e6,
        engagement=never,
        figures=never,
    )
    assert decide(quiet, RULES).reason is Reason.COST_ABOVE_EDGE


def test_the_whole_account_is_not_asked_while_the_symbol_is_engaged() -> None:
    """An open position answers before all the figures are added up."""

    def never() -> Never:
        raise AssertionError("asked")

    wanted = msgspec.structs.replace(
        situation(forecast(0.60)), engagement=lambda: Engagement(0.0, 1.0, 0.0), figures=never
    )
    assert decide(wanted, RULES).reason is Reason.POSITION_OPEN


def test_the_same_tick_gives_the_same_ids() -> None:
    """Decision, order and token depend on account and tick only."""
    first = decide(situation(forecast(0.60)), RULES).order
    second = decide(situation(forecast(0.60)), RULES).order
    other = decide(
        situation(forecast(0.60)), Rules(account_id="b", decision=RULES.decision, risk=RULES.risk)
    ).order
    assert first == second
    assert other is not None
    assert first is not None
    assert other.order_id != first.order_id


def test_a_paper_account_explores_with_the_smallest_volume() -> None:
    """Four hours after the last entry, whatever the bet is worth, and it says so."""
    rules = Rules(
        account_id="test", decision=DecisionConfig(explore_after_s=14_400), risk=RULES.risk
    )
    waited = decide(situation(forecast(0.51), figures(seconds_since_same=14_400)), rules)
    assert waited.reason is Reason.EXPLORATION
    assert waited.order is not None
    assert waited.order.quantity == EURUSD.volume_min
    early = decide(situation(forecast(0.51), figures(seconds_since_same=14_399)), rules)
    assert early.reason is Reason.COST_ABOVE_EDGE


def test_exploration_passes_the_same_gate() -> None:
    """A halted account does not explore."""
    rules = Rules(account_id="test", decision=DecisionConfig(explore_after_s=1), risk=RULES.risk)
    assert decide(situation(forecast(0.51), figures(trading_state=2.0)), rules).order is None
