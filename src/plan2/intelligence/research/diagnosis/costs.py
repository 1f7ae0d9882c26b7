"""What costs do to a result."""

from typing import Final

import polars as pl

from plan2.intelligence.research.diagnosis.finding import Evidence, Finding

COSTS_MUCH: Final = 0.5
SWAP_MUCH: Final = 0.25


def cost_share(evidence: Evidence) -> Finding | None:
    """Spread, slippage, commission and swap against what the moves alone would have earned."""
    trades = evidence.trades
    inside = _sum(trades, "spread_cost") + _sum(trades, "slippage_cost")
    beside = _sum(trades, "commission") + _sum(trades, "swap")
    before = _sum(trades, "gross") - inside
    costs = -(inside + beside)
    if not len(trades):
        return None
    figures = {"before_costs": before, "costs": costs}
    if before <= 0.0:
        return Finding(
            code="no_edge",
            severity="serious",
            says=f"The rule loses {-before:,.2f} before any costs, and {costs:,.2f} more by them.",
            advice="Cheaper trading does not help; the entries or the exits have to change.",
            figures=figures,
        )
    share = costs / before
    if share <= COSTS_MUCH:
        return None
    what = "everything and more" if share >= 1.0 else f"{share:.0%}"
    return Finding(
        code="cost_share",
        severity="serious" if share >= 1.0 else "warning",
        says=f"Costs of {costs:,.2f} take {what} of the {before:,.2f} that the moves earned.",
        advice="Trade less often, for larger moves, or where spread and commission are lower.",
        figures={**figures, "share": share},
    )


def swap_share(evidence: Evidence) -> Finding | None:
    """What nights cost."""
    trades = evidence.trades
    swap = _sum(trades, "swap")
    before = _sum(trades, "net") - swap
    if swap >= 0.0 or before <= 0.0 or -swap / before <= SWAP_MUCH:
        return None
    nights = int((trades["swap"] < 0.0).sum())
    return Finding(
        code="swap_share",
        severity="warning",
        says=(
            f"Swap takes {-swap / before:.0%} of the profit: {-swap:,.2f} on {nights} trades "
            "held over night."
        ),
        advice="Close before the rollover, or hold over night only the side that is paid for it.",
        figures={"swap": swap, "before_swap": before, "share": -swap / before},
    )


def _sum(trades: pl.DataFrame, column: str) -> float:
    return float(trades[column].to_numpy().sum())
