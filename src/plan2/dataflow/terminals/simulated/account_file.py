"""The paper account on disk: what a broker must not forget when the process is killed.

One SQLite file per account, WAL with synchronous=FULL: `write` returns when the change is durable,
and a change is there whole or not at all. One process at a time holds the file. Readable with any
SQLite tool; the data columns are JSON.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import msgspec

from plan2.dataflow.terminals.port import Deal
from plan2.dataflow.terminals.simulated.book import Position
from plan2.foundation.errors import ConfigError, JournalLost
from plan2.foundation.values import Tick

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS header (id INTEGER PRIMARY KEY CHECK (id = 1), data TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS place (id INTEGER PRIMARY KEY, ts_ns INTEGER, market BLOB)",
    "CREATE TABLE IF NOT EXISTS positions (ticket TEXT PRIMARY KEY, data TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS deals (ticket INTEGER PRIMARY KEY, data TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY) WITHOUT ROWID",
)


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
    """Everything in the file; the market goes on at `ts_ns`, `market` is the source's state."""

    header: Header
    positions: tuple[Position, ...]
    deals: tuple[Deal, ...]
    tokens: frozenset[str]
    ts_ns: int
    market: bytes


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

    def write(
        self,
        header: Header,
        positions: Iterable[Position],
        deals: Sequence[Deal],
        tokens: Iterable[str],
        ts_ns: int,
    ) -> None:
        """Make a change durable: all open positions, the new deals and tokens, the market's time.

        Raises:
            JournalLost: when the disk does not take it; the account must not go on.
        """
        open_now = [(one.ticket, _text(one)) for one in positions]
        with self._transaction() as database:
            _put_header(database, header)
            database.execute("DELETE FROM positions")
            database.executemany("INSERT INTO positions VALUES (?, ?)", open_now)
            new_deals = [(int(deal.ticket), _text(deal)) for deal in deals]
            database.executemany("INSERT INTO deals VALUES (?, ?)", new_deals)
            new_tokens = [(token,) for token in tokens]
            database.executemany("INSERT OR IGNORE INTO tokens VALUES (?)", new_tokens)
            database.execute("UPDATE place SET ts_ns = ?", (ts_ns,))

    def begin(self, header: Header, ts_ns: int) -> None:
        """Write a new account that stands at the market time `ts_ns`."""
        with self._transaction() as database:
            _put_header(database, header)
            database.execute("INSERT INTO place VALUES (1, ?, ?)", (ts_ns, b""))

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
        positions = self._database.execute("SELECT data FROM positions ORDER BY ticket + 0")
        deals = self._database.execute("SELECT data FROM deals ORDER BY ticket")
        return Saved(
            header=msgspec.json.decode(row[0], type=Header),
            positions=tuple(msgspec.json.decode(text, type=Position) for (text,) in positions),
            deals=tuple(msgspec.json.decode(text, type=Deal) for (text,) in deals),
            tokens=frozenset(t for (t,) in self._database.execute("SELECT token FROM tokens")),
            ts_ns=ts_ns,
            market=market,
        )

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
        for statement in SCHEMA:
            database.execute(statement)
        database.execute("COMMIT")
    except sqlite3.Error as error:
        database.close()
        raise ConfigError(
            f"account file {path}: cannot be used ({error})",
            remedy="Stop the other Plan2 that holds it, or name another account.",
        ) from error
    return AccountFile(path, database)


def _put_header(database: sqlite3.Connection, header: Header) -> None:
    statement = "INSERT INTO header VALUES (1, ?) ON CONFLICT DO UPDATE SET data = excluded.data"
    database.execute(statement, (_text(header),))


def _text(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()
