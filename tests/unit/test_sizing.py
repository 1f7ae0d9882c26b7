"""Sizes: every cap by hand, each binding once, and nothing a model says gets past the limits."""

import math
from statistics import NormalDist
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading_fixtures import EURUSD, NOON_NS, RULES, Desk, figures, forecast, scene, tick

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.config.schema import Risk
from plan2.foundation.instrument import Instrument, MarginMode
from plan2.foundation.values import NS_PER_DAY, Side
from plan2.intelligence.decision.decide import Situation, decide, engagement_of
from plan2.intelligence.decision.record import Outcome
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.risk.inputs import inputs_of
from plan2.intelligence.risk.limits import SECOND_RULE_SET, AccountFigures, Intent
from plan2.intelligence.risk.shortfall import (
    historical_shortfall,
    joint_volatility,
    room_within,
    volatility_within,
)
from plan2.intelligence.risk.sizing import Bet, shrinkage, size_of
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.rates import Rates
from plan2.intelligence.trading.spread_of_risk import SizingVolatility, spread_of

BET = Bet(side=1, p_lcb=0.60, standard_error=0.0, loss_distance=0.0020)
WIDE = Risk(
    risk_per_trade_fraction=1.0,
    order_value_max_fraction=1e6,
    exposure_max_fraction=1e6,
    volatility_target_fraction=1e3,
    expected_shortfall_max_fraction=1e3,
    currency_exposure_max_fraction=1e6,
    stress_move_fraction=1e-6,
    order_volume_max_lots=1e6,
)
LOT_VALUE = 110_000.0
ORDER = Intent(
    decision_id="d", symbol="EURUSD", kind=OrderKind.OPEN, side=Side.BUY, quantity=0.1,
    price=1.1, stop_loss=0.0, take_profit=0.0, ts_ns=0,
)  # fmt: skip


def caps(limits: Risk, bet: Bet = BET, **changes: float) -> dict[str, float]:
    """The caps of a bet on a 10,000 USD account; a lot is worth 110,000 and moves 550 a day."""
    return size_of(EURUSD, figures(**changes), bet, limits).caps


def binding(**changes: float) -> str:
    """Which cap binds when one limit is tightened."""
    limits = msgspec.structs.replace(WIDE, **changes)
    account = figures(margin_free=1e9, volume_max_lots=1e6)
    return size_of(EURUSD, account, msgspec.structs.replace(BET, p_lcb=1.0), limits).binding


def test_each_of_the_five_binds_and_all_are_logged() -> None:
    """ML-094: one limit tightened at a time."""
    names = {"volatility_target", "kelly", "expected_shortfall", "currency", "margin"}
    assert names <= set(caps(WIDE))
    assert binding(volatility_target_fraction=0.001) == "volatility_target"
    assert binding(expected_shortfall_max_fraction=0.001) == "expected_shortfall"
    assert binding(currency_exposure_max_fraction=0.5) == "currency"
    poor = figures(margin_free=100.0, volume_max_lots=1e6)
    assert size_of(EURUSD, poor, BET, WIDE).binding == "margin"
    timid = msgspec.structs.replace(BET, p_lcb=0.501)
    assert size_of(EURUSD, figures(margin_free=1e9), timid, WIDE).binding == "kelly"


@pytest.mark.parametrize(
    ("terms", "short_lots", "long_lots"),
    [
        # 1,000 USD of free margin, a lot of 110,000 USD.
        ({"margin_rate_short": 2.0}, 30_000 / 110_000 / 2, 30_000 / 110_000),
        ({"margin_mode": MarginMode.VALUE, "margin_rate_long": 0.05}, 1_000 / 110_000,
         1_000 / 5_500),
        ({"margin_mode": MarginMode.LOT, "margin_initial": 2_500.0}, 0.4, 0.4),
    ],
)  # fmt: skip
def test_the_margin_cap_goes_by_the_symbols_own_margin(
    terms: dict[str, Any], short_lots: float, long_lots: float
) -> None:
    """Of its side, whatever the account's leverage says; and the gate needs just as much."""
    instrument = msgspec.structs.replace(EURUSD, **terms)
    account = figures(margin_free=1_000.0, base_rate=1.10, quote_rate=1.0)

    for side, lots in ((Side.SELL, short_lots), (Side.BUY, long_lots)):
        bet = msgspec.structs.replace(BET, side=side.value)
        assert size_of(instrument, account, bet, WIDE).caps["margin"] == pytest.approx(lots)
        wish = msgspec.structs.replace(ORDER, side=side, quantity=lots)
        needed = inputs_of(wish, instrument, tick(), account).margin_needed
        assert needed == pytest.approx(1_000.0)


def test_a_future_is_sized_by_its_tick() -> None:
    """The same account and bet; a lot moves 125,000, not 100,000: all caps are four fifths."""
    future = msgspec.structs.replace(EURUSD, tick_size=0.00005, tick_value=6.25)
    account = figures(margin_free=1e9, volume_max_lots=1e6)
    plain = size_of(EURUSD, account, BET, WIDE).caps
    found = size_of(future, account, BET, WIDE).caps

    by_money = plain.keys() - {"volume_max", "order_volume"}
    assert {name: found[name] for name in by_money} == pytest.approx(
        {name: 0.8 * plain[name] for name in by_money}
    )
    wish = msgspec.structs.replace(ORDER, quantity=0.8)
    assert inputs_of(wish, future, tick(), account).order_value == pytest.approx(
        inputs_of(ORDER, EURUSD, tick(), account).order_value / ORDER.quantity
    )


def test_caps_by_hand() -> None:
    """2 % of 10,000 = 200 a day over 550 a lot; 10 % shortfall = 1,000 / 3.5067 = 285 over 550."""
    found = caps(Risk())
    assert found["volatility_target"] == pytest.approx(200 / 550)
    assert found["expected_shortfall"] == pytest.approx(
        min(1_000 / (1.5 * 2.3378) / 550, 1_000 / 0.02 / LOT_VALUE), rel=1e-4
    )
    assert found["currency"] == pytest.approx(50_000 / LOT_VALUE)
    assert found["kelly"] == pytest.approx(0.25 * 0.2 * 10_000 / 200)


def test_kelly_believes_an_edge_as_far_as_it_is_known() -> None:
    """ML-095 by hand: e = 0.06, sd 0.06 → shrunk by one half; a proven account takes twice."""
    assert shrinkage(0.06, 0.06) == pytest.approx(0.5)
    unsure = Bet(side=1, p_lcb=0.53, standard_error=0.03, loss_distance=0.0020)
    one = caps(WIDE, unsure)["kelly"]
    assert one == pytest.approx(0.25 * 0.5 * 0.06 * 10_000 / 200)
    assert caps(WIDE, unsure, live_trades=999.0)["kelly"] == one
    assert caps(WIDE, unsure, live_trades=1_000.0)["kelly"] == pytest.approx(2 * one)
    for p in (0.5, 0.4):
        hopeless = Bet(side=1, p_lcb=p, standard_error=0.0, loss_distance=0.0020)
        assert caps(WIDE, hopeless)["kelly"] == 0.0


def test_an_estimate_from_200_trades_hardly_ever_shrinks_the_account() -> None:
    """ML-095: true p 0.53, p̂ from 200 trades; the growth rate is negative in at most 2 %."""
    rng = np.random.default_rng(1)
    estimates = rng.binomial(200, 0.53, 20_000) / 200
    edges = np.maximum(2 * estimates - 1, 0.0)
    errors = 2 * np.sqrt(estimates * (1 - estimates) / 200)
    shrunk = np.array(
        [shrinkage(e, s) if e > 0 else 0.0 for e, s in zip(edges, errors, strict=True)]
    )
    fraction = 0.25 * shrunk * edges
    growth = 0.53 * np.log1p(fraction) + 0.47 * np.log1p(-fraction)
    assert (growth < 0).mean() <= 0.02
    full = 0.53 * np.log1p(edges) + 0.47 * np.log1p(-edges)
    assert (full < 0).mean() > 0.1  # full Kelly ruins often; the specification measured 22 %


def test_volatility_rises_at_once_and_falls_by_a_half_a_day() -> None:
    """ML-096: sizes grow by ×1.5 a day at most, and shrink without limit."""
    known = SizingVolatility()
    known.note("EURUSD", NOON_NS, 0.004)
    known.note("EURUSD", NOON_NS, 0.020)
    assert known.of("EURUSD") == 0.020
    known.note("EURUSD", NOON_NS + NS_PER_DAY, 0.001)
    assert known.of("EURUSD") == pytest.approx(0.020 / 1.5)
    known.note("EURUSD", NOON_NS + NS_PER_DAY + NS_PER_DAY // 2, 0.001)
    assert known.of("EURUSD") == pytest.approx(0.020 / 1.5**1.5)
    known.note("EURUSD", NOON_NS + 20 * NS_PER_DAY, 0.001)
    assert known.of("EURUSD") == 0.001
    for nothing in (math.nan, 0.0):
        known.note("EURUSD", NOON_NS + 21 * NS_PER_DAY, nothing)
    assert known.of("EURUSD") == 0.001
    assert math.isnan(known.of("XAUUSD"))


def test_shortfall_of_a_hundred_days_by_hand() -> None:
    """ML-097: 2.5 days are the tail: the two worst and half of the third."""
    days = [0.001] * 97 + [-0.03, -0.05, -0.02]
    assert historical_shortfall(days) == pytest.approx((0.05 + 0.03 + 0.5 * 0.02) / 2.5)
    assert historical_shortfall([]) == 0.0
    assert historical_shortfall([0.01] * 100) == 0.0


def test_the_volatility_of_a_shortfall() -> None:
    """ML-097: the mean beyond the 97.5 % quantile of a normal day, half as much again for tails."""
    normal = NormalDist()
    mean_beyond = normal.pdf(normal.inv_cdf(0.975)) / 0.025
    assert volatility_within(1.5 * mean_beyond * 0.01) == pytest.approx(0.01, rel=1e-4)


def test_days_that_were_bad_enough_stop_new_risk() -> None:
    """History is one of the three, whatever the models of the other two say."""
    assert caps(Risk(), shortfall_history=0.099)["expected_shortfall"] > 0.0
    assert caps(Risk(), shortfall_history=0.10)["expected_shortfall"] == 0.0


@given(st.floats(0.0, 500.0), st.lists(st.floats(0.1, 200.0), max_size=4), st.floats(1.0, 1_000.0))
def test_room_is_exactly_what_is_left(extra: float, held: list[float], limit: float) -> None:
    """With a position in the room that is left, all together stand at the limit, not above."""
    total, squares = sum(held), sum(value * value for value in held)
    room = room_within(limit, total, squares)
    if joint_volatility(total, squares) >= limit:
        assert room == 0.0
        return
    at = joint_volatility(total + room, squares + room * room)
    assert at == pytest.approx(limit, rel=1e-9)
    if extra > room * (1 + 1e-9):
        assert joint_volatility(total + extra, squares + extra * extra) > limit


def test_two_longs_against_the_dollar_are_one_dollar_short() -> None:
    """ML-098: EURUSD and GBPUSD share a bucket, and it is capped."""
    gbpusd = Instrument(symbol="GBPUSD", base="GBP", quote="USD", digits=5)
    instruments = {"EURUSD": EURUSD, "GBPUSD": gbpusd}
    rates = Rates("USD", instruments)
    rates.update(tick(1.1, 1.1))
    rates.update(msgspec.structs.replace(tick(1.25, 1.25), symbol="GBPUSD"))
    known = SizingVolatility()
    known.note("EURUSD", NOON_NS, 0.005)
    spread = spread_of([("EURUSD", 0.2), ("GBPUSD", 0.1)], instruments, rates, known, 0.02)
    assert spread.net == pytest.approx({"EUR": 22_000, "USD": -34_500, "GBP": 12_500})
    # σ: 22,000 · 0.5 % and, without a known volatility, 12,500 · the stress move of 2 %.
    assert spread.volatility_sum == pytest.approx(110 + 250)
    assert spread.volatility_squares == pytest.approx(110**2 + 250**2)
    long = caps(Risk(), base_exposure=12_500.0, quote_exposure=-34_500.0)["currency"]
    assert long == pytest.approx((50_000 - 34_500) / LOT_VALUE)
    short = Bet(side=-1, p_lcb=0.6, standard_error=0.0, loss_distance=0.0020)
    back = caps(Risk(), short, base_exposure=12_500.0, quote_exposure=-34_500.0)["currency"]
    assert back == pytest.approx((50_000 + 12_500) / LOT_VALUE)


@pytest.mark.parametrize(
    "name",
    [
        "equity",
        "exposure",
        "volatility_day",
        "volatility_sum",
        "volatility_squares",
        "base_exposure",
        "quote_exposure",
        "shortfall_history",
        "margin_free",
        "volume_max_lots",
    ],
)
def test_a_figure_that_is_not_known_allows_nothing(name: str) -> None:
    """NaN gives no size, never an unchecked one."""
    assert size_of(EURUSD, figures(**{name: math.nan}), BET, Risk()).quantity == 0.0


def test_records_of_the_second_rule_set_keep_their_sizes() -> None:
    """They name none of the new figures, and are taken again as they were."""
    old = figures(
        rule_set=SECOND_RULE_SET, volatility_day=math.nan, volatility_sum=math.nan, exposure=0.0
    )
    unsure = Bet(side=1, p_lcb=0.53, standard_error=0.03, loss_distance=0.0020)
    found = size_of(EURUSD, old, unsure, Risk())
    assert found.caps["kelly"] == pytest.approx(0.25 * 0.06 * 10_000 / 200)
    assert "currency" not in found.caps
    assert found.quantity > 0.0


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("daily_loss", {"equity": 9_690.0}),
        ("drawdown", {"equity": 8_990.0, "day_start_equity": 8_990.0}),
        ("trading_state", {"trading_state": float(TradingState.HALTED)}),
    ],
)
def test_models_that_scream_buy_cannot_pass_the_loss_limits(
    rule: str, changes: dict[str, float]
) -> None:
    """ML-099: a certain forecast of any size meets the gate like any other."""
    for barrier in (0.0020, 0.0050, 0.0200):
        belief = forecast(0.99999, barrier)
        assert decide(situation(belief), RULES).outcome is Outcome.TRADED
        decision = decide(situation(belief, figures(**changes)), RULES)
        assert decision.outcome is Outcome.DENIED
        assert rule in {check.rule for check in decision.checks if not check.passed}


def situation(belief: Forecast, account: AccountFigures | None = None) -> Situation:
    """A quote, a belief and an account."""
    known = account or figures()
    return Situation(
        tick=tick(),
        instrument=EURUSD,
        ready=True,
        forecast=belief,
        quote_rate=1.0,
        since_entry_s=1e6,
        engagement=lambda: engagement_of(known),
        figures=lambda: known,
    )


def test_the_account_logs_what_sizing_went_by() -> None:
    """The record of a trade holds the volatility of the scene and an empty book."""
    desk = Desk().arm()
    decision = desk.account.on_tick(scene(tick(), forecast(0.60)))
    assert decision.account is not None
    assert decision.account.volatility_day == 0.005
    assert decision.account.volatility_sum == 0.0
    assert decision.account.live_trades == 0.0
    later = desk.account.figures(tick(after_s=60.0), NOON_NS)
    lots = decision.order.quantity if decision.order is not None else 0.0
    assert later.quote_exposure == pytest.approx(-lots * 100_000 * 1.10005)  # reserved, not filled
    assert later.volatility_sum == pytest.approx(lots * 100_000 * 1.10005 * 0.005)


def test_rules_are_those_of_the_fixture() -> None:
    """The hand-made figures above stand on these defaults."""
    assert RULES.risk == Risk()
