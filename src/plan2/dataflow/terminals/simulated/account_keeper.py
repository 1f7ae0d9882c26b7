"""Keeps a broker's book and its account file equal."""

from collections.abc import Iterable

import msgspec

from plan2.dataflow.terminals.simulated.account_file import AccountFile, Change, Header, Saved
from plan2.dataflow.terminals.simulated.book import ZERO
from plan2.dataflow.terminals.simulated.desk import Desk
from plan2.dataflow.terminals.simulated.rolling import KEEP_NS, ROLLED, roll_off
from plan2.foundation.errors import ConfigError

IDENTITY = ("account", "currency", "is_hedging", "market")
"""What an account file must share with the broker that goes on with it."""


class AccountIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Whose account, of which kind, on which market and since when; what is on offer now."""

    account: str
    currency: str
    is_hedging: bool
    market: str
    origin_ns: int
    start_ns: int
    symbols: frozenset[str]


class AccountKeeper:
    """Restores the book from the file once, then writes every change of it.

    Args:
        file: where the account is kept; None = in memory only, then nothing happens here.
        desk: whose book and quotes are kept.
    """

    def __init__(self, file: AccountFile | None, identity: AccountIdentity, desk: Desk) -> None:
        self._file = file
        self._identity = identity
        self._desk = desk
        self._book = desk.book
        self._version = -1
        self._deals_written = 0
        self._operations_written = 0
        self._ended_written = 0

    def restore(self) -> frozenset[str]:
        """Bring the book to what the file says, or begin a new file; returns the known tokens.

        What ended too long ago for anybody to ask leaves book and file for a sum of its results.

        Raises:
            ConfigError: when the file belongs to another account, currency, mode or market, or has
                a position or order in a symbol that is not on offer.
        """
        saved = self._file.load() if self._file else None
        tokens: frozenset[str] = frozenset()
        if saved is not None:
            self._require_same(saved)
            self._take_over(saved)
            tokens = saved.tokens
            rolled = roll_off(self._book, saved.ts_ns - KEEP_NS)
            if rolled is not None and self._file is not None:
                self._file.roll_off(rolled)
        elif self._file is not None:
            self._file.begin(self._header(), self._book.operations, self._identity.start_ns)
        self._note_written()
        return tokens

    def save(self, tokens: Iterable[str], ts_ns: int) -> None:
        """Make the book durable as it is now, with the tokens used since the last time."""
        used = tuple(tokens)
        if self._file is None or (self._version == self._book.version and not used):
            return
        ended = list(self._book.history.values())[self._ended_written :]
        self._file.write(
            Change(
                header=self._header(),
                positions=tuple(self._book.positions.values()),
                working=tuple(self._book.working.values()),
                ended=tuple(ended),
                deals=tuple(self._book.deals[self._deals_written :]),
                operations=tuple(self._book.operations[self._operations_written :]),
                tokens=used,
                ts_ns=ts_ns,
            )
        )
        self._note_written()

    def _note_written(self) -> None:
        self._version = self._book.version
        self._deals_written = len(self._book.deals)
        self._operations_written = len(self._book.operations)
        self._ended_written = len(self._book.history)

    def _take_over(self, saved: Saved) -> None:
        self._book.restore(
            saved.operations, saved.positions, saved.orders, saved.deals, saved.header.last_order
        )
        self._desk.nights.rollover_ns = saved.header.rollover_ns
        for tick in saved.header.quotes:
            self._desk.quotes.update(tick)

    def _header(self) -> Header:
        paid = (one.amount for one in self._book.operations if one.comment != ROLLED)
        deposits = sum(paid, ZERO)
        return Header(
            account=self._identity.account,
            currency=self._identity.currency,
            is_hedging=self._identity.is_hedging,
            market=self._identity.market,
            origin_ns=self._identity.origin_ns,
            deposit=deposits,
            balance=self._book.balance,
            last_order=self._book.last_order,
            rollover_ns=self._desk.nights.rollover_ns,
            quotes=self._desk.quotes.all(),
        )

    def _require_same(self, saved: Saved) -> None:
        ours = msgspec.structs.asdict(self._identity)
        theirs = msgspec.structs.asdict(saved.header)
        for name in IDENTITY:
            if ours[name] != theirs[name]:
                raise ConfigError(
                    f"the account file was written for {name} {theirs[name]!r}, not {ours[name]!r}",
                    remedy="Set the configuration back, or name another account.",
                )
        at_work = [one.symbol for one in saved.orders if not one.done_ts_ns]
        missing = {*at_work, *(one.symbol for one in saved.positions)} - self._identity.symbols
        if missing:
            raise ConfigError(
                f"the account has open positions or orders in {', '.join(sorted(missing))}",
                remedy="Add these to market.symbols until the positions are closed.",
            )
