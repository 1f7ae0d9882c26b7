"""Lists on a terminal: aligned columns under a head that is bold where a person reads it."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import click

from plan2.commands.options import print_json

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
GAP: Final = "  "
NOTHING: Final = "–"

Row = Mapping[str, object]


def print_table(
    rows: Sequence[Row], columns: Mapping[str, str], *, empty: str = "There is nothing to list."
) -> None:
    """Print one line per row; figures stand at the right, and a cell never breaks its line.

    Args:
        rows: members by name, as the API answers them.
        columns: which members to show, in order, and the head of each.
        empty: what to print when there is no row.
    """
    if not rows:
        click.echo(empty)
        return
    texts = [[cell_text(row.get(name)) for name in columns] for row in rows]
    heads = list(columns.values())
    widths = [max(map(len, column)) for column in zip(heads, *texts, strict=True)]
    figures = [all(_is_figure(row.get(name)) for row in rows) for name in columns]
    click.echo(click.style(_line(heads, widths, figures), bold=_is_terminal()))
    for cells in texts:
        click.echo(_line(cells, widths, figures))


def print_done(rows: Sequence[Row], sentence: str, as_json: bool) -> None:
    """Say of each row that something was done with it; as JSON the rows themselves.

    Args:
        rows: what it was done with.
        sentence: with names of members, such as `Removed: {name}.`
        as_json: for a program.
    """
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(sentence.format(**{name: cell_text(value) for name, value in row.items()}))


def cell_text(value: object) -> str:
    """A value as a person reads it; control characters, which could steer a terminal, are not."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(cell_text(each) for each in value) or NOTHING
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))


def time_text(ts_us: int | None) -> str:
    """Microseconds UTC as `2024-03-05 12:00:00Z`; a dash for None and 0."""
    if not ts_us:
        return NOTHING
    return f"{EPOCH + timedelta(microseconds=ts_us):%Y-%m-%d %H:%M:%S}Z"


def _line(cells: Sequence[str], widths: Sequence[int], figures: Sequence[bool]) -> str:
    placed = [
        cell.rjust(width) if is_figure else cell.ljust(width)
        for cell, width, is_figure in zip(cells, widths, figures, strict=True)
    ]
    return GAP.join(placed).rstrip()


def _is_figure(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_terminal() -> bool:
    return sys.stdout.isatty()
