"""Tables of a run's report that are more than rows of text."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import polars as pl

from plan2.intelligence.backtest.figures.definitions import DEFINITIONS, SECTIONS
from plan2.intelligence.backtest.figures.terms import Costs, Fall, Figure, Group, Month, RunFigures
from plan2.intelligence.backtest.kept.cells import figure_text, heads_of, rows_of, time_text
from plan2.intelligence.documents.html import table

TRADES_SHOWN: Final = 2_000
TRADES_AT_ONCE: Final = 100
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
GROUPS: Final = {
    "side": "By side",
    "exit_reason": "By reason of the exit",
    "weekday": "By weekday of the entry",
    "hour": "By hour of the entry, UTC",
    "month": "By month of the entry",
}


def metrics(figures: RunFigures) -> str:
    """Every figure with its interval and formula, in sections."""
    head = ["", "value", "95 % interval", "formula"]
    tables = (
        f"<h3>{escape(name)}</h3>"
        + table(head, [_metric(each, figures.metrics[each]) for each in of])
        for name, of in SECTIONS.items()
    )
    return f'<div class="prose">{"".join(tables)}</div>'


def months(found: Sequence[Month]) -> str:
    """Returns by month, one row a year, with the year's own."""
    rows = []
    for year in sorted({each.year for each in found}):
        of_year = {each.month: each.earned for each in found if each.year == year}
        whole = 1.0
        for earned in of_year.values():
            whole *= 1.0 + earned
        cells = [of_year.get(number) for number in range(1, 13)]
        rows.append([str(year), *(_signed(value) for value in cells), _signed(whole - 1.0)])
    return table(["", *MONTHS, "year"], rows)


def groups(figures: RunFigures) -> str:
    """Trades by what they have in common."""
    return "".join(
        f"<h3>{escape(title)}</h3>" + _group(figures.groups[name])
        for name, title in GROUPS.items()
        if figures.groups.get(name)
    )


def falls(found: Sequence[Fall]) -> str:
    """The deepest drawdowns, with how they are measured."""
    rows = [
        [
            f"{each.depth:.2%}",
            time_text(each.start_ns),
            time_text(each.bottom_ns),
            time_text(each.end_ns) if each.end_ns else "not yet",
        ]
        for each in found
    ]
    if not rows:
        return "<p>None.</p>"
    note = "By the samples of the curve above; the figure of the deepest one looks at every tick."
    return table(["depth", "from", "bottom", "back at the peak"], rows) + f"<p>{note}</p>"


def costs(found: Costs) -> str:
    """The same way down as the drawing, in figures."""
    names = ("before", "spread", "slippage", "commission", "swap", "net")
    return table(
        ["before costs", *names[1:]],
        [[figure_text("money", getattr(found, name)) for name in names]],
    )


def trades(frame: pl.DataFrame) -> str:
    """All trades in foldable pages of a hundred; beyond a limit the rest is named."""
    heads, parts = heads_of(frame), []
    shown = frame.head(TRADES_SHOWN)
    for begin in range(0, shown.height, TRADES_AT_ONCE):
        page = shown.slice(begin, TRADES_AT_ONCE)
        name = f"Trades {begin + 1} to {begin + page.height}"
        is_open = " open" if begin == 0 else ""
        parts.append(
            f"<details{is_open}><summary>{name}</summary>{table(heads, _even(page))}</details>"
        )
    if frame.height > shown.height:
        parts.append(
            f"<p>{frame.height - shown.height:,} more are in the export: CSV, JSON or Parquet.</p>"
        )
    return "".join(parts) or "<p>None.</p>"


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    return f"<dl>{items}</dl>"


def sentences(found: Iterable[str]) -> str:
    """A list."""
    return "<ul>" + "".join(f"<li>{escape(each)}</li>" for each in found) + "</ul>"


def _even(frame: pl.DataFrame) -> list[list[str]]:
    """The cells of a page of trades; prices and lots with as many decimals as their column needs.

    Both prices count as one column.
    """
    rows = list(rows_of(frame))
    for names in (("lots",), ("open_price", "close_price")):
        places = [frame.columns.index(name) for name in names]
        most = max((_decimals(row[place]) for row in rows for place in places), default=0)
        for row in rows:
            for place in places:
                row[place] = f"{float(row[place]):.{most}f}"
    return rows


def _decimals(number: str) -> int:
    return len(number.partition(".")[2])


def _metric(name: str, figure: Figure) -> list[str]:
    known = DEFINITIONS[name]
    band = ""
    if figure.low is not None and figure.high is not None:
        band = f"{figure_text(known.unit, figure.low)} … {figure_text(known.unit, figure.high)}"
    shown = figure.reason if figure.value is None else figure_text(known.unit, figure.value)
    return [known.label, shown, band, known.formula]


def _group(found: Sequence[Group]) -> str:
    rows = [
        [
            each.name,
            f"{each.trades:,}",
            f"{each.wins / each.trades:.1%}",
            figure_text("money", each.net),
            figure_text("money", each.average),
            figure_text("ratio", each.profit_factor),
        ]
        for each in found
    ]
    return table(["", "trades", "won", "net", "average", "profit factor"], rows)


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value + 0.0:+.2%}"
