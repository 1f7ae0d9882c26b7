"""Where the terminal contract is tried out: a terminal, a listener, and a market that may go on.

To put another adapter under contract, subclass `Venue`, supply `until`, and add it to the fixture
of test_terminal_contract.py. What an adapter cannot do, its venue says, and those tests skip.
"""

import asyncio
import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from plan2.dataflow.sources import RecordedSource
from plan2.dataflow.terminals.port import (
    ApprovedOrder,
    Deal,
    LinkChange,
    LinkState,
    OrderKind,
    OrderUpdate,
    Terminal,
    TerminalOrder,
    TerminalPosition,
    Trace,
    UpdateKind,
)
from plan2.dataflow.terminals.simulated.opening import PaperAccount, open_recorded, open_synthetic
from plan2.dataflow.terminals.simulated.requests import BrokerRequest
from plan2.dataflow.terminals.simulated.rules import AccountRules
from plan2.dataflow.terminals.simulated.terminal import SimulatedTerminal
from plan2.foundation.config.schema import Simulated
from plan2.foundation.values import (
    NS_PER_HOUR,
    NS_PER_MINUTE,
    NS_PER_SECOND,
    Side,
    Tick,
    TickBlock,
)
from simulated_world import TUESDAY_NS

SYMBOLS = ("EURUSD", "USDJPY")
PATIENCE_S = 60.0
FINAL = {
    UpdateKind.FILLED,
    UpdateKind.REJECTED,
    UpdateKind.UNKNOWN,
    UpdateKind.DONE,
    UpdateKind.CANCELLED,
}


class Venue:
    """A terminal that stands still except while a test waits for something.

    Attributes:
        tells_deals_first: a deal is told right before the tick that made it.
        has_person: `person_opens` and `person_closes` work. can_break: `cut` and `mend` work.
        is_fresh: the account is new, and its costs are those of our simulated broker.
        grain: the smallest lots that the test at hand uses; what is traded for real may be less.
        expiry_ns: life of an order that is to expire.
    """

    tells_deals_first = False
    has_person = False
    can_break = False
    is_fresh = True
    grain = 0.10
    expiry_ns = 10 * NS_PER_MINUTE

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.ticks: list[Tick] = []
        self.updates: list[OrderUpdate] = []
        self.links: list[LinkChange] = []
        self.said: list[Tick | OrderUpdate | LinkChange] = []

    async def until(self, is_done: Callable[[], bool]) -> None:
        """Let the market go on until the condition holds; fail when it never does."""
        raise NotImplementedError

    def person_opens(self, symbol: str, side: Side, lots: float) -> None:
        """A person buys or sells at the terminal."""
        raise NotImplementedError

    def person_closes(self, position: TerminalPosition) -> None:
        """A person closes a position at the terminal."""
        raise NotImplementedError

    def cut(self, state: LinkState) -> None:
        """The way to the broker breaks."""
        raise NotImplementedError

    def mend(self) -> None:
        """The way to the broker is open again."""
        raise NotImplementedError

    def few(self, count: int) -> int:
        """How many ticks are enough where a market that is ours gives so many."""
        return count

    def now_ns(self) -> int:
        """The market's time as far as it was heard."""
        return self.ticks[-1].ts_ns

    def on_tick(self, tick: Tick) -> None:
        """A quote arrived."""
        self.ticks.append(tick)
        self.said.append(tick)

    def on_order_update(self, update: OrderUpdate) -> None:
        """The broker said something."""
        self.updates.append(update)
        self.said.append(update)

    def on_link(self, change: LinkChange) -> None:
        """The way to the broker changed."""
        self.links.append(change)
        self.said.append(change)

    async def begin(self) -> None:
        """Connect and see a quote of every symbol."""
        await self.terminal.start(self)
        await self.until(lambda: {tick.symbol for tick in self.ticks} >= set(SYMBOLS))

    async def close(self) -> None:
        """Stop the terminal and whatever belongs to it."""
        await self.terminal.stop()

    def last(self, symbol: str) -> Tick:
        """The newest quote of a symbol."""
        return next(tick for tick in reversed(self.ticks) if tick.symbol == symbol)

    def answers(self, order_id: str) -> list[UpdateKind]:
        """What was said about an order, in order."""
        return [update.kind for update in self.updates if update.order_id == order_id]

    def deals(self) -> list[Deal]:
        """Every deal told so far."""
        return [update.deal for update in self.updates if update.deal is not None]

    def send(self, sent: ApprovedOrder) -> None:
        """Send an order as of now."""
        self.terminal.submit(msgspec.structs.replace(sent, ts_ns=self.now_ns()))

    async def answered(self, sent: ApprovedOrder) -> list[Deal]:
        """Send an order now, wait for its outcome, return its deals."""
        final = {*FINAL, UpdateKind.ACCEPTED} if sent.kind is OrderKind.PENDING else FINAL
        self.send(sent)
        await self.until(lambda: bool(final & set(self.answers(sent.order_id))))
        return [u.deal for u in self.updates if u.order_id == sent.order_id and u.deal is not None]

    async def placed(self, sent: ApprovedOrder) -> str:
        """Send a pending order; the ticket it works under."""
        await self.answered(sent)
        (said,) = [one for one in self.updates if one.order_id == sent.order_id]
        assert said.kind is UpdateKind.ACCEPTED, said
        assert said.ticket
        return said.ticket

    async def pass_ticks(self, count: int) -> None:
        """Let the market go on for so many ticks."""
        seen = len(self.ticks)
        await self.until(lambda: len(self.ticks) >= seen + count)

    async def balance(self) -> Decimal:
        """The account's balance."""
        account = await self.terminal.account()
        assert account is not None
        return account.balance

    async def positions(self) -> tuple[TerminalPosition, ...]:
        """Open positions; the terminal must be askable."""
        found = await self.terminal.positions()
        assert found is not None
        return found

    async def orders(self) -> tuple[TerminalOrder, ...]:
        """Working orders; the terminal must be askable."""
        found = await self.terminal.orders()
        assert found is not None
        return found

    async def traced(self, token: str, patience: int = 200) -> Trace:
        """What became of a token, as soon as that can be told."""
        for _ in range(patience):
            trace = await self.terminal.trace(token)
            if trace is not None:
                return trace
            await self.pass_ticks(20)
        raise AssertionError(f"nothing can be told of {token}")


class SimulatedVenue(Venue):
    """The simulated terminal: its player is paused except while a test waits."""

    tells_deals_first = True
    has_person = True
    can_break = True

    def __init__(self, terminal: SimulatedTerminal) -> None:
        super().__init__(terminal)
        self.simulated = terminal
        self._is_done: Callable[[], bool] = lambda: False
        self._done = asyncio.Event()
        terminal.player.pause()

    def on_tick(self, tick: Tick) -> None:
        """A quote arrived; the clock is already there."""
        assert self.simulated.clock.now_ns() == tick.ts_ns
        super().on_tick(tick)
        if self._is_done():
            self.simulated.player.pause()
            self._done.set()

    async def until(self, is_done: Callable[[], bool]) -> None:
        """Let the market go on until, after a tick, the condition holds."""
        self._is_done = is_done
        self._done.clear()
        self.simulated.player.resume()
        await asyncio.wait_for(self._done.wait(), PATIENCE_S)

    def person_opens(self, symbol: str, side: Side, lots: float) -> None:
        """A person buys or sells at the terminal."""
        self._by_hand(kind=OrderKind.OPEN, symbol=symbol, side=side, quantity=lots)

    def person_closes(self, position: TerminalPosition) -> None:
        """A person closes a position at the terminal."""
        self._by_hand(
            kind=OrderKind.CLOSE,
            symbol=position.symbol,
            side=position.side.opposite,
            quantity=position.quantity,
            position_ticket=position.ticket,
        )

    def cut(self, state: LinkState) -> None:
        """The way to the broker breaks."""
        self.simulated.break_link(state, "cut by the test")

    def mend(self) -> None:
        """The way to the broker is open again."""
        self.simulated.restore_link()

    def _by_hand(self, **fields: Any) -> None:
        answer = self.simulated.trade_manually(BrokerRequest(**fields))
        assert answer.refusal is None, answer


def wandering(symbol: str, price: float, digits: int, seed: int) -> TickBlock:
    """Two days of recorded-looking quotes: a walk on the price grid, a quote every five seconds."""
    count = 48 * 720
    steps = np.random.default_rng(seed).integers(-4, 5, count)
    points = round(price * 10**digits) + np.cumsum(steps)
    ts_ns = TUESDAY_NS + np.arange(count) * 5 * NS_PER_SECOND + seed
    return TickBlock(symbol, ts_ns, points / 10**digits, (points + 8) / 10**digits)


def recorded_source() -> RecordedSource:
    """Two days of recorded ticks of both symbols."""
    stored = {
        "EURUSD": wandering("EURUSD", 1.0850, 5, 1),
        "USDJPY": wandering("USDJPY", 150.200, 3, 2),
    }

    def read(symbol: str, start_ns: int, end_ns: int) -> TickBlock:
        one = stored[symbol]
        first, last = np.searchsorted(one.ts_ns, (start_ns, end_ns))
        return one.slice(int(first), int(last))

    return RecordedSource(SYMBOLS, read, TUESDAY_NS, TUESDAY_NS + 48 * NS_PER_HOUR)


def recorded(is_hedging: bool = True) -> SimulatedVenue:
    """A replay of recorded ticks."""
    paper = PaperAccount(is_paced=False, rules=AccountRules(is_hedging=is_hedging))
    return SimulatedVenue(open_recorded(Simulated(), recorded_source(), paper))


def synthetic(is_hedging: bool = True) -> SimulatedVenue:
    """The synthetic market, without history before its first instant but a day."""
    settings = Simulated(seed=5, history_days=1)
    paper = PaperAccount(is_paced=False, rules=AccountRules(is_hedging=is_hedging))
    return SimulatedVenue(open_synthetic(settings, SYMBOLS, paper))


def mt5(is_hedging: bool = True) -> Venue:
    """The MetaTrader 5 engine over the twin."""
    from mt5_venue import Mt5Venue  # it builds on this module

    return Mt5Venue(is_hedging)


def remote(is_hedging: bool = True) -> Venue:
    """The same engine in a host, behind a link."""
    from remote_venue import remote as build  # it builds on this module

    return build(is_hedging)


def demo(is_hedging: bool = True) -> Venue:
    """A real demo terminal; see its module."""
    from demo_venue import demo as build  # it builds on this module

    return build(is_hedging)


VENUES: dict[str, Callable[[bool], Venue]] = {
    "synthetic": synthetic,
    "recorded": recorded,
    "mt5": mt5,
    "remote": remote,
}
"""Every venue by name; each is made for a hedging or, with False, a netting account."""
if os.environ.get("PLAN2_MT5_DEMO"):
    VENUES["demo"] = demo
