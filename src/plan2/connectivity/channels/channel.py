"""The channel port: whole messages of bytes between two processes, in order, none twice.

A message that was sent may or may not have arrived when the channel ends; nothing else is promised.
Codes and reasons are those of WebSocket, so that each carrier can tell them.
"""

import enum
from typing import Final, Protocol

MESSAGE_MAX_BYTES: Final = 65_536
"""The longest message; what is longer is sent in parts by whoever speaks over the channel."""
REASON_MAX_BYTES: Final = 120
"""A WebSocket's closing frame has room for 123."""


class CloseCode(enum.IntEnum):
    """Why a channel ended."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL = 1002
    LOST = 1006
    """Without a word; never sent."""
    FAULT = 4400
    """The peer cannot go on until a person acts."""
    REFUSED = 4401
    """The key is unknown or was revoked."""
    FORBIDDEN = 4403
    VERSION = 4406
    SILENT = 4408
    REPLACED = 4409


class ChannelClosed(ConnectionError):
    """The channel has ended; `code` is one of `CloseCode` or the carrier's own."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason or f"closed with code {code}")
        self.code = code
        self.reason = reason


class Channel(Protocol):
    """A two-way stream of messages; one task may send while another receives."""

    async def send(self, message: bytes) -> None:
        """Hand over one message of at most `MESSAGE_MAX_BYTES`; waits while the peer is slow.

        Raises:
            ChannelClosed: the channel has ended; whether the message arrived is not known.
        """
        ...

    async def receive(self) -> bytes:
        """The next message.

        Raises:
            ChannelClosed: there will be no more.
        """
        ...

    async def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """End the channel and tell the peer why, if it listens; harmless when repeated."""
        ...


def short_reason(text: str) -> str:
    """A reason that fits into a closing frame."""
    return text.encode()[:REASON_MAX_BYTES].decode(errors="ignore")
