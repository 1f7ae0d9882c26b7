"""For tests of remote terminals: a scripted engine, a listener that keeps all, a scripted host.

The scripted host speaks the protocol over a channel by hand, so that our end can be tried in
virtual time; the scripted engine stands behind a real host, whose engine thread is real too.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from plan2.connectivity.channels.memory import MemoryChannel
from plan2.dataflow.terminals.port import (
    AccountState,
    ApprovedOrder,
    Deal,
    LinkChange,
    LinkState,
    OrderUpdate,
    TerminalOrder,
    TerminalPosition,
    Trace,
    UpdateKind,
)
from plan2.dataflow.terminals.remote.engine import Polled
from plan2.dataflow.terminals.remote.protocol import (
    PROTOCOL_VERSION,
    AccountName,
    Answer,
    Ask,
    Heartbeat,
    Hello,
    HostMessage,
    HostStats,
    Link,
    Pulse,
    ServerMessage,
    Submit,
    Update,
    encode,
    from_server,
)
from plan2.dataflow.terminals.remote.questions import (
    AskAccount,
    AskInstruments,
    Question,
    answer_parts,
)
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND, Tick, TickBlock
from simulated_world import TUESDAY_NS

PATIENCE_S = 30.0
EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)
ACCOUNT = AccountState(
    login="5000001",
    server="Broker-Demo",
    currency="USD",
    mode="demo",
    balance=Decimal("10000.00"),
    equity=Decimal("10000.00"),
    margin=Decimal("0.00"),
    trade_allowed=True,
)
NAME = AccountName.of(ACCOUNT)


def said(order_id: str, kind: UpdateKind, **more: Any) -> OrderUpdate:
    """A word about an order."""
    return OrderUpdate(kind=kind, ts_ns=TUESDAY_NS, order_id=order_id, **more)


class Ear:
    """A listener that keeps everything; `until` waits for a condition, woken by each word."""

    def __init__(self) -> None:
        self.ticks: list[Tick] = []
        self.updates: list[OrderUpdate] = []
        self.links: list[LinkChange] = []
        self._news = asyncio.Event()

    def on_tick(self, tick: Tick) -> None:
        """A quote arrived."""
        self.ticks.append(tick)
        self._news.set()

    def on_order_update(self, update: OrderUpdate) -> None:
        """The broker said something."""
        self.updates.append(update)
        self._news.set()

    def on_link(self, change: LinkChange) -> None:
        """The way to the broker changed."""
        self.links.append(change)
        self._news.set()

    async def until(self, is_so: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Wait until something was said after which the condition holds."""
        async with asyncio.timeout(patience_s):
            while not is_so():
                self._news.clear()
                await self._news.wait()

    async def until_link(self, state: LinkState) -> None:
        """Wait until the link is in this state."""
        await self.until(lambda: bool(self.links) and self.links[-1].state is state)

    def words(self, order_id: str) -> list[UpdateKind]:
        """What was said about an order."""
        return [update.kind for update in self.updates if update.order_id == order_id]


@dataclass
class ScriptedEngine:
    """A host engine whose broker accepts everything, unless the script says otherwise.

    Attributes:
        polls: what the next polls return; empty ones afterwards.
        connects: what the next connects do: an error to raise, or None.
        holds: order ids, question names and "poll" whose call waits for `release`.
        calls: names of the calls and ids of the orders, in order.
        begun: set by the first held call.
    """

    polls: deque[Polled | Exception] = field(default_factory=deque)
    connects: deque[Exception | None] = field(default_factory=deque)
    holds: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    block: TickBlock | None = None

    def connect(self) -> AccountState:
        """Attach."""
        self.calls.append("connect")
        failure = self.connects.popleft() if self.connects else None
        if failure is not None:
            raise failure
        return ACCOUNT

    def close(self) -> None:
        """Detach."""
        self.calls.append("close")

    def poll(self) -> Polled:
        """The next of the script."""
        self._hold("poll")
        following = self.polls.popleft() if self.polls else Polled()
        if isinstance(following, Exception):
            raise following
        return following

    def submit(self, order: ApprovedOrder) -> tuple[OrderUpdate, ...]:
        """Accept it."""
        self.calls.append(order.order_id)
        self.sent.append(order.order_id)
        self._hold(order.order_id)
        return (said(order.order_id, UpdateKind.ACCEPTED, ticket=f"t-{order.order_id}"),)

    def instruments(self) -> dict[str, Instrument] | None:
        """One symbol."""
        return {"EURUSD": EURUSD}

    def account(self) -> AccountState | None:
        """The account."""
        self.calls.append("account")
        self._hold("account")
        return ACCOUNT

    def positions(self) -> tuple[TerminalPosition, ...] | None:
        """None are open."""
        self.calls.append("positions")
        return ()

    def orders(self) -> tuple[TerminalOrder, ...] | None:
        """None works."""
        return ()

    def deals(self, since_ts_ns: int) -> tuple[Deal, ...] | None:
        """Cannot be asked."""
        return None

    def trace(self, token: str) -> Trace | None:
        """Never heard of it."""
        return Trace()

    def history(self, symbol: str, start_ts_ns: int, end_ts_ns: int) -> TickBlock | None:
        """The part of the block that was asked for."""
        self.calls.append("history")
        self._hold("history")
        if self.block is None:
            return None
        first, last = np.searchsorted(self.block.ts_ns, (start_ts_ns, end_ts_ns))
        return self.block.slice(int(first), int(last))

    def _hold(self, name: str) -> None:
        if name in self.holds:
            self.begun.set()
            assert self.release.wait(PATIENCE_S), f"nobody released {name}"


class LoopClock:
    """Wall time that follows the event loop's, so that it can be virtual; `ahead_ns` shifts it."""

    def __init__(self, ahead_ns: int = 0) -> None:
        self.ahead_ns = ahead_ns

    def now_ns(self) -> int:
        """The loop's time on a Tuesday."""
        now_s = asyncio.get_running_loop().time()
        return TUESDAY_NS + self.ahead_ns + round(now_s * NS_PER_SECOND)


class HandHost:
    """The host's end of a channel, spoken by hand; keeps what the server sends."""

    def __init__(self, channel: MemoryChannel, session_id: str = "run-1") -> None:
        self.channel = channel
        self.session_id = session_id
        self.clock = LoopClock()
        self.seq = 0
        self.got: list[ServerMessage] = []
        self.is_mute = False
        self.holds_heartbeats = False
        self.contract = EURUSD
        self.news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def greet(self, version: int = PROTOCOL_VERSION, account: AccountName = NAME) -> None:
        """Say hello and begin to take in."""
        hello = Hello(version, "0.0.test", "desk-7", account, self.session_id, self.seq)
        await self.say(hello)
        self._task = asyncio.create_task(self._listen())

    async def say(self, message: HostMessage) -> None:
        """Send one message."""
        await self.channel.send(encode(message))

    async def link(self, state: LinkState, account: AccountName = NAME) -> None:
        """Say how the broker is reached."""
        self.seq += 1
        change = LinkChange(state=state, reason=state.value, ts_ns=self.clock.now_ns())
        await self.say(Link(self.seq, change, account))

    async def tell(self, update: OrderUpdate, seq: int = 0) -> None:
        """Say what the broker said; `seq` repeats an earlier number."""
        if not seq:
            self.seq += 1
        await self.say(Update(seq or self.seq, update))

    async def until(self, kind: type, count: int = 1) -> list[Any]:
        """Wait for so many messages of a kind."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.of(kind)) < count:
                self.news.clear()
                await self.news.wait()
        return self.of(kind)

    def of(self, kind: type) -> list[Any]:
        """The messages of a kind that have come."""
        return [message for message in self.got if isinstance(message, kind)]

    async def answer(self, request_id: int, value: object) -> None:
        """Answer a question."""
        parts = answer_parts(value)
        for place, part in enumerate(parts, 1):
            await self.say(Answer(request_id, part, place == len(parts)))

    async def _listen(self) -> None:
        try:
            while True:
                message = from_server(await self.channel.receive())
                self.got.append(message)
                self.news.set()
                if self.is_mute:
                    continue
                if isinstance(message, Pulse) and not self.holds_heartbeats:
                    await self.say(Heartbeat(message.number, self.clock.now_ns(), HostStats()))
                if isinstance(message, Ask):
                    await self._answer_known(message.request_id, message.question)
        except ConnectionError:
            self.news.set()

    async def _answer_known(self, request_id: int, question: Question) -> None:
        if isinstance(question, AskInstruments):
            await self.answer(request_id, {"EURUSD": self.contract})
        if isinstance(question, AskAccount):
            await self.answer(request_id, ACCOUNT)


def submits(host: HandHost) -> list[str]:
    """Ids of the orders that reached a scripted host."""
    return [message.order.order_id for message in host.of(Submit)]
