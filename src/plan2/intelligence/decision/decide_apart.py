"""Decisions of an account at another broker than the market's that forecasts are made on.

Such an account deals at its own broker's prices only. Where both brokers do not show the same
market at the same time, or do not mean the same thing by it, an entry is refused; a forecast or a
signal is never translated. Exits do not depend on one and go by the account's own quote alone.
"""

from typing import Final

import msgspec

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Tick
from plan2.intelligence.decision.apart import Apart
from plan2.intelligence.decision.decide import Decision, Rules, Situation, decide
from plan2.intelligence.decision.decide_flow import decide_entry, flow_decision_id
from plan2.intelligence.decision.flow_part import FlowPart
from plan2.intelligence.decision.record import Reason

REFUSALS: Final = frozenset(
    {Reason.TERMS_DIFFER, Reason.STALE_TICK, Reason.QUOTES_APART, Reason.SPREAD_TOO_WIDE}
)


def decide_apart(situation: Situation, rules: Rules) -> Decision:
    """`decide`, once the account's own quote may be acted on."""
    apart = _apart(situation)
    reason = refusal_of(apart, situation.tick, situation.instrument)
    decision = decide(situation, rules) if reason is None else Decision(reason=reason)
    return msgspec.structs.replace(decision, apart=apart)


def decide_entry_apart(situation: Situation, rules: Rules, flow: FlowPart) -> Decision:
    """`decide_entry`, once the account's own quote may be acted on."""
    apart = _apart(situation)
    reason = refusal_of(apart, situation.tick, situation.instrument)
    if reason is None:
        decision = decide_entry(situation, rules, flow)
    else:
        named = flow_decision_id(rules.account_id, situation.market, flow)
        decision = Decision(reason=reason, intent_id=named, flow=flow)
    return msgspec.structs.replace(decision, apart=apart)


def refusal_of(apart: Apart, own: Tick, instrument: Instrument) -> Reason | None:
    """Why nothing is to be opened at the account's own quote; None when it may.

    What cannot be compared (a figure that is no number) counts as too far apart.
    """
    if apart.terms:
        return Reason.TERMS_DIFFER
    allowed = apart.tolerance
    if not max(apart.age_ms(own), apart.age_ms(apart.market)) <= allowed.age_max_ms:
        return Reason.STALE_TICK
    if not apart.gap_spreads(own, instrument) <= allowed.gap_max_spreads:
        return Reason.QUOTES_APART
    if not apart.spread_ratio(own, instrument) <= allowed.spread_max_ratio:
        return Reason.SPREAD_TOO_WIDE
    return None


def apart_sentence(reason: Reason, apart: Apart, own: Tick, instrument: Instrument) -> str:
    """The headline of a refusal, with its numbers."""
    allowed = apart.tolerance
    if reason is Reason.TERMS_DIFFER:
        return (
            f"Not traded: {own.symbol} is not the same at the account's own broker: {apart.terms}."
        )
    if reason is Reason.STALE_TICK:
        return (
            f"Not traded: the account's own quote is {apart.age_ms(own):.0f} ms old and the "
            f"market's {apart.age_ms(apart.market):.0f} ms; at most {allowed.age_max_ms:g} ms "
            "are allowed."
        )
    if reason is Reason.QUOTES_APART:
        return (
            f"Not traded: the account's own quote {own.bid:g}/{own.ask:g} is "
            f"{apart.gap_spreads(own, instrument):.2f} spreads from the market's "
            f"{apart.market.bid:g}/{apart.market.ask:g}; at most {allowed.gap_max_spreads:g} "
            "are allowed."
        )
    return (
        "Not traded: the spread at the account's own broker is "
        f"{apart.spread_ratio(own, instrument):.2f} times the market's; at most "
        f"{allowed.spread_max_ratio:g} are allowed."
    )


def _apart(situation: Situation) -> Apart:
    apart = situation.apart
    assert apart is not None  # noqa: S101 - the caller has looked
    return apart
