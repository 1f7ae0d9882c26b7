"""Our end of one link to a host: greeting, sending in order of urgency, questions and answers."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NoReturn

import msgspec

from plan2.connectivity.channels.channel import Channel, ChannelClosed, CloseCode
from plan2.dataflow.terminals.port import ApprovedOrder
from plan2.dataflow.terminals.remote.protocol import (
    PROTOCOL_VERSION,
    Ack,
    Answer,
    Ask,
    Hello,
    HostMessage,
    Pulse,
    Resume,
    ServerMessage,
    Submit,
    Welcome,
    encode,
    from_host,
    version_conflict,
)
from plan2.dataflow.terminals.remote.questions import Question, read_answer

GREET_WITHIN_S: Final = 10.0
ORDERS_MAX: Final = 1_000
QUESTIONS_MAX: Final = 256
ANSWER_MAX_BYTES: Final = 64 * 1024 * 1024

Wire = Callable[[ApprovedOrder], Submit | None]
"""Makes the message of an order at the moment it is written; None when it was given up."""


class _Open(msgspec.Struct):
    """A question whose answer is coming in."""

    question: Question
    answer: asyncio.Future[Any]  # the kind of question decides
    whole: bytearray


class HostSession:
    """One link.

    Args:
        channel: the way to the host.
        server: what we call ourselves. wire: makes the message of an order.
    """

    def __init__(self, channel: Channel, server: str, wire: Wire) -> None:
        self._channel = channel
        self._server = server
        self._wire = wire
        self._orders: deque[ApprovedOrder] = deque()
        self._asks: deque[Ask] = deque()
        self._open: dict[int, _Open] = {}
        self._requests = 0
        self._resume: Resume | None = None
        self._pulse = 0
        self._owed_seq = 0
        self._owed_batches = 0
        self._wake = asyncio.Event()

    async def greet(self) -> Hello:
        """Hear who it is and say welcome.

        Raises:
            ChannelClosed: it ended, said nothing in time, or speaks another version.
        """
        try:
            async with asyncio.timeout(GREET_WITHIN_S):
                message = await self._channel.receive()
            conflict = version_conflict(message, "host")
            if conflict:
                await self.fail(CloseCode.VERSION, conflict)
            hello = from_host(message)
        except (TimeoutError, msgspec.MsgspecError):
            await self.fail(CloseCode.PROTOCOL, "the host did not say hello")
        if not isinstance(hello, Hello):
            await self.fail(CloseCode.PROTOCOL, "the host did not say hello")
        await self._channel.send(encode(Welcome(PROTOCOL_VERSION, self._server)))
        return hello

    async def fail(self, code: CloseCode, reason: str) -> NoReturn:
        """Close the channel and say why here too.

        Raises:
            ChannelClosed: always.
        """
        await self._channel.close(code, reason)
        raise ChannelClosed(code, reason)

    async def close(self, code: CloseCode, reason: str) -> None:
        """End the link; `write` and `read` end by it."""
        await self._channel.close(code, reason)

    async def read(self, take: Callable[[HostMessage], None]) -> None:
        """Hand every message to `take`, until the link ends.

        Raises:
            ChannelClosed: it has ended, also because of a message that nobody understands.
        """
        while True:
            message = await self._channel.receive()
            try:
                take(from_host(message))
            except msgspec.MsgspecError as error:
                await self.fail(CloseCode.PROTOCOL, str(error))

    async def write(self) -> None:
        """Send what is due, until the link ends.

        Raises:
            ChannelClosed: it has ended.
        """
        while True:
            message = self._next_message()
            if message is None:
                self._wake.clear()
                await self._wake.wait()
            else:
                await self._channel.send(encode(message))

    @property
    def has_room(self) -> bool:
        """Whether another order can be taken."""
        return len(self._orders) < ORDERS_MAX

    def resume(self, session_id: str, seq: int) -> None:
        """Ask the host to deliver."""
        self._resume = Resume(session_id, seq)
        self._wake.set()

    def submit(self, order: ApprovedOrder) -> None:
        """Send an order before anything else."""
        self._orders.append(order)
        self._wake.set()

    def pulse(self, number: int) -> None:
        """Send a pulse."""
        self._pulse = number
        self._wake.set()

    def owe(self, seq: int, batches: int) -> None:
        """Acknowledge what was taken in."""
        self._owed_seq = max(self._owed_seq, seq)
        self._owed_batches += batches
        self._wake.set()

    async def ask(self, question: Question, within_s: float) -> Any:  # the question decides
        """The host's answer; None when it could not be asked or did not answer in time."""
        if len(self._open) >= QUESTIONS_MAX:
            return None
        self._requests += 1
        number = self._requests
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._open[number] = _Open(question, answer, bytearray())
        self._asks.append(Ask(number, question, within_s))
        self._wake.set()
        try:
            async with asyncio.timeout(within_s):
                return await answer
        except TimeoutError:
            return None
        finally:
            self._open.pop(number, None)

    def take_answer(self, part: Answer) -> None:
        """A part of an answer has come; parts nobody waits for are dropped.

        Raises:
            msgspec.MsgspecError: it is no answer to what was asked.
        """
        opened = self._open.get(part.request_id)
        if opened is None or opened.answer.done():
            return
        opened.whole += part.body
        if len(opened.whole) > ANSWER_MAX_BYTES:
            raise msgspec.ValidationError(f"an answer of more than {ANSWER_MAX_BYTES} bytes")
        if part.is_last:
            opened.answer.set_result(read_answer(opened.question, bytes(opened.whole)))

    def give_up_questions(self) -> None:
        """The link is gone: every open question is answered by None."""
        for opened in self._open.values():
            if not opened.answer.done():
                opened.answer.set_result(None)

    def _next_message(self) -> ServerMessage | None:
        while self._orders:
            wired = self._wire(self._orders.popleft())
            if wired is not None:
                return wired
        if self._resume is not None:
            resume, self._resume = self._resume, None
            return resume
        if self._pulse:
            number, self._pulse = self._pulse, 0
            return Pulse(number)
        if self._owed_seq or self._owed_batches:
            owed = Ack(self._owed_seq, self._owed_batches)
            self._owed_seq = self._owed_batches = 0
            return owed
        return self._asks.popleft() if self._asks else None
