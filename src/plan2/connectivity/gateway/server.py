"""The HTTP server inside our own loop: uvicorn without signals, access log or compression.

`run_server` binds first, so that a taken port is one readable sentence, then serves until it is
cancelled and shuts down in order: no new connections, WebSockets closed with 1012.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import sys
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, cast

import uvicorn
from litestar.types import ASGIApp

from plan2.connectivity.gateway.connections import Crowd
from plan2.foundation.errors import ConfigError

FRAME_MAX_BYTES: Final = 65_536
GRACE_S: Final = 5
STUCK_AFTER_MS: Final = 30_000
"""After this long without an acknowledgement the kernel drops a connection (Linux)."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process's owner decides when to stop."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_listening = on_listening

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, then say so."""
        await super().startup(sockets)
        if self.started:
            self._on_listening()


async def run_server(
    app: ASGIApp,
    host: str,
    port: int,
    on_ready: Callable[[str], None],
    tls: ssl.SSLContext | None = None,
    trusted: Sequence[str] = (),
) -> None:
    """Serve until cancelled; calls `on_ready` with the base URL once connections are accepted.

    Args:
        app: what is served.
        host: name or address to listen on.
        port: 0 picks a free one.
        on_ready: told the base URL.
        tls: see `tls.py`; without it we speak plain HTTP.
        trusted: proxies (CIDR), behind each of which there are many.

    Raises:
        ConfigError: host or port cannot be used.
    """
    logging.getLogger("uvicorn.error").addFilter(_is_true)
    listener = bind(host, port)
    url = url_of(listener, is_tls=tls is not None)
    crowd = Crowd(trusted)
    server = _Server(_config(app, tls, crowd), lambda: on_ready(url))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    looking = asyncio.create_task(crowd.run())
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await asyncio.wait({serving})
        looking.cancel()
        listener.close()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        ConfigError: the name does not resolve, the port is taken, or it is not ours to take.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ConfigError(
            f"server.host = {host!r} is not an address of this machine ({error.strerror}).",
            remedy="Use 127.0.0.1 for this machine alone.",
        ) from error
    listener = socket.socket(family, kind, proto)
    try:
        if sys.platform != "win32":
            # Windows would let a second process take a port that is in use.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_AFTER_MS)
        listener.bind(address)
        listener.listen(512)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"Port {port} on {host} cannot be used: {error.strerror}.",
            remedy="Stop the program that has it, or set server.port (0 picks a free one).",
        ) from error
    return listener


def url_of(listener: socket.socket, *, is_tls: bool = False) -> str:
    """The base URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - shown, not bound
    bracketed = f"[{name}]" if ":" in name and not name.startswith("[") else name
    return f"{'https' if is_tls else 'http'}://{bracketed}:{port}"


def _is_true(record: logging.LogRecord) -> bool:
    """Whether uvicorn's complaint is to be believed: a refused handshake is complete."""
    return record.msg != "ASGI callable returned without completing handshake."


def _config(app: ASGIApp, tls: ssl.SSLContext | None, crowd: Crowd) -> uvicorn.Config:
    return uvicorn.Config(
        cast("Any", app),  # two packages' names for the same ASGI signature
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=cast("Any", crowd.protocol),  # called like the class that uvicorn's types ask for
        ws="auto",
        ws_max_size=FRAME_MAX_BYTES,
        ws_per_message_deflate=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_S,
        lifespan="on",
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )
