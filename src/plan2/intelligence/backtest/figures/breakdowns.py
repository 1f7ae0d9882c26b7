"""Trades by what they have in common, and months as a calendar shows them; all in UTC."""

from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl

from plan2.intelligence.backtest.figures.days import Days
from plan2.intelligence.backtest.figures.terms import Group, Month

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def groups_of(trades: pl.DataFrame) -> dict[str, tuple[Group, ...]]:
    """Trades by side, exit reason, and the hour, weekday and month in which they were opened."""
    opened = pl.from_epoch("open_ns", time_unit="ns")
    keys: dict[str, tuple[pl.Expr, Callable[[object], str]]] = {
        "side": (pl.col("side").cast(pl.Int64), lambda key: "long" if key == 1 else "short"),
        "exit_reason": (pl.col("exit_reason"), str),
        "hour": (opened.dt.hour(), lambda key: f"{key:02d}:00"),
        "weekday": (opened.dt.weekday(), lambda key: WEEKDAYS[int(str(key)) - 1]),
        "month": (opened.dt.strftime("%Y-%m"), str),
    }
    return {name: _grouped(trades, key, label) for name, (key, label) in keys.items()}


def months_of(days: Days, trades: pl.DataFrame) -> tuple[Month, ...]:
    """Every calendar month of the run, in order; trades count where they closed."""
    closed = trades.select(
        month=pl.from_epoch("close_ns", time_unit="ns").dt.strftime("%Y-%m"), net="net"
    )
    found = {
        str(name): (count, float(net))
        for name, count, net in closed.group_by("month").agg(pl.len(), pl.sum("net")).iter_rows()
    }
    of_day = days.start_ns.astype("datetime64[ns]").astype("datetime64[M]")
    months = []
    for month in np.unique(of_day):
        name = str(month)
        count, net = found.get(name, (0, 0.0))
        earned = float(np.prod(1.0 + days.returns[of_day == month]) - 1.0)
        year, number = map(int, name.split("-"))
        months.append(
            Month(year=year, month=number, earned=earned, trades=count, net=round(net, 2))
        )
    return tuple(months)


def _grouped(
    trades: pl.DataFrame, key: pl.Expr, label: Callable[[object], str]
) -> tuple[Group, ...]:
    net = pl.col("net")
    rows = (
        trades.group_by(key=key)
        .agg(
            trades=pl.len(),
            wins=(net > 0.0).sum(),
            net=net.sum(),
            won=net.clip(lower_bound=0.0).sum(),
            lost=(-net).clip(lower_bound=0.0).sum(),
        )
        .sort("key")
    )
    return tuple(
        Group(
            name=label(row["key"]),
            trades=row["trades"],
            wins=row["wins"],
            net=round(row["net"], 2),
            average=round(row["net"] / row["trades"], 2),
            profit_factor=row["won"] / row["lost"] if row["lost"] > 0.0 else None,
        )
        for row in rows.iter_rows(named=True)
    )
