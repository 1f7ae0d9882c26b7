"""Put one tenant back from its export into a fresh schema; no other tenant is touched.

The file is checked first. The schema is made at the revision of the export, takes the rows, and is
read back and compared with the manifest before it counts; then it is brought to the newest
revision. Row security lets a table's owner in only while the rows come; the CHECK on every table
holds all the time, so rows of another tenant cannot enter.
"""

import hashlib
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from graphlib import TopologicalSorter
from pathlib import Path

import psycopg
from psycopg import sql

from plan2.foundation.database.migrate import Migrator, newest_revision
from plan2.foundation.database.registry import admin_of
from plan2.foundation.database.roles import Access, connect
from plan2.foundation.database.tenancy import OWNER_ROLE
from plan2.foundation.database.tenant_archive import (
    TELL_EVERY_ROWS,
    Manifest,
    TableEntry,
    Tell,
    check_export,
    copy_out,
    enter,
    listed,
    read_manifest,
    tables_of,
)
from plan2.foundation.errors import InputError, InvariantBroken
from plan2.foundation.values import NS_PER_SECOND

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHUNK_BYTES = 1 << 18


def restore_tenant(access: Access, path: Path, now_ns: int, tell: Tell) -> Manifest:
    """Make the schema of an export's tenant anew from it; what the schema held before is gone.

    Args:
        access: with the administrator's address.
        path: the export.
        now_ns: UTC nanoseconds; decides which months get a partition.
        tell: told what is under way.

    Raises:
        InputError: the file is damaged, or comes from a newer Plan2.
        InvariantBroken: what was stored is not what was read; nothing was kept.
        StoreBusy: the tables are in use.
    """
    manifest = read_manifest(path)
    if manifest.revision > newest_revision():
        raise InputError(
            f"{path.name} has revision {manifest.revision}; this Plan2 knows {newest_revision()}.",
            remedy=f"Use Plan2 {manifest.plan2} or newer.",
        )
    check_export(path, manifest, tell)
    migrator = Migrator(admin_of(access))
    try:
        migrator.drop(manifest.tenant_id)
        migrator.upgrade_fresh(manifest.tenant_id, manifest.revision)
        with connect(admin_of(access)) as connection:
            enter(connection, OWNER_ROLE, manifest.tenant_id)
            _take(connection, path, manifest, tell)
        migrator.ensure_tenant(manifest.tenant_id, now_ns)
    finally:
        migrator.close()
    return manifest


def _take(connection: psycopg.Connection, path: Path, manifest: Manifest, tell: Tell) -> None:
    """Copy every table in, and compare what is there then with the manifest."""
    for month in _months(manifest):
        connection.execute("select ensure_month(%s)", [month])
    tables = _in_order(connection, manifest)
    for table in tables:
        connection.execute(_alter(table, "no force row level security"))
    for table in reversed(tables):
        _empty(connection, table)
    done, total = 0, sum(table.rows for table in tables)
    with zipfile.ZipFile(path) as archive:
        for table in tables:
            tell(table.name, done, total)
            for rows in _copy_in(connection, archive, table):
                tell(table.name, min(done + rows, total), total)
            _set_sequences(connection, table)
            done += table.rows
    for table in tables:
        tell(f"comparing {table.name}", done, total)
        _compare(connection, table)
        connection.execute(_alter(table, "force row level security"))


def _in_order(connection: psycopg.Connection, manifest: Manifest) -> list[TableEntry]:
    """The export's tables, those first that others refer to."""
    wanted = {table.name: table for table in manifest.tables}
    present = {table.name: table for table in tables_of(connection)}
    if {name: set(table.columns) for name, table in wanted.items()} != {
        name: set(table.columns) for name, table in present.items()
    }:
        raise InputError(
            f"The tables of the export are not those of revision {manifest.revision}.",
            remedy=f"Restore it with Plan2 {manifest.plan2}.",
        )
    order = TopologicalSorter[str](dict.fromkeys(wanted, ()))
    for table, referred in connection.execute(
        """select c.relname, r.relname from pg_constraint k
           join pg_class c on c.oid = k.conrelid join pg_class r on r.oid = k.confrelid
           where k.contype = 'f' and k.connamespace = current_schema()::regnamespace
             and k.conrelid <> k.confrelid and not c.relispartition"""
    ):
        order.add(table, referred)
    return [wanted[name] for name in order.static_order()]


def _copy_in(
    connection: psycopg.Connection, archive: zipfile.ZipFile, table: TableEntry
) -> Iterator[int]:
    """Stream a table in; yields about how many rows have gone."""
    query = sql.SQL("copy {} ({}) from stdin (format csv, header match)").format(
        sql.Identifier(table.name), listed(table.columns)
    )
    rows = told = 0
    with (
        archive.open(table.member) as member,
        connection.cursor() as cursor,
        cursor.copy(query) as copy,
    ):
        while chunk := member.read(CHUNK_BYTES):
            copy.write(chunk)
            rows += chunk.count(b"\n")
            if rows - told >= TELL_EVERY_ROWS:
                told = rows
                yield rows


def _compare(connection: psycopg.Connection, table: TableEntry) -> None:
    found = hashlib.sha256()
    for chunk in copy_out(connection, table):
        found.update(chunk)
    if found.hexdigest() != table.sha256:
        raise InvariantBroken(f"table {table.name} reads back otherwise than the export says")


def _empty(connection: psycopg.Connection, table: TableEntry) -> None:
    """Take out what a revision put in when it made the table."""
    name = sql.Identifier(table.name)
    if connection.execute(sql.SQL("select 1 from {} limit 1").format(name)).fetchone():
        connection.execute(sql.SQL("delete from {}").format(name))


def _set_sequences(connection: psycopg.Connection, table: TableEntry) -> None:
    """Let sequences go on after the greatest value that came in."""
    name = sql.Identifier(table.name)
    for column in table.columns:
        found = connection.execute(
            "select pg_get_serial_sequence(%s, %s)", [name.as_string(connection), column]
        ).fetchone()
        if found is not None and found[0] is not None:
            query = sql.SQL(
                "select setval(%s, coalesce(max({c}), 1), max({c}) is not null) from {}"
            )
            connection.execute(query.format(name, c=sql.Identifier(column)), [found[0]])


def _alter(table: TableEntry, change: str) -> sql.Composed:
    return sql.SQL("alter table {} " + change).format(sql.Identifier(table.name))


def _months(manifest: Manifest) -> Iterator[datetime]:
    """The first day of every month that events of the export lie in."""
    if not manifest.last_us:
        return
    last = EPOCH + timedelta(microseconds=manifest.last_us)
    month = (EPOCH + timedelta(seconds=manifest.first_us * 1_000 // NS_PER_SECOND)).replace(
        day=1, hour=0, minute=0, second=0
    )
    while month <= last:
        yield month
        month = (month + timedelta(days=32)).replace(day=1)
