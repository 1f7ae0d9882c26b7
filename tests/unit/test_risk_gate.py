"""R-107: each rule of the gate at its limit and one step beyond it, for every kind of order."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading_fixtures import EURUSD, figures, tick

from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.foundation.config.schema import Risk
from plan2.foundation.errors import InvariantBroken
from plan2.foundation.values import Side
from plan2.intelligence.risk import checks, gate
from plan2.intelligence.risk.inputs import inputs_of
from plan2.intelligence.risk.limits import AccountFigures, Intent, RiskInputs
from plan2.intelligence.risk.mode import AccountMode, armed_mode_of, mode_of

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
        "deviation_fraction": 0.0001,
        "deviation_points": 10.0,
        "window_deviation_fraction": 0.0001,
        "stop_loosened": 0.0,
        "side": 1.0,
    }
    return RiskInputs(account=figures(**account), **{**values, **(order or {})})


def verdicts(kind: OrderKind, seen: RiskInputs) -> dict[str, bool]:
    """Rule → passed."""
    return {check.rule: check.passed for check in gate.check(kind, seen, LIMITS)}


NAN = math.nan
ENTRY_BOUNDARIES = [
    ("trading_state", inputs(trading_state=0.0), inputs(trading_state=1.0)),
    ("trading_state", inputs(trading_state=0.0), inputs(trading_state=3.0)),
    ("link_up", inputs(link_up=1.0), inputs(link_up=0.0)),
    ("books_agree", inputs(books_agree=1.0), inputs(books_agree=0.0)),
    ("account_mode", inputs(account_mode=4.0, armed_mode=4.0), inputs(account_mode=4.0)),
    ("account_mode", inputs(), inputs(armed_mode=-1.0)),
    ("symbol_permitted", inputs(symbol_permitted=1.0), inputs(symbol_permitted=0.0)),
    ("symbol_blocked", inputs(symbol_blocked=0.0), inputs(symbol_blocked=1.0)),
    ("symbol_disputed", inputs(symbol_disputed=0.0), inputs(symbol_disputed=1.0)),
    ("tick_age", inputs(tick_age_ms=30_000.0), inputs(tick_age_ms=30_001.0)),
    ("reference_age", inputs(reference_age_ms=30_000.0), inputs(reference_age_ms=30_001.0)),
    ("reference_age", inputs(), inputs(reference_age_ms=NAN)),
    (
        "collar_window",
        inputs({"window_deviation_fraction": 0.05}),
        inputs({"window_deviation_fraction": 0.0501}),
    ),
    ("collar_window", inputs(), inputs({"window_deviation_fraction": NAN})),
    ("spread", inputs({"spread": 0.0025}), inputs({"spread": 0.0026})),
    ("stop_distance", inputs({"stop_distance": 0.0004}), inputs({"stop_distance": 0.0})),
    ("volume", inputs(), inputs({"quantity_tradable": 0.0})),
    ("order_volume", inputs({"quantity": 20.0}), inputs({"quantity": 20.01})),
    ("order_volume", inputs(), inputs(volume_max_lots=0.0)),
    ("positions", inputs(positions=3.0), inputs(positions=4.0)),
    ("positions", inputs(positions=4.0, reserved_positions=1.0), inputs(positions=4.0)),
    ("positions_per_symbol", inputs(), inputs(positions_symbol=1.0)),
    ("order_value", inputs({"order_value": 40_000.0}), inputs({"order_value": 40_000.01})),
    ("order_value", inputs(), inputs({"order_value": NAN})),
    ("exposure", inputs(exposure=49_000.0), inputs(exposure=49_000.01)),
    ("exposure", inputs(exposure=60_000.0, reserved_value=11_000.0), inputs(exposure=60_000.0)),
    ("margin", inputs(margin_free=367.0), inputs(margin_free=366.9)),
    # One open position of σ s and this one of 55: s² + 99·s + 3,025 = 200² has s = 149.058.
    (
        "volatility_target",
        inputs(volatility_sum=149.05, volatility_squares=149.05**2),
        inputs(volatility_sum=149.06, volatility_squares=149.06**2),
    ),
    ("volatility_target", inputs(), inputs(volatility_day=NAN)),  # the stress move: 220 of 200
    (
        "volatility_target",  # what is to be changed moves 55 already, and 149.05 is another's
        inputs(volatility_sum=204.05, volatility_squares=149.05**2 + 55**2, reserved_value=11e3),
        inputs(volatility_sum=204.05, volatility_squares=149.05**2 + 55**2),
    ),
    ("expected_shortfall", inputs(exposure=39_000.0), inputs(exposure=39_000.01)),
    ("expected_shortfall", inputs(shortfall_history=0.10), inputs(shortfall_history=0.1001)),
    # 1,000 / (1.5 · 2.3378) = 285.17 a day: s² + 99·s + 3,025 = 285.17² has s = 234.66.
    (
        "expected_shortfall",
        inputs(volatility_sum=234.6, volatility_squares=234.6**2),
        inputs(volatility_sum=234.7, volatility_squares=234.7**2),
    ),
    ("expected_shortfall", inputs(), inputs(volatility_sum=NAN)),
    ("currency", inputs(base_exposure=39_000.0), inputs(base_exposure=39_000.01)),
    ("currency", inputs(quote_exposure=-39_000.0), inputs(quote_exposure=-39_000.01)),
    (
        "currency",
        inputs({"side": -1.0}, base_exposure=-39_000.0),
        inputs({"side": -1.0}, base_exposure=-39_000.01),
    ),
    ("currency", inputs({"side": -1.0}, base_exposure=60e3), inputs({"side": NAN})),
    ("daily_loss", inputs(equity=9_701.0), inputs(equity=9_700.0)),
    ("weekly_loss", inputs(week_start_equity=10_638.0), inputs(week_start_equity=10_639.0)),
    ("weekly_loss", inputs(), inputs(week_start_equity=NAN)),
    ("drawdown", inputs(peak_equity=11_110.0), inputs(peak_equity=11_112.0)),
    (
        "messages_per_second",
        inputs(messages_last_second=19.0),
        inputs(messages_last_second=20.0),
    ),
    (
        "messages_per_minute",
        inputs(messages_last_minute=199.0),
        inputs(messages_last_minute=200.0),
    ),
    ("messages_per_minute", inputs(), inputs(messages_last_minute=NAN)),
]
"""Rule, the last figure that passes, the first that does not; for OPEN, PENDING and CHANGE."""

FREQUENCY_BOUNDARIES = [
    ("order_rate", inputs(orders_last_minute=9.0), inputs(orders_last_minute=10.0)),
    ("executions", inputs(executions_in_window=59.0), inputs(executions_in_window=60.0)),
    ("executions", inputs(), inputs(executions_in_window=NAN)),
    ("duplicate", inputs(seconds_since_same=5.0), inputs(seconds_since_same=4.9)),
]
OPEN_BOUNDARIES = [
    ("collar", inputs({"deviation_fraction": 0.01}), inputs({"deviation_fraction": 0.010001})),
    ("collar", inputs(), inputs({"deviation_fraction": NAN})),
    ("collar_points", inputs({"deviation_points": 2000.0}), inputs({"deviation_points": 2001.0})),
]
PENDING_BOUNDARIES = [
    (
        "collar_pending",
        inputs({"deviation_fraction": 0.05}),
        inputs({"deviation_fraction": 0.050001}),
    ),
]
EXIT_BOUNDARIES = [
    ("symbol_blocked", inputs(symbol_blocked=0.0), inputs(symbol_blocked=1.0)),
    (
        "exit_messages_per_second",
        inputs(exit_messages_last_second=39.0),
        inputs(exit_messages_last_second=40.0),
    ),
    (
        "exit_messages_per_minute",
        inputs(exit_messages_last_minute=399.0),
        inputs(exit_messages_last_minute=400.0),
    ),
]
CLOSE_BOUNDARIES = [
    ("volume", inputs(), inputs({"quantity_tradable": 0.0})),
    (
        "volume",
        inputs({"quantity_tradable": 0.0, "quantity": 0.005}, position_quantity=0.005),
        inputs({"quantity_tradable": 0.0, "quantity": 0.005}, position_quantity=0.006),
    ),
    ("reduces", inputs(position_quantity=0.1), inputs(position_quantity=0.09)),
]
PROTECT_BOUNDARIES = [
    ("stop_kept", inputs({"stop_loosened": 0.0}), inputs({"stop_loosened": 0.00001})),
    ("stop_kept", inputs(), inputs({"stop_loosened": NAN})),
    (
        "stop_kept",
        inputs({"stop_loosened": 1.09, "asked_by_person": 1.0}),
        inputs({"stop_loosened": 1.09}),
    ),
]

BOUNDARIES = {
    OrderKind.OPEN: ENTRY_BOUNDARIES + FREQUENCY_BOUNDARIES + OPEN_BOUNDARIES,
    OrderKind.PENDING: ENTRY_BOUNDARIES + FREQUENCY_BOUNDARIES + PENDING_BOUNDARIES,
    OrderKind.CHANGE: ENTRY_BOUNDARIES + PENDING_BOUNDARIES,
    OrderKind.CLOSE: EXIT_BOUNDARIES + CLOSE_BOUNDARIES,
    OrderKind.CLOSE_BY: EXIT_BOUNDARIES + CLOSE_BOUNDARIES,
    OrderKind.PROTECT: EXIT_BOUNDARIES + PROTECT_BOUNDARIES,
    OrderKind.CANCEL: [],
}


@pytest.mark.parametrize(
    ("kind", "rule", "allowed", "refused"),
    [(kind, *case) for kind, cases in BOUNDARIES.items() for case in cases],
)
def test_rule_at_its_limit(
    kind: OrderKind, rule: str, allowed: RiskInputs, refused: RiskInputs
) -> None:
    """The limit itself passes (losses: the limit itself refuses); a step beyond is refused."""
    assert verdicts(kind, allowed)[rule]
    assert not verdicts(kind, refused)[rule]


@pytest.mark.parametrize("kind", OrderKind)
def test_every_rule_has_a_boundary_test(kind: OrderKind) -> None:
    """A new rule without a case above fails here."""
    assert {case[0] for case in BOUNDARIES[kind]} == {rule.__name__ for rule in checks.RULES[kind]}


def test_no_lots_are_not_the_whole_of_no_position() -> None:
    """An order for nothing is refused."""
    nothing = inputs({"quantity_tradable": 0.0, "quantity": 0.0}, position_quantity=0.0)
    assert not verdicts(OrderKind.OPEN, nothing)["volume"]
    assert not verdicts(OrderKind.CLOSE, nothing)["volume"]


def test_a_sound_order_is_approved() -> None:
    """Nothing fails, and the order carries what the intent asked for."""
    review = gate.review(INTENT, inputs(), LIMITS, "acc")
    assert review.first_failure is None
    assert review.order is not None
    assert (review.order.quantity, review.order.stop_loss) == (0.1, 1.09)


def test_the_order_carries_every_field_of_the_intent() -> None:
    """A pending stop-limit order arrives as it was wished for."""
    wish = msgspec.structs.replace(
        INTENT,
        kind=OrderKind.PENDING,
        trigger=Trigger.STOP_LIMIT,
        limit_price=1.101,
        expires_ts_ns=77,
        deviation_points=3,
        position_ticket="1",
        opposite_ticket="2",
        order_ticket="3",
    )
    order = gate.review(wish, inputs(), LIMITS, "acc").order
    assert order is not None
    same = set(wish.__struct_fields__) & set(order.__struct_fields__)
    assert same == set(wish.__struct_fields__)
    assert all(getattr(order, name) == getattr(wish, name) for name in same)


def test_forgotten_figures_refuse() -> None:
    """R-107: an account that fills in only the figures of the first rules gets no order."""
    old = {name: getattr(figures(), name) for name in AccountFigures.__struct_fields__[:17]}
    forgetful = msgspec.structs.replace(inputs(), account=AccountFigures(**old))
    failed = {rule for rule, passed in verdicts(OrderKind.OPEN, forgetful).items() if not passed}
    assert failed >= {
        "link_up",
        "books_agree",
        "account_mode",
        "symbol_permitted",
        "symbol_disputed",
        "reference_age",
        "order_volume",
        "messages_per_second",
        "messages_per_minute",
        "executions",
    }


def test_a_halt_does_not_block_the_way_out() -> None:
    """Closing meets only its own short list: no switch, link, books or mode in it."""
    closing = msgspec.structs.replace(INTENT, kind=OrderKind.CLOSE, stop_loss=0.0)
    halted = inputs(
        trading_state=2.0, equity=1.0, position_quantity=0.1, link_up=0.0, books_agree=0.0
    )
    assert gate.review(closing, halted, LIMITS, "acc").order is not None


def test_nothing_can_keep_an_order_from_being_withdrawn() -> None:
    """Not even figures that are all wrong; and only a withdrawal goes that way."""
    bad = inputs(**dict.fromkeys(AccountFigures.__struct_fields__[:17], NAN))
    cancel = msgspec.structs.replace(INTENT, kind=OrderKind.CANCEL, order_ticket="9")
    assert gate.review(cancel, bad, LIMITS, "acc").order == gate.withdraw(cancel, "acc")
    with pytest.raises(InvariantBroken, match="not a withdrawal"):
        gate.withdraw(INTENT, "acc")


def test_entries_cannot_take_the_exits_room() -> None:
    """At the entries' message limit an exit still passes; at twice it does not."""
    busy = inputs(messages_last_second=20.0, exit_messages_last_second=20.0, position_quantity=0.1)
    assert not verdicts(OrderKind.OPEN, busy)["messages_per_second"]
    assert all(verdicts(OrderKind.CLOSE, busy).values())


@given(
    st.sampled_from(sorted(figures().__struct_fields__)),
    st.sampled_from([NAN, math.inf, -math.inf]),
)
def test_what_cannot_be_computed_never_widens_a_limit(name: str, value: float) -> None:
    """A NaN figure gives either the same verdict as before or a refusal, and finite numbers."""
    if name == "rule_set":
        return
    review = gate.review(INTENT, inputs(**{name: value}), LIMITS, "acc")
    if math.isnan(value) and name in {"margin_free", "exposure", "equity"}:
        assert review.order is None
    assert all(abs(check.value) < 2e12 for check in review.checks)


def test_the_collar_measures_the_furthest_price() -> None:
    """By hand: mid 1.10; a stop at 1.111 is 1 % away, its limit at 1.122 is 2 % away."""
    account = figures(reference_mid=1.10, window_mid=1.00)
    wish = msgspec.structs.replace(INTENT, price=1.111)
    seen = inputs_of(wish, EURUSD, tick(), account)
    assert seen.deviation_fraction == pytest.approx(0.01)
    assert seen.deviation_points == pytest.approx(1_100)
    assert seen.window_deviation_fraction == pytest.approx(0.111)
    both = msgspec.structs.replace(wish, limit_price=1.122)
    assert inputs_of(both, EURUSD, tick(), account).deviation_fraction == pytest.approx(0.02)


def test_no_reference_no_order() -> None:
    """Without a mid the deviation is not a number, and the collar refuses."""
    seen = inputs_of(INTENT, EURUSD, tick(), figures(reference_mid=NAN, window_mid=NAN))
    failed = {rule for rule, passed in verdicts(OrderKind.OPEN, seen).items() if not passed}
    assert {"collar", "collar_points", "collar_window"} <= failed


def test_what_the_broker_calls_an_account_it_does_not_tell_counts_as_real() -> None:
    """Unknown, empty or new words are real; and nobody can arm for a word that does not exist."""
    assert [mode_of(word) for word in ("demo", "Real", "", "prop")] == [
        AccountMode.DEMO,
        AccountMode.REAL,
        AccountMode.REAL,
        AccountMode.REAL,
    ]
    assert armed_mode_of("prop") == -1.0
