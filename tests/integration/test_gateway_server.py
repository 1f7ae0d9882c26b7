"""The HTTP server in our own loop: ports, signals, headers, the kill form in a real request."""

import asyncio
import contextlib
import signal
import socket

import httpx
import pytest

from plan2.connectivity.gateway.server import bind, run_server, url_of
from plan2.foundation.errors import ConfigError
from unit.interface_fixtures import Stage
from unit.stream_fixtures import serving


async def test_a_taken_port_is_one_readable_sentence() -> None:
    """ConfigError that names port and host and says what to do."""
    taken = bind("127.0.0.1", 0)
    port = taken.getsockname()[1]
    with pytest.raises(ConfigError) as refused:
        await run_server(Stage().app, "127.0.0.1", port, lambda _: None)
    taken.close()
    assert str(port) in refused.value.message
    assert "127.0.0.1" in refused.value.message
    assert "server.port" in refused.value.remedy


def test_a_name_that_is_not_ours_is_refused() -> None:
    """ConfigError names the key."""
    with pytest.raises(ConfigError, match=r"server\.host"):
        bind("no-such-host.invalid", 0)


def test_the_address_shown_can_be_opened() -> None:
    """Every interface is shown as loopback; a free port is reported as it is."""
    listener = bind("0.0.0.0", 0)  # noqa: S104 - closed at once
    port = listener.getsockname()[1]
    assert url_of(listener) == f"http://127.0.0.1:{port}"
    listener.close()


async def test_the_server_leaves_signals_alone_and_frees_its_port() -> None:
    """The process's own handlers stay; after cancellation the port can be bound again."""
    before = signal.getsignal(signal.SIGTERM)
    async with serving(Stage()) as url:
        assert signal.getsignal(signal.SIGTERM) is before
        port = int(url.rpartition(":")[2])
        async with httpx.AsyncClient(base_url=url) as client:
            response = await client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "server" not in response.headers
    again = bind("127.0.0.1", port)
    again.close()


async def test_bodies_beyond_the_limit_are_cut_off() -> None:
    """A chunked body without a length is stopped at the limit, with a problem."""
    stage = Stage()

    async def endless() -> object:
        for _ in range(64):
            yield b"x" * 65_536

    async with serving(stage) as url:
        cookie, csrf = await stage.open_session()
        headers = {
            "origin": url,
            "x-plan2-csrf": csrf,
            "idempotency-key": "12345678",
            "content-type": "application/json",
            "cookie": f"p2_session={cookie}",
        }
        async with httpx.AsyncClient(base_url=url, headers=headers) as client:
            response = await client.post("/api/v1/commands/halt", content=endless())
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert stage.control.calls == []


async def test_nonsense_on_the_wire_does_not_stop_the_server() -> None:
    """Bytes that are not HTTP get an error or a close; the next request is answered."""
    async with serving(Stage()) as url:
        port = int(url.rpartition(":")[2])
        for nonsense in (b"\x16\x03\x01\x00\xa5\x01", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 100):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(nonsense)
            writer.write_eof()
            await asyncio.wait_for(reader.read(), 10)
            writer.close()
        async with httpx.AsyncClient(base_url=url) as client:
            assert (await client.get("/health/live")).status_code == 200


async def test_a_header_without_an_end_fills_no_memory() -> None:
    """Sixty-four mebibytes of one header are offered; hardly more than the bound is taken."""
    async with serving(Stage()) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\nx-long: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(1_024):
                writer.write(b"a" * 65_536)
                await writer.drain()
        assert writer.transport.is_closing() or reader.at_eof()
        async with httpx.AsyncClient(base_url=url) as client:
            assert (await client.get("/health/live")).status_code == 200


def test_the_listener_drops_peers_that_never_read() -> None:
    """On Linux the kernel ends connections whose data nobody takes."""
    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        pytest.skip("this platform has no TCP_USER_TIMEOUT")
    listener = bind("127.0.0.1", 0)
    assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
    listener.close()
