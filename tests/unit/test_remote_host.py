"""The host with its real engine thread: whose turn it is, nothing sent twice, slow servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from plan2.connectivity.channels.channel import ChannelClosed, CloseCode
from plan2.connectivity.channels.memory import MemoryChannel, channel_pair
from plan2.dataflow.terminals.port import LinkChange, LinkState, UpdateKind
from plan2.dataflow.terminals.remote.agent import run_agent
from plan2.dataflow.terminals.remote.engine import Polled
from plan2.dataflow.terminals.remote.host import WINDOW_BATCHES, HostOptions, TerminalHost
from plan2.dataflow.terminals.remote.order_memory import OrderMemory
from plan2.dataflow.terminals.remote.outbox import BATCH_MAX, TICKS_PER_SYMBOL_MAX
from plan2.dataflow.terminals.remote.protocol import (
    PROTOCOL_VERSION,
    Ack,
    Answer,
    Ask,
    Busy,
    Heartbeat,
    Hello,
    HostMessage,
    Link,
    Pulse,
    Resume,
    ServerMessage,
    Submit,
    Ticks,
    Update,
    Welcome,
    encode,
    from_host,
)
from plan2.dataflow.terminals.remote.questions import AskAccount, AskHistory, AskPositions
from plan2.foundation.clock import LiveClock
from plan2.foundation.errors import ConfigError, TerminalUnavailable
from plan2.foundation.ids import RandomIds
from plan2.foundation.values import NS_PER_HOUR, NS_PER_SECOND, Tick
from remote_world import PATIENCE_S, ScriptedEngine, said
from simulated_world import TUESDAY_NS, order

UP, DOWN = LinkState.UP, LinkState.DOWN


class Server:
    """The server's end of a link to a real host, spoken by hand."""

    def __init__(self, channel: MemoryChannel) -> None:
        self.channel = channel
        self.got: list[HostMessage] = []

    async def greet(self, seq: int = 0, session_id: str = "") -> Hello:
        """Hear the hello, say welcome, and ask for the stream."""
        hello = from_host(await self.channel.receive())
        assert isinstance(hello, Hello)
        await self.say(Welcome(PROTOCOL_VERSION, "0.0.test"))
        await self.say(Resume(session_id or hello.session_id, seq))
        return hello

    async def say(self, message: ServerMessage) -> None:
        """Send a message."""
        await self.channel.send(encode(message))

    async def submit(self, order_id: str, life_s: float = 60.0) -> None:
        """Send an order."""
        send_by_ns = LiveClock().now_ns() + int(life_s * NS_PER_SECOND)
        await self.say(Submit(order(order_id=order_id), send_by_ns))

    async def until(self, kind: type, fits: object = None) -> HostMessage:
        """Read until a message of a kind that fits a predicate; the message."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = from_host(await self.channel.receive())
                self.got.append(message)
                if isinstance(message, kind) and (fits is None or fits(message)):  # type: ignore[operator]  # a predicate
                    return message

    async def until_up(self) -> None:
        """Read until the engine is connected."""
        await self.until(Link, lambda link: link.change.state is UP)

    async def word(self, order_id: str) -> UpdateKind:
        """The next word about an order."""
        found = await self.until(Update, lambda one: one.update.order_id == order_id)
        assert isinstance(found, Update)
        return found.update.kind


class Run:
    """A host on a folder, and links to it."""

    def __init__(self, engine: ScriptedEngine, folder: Path) -> None:
        options = HostOptions(folder=folder, name="desk-7", version="0.0.test", poll_s=0.005)
        self.host = TerminalHost(lambda: engine, options, LiveClock(), RandomIds())
        self.links: list[asyncio.Task[None]] = []

    def link(self, capacity: int = 64) -> Server:
        """A new link."""
        ours, theirs = channel_pair(capacity)
        self.links.append(asyncio.create_task(self.host.serve(ours)))
        return Server(theirs)

    async def cut(self, server: Server) -> None:
        """Break a link, and see the host notice it."""
        server.channel.cut()
        await asyncio.gather(self.links[-1], return_exceptions=True)

    async def linked(self) -> Server:
        """A new link whose engine is UP."""
        server = self.link()
        await server.greet()
        await server.until_up()
        return server


@asynccontextmanager
async def running(engine: ScriptedEngine, folder: Path) -> AsyncIterator[Run]:
    """A started host."""
    run = Run(engine, folder)
    run.host.start()
    try:
        yield run
    finally:
        engine.release.set()
        for task in run.links:
            task.cancel()
        await asyncio.gather(*run.links, return_exceptions=True)
        await run.host.stop()


async def begun(engine: ScriptedEngine) -> None:
    """Wait until a call of the engine is held."""
    assert await asyncio.to_thread(engine.begun.wait, PATIENCE_S)


async def test_an_order_goes_before_everything_that_waits(tmp_path: Path) -> None:
    """While one question blocks, questions, history and an order come in: the order is next."""
    engine = ScriptedEngine(holds={"account"})
    async with running(engine, tmp_path) as run:
        server = await run.linked()
        await server.say(Ask(1, AskAccount(), 60))
        await begun(engine)
        await server.say(Ask(2, AskHistory("EURUSD", 0, 1), 60))
        await server.say(Ask(3, AskPositions(), 60))
        await server.submit("order-1")
        await server.say(Pulse(9))
        await server.until(Heartbeat, lambda beat: beat.number == 9)
        engine.release.set()
        await server.until(Answer, lambda answer: answer.request_id == 2)
        assert engine.calls[-4:] == ["account", "order-1", "positions", "history"]


async def test_an_order_id_is_sent_once_however_often_it_comes(tmp_path: Path) -> None:
    """Again on the same link, on a new one, and after a restart: the same words, one call."""
    engine = ScriptedEngine()
    async with running(engine, tmp_path) as run:
        server = await run.linked()
        for _ in range(2):
            await server.submit("order-1")
            assert await server.word("order-1") is UpdateKind.ACCEPTED
        await run.cut(server)
        server = await run.linked()
        await server.submit("order-1")
        assert await server.word("order-1") is UpdateKind.ACCEPTED
    again = ScriptedEngine()
    async with running(again, tmp_path) as run:
        server = await run.linked()
        await server.submit("order-1")
        assert await server.word("order-1") is UpdateKind.ACCEPTED
    assert (engine.sent, again.sent) == (["order-1"], [])


async def test_an_order_that_comes_too_late_is_never_sent(tmp_path: Path) -> None:
    """Past its send-by time: REJECTED with a reason, also when it is sent again in time."""
    engine = ScriptedEngine()
    async with running(engine, tmp_path) as run:
        server = await run.linked()
        await server.submit("order-1", life_s=-1.0)
        assert await server.word("order-1") is UpdateKind.REJECTED
        await server.submit("order-1")
        assert await server.word("order-1") is UpdateKind.REJECTED
        assert "too late" in server.got[-1].update.reason  # type: ignore[union-attr]  # an update
    assert engine.sent == []


async def test_orders_that_had_no_turn_when_the_link_broke_are_refused(tmp_path: Path) -> None:
    """Behind a call that blocks, the link goes: certainly not sent, and told on the next link."""
    engine = ScriptedEngine(holds={"order-1"})
    async with running(engine, tmp_path) as run:
        server = await run.linked()
        await server.submit("order-1")
        await begun(engine)
        await server.submit("order-2")
        await server.say(Pulse(1))
        await server.until(Heartbeat, lambda beat: beat.stats.waiting_orders == 1)
        await run.cut(server)
        engine.release.set()
        server = run.link()
        await server.greet()
        assert await server.word("order-2") is UpdateKind.REJECTED
        words = [m.update.order_id for m in server.got if isinstance(m, Update)]
        if "order-1" not in words:
            assert await server.word("order-1") is UpdateKind.ACCEPTED
    assert engine.sent == ["order-1"]


async def test_a_restart_in_the_middle_of_an_order_says_unknown(tmp_path: Path) -> None:
    """The memory knows that the broker was being called; nobody asks for it, it is told anyway."""
    memory = OrderMemory(tmp_path, LiveClock())
    memory.open()
    memory.begin("order-1")
    memory.close()
    engine = ScriptedEngine()
    async with running(engine, tmp_path) as run:
        server = await run.linked()
        words = [m.update for m in server.got if isinstance(m, Update)]
        assert [(word.order_id, word.kind) for word in words] == [("order-1", UpdateKind.UNKNOWN)]
        await server.submit("order-1")
        assert await server.word("order-1") is UpdateKind.UNKNOWN
    assert engine.sent == []


async def test_what_the_server_has_is_not_told_again_after_a_restart(tmp_path: Path) -> None:
    """An acknowledged outcome is known; one that was not is told by the next run."""
    engine = ScriptedEngine()
    async with running(engine, tmp_path) as run:
        server = await run.linked()
        await server.submit("known")
        await server.word("known")
        await server.say(Ack(server.got[-1].seq, 0))  # type: ignore[union-attr]  # an update
        await server.submit("unheard")
        await server.word("unheard")
    async with running(ScriptedEngine(), tmp_path) as run:
        server = await run.linked()
        assert [m.update.order_id for m in server.got if isinstance(m, Update)] == ["unheard"]


async def test_updates_wait_for_a_new_link(tmp_path: Path) -> None:
    """What came while nobody was there is delivered from the number the server asks for."""
    engine = ScriptedEngine()
    async with running(engine, tmp_path) as run:
        server = await run.linked()
        engine.polls.append(Polled(updates=(said("a", UpdateKind.FILLED),)))
        await server.word("a")
        seq = server.got[-1].seq  # type: ignore[union-attr]  # an update
        await run.cut(server)
        engine.polls.append(Polled(updates=(said("b", UpdateKind.FILLED),)))
        server = run.link()
        hello = await server.greet(seq)
        assert hello.last_seq >= seq
        await server.word("b")
        assert "a" not in [m.update.order_id for m in server.got if isinstance(m, Update)]
        assert [m.change.state for m in server.got if isinstance(m, Link)][:1] in ([UP], [])


async def test_a_slow_server_costs_old_ticks_and_no_memory(tmp_path: Path) -> None:
    """Without acknowledgements the window closes; the oldest go, counted; the newest arrive."""
    engine = ScriptedEngine()
    window = WINDOW_BATCHES * BATCH_MAX
    total = window + TICKS_PER_SYMBOL_MAX + 5_000
    async with running(engine, tmp_path) as run:
        server = await run.linked()
        ticks = [Tick("EURUSD", TUESDAY_NS + n, 1.1, 1.2) for n in range(total)]
        for start in range(0, total, 500):
            engine.polls.append(Polled(ticks=tuple(ticks[start : start + 500])))
        engine.polls.append(Polled(updates=(said("last", UpdateKind.FILLED),)))
        await server.word("last")  # updates pass, however closed the window is
        await server.say(Pulse(1))
        stats = await server.until(Heartbeat)
        batches = [m for m in server.got if isinstance(m, Ticks)]
        assert len(batches) == WINDOW_BATCHES
        heard = [row[1] - TUESDAY_NS for batch in batches for row in batch.rows]
        dropped = stats.stats.dropped_ticks  # type: ignore[union-attr]  # a heartbeat
        assert dropped == total - len(heard) - TICKS_PER_SYMBOL_MAX
        await server.say(Ack(0, 1))
        following = await server.until(Ticks)
        assert isinstance(following, Ticks)
        first = following.rows[0][1] - TUESDAY_NS
        gaps = sum(count for batch in [*batches, following] for _, count in batch.gaps)
        assert gaps == dropped
        assert first == total - TICKS_PER_SYMBOL_MAX
        assert heard == sorted(heard)


async def test_the_engine_is_connected_again_after_a_break(tmp_path: Path) -> None:
    """DOWN with the reason; questions answer None; then connect once more, and UP."""
    engine = ScriptedEngine()
    async with running(engine, tmp_path) as run:
        server = await run.linked()
        change = LinkChange(state=DOWN, reason="pipe broken", ts_ns=TUESDAY_NS)
        engine.polls.append(Polled(link=change))
        down = await server.until(Link)
        assert down.change == change  # type: ignore[union-attr]  # a link
        await server.say(Ask(1, AskAccount(), 60))
        answer = await server.until(Answer)
        assert answer == Answer(1, b"\xc0", is_last=True)
        await server.submit("order-1")
        assert await server.word("order-1") is UpdateKind.REJECTED
        await server.until_up()
        assert engine.calls.count("connect") == 2
    assert engine.sent == []


async def test_a_terminal_that_is_not_there_yet_is_tried_again(tmp_path: Path) -> None:
    """TerminalUnavailable from connect: DOWN with its words, then UP without anybody's help."""
    engine = ScriptedEngine()
    engine.connects.append(TerminalUnavailable("terminal64.exe does not answer"))
    async with running(engine, tmp_path) as run:
        server = run.link()
        await server.greet()
        await server.until_up()
        reasons = [m.change.reason for m in server.got if isinstance(m, Link)]
        assert any("does not answer" in reason for reason in reasons)
        assert any(isinstance(m, Busy) for m in server.got)


async def test_the_wrong_account_ends_the_host_and_tells_the_server_why(tmp_path: Path) -> None:
    """ConfigError from connect: the link closes with its sentence, serve raises it."""
    engine = ScriptedEngine(holds={"poll"})
    engine.connects.append(TerminalUnavailable("not yet"))
    engine.connects.append(ConfigError("The terminal shows account 7 instead of 5000001."))
    async with running(engine, tmp_path) as run:
        server = run.link()
        await server.greet()
        with pytest.raises(ChannelClosed) as closed:
            await server.until(Answer)
        assert (closed.value.code, "account 7" in closed.value.reason) == (CloseCode.FAULT, True)
        with pytest.raises(ConfigError, match="account 7"):
            await run.links[-1]


async def test_history_is_announced_before_it_blocks(tmp_path: Path) -> None:
    """Busy arrives while the call is still running, and its end is told."""
    engine = ScriptedEngine(holds={"history"})
    async with running(engine, tmp_path) as run:
        server = await run.linked()
        await server.say(Ask(1, AskHistory("EURUSD", 0, NS_PER_HOUR), 60))
        busy = await server.until(Busy, lambda one: one.limit_s > 0)
        assert "history" in busy.what  # type: ignore[union-attr]  # a busy
        engine.release.set()
        await server.until(Busy, lambda one: one.limit_s == 0)


async def test_another_version_ends_the_agent_with_both_named(tmp_path: Path) -> None:
    """A server of version 99: ConfigError that names 1 and 99; the agent does not come back."""
    async with running(ScriptedEngine(), tmp_path) as run:
        ours, theirs = channel_pair()

        async def connect() -> MemoryChannel:
            return ours

        agent = asyncio.create_task(
            run_agent(run.host, connect, np.random.default_rng(1), lambda _: None)
        )
        await theirs.receive()
        await theirs.send(encode(Welcome(99, "9.9")))
        with pytest.raises(ConfigError, match="protocol 1 here, 99 at the server"):
            await agent


async def test_an_agent_comes_back_until_a_person_must_act(tmp_path: Path) -> None:
    """A broken link and an unreachable server are tried again; a revoked key ends it."""
    said_lines: list[str] = []
    servers: asyncio.Queue[MemoryChannel] = asyncio.Queue()
    tries: list[int] = []
    async with running(ScriptedEngine(), tmp_path) as run:

        async def connect() -> MemoryChannel:
            tries.append(len(tries))
            if len(tries) == 2:
                raise TerminalUnavailable("the server cannot be reached.")
            ours, theirs = channel_pair()
            await servers.put(theirs)
            return ours

        agent = asyncio.create_task(
            run_agent(run.host, connect, np.random.default_rng(1), said_lines.append)
        )
        first = Server(await servers.get())
        await first.greet()
        await first.until_up()
        first.channel.cut()
        second = Server(await servers.get())
        await second.greet()
        await second.channel.close(CloseCode.REFUSED, "the key was revoked")
        with pytest.raises(ConfigError, match="revoked"):
            await agent
    assert len(tries) == 3
    assert any("cannot be reached" in line for line in said_lines)
