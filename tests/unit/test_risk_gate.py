"""Each rule of the gate at its limit and one step beyond it."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading_fixtures import figures

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.config.schema import Risk
from plan2.foundation.values import Side
from plan2.intelligence.risk import gate
from plan2.intelligence.risk.checks import OPENING, REDUCING
from plan2.intelligence.risk.limits import Intent, RiskInputs

LIMITS = Risk()
INTENT = Intent(
    decision_id="d",
    symbol="EURUSD",
    kind=OrderKind.OPEN,
    side=Side.BUY,
    quantity=0.1,
    price=1.1,
    stop_loss=1.09,
    take_profit=1.11,
    ts_ns=0,
)


def inputs(order: dict[str, float] | None = None, **account: float) -> RiskInputs:
    """A sound order of an idle account, with changes."""
    values = {
        "quantity": 0.1,
        "quantity_tradable": 1.0,
        "order_value": 11_000.0,
        "margin_needed": 367.0,
        "spread": 0.0001,
        "stop_distance": 0.01,
    }
    return RiskInputs(account=figures(**account), **{**values, **(order or {})})


def test_a_sound_order_is_approved() -> None:
    """Nothing fails, and the order carries what the intent asked for."""
    review = gate.review(INTENT, inputs(), LIMITS, "acc")
    assert review.first_failure is None
    assert review.order is not None
    assert (review.order.quantity, review.order.stop_loss) == (0.1, 1.09)


@pytest.mark.parametrize(
    ("rule", "allowed", "refused"),
    [
        ("trading_state", inputs(trading_state=0.0), inputs(trading_state=1.0)),
        ("symbol_blocked", inputs(symbol_blocked=0.0), inputs(symbol_blocked=1.0)),
        ("tick_age", inputs(tick_age_ms=30_000.0), inputs(tick_age_ms=30_001.0)),
        ("spread", inputs({"spread": 0.0025}), inputs({"spread": 0.0026})),
        ("stop_distance", inputs({"stop_distance": 0.0004}), inputs({"stop_distance": 0.0})),
        ("volume", inputs(), inputs({"quantity_tradable": 0.0})),
        ("positions", inputs(positions=3.0), inputs(positions=4.0)),
        ("positions_per_symbol", inputs(), inputs(positions_symbol=1.0)),
        ("order_value", inputs({"order_value": 40_000.0}), inputs({"order_value": 40_000.01})),
        ("exposure", inputs(exposure=49_000.0), inputs(exposure=49_000.01)),
        ("margin", inputs(margin_free=367.0), inputs(margin_free=366.9)),
        ("daily_loss", inputs(equity=9_701.0), inputs(equity=9_700.0)),
        ("drawdown", inputs(peak_equity=11_110.0), inputs(peak_equity=11_112.0)),
        ("order_rate", inputs(orders_last_minute=9.0), inputs(orders_last_minute=10.0)),
        ("duplicate", inputs(seconds_since_same=5.0), inputs(seconds_since_same=4.9)),
    ],
)
def test_rule_at_its_limit(rule: str, allowed: RiskInputs, refused: RiskInputs) -> None:
    """The limit itself passes (losses: the limit itself refuses); a step beyond is refused."""
    by_name = {check.rule: check.passed for check in gate.check(OrderKind.OPEN, allowed, LIMITS)}
    assert by_name[rule]
    by_name = {check.rule: check.passed for check in gate.check(OrderKind.OPEN, refused, LIMITS)}
    assert not by_name[rule]


def test_every_rule_has_a_boundary_test() -> None:
    """A new rule without a case above fails here."""
    named = {mark.args[1][i][0] for mark in test_rule_at_its_limit.pytestmark for i in range(15)}
    assert named == {rule.__name__ for rule in OPENING}


def test_a_halt_does_not_block_the_way_out() -> None:
    """A closing order meets only its own short list."""
    closing = msgspec.structs.replace(INTENT, kind=OrderKind.CLOSE, stop_loss=0.0)
    halted = inputs(trading_state=2.0, equity=1.0, position_quantity=0.1)
    review = gate.review(closing, halted, LIMITS, "acc")
    assert review.order is not None
    assert {check.rule for check in review.checks} == {rule.__name__ for rule in REDUCING}


def test_a_close_cannot_exceed_its_position() -> None:
    """Reduce-only means reduce."""
    closing = msgspec.structs.replace(INTENT, kind=OrderKind.CLOSE)
    review = gate.review(closing, inputs(position_quantity=0.05), LIMITS, "acc")
    assert review.order is None
    assert review.first_failure is not None
    assert review.first_failure.rule == "reduces"


@given(
    st.sampled_from(sorted(figures().__struct_fields__)),
    st.sampled_from([float("nan"), float("inf"), float("-inf")]),
)
def test_what_cannot_be_computed_never_widens_a_limit(name: str, value: float) -> None:
    """A NaN figure gives either the same verdict as before or a refusal, and finite numbers."""
    review = gate.review(INTENT, inputs(**{name: value}), LIMITS, "acc")
    if math.isnan(value) and name in {"margin_free", "exposure", "equity"}:
        assert review.order is None
    assert all(abs(check.value) < 2e12 for check in review.checks)
