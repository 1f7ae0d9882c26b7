"""What strangers may cost by connections alone: bounded heads, bounded waits, a bounded number."""

import asyncio
import math
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from plan2.connectivity.gateway.connections import (
    HEAD_MAX_BYTES,
    HEAD_S,
    OF_ADDRESS_MAX,
    REQUEST_S,
    BoundedHttp,
    Crowd,
    room_of_process,
)

PIECE = 8_192
START = b"POST /things HTTP/1.1\r\nhost: plan2\r\n"
CHUNKED = START + b"transfer-encoding: chunked\r\n\r\n"


class Wire(asyncio.Transport):
    """A connection without a network: what was written, and how it ended."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 5), "sockname": ("127.0.0.1", 1)})
        self.written = b""
        self.is_closed = self.is_aborted = False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        """Keep it."""
        self.written += data

    def close(self) -> None:
        """From now on nothing is taken."""
        self.is_closed = True

    def abort(self) -> None:
        """Cut off."""
        self.is_closed = self.is_aborted = True

    def is_closing(self) -> bool:
        """Whether it ended."""
        return self.is_closed

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Everything fits."""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who hears what comes; the tests call it themselves."""

    def pause_reading(self) -> None:
        """Nothing is read by itself here."""

    def resume_reading(self) -> None:
        """Nothing is read by itself here."""


class Street:
    """Connections to one server, and its clock."""

    def __init__(self, *proxies: str, all_max: int = 10_000) -> None:
        self.now_s = 0.0
        self.bodies: list[int] = []
        self.crowd = Crowd(proxies, all_max, lambda: self.now_s)
        self._config = uvicorn.Config(self._app, log_config=None, lifespan="off", interface="asgi3")
        self._config.load()
        self._state = ServerState()

    def open(self, address: str = "192.0.2.7") -> tuple[BoundedHttp, Wire]:
        """Somebody connects."""
        made = self.crowd.protocol(
            config=self._config, server_state=self._state, app_state={}, _loop=None
        )
        wire = Wire(address)
        made.connection_made(wire)
        return made, wire

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size, more = size + len(message["body"]), message["more_body"]
        self.bodies.append(size)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def taken(connection: BoundedHttp, wire: Wire, piece: bytes, times: int) -> int:
    """How many bytes a connection took before it was closed."""
    count = 0
    for _ in range(times):
        if wire.is_closed:
            break
        connection.data_received(piece)
        count += len(piece)
        await asyncio.sleep(0)
    return count


@pytest.mark.parametrize(
    ("before", "piece"),
    [
        (START + b"x-long: ", b"a" * PIECE),
        (START, b"x: " + b"a" * 16 + b"\r\n"),
        (b"GET /", b"a" * PIECE),
        (b"", b"\r\n" * PIECE),
        (CHUNKED + b"1\r\nx\r\n0\r\nx-trailer: ", b"a" * PIECE),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"x: " + b"a" * 16 + b"\r\n"),
    ],
    ids=["one header", "many headers", "address", "blank lines", "one trailer", "many trailers"],
)
async def test_nothing_without_an_end_is_kept(before: bytes, piece: bytes) -> None:
    """A hundred times what is allowed is offered; the connection ends soon after the bound."""
    street = Street()
    connection, wire = street.open()
    if before:
        connection.data_received(before)
    most = 2 * (HEAD_MAX_BYTES + PIECE)
    assert await taken(connection, wire, piece, 100 * HEAD_MAX_BYTES // len(piece)) <= most
    assert wire.is_closed
    assert wire.written.startswith(b"HTTP/1.1 400 ")


async def test_bodies_pass_however_they_are_cut() -> None:
    """A mebibyte in one piece and in many, and chunks of a byte: none is taken for a head."""
    street, size = Street(), 1 << 20
    head = START + f"content-length: {size}\r\n\r\n".encode()
    for pieces in ([head + b"b" * size], [head, *[b"b" * PIECE] * (size // PIECE)]):
        connection, wire = street.open()
        for piece in pieces:
            connection.data_received(piece)
            await asyncio.sleep(0)
        assert not wire.is_closed
    connection, wire = street.open()
    connection.data_received(CHUNKED)
    for _ in range(4):
        connection.data_received(b"1\r\nb\r\n" * 40_000)
        await asyncio.sleep(0)
    connection.data_received(b"0\r\n\r\n")
    for _ in range(9):
        await asyncio.sleep(0)
    assert street.bodies == [size, size, 160_000]
    assert not wire.is_closed


async def test_who_keeps_us_waiting_is_cut_off() -> None:
    """Silent from the start, amid a head, amid a body; not who waits for us, nor between two."""
    street = Street()
    silent, _ = street.open()
    (amid_head, _), (amid_body, _), (served, wire) = street.open(), street.open(), street.open()
    amid_head.data_received(START)
    amid_body.data_received(START + b"content-length: 10\r\n\r\nabc")
    served.data_received(b"GET / HTTP/1.1\r\nhost: plan2\r\n\r\n")
    for _ in range(9):
        await asyncio.sleep(0)
    assert wire.written.startswith(b"HTTP/1.1 204 ")
    street.now_s = HEAD_S + 1
    street.crowd.look()
    ends = [each.transport.is_aborted for each in (silent, amid_head, amid_body, served)]  # type: ignore[attr-defined]
    assert ends == [True, True, False, False]
    street.now_s = REQUEST_S + 1
    street.crowd.look()
    assert amid_body.transport.is_aborted  # type: ignore[attr-defined]
    assert served.due_s == math.inf
    served.data_received(b"GET")  # its next request has a time of its own
    street.now_s += HEAD_S + 1
    street.crowd.look()
    assert wire.is_aborted


async def test_one_address_does_not_take_the_room_of_others() -> None:
    """The one too many is told 503 and closed; who leaves makes room; addresses are forgotten."""
    street = Street("10.0.0.0/8")
    mine = [street.open("2001:db8::%x" % number) for number in range(1, OF_ADDRESS_MAX + 1)]  # noqa: UP031 - an address
    _, crowded = street.open("2001:db8::ffff")
    assert (crowded.is_closed, crowded.written[:12]) == (True, b"HTTP/1.1 503")
    assert not street.open("2001:db8:0:1::1")[1].is_closed  # another network
    for address in ("127.0.0.1", "::1", "10.1.2.3"):  # this machine and proxies: many in one
        assert not any(street.open(address)[1].is_closed for _ in range(OF_ADDRESS_MAX + 1))
    mine[0][0].connection_lost(OSError())
    assert not street.open("2001:db8::1")[1].is_closed


async def test_all_together_are_bounded_and_nothing_is_left_of_them() -> None:
    """Twenty thousand addresses one after another leave nothing; at once, only so many get in."""
    street = Street(all_max=100)
    for number in range(20_000):
        connection, wire = street.open(f"198.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        assert not wire.is_closed
        connection.connection_lost(OSError())
    assert (len(street.crowd), len(street.crowd._of)) == (0, 0)
    wires = [street.open(f"198.51.{number >> 8}.{number & 255}")[1] for number in range(300)]
    assert sum(not wire.is_closed for wire in wires) == 100
    assert 0 < room_of_process() <= 4_000


async def test_a_websocket_is_counted_by_its_tenant_not_here() -> None:
    """After the handshake's head it has left the crowd; its silence is its own affair."""
    street = Street()
    connection, wire = street.open()
    connection.data_received(
        b"GET /api/v1/stream HTTP/1.1\r\nhost: plan2\r\nconnection: Upgrade\r\n"
        b"upgrade: websocket\r\nsec-websocket-version: 13\r\n"
        b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert len(street.crowd) == 0
    street.now_s = 1_000.0
    street.crowd.look()
    assert not wire.is_aborted
