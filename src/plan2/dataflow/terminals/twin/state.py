"""What survives a kill of the twin's process: the accounts' books and where time stood.

The market needs no keeping, it is made from its seed. The file is replaced in one step.
"""

from pathlib import Path

import msgspec

from plan2.dataflow.terminals.port import Deal
from plan2.dataflow.terminals.simulated.book import BalanceOperation, Position
from plan2.dataflow.terminals.simulated.desk import Desk
from plan2.dataflow.terminals.simulated.orders import BrokerOrder
from plan2.dataflow.terminals.twin.terminal import Account
from plan2.foundation.errors import ConfigError


class KeptAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One account's book."""

    login: int
    operations: list[BalanceOperation]
    positions: list[Position]
    orders: list[BrokerOrder]
    deals: list[Deal]
    last_order: int
    rollover_ns: int

    @staticmethod
    def of(login: int, desk: Desk) -> "KeptAccount":
        """The book as it is now."""
        book = desk.book
        return KeptAccount(
            login=login,
            operations=book.operations,
            positions=list(book.positions.values()),
            orders=[*book.history.values(), *book.working.values()],
            deals=book.deals,
            last_order=book.last_order,
            rollover_ns=desk.nights.rollover_ns,
        )

    def restore(self, desk: Desk) -> None:
        """Bring a new desk to this book.

        Raises:
            ConfigError: the book has trades in a symbol that is not on offer.
        """
        used = {one.symbol for one in self.positions} | {one.symbol for one in self.orders}
        if missing := sorted(used - desk.instruments.keys()):
            raise ConfigError(
                f"the kept account {self.login} traded {', '.join(missing)}, which the twin lacks",
                remedy="Add them to symbols, or name another state_path.",
            )
        desk.book.restore(self.operations, self.positions, self.orders, self.deals, self.last_order)
        desk.nights.rollover_ns = self.rollover_ns


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Everything: who is logged in, the accounts, when the market began and stood.

    `anchor_ns` is the machine's time at which the market showed `start_ns`.
    """

    login: int
    accounts: list[KeptAccount]
    origin_ns: int
    start_ns: int
    anchor_ns: int
    now_ns: int


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """When the market began: its first tick, its first present, and the machine's time then."""

    origin_ns: int
    start_ns: int
    anchor_ns: int


class StateFile:
    """Writes the books when one has changed.

    Args:
        path: of the file; None = nothing is kept. beginning: goes into the file.
    """

    def __init__(self, path: Path | None, beginning: Beginning) -> None:
        self._path = path
        self._beginning = beginning
        self._written: tuple[int, ...] = ()

    def load(self) -> Kept | None:
        """What was kept, None for nothing."""
        return None if self._path is None else load_kept(self._path)

    def save(self, accounts: dict[int, Account], login: int, now_ns: int) -> None:
        """Replace the file if any book changed since the last time."""
        versions = (login, *(one.desk.book.version for one in accounts.values()))
        if self._path is None or versions == self._written:
            return
        kept = Kept(
            login=login,
            accounts=[KeptAccount.of(number, one.desk) for number, one in accounts.items()],
            origin_ns=self._beginning.origin_ns,
            start_ns=self._beginning.start_ns,
            anchor_ns=self._beginning.anchor_ns,
            now_ns=now_ns,
        )
        fresh = self._path.with_suffix(".new")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(msgspec.msgpack.encode(kept))
        fresh.replace(self._path)
        self._written = versions


def load_kept(path: Path) -> Kept | None:
    """What a file holds, None when there is none.

    Raises:
        ConfigError: it is not a file of the twin's.
    """
    if not path.exists():
        return None
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Kept)
    except msgspec.MsgspecError as error:
        raise ConfigError(
            f"{path} is not the state of a twin: {error}",
            remedy="Name another state_path, or delete the file to begin anew.",
        ) from error
