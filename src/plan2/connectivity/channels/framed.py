"""Channels over TCP on this machine: how a parent and its child process speak.

A pipe would be simpler, but a Windows selector loop cannot wait for one. The parent listens on a
free port of 127.0.0.1 and gives the child a secret, good for one connection; whoever connects
without it hears nothing. Frame: kind (1 byte), length (4 bytes, big endian), content.
"""

import asyncio
import contextlib
import hmac
import secrets
import struct
from typing import Final

from plan2.connectivity.channels.channel import (
    MESSAGE_MAX_BYTES,
    Channel,
    ChannelClosed,
    CloseCode,
    short_reason,
)
from plan2.foundation.errors import require
from plan2.foundation.secret import Secret

LOOPBACK: Final = "127.0.0.1"
HEADER: Final = struct.Struct(">BI")
CODE: Final = struct.Struct(">H")
MESSAGE: Final = 0
END: Final = 1
SECRET_MAX_BYTES: Final = 128
PROVE_WITHIN_S: Final = 10.0
CLOSE_WITHIN_S: Final = 1.0


class FramedChannel:
    """A channel over a TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, message: bytes) -> None:
        """Write one frame; waits while the peer does not read."""
        require(len(message) <= MESSAGE_MAX_BYTES, f"a message of {len(message)} bytes is too long")
        if self._writer.is_closing():
            raise ChannelClosed(CloseCode.LOST, "the connection is closed")
        self._write(MESSAGE, message)
        try:
            await self._writer.drain()
        except OSError as error:
            raise ChannelClosed(CloseCode.LOST, _reason(error)) from error

    async def receive(self) -> bytes:
        """Read one frame."""
        return await self._read(MESSAGE_MAX_BYTES)

    async def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """Write the closing frame and hang up."""
        if self._writer.is_closing():
            return
        self._write(END, CODE.pack(code) + short_reason(reason).encode())
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._writer.wait_closed(), CLOSE_WITHIN_S)

    async def prove(self, secret: Secret) -> None:
        """Show the secret; the child's first word."""
        await self.send(secret.reveal().encode())

    async def is_proven(self, secret: Secret) -> bool:
        """Whether the peer's first word, said in time, is the secret."""
        try:
            async with asyncio.timeout(PROVE_WITHIN_S):
                shown = await self._read(SECRET_MAX_BYTES)
        except (ChannelClosed, TimeoutError):
            return False
        return hmac.compare_digest(shown, secret.reveal().encode())

    def _write(self, kind: int, content: bytes) -> None:
        self._writer.write(HEADER.pack(kind, len(content)) + content)

    async def _read(self, limit_bytes: int) -> bytes:
        try:
            kind, length = HEADER.unpack(await self._reader.readexactly(HEADER.size))
            if length > limit_bytes or kind not in {MESSAGE, END}:
                raise ChannelClosed(CloseCode.PROTOCOL, f"a frame of {length} bytes, kind {kind}")
            content = await self._reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise ChannelClosed(CloseCode.LOST, "the peer hung up") from error
        except ChannelClosed:
            raise
        except OSError as error:
            raise ChannelClosed(CloseCode.LOST, _reason(error)) from error
        if kind == END:
            code = CODE.unpack_from(content)[0] if len(content) >= CODE.size else CloseCode.LOST
            raise ChannelClosed(code, content[CODE.size :].decode(errors="replace"))
        return content


class LoopbackListener:
    """Waits for the one child that knows the secret; made by `open`."""

    def __init__(self) -> None:
        self.secret = Secret(secrets.token_urlsafe(32))
        self.port = 0
        self._accepted: asyncio.Future[Channel] = asyncio.get_running_loop().create_future()
        self._server: asyncio.Server | None = None

    @classmethod
    async def open(cls) -> "LoopbackListener":
        """Listen on a free port of this machine."""
        listener = cls()
        server = await asyncio.start_server(listener._meet, LOOPBACK, 0)
        listener.port = server.sockets[0].getsockname()[1]
        listener._server = server
        return listener

    async def accept(self) -> Channel:
        """The child's channel, once it has proven itself."""
        return await asyncio.shield(self._accepted)

    def close(self) -> None:
        """Listen no longer; the channel that was accepted stays."""
        if self._server is not None:
            self._server.close()
        self._accepted.cancel()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channel = FramedChannel(reader, writer)
        if await channel.is_proven(self.secret) and not self._accepted.done():
            self._accepted.set_result(channel)
        else:
            writer.close()


async def connect_loopback(port: int, secret: Secret) -> Channel:
    """The child's end.

    Raises:
        OSError: nobody listens there.
    """
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    channel = FramedChannel(reader, writer)
    await channel.prove(secret)
    return channel


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
