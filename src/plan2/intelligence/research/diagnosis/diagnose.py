"""All looks at a result, the most serious findings first."""

from collections.abc import Callable
from typing import Final

from plan2.intelligence.research.diagnosis.comparisons import decay, lucky_order, parameter_cliff
from plan2.intelligence.research.diagnosis.concentration import (
    few_days,
    few_hours,
    few_trades,
    large_loss,
    outliers,
)
from plan2.intelligence.research.diagnosis.costs import cost_share, swap_share
from plan2.intelligence.research.diagnosis.finding import Evidence, Finding
from plan2.intelligence.research.diagnosis.regimes import (
    month_dependence,
    side_asymmetry,
    volatility_dependence,
)

LOOKS: Final[tuple[Callable[[Evidence], Finding | None], ...]] = (
    few_trades,
    cost_share,
    few_days,
    outliers,
    large_loss,
    parameter_cliff,
    decay,
    lucky_order,
    volatility_dependence,
    month_dependence,
    side_asymmetry,
    few_hours,
    swap_share,
)
_RANK: Final = {"serious": 0, "warning": 1, "note": 2}


def diagnose(evidence: Evidence) -> list[Finding]:
    """Everything that is wrong with a result; empty when nothing stands out.

    A run without a single trade has one finding: that there are too few.
    """
    looks = LOOKS if len(evidence.trades) else (few_trades,)
    found = [finding for look in looks if (finding := look(evidence)) is not None]
    return sorted(found, key=lambda finding: _RANK[finding.severity])
