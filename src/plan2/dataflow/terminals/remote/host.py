"""The host process: an engine on one thread, and here, on the event loop, its link to the server.

The engine lives on while links come and go. Nothing that must not be lost depends on a link: it
waits in the outbox. While the engine blocks the whole interpreter this loop stands still too, so
what may block for long is announced first, and the server keeps the watch.
"""

import asyncio
import concurrent.futures
import contextlib
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from plan2.connectivity.channels.channel import Channel, ChannelClosed, CloseCode, short_reason
from plan2.dataflow.terminals.port import LinkChange, LinkState
from plan2.dataflow.terminals.remote.engine import HostEngine, Polled
from plan2.dataflow.terminals.remote.lane import Answered, Connected, Ended, Lane, Report, Told
from plan2.dataflow.terminals.remote.order_memory import OrderMemory
from plan2.dataflow.terminals.remote.outbox import Outbox, TickBuffer
from plan2.dataflow.terminals.remote.protocol import (
    PROTOCOL_VERSION,
    AccountName,
    Ack,
    Answer,
    Ask,
    Busy,
    Heartbeat,
    Hello,
    HostMessage,
    HostStats,
    Pulse,
    Resume,
    Submit,
    Welcome,
    encode,
    from_server,
    version_conflict,
)
from plan2.dataflow.terminals.remote.questions import answer_parts
from plan2.foundation.clock import Clock
from plan2.foundation.errors import OutcomeUnknown, Plan2Error, require
from plan2.foundation.ids import IdSource

GREET_WITHIN_S: Final = 15.0
SERVER_SILENT_S: Final = 15.0
STOP_WITHIN_S: Final = 10.0
ANNOUNCE_WITHIN_S: Final = 1.0
WINDOW_BATCHES: Final = 16
"""Batches of ticks on the way before the host waits for an acknowledgement."""


class HostOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a host runs: where it notes its orders, how it is called, how often it polls."""

    folder: Path
    name: str
    version: str
    poll_s: float = 0.02


class TerminalHost:
    """Runs an engine and serves one link at a time.

    Args:
        factory: makes the engine, on the engine's thread.
        options: see there. clock: this machine's. ids: names this run.
        on_link: told whenever the engine's way to its broker changes, for people.
    """

    def __init__(
        self,
        factory: Callable[[], HostEngine],
        options: HostOptions,
        clock: Clock,
        ids: IdSource,
        on_link: Callable[[LinkChange, AccountName], None] = lambda *_: None,
    ) -> None:
        self._options = options
        self._clock = clock
        self._on_link = on_link
        self._session_id = ids.next_id("terminal_host")
        self._memory = OrderMemory(options.folder, clock)
        self._outbox = Outbox()
        self._ticks = TickBuffer()
        self._last_words: dict[int, str] = {}
        self._lane = Lane(
            factory, self._memory, clock, options.poll_s, self._on_lane, self._announce
        )
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[Plan2Error | None] = self._loop.create_future()
        self._account = AccountName()
        self._link = self._change(LinkState.DOWN, "connecting to the terminal")
        self._connects = 0
        self._is_verified = False
        self._urgent: deque[tuple[HostMessage, asyncio.Event]] = deque()
        self._pulse = 0
        self._answers: deque[Answer] = deque()
        self._is_linked = False
        self._is_streaming = False
        self._batches_out = 0
        self._wake = asyncio.Event()

    def start(self) -> None:
        """Read the order memory and start the engine.

        Raises:
            InputError, OSError: the memory cannot be used.
        """
        for order_id, updates in self._memory.open():
            self._on_report(Told(order_id, updates))
        self._lane.start()

    async def run_engine(self) -> None:
        """Until the engine has ended, link or not.

        Raises:
            Plan2Error: why it ended, unless it was stopped.
        """
        error = await asyncio.shield(self._ended)
        if error is not None:
            raise error

    async def stop(self) -> None:
        """Close the engine, after the call that runs unless that lasts, and the memory."""
        self._lane.stop()
        await asyncio.wait([self._ended], timeout=STOP_WITHIN_S)
        self._memory.close()

    async def serve(self, channel: Channel) -> None:
        """Serve a link until it ends; then another one may come.

        Raises:
            ChannelClosed: the link has ended.
            Plan2Error: the engine has ended; the host cannot go on.
        """
        require(not self._is_linked, "a host serves one link at a time")
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._greet(channel)
            self._is_linked = True
            tasks = [
                asyncio.create_task(self._read(channel)),
                asyncio.create_task(self._write(channel)),
            ]
            ends: list[asyncio.Future[Any]] = [*tasks, self._ended]  # they end differently
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            await self._say_last(channel)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            self._unlink()
            await channel.close(CloseCode.GOING_AWAY, "the host ends this link")
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _greet(self, channel: Channel) -> None:
        options = self._options
        hello = Hello(
            version=PROTOCOL_VERSION,
            agent=options.version,
            host=options.name,
            account=self._account,
            session_id=self._session_id,
            last_seq=self._outbox.last_seq,
        )
        await channel.send(encode(hello))
        try:
            async with asyncio.timeout(GREET_WITHIN_S):
                conflict = version_conflict(await channel.receive(), "server")
        except (TimeoutError, msgspec.MsgspecError) as error:
            raise ChannelClosed(CloseCode.PROTOCOL, "the server did not say welcome") from error
        if conflict:
            await channel.close(CloseCode.VERSION, conflict)
            raise ChannelClosed(CloseCode.VERSION, conflict)

    async def _say_last(self, channel: Channel) -> None:
        """When the engine has ended, tell the server why and go."""
        if not self._ended.done():
            return
        error = self._ended.result() or OutcomeUnknown("The host was stopped.")
        await channel.close(CloseCode.FAULT, short_reason(str(error)))
        raise error

    def _unlink(self) -> None:
        was_linked, self._is_linked = self._is_linked, False
        self._is_streaming = False
        self._batches_out = 0
        self._pulse = 0
        self._answers.clear()
        for _, said in self._urgent:
            said.set()
        self._urgent.clear()
        if was_linked:
            self._lane.drop_waiting()

    async def _read(self, channel: Channel) -> None:
        while True:
            try:
                async with asyncio.timeout(SERVER_SILENT_S):
                    message = from_server(await channel.receive())
            except TimeoutError as error:
                raise ChannelClosed(CloseCode.SILENT, "the server is silent") from error
            except msgspec.MsgspecError as error:
                raise ChannelClosed(CloseCode.PROTOCOL, str(error)) from error
            match message:
                case Submit():
                    self._lane.add_order(message)
                case Ask():
                    self._lane.add_question(message)
                case Ack():
                    self._acknowledge(message)
                case Pulse():
                    self._pulse = message.number
                case Resume():
                    self._resume(message)
                case Welcome():
                    continue
            self._wake.set()

    def _resume(self, message: Resume) -> None:
        is_ours = message.session_id == self._session_id
        self._outbox.rewind(message.seq if is_ours else 0)
        self._outbox.add_link(self._link, self._account)
        self._batches_out = 0
        self._is_streaming = True

    def _acknowledge(self, message: Ack) -> None:
        self._outbox.acknowledge(message.seq)
        self._batches_out = max(0, self._batches_out - message.batches)
        for seq in [seq for seq in self._last_words if seq <= message.seq]:
            self._memory.acknowledged(self._last_words.pop(seq))

    async def _write(self, channel: Channel) -> None:
        while True:
            if self._urgent:
                message, said = self._urgent.popleft()
                await channel.send(encode(message))
                said.set()
                continue
            following = self._next_message()
            if following is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            await channel.send(encode(following))

    def _next_message(self) -> HostMessage | None:
        """What is due: heartbeat, then what must not be lost, then answers, then ticks."""
        if self._pulse:
            number, self._pulse = self._pulse, 0
            return Heartbeat(number, self._clock.now_ns(), self._stats())
        numbered = self._outbox.next_unsent() if self._is_streaming else None
        if numbered is not None:
            return numbered
        if self._answers:
            return self._answers.popleft()
        if not self._is_streaming or self._batches_out >= WINDOW_BATCHES:
            return None
        batch = self._ticks.take()
        self._batches_out += batch is not None
        return batch

    def _stats(self) -> HostStats:
        return HostStats(
            dropped_ticks=self._ticks.dropped,
            lost_updates=self._outbox.lost,
            waiting_updates=len(self._outbox),
            waiting_orders=self._lane.waiting_orders,
            reconnects=max(0, self._connects - 1),
        )

    def _on_lane(self, report: Report) -> None:
        """Hand a report over from the engine's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process is going away
            self._loop.call_soon_threadsafe(self._on_report, report)

    def _on_report(self, report: Report) -> None:
        match report:
            case Polled():
                self._on_polled(report)
            case Told():
                for update in report.updates:
                    self._outbox.add_update(update)
                self._last_words[self._outbox.last_seq] = report.order_id
            case Answered():
                self._on_answer(report)
            case Connected():
                self._account = AccountName.of(report.account)
                self._connects += 1
                self._is_verified = False
            case LinkChange():
                self._change_link(report)
            case Ended():
                if not self._ended.done():
                    self._ended.set_result(report.error)
        self._wake.set()

    def _on_polled(self, polled: Polled) -> None:
        for update in polled.updates:
            self._outbox.add_update(update)
        for tick in polled.ticks:
            self._ticks.add(tick)
        if polled.link is not None:
            self._change_link(polled.link)
        elif not self._is_verified:
            # The first poll after a connect has nothing to complain about.
            self._change_link(self._change(LinkState.UP, "connected"))
        self._is_verified = True

    def _change(self, state: LinkState, reason: str) -> LinkChange:
        return LinkChange(state=state, reason=reason, ts_ns=self._clock.now_ns())

    def _change_link(self, change: LinkChange) -> None:
        self._link = change
        self._outbox.add_link(change, self._account)
        self._on_link(change, self._account)

    def _on_answer(self, answered: Answered) -> None:
        if not self._is_linked:
            return
        parts = answer_parts(answered.value)
        for place, part in enumerate(parts, 1):
            is_last = place == len(parts)
            self._answers.append(Answer(answered.request_id, part, is_last))

    def _announce(self, what: str, limit_s: float) -> None:
        """On the engine's thread: see to it that the server knows before silence begins."""
        if self._loop.is_closed():
            return
        said = asyncio.run_coroutine_threadsafe(self._say(Busy(what, limit_s)), self._loop)
        # A link that is stuck, or a loop that ends, does not keep the call from being made.
        with contextlib.suppress(concurrent.futures.CancelledError, TimeoutError):
            said.result(ANNOUNCE_WITHIN_S)

    async def _say(self, message: HostMessage) -> None:
        if not self._is_linked:
            return
        said = asyncio.Event()
        self._urgent.append((message, said))
        self._wake.set()
        await said.wait()
