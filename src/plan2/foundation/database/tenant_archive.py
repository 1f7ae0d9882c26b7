"""One tenant in one file: every table as CSV, streamed, and a manifest that vouches for each byte.

The tables are read in one snapshot, so the file is the tenant at one moment while it goes on
trading. Memory stays constant: PostgreSQL streams, we hash and compress what comes by. Values are
as PostgreSQL writes them, without loss, and the event log keeps the very bytes that its chain of
hashes covers. What was sealed stays sealed. The reader is the role for jobs across tenants; every
use of it is written down in `plan2.admin_use` before it reads.
"""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import psycopg
from psycopg import sql

import plan2
from plan2.foundation.database.control import may_read_as_admin_job
from plan2.foundation.database.migrate import VERSION_TABLE
from plan2.foundation.database.registry import admin_of, as_owner
from plan2.foundation.database.roles import Access, connect
from plan2.foundation.database.tenancy import ADMIN_JOB_ROLE, OWNER_ROLE, schema_of
from plan2.foundation.errors import InputError
from plan2.foundation.values import TenantId

FORMAT: Final = "plan2-tenant-1"
MANIFEST: Final = "manifest.json"
TELL_EVERY_ROWS: Final = 2_000
COMPRESSION: Final = 1
"""Fast: rows of text shrink to a fifth already."""

Tell = Callable[[str, int, int], None]
"""Told the table at work, the rows done and the rows in all; called in the working thread."""

FIXED: Final = (
    "set local timezone = 'UTC'",
    "set local datestyle = 'ISO'",
    "set local intervalstyle = 'iso_8601'",
    "set local extra_float_digits = 1",
    "set local bytea_output = 'hex'",
)
"""How values are written, whatever the server's configuration says."""


class TableEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A table in the file; the hash is over its CSV with the head line, hex SHA-256."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str = ""

    @property
    def member(self) -> str:
        """Its name inside the file."""
        return f"tables/{self.name}.csv"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds.

    Attributes:
        revision: of the schema that the tables had.
        first_us, last_us: time of the first and the last event, 0 without any.
        log_position, log_hash: head of the event log.
    """

    format: str
    plan2: str
    tenant_id: TenantId
    name: str
    revision: str
    made_ns: int
    log_position: int
    log_hash: str
    first_us: int
    last_us: int
    tables: tuple[TableEntry, ...]


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """Who reads a tenant, and what for."""

    tenant_id: TenantId
    name: str
    purpose: str
    by: str
    made_ns: int


def export_tenant(access: Access, errand: Errand, target: Path, tell: Tell) -> Manifest:
    """Write a tenant into a file that appears whole or not at all, readable by its owner only.

    Raises:
        ConfigError: there is no administrator's address.
        OSError: the disk is full, or the folder cannot be written.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + ".part")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with (
                _reader(access, errand) as connection,
                zipfile.ZipFile(
                    file, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION
                ) as archive,
            ):
                manifest = _write(connection, errand, archive, tell)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return manifest


def read_manifest(path: Path) -> Manifest:
    """What an export says that it holds.

    Raises:
        InputError: it is not an export of ours.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
    except (OSError, KeyError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
        raise InputError(f"{path.name} is not an export of a tenant: {error}.") from error
    if found.format != FORMAT:
        raise InputError(f"{path.name} has the format {found.format!r}; {FORMAT!r} is expected.")
    return found


def check_export(path: Path, manifest: Manifest, tell: Tell) -> None:
    """Hold every table of the file against its hash.

    Raises:
        InputError: a byte was changed, or a table is missing.
    """
    with zipfile.ZipFile(path) as archive:
        for number, table in enumerate(manifest.tables):
            tell(f"checking {table.name}", number, len(manifest.tables))
            found = hashlib.sha256()
            try:
                with archive.open(table.member) as member:
                    while chunk := member.read(1 << 18):
                        found.update(chunk)
            except (KeyError, OSError, zipfile.BadZipFile) as error:
                raise InputError(f"{path.name} is damaged in {table.member}: {error}.") from error
            if found.hexdigest() != table.sha256:
                raise InputError(
                    f"{path.name} was changed: {table.member} has another hash than its manifest "
                    "says."
                )


def copy_out(connection: psycopg.Connection, table: TableEntry) -> Iterator[bytes]:
    """The rows of a table as CSV with a head line, in the order of its primary key."""
    query = sql.SQL("copy (select {} from {} order by {}) to stdout (format csv, header)").format(
        listed(table.columns), sql.Identifier(table.name), _key_of(connection, table)
    )
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        for chunk in copy:
            yield bytes(chunk)


def enter(connection: psycopg.Connection, role: str, tenant: TenantId) -> None:
    """Work as `role` inside one tenant until the transaction ends, with values written as fixed."""
    connection.execute(
        "select set_config('role', %s, true), set_config('app.tenant_id', %s, true), "
        "set_config('search_path', %s, true)",
        (role, tenant, schema_of(tenant)),
    )
    for statement in FIXED:
        connection.execute(statement)


def tables_of(connection: psycopg.Connection) -> list[TableEntry]:
    """The tables of the schema that the transaction works in; partitions are in their parents."""
    rows = connection.execute(
        """select c.relname, array_agg(a.attname::text order by a.attnum)
           from pg_class c join pg_attribute a on a.attrelid = c.oid
           where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
             and not c.relispartition and c.relname <> %s
             and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
           group by 1 order by 1""",
        [VERSION_TABLE],
    ).fetchall()
    return [
        TableEntry(name=name, columns=tuple(columns), rows=_count(connection, name))
        for name, columns in rows
    ]


@contextmanager
def _reader(access: Access, errand: Errand) -> Iterator[psycopg.Connection]:
    """A snapshot of one tenant that cannot write; its use is on record before it begins."""
    schema = sql.Identifier(schema_of(errand.tenant_id))
    with connect(admin_of(access)) as connection:
        role = ADMIN_JOB_ROLE if may_read_as_admin_job(connection) else OWNER_ROLE
    with as_owner(access) as connection:
        connection.execute(
            "insert into plan2.admin_use (role_name, tenant_id, purpose, used_by) "
            "values (%s, %s, %s, %s)",
            (role, errand.tenant_id, errand.purpose, errand.by),
        )
        if role == ADMIN_JOB_ROLE:
            for right in ("usage on schema {}", "select on all tables in schema {}"):
                connection.execute(
                    sql.SQL("grant " + right + " to {}").format(schema, sql.Identifier(role))
                )
    with connect(admin_of(access)) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        enter(connection, role, errand.tenant_id)
        yield connection


def _write(
    connection: psycopg.Connection, errand: Errand, archive: zipfile.ZipFile, tell: Tell
) -> Manifest:
    tables = tables_of(connection)
    total = sum(table.rows for table in tables)
    done, written = 0, []
    for table in tables:
        tell(table.name, done, total)
        found, lines = hashlib.sha256(), 0
        info = zipfile.ZipInfo(table.member)
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w", force_zip64=True) as member:
            for lines, chunk in enumerate(copy_out(connection, table)):
                found.update(chunk)
                member.write(chunk)
                if lines % TELL_EVERY_ROWS == 0:
                    tell(table.name, done + lines, total)
        done += table.rows
        written.append(msgspec.structs.replace(table, sha256=found.hexdigest()))
    manifest = _manifest(connection, errand, tuple(written))
    archive.writestr(
        zipfile.ZipInfo(MANIFEST), msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    )
    tell("", total, total)
    return manifest


def _manifest(
    connection: psycopg.Connection, errand: Errand, tables: tuple[TableEntry, ...]
) -> Manifest:
    revision = _one(connection, "select version_num from schema_revision")[0]
    position, head = _one(connection, "select pos, encode(hash, 'hex') from log_head")
    first, last = _one(
        connection,
        "select coalesce((extract(epoch from min(at)) * 1000000)::bigint, 0), "
        "coalesce((extract(epoch from max(at)) * 1000000)::bigint, 0) from event",
    )
    return Manifest(
        format=FORMAT,
        plan2=plan2.__version__,
        tenant_id=errand.tenant_id,
        name=errand.name,
        revision=str(revision),
        made_ns=errand.made_ns,
        log_position=int(str(position)),
        log_hash=str(head),
        first_us=int(str(first)),
        last_us=int(str(last)),
        tables=tables,
    )


def _one(connection: psycopg.Connection, query: str) -> tuple[object, ...]:
    row = connection.execute(query.encode()).fetchone()
    if row is None:
        raise InputError(f"The tenant's schema is not whole: no answer to {query!r}.")
    return tuple(row)


def _count(connection: psycopg.Connection, table: str) -> int:
    query = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _key_of(connection: psycopg.Connection, table: TableEntry) -> sql.Composed:
    """The columns that order a table: its primary key, or all of them without one."""
    rows = connection.execute(
        """select a.attname from pg_index i join pg_attribute a
               on a.attrelid = i.indrelid and a.attnum = any(i.indkey::int2[])
           where i.indrelid = %s::regclass and i.indisprimary
           order by array_position(i.indkey::int2[], a.attnum)""",
        [sql.Identifier(table.name).as_string(connection)],
    ).fetchall()
    return listed(tuple(row[0] for row in rows) or table.columns)


def listed(columns: tuple[str, ...]) -> sql.Composed:
    """Names of columns as a statement lists them."""
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)
