"""Whether a result depends on the kind of market or on the side."""

from typing import Final

import numpy as np
import polars as pl

from plan2.intelligence.research.diagnosis.finding import Evidence, Finding

TERCILES: Final = ("calm", "middling", "wild")
TRADES_MIN: Final = 20
"""Fewer trades of a kind say nothing about the kind."""
MONTHS_MIN: Final = 6


def volatility_dependence(evidence: Evidence) -> Finding | None:
    """The profit comes from one third of the market's moods, and the others lose."""
    volatility, net = evidence.volatility, float(evidence.nets.sum())
    if volatility is None or net <= 0.0 or len(volatility.value) == 0:
        return None
    limits = np.quantile(volatility.value, [1 / 3, 2 / 3])
    opened = evidence.trades["open_ns"].to_numpy()
    place = np.maximum(np.searchsorted(volatility.ts_ns, opened, side="right") - 1, 0)
    tercile = np.searchsorted(limits, volatility.value[place])
    sums = np.asarray([evidence.nets[tercile == each].sum() for each in range(3)])
    counts = [int((tercile == each).sum()) for each in range(3)]
    best = int(np.argmax(sums))
    if min(counts) < TRADES_MIN or net - sums[best] > 0.0:
        return None
    texts = ", ".join(f"{name} {value:,.2f}" for name, value in zip(TERCILES, sums, strict=True))
    return Finding(
        code="volatility_dependence",
        severity="warning",
        says=f"All of the profit comes from {TERCILES[best]} markets; by volatility: {texts}.",
        advice="Trade only in that kind of market, or expect losses whenever it changes.",
        figures={name: float(value) for name, value in zip(TERCILES, sums, strict=True)},
    )


def month_dependence(evidence: Evidence) -> Finding | None:
    """One month made the profit."""
    months = evidence.trades.group_by(
        pl.from_epoch("close_ns", time_unit="ns").dt.strftime("%Y-%m").alias("month")
    ).agg(pl.col("net").sum())
    net = float(evidence.nets.sum())
    if net <= 0.0 or len(months) < MONTHS_MIN:
        return None
    best = months.sort("net", descending=True).row(0, named=True)
    share = best["net"] / net
    if share <= 0.5:
        return None
    losing = int((months["net"] < 0.0).sum())
    return Finding(
        code="month_dependence",
        severity="serious" if share >= 1.0 else "warning",
        says=(
            f"{best['month']} alone brings {share:.0%} of the profit of {len(months)} months; "
            f"{losing} of them lose."
        ),
        advice="Find out what was different then, and walk the rule forward over other times.",
        figures={"share": share, "months": float(len(months)), "losing": float(losing)},
    )


def side_asymmetry(evidence: Evidence) -> Finding | None:
    """One side earns what the other gives back."""
    sides, nets = evidence.trades["side"].to_numpy(), evidence.nets
    longs, shorts = nets[sides > 0], nets[sides < 0]
    if min(len(longs), len(shorts)) < TRADES_MIN or nets.sum() <= 0.0:
        return None
    results = {"long": float(longs.sum()), "short": float(shorts.sum())}
    good, bad = ("long", "short") if results["long"] > results["short"] else ("short", "long")
    if results[bad] >= -0.25 * results[good]:
        return None
    return Finding(
        code="side_asymmetry",
        severity="warning",
        says=(
            f"Only {good} trades earn: {results[good]:,.2f}; {bad} trades lose "
            f"{-results[bad]:,.2f} of it."
        ),
        advice=f"The rule may just follow the trend of this period. Try it without {bad} trades, "
        "and on a period that went the other way.",
        figures=results,
    )
