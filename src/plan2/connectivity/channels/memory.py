"""Two ends of a channel inside one process, for simulations and tests of what speaks over it."""

import asyncio
from collections import deque
from typing import Final

from plan2.connectivity.channels.channel import ChannelClosed, CloseCode
from plan2.foundation.errors import require

CAPACITY: Final = 64
"""Messages on the way before `send` waits."""


class MemoryChannel:
    """One end; `cut` ends both without a word, and what was on the way is lost."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._inbox: deque[bytes] = deque()
        self._capacity = capacity
        self._peer: MemoryChannel | None = None
        self._end: ChannelClosed | None = None
        self._changed = asyncio.Event()

    async def send(self, message: bytes) -> None:
        """Put a message into the other end's inbox; waits while that is full."""
        peer = self._other()
        while self._end is None and len(peer._inbox) >= self._capacity:  # noqa: SLF001 - its twin
            await self._change()
        if self._end is not None:
            raise self._end
        peer._inbox.append(message)  # noqa: SLF001 - its twin
        self._stir()

    async def receive(self) -> bytes:
        """The oldest message of the inbox; those that came before an orderly end are kept."""
        while not self._inbox:
            if self._end is not None:
                raise self._end
            await self._change()
        message = self._inbox.popleft()
        self._stir()
        return message

    async def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """End both."""
        self._finish(ChannelClosed(code, reason))

    def cut(self) -> None:
        """End both as a broken line does."""
        self._inbox.clear()
        self._other()._inbox.clear()  # noqa: SLF001 - its twin
        self._finish(ChannelClosed(CloseCode.LOST, "the line was cut"))

    def join(self, peer: "MemoryChannel") -> None:
        """Make `peer` the other end."""
        self._peer = peer

    def _other(self) -> "MemoryChannel":
        require(self._peer is not None, "a memory channel needs its other end")
        return self._peer or self

    def _finish(self, end: ChannelClosed) -> None:
        other = self._other()
        self._end = self._end or end
        other._end = other._end or end  # noqa: SLF001 - its twin
        self._stir()

    def _stir(self) -> None:
        self._changed.set()
        self._other()._changed.set()  # noqa: SLF001 - its twin

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


def channel_pair(capacity: int = CAPACITY) -> tuple[MemoryChannel, MemoryChannel]:
    """Both ends of a new channel."""
    one, other = MemoryChannel(capacity), MemoryChannel(capacity)
    one.join(other)
    other.join(one)
    return one, other
