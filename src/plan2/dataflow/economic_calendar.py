"""The economic calendar, point in time: what was known to be scheduled, and what was published.

Each import is a Parquet file below `<data_dir>/calendar` and never changes. A file taken in as a
*record* of the past says nothing about when its dates became known: they count as known a week
before, and figures as published a minute after the scheduled time. Every other file counts from the
moment it was imported, two minutes later at the full minute, so that a running product has read it
by then. What a later file leaves out of the future that it covers is withdrawn from then on. A
figure that was published once is never replaced: revisions are kept in the files and not used.
"""

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

import msgspec
import polars as pl

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY, NS_PER_MINUTE

RECORD_LEAD_NS = 7 * NS_PER_DAY
RECORD_DELAY_NS = NS_PER_MINUTE
FOR_EVER_NS = 2**63 - 1
NONE, LOW, MEDIUM, HIGH = range(4)
IMPACTS = ("none", "low", "medium", "high")
SCHEMA = {
    "at_ns": pl.Int64,
    "currency": pl.String,
    "name": pl.String,
    "impact": pl.Int8,
    "forecast": pl.Float64,
    "actual": pl.Float64,
    "known_ns": pl.Int64,
    "published_ns": pl.Int64,
}


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a calendar file; figures NaN where it states none. Times UTC ns."""

    at_ns: int
    currency: str
    name: str
    impact: int
    forecast: float = math.nan
    actual: float = math.nan


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An event as all imports together tell it.

    It was known to be scheduled at `known_from_ns` ≤ t < `known_until_ns`; `actual` is the figure
    that was published first, at `published_ns`, and `forecast` what was expected of it.
    """

    at_ns: int
    currency: str
    name: str
    impact: int
    known_from_ns: int
    known_until_ns: int = FOR_EVER_NS
    forecast: float = math.nan
    actual: float = math.nan
    published_ns: int = FOR_EVER_NS


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was taken in; `is_record`: of the past, as it happened."""

    file: str
    known_ns: int
    is_record: bool
    events: int


def known_time(now_ns: int) -> int:
    """When something imported now counts as known: the full minute after the next one."""
    return (now_ns // NS_PER_MINUTE + 2) * NS_PER_MINUTE


class EconomicCalendar:
    """The imports of a data folder and what they say together."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, stated: Sequence[Stated], now_ns: int, *, is_record: bool) -> Import:
        """Take a file in; the same contents again change nothing.

        Raises:
            InputError: there is nothing in it.
        """
        if not stated:
            raise InputError("There is no event in this calendar.")
        known_ns = known_time(now_ns)
        rows = [
            (
                each.at_ns, each.currency, each.name, each.impact, each.forecast, each.actual,
                each.at_ns - RECORD_LEAD_NS if is_record else known_ns,
                each.at_ns + RECORD_DELAY_NS if is_record else known_ns,
            )
            for each in sorted(stated, key=lambda each: (each.at_ns, each.currency, each.name))
        ]  # fmt: skip
        digest = hashlib.sha256(msgspec.msgpack.encode([row[:6] for row in rows])).hexdigest()[:12]
        for kept in self.imports():
            if kept.file.endswith(f"-{digest}.parquet") and kept.is_record == is_record:
                return kept
        kind = "record" if is_record else "told"
        file = self._folder / f"{known_ns}-{kind}-{digest}.parquet"
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        pl.DataFrame(rows, schema=SCHEMA, orient="row").write_parquet(fresh)
        fresh.replace(file)
        return Import(file=file.name, known_ns=known_ns, is_record=is_record, events=len(rows))

    def imports(self) -> tuple[Import, ...]:
        """What was taken in, oldest first."""
        found = []
        for file in self.files():
            known, kind, _ = file.stem.split("-")
            events = int(pl.scan_parquet(file).select(pl.len()).collect().item())
            is_record = kind == "record"
            found.append(
                Import(file=file.name, known_ns=int(known), is_record=is_record, events=events)
            )
        return tuple(found)

    def files(self) -> tuple[Path, ...]:
        """The files, oldest first; a change of this list means new events."""
        return tuple(sorted(self._folder.glob("*-*-*.parquet")))

    def entries(self, currencies: Sequence[str] = (), least: int = NONE) -> tuple[Entry, ...]:
        """Every event as it was known and published first, by time.

        `currencies`: only these, none = all. `least`: only events of this impact or more.
        """
        merged: dict[EventKey, Entry] = {}
        withdrawn: list[Entry] = []
        for file in self.files():
            asked = pl.col("impact") >= least
            if currencies:
                asked &= pl.col("currency").is_in(list(currencies))
            rows = pl.scan_parquet(file).filter(asked).collect().rows(named=True)
            told = [msgspec.convert(row, Told) for row in rows]
            if told and file.stem.split("-")[1] == "told":
                withdrawn += _withdrawn(merged, told)
            for each in told:
                merged[each.key] = _merged(merged.get(each.key), each)
        return tuple(sorted([*merged.values(), *withdrawn], key=lambda entry: entry.at_ns))


EventKey = tuple[int, str, str]


class Told(Stated, frozen=True, kw_only=True):
    """A line of a kept file, and from when it counts."""

    known_ns: int
    published_ns: int

    @property
    def key(self) -> EventKey:
        """What makes it this event."""
        return self.at_ns, self.currency, self.name


def _merged(known: Entry | None, told: Told) -> Entry:
    """An event with one more statement about it; the figure published first stays."""
    published_ns = FOR_EVER_NS if math.isnan(told.actual) else told.published_ns
    fresh = Entry(
        at_ns=told.at_ns,
        currency=told.currency,
        name=told.name,
        impact=told.impact,
        known_from_ns=told.known_ns,
        forecast=told.forecast,
        actual=told.actual,
        published_ns=published_ns,
    )
    if known is None:
        return fresh
    first = known if known.published_ns <= published_ns else fresh
    return msgspec.structs.replace(
        first,
        impact=max(known.impact, told.impact),
        known_from_ns=min(known.known_from_ns, told.known_ns),
        forecast=told.forecast if math.isnan(first.forecast) else first.forecast,
    )


def _withdrawn(merged: dict[EventKey, Entry], told: Sequence[Told]) -> list[Entry]:
    """Events of the future that a file covers and does not name; they are off from its time on."""
    now_ns, last_ns = told[0].known_ns, max(each.at_ns for each in told)
    first_ns = max(now_ns, min(each.at_ns for each in told))
    currencies = {each.currency for each in told}
    named = {each.key for each in told}
    off = [
        key
        for key, entry in merged.items()
        if first_ns < entry.at_ns <= last_ns and entry.currency in currencies and key not in named
    ]
    return [msgspec.structs.replace(merged.pop(key), known_until_ns=now_ns) for key in off]
