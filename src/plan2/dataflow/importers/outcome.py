"""What importing a file did, for programs and for people."""

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Outcome:
    """What storing a file did: rows = the five counts added up; times UTC ns."""

    rows: int = 0
    rejected: int = 0
    added: int = 0
    duplicates: int = 0
    replaced: int = 0
    conflicting: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    period_s: int | None = None
    warnings: tuple[str, ...] = ()


class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file: rows = rejected + added + duplicates + replaced + conflicting.

    Attributes:
        kind: ticks or bars. clock: in whose time the file is written.
        first, last: of the rows, ISO 8601 UTC with milliseconds; None in a file without rows.
        rejected: ticks set aside in quarantine. replaced, conflicting: bars, see `BarMergeResult`.
        not_kept: columns that the archive has no place for.
        dry_run: nothing was stored; the counts say what would have happened.
    """

    file: str
    kind: str
    symbol: str
    format: str
    clock: str
    period_s: int | None
    rows: int
    rejected: int
    added: int
    duplicates: int
    replaced: int
    conflicting: int
    first: str | None
    last: str | None
    sha256: str
    imported_before: bool
    dry_run: bool
    not_kept: tuple[str, ...]
    warnings: tuple[str, ...]
