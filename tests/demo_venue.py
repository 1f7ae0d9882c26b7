"""The terminal contract on a real demo terminal: the engine over the package, polled in wall time.

`PLAN2_MT5_DEMO` is the path of terminal64.exe, `PLAN2_MT5_DEMO_PATIENCE_S` how long a test waits
for the market before it skips (default 600). Only demo accounts; the suite sees and touches nothing
but what carries its own magic number, trades the smallest volume, and leaves nothing behind. With
`PLAN2_MT5_DEMO_PACKAGE` the module is another one, such as the twin: then `PLAN2_TWIN` says how
fast its market runs, and waits are as long in wall time.
"""

import asyncio
import importlib
import itertools
import os
import secrets
from collections.abc import Callable
from typing import cast

import msgspec
import pytest

from mt5_venue import PolledTerminal
from plan2.dataflow.terminals.mt5.engine import Mt5Engine
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.shape import Mt5Module
from plan2.dataflow.terminals.port import (
    ApprovedOrder,
    Deal,
    LinkChange,
    OrderKind,
    OrderUpdate,
    TerminalListener,
    TerminalOrder,
    TerminalPosition,
    Trace,
)
from plan2.dataflow.terminals.twin.module import TwinModule
from plan2.foundation.clock import Clock, LiveClock
from plan2.foundation.errors import ConfigError, TerminalUnavailable
from plan2.foundation.values import NS_PER_MINUTE, Side, Tick
from simulated_world import cancelling, closing
from terminal_venue import SYMBOLS, Venue

DEMO = os.environ.get("PLAN2_MT5_DEMO", "")
PACKAGE = os.environ.get("PLAN2_MT5_DEMO_PACKAGE", "MetaTrader5")
PATIENCE_S = float(os.environ.get("PLAN2_MT5_DEMO_PATIENCE_S", "600"))
ANSWER_S = 60.0
"""Wall time in which an order must be answered."""
POLL_S = 0.02
MAGIC = 20_260_707
"""What the suite's orders carry; neither Plan2's own nor anybody's default."""
SHARE = 20
"""A live market quotes a few times a second: tests that count ticks ask for one in so many."""


class Disguise:
    """Between the suite's orders and those at the broker: tokens of this run, small lots."""

    def __init__(self) -> None:
        self.scale = 1.0
        self.positions: set[str] = set()
        self._run = secrets.token_hex(5)
        self._theirs: dict[str, str] = {}
        self._ours: dict[str, str] = {}
        self._count = itertools.count(1)

    def token(self, token: str) -> str:
        """The token at the broker of one of the suite's tokens; never used before."""
        if token not in self._theirs:
            theirs = f"p2c-{self._run}-{next(self._count)}"
            self._theirs[token], self._ours[theirs] = theirs, token
        return self._theirs[token]

    def order(self, order: ApprovedOrder) -> ApprovedOrder:
        """As it is sent."""
        return msgspec.structs.replace(
            order,
            token=self.token(order.token),
            magic=MAGIC,
            quantity=round(order.quantity * self.scale, 8),
        )

    def is_mine(self, token: str, position_ticket: str = "") -> bool:
        """Whether something at the broker is this run's."""
        return token in self._ours or position_ticket in self.positions

    def deal(self, deal: Deal) -> Deal:
        """As the suite sees it."""
        self.positions.add(deal.position_ticket)
        return cast(Deal, self._shown(deal))

    def update(self, update: OrderUpdate) -> OrderUpdate | None:
        """As the suite sees it; None for what is not this run's."""
        deal = update.deal
        if deal is None:
            return update if update.order_id else None
        if not self.is_mine(deal.token, deal.position_ticket):
            return None
        return msgspec.structs.replace(update, deal=self.deal(deal))

    def position(self, position: TerminalPosition) -> TerminalPosition:
        """As the suite sees it."""
        return cast(TerminalPosition, self._shown(position))

    def working(self, order: TerminalOrder) -> TerminalOrder:
        """As the suite sees it."""
        return cast(TerminalOrder, self._shown(order))

    def _shown(self, one: Deal | TerminalPosition | TerminalOrder) -> object:
        return msgspec.structs.replace(
            one,
            token=self._ours.get(one.token, ""),
            magic=7 if one.magic == MAGIC else one.magic,
            quantity=round(one.quantity / self.scale, 8),
        )


class DemoTerminal(PolledTerminal):
    """The engine as the suite sees it: its own doings and nobody else's."""

    def __init__(self, engine: Mt5Engine, clock: Clock, disguise: Disguise) -> None:
        super().__init__(engine, clock)
        self.disguise = disguise

    async def start(self, listener: TerminalListener) -> None:
        """Connect; another account than a demo one is refused in a sentence."""
        try:
            await super().start(Ears(listener, self.disguise))
        except (ConfigError, TerminalUnavailable) as error:
            pytest.fail(f"{error.message} {error.remedy}", pytrace=False)

    def submit(self, order: ApprovedOrder) -> None:
        """Under a token of this run, in small lots."""
        super().submit(self.disguise.order(order))

    async def positions(self) -> tuple[TerminalPosition, ...] | None:
        """Those of the suite."""
        found = await super().positions()
        if found is None:
            return None
        return tuple(self.disguise.position(one) for one in found if one.magic == MAGIC)

    async def orders(self) -> tuple[TerminalOrder, ...] | None:
        """Those of the suite."""
        found = await super().orders()
        if found is None:
            return None
        return tuple(self.disguise.working(one) for one in found if one.magic == MAGIC)

    async def deals(self, since_ts_ns: int) -> tuple[Deal, ...] | None:
        """Those of this run."""
        found, disguise = await super().deals(since_ts_ns), self.disguise
        if found is None:
            return None
        mine = (one for one in found if disguise.is_mine(one.token, one.position_ticket))
        return tuple(disguise.deal(one) for one in mine)

    async def trace(self, token: str) -> Trace | None:
        """Of the order that went out under the suite's token."""
        found, disguise = await super().trace(self.disguise.token(token)), self.disguise
        if found is None:
            return None
        working = disguise.working(found.working) if found.working is not None else None
        deals = tuple(disguise.deal(one) for one in found.deals)
        return msgspec.structs.replace(found, working=working, deals=deals)


class Ears:
    """Passes on what concerns the suite."""

    def __init__(self, listener: TerminalListener, disguise: Disguise) -> None:
        self._listener = listener
        self._disguise = disguise

    def on_tick(self, tick: Tick) -> None:
        """A quote arrived."""
        self._listener.on_tick(tick)

    def on_order_update(self, update: OrderUpdate) -> None:
        """The broker said something; what others do on the account is left out."""
        shown = self._disguise.update(update)
        if shown is not None:
            self._listener.on_order_update(shown)

    def on_link(self, change: LinkChange) -> None:
        """The way to the broker changed."""
        self._listener.on_link(change)


class DemoVenue(Venue):
    """A demo account in wall time; what needs power over the market is skipped."""

    is_fresh = False
    expiry_ns = 2 * NS_PER_MINUTE

    def __init__(self, is_hedging: bool) -> None:
        module, self.clock = open_package()
        options = Mt5Options(symbols=SYMBOLS, path=DEMO, mode="demo", settle_s=5.0)
        self._engine = Mt5Engine(module, options, self.clock)
        self._disguise = Disguise()
        self._polled = DemoTerminal(self._engine, self.clock, self._disguise)
        self._is_hedging = is_hedging
        super().__init__(self._polled)

    async def begin(self) -> None:
        """Connect, sweep up what a killed run left, see both symbols quoted; else skip."""
        await self.terminal.start(self)
        account = self._engine.account()
        assert account is not None
        if account.is_hedging is not self._is_hedging:
            pytest.skip(f"this account is {'hedging' if account.is_hedging else 'netting'}")
        await self._sweep()
        wait_s = min(ANSWER_S, PATIENCE_S)
        if not await self._comes(self._is_quoted, wait_s):
            pytest.skip(f"no quotes of {' and '.join(SYMBOLS)} for {wait_s:g} s: market closed")
        self._set_scale()

    async def close(self) -> None:
        """Leave nothing of the suite behind, then let go of the terminal."""
        if self._engine.account() is not None:
            await self._sweep()
        await self.terminal.stop()

    async def until(self, is_done: Callable[[], bool]) -> None:
        """Poll until the condition holds; the market owes nobody a move, so then it is a skip."""
        if not await self._comes(is_done, PATIENCE_S):
            pytest.skip(f"the market did not get there within {PATIENCE_S:g} s")

    async def answered(self, sent: ApprovedOrder) -> list[Deal]:
        """As any venue; but the broker does owe an answer."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return await super().answered(sent)
        except TimeoutError:
            pytest.fail(f"{sent.order_id} was not answered within {ANSWER_S:g} s")

    async def traced(self, token: str, patience: int = 200) -> Trace:
        """What became of a token, as soon as that can be told."""
        async with asyncio.timeout(ANSWER_S):
            while (trace := await self.terminal.trace(token)) is None:
                await self._pass()
        return trace

    def few(self, count: int) -> int:
        """Ticks come as they come; so many are enough here."""
        return max(count // SHARE, 1)

    def now_ns(self) -> int:
        """The present."""
        return self.clock.now_ns()

    # --- inside ---------------------------------------------------------------------------

    async def _pass(self) -> None:
        await asyncio.sleep(POLL_S)
        self._polled.step()

    async def _comes(self, is_done: Callable[[], bool], patience_s: float) -> bool:
        """Whether it came true in time."""
        try:
            async with asyncio.timeout(patience_s):
                while not is_done():
                    await self._pass()
        except TimeoutError:
            return False
        return True

    def _is_quoted(self) -> bool:
        return {tick.symbol for tick in self.ticks} >= set(SYMBOLS)

    def _set_scale(self) -> None:
        """The suite's smallest lots become the broker's smallest volume."""
        known = self.terminal.instruments()
        smallest = max(known[symbol].volume_min for symbol in SYMBOLS)
        self._disguise.scale = smallest / self.grain

    async def _sweep(self) -> None:
        """Withdraw and close everything with the suite's magic; fail when something stays."""
        tried: set[str] = set()
        for _ in range(round(ANSWER_S / POLL_S)):
            working, held = self._engine.orders(), self._engine.positions()
            if working is not None and held is not None:
                mine = [one for one in (*working, *held) if one.magic == MAGIC]
                if not mine:
                    return
                for one in mine:
                    if one.ticket not in tried:
                        tried.add(one.ticket)
                        self._engine.submit(self._ending(one))
            await self._pass()
        pytest.fail(f"left at the broker, please end by hand (magic {MAGIC}): {mine}")

    def _ending(self, one: TerminalOrder | TerminalPosition) -> ApprovedOrder:
        """The order that ends an order or a position."""
        if isinstance(one, TerminalOrder):
            sent = cancelling(one.ticket)
        else:
            side = Side.SELL if one.side is Side.BUY else Side.BUY
            sent = closing(one.symbol, side, one.ticket, quantity=one.quantity)
            assert sent.kind is OrderKind.CLOSE
        token = self._disguise.token(f"sweep-{one.ticket}")
        return msgspec.structs.replace(
            sent, symbol=one.symbol, token=token, magic=MAGIC, ts_ns=self.now_ns()
        )


class TwinTime:
    """The engine's clock where the twin stands in: its market's time."""

    def __init__(self, module: TwinModule) -> None:
        self._module = module

    def now_ns(self) -> int:
        """Market time."""
        return self._module.twin_world.now_ns()


def open_package() -> tuple[Mt5Module, Clock]:
    """The package, or what stands in for it, and the clock that goes with it."""
    try:
        package = importlib.import_module(PACKAGE)
    except ImportError as error:
        pytest.skip(f"the package {PACKAGE} cannot be imported: {error}")
    if hasattr(package, "twin"):
        twin = package.twin()
        return cast(Mt5Module, twin), TwinTime(twin)
    return cast(Mt5Module, package), LiveClock()


def demo(is_hedging: bool = True) -> Venue:
    """For the table of venues."""
    return DemoVenue(is_hedging)
