"""Whether few trades, days or hours carry a result."""

from typing import Final

import numpy as np
import polars as pl

from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, Float64Array
from plan2.intelligence.research.diagnosis.finding import Evidence, Finding

TRADES_FEW: Final = 30
TRADES_SOME: Final = 100
BEST_DAYS: Final = 5
DAYS_MIN: Final = 20
"""With fewer days the best five are most of them anyhow."""
BEST_HOURS: Final = 2
HOURS_MIN: Final = 6


def few_trades(evidence: Evidence) -> Finding | None:
    """Too few trades to say anything."""
    count = len(evidence.trades)
    if count >= TRADES_SOME:
        return None
    return Finding(
        code="few_trades",
        severity="serious" if count < TRADES_FEW else "warning",
        says=f"There are only {count} trades; fewer than {TRADES_SOME} say little about the next.",
        advice="Test a longer period or more symbols before drawing conclusions.",
        figures={"trades": float(count)},
    )


def few_days(evidence: Evidence) -> Finding | None:
    """A handful of days made the profit."""
    days = _sums_by(evidence, NS_PER_DAY)
    net = float(days.sum())
    if net <= 0.0 or len(days) < DAYS_MIN:
        return None
    best = float(np.sort(days)[-BEST_DAYS:].sum())
    share = best / net
    if share <= 0.5:
        return None
    rest = "without them it loses" if share >= 1.0 else f"the other {len(days) - BEST_DAYS} little"
    return Finding(
        code="few_days",
        severity="serious" if share >= 1.0 else "warning",
        says=f"The best {BEST_DAYS} of {len(days)} days bring {share:.0%} of the profit; {rest}.",
        advice="See what happened on those days; the next of that kind may be long in coming.",
        figures={"best_days": best, "share": share, "days": float(len(days))},
    )


def outliers(evidence: Evidence) -> Finding | None:
    """One trade made the profit."""
    nets = evidence.nets
    net = float(nets.sum())
    if net <= 0.0 or len(nets) < TRADES_FEW:
        return None
    best = float(nets.max())
    share = best / net
    if share <= 0.25:
        return None
    return Finding(
        code="outlier_win",
        severity="serious" if share >= 0.5 else "warning",
        says=f"One trade of {len(nets)} brings {best:,.2f}, {share:.0%} of the profit.",
        advice="Look at that trade: a gap, a bad quote, or luck that cannot be planned.",
        figures={"best": best, "share": share},
    )


def large_loss(evidence: Evidence) -> Finding | None:
    """One loss dwarfs the others."""
    losses = evidence.nets[evidence.nets < 0.0]
    if len(losses) < TRADES_FEW // 3:
        return None
    worst, usual = float(losses.min()), float(np.median(losses))
    if worst > 10.0 * usual:
        return None
    return Finding(
        code="outlier_loss",
        severity="warning",
        says=(
            f"The largest loss, {-worst:,.2f}, is {worst / usual:.0f} times the usual one of "
            f"{-usual:,.2f}."
        ),
        advice="Give every trade a stop, and size by it; one more such loss decides the account.",
        figures={"worst": worst, "median_loss": usual},
    )


def few_hours(evidence: Evidence) -> Finding | None:
    """Two hours of the day made the profit."""
    hours = evidence.trades["open_ns"].to_numpy() // NS_PER_HOUR % 24
    traded = np.unique(hours)
    net = float(evidence.nets.sum())
    if net <= 0.0 or len(traded) < HOURS_MIN:
        return None
    sums = np.asarray([evidence.nets[hours == hour].sum() for hour in traded])
    order = np.argsort(sums)[-BEST_HOURS:]
    share = float(sums[order].sum()) / net
    if share <= 0.75:
        return None
    names = " and ".join(f"{traded[index]:02d}:00" for index in sorted(order))
    return Finding(
        code="few_hours",
        severity="warning",
        says=(
            f"Entries in two hours of the day, {names} UTC, bring {share:.0%} of the profit; the "
            f"other {len(traded) - BEST_HOURS} hours traded bring the rest."
        ),
        advice="See whether those hours make sense for the market; else it is chance. "
        "`hours` of the flow limits entries.",
        figures={"share": share, "hours": float(len(traded))},
    )


def _sums_by(evidence: Evidence, period_ns: int) -> Float64Array:
    """Net of each period with a closed trade, in order."""
    grouped = evidence.trades.group_by(pl.col("close_ns") // period_ns, maintain_order=True)
    return grouped.agg(pl.col("net").sum())["net"].to_numpy()
