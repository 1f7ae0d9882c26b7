"""Tables of a run as text: the same cells in the report, in a terminal and in CSV.

Times are ISO 8601 UTC, money has two decimals; a plain number is written as short as it is exact.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from plan2.intelligence.backtest.figures.terms import Unit

MONEY: Final = frozenset(
    {"gross", "commission", "swap", "net", "mae", "mfe", "spread_cost", "slippage_cost"}
    | {"balance", "equity"}
)
_SIDES: Final = {1: "long", -1: "short"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def heads_of(frame: pl.DataFrame) -> list[str]:
    """Names of the columns; times say that they are UTC."""
    return [_head(name) for name in frame.columns]


def rows_of(frame: pl.DataFrame) -> Iterator[list[str]]:
    """The cells of every row, in order."""
    names = frame.columns
    for row in frame.iter_rows():
        yield [cell(name, value) for name, value in zip(names, row, strict=True)]


def cell(name: str, value: object) -> str:
    """One cell of a column of this name."""
    if name == "side":
        return _SIDES.get(int(str(value)), "")
    if name.endswith("_ns"):
        return time_text(int(str(value))) if value else ""
    if isinstance(value, float):
        return f"{value + 0.0:.2f}" if name in MONEY else _number(value)
    return str(value)


def time_text(ts_ns: int) -> str:
    """2024-03-05T12:00:00.250Z; milliseconds are enough for a reader."""
    moment = _EPOCH + timedelta(microseconds=ts_ns // 1000)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def figure_text(unit: Unit, value: float | None) -> str:
    """A figure as a person reads it; a dash for none."""
    if value is None:
        return "–"
    if unit == "days":
        return f"{value:.1f} d" if value >= 1.0 else f"{value * 24.0:.1f} h"
    patterns = {
        "fraction": "{:.2%}",
        "probability": "{:.1%}",
        "money": "{:,.2f}",
        "ratio": "{:.2f}",
        "count": "{:,.0f}",
        "lots": "{:,.2f}",
    }
    return patterns[unit].format(value + 0.0)


def _head(name: str) -> str:
    return name.removesuffix("_ns") + "_utc" if name.endswith("_ns") else name


def _number(value: float) -> str:
    return f"{value:.10g}"
