"""What terminal and trade server know, whoever asks: market, accounts, faults, time.

Clients (`module.build`) share one world. Whenever one of them calls, the market first moves on to
the present; so everything is deterministic under a simulated clock and runs in real time under a
live one. What is private to a client, its pipe and its last error, is in `session.py`.
"""

from plan2.dataflow.terminals.simulated.desk import Desk
from plan2.dataflow.terminals.simulated.quotes import Quotes
from plan2.dataflow.terminals.twin.bar_store import BarStore
from plan2.dataflow.terminals.twin.clockwork import ServerTime, TwinTime
from plan2.dataflow.terminals.twin.faults import TwinFaults
from plan2.dataflow.terminals.twin.market import TwinMarket
from plan2.dataflow.terminals.twin.options import TwinOptions
from plan2.dataflow.terminals.twin.person import Person
from plan2.dataflow.terminals.twin.records import Records, Visibility
from plan2.dataflow.terminals.twin.state import Kept, StateFile
from plan2.dataflow.terminals.twin.structs import TradeDeal, TradeOrder
from plan2.dataflow.terminals.twin.terminal import Account, Shown, Terminal
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS


class TwinWorld:
    """One terminal at its trade server.

    Args:
        options: as it was opened. time: the present. market: ticks. server: the broker's clock.
        accounts: by login, the first is logged in. file: where it is kept.

    Attributes:
        terminal, visibility, faults, account: may be changed while it runs. person: trades here
        by hand.
    """

    def __init__(
        self,
        options: TwinOptions,
        time: TwinTime,
        market: TwinMarket,
        server: ServerTime,
        accounts: dict[int, Account],
        file: StateFile,
    ) -> None:
        self.options = options
        self.time = time
        self.market = market
        self.server = server
        self.accounts = accounts
        self.account = next(iter(accounts.values()))
        self.faults = TwinFaults(options.faults)
        for function, happenings in options.script.items():
            self.faults.script(function, *happenings)
        self.terminal = Terminal(
            selected=dict.fromkeys(options.selected, market.seen_ns), warm=set()
        )
        self.visibility = Visibility(
            deals_ms=options.deals_delay_ms,
            orders_ms=options.orders_delay_ms,
            positions_ms=options.positions_delay_ms,
        )
        self.bars = BarStore(market, server, self.desk.instruments)
        self.person = Person(self)
        self._file = file
        self._is_primed = False
        self._last_shown: Shown | None = None
        self._restore(file.load())

    @property
    def desk(self) -> Desk:
        """The trade server's desk for the account that is logged in."""
        return self.account.desk

    @property
    def records(self) -> Records:
        """The book of the account that is logged in."""
        return self.account.records

    @property
    def instruments(self) -> dict[str, Instrument]:
        """Contract data by the broker's names, with the leverage of the account."""
        return self.account.desk.instruments

    @property
    def quotes(self) -> Quotes:
        """The trade server's last quotes."""
        return self.account.desk.quotes

    def now_ns(self) -> int:
        """The present, UTC nanoseconds."""
        return self.time.now_ns()

    def shown(self) -> Shown:
        """Positions, orders and account as the terminal shows them."""
        if self._last_shown is not None:
            return self._last_shown
        return Shown(
            self.records.positions(self._seen_ns(self.visibility.positions_ms)),
            self.records.orders(self._seen_ns(self.visibility.orders_ms)),
            self.account.info(),
        )

    def past_orders(self) -> tuple[TradeOrder, ...]:
        """Ended orders as the terminal shows them."""
        return self.records.past_orders(self._seen_ns(self.visibility.orders_ms))

    def deals(self) -> tuple[TradeDeal, ...]:
        """Deals as the terminal shows them."""
        return self.records.deals(self._seen_ns(self.visibility.deals_ms))

    def advance(self) -> None:
        """Bring market, stops, pending orders and expiries to the present."""
        now_ns = self.now_ns()
        desks = [account.desk for account in self.accounts.values()]
        is_linked = self.terminal.is_connected and self.terminal.is_running
        if not self._is_primed:
            self._prime(desks)
        if is_linked:
            self._last_shown = None
        elif self._last_shown is None:
            self._last_shown = self.shown()
        for tick in self.market.advance(now_ns):
            for desk in desks:
                desk.on_tick(tick)
        for desk in desks:
            desk.expire(now_ns)
        if is_linked:
            self.market.seen_ns = max(now_ns, self.market.seen_ns)
        self.keep()

    def keep(self) -> None:
        """Write what changed; a restart of the process goes on from there."""
        self._file.save(self.accounts, self.account.terms.login, self.now_ns())

    def break_pipe(self) -> None:
        """Cut every client's connection to the terminal, which goes on running."""
        self.terminal.run += 1

    def log_in(self, login: int) -> None:
        """Switch the terminal to another account, for everybody attached to it.

        Raises:
            InputError: the trade server does not know the account.
        """
        if login not in self.accounts:
            raise InputError(f"the twin has no account {login}, only {sorted(self.accounts)}")
        self.account = self.accounts[login]

    def _seen_ns(self, delay_ms: int) -> int:
        """What happened up to then is visible in the terminal."""
        return self.market.seen_ns - delay_ms * NS_PER_MS

    def _prime(self, desks: list[Desk]) -> None:
        """Show the desks the quotes from before the beginning; nothing is executed at them."""
        self._is_primed = True
        for tick in self.market.skip(self.market.seen_ns):
            for desk in desks:
                desk.quotes.update(tick)

    def _restore(self, kept: Kept | None) -> None:
        if kept is None:
            return
        for saved in kept.accounts:
            if saved.login in self.accounts:
                saved.restore(self.accounts[saved.login].desk)
        if kept.login in self.accounts:
            self.account = self.accounts[kept.login]
