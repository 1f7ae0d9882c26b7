"""The paper account on disk: what a broker must not forget when the process is killed.

One SQLite file per account, WAL with synchronous=FULL: `write` returns when the change is durable,
and a change is there whole or not at all. One process at a time holds the file. Readable with any
SQLite tool; the data columns are JSON.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import msgspec

from plan2.dataflow.terminals.port import Deal
from plan2.dataflow.terminals.simulated.book import BalanceOperation, Position
from plan2.dataflow.terminals.simulated.orders import BrokerOrder
from plan2.dataflow.terminals.simulated.rolling import Rolled
from plan2.foundation.errors import ConfigError, JournalLost
from plan2.foundation.values import Tick

T = TypeVar("T")

VERSION = 2
"""Of the tables below, kept in SQLite's `user_version`; 1 did not know pending orders."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS header (id INTEGER PRIMARY KEY CHECK (id = 1), data TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS place (id INTEGER PRIMARY KEY, ts_ns INTEGER, market BLOB)",
    "CREATE TABLE IF NOT EXISTS positions (identifier TEXT PRIMARY KEY, data TEXT NOT NULL)",
    (
        "CREATE TABLE IF NOT EXISTS orders"
        " (ticket INTEGER PRIMARY KEY, is_working INTEGER NOT NULL, data TEXT NOT NULL)"
    ),
    (
        "CREATE TABLE IF NOT EXISTS deals"
        " (id INTEGER PRIMARY KEY, ticket TEXT NOT NULL UNIQUE, data TEXT NOT NULL)"
    ),
    "CREATE TABLE IF NOT EXISTS operations (ticket INTEGER PRIMARY KEY, data TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY) WITHOUT ROWID",
)
FROM_1_BEFORE = (
    "ALTER TABLE deals RENAME TO deals_1",
    "ALTER TABLE positions RENAME COLUMN ticket TO identifier",
    "UPDATE positions SET data = json_set(data, '$.identifier', identifier)",
)
FROM_1_AFTER = (
    "INSERT INTO deals SELECT ticket, CAST(ticket AS TEXT), data FROM deals_1",
    "DROP TABLE deals_1",
    (
        "INSERT INTO operations SELECT 1000000001, json_object('ticket', '1000000001', 'ts_ns',"
        " json_extract(data, '$.origin_ns'), 'amount', json_extract(data, '$.deposit'),"
        " 'comment', 'deposit') FROM header"
    ),
)
"""What brings a file of version 1 to version 2, before and after the missing tables are made."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Whose account it is, on which market, and its counters.

    `origin_ns`: the market's first instant; `rollover_ns`: the next rollover not yet booked.
    """

    account: str
    currency: str
    is_hedging: bool
    market: str
    origin_ns: int
    deposit: Decimal
    balance: Decimal
    last_order: int
    rollover_ns: int
    quotes: tuple[Tick, ...]


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in the file; the market goes on at `ts_ns`, `market` is the source's state.

    `orders`: working and ended ones, by ticket.
    """

    header: Header
    positions: tuple[Position, ...]
    orders: tuple[BrokerOrder, ...]
    deals: tuple[Deal, ...]
    operations: tuple[BalanceOperation, ...]
    tokens: frozenset[str]
    ts_ns: int
    market: bytes


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is written at once: all positions and working orders, and all else that is new."""

    header: Header
    positions: tuple[Position, ...]
    working: tuple[BrokerOrder, ...]
    ended: tuple[BrokerOrder, ...]
    deals: tuple[Deal, ...]
    operations: tuple[BalanceOperation, ...]
    tokens: tuple[str, ...]
    ts_ns: int


class AccountFile:
    """Reads and writes one account; made by `open_account_file`."""

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database

    def load(self) -> Saved | None:
        """The account as it was last written, None for a new file.

        Raises:
            ConfigError: when the file's content cannot be understood.
        """
        try:
            return self._load()
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            raise ConfigError(
                f"account file {self.path}: cannot be read ({error})",
                remedy="Restore it from a backup, or move it away to start a new account.",
            ) from error

    def write(self, change: Change) -> None:
        """Make a change durable.

        Raises:
            JournalLost: when the disk does not take it; the account must not go on.
        """
        open_now = [(one.identifier, _text(one)) for one in change.positions]
        working = [(int(one.ticket), 1, _text(one)) for one in change.working]
        ended = [(int(one.ticket), 0, _text(one)) for one in change.ended]
        deals = [(deal.ticket, _text(deal)) for deal in change.deals]
        with self._transaction() as database:
            _put_header(database, change.header)
            database.execute("DELETE FROM positions")
            database.executemany("INSERT INTO positions VALUES (?, ?)", open_now)
            database.execute("DELETE FROM orders WHERE is_working")
            database.executemany("INSERT INTO orders VALUES (?, ?, ?)", working + ended)
            database.executemany("INSERT INTO deals (ticket, data) VALUES (?, ?)", deals)
            _put_operations(database, change.operations)
            tokens = [(token,) for token in change.tokens]
            database.executemany("INSERT OR IGNORE INTO tokens VALUES (?)", tokens)
            database.execute("UPDATE place SET ts_ns = ?", (change.ts_ns,))

    def begin(self, header: Header, operations: Sequence[BalanceOperation], ts_ns: int) -> None:
        """Write a new account that stands at the market time `ts_ns`."""
        with self._transaction() as database:
            _put_header(database, header)
            _put_operations(database, operations)
            database.execute("INSERT INTO place VALUES (1, ?, ?)", (ts_ns, b""))

    def roll_off(self, rolled: Rolled) -> None:
        """Let go of old deals and orders; in one piece with the operation that holds their sum.

        Raises:
            JournalLost: when the disk does not take it; the file is as it was.
        """
        total = rolled.total
        with self._transaction() as database:
            database.executemany("DELETE FROM deals WHERE ticket = ?", [(t,) for t in rolled.deals])
            tickets = [(int(ticket),) for ticket in rolled.orders]
            database.executemany("DELETE FROM orders WHERE ticket = ?", tickets)
            database.execute(
                "INSERT OR REPLACE INTO operations VALUES (?, ?)", (int(total.ticket), _text(total))
            )

    def note_place(self, ts_ns: int, market: bytes) -> None:
        """Remember where the market stands, so that a restart goes on from there."""
        with self._transaction() as database:
            database.execute("UPDATE place SET ts_ns = ?, market = ?", (ts_ns, market))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _load(self) -> Saved | None:
        row = self._database.execute("SELECT data FROM header").fetchone()
        if row is None:
            return None
        ts_ns, market = self._database.execute("SELECT ts_ns, market FROM place").fetchone()
        return Saved(
            header=msgspec.json.decode(row[0], type=Header),
            positions=self._all("positions", "rowid", Position),
            orders=self._all("orders", "ticket", BrokerOrder),
            deals=self._all("deals", "id", Deal),
            operations=self._all("operations", "ticket", BalanceOperation),
            tokens=frozenset(t for (t,) in self._database.execute("SELECT token FROM tokens")),
            ts_ns=ts_ns,
            market=market,
        )

    def _all(self, table: str, order: str, kind: type[T]) -> tuple[T, ...]:
        """All rows of a table."""
        query = f"SELECT data FROM {table} ORDER BY {order}"  # noqa: S608 - names of this module
        rows = self._database.execute(query)
        return tuple(msgspec.json.decode(text, type=kind) for (text,) in rows)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                yield self._database
        except sqlite3.Error as error:
            raise JournalLost(
                f"account file {self.path}: a change could not be written ({error})",
                remedy="Free disk space or repair the disk, then start again.",
            ) from error


def open_account_file(path: Path) -> AccountFile:
    """Open or create an account file and hold it.

    Raises:
        ConfigError: when another process holds it or it is not an account file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, isolation_level=None, timeout=1.0)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("BEGIN IMMEDIATE")
        _bring_up_to_date(path, database)
        database.execute("COMMIT")
    except ConfigError:
        database.close()
        raise
    except sqlite3.Error as error:
        database.close()
        raise ConfigError(
            f"account file {path}: cannot be used ({error})",
            remedy="Stop the other Plan2 that holds it, or name another account.",
        ) from error
    return AccountFile(path, database)


def _bring_up_to_date(path: Path, database: sqlite3.Connection) -> None:
    """Make the tables of a new file, add what an old one lacks, refuse one of the future."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise ConfigError(
            f"account file {path}: version {version} of it is newer than the {VERSION} known here",
            remedy="Use the Plan2 that wrote it, or name another account.",
        )
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    is_version_1 = version == 0 and "header" in tables
    steps = (*FROM_1_BEFORE, *SCHEMA, *FROM_1_AFTER) if is_version_1 else SCHEMA
    for statement in steps:
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {VERSION}")


def _put_operations(database: sqlite3.Connection, operations: Sequence[BalanceOperation]) -> None:
    rows = [(int(one.ticket), _text(one)) for one in operations]
    database.executemany("INSERT INTO operations VALUES (?, ?)", rows)


def _put_header(database: sqlite3.Connection, header: Header) -> None:
    statement = "INSERT INTO header VALUES (1, ?) ON CONFLICT DO UPDATE SET data = excluded.data"
    database.execute(statement, (_text(header),))


def _text(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()
