"""The sections of a report: their titles, their columns, their lines.

A title stands alone in its row, the next row names the columns, every line begins with a time, and
at most one line of totals ends the section. Anything else inside a section is refused, so that no
line of a report is ever left out in silence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from plan2.dataflow.statements.figures import is_time, number
from plan2.dataflow.statements.grid import SAVE_AGAIN, Row
from plan2.dataflow.statements.report import Figure
from plan2.foundation.errors import InputError

POSITIONS: Final = "Positions"
ORDERS: Final = "Orders"
DEALS: Final = "Deals"
OPEN: Final = "Open Positions"
WORKING: Final = "Working Orders"
TABLES: Final[Mapping[str, str]] = {
    **{name: name for name in (POSITIONS, ORDERS, DEALS, OPEN, WORKING)},
    "Trade Positions": OPEN,  # the older layout's name
}
TEXTS: Final = frozenset({"Settings", "Results"})
SECOND: Final[Mapping[str, str]] = {"Time": "Close Time", "Price": "Close Price"}
"""Columns that a header names twice, and what the second one is."""


@dataclass(slots=True)
class Section:
    """A table of the report."""

    title: str
    header: Row | None = None
    starts: dict[str, int] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    lines: list[Row] = field(default_factory=list)
    sums: Row | None = None

    def text(self, row: Row, column: str) -> str:
        """The text of a named column; empty when the column or the text is missing.

        A column reaches to the next one: totals may stand anywhere in cells that were joined.
        """
        if column not in self.starts:
            return ""
        for place in range(self.starts[column], self.ends[column]):
            if place in row.cells:
                return row.cells[place]
        return ""

    def name_columns(self, header: Row) -> None:
        """Take `header` as the row that names the columns."""
        self.header = header
        places = sorted(header.cells)
        for place, after in zip(places, [*places[1:], places[-1] + 1], strict=True):
            name = header.cells[place]
            name = SECOND.get(name, name) if name in self.starts else name
            self.starts[name], self.ends[name] = place, after

    def need(self, columns: Iterable[str]) -> None:
        """Refuse a table without these columns.

        Raises:
            InputError: a column is missing; names it, and what is there.
        """
        missing = [name for name in columns if name not in self.starts]
        if missing:
            raise InputError(
                f"{self.title} has no column {', '.join(missing)}; it has "
                f"{', '.join(self.starts) or 'none'}.",
                remedy=f"Plan2 reads English reports of MetaTrader 5. {SAVE_AGAIN}",
            )


@dataclass(slots=True)
class Sections:
    """Everything of a report by its place in it."""

    titles: list[str] = field(default_factory=list)
    tables: dict[str, Section] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    loose: list[Row] = field(default_factory=list)
    """Lines that begin with a time and stand in no section that is known."""


def split(rows: Sequence[Row]) -> Sections:
    """The rows as sections and labelled figures.

    Raises:
        InputError: a line inside a table is none that reports have there.
    """
    found = Sections()
    current: Section | None = None
    for row in rows:
        alone = row.first if len(row.cells) == 1 else ""
        if alone in TABLES:
            current = found.tables.setdefault(TABLES[alone], Section(TABLES[alone]))
        elif is_time(row.first):
            (current.lines if current is not None else found.loose).append(row)
        elif alone in TEXTS or _has_label(row):
            current = None
            _take_figures(row, found.figures)
        elif current is None or (alone and number(alone) is None):
            current = None  # another title, of another language or version
            found.titles += row.cells.values()
        elif current.header is None:
            current.name_columns(row)
        elif _is_sums(row) and current.sums is None:
            current.sums = row
        else:
            raise InputError(
                f"Row {row.number}, in {current.title}, cannot be read: "
                f"“{' | '.join(row.cells.values())[:120]}”.",
                remedy=f"A line of this section begins with a time. {SAVE_AGAIN}",
            )
    return found


def _has_label(row: Row) -> bool:
    return row.first.endswith(":")


def _is_sums(row: Row) -> bool:
    return all(number(text) is not None for text in row.cells.values())


def _take_figures(row: Row, figures: dict[str, Figure]) -> None:
    """`Label: value` pairs of a row; the first of a name counts, a label may lack its value."""
    texts = [row.cells[place] for place in sorted(row.cells)]
    for label, value in zip(texts, [*texts[1:], ""], strict=True):
        if label.endswith(":") and value and not value.endswith(":"):
            figures.setdefault(label.rstrip(":"), Figure(row.number, value))
