"""One plain sentence for each decision, with its numbers copied from the record."""

from datetime import UTC, datetime

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.decision.flow_part import FlowPart
from plan2.intelligence.decision.record import EdgePart, Reason
from plan2.intelligence.decision.schedule import ScheduledEvent
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.risk.parts import Check, SizePart

_FIXED = {
    Reason.WARMING_UP: "Not traded: the features are still warming up.",
    Reason.NO_RATE: "Not traded: no rate converts this symbol into the account's currency yet.",
    Reason.STALE_TICK: "Not traded: the quote is too old to act on.",
    Reason.DATA_QUALITY: "Not traded: the quote failed a quality check.",
    Reason.POSITION_OPEN: "Not traded: a position in this symbol is already open.",
    Reason.ORDER_PENDING: "Not traded: an order in this symbol is still under way.",
    Reason.COOLDOWN: "Not traded: the last trade in this symbol ended too recently.",
    Reason.NOVEL_SITUATION: "Not traded: the models have never seen a situation like this one.",
    Reason.TIME_EXIT: "Closed: the horizon of the forecast is over.",
    Reason.MODEL_UNPROVEN: "Not traded: the champion is unproven, and this is real money.",
    Reason.MANUAL_EXIT: "Closed: a person asked for it.",
}


def sentence_of(
    reason: Reason,
    instrument: Instrument,
    forecast: Forecast | None,
    edge: EdgePart | None,
    size: SizePart | None,
    checks: tuple[Check, ...],
) -> str:
    """The headline of a decision; prices in pips of the instrument."""
    if reason in _FIXED:
        return _FIXED[reason]
    if forecast is None or edge is None:
        why = forecast.abstained if forecast is not None else "no model is loaded"
        return f"Not traded: no usable forecast ({why})."
    return _about_edge(reason, instrument, forecast, edge, size, checks)


def event_sentence(
    event: ScheduledEvent, parameters: dict[str, float], flow: FlowPart | None
) -> str:
    """The headline of the veto around a scheduled event, with the minutes that were configured."""
    at = datetime.fromtimestamp(event.at_ns // NS_PER_SECOND, UTC)
    begin = "Not traded" if flow is None else f"Not traded by {flow.label}"
    return (
        f"{begin}: {event.name} ({event.currency}, {event.impact} impact) is scheduled for "
        f"{at:%Y-%m-%d %H:%M} UTC; models enter nothing from "
        f"{parameters['decision.event_minutes_before']:g} minutes before until "
        f"{parameters['decision.event_minutes_after']:g} after."
    )


def _about_edge(
    reason: Reason,
    instrument: Instrument,
    forecast: Forecast,
    edge: EdgePart,
    size: SizePart | None,
    checks: tuple[Check, ...],
) -> str:
    pip = instrument.pip
    word = "up" if edge.side > 0 else "down"
    belief = (
        f"{edge.p:.1%} {word} {forecast.barrier / pip:.1f} pips first "
        f"within {forecast.horizon_s // 60} min"
    )
    ev, lcb, cost = edge.ev / pip, edge.ev_lcb / pip, edge.cost / pip
    if reason is Reason.COST_ABOVE_EDGE:
        return f"Not traded: {belief} is worth {ev:+.2f} pips after {cost:.2f} pips of cost."
    if reason is Reason.EDGE_UNCERTAIN:
        return (
            f"Not traded: {belief} is worth {ev:+.2f} pips after cost, "
            f"but {lcb:+.2f} at the lower confidence bound."
        )
    if reason is Reason.SIZE_TOO_SMALL and size is not None:
        return f"Not traded: the {size.binding} cap leaves less than the smallest volume."
    failed = next((check for check in checks if not check.passed), None)
    if reason is Reason.RISK_DENIED and failed is not None:
        return f"Denied: {failed.rule} is {failed.value:g}, the limit is {failed.limit:g}."
    quantity = size.quantity if size is not None else 0.0
    if reason is Reason.EXPLORATION:
        verb = "bought" if edge.side > 0 else "sold"
        return (
            f"Exploring on paper: {verb} {quantity:g} lots. {belief} is worth {ev:+.2f} pips after "
            "cost; the smallest volume is traded only to see what happens."
        )
    verb = "Bought" if edge.side > 0 else "Sold"
    return (
        f"{verb} {quantity:g} lots: {belief}, worth {ev:+.2f} pips after cost "
        f"({lcb:+.2f} at the lower confidence bound)."
    )
