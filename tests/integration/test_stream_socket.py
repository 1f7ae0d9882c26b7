"""The stream over real sockets: handshake, encodings, close codes, replay, slow readers."""

import asyncio
import struct
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from plan2.connectivity.identity.rights import Role
from plan2.foundation.events.account import TradingStateChanged
from plan2.interface.streaming.client import UNACKED_MAX
from unit.interface_fixtures import NOON_NS, Stage, quote
from unit.stream_fixtures import JSON, MSGPACK, PATIENCE_S, Screen, screen, serving


async def close_code(client: Screen) -> int:
    """How the server ends the connection."""
    with pytest.raises(ConnectionClosed) as closed:
        await client.wait_for(lambda _: False)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def close_code_of_handshake(url: str, **options: Any) -> int:
    """The close code that a connection gets instead of a hello."""
    address = url.replace("http://", "ws://") + "/api/v1/stream"
    settings = {"origin": url, "subprotocols": [Subprotocol(JSON)], **options}
    async with connect(address, **settings) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), PATIENCE_S)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


@pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
async def test_a_screen_gets_hello_snapshot_and_deltas(subprotocol: str) -> None:
    """Both encodings carry the same arrays; compression is not negotiated though offered."""
    stage = Stage()
    cookie, _ = await stage.open_session()
    stage.bus.publish(quote("EURUSD", 1, 1.1, 1.1001))
    async with serving(stage) as url, screen(url, cookie, subprotocol) as client:
        kind, _, _, _, hello = client.hello
        assert (kind, hello["protocol"], hello["user"]) == (0, 1, "administrator")
        assert client.socket.subprotocol == subprotocol
        reply = await client.subscribe("quotes")
        number = reply[4]["ch"]
        row = ["EURUSD", NOON_NS // 1000 + 1_000_000, 1.1, 1.1001, 10.0, None, "fresh"]
        assert (await client.next_of(number, 1))[4] == [row]
        stage.bus.publish(quote("EURUSD", 2, 1.2, 1.2001))
        delta = await client.wait_for(lambda f: f[:2] == [2, number] and f[4][0][2] == 1.2)
        assert delta[2] > 0


async def test_compression_is_not_negotiated() -> None:
    """A browser offers permessage-deflate; the answer does not take it."""
    stage = Stage()
    cookie, _ = await stage.open_session()
    async with (
        serving(stage) as url,
        connect(
            url.replace("http://", "ws://") + "/api/v1/stream",
            origin=url,  # type: ignore[arg-type]  # a plain str is an Origin
            subprotocols=[Subprotocol(JSON)],
            additional_headers={"cookie": f"p2_session={cookie}"},
            compression="deflate",
        ) as socket,
    ):
        assert socket.request is not None
        assert "permessage-deflate" in socket.request.headers["Sec-WebSocket-Extensions"]
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None])
async def test_a_foreign_page_gets_no_handshake(origin: str | None) -> None:
    """Another or no Origin is HTTP 403, with a valid cookie too."""
    stage = Stage()
    cookie, _ = await stage.open_session()
    async with serving(stage) as url:
        with pytest.raises(InvalidStatus) as refused:
            await connect(
                url.replace("http://", "ws://") + "/api/v1/stream",
                origin=origin,  # type: ignore[arg-type]  # a plain str is an Origin
                subprotocols=[Subprotocol(JSON)],
                additional_headers={"cookie": f"p2_session={cookie}"},
            )
    assert refused.value.response.status_code == 403


async def test_a_rebound_name_gets_no_handshake() -> None:
    """A Host that is not ours is HTTP 403, though Origin and Host agree."""
    stage = Stage()
    cookie, _ = await stage.open_session()
    async with serving(stage) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(InvalidStatus) as refused:
            await connect(
                f"ws://evil.example:{port}/api/v1/stream",
                host="127.0.0.1",
                port=port,
                origin=f"http://evil.example:{port}",  # type: ignore[arg-type]  # as above
                subprotocols=[Subprotocol(JSON)],
                additional_headers={"cookie": f"p2_session={cookie}"},
            )
    assert refused.value.response.status_code == 403


async def test_without_a_session_the_close_code_says_so() -> None:
    """No cookie, a wrong one and an ended one: 4401; another tenant's: 4403; no protocol: 4409."""
    stage = Stage()
    foreign, _ = await stage.open_session("other")
    async with serving(stage) as url:
        assert await close_code_of_handshake(url) == 4401
        wrong = {"cookie": "p2_session=wrong"}
        assert await close_code_of_handshake(url, additional_headers=wrong) == 4401
        other = {"cookie": f"p2_session={foreign}"}
        assert await close_code_of_handshake(url, additional_headers=other) == 4403
        cookie, _ = await stage.open_session()
        own = {"cookie": f"p2_session={cookie}"}
        code = await close_code_of_handshake(
            url, additional_headers=own, subprotocols=[Subprotocol("other.v9")]
        )
        assert code == 4409


async def test_signing_out_closes_open_streams() -> None:
    """4401 within seconds of the session's end."""
    stage = Stage()
    cookie, _ = await stage.open_session()
    async with serving(stage) as url, screen(url, cookie) as client:
        session = stage.sessions.find(cookie)
        assert session is not None
        await stage.sessions.revoke(session.session_id)
        assert await close_code(client) == 4401


async def test_a_role_is_refused_the_channels_it_may_not_follow() -> None:
    """API_User gets quotes, and an error for the audit log; the connection stays."""
    stage = Stage(role=Role.API_USER)
    cookie, _ = await stage.open_session()
    async with serving(stage) as url, screen(url, cookie) as client:
        assert "events" not in client.hello[4]["permissions"]
        assert (await client.subscribe("events"))[4]["code"] == "forbidden"
        assert (await client.subscribe("quotes"))[0] == 5
        assert (await client.subscribe("nothing"))[4]["code"] == "unknown_channel"
        assert (await client.subscribe("quotes", params={"x": 1}))[4]["code"] == "unknown_channel"


@pytest.mark.parametrize(
    "message",
    [b"\xff\xff", b"[]", b'["a",0,0,0,null]', b"[1,0,0,0,null]", b'[65,0,1,0,{"channel":1}]', b""],
)
async def test_frames_of_another_shape_end_the_connection(message: bytes) -> None:
    """4400 with a bye that says why."""
    stage = Stage()
    cookie, _ = await stage.open_session()
    async with serving(stage) as url, screen(url, cookie) as client:
        await client.socket.send(message)
        bye = await client.receive()
        assert (bye[0], bool(bye[4]["reason"])) == (8, True)
        assert await close_code(client) == 4400


async def test_other_protocol_versions_and_floods_are_refused() -> None:
    """4409 for a version we do not speak, 4429 for hundreds of frames at once."""
    stage = Stage()
    cookie, _ = await stage.open_session()
    async with serving(stage) as url:
        async with screen(url, cookie) as client:
            await client.send(64, {"protocol": 2, "rate": "normal"})
            assert await close_code(client) == 4409
        async with screen(url, cookie) as client:
            for number in range(300):
                await client.send(68, None, seq=number)
            assert await close_code(client) == 4429


async def test_hello_and_rate_choose_the_class() -> None:
    """The client's hello sets its class; a later wish is answered with what was granted."""
    stage = Stage()
    cookie, _ = await stage.open_session()
    async with serving(stage) as url, screen(url, cookie) as client:
        await client.send(64, {"protocol": 1, "rate": "saver"})
        reply = await client.ask(69, {"rate": "background"})
        assert reply[4] == {"rate": "background"}
        [connected] = stage.hub.clients
        assert connected.rate == "background"
        pong = await client.ask(68, None)
        assert (pong[0], pong[3]) == (5, NOON_NS // 1000)


async def test_every_position_arrives_once_over_twenty_reconnects() -> None:
    """Events are stored all the time; a client that is cut off asks for the rest, in order."""
    stage = Stage()
    cookie, _ = await stage.open_session()
    received: list[int] = []
    async with serving(stage) as url:
        for round_ in range(21):
            await _store(stage, 7)
            # Without a limit of its own, so that leaving early does not wait for unread frames.
            async with screen(url, cookie, MSGPACK, max_queue=None) as client:
                start = received[-1] + 1 if received else 1
                reply = await client.subscribe("events", **{"from": start})
                assert reply[4]["seq"] == start - 1
                for _ in range(3 if round_ < 20 else 10_000):
                    received.append((await client.next_of(reply[4]["ch"], 3))[2])
                    if received[-1] == 21 * 7:
                        break
    assert received == list(range(1, 21 * 7 + 1))


async def test_a_reader_that_stops_costs_little_and_others_go_on() -> None:
    """It never reads: state is held back after 250 frames; the other one gets every number."""
    stage = Stage()
    cookie, _ = await stage.open_session()
    async with serving(stage) as url, screen(url, cookie, MSGPACK) as lazy:
        await lazy.subscribe("quotes")
        [frozen] = stage.hub.clients
        async with screen(url, cookie, MSGPACK) as brisk:
            number = (await brisk.subscribe("quotes"))[4]["ch"]
            numbers: list[int] = []
            while not (frozen.lagging and len(numbers) > UNACKED_MAX + 20):
                stage.bus.publish(quote("EURUSD", len(numbers), 1.0 + len(numbers) / 1e5, 2.0))
                frame = await brisk.next_of(number, 1, 2)
                numbers.append(frame[2])
                await brisk.send(67, [[number, frame[2]]])
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert not frozen._pending
        assert sum(len(sub.unacked) for sub in frozen.states.values()) <= UNACKED_MAX
        is_fresh = False
        while not is_fresh:  # it wakes up: what the socket still held, then a snapshot
            frame = await lazy.next_of(number, 1, 2)
            await lazy.send(67, [[number, frame[2]]])
            is_fresh = frame[0] == 1 and frame[2] > UNACKED_MAX
        stage.bus.publish(quote("EURUSD", 10_000, 9.0, 9.1))
        assert (await lazy.next_of(number, 2))[4][0][2] == 9.0


async def test_nothing_is_written_to_a_reader_that_vanished(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It asks for everything and cuts the wire; asyncio would warn of each write after that."""
    stage = Stage()
    cookie, _ = await stage.open_session()
    await _store(stage, 200)
    async with serving(stage) as url:
        async with screen(url, cookie, MSGPACK) as client:
            wire = client.socket.transport
            wire.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            await client.send(65, {"channel": "events", "params": {}, "from": 1}, 0, 1)
            wire.abort()
        await _until_nobody_is_there(stage)
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


async def test_a_restart_tells_clients_to_come_back() -> None:
    """When the server stops, close 1012; its port is free again."""
    stage = Stage()
    cookie, _ = await stage.open_session()
    async with serving(stage) as url:
        client = await connect(
            url.replace("http://", "ws://") + "/api/v1/stream",
            origin=url,  # type: ignore[arg-type]  # a plain str is an Origin
            subprotocols=[Subprotocol(JSON)],
            additional_headers={"cookie": f"p2_session={cookie}"},
        )
        assert msgspec.json.decode(await client.recv())[0] == 0
    await client.wait_closed()
    assert client.close_code == 1012
    assert not stage.hub.clients


async def _until_nobody_is_there(stage: Stage) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while stage.hub.clients:  # noqa: ASYNC110 - the hub tells nobody of it
            await asyncio.sleep(0)


async def _store(stage: Stage, count: int) -> None:
    """Store facts and tell the hub, as the appender does."""
    for _ in range(count):
        changed = TradingStateChanged(
            ts_ns=NOON_NS,
            account_id="a",
            tenant_id="main",
            old_state="armed",
            new_state="paused",
            actor="user:x",
            reason="",
        )
        stage.hub.on_stored(await stage.stored(changed))
