"""A host in a real child process: orders, crashes, hangs, and who outlives whom."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from plan2.connectivity.channels.channel import ChannelClosed
from plan2.connectivity.channels.framed import LoopbackListener, connect_loopback
from plan2.dataflow.terminals.port import LinkState, UpdateKind
from plan2.dataflow.terminals.remote.local_host import LocalHost, LocalOptions
from plan2.dataflow.terminals.remote.peer import Limits, RemoteOptions
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.clock import LiveClock
from plan2.foundation.errors import ConfigError
from plan2.foundation.secret import Secret
from remote_world import Ear
from simulated_world import order

TESTS = Path(__file__).parents[1]
PATIENCE_S = 90.0
UP, DOWN = LinkState.UP, LinkState.DOWN


@pytest.fixture(autouse=True)
def _children_find_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{TESTS.parent / 'src'}:{TESTS}")


class Floor:
    """A terminal whose host is a child, and what it said."""

    def __init__(self, folder: Path, give_up_s: float = 15.0) -> None:
        limits = Limits(give_up_s=give_up_s)
        self.folder = folder
        self.ear = Ear()
        self.terminal = RemoteTerminal("local", LiveClock(), RemoteOptions(limits=limits))
        self.argv = [sys.executable, str(TESTS / "remote_child.py"), "local", str(folder)]
        self.host = LocalHost(
            self.terminal,
            self.argv,
            b"{}",
            np.random.default_rng(1),
            LocalOptions(pause_first_s=0.05, orderly_s=3.0),
        )

    async def until_up(self) -> None:
        """Wait for a link that is UP after the last that was not."""
        await self.ear.until(lambda: self.ear.links[-1].state is UP, PATIENCE_S)

    async def until_down(self) -> None:
        """Wait until it is not UP."""
        await self.ear.until(lambda: self.ear.links[-1].state is DOWN, PATIENCE_S)

    def lines(self, name: str) -> list[str]:
        """The lines of a file that the children wrote."""
        return (self.folder / name).read_text(encoding="ascii").split()


@asynccontextmanager
async def hosting(folder: Path, give_up_s: float = 15.0) -> AsyncIterator[Floor]:
    """A floor whose child is UP."""
    floor = Floor(folder, give_up_s)
    await floor.terminal.start(floor.ear)
    running = asyncio.create_task(floor.host.run())
    try:
        await floor.until_up()
        yield floor
    finally:
        await floor.terminal.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_an_order_goes_to_the_child_and_its_answer_comes_back(tmp_path: Path) -> None:
    """One line at the broker, one ACCEPTED; when the host stops, the child is gone."""
    async with hosting(tmp_path) as floor:
        floor.terminal.submit(order())
        await floor.ear.until(lambda: floor.ear.words("order-1") == [UpdateKind.ACCEPTED])
        status = floor.terminal.status()
        assert (status.host, status.login) == ("desk-7", "5000001")
        assert abs(status.offset_ms) < 100
        pid = floor.host.pid
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)
    assert floor.lines("broker.txt") == ["order-1"]


async def test_a_child_that_dies_in_an_order_leaves_it_unknown_and_unrepeated(
    tmp_path: Path,
) -> None:
    """UNKNOWN once; the next child comes up by itself, and the broker saw the order once."""
    async with hosting(tmp_path) as floor:
        floor.terminal.submit(order(order_id="die-1"))
        await floor.until_down()
        assert floor.ear.words("die-1") == [UpdateKind.UNKNOWN]
        await floor.until_up()
        floor.terminal.submit(order(order_id="order-2"))
        await floor.ear.until(lambda: floor.ear.words("order-2") != [], PATIENCE_S)
        floor.terminal.submit(order(order_id="die-1"))  # a fault of ours: the host knows better
        floor.terminal.submit(order(order_id="order-3"))
        await floor.ear.until(lambda: floor.ear.words("order-3") != [], PATIENCE_S)
        assert floor.ear.words("die-1") == [UpdateKind.UNKNOWN]
    assert floor.lines("broker.txt") == ["die-1", "order-2", "order-3"]
    assert len(set(floor.lines("starts.txt"))) == 2


async def test_a_stuck_child_is_down_in_two_seconds_then_killed_and_replaced(
    tmp_path: Path,
) -> None:
    """The order's call keeps the interpreter lock for good: DOWN, UNKNOWN, kill, a new child."""
    async with hosting(tmp_path, give_up_s=4.0) as floor:
        loop = asyncio.get_running_loop()
        first = floor.host.pid
        floor.terminal.submit(order(order_id="hang-1"))
        began_s = loop.time()
        await floor.until_down()
        assert loop.time() - began_s < 15.0  # promised: 3 s; more than this is a stall
        assert floor.ear.words("hang-1") == []
        await floor.until_up()
        assert floor.ear.words("hang-1") == [UpdateKind.UNKNOWN]
        assert not psutil.pid_exists(first)
        assert floor.host.pid not in {0, first}
    assert floor.lines("broker.txt") == ["hang-1"]


async def test_a_killed_child_comes_back_with_what_it_had_noted(tmp_path: Path) -> None:
    """Kill -9 while the broker works: UNKNOWN, and a new child although the first held a lock."""
    async with hosting(tmp_path) as floor:
        floor.terminal.submit(order(order_id="hold-1"))
        broker = tmp_path / "broker.txt"
        async with asyncio.timeout(PATIENCE_S):
            while not broker.exists() or not broker.read_text():  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.01)
        psutil.Process(floor.host.pid).kill()
        await floor.until_down()
        (tmp_path / "release").touch()
        await floor.until_up()
        assert floor.ear.words("hold-1") == [UpdateKind.UNKNOWN]
    assert floor.lines("broker.txt") == ["hold-1"]


def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """Kill -9 of the parent: the child sees the end of its input and goes."""
    argv = [sys.executable, str(TESTS / "remote_child.py"), "parent", str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        child = psutil.Process(int((tmp_path / "starts.txt").read_text().split()[-1]))
        parent.kill()
        psutil.wait_procs([child], timeout=PATIENCE_S)
        assert not child.is_running()


async def test_what_cannot_be_started_is_said(tmp_path: Path) -> None:
    """A missing program, and a child that ends at once: the reason is on the terminal."""
    floor = Floor(tmp_path)
    floor.host._argv = [str(tmp_path / "no-such-program")]
    await floor.terminal.start(floor.ear)
    running = asyncio.create_task(floor.host.run())
    await floor.ear.until(lambda: "Cannot start" in floor.ear.links[-1].reason, PATIENCE_S)
    floor.host._argv = [sys.executable, "-c", "raise SystemExit('no licence for this machine')"]
    await floor.ear.until(lambda: "no licence" in floor.ear.links[-1].reason, PATIENCE_S)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled(), "it tries again until it is told to end"
    assert UP not in {link.state for link in floor.ear.links}
    assert floor.host.pid == 0


async def test_only_the_secret_gets_a_channel() -> None:
    """A stranger is hung up on; the child with the secret is taken, and only once."""
    listener = await LoopbackListener.open()
    stranger = await connect_loopback(listener.port, Secret("guess"))
    with pytest.raises(ChannelClosed):
        await stranger.receive()
    child = await connect_loopback(listener.port, listener.secret)
    ours = await listener.accept()
    await child.send(b"hello")
    assert await ours.receive() == b"hello"
    second = await connect_loopback(listener.port, listener.secret)
    with pytest.raises(ChannelClosed):
        await second.receive()
    await ours.close(4408, "silent")
    with pytest.raises(ChannelClosed) as closed:
        await child.receive()
    assert (closed.value.code, closed.value.reason) == (4408, "silent")
    await child.close()
    listener.close()


async def test_what_only_a_person_can_settle_is_not_tried_again(tmp_path: Path) -> None:
    """A child that ends with a configuration error: its sentence, and no second child."""
    floor = Floor(tmp_path)
    script = "import sys; sys.stderr.write('Error: Symbol XX: unknown. Drop it.\\n'); sys.exit(2)"
    floor.host._argv = [sys.executable, "-c", script]
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ConfigError) as ended:
            await floor.host.run()
    assert str(ended.value) == "Symbol XX: unknown. Drop it."
    assert floor.terminal.status().reason == "Symbol XX: unknown. Drop it."
    assert floor.host.pid == 0
