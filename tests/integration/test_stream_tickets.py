"""Opening the stream with a ticket, over real sockets: once, soon, from our page or a program."""

import pytest
from stream_fixtures import JSON, serving
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from plan2.connectivity.identity.directory import TenantState
from plan2.connectivity.identity.principal import Via
from plan2.connectivity.identity.rights import Role, Scope
from unit.callers_fixtures import Calling, caller
from unit.interface_fixtures import TENANT, Stage

HELLO = 0


async def enter(url: str, *protocols: str, **shown: str) -> int:
    """Open the stream: the kind of its first frame, or the code that it was closed with."""
    address = url.replace("http", "ws", 1) + "/api/v1/stream"
    offered = [Subprotocol(each) for each in (JSON, *protocols)]
    async with connect(address, subprotocols=offered, additional_headers=shown) as socket:
        assert socket.subprotocol == JSON
        try:
            frame = await socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else -1
        return int(str(frame)[1 : str(frame).index(",")])


async def ticket_of(stage: Stage, calling: Calling) -> str:
    """The subprotocol that a caller got."""
    async with await caller(stage, calling) as client:
        response = await client.post("/api/v1/stream/ticket")
    assert response.status_code == 201
    body = response.json()
    assert body["expires_in_s"] == 30
    assert body["protocol"] == "ticket." + body["ticket"]
    return str(body["protocol"])


WAYS = [
    Calling(via=Via.COOKIE),
    Calling(via=Via.TOKEN, role=Role.ANALYST),
    Calling(via=Via.KEY, role=Role.API_USER, scope=Scope.READ),
]


@pytest.mark.parametrize("calling", WAYS, ids=str)
async def test_a_ticket_opens_the_stream_once(calling: Calling) -> None:
    """Whoever asked for it, without any other header; used again it opens nothing."""
    stage = Stage()
    await stage.people.start()
    async with serving(stage) as url:
        ticket = await ticket_of(stage, calling)
        first = await enter(url, ticket)
        assert first == HELLO
        assert await enter(url, ticket) == 4401


async def test_other_ways_in_are_closed() -> None:
    """Nothing, an invented ticket, one in the address, a key in the header: signed out."""
    stage = Stage()
    await stage.people.start()
    async with serving(stage) as url:
        ticket = await ticket_of(stage, WAYS[2])
        for protocols, shown in (
            ([], {}),
            (["ticket." + "x" * 43], {}),
            ([], {"Authorization": "Bearer p2_test_key"}),
        ):
            assert await enter(url, *protocols, **shown) == 4401
        in_address = url.replace("http", "ws", 1) + f"/api/v1/stream?ticket={ticket}"
        async with connect(in_address, subprotocols=[Subprotocol(JSON)]) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


async def test_other_pages_do_not_get_that_far() -> None:
    """A foreign origin is refused before the handshake, with a good ticket or cookie."""
    stage = Stage()
    await stage.people.start()
    async with serving(stage) as url:
        cookie, _ = await stage.open_session()
        ticket = await ticket_of(stage, WAYS[0])
        for shown in (
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://evil.example", "Cookie": f"p2_session={cookie}"},
            {"Cookie": f"p2_session={cookie}"},
        ):
            with pytest.raises(InvalidStatus) as refused:
                await enter(url, ticket, **shown)
            assert refused.value.response.status_code == 403
        own = {"Origin": url, "Cookie": f"p2_session={cookie}"}
        assert await enter(url, **own) == HELLO


async def test_a_ticket_is_worth_what_its_owner_is() -> None:
    """Too old, its session ended, its tenant suspended: it opens nothing."""
    stage = Stage()
    await stage.people.start()
    async with serving(stage) as url:
        old = await ticket_of(stage, WAYS[0])
        stage.people.later(31)
        assert await enter(url, old) == 4401
        ended = await ticket_of(stage, WAYS[0])
        for live in stage.sessions.list_of(TENANT, f"u-{Role.TENANT_ADMIN}"):
            await stage.sessions.revoke(live.row.session_id)
        assert await enter(url, ended) == 4401
        lent = await ticket_of(stage, WAYS[2])
        stage.directory.set(TENANT, TenantState.SUSPENDED)
        assert await enter(url, lent) == 4401
