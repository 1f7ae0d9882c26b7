"""R-112 over time: decisions recorded under the first list of rules are still taken bit for bit."""

import json
from pathlib import Path

import msgspec
from trading_fixtures import EURUSD, RULES, Desk, forecast, scene, tick

from plan2.intelligence.decision.decide import Decision
from plan2.intelligence.decision.explain import replay
from plan2.intelligence.decision.record import DecisionRecord, Outcome
from plan2.intelligence.risk.limits import AccountFigures

GOLDEN = Path(__file__).parent / "golden_records" / "first_rule_set.json"
"""Written by the version of before the second list (commit 76b11c2), by its own test desk."""


def recorded(desk: Desk) -> DecisionRecord:
    """The last decision that a desk kept, as the event store gives it back."""
    kept = [item.event for item in desk.sink.facts if type(item.event).__name__ == "DecisionMade"]
    return msgspec.convert(json.loads(msgspec.json.encode(kept[-1].record)), DecisionRecord)


def test_old_records_replay() -> None:
    """One that traded and one that was denied, with 15 checks each and none of the new figures."""
    records = msgspec.json.decode(GOLDEN.read_bytes(), type=list[DecisionRecord])
    assert [record.outcome for record in records] == [Outcome.TRADED, Outcome.DENIED]
    for record in records:
        assert len(record.checks) == 15
        assert "link_up" not in record.risk_inputs
        found = replay(record, EURUSD, lambda known: known.forecast)
        assert found.differences == ()


def test_new_records_hold_every_figure_and_replay() -> None:
    """Traded and denied, as they come back from the store."""
    for desk in (Desk().arm(), Desk()):
        decision: Decision = desk.account.on_tick(scene(tick(), forecast(0.60)))
        record = recorded(desk)
        assert set(record.risk_inputs) == set(AccountFigures.__struct_fields__)
        assert record.checks == decision.checks
        assert replay(record, EURUSD, lambda known: known.forecast).differences == ()


TOGETHER = {"volatility_target", "expected_shortfall", "currency"}


def test_a_record_of_before_the_portfolio_rules_goes_by_the_list_of_then() -> None:
    """List 4 bound models' sizes by them and let the gate look at none; it replays that way."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    record = recorded(desk)
    assert {check.rule for check in record.checks} >= TOGETHER
    checks = tuple(check for check in record.checks if check.rule not in TOGETHER)
    figures = record.risk_inputs | {"rule_set": 4.0}
    old = msgspec.structs.replace(record, risk_inputs=figures, checks=checks)
    assert replay(old, EURUSD, lambda known: known.forecast).differences == ()
    assert replay(record, EURUSD, lambda known: known.forecast).differences == ()


def test_a_record_of_before_the_weekly_limit_goes_by_the_list_of_then() -> None:
    """List 3 knew no week: neither its figure nor its check is asked for."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    record = recorded(desk)
    figures = {key: one for key, one in record.risk_inputs.items() if key != "week_start_equity"}
    limits = {key: one for key, one in record.parameters.items() if "weekly" not in key}
    later = TOGETHER | {"weekly_loss"}
    checks = tuple(check for check in record.checks if check.rule not in later)
    assert len(checks) == len(record.checks) - 4
    old = msgspec.structs.replace(
        record, risk_inputs=figures | {"rule_set": 3.0}, parameters=limits, checks=checks
    )
    assert replay(old, EURUSD, lambda known: known.forecast).differences == ()


def test_a_record_that_was_touched_does_not_replay() -> None:
    """Another figure gives another check, and the difference is named."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    record = recorded(desk)
    touched = msgspec.structs.replace(record, risk_inputs=record.risk_inputs | {"link_up": 0.0})
    differences = replay(touched, EURUSD, lambda known: known.forecast).differences
    assert any(text.startswith("checks") for text in differences)


def test_the_parameters_hold_every_number_of_the_configuration() -> None:
    """Lists and tables are looked up before; what they say is a figure."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    kept = {key.removeprefix("risk.") for key in recorded(desk).parameters if key[:5] == "risk."}
    left_out = set(RULES.risk.__struct_fields__) - kept
    assert left_out == {"symbols_permitted", "order_volume_max_lots_by_symbol", "warn_fractions"}
