"""What a connection may cost before anybody knows who it is: bytes, time, and how many there are.

uvicorn bounds neither the head of a request nor the time in which a request comes, and takes as
many connections as the system has. Anybody who reaches the port could fill the memory of a process
that trades with one header that never ends, or its descriptors with connections that say nothing.
"""

import asyncio
import enum
import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from plan2.connectivity.gateway.addresses import TrustedProxies
from plan2.connectivity.identity.lockout import network_of
from plan2.foundation.errors import require

if sys.platform != "win32":
    import resource

HEAD_MAX_BYTES: Final = 65_536
"""So much of a head, or of what is neither head nor body, may come without an end; one that comes
in a single read (256 KiB) is whole by then. Ours have some 2 kB with the longest token."""
HEAD_S: Final = 10.0
"""How long a connection may take to say what it wants, from its beginning or the first byte on."""
REQUEST_S: Final = 60.0
"""How long a whole request may take to come, its body of a mebibyte at most included."""
OF_ADDRESS_MAX: Final = 200
"""Connections of one address (an IPv6 /64) at once; the machine itself and proxies have no part."""
ALL_MAX: Final = 4_000
ALL_MAX_WINDOWS: Final = 250
"""The loop there can look after 512 sockets, WebSockets and our own included."""
LOOK_S: Final = 1.0
HERE: Final = frozenset({network_of("127.0.0.1"), network_of("::1")})
CROWDED: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\ncontent-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


def room_of_process() -> int:
    """How many connections there may be: half of what the system lets this process open."""
    if sys.platform == "win32":
        return ALL_MAX_WINDOWS
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return ALL_MAX if soft == resource.RLIM_INFINITY else min(ALL_MAX, soft // 2)


class Crowd:
    """Every connection that is no WebSocket yet; those are a quota of their tenant.

    Args:
        trusted: proxies (CIDR) whose connections are those of many. all_max: at once.
        now_s: monotonic seconds.
    """

    def __init__(
        self,
        trusted: Sequence[str] = (),
        all_max: int | None = None,
        now_s: Callable[[], float] | None = None,
    ) -> None:
        self.now_s = now_s or asyncio.get_running_loop().time
        self._all_max = room_of_process() if all_max is None else all_max
        self._proxies = TrustedProxies(trusted)
        self._inside: dict[BoundedHttp, str] = {}
        self._of: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._inside)

    def protocol(self, **parts: Any) -> "BoundedHttp":  # uvicorn's own arguments, passed on
        """A new connection's protocol; uvicorn calls it as it would call a class."""
        return BoundedHttp(self, **parts)

    def enter(self, connection: "BoundedHttp", address: str) -> bool:
        """Let a connection in; False when there are too many, of its address or of all."""
        where = network_of(address)
        is_one = not (where in HERE or self._proxies.is_trusted(address))
        if len(self._inside) >= self._all_max or (is_one and self._of[where] >= OF_ADDRESS_MAX):
            return False
        self._inside[connection] = where
        self._of[where] += 1
        return True

    def leave(self, connection: "BoundedHttp") -> None:
        """A connection is gone, or a WebSocket from now on; harmless when repeated."""
        where = self._inside.pop(connection, None)
        if where is None:
            return
        self._of[where] -= 1
        require(self._of[where] >= 0, "a connection left twice")
        if not self._of[where]:
            del self._of[where]

    def look(self) -> None:
        """Close those that keep us waiting for their request."""
        now_s = self.now_s()
        for connection in [each for each in self._inside if each.due_s < now_s]:
            connection.transport.abort()

    async def run(self) -> None:
        """Look once a second, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()


class _Stage(enum.Enum):
    """How much of a request is here."""

    HEAD = HEAD_S
    BODY = REQUEST_S
    WHOLE = math.inf


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's connection, within bounds.

    Attributes:
        due_s: until when the rest of the request that has begun must be here; infinite without one.
    """

    def __init__(self, crowd: Crowd, **parts: Any) -> None:
        super().__init__(**parts)
        self.due_s = math.inf
        self._crowd = crowd
        self._stage = _Stage.HEAD
        self._timed: _Stage | None = _Stage.HEAD
        self._is_moving = False
        self._unused_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it in, or turn it away at once."""
        super().connection_made(transport)
        if self._crowd.enter(self, self.client[0] if self.client else ""):
            self.due_s = self._crowd.now_s() + HEAD_S
        else:
            transport.write(CROWDED)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._crowd.leave(self)
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """It is a WebSocket from now on."""
        self._crowd.leave(self)
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        """Bytes came; those that end no head and are no body are bounded, and so is the wait.

        The parser keeps a header or a trailer to itself until it is whole, and then for good.
        """
        super().data_received(data)
        if self._stage is _Stage.WHOLE:
            self.due_s = math.inf
            return
        if self._timed is not self._stage:
            self._timed = self._stage
            self.due_s = self._crowd.now_s() + self._stage.value
        self._unused_bytes = 0 if self._is_moving else self._unused_bytes + len(data)
        self._is_moving = False
        if self._unused_bytes > HEAD_MAX_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of this request is too long.")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._stage, self._timed = _Stage.HEAD, None
        self._unused_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._stage, self._is_moving = _Stage.BODY, True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of its body; it is read no faster than the route takes it."""
        self._is_moving = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is there."""
        self._stage = _Stage.WHOLE
        super().on_message_complete()
