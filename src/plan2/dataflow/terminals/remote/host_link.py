"""Our end of a host's links: takes a link in, holds it against what is expected, and listens.

Links come and go; what is known of the host, its account, its symbols and the orders on their way
stays. UP needs all of it: a link that is not silent, an engine that has connected and verified its
account, the symbols, and the host's clock. Each update reaches the listener once.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from plan2 import __version__
from plan2.connectivity.channels.channel import Channel, ChannelClosed, CloseCode
from plan2.dataflow.terminals.port import (
    AccountState,
    ApprovedOrder,
    LinkChange,
    LinkState,
    OrderUpdate,
    TerminalListener,
)
from plan2.dataflow.terminals.remote.known_past import KnownPast
from plan2.dataflow.terminals.remote.peer import (
    WAITING,
    HostPeer,
    RemoteOptions,
    RemoteStatus,
)
from plan2.dataflow.terminals.remote.pending_orders import PendingOrders
from plan2.dataflow.terminals.remote.protocol import (
    AccountName,
    Answer,
    Busy,
    Heartbeat,
    HostMessage,
    Link,
    Submit,
    Ticks,
    Update,
)
from plan2.dataflow.terminals.remote.questions import AskInstruments, Question
from plan2.dataflow.terminals.remote.session import HostSession
from plan2.foundation.clock import Clock
from plan2.foundation.errors import ConfigError, TerminalUnavailable, require
from plan2.foundation.instrument import Instrument
from plan2.foundation.log import logger
from plan2.foundation.values import NS_PER_SECOND, Tick, TickBlock


class HostLink:
    """At most one live link, and everything that outlives it.

    Args:
        name: of the terminal. clock: wall clock of this machine. options: see there.

    Attributes:
        refusal: why the last host that was not the expected one was turned away.
    """

    def __init__(self, name: str, clock: Clock, options: RemoteOptions) -> None:
        self.instruments: dict[str, Instrument] = {}
        self._name = name
        self._clock = clock
        self._options = options
        self._account = options.account
        self._peer = HostPeer(options.limits, options.heartbeat_s)
        self._orders = PendingOrders(clock)
        self.is_stopped = False
        self.refusal = ""
        self._past = KnownPast()
        self._session: HostSession | None = None
        self._listener: TerminalListener | None = None
        self._down_reason = "no host has connected yet"
        self._told: tuple[LinkState, str] | None = None
        self._chores: set[asyncio.Task[None]] = set()
        self._log = logger("remote_terminal")

    def start(self, listener: TerminalListener) -> None:
        """Deliver to `listener` from now on; its first word is how the link is."""
        require(self._listener is None, f"terminal {self._name} was started before")
        self._listener = listener
        if self._session is not None:
            self._session.resume(self._peer.session_id, self._peer.seq)
        self._tell_link()

    async def stop(self) -> None:
        """Let go of the host; orders without an answer get UNKNOWN first."""
        self._tell_updates(self._orders.lost())
        self.is_stopped = True
        self._listener, self._told = None, None
        if self._session is not None:
            await self._session.close(CloseCode.GOING_AWAY, "the server stops")

    def note_past(self, block: TickBlock) -> None:
        """These ticks are known: before `start`, the host's own copies of them are left away."""
        if self._listener is None:
            self._past.note(block)

    def submit(self, order: ApprovedOrder) -> None:
        """Hand the order to the link.

        Raises:
            TerminalUnavailable: not connected, or too many orders wait; it was not sent.
        """
        state, reason = self.judge()
        session = self._session
        if self._listener is None or session is None or state is not LinkState.UP:
            raise TerminalUnavailable(
                f"terminal {self._name} is {state.value} ({reason}): "
                f"order {order.order_id} was not sent"
            )
        if not session.has_room:
            raise TerminalUnavailable(
                f"terminal {self._name} is congested: order {order.order_id} was not sent"
            )
        self._orders.begin(order.order_id, self._now_s() + self._options.order_answer_s)
        session.submit(order)

    async def ask(self, question: Question, within_s: float) -> Any:  # the question decides
        """The host's answer; None when it could not be asked or does not answer in time."""
        session = self._session
        return await session.ask(question, within_s) if session is not None else None

    def status(self) -> RemoteStatus:
        """How the link is, for people."""
        state, reason = self.judge()
        silent_s = self._peer.silence_s(self._now_s()) if self._session is not None else 0.0
        return self._peer.status(state, reason, silent_s)

    async def attach(self, channel: Channel) -> str:
        """Serve a link until it ends; a newer one takes the place of an older.

        Returns:
            Why it ended.
        """
        session = HostSession(channel, __version__, self._wire)
        self.refusal = ""
        try:
            hello = await session.greet()
            self._check(hello.account)
        except ChannelClosed as closed:
            self.explain(str(closed))
            return str(closed)
        except ConfigError as error:
            self.explain(error.message)
            return await self._turn_away(session, error)
        older = self._session
        if older is not None:
            self._detach("a newer link takes over")
        self._session = session
        self._peer.meet(hello, self._now_s())
        if older is not None:
            await older.close(CloseCode.REPLACED, "a newer link of this account took over")
        reason = "the link ended"
        try:
            await self._serve(session)
        except ChannelClosed as closed:
            reason = str(closed)
        except ConfigError as error:
            reason = await self._turn_away(session, error)
        finally:
            session.give_up_questions()
            if self._session is session:
                self._detach(reason)
        return reason

    async def is_expected(self, account: AccountState) -> bool:
        """Whether the host's account is the expected one; a host with another is turned away."""
        try:
            self._check(AccountName.of(account))
        except ConfigError as error:
            if self._session is not None:
                await self._turn_away(self._session, error)
            return False
        return True

    async def _turn_away(self, session: HostSession, error: ConfigError) -> str:
        self.refusal = error.message
        await session.close(CloseCode.FORBIDDEN, error.message)
        return error.message

    async def _serve(self, session: HostSession) -> None:
        """Read, write and beat until one of them ends."""
        if self._listener is not None:
            session.resume(self._peer.session_id, self._peer.seq)
        tasks: list[asyncio.Task[None]] = [
            asyncio.create_task(session.read(self._taking(session))),
            asyncio.create_task(session.write()),
            asyncio.create_task(self._beat(session)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _beat(self, session: HostSession) -> None:
        while True:
            now_s = self._now_s()
            self._peer.beat(now_s)
            if self._peer.is_given_up(now_s):
                await session.fail(
                    CloseCode.SILENT, f"silent for {self._peer.silence_s(now_s):.0f} s"
                )
            session.pulse(self._peer.next_pulse(self._clock.now_ns()))
            self._tell_link()
            self._tell_updates(self._orders.overdue(now_s))
            await asyncio.sleep(self._options.heartbeat_s)

    def _taking(self, session: HostSession) -> Callable[[HostMessage], None]:
        """What a session does with a message; nothing once it was replaced."""

        def take(message: HostMessage) -> None:
            if self._session is session:
                self._peer.hear(self._now_s())
                self._take(session, message)

        return take

    def _take(self, session: HostSession, message: HostMessage) -> None:
        match message:
            case Ticks():
                self._take_ticks(message)
                session.owe(0, 1)
            case Update() | Link():
                self._take_numbered(session, message)
            case Answer():
                session.take_answer(message)
            case Heartbeat():
                self._peer.take_heartbeat(message, self._clock.now_ns())
                self._tell_link()
            case Busy():
                self._peer.take_busy(message)

    def _take_ticks(self, batch: Ticks) -> None:
        if batch.gaps:
            self._log.warning("ticks_dropped", terminal=self._name, gaps=dict(batch.gaps))
        if self._listener is None:
            return
        on_tick, symbols, past = self._listener.on_tick, batch.symbols, self._past
        for place, ts_ns, bid, ask, seq in batch.rows:
            if not (past and past.holds(symbols[place], ts_ns, seq)):
                on_tick(Tick(symbols[place], ts_ns, bid, ask, seq))

    def _take_numbered(self, session: HostSession, message: Update | Link) -> None:
        if self._listener is None:
            return  # stopped: it stays with the host
        if message.seq > self._peer.seq:
            if isinstance(message, Link):
                self._take_link(session, message)
            elif self._orders.is_news(message.update):
                self._listener.on_order_update(message.update)
            self._peer.seq = message.seq
        session.owe(message.seq, 0)

    def _take_link(self, session: HostSession, link: Link) -> None:
        self._check(link.account)
        self._peer.take_link(link)
        if link.change.state is not LinkState.DOWN:
            # The first connect after a restart may bring new contract data.
            chore = asyncio.create_task(self._learn_instruments(session))
            self._chores.add(chore)
            chore.add_done_callback(self._chores.discard)
        self._tell_link()

    def _wire(self, order: ApprovedOrder) -> Submit | None:
        """The message of an order, at the moment it is written; None when it was given up."""
        if not self._orders.write(order.order_id):
            return None
        life_ns = int(self._options.order_life_s * NS_PER_SECOND)
        return Submit(order, self._clock.now_ns() + self._peer.offset.offset_ns + life_ns)

    def _check(self, account: AccountName) -> None:
        """Hold a host's account against the one that is expected, and remember the first.

        Raises:
            ConfigError: it is another account.
        """
        if not account.login:
            return  # the engine has not connected yet
        expected = self._account
        for wanted, found in zip(
            msgspec.structs.astuple(expected), msgspec.structs.astuple(account), strict=True
        ):
            if wanted not in {"", found}:
                raise ConfigError(f"another account: {account}; expected is {expected}")
        self._account = self._peer.account = account

    async def _learn_instruments(self, session: HostSession) -> None:
        """Ask for the symbols until they come, or the link is gone."""
        while self._session is session:
            told: dict[str, Instrument] | None = await session.ask(
                AskInstruments(), self._options.answer_s
            )
            if told:
                self.instruments = told
                self._tell_link()
                return
            await asyncio.sleep(self._options.heartbeat_s)

    def judge(self) -> tuple[LinkState, str]:
        """How the broker can be reached, and why not better."""
        if self._session is None:
            return LinkState.DOWN, self._down_reason
        state, reason = self._peer.judge(self._now_s())
        if state is not LinkState.DOWN and not self.instruments:
            return LinkState.DOWN, f"{WAITING} the symbols"
        return state, reason

    def _detach(self, reason: str) -> None:
        """The link is gone: say so, and what that means for the orders on their way."""
        self._session = None
        self._down_reason = reason
        self._tell_updates(self._orders.lost())
        self._tell_link()

    def explain(self, reason: str) -> None:
        """Why there is no host, worth knowing while there is none."""
        self._log.warning("terminal_host_missing", terminal=self._name, reason=reason)
        if self._session is None:
            self._down_reason = reason
            self._tell_link()

    def _tell_link(self) -> None:
        """Tell the listener how the link is, when that has changed."""
        found = self.judge()
        if self._listener is None or found == self._told:
            return
        was_down = self._told is None or self._told[0] is LinkState.DOWN
        if was_down and found[1].startswith(WAITING):
            return  # on the way to UP, and not worth a word of its own
        self._told = found
        self._listener.on_link(
            LinkChange(state=found[0], reason=found[1], ts_ns=self._clock.now_ns())
        )

    def _tell_updates(self, updates: list[OrderUpdate]) -> None:
        if self._listener is not None:
            for update in updates:
                self._listener.on_order_update(update)

    def _now_s(self) -> float:
        """The loop's time, which never jumps."""
        return asyncio.get_running_loop().time()
