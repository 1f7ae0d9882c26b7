"""The structs of a run's figures; plain data that is kept beside the run and shown everywhere.

Money is in account currency, times are nanoseconds UTC, fractions are of one (0.1 is 10 %).
"""

from typing import Literal

import msgspec

Unit = Literal["fraction", "money", "ratio", "days", "count", "lots", "probability"]
Better = Literal["more", "less", ""]
Answer = float | str
"""A figure, or the sentence that says why there is none."""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure means. `better`: which of two runs it speaks for, "" for neither."""

    name: str
    label: str
    unit: Unit
    better: Better
    formula: str


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure; `value` is None for the `reason` given.

    `low` and `high`: central 95 % of its block bootstrap, None where it has none.
    """

    value: float | None
    reason: str = ""
    low: float | None = None
    high: float | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Trades that have something in common. `profit_factor`: None without a loss."""

    name: str
    trades: int
    wins: int
    net: float
    average: float
    profit_factor: float | None


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar month: its return, and the trades that closed in it."""

    year: int
    month: int
    earned: float
    trades: int
    net: float


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """Where the money went; costs are negative. `before` + all of them = `net`."""

    before: float
    spread: float
    slippage: float
    commission: float
    swap: float
    net: float


class Fall(msgspec.Struct, frozen=True, kw_only=True):
    """A drawdown: from the peak over the bottom back to the peak; `end_ns` 0 = not yet back."""

    start_ns: int
    bottom_ns: int
    end_ns: int
    depth: float


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Points of a line; extremes are kept where there are fewer points than there were."""

    ts_ns: tuple[int, ...]
    values: tuple[float, ...]


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """A histogram: one more edge than counts."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Excursion(msgspec.Struct, frozen=True, kw_only=True):
    """A trade's worst and best open profit beside what it brought."""

    trade: int
    mae: float
    mfe: float
    net: float


class Pictures(msgspec.Struct, frozen=True, kw_only=True):
    """What the drawings of a report show. `rolling_sharpe`: over `ROLLING_DAYS` days."""

    equity: Curve
    drawdown: Curve
    lots: Curve
    rolling_sharpe: Curve
    rolling_volatility: Curve
    trade_results: Histogram
    daily_returns: Histogram
    excursions: tuple[Excursion, ...]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the result shows. `daily_sharpe` is not annualised; None without variation."""

    verdict: str
    sentence: str
    days: int
    trades: int
    trials: int
    daily_sharpe: float | None
    flags: tuple[str, ...]


class RunFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is computed from a run."""

    metrics: dict[str, Figure]
    evidence: Evidence
    costs: Costs
    groups: dict[str, tuple[Group, ...]]
    months: tuple[Month, ...]
    falls: tuple[Fall, ...]
    pictures: Pictures
    simulated: tuple[str, ...]
    not_simulated: tuple[str, ...]
