"""Backtests as REST answers them: microseconds for nanoseconds, null for what is no number."""

from typing import Any

import msgspec
import polars as pl

from plan2.intelligence.backtest.figures.definitions import DEFINITIONS, SECTIONS
from plan2.intelligence.backtest.figures.terms import (
    Costs,
    Curve,
    Definition,
    Evidence,
    Excursion,
    Fall,
    Figure,
    Group,
    Histogram,
    Month,
    RunFigures,
)
from plan2.intelligence.backtest.kept.compare import Comparison
from plan2.intelligence.backtest.kept.terms import RunRecord, RunSummary, Shelf
from plan2.intelligence.comparison.traded import Traded
from plan2.interface.screen import to_us


class BacktestRow(msgspec.Struct, frozen=True, kw_only=True):
    """A finished run in a list; times are microseconds UTC, money in `currency`.

    `code_hash`: of the source that made it. `log_digest`: of all orders and trades.
    `headlines`: some figures, null where there is none. `other_paths`: net results on other paths
    inside the bars, by name; empty for ticks.
    """

    run_id: str
    name: str
    symbol: str
    period: str
    parameters: dict[str, float]
    flow_digest: str
    engine: str
    data_id: str
    code_hash: str
    log_digest: str
    seed: int
    made_us: int
    first_us: int
    last_us: int
    ticks: int
    bars: int
    is_bars: bool
    seconds: float
    currency: str
    start_balance: float
    end_balance: float
    max_drawdown: float
    trades: int
    orders: int
    verdict: str
    sentence: str
    headlines: dict[str, float | None]
    other_paths: dict[str, float]


class DamagedItem(msgspec.Struct, frozen=True, kw_only=True):
    """A run that cannot be read, and why."""

    run_id: str
    reason: str


class BacktestList(msgspec.Struct, frozen=True, kw_only=True):
    """Runs, newest first; `size` in bytes is what all of them take."""

    items: list[BacktestRow]
    damaged: list[DamagedItem]
    size: int


class CurveItem(msgspec.Struct, frozen=True, kw_only=True):
    """Points of a line; times are microseconds UTC."""

    time_us: list[int]
    values: list[float]


class FallItem(msgspec.Struct, frozen=True, kw_only=True):
    """A drawdown; `end_us` 0 = not yet back at the peak."""

    start_us: int
    bottom_us: int
    end_us: int
    depth: float


class MetricItem(msgspec.Struct, frozen=True, kw_only=True):
    """A figure, what it means, and the section of the report that it is in."""

    section: str
    definition: Definition
    figure: Figure


class PictureItems(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn of a run."""

    equity: CurveItem
    drawdown: CurveItem
    lots: CurveItem
    rolling_sharpe: CurveItem
    rolling_volatility: CurveItem
    trade_results: Histogram
    daily_returns: Histogram
    excursions: tuple[Excursion, ...]


class BacktestDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A run with everything but its tables. `flow`: as it was run, `rejects` by retcode."""

    run: BacktestRow
    flow: dict[str, Any]  # any JSON: the flow's own shape
    metrics: list[MetricItem]
    evidence: Evidence
    costs: Costs
    groups: dict[str, tuple[Group, ...]]
    months: tuple[Month, ...]
    falls: list[FallItem]
    pictures: PictureItems
    simulated: tuple[str, ...]
    not_simulated: tuple[str, ...]
    denials: dict[str, int]
    rejects: dict[str, int]


class TradedItem(msgspec.Struct, frozen=True, kw_only=True):
    """What the flow of a run earned on paper or with money since then; times microseconds UTC.

    `open`: positions not closed yet, which are in no figure.
    """

    version: int
    state: str
    first_us: int
    last_us: int
    open: int
    figures: dict[str, Figure]


class ComparedItem(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of all runs; `best` are the numbers of those it speaks for."""

    definition: Definition
    values: tuple[float | None, ...]
    best: tuple[int, ...]


class ComparisonItem(msgspec.Struct, frozen=True, kw_only=True):
    """Runs side by side, in the order that was asked for; `notes` say what differs."""

    runs: list[BacktestRow]
    figures: list[ComparedItem]
    equity: list[CurveItem]
    parameters: dict[str, tuple[float | None, ...]]
    notes: tuple[str, ...]


def list_item(shelf: Shelf) -> BacktestList:
    """The shelf of a tenant."""
    return BacktestList(
        items=[row_item(each) for each in shelf.runs],
        damaged=[DamagedItem(run_id=d.run_id, reason=d.reason) for d in shelf.damaged],
        size=shelf.size,
    )


def row_item(run: RunSummary) -> BacktestRow:
    """A run as lists show it."""
    members = msgspec.structs.asdict(run)
    for name in ("made", "first", "last"):
        members[f"{name}_us"] = to_us(members.pop(f"{name}_ns"))
    return BacktestRow(**{name: members[name] for name in BacktestRow.__struct_fields__})


def detail_item(record: RunRecord, figures: RunFigures) -> BacktestDetail:
    """A run with its figures."""
    pictures = figures.pictures
    curves = ("equity", "drawdown", "lots", "rolling_sharpe", "rolling_volatility")
    return BacktestDetail(
        run=row_item(record.summary),
        flow=msgspec.to_builtins(record.flow),
        metrics=[
            MetricItem(section=title, definition=DEFINITIONS[name], figure=figures.metrics[name])
            for title, names in SECTIONS.items()
            for name in names
            if name in figures.metrics
        ],
        evidence=figures.evidence,
        costs=figures.costs,
        groups=figures.groups,
        months=figures.months,
        falls=[_fall(each) for each in figures.falls],
        pictures=PictureItems(
            **{name: curve_item(getattr(pictures, name)) for name in curves},
            trade_results=pictures.trade_results,
            daily_returns=pictures.daily_returns,
            excursions=pictures.excursions,
        ),
        simulated=figures.simulated,
        not_simulated=figures.not_simulated,
        denials=record.denials,
        rejects={str(code): count for code, count in record.rejects.items()},
    )


def traded_item(found: Traded) -> TradedItem:
    """A column beside a backtest's."""
    return TradedItem(
        version=found.version,
        state=found.state,
        first_us=to_us(found.first_ns),
        last_us=to_us(found.last_ns),
        open=found.open,
        figures=found.figures,
    )


def comparison_item(found: Comparison) -> ComparisonItem:
    """Runs side by side."""
    return ComparisonItem(
        runs=[row_item(each) for each in found.runs],
        figures=[
            ComparedItem(definition=each.definition, values=each.values, best=each.best)
            for each in found.figures
        ],
        equity=[curve_item(each) for each in found.equity],
        parameters=found.parameters,
        notes=found.notes,
    )


def curve_item(curve: Curve) -> CurveItem:
    """A line with times that a browser reads exactly."""
    return CurveItem(time_us=[to_us(ts) for ts in curve.ts_ns], values=list(curve.values))


def columns_us(frame: pl.DataFrame) -> pl.DataFrame:
    """A table whose columns `…_ns` are `…_us`."""
    times = [name for name in frame.columns if name.endswith("_ns")]
    return frame.with_columns(pl.col(name) // 1_000 for name in times).rename(
        {name: name.removesuffix("_ns") + "_us" for name in times}
    )


def _fall(fall: Fall) -> FallItem:
    return FallItem(
        start_us=to_us(fall.start_ns),
        bottom_us=to_us(fall.bottom_ns),
        end_us=to_us(fall.end_ns),
        depth=fall.depth,
    )
