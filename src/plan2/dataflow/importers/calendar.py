"""Reads economic calendars from CSV files, plain or gzip, as services and scrapers write them.

Columns by name: the time (`time`, `start` or `datetime`: UTC, or ISO 8601 with an offset),
`currency`, `impact`, the name (`name` or `event`), and where there are figures `actual` and
`forecast` as printed, such as 51.5, -0.2 % or 256K.
"""

import csv
import datetime as dt
import gzip
import math
import re
import zlib
from pathlib import Path
from typing import Final

from plan2.dataflow.economic_calendar import HIGH, IMPACTS, LOW, MEDIUM, NONE, Stated
from plan2.foundation.errors import InputError

TIMES, NAMES = ("time", "start", "datetime"), ("name", "event")
FIGURE = re.compile(r"[<>]?\s*([+-]?\d[\d,]*(?:\.\d+)?)\s*([%KMBT]?)", re.IGNORECASE)
FACTORS: Final = {"": 1.0, "%": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def read_calendar(file: Path) -> list[Stated]:
    """The events of a file, in its order.

    Raises:
        InputError: it cannot be read, a column is missing, or a line is no event.
    """
    try:
        content = file.read_bytes()
        text = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        lines = text.decode("utf-8-sig").splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read as a calendar: {error}.") from error
    reader = csv.reader(lines)
    heading = [name.strip().lower() for name in next(reader, [])]
    places = {
        "time": _place(file, heading, TIMES),
        "currency": _place(file, heading, ("currency",)),
        "impact": _place(file, heading, ("impact",)),
        "name": _place(file, heading, NAMES),
    }
    found = []
    for number, cells in enumerate(reader, 2):
        if not cells:
            continue
        if len(cells) != len(heading):
            raise InputError(
                f"{file}, line {number}: {len(heading)} columns were expected, found {len(cells)}."
            )
        figures = {
            name: _figure(cells[heading.index(name)])
            for name in ("actual", "forecast")
            if name in heading
        }
        found.append(
            Stated(
                at_ns=_time_ns(file, number, cells[places["time"]]),
                currency=cells[places["currency"]].strip().upper(),
                name=cells[places["name"]].strip(),
                impact=_impact(cells[places["impact"]]),
                **figures,
            )
        )
    return found


def _place(file: Path, heading: list[str], names: tuple[str, ...]) -> int:
    for name in names:
        if name in heading:
            return heading.index(name)
    raise InputError(
        f"{file}: no column {' or '.join(names)}; found {', '.join(heading) or 'nothing'}.",
        remedy="A calendar has the columns time, currency, impact and name.",
    )


def _time_ns(file: Path, number: int, text: str) -> int:
    try:
        at = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(
            f"{file}, line {number}: {text!r} is no time.",
            remedy="Write 2026-11-23 13:30:00, in UTC, or with an offset.",
        ) from error
    known = at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)
    since = known - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (since // dt.timedelta(microseconds=1)) * 1_000


def _impact(text: str) -> int:
    word = text.strip().lower()
    for impact in (HIGH, MEDIUM, LOW):
        if word.startswith(IMPACTS[impact]):
            return impact
    return MEDIUM if word.startswith("moderate") else NONE


def _figure(text: str) -> float:
    """A printed figure as a number; NaN where there is none."""
    found = FIGURE.fullmatch(text.strip())
    if found is None:
        return math.nan
    return float(found[1].replace(",", "")) * FACTORS[found[2].upper()]
