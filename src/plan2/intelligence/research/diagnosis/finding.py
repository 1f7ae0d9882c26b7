"""What a look at a result found, and what it may look at."""

from dataclasses import dataclass
from typing import Literal

import msgspec
import polars as pl

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.backtest.run import BacktestRun

Severity = Literal["serious", "warning", "note"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to know about a result.

    Attributes:
        code: stable snake_case name. severity: `serious` = do not trade it like this.
        says: a sentence with the numbers. advice: what to do.
        figures: the same numbers for machines; money in account currency, shares as fractions.
    """

    code: str
    severity: Severity
    says: str
    advice: str
    figures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Volatility:
    """How much the market moved: int64[n] UTC ns in order, and float64[n], from each time on."""

    ts_ns: Int64Array
    value: Float64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A run and what other research says of it; None = not looked at.

    Attributes:
        cliff: `neighbours.cliff_of`. efficiency: `WalkForward.efficiency`.
        drawdown_low, drawdown_high: 5 % and 95 % points of the largest drawdown over orders of
            the same trades, account currency.
    """

    run: BacktestRun
    volatility: Volatility | None = None
    cliff: float | None = None
    efficiency: float | None = None
    drawdown_low: float | None = None
    drawdown_high: float | None = None

    @property
    def trades(self) -> pl.DataFrame:
        """Closed trades, a frame `TRADES`."""
        return self.run.trades

    @property
    def nets(self) -> Float64Array:
        """Net result of each trade, account currency."""
        return self.run.trades["net"].to_numpy()
