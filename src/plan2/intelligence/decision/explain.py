"""Take a recorded decision again from its record alone, and compare bit for bit.

The forecast is recomputed from the recorded features and recurrent states with the recorded models;
the decision from that forecast, the recorded account figures and the recorded parameters.
"""

import math
from collections.abc import Callable

import msgspec

from plan2.foundation.config.schema import Decision as DecisionConfig
from plan2.foundation.config.schema import Risk
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Tick
from plan2.intelligence.decision.decide import Decision, Rules, Situation, decide, engagement_of
from plan2.intelligence.decision.decide_apart import decide_apart, decide_entry_apart
from plan2.intelligence.decision.decide_flow import decide_entry
from plan2.intelligence.decision.flow_part import FlowPart
from plan2.intelligence.decision.record import DecisionRecord, Reason
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.risk.limits import FIRST_RULE_SET, AccountFigures

Recompute = Callable[[DecisionRecord], Forecast | None]
"""Runs the recorded models on the recorded inputs."""


EXITS = frozenset({Reason.TIME_EXIT, Reason.MANUAL_EXIT, Reason.FLOW_EXIT})


class Replayed(msgspec.Struct, frozen=True):
    """The result: identical, or each part that differs with what was recorded and found."""

    identical: bool
    differences: tuple[str, ...]


def replay(record: DecisionRecord, instrument: Instrument, recompute: Recompute) -> Replayed:
    """Decide again from the record; an exit repeats its forecast only, its trigger was outside.

    Of a flow the signal is taken as recorded; that the flow had to give it is what
    `plan2 flow compare` shows from the ticks.

    Raises:
        ModelMismatch: a model that took part is no longer there, or its bytes changed.
    """
    differences: list[str] = []
    forecast = recompute(record)
    _compare("forecast", record.forecast, forecast, differences)
    if record.reason not in EXITS and not _is_exit(record):
        decision = _decide(record, _situation(record, instrument, forecast))
        _compare("reason", record.reason, decision.reason, differences)
        _compare("outcome", record.outcome, decision.outcome, differences)
        _compare("edge", record.edge, decision.edge, differences)
        _compare("size", record.size, decision.size, differences)
        _compare("checks", record.checks, decision.checks, differences)
        _compare("scheduled", record.scheduled, decision.scheduled, differences)
        _compare("order_id", record.order_id, _order_id(decision), differences)
    return Replayed(identical=not differences, differences=tuple(differences))


def _decide(record: DecisionRecord, situation: Situation) -> Decision:
    rules = rules_of(record)
    is_apart = situation.apart is not None
    if isinstance(record.flow, FlowPart):
        judge = decide_entry_apart if is_apart else decide_entry
        return judge(situation, rules, record.flow)
    return (decide_apart if is_apart else decide)(situation, rules)


def _is_exit(record: DecisionRecord) -> bool:
    """Whether a denied decision of a flow wished to leave."""
    return isinstance(record.flow, FlowPart) and not record.flow.is_entry


def rules_of(record: DecisionRecord) -> Rules:
    """The configuration that the decision went by, from the record's own parameters."""
    sections: dict[str, dict[str, float]] = {"decision": {"explore_after_s": 0.0}, "risk": {}}
    for key, value in record.parameters.items():
        section, _, name = key.partition(".")
        sections[section][name] = value
    return Rules(
        account_id=record.account_id,
        decision=msgspec.convert(sections["decision"], DecisionConfig, strict=False),
        risk=msgspec.convert(_whole(sections["risk"]), Risk, strict=False),
    )


def _whole(values: dict[str, float]) -> dict[str, float | int]:
    return {name: int(value) if value.is_integer() else value for name, value in values.items()}


def _situation(
    record: DecisionRecord, instrument: Instrument, forecast: Forecast | None
) -> Situation:
    figures = figures_of(record)
    part, scheduled = record.tick, record.scheduled
    tick = Tick(part.symbol, part.ts_ns, part.bid, part.ask, part.seq)
    return Situation(
        tick=tick,
        instrument=instrument,
        ready=record.reason is not Reason.WARMING_UP,
        forecast=forecast,
        quote_rate=figures.quote_rate,
        since_entry_s=figures.seconds_since_same,
        engagement=lambda: engagement_of(figures),
        figures=lambda: figures,
        scheduled=lambda: None if isinstance(scheduled, msgspec.UnsetType) else scheduled,
        apart=None if isinstance(record.apart, msgspec.UnsetType) else record.apart,
    )


def figures_of(record: DecisionRecord) -> AccountFigures:
    """The account as it was; records of before the second list of rules name none."""
    recorded = {
        name: math.nan if value is None else value for name, value in record.risk_inputs.items()
    }
    return AccountFigures(**{"rule_set": FIRST_RULE_SET, **recorded})


def _order_id(decision: Decision) -> str:
    return decision.order.order_id if decision.order is not None else ""


def _compare(name: str, recorded: object, found: object, differences: list[str]) -> None:
    if recorded != found:
        differences.append(f"{name}: recorded {_brief(recorded)}, found {_brief(found)}")


def _brief(value: object) -> str:
    return msgspec.json.encode(value).decode()[:400]
