"""What other research says of a result: its neighbours, chance, and the time after."""

from typing import Final

from plan2.intelligence.research.diagnosis.finding import Evidence, Finding

CLIFF: Final = 0.5
EFFICIENCY_MIN: Final = 0.5


def parameter_cliff(evidence: Evidence) -> Finding | None:
    """The numbers next to the best are much worse."""
    cliff = evidence.cliff
    if cliff is None or cliff < CLIFF:
        return None
    lost = "all of it and more" if cliff > 1.0 else f"{cliff:.0%} of it"
    return Finding(
        code="parameter_cliff",
        severity="serious" if cliff >= 1.0 else "warning",
        says=f"The best parameters stand on a cliff: their neighbours lose {lost} on average.",
        advice="Prefer a plateau: a slightly worse point whose neighbours are as good.",
        figures={"cliff": cliff},
    )


def lucky_order(evidence: Evidence) -> Finding | None:
    """The drawdown was smaller, or larger, than the order of trades explains."""
    low, high = evidence.drawdown_low, evidence.drawdown_high
    own = float(evidence.run.max_drawdown)
    if low is None or high is None:
        return None
    figures = {"drawdown": own, "low": low, "high": high}
    if own < low:
        return Finding(
            code="lucky_drawdown",
            severity="warning",
            says=(
                f"The drawdown of {own:,.2f} was lucky: the same trades in another order fall by "
                f"{low:,.2f} to {high:,.2f} in nine of ten cases."
            ),
            advice=f"Plan for a drawdown of {high:,.2f}, not of {own:,.2f}.",
            figures=figures,
        )
    if own <= high:
        return None
    return Finding(
        code="clustered_losses",
        severity="warning",
        says=(
            f"Losses come in clusters: the drawdown of {own:,.2f} is beyond the {high:,.2f} that "
            "the same trades in another order reach."
        ),
        advice="Limit the daily loss, or stand aside when the market is as it was then.",
        figures=figures,
    )


def decay(evidence: Evidence) -> Finding | None:
    """Out of sample it earns much less than where its numbers were chosen."""
    efficiency = evidence.efficiency
    if efficiency is None or efficiency >= EFFICIENCY_MIN:
        return None
    if efficiency > 0.0:
        says = f"Out of sample it earns {efficiency:.0%} of what it earned where it was fitted."
    else:
        says = f"Out of sample it loses, although it earned where it was fitted ({efficiency:.2f})."
    return Finding(
        code="decay",
        severity="serious" if efficiency <= 0.0 else "warning",
        says=says,
        advice="Fewer parameters, wider steps or longer training windows; the numbers fit noise.",
        figures={"efficiency": efficiency},
    )
