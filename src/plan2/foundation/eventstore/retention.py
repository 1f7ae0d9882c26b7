"""Months older than seven years leave the database: exported, verified, and only then dropped.

What the rest of the log's chain and Merkle tree start from stays behind, so both verify across the
boundary. Nothing is archived under a legal hold, before it is covered by a signed checkpoint, or
out of order. Runs as the owner of the tables, in a thread.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import psycopg
from psycopg import sql

from plan2.foundation.clock import Clock
from plan2.foundation.database.roles import Access, connect
from plan2.foundation.database.tenancy import OWNER_ROLE, schema_of
from plan2.foundation.errors import Plan2Error
from plan2.foundation.eventstore.audit import Boundary
from plan2.foundation.eventstore.audit_file import AuditFileWriter, verify_file
from plan2.foundation.eventstore.checkpoints import CheckpointFile, Signer
from plan2.foundation.eventstore.log_reading import BOUNDARY, boundary_in
from plan2.foundation.eventstore.log_tree import hashes_file
from plan2.foundation.eventstore.merkle import HASH_BYTES, leaf_hash
from plan2.foundation.eventstore.store import SELECT, from_row
from plan2.foundation.log import logger
from plan2.foundation.values import NS_PER_SECOND, TenantId

YEARS: Final = 7
LOCK_TIMEOUT: Final = "2s"
PAGE: Final = 2_000
MONTH: Final = re.compile(r"event_(\d{4})_(\d{2})")


class ArchiveRefused(Plan2Error):
    """A month cannot be archived; nothing was dropped."""

    code = "archive_refused"


class ArchivedMonth(msgspec.Struct, frozen=True, kw_only=True):
    """A month that left the database, and the file that it is in."""

    month: str
    first_position: int
    last_position: int
    events: int
    file: str
    sha256: str


class Retention:
    """Archives the old months of one tenant after the other.

    Args:
        access: with the administrator's address; without it nothing is archived.
        archive: the folder for archived months; one folder per tenant in it.
        checkpoints: the folder of checkpoints.
        signer: signs the files. clock: wall clock.
    """

    def __init__(
        self, access: Access, archive: Path, checkpoints: Path, signer: Signer, clock: Clock
    ) -> None:
        self._access = access
        self._archive = archive
        self._checkpoints = checkpoints
        self._signer = signer
        self._clock = clock

    def run(self, tenant: TenantId) -> list[ArchivedMonth]:
        """Archive every month that is due, oldest first; blocks for as long as it takes.

        Raises:
            ArchiveRefused: a month is due and cannot be archived; it says why.
            StoreBusy: the database does not answer.
        """
        if self._access.admin is None:
            return []
        with connect(self._access.admin) as connection:
            due = self._due(connection, tenant)
            return [self._archive_month(connection, tenant, table) for table in due]

    def _due(self, connection: psycopg.Connection, tenant: TenantId) -> list[str]:
        """The partitions whose month ended seven years ago, oldest first."""
        with _inside(connection, tenant):
            held = _hold(connection)
            rows = connection.execute(
                "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid "
                "where i.inhparent = 'event'::regclass order by c.relname"
            ).fetchall()
            limit = connection.execute(
                "select to_timestamp(%s) at time zone 'UTC' - make_interval(years => %s)",
                (self._clock.now_ns() / NS_PER_SECOND, YEARS),
            ).fetchone()
        months = [row[0] for row in rows if MONTH.fullmatch(row[0])]
        first_kept = f"event_{limit[0]:%Y_%m}" if limit else ""
        due = [name for name in months if name < first_kept]
        if held and due:
            logger("retention").info("months_held", tenant_id=tenant, hold=held, months=len(due))
            return []
        return due

    def _archive_month(
        self, connection: psycopg.Connection, tenant: TenantId, table: str
    ) -> ArchivedMonth:
        folder = self._archive / tenant
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{table}.jsonl"
        with _inside(connection, tenant):
            boundary = boundary_in(connection.execute(BOUNDARY).fetchone())
            after = self._export(connection, tenant, table, boundary, target)
        if after.position == boundary.position:
            with _inside(connection, tenant):
                self._drop(connection, table)
            return self._archived(table, boundary, after, target, "")
        report = verify_file(target, self._signer.public_key)
        fits = (report.chain.last_position, report.chain.head_hash) == (
            after.position,
            after.hash.hex(),
        )
        if not (report.is_whole and fits):
            raise ArchiveRefused(f"{target} does not verify: {report.chain.broken}.")
        with target.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        month = self._archived(table, boundary, after, target, sha256)
        with _inside(connection, tenant):
            if held := _hold(connection):  # placed while the file was written
                raise ArchiveRefused(f"{table} stays: hold {held} was placed.")
            _check_still_so(connection, table, month)
            _remember(connection, month, after, self._clock.now_ns())
            self._drop(connection, table)
        logger("retention").info(
            "month_archived", tenant_id=tenant, month=table, events=month.events
        )
        return month

    def _export(
        self,
        connection: psycopg.Connection,
        tenant: TenantId,
        table: str,
        boundary: Boundary,
        target: Path,
    ) -> Boundary:
        """Write a month's file and its hashes; where the log begins once the month is gone."""
        frontier, position = boundary.frontier.copy(), boundary.position
        at_us, last_hash = boundary.at_us, boundary.hash
        last = _last_position(connection, table)
        lines = CheckpointFile(self._checkpoints, tenant).read()
        if last and (not lines or lines[-1].size < last):
            raise ArchiveRefused(f"{table} is not covered by a signed checkpoint yet.")
        hashes = hashes_file(self._archive, tenant)
        with target.open("wb") as file, _hashes_from(hashes, position) as hash_file:
            writer = AuditFileWriter(file, self._signer)
            writer.begin(tenant, self._clock.now_ns() // 1_000, boundary)
            writer.add_checkpoints([line for line in lines if line.size <= last])
            for row in _rows(connection, table, boundary.position):
                event = from_row(row)
                if event.position != position + 1:
                    raise ArchiveRefused(f"{table} holds event {event.position}, not the next one.")
                writer.add_event(event)
                hash_file.write(event.hash)
                frontier.append(leaf_hash(event.hash))
                position, at_us, last_hash = event.position, event.at_us, event.hash
            writer.finish()
            for each in (file, hash_file):
                each.flush()
                os.fsync(each.fileno())
        return Boundary(position=position, at_us=at_us, hash=last_hash, frontier=frontier)

    def _drop(self, connection: psycopg.Connection, table: str) -> None:
        name = sql.Identifier(table)
        connection.execute(sql.SQL("alter table event detach partition {}").format(name))
        connection.execute(sql.SQL("drop table {}").format(name))

    def _archived(
        self, table: str, boundary: Boundary, after: Boundary, target: Path, sha256: str
    ) -> ArchivedMonth:
        return ArchivedMonth(
            month=table.removeprefix("event_"),
            first_position=boundary.position + 1,
            last_position=after.position,
            events=after.position - boundary.position,
            file=target.name,
            sha256=sha256,
        )


@contextmanager
def _inside(connection: psycopg.Connection, tenant: TenantId) -> Iterator[None]:
    """A transaction as the owner of the tenant's tables; it never waits long for a lock."""
    with connection.transaction():
        connection.execute(
            "select set_config('app.tenant_id', %s, true), set_config('search_path', %s, true), "
            "set_config('lock_timeout', %s, true)",
            (tenant, schema_of(tenant), LOCK_TIMEOUT),
        )
        connection.execute(f"set local role {OWNER_ROLE}")
        yield


def _hold(connection: psycopg.Connection) -> str:
    """A legal hold that is in force; "" when none is."""
    row = connection.execute(
        "select hold_id from legal_hold where lifted_ns is null limit 1"
    ).fetchone()
    return str(row[0]) if row else ""


def _last_position(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(
        sql.SQL("select coalesce(max(pos), 0) from {}").format(sql.Identifier(table))
    ).fetchone()
    return int(row[0]) if row else 0


def _rows(connection: psycopg.Connection, table: str, after: int) -> Iterator[tuple[Any, ...]]:
    """The month's events in order, a page at a time; values of many SQL types."""
    query = sql.SQL("{} where pos > %s order by pos limit %s").format(
        sql.SQL(SELECT.replace("from event ", "from ")) + sql.Identifier(table)
    )
    while True:
        page = connection.execute(query, (after, PAGE)).fetchall()
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1][0]


@contextmanager
def _hashes_from(path: Path, position: int) -> Iterator[BinaryIO]:
    """The file of chain hashes, open behind those of the events up to a position."""
    path.touch()
    with path.open("r+b") as file:
        file.truncate(position * HASH_BYTES)
        file.seek(position * HASH_BYTES)
        yield file


def _check_still_so(connection: psycopg.Connection, table: str, month: ArchivedMonth) -> None:
    """Nothing came into the month meanwhile, and no event up to its last lies elsewhere."""
    row = connection.execute(
        sql.SQL(
            "select count(*), max(pos), (select count(*) from event where pos <= %s), "
            "(select pos from log_head) from {}"
        ).format(sql.Identifier(table)),
        (month.last_position,),
    ).fetchone()
    if row is None or row[:3] != (month.events, month.last_position, month.events):
        raise ArchiveRefused(f"{table} is not what was exported: {row} instead of {month}.")
    if row[3] <= month.last_position:
        raise ArchiveRefused(f"{table} holds the log's newest event, which stays.")


def _remember(
    connection: psycopg.Connection, month: ArchivedMonth, after: Boundary, now_ns: int
) -> None:
    connection.execute(
        "insert into archived_month (month, first_pos, last_pos, last_at, last_hash, frontier, "
        "events, file_name, file_sha256, archived_ns) "
        "values (%s, %s, %s, at_of(%s), %s, %s, %s, %s, %s, %s)",
        (
            month.month,
            month.first_position,
            month.last_position,
            after.at_us,
            after.hash,
            msgspec.msgpack.encode(after.frontier),
            month.events,
            month.file,
            month.sha256,
            now_ns,
        ),
    )
    connection.execute("delete from seen_event where pos <= %s", (month.last_position,))
