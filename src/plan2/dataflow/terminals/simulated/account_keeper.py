"""Keeps a broker's book and its account file equal."""

from collections.abc import Iterable

import msgspec

from plan2.dataflow.terminals.simulated.account_file import AccountFile, Header, Saved
from plan2.dataflow.terminals.simulated.book import Book
from plan2.dataflow.terminals.simulated.desk import Desk
from plan2.dataflow.terminals.simulated.quotes import Quotes
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
    """

    def __init__(
        self,
        file: AccountFile | None,
        identity: AccountIdentity,
        book: Book,
        desk: Desk,
        quotes: Quotes,
    ) -> None:
        self._file = file
        self._identity = identity
        self._book = book
        self._desk = desk
        self._quotes = quotes
        self._deals_written = 0

    def restore(self) -> frozenset[str]:
        """Bring the book to what the file says, or begin a new file; returns the known tokens.

        Raises:
            ConfigError: when the file belongs to another account, currency, mode or market, or has
                a position in a symbol that is not on offer.
        """
        if self._file is None:
            return frozenset()
        saved = self._file.load()
        if saved is None:
            self._file.begin(self._header(), self._identity.start_ns)
            return frozenset()
        self._require_same(saved)
        self._book.restore(
            saved.header.deposit, saved.header.last_order, saved.positions, saved.deals
        )
        self._deals_written = len(saved.deals)
        self._desk.rollover_ns = saved.header.rollover_ns
        for tick in saved.header.quotes:
            self._quotes.update(tick)
        return saved.tokens

    def save(self, tokens: Iterable[str], ts_ns: int) -> None:
        """Make the book durable as it is now, with the tokens used since the last time."""
        if self._file is None:
            return
        new_deals = self._book.deals[self._deals_written :]
        self._file.write(self._header(), self._book.positions.values(), new_deals, tokens, ts_ns)
        self._deals_written += len(new_deals)

    def _header(self) -> Header:
        return Header(
            account=self._identity.account,
            currency=self._identity.currency,
            is_hedging=self._identity.is_hedging,
            market=self._identity.market,
            origin_ns=self._identity.origin_ns,
            deposit=self._book.deposit,
            balance=self._book.balance,
            last_order=self._book.last_order,
            rollover_ns=self._desk.rollover_ns,
            quotes=self._quotes.all(),
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
        missing = {one.symbol for one in saved.positions} - self._identity.symbols
        if missing:
            raise ConfigError(
                f"the account has open positions in {', '.join(sorted(missing))}",
                remedy="Add these to market.symbols until the positions are closed.",
            )
