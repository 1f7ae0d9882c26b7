"""One plain sentence for each decision of a flow, with its numbers copied from the record."""

from plan2.intelligence.decision.flow_part import LONG, FlowPart
from plan2.intelligence.decision.record import Reason
from plan2.intelligence.risk.parts import Check, SizePart

_NOT_TRADED = {
    Reason.NO_RATE: "no rate converts this symbol into the account's currency yet",
    Reason.NOVEL_SITUATION: "it reads models that never saw a situation like this",
    Reason.MODEL_UNPROVEN: "it reads a champion that is unproven, and this is real money",
}


def flow_sentence(
    reason: Reason, flow: FlowPart, size: SizePart | None, checks: tuple[Check, ...]
) -> str:
    """The headline of a decision that a flow took."""
    because = f"{flow.label}: {flow.why}" if flow.why else flow.label
    if reason is Reason.FLOW_EXIT:
        return f"Closed by {because}."
    if reason is Reason.TIME_EXIT:
        return f"Closed: the time that {flow.label} gives a position is over."
    if reason in _NOT_TRADED:
        return f"Not traded by {because}; {_NOT_TRADED[reason]}."
    if reason is Reason.SIZE_TOO_SMALL and size is not None:
        return (
            f"Not traded by {because}; the {size.binding} cap leaves less than the smallest volume."
        )
    failed = next((check for check in checks if not check.passed), None)
    if reason is Reason.RISK_DENIED and failed is not None:
        return (
            f"Denied, {because}; {failed.rule} is {failed.value:g}, the limit is {failed.limit:g}."
        )
    verb = "Bought" if flow.action == LONG else "Sold"
    quantity = size.quantity if size is not None else 0.0
    return f"{verb} {quantity:g} lots, {because}."
