"""Agents in real processes over a real WebSocket: keys, cuts in the middle of orders, restarts."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from litestar import Litestar
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from plan2.connectivity.channels.channel import ChannelClosed
from plan2.connectivity.channels.websocket import connect_websocket
from plan2.connectivity.gateway.middleware import GatewaySettings, Perimeter
from plan2.connectivity.gateway.server import run_server
from plan2.connectivity.identity.sessions import hash_secret
from plan2.connectivity.identity.terminal_keys import TerminalKey, TerminalKeys
from plan2.dataflow.terminals.port import LinkState, UpdateKind
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.clock import LiveClock
from plan2.foundation.errors import ConfigError, InputError, StoreBusy, TerminalUnavailable
from plan2.foundation.ids import SeededIds
from plan2.foundation.secret import Secret
from plan2.interface.api.terminal_link import TerminalDoor, TerminalLinkRoute
from remote_world import Ear
from simulated_world import order

TESTS = Path(__file__).parents[1]
PATIENCE_S = 90.0
UP, DOWN = LinkState.UP, LinkState.DOWN


class FakeKeyTable:
    """Keys in a dictionary; `is_away` makes it a database that does not answer."""

    def __init__(self) -> None:
        self.rows: dict[bytes, TerminalKey] = {}
        self.is_away = False
        self.reads = 0

    async def read(self) -> list[tuple[bytes, TerminalKey]]:
        """Every key."""
        self.reads += 1
        if self.is_away:
            raise StoreBusy("The database does not answer.")
        return list(self.rows.items())

    async def insert(self, secret_hash: bytes, key: TerminalKey) -> None:
        """Keep one."""
        self.rows[secret_hash] = key

    async def revoke(self, key_id: str, at_ns: int) -> bool:
        """Revoke one."""
        for secret_hash, key in self.rows.items():
            if key.key_id == key_id and key.revoked_ns is None:
                fields = {name: getattr(key, name) for name in key.__struct_fields__}
                self.rows[secret_hash] = TerminalKey(**{**fields, "revoked_ns": at_ns})
                return True
        return False


class Wire:
    """A TCP relay in front of the server, to break a link without either side's doing."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Listen; the port."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._writers:
            writer.transport.abort()

    def close(self) -> None:
        """Break everything and listen no more."""
        self.cut()
        if self._server is not None:
            self._server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, back = await asyncio.open_connection("127.0.0.1", self._target)
        pair = {writer, back}
        self._writers |= pair
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(onward, writer))
        except OSError:
            pass
        finally:
            self._writers -= pair
            for each in pair:
                each.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()


class House:
    """A server with a door, one account, and its terminal."""

    def __init__(self) -> None:
        self.table = FakeKeyTable()
        self.keys = TerminalKeys(self.table, LiveClock(), SeededIds("keys"))
        self.ear = Ear()
        self.terminal = RemoteTerminal("live", LiveClock())
        self.door = TerminalDoor(self.keys, {"live": self.terminal})
        app = Litestar(TerminalLinkRoute(self.door).handlers(), openapi_config=None)
        self.app = Perimeter(app, GatewaySettings(), SeededIds("requests"))
        self.url = ""
        self.wire: Wire

    async def until(self, state: LinkState) -> None:
        """Wait for a state of the link."""
        await self.ear.until(lambda: self.ear.links[-1].state is state, PATIENCE_S)


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    """A running server behind a relay."""
    made = House()
    await made.terminal.start(made.ear)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(run_server(made.app, "127.0.0.1", 0, ready.set_result))
    watching = asyncio.create_task(made.door.run())
    port = int((await ready).rpartition(":")[2])
    made.wire = Wire(port)
    made.url = f"ws://127.0.0.1:{await made.wire.open()}/api/v1/terminal"
    try:
        yield made
    finally:
        await made.terminal.stop()
        made.wire.close()
        watching.cancel()
        serving.cancel()
        await asyncio.gather(watching, serving, return_exceptions=True)


class Agent:
    """An agent's process; its log is kept."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def end(self) -> tuple[int, str]:
        """Its exit code and its log."""
        _, log = await asyncio.wait_for(self.process.communicate(), PATIENCE_S)
        assert self.process.returncode is not None
        return self.process.returncode, log.decode()


@asynccontextmanager
async def agent(url: str, key: str, folder: Path) -> AsyncIterator[Agent]:
    """An agent that connects with a key; killed in the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(TESTS / "remote_child.py"),
        "agent",
        str(folder),
        url,
        env={
            **os.environ,
            "PYTHONPATH": f"{TESTS.parent / 'src'}:{TESTS}",
            "PLAN2_TERMINAL_KEY": key,
        },
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Agent(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def exists(is_so: Callable[[], bool]) -> None:
    """Wait for what another process does to a file, of which nothing tells us."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - a file is no event
            await asyncio.sleep(0.01)


async def test_an_answer_lost_with_the_link_is_unknown_and_then_the_truth(tmp_path: Path) -> None:
    """The line breaks while the broker works: UNKNOWN; the agent comes back with ACCEPTED."""
    broker = tmp_path / "broker.txt"
    async with house() as made:
        secret, _ = await made.keys.create("live", "desk")
        async with agent(made.url, secret, tmp_path):
            await made.until(UP)
            made.terminal.submit(order(order_id="hold-1"))
            await exists(lambda: broker.exists() and bool(broker.read_text()))
            made.wire.cut()
            await made.until(DOWN)
            assert made.ear.words("hold-1") == [UpdateKind.UNKNOWN]
            (tmp_path / "release").touch()
            await made.ear.until(lambda: len(made.ear.words("hold-1")) == 2, PATIENCE_S)
            await made.until(UP)
    assert made.ear.words("hold-1") == [UpdateKind.UNKNOWN, UpdateKind.ACCEPTED]
    assert broker.read_text().split() == ["hold-1"]


async def test_an_agent_killed_in_an_order_does_not_repeat_it(tmp_path: Path) -> None:
    """Kill -9 while the broker works, a new agent on the same folder: UNKNOWN once, sent once."""
    broker = tmp_path / "broker.txt"
    async with house() as made:
        secret, _ = await made.keys.create("live", "desk")
        async with agent(made.url, secret, tmp_path):
            await made.until(UP)
            made.terminal.submit(order(order_id="hold-1"))
            await exists(lambda: broker.exists() and bool(broker.read_text()))
        await made.until(DOWN)
        (tmp_path / "release").touch()
        async with agent(made.url, secret, tmp_path):
            await made.until(UP)
            made.terminal.submit(order(order_id="hold-1"))
            made.terminal.submit(order(order_id="order-2"))
            await made.ear.until(lambda: made.ear.words("order-2") != [], PATIENCE_S)
    assert made.ear.words("hold-1") == [UpdateKind.UNKNOWN]
    assert broker.read_text().split() == ["hold-1", "order-2"]


async def test_a_wrong_key_ends_the_agent_without_being_shown(tmp_path: Path) -> None:
    """HTTP 401 before any handshake; exit code 2, one sentence, and the key is nowhere."""
    async with house() as made:
        async with agent(made.url, "not-a-key-of-anybody", tmp_path) as one:
            code, log = await one.end()
        assert code == ConfigError.exit_code
        assert "refuses the key" in log
        assert "not-a-key-of-anybody" not in log
        assert made.ear.links[-1].state is DOWN


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}]
)
async def test_nobody_comes_in_without_a_good_key(headers: dict[str, str]) -> None:
    """401 instead of a WebSocket, with the scheme that is asked for."""
    async with house() as made:
        origin = made.url.replace("ws://", "http://").removesuffix("/api/v1/terminal")
        with pytest.raises(InvalidStatus) as refused:
            await connect(made.url, origin=origin, additional_headers=headers)  # type: ignore[arg-type]  # a plain str is an Origin
        assert refused.value.response.status_code == 401
        assert refused.value.response.headers["www-authenticate"] == "Bearer"


async def test_a_key_of_another_account_is_no_key() -> None:
    """It is known, but not for anything that is served here."""
    async with house() as made:
        secret, _ = await made.keys.create("other", "desk")
        with pytest.raises(ConfigError, match="of another account"):
            await connect_websocket(made.url, Secret(secret))


async def test_a_database_that_is_away_is_not_a_wrong_key() -> None:
    """503: the agent tries again; a key that was read before still opens the door."""
    async with house() as made:
        secret, _ = await made.keys.create("live", "desk")
        await (await connect_websocket(made.url, Secret(secret))).close()
        made.table.is_away = True
        await (await connect_websocket(made.url, Secret(secret))).close()
        with pytest.raises(TerminalUnavailable, match="503"):
            await connect_websocket(made.url, Secret("new-key"))


async def test_a_revoked_key_ends_the_live_link(tmp_path: Path) -> None:
    """Within two reads of the table the link is closed; the agent ends with exit code 2."""
    async with house() as made:
        secret, key = await made.keys.create("live", "desk")
        async with agent(made.url, secret, tmp_path) as one:
            await made.until(UP)
            await made.keys.revoke(key.key_id)
            code, log = await one.end()
        assert (code, "revoked" in log) == (ConfigError.exit_code, True)
        await made.until(DOWN)
        with pytest.raises(ConfigError, match="refuses the key"):
            await connect_websocket(made.url, Secret(secret))
        with pytest.raises(InputError, match=key.key_id):
            await made.keys.revoke(key.key_id)


async def test_guesses_do_not_reach_the_database_more_than_a_few_times() -> None:
    """Fifty wrong keys at once cost at most a few reads."""
    async with house() as made:
        secret, _ = await made.keys.create("live", "desk")
        assert await made.keys.find(secret) is not None
        before = made.table.reads
        found = await asyncio.gather(*(made.keys.find(f"guess-{n}") for n in range(50)))
        assert set(found) == {None}
        assert made.table.reads - before <= 3
        assert secret not in repr(made.table.rows)
        assert hash_secret(secret) in made.table.rows


async def test_a_frame_above_the_limit_ends_the_link() -> None:
    """65 536 bytes are the most; the server closes with 1009 and stays up."""
    async with house() as made:
        secret, _ = await made.keys.create("live", "desk")
        channel = await connect_websocket(made.url, Secret(secret))
        await channel._socket.send(b"x" * 70_000)  # type: ignore[attr-defined]  # past our own check
        with pytest.raises(ChannelClosed) as closed:
            await channel.receive()
        assert closed.value.code == 1009
        await (await connect_websocket(made.url, Secret(secret))).close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://plan2.example.com/", "not the address"),
        ("wss://", "not the address"),
        ("ws://plan2.example.com/api/v1/terminal", "in the clear"),
    ],
)
async def test_an_address_that_would_show_the_key_is_refused(url: str, words: str) -> None:
    """ConfigError before anything is sent."""
    with pytest.raises(ConfigError, match=words):
        await connect_websocket(url, Secret("key"))


async def test_a_server_that_is_not_there_is_tried_again_later() -> None:
    """TerminalUnavailable, whose words name the server."""
    with pytest.raises(TerminalUnavailable, match=r"127\.0\.0\.1:9"):
        await connect_websocket("ws://127.0.0.1:9/api/v1/terminal", Secret("key"))
