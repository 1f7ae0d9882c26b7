"""The client's end of a channel over WebSocket: how an agent reaches its server.

The key travels in the Authorization header, so an address without TLS is refused unless it is this
machine. No extension, no ping of the library: whoever speaks over the channel has heartbeats.
"""

import ssl
from typing import Final
from urllib.parse import SplitResult, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Origin

from plan2.connectivity.channels.channel import (
    MESSAGE_MAX_BYTES,
    Channel,
    ChannelClosed,
    CloseCode,
    short_reason,
)
from plan2.foundation.errors import ConfigError, TerminalUnavailable, require
from plan2.foundation.secret import Secret

OPEN_WITHIN_S: Final = 15.0
CLOSE_WITHIN_S: Final = 2.0
LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class WebSocketChannel:
    """A channel over a client's WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, message: bytes) -> None:
        """Send one binary message; waits while the peer does not read."""
        require(len(message) <= MESSAGE_MAX_BYTES, f"a message of {len(message)} bytes is too long")
        try:
            await self._socket.send(message)
        except ConnectionClosed as closed:
            raise _closed(closed) from closed

    async def receive(self) -> bytes:
        """The next message; a text counts as its UTF-8."""
        try:
            message = await self._socket.recv()
        except ConnectionClosed as closed:
            raise _closed(closed) from closed
        return message.encode() if isinstance(message, str) else message

    async def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """Close in order, within two seconds."""
        await self._socket.close(code, short_reason(reason))


async def connect_websocket(
    url: str, key: Secret, trusted: ssl.SSLContext | None = None
) -> Channel:
    """Open a channel to a server.

    Args:
        url: `wss://HOST/PATH`; `ws://` for this machine only.
        key: shown as bearer token.
        trusted: certificates to trust instead of the system's.

    Raises:
        ConfigError: the address cannot be used, or the server refuses the key or the host name.
        TerminalUnavailable: the server cannot be reached now, or is not ready.
    """
    parts = checked_address(url)
    page = f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}"
    try:
        socket = await connect(
            url,
            origin=Origin(page),
            additional_headers={"Authorization": f"Bearer {key.reveal()}"},
            ssl=trusted if parts.scheme == "wss" else None,
            compression=None,
            max_size=MESSAGE_MAX_BYTES,
            ping_interval=None,
            open_timeout=OPEN_WITHIN_S,
            close_timeout=CLOSE_WITHIN_S,
            user_agent_header=None,
        )
    except InvalidStatus as refused:
        raise _refusal(refused, parts.netloc) from refused
    except ssl.SSLCertVerificationError as error:
        raise ConfigError(
            f"The certificate of {parts.netloc} is not trusted: {error.verify_message}.",
            remedy="Check the address, or let this machine trust the server's certificate.",
        ) from error
    except (OSError, TimeoutError, InvalidHandshake) as error:
        found = str(error) or type(error).__name__
        raise TerminalUnavailable(f"{parts.netloc} cannot be reached: {found}.") from error
    return WebSocketChannel(socket)


def checked_address(url: str) -> SplitResult:
    """The parts of a server's address.

    Raises:
        ConfigError: it is no address of a WebSocket, or the key would travel in the clear.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"ws", "wss"} or not parts.hostname:
        raise ConfigError(
            f"--server {url!r} is not the address of a WebSocket.",
            remedy="Write it like wss://plan2.example.com/api/v1/terminal.",
        )
    if parts.scheme == "ws" and parts.hostname not in LOCAL_NAMES:
        raise ConfigError(
            f"--server {url!r} would carry the key in the clear.",
            remedy="Use wss://; ws:// is for this machine only.",
        )
    return parts


def _refusal(refused: InvalidStatus, host: str) -> ConfigError | TerminalUnavailable:
    status = refused.response.status_code
    if status == 401:
        return ConfigError(
            f"{host} refuses the key: it is unknown, revoked, or of another account.",
            remedy="Make a new one on the server with `plan2 terminal-keys create`.",
        )
    if status == 403:
        return ConfigError(
            f"{host} refuses the connection (HTTP 403).",
            remedy="The server must answer for this host name; see its server.host.",
        )
    return TerminalUnavailable(f"{host} answers HTTP {status} instead of a WebSocket.")


def _closed(closed: ConnectionClosed) -> ChannelClosed:
    if closed.rcvd is None:
        return ChannelClosed(CloseCode.LOST, "the connection broke")
    return ChannelClosed(closed.rcvd.code, closed.rcvd.reason)
