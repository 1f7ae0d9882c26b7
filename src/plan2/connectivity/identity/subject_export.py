"""Everything about one person as a ZIP of JSON and CSV, complete against the data map."""

import hashlib
import zipfile
from collections.abc import AsyncIterator, Sequence
from typing import IO, Any, Final

import msgspec

from plan2.connectivity.identity.privacy import NobodyThere, parameters_of
from plan2.connectivity.identity.privacy_map import EVENTS, TABLES
from plan2.connectivity.identity.privacy_terms import EventMap, Fate, TableMap
from plan2.foundation.clock import Clock
from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.events.people import SubjectExported
from plan2.foundation.events.recording import Record
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.sealing_events import open_personal
from plan2.foundation.eventstore.store import OpenUnit, select
from plan2.foundation.safe_csv import safe
from plan2.foundation.secrets.sealing import Sealer
from plan2.foundation.values import TenantId

PAGE: Final = 1_000
WITHHELD: Final = "withheld: it would let its reader in"
ABOUT: Final = """What Plan2 keeps about you.

One JSON and one CSV file per table, and the events about you or by you; data_map.json says for each
place why it is kept, on which legal basis and for how long. Times in *_ns are nanoseconds, in *_us
microseconds since 1970, UTC. Hashes of passwords, keys and codes are withheld. CSV cells that a
spreadsheet could take for a formula begin with an apostrophe.
"""
EVENT_COLUMNS: Final = ("position", "at_us", "type", "stream_id", "actor", "payload", "personal")
EVENTS_OF: Final = (
    "where pos > %s and (stream_id = %s or actor = %s or key_id = %s "
    "or payload->>'decided_by' = %s or payload->>'actor' = %s) order by pos limit %s"
)


class SubjectExport:
    """Hands out what is known about a person.

    Args:
        open_unit: opens a unit of work of a tenant.
        sealer: opens the personal fields of events.
        clock: wall clock. record: tells the tenant's log of each export.
    """

    def __init__(self, open_unit: OpenUnit, sealer: Sealer, clock: Clock, record: Record) -> None:
        self._unit = open_unit
        self._sealer = sealer
        self._clock = clock
        self._record = record

    async def write(self, tenant: TenantId, user_id: str, by: str, target: IO[bytes]) -> str:
        """Write the ZIP; returns its SHA-256 in hex.

        Raises:
            NobodyThere: the tenant has no such person.
        """
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("README.txt", ABOUT)
            archive.writestr("data_map.json", msgspec.json.format(msgspec.json.encode(data_map())))
            async with self._unit(tenant) as uow:
                await _check_there(uow, user_id)
                for table in TABLES:
                    names, rows = await _rows(uow, table, user_id)
                    _write_table(archive, table.table, names, rows)
            await self._write_events(archive, tenant, user_id)
        target.seek(0)
        sha256 = hashlib.file_digest(target, "sha256").hexdigest()  # type: ignore[arg-type]  # any binary file
        event = SubjectExported(
            ts_ns=self._clock.now_ns(), subject_id=user_id, sha256=sha256, by=by
        )
        self._record(tenant, f"user:{user_id}", event, actor=by)
        return sha256

    async def _write_events(self, archive: zipfile.ZipFile, tenant: TenantId, user_id: str) -> None:
        """Events page by page, so that a long history fits into memory."""
        with archive.open("events.jsonl", "w", force_zip64=True) as lines:
            async for row in self._events(tenant, user_id):
                lines.write(msgspec.json.encode(dict(zip(EVENT_COLUMNS, row, strict=True))) + b"\n")
        with archive.open("events.csv", "w", force_zip64=True) as table:
            table.write(_csv_line(EVENT_COLUMNS))
            async for row in self._events(tenant, user_id):
                texts = [*row[:5], msgspec.json.encode(row[5]).decode(),
                         msgspec.json.encode(row[6]).decode()]  # fmt: skip
                table.write(_csv_line(texts))

    async def _events(self, tenant: TenantId, user_id: str) -> AsyncIterator[Sequence[Any]]:
        """What the log says about a person; values of several types."""
        actor, after = f"user:{user_id}", 0
        while True:
            values = (after, actor, actor, user_id, actor, actor, PAGE)
            async with self._unit(tenant) as uow:
                page = await select(uow.raw, EVENTS_OF, values)
            for event in page:
                yield await self._event_row(tenant, event)
            if len(page) < PAGE:
                return
            after = page[-1].position

    async def _event_row(self, tenant: TenantId, event: StoredEvent) -> Sequence[Any]:
        opened = await open_personal(self._sealer, tenant, event)
        place = (event.position, event.at_us, event.type, event.stream_id, event.actor)
        return (*place, event.data, opened.fields)


def data_map() -> list[dict[str, str]]:
    """The data map as a flat list: one entry per column and event field."""
    columns = [
        _entry(f"{table.table}.{column}", table, table.fate)
        for table in TABLES
        for column in (*table.personal, *table.secret)
    ]
    fields = [_entry(f"event {each.event}.{each.field}", each, each.fate) for each in EVENTS]
    return columns + fields


def _entry(place: str, declared: TableMap | EventMap, fate: Fate) -> dict[str, str]:
    return {
        "place": place,
        "category": declared.category,
        "purpose": declared.purpose,
        "legal_basis": declared.basis,
        "retention": declared.retention,
        "on_erasure": str(fate),
    }


async def _check_there(uow: UnitOfWork, user_id: str) -> None:
    cursor = await uow.raw.execute("select 1 from app_user where user_id = %s", (user_id,))
    if await cursor.fetchone() is None:
        raise NobodyThere(f"There is no person {user_id!r}.")


async def _rows(
    uow: UnitOfWork, table: TableMap, user_id: str
) -> tuple[list[str], list[list[object]]]:
    """A person's rows; secrets are named and withheld."""
    names = [*table.personal, *table.plain]
    query = f"select {', '.join(names)} from {table.table} where {table.subject}"  # noqa: S608 - the map's own words
    cursor = await uow.raw.execute(query, parameters_of(user_id))
    found = [[_shown(value) for value in row] for row in await cursor.fetchall()]
    return [*names, *table.secret], [[*row, *[WITHHELD] * len(table.secret)] for row in found]


def _shown(value: object) -> object:
    """A value that JSON can hold."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "backslashreplace")
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return str(value)


def _write_table(
    archive: zipfile.ZipFile, name: str, names: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    plain = [dict(zip(names, row, strict=True)) for row in rows]
    archive.writestr(f"{name}.json", msgspec.json.format(msgspec.json.encode(plain)))
    archive.writestr(f"{name}.csv", b"".join(_csv_line(row) for row in (names, *rows)))


def _csv_line(values: Sequence[object]) -> bytes:
    cells = (safe(value).replace('"', '""') for value in values)
    return (",".join(f'"{cell}"' for cell in cells) + "\r\n").encode()
