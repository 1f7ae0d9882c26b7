"""Our end of a remote terminal, in virtual time, against a host spoken by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from virtual_time import run_virtual

from plan2.connectivity.channels.channel import ChannelClosed, CloseCode
from plan2.connectivity.channels.memory import MemoryChannel, channel_pair
from plan2.dataflow.terminals.port import LinkState, UpdateKind
from plan2.dataflow.terminals.remote.peer import RemoteOptions
from plan2.dataflow.terminals.remote.protocol import (
    AccountName,
    Ack,
    Ask,
    Busy,
    Heartbeat,
    HostStats,
    Pulse,
    Resume,
    Submit,
    Ticks,
)
from plan2.dataflow.terminals.remote.questions import AskHistory, AskPositions
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MS, NS_PER_SECOND, Tick, TickBlock
from remote_world import ACCOUNT, NAME, Ear, HandHost, LoopClock, said, submits
from simulated_world import order

UP, DOWN, DEGRADED = LinkState.UP, LinkState.DOWN, LinkState.DEGRADED


class Bench:
    """A terminal with a listener, and hosts that come and go."""

    def __init__(self, **options: Any) -> None:
        self.terminal = RemoteTerminal("remote", LoopClock(), RemoteOptions(**options))
        self.ear = Ear()
        self.ends: list[asyncio.Task[str]] = []

    def connect(self, session_id: str = "run-1", capacity: int = 64) -> HandHost:
        """A new link; the host has not said anything yet."""
        ours, theirs = channel_pair(capacity)
        self.ends.append(asyncio.create_task(self.terminal.attach(ours)))
        return HandHost(theirs, session_id)

    async def up(self, session_id: str = "run-1", capacity: int = 64) -> HandHost:
        """A new link that is UP."""
        heard = len(self.ear.links)
        host = self.connect(session_id, capacity)
        await host.greet()
        (resume,) = await host.until(Resume)
        host.seq = resume.seq if resume.session_id == session_id else 0
        await host.link(UP)
        await self.ear.until(lambda: UP in [link.state for link in self.ear.links[heard:]])
        return host


@asynccontextmanager
async def bench(**options: Any) -> AsyncIterator[Bench]:
    """A started terminal."""
    made = Bench(**options)
    await made.terminal.start(made.ear)
    yield made
    await made.terminal.stop()
    for task in made.ends:
        task.cancel()
    await asyncio.gather(*made.ends, return_exceptions=True)


def virtual(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test in virtual time."""

    def run() -> None:
        run_virtual(test())

    run.__doc__, run.__name__ = test.__doc__, test.__name__
    return run


async def ended(channel: MemoryChannel) -> ChannelClosed:
    """How the server closes a channel; messages before that are read away."""
    try:
        while True:
            await channel.receive()
    except ChannelClosed as closed:
        return closed


@virtual
async def test_up_needs_engine_clock_and_symbols() -> None:
    """DOWN first; UP is said once, and only when the host's clock and symbols are known too."""
    async with bench() as made:
        assert [link.state for link in made.ear.links] == [DOWN]
        host = made.connect()
        host.holds_heartbeats = True
        await host.greet()
        await host.link(UP)
        await host.until(Ack)
        assert made.terminal.status().state is DOWN
        pulse = (await host.until(Pulse))[-1]
        await host.say(Heartbeat(pulse.number, host.clock.now_ns(), HostStats()))
        await made.ear.until_link(UP)
        assert [link.state for link in made.ear.links].count(UP) == 1
        assert set(made.terminal.instruments()) == {"EURUSD"}


@virtual
async def test_a_silent_host_is_down_within_two_seconds_and_comes_back() -> None:
    """Nothing heard: DOWN ≤ 2 s later, orders are refused; heard again: UP."""
    async with bench() as made:
        host = await made.up()
        loop = asyncio.get_running_loop()
        host.is_mute = True
        began_s = loop.time()
        await made.ear.until_link(DOWN)
        assert 0.5 < loop.time() - began_s <= 2.0
        assert "desk-7" in made.ear.links[-1].reason
        with pytest.raises(TerminalUnavailable, match="silent"):
            made.terminal.submit(order())
        host.is_mute = False
        await made.ear.until_link(UP)
        assert submits(host) == []


@virtual
async def test_what_the_engine_says_of_its_link_is_passed_on() -> None:
    """DEGRADED and DOWN with their reasons; in both, orders are refused and certainly not sent."""
    async with bench() as made:
        host = await made.up()
        await host.link(DEGRADED)
        await made.ear.until_link(DEGRADED)
        with pytest.raises(TerminalUnavailable, match="degraded"):
            made.terminal.submit(order())
        await host.link(DOWN)
        await made.ear.until_link(DOWN)
        with pytest.raises(TerminalUnavailable, match="down"):
            made.terminal.submit(order(order_id="order-2"))
        assert submits(host) == []


@virtual
async def test_a_host_is_given_up_later_when_its_silence_was_announced() -> None:
    """15 s without a word end a link; an announced call may take as long as announced."""
    async with bench() as made:
        loop = asyncio.get_running_loop()
        host = await made.up()
        host.is_mute = True
        began_s = loop.time()
        closed = await ended_while_muted(made, host)
        assert closed == CloseCode.SILENT
        assert 14 < loop.time() - began_s < 17
        host = await made.up("run-2")
        await host.say(Busy("asking for history", 100.0))
        host.is_mute = True
        began_s = loop.time()
        await made.ear.until_link(DOWN)
        assert "asking for history" in made.ear.links[-1].reason
        assert loop.time() - began_s <= 2.0
        await ended_while_muted(made, host)
        assert 99 < loop.time() - began_s < 102


async def ended_while_muted(made: Bench, host: HandHost) -> int:
    """Wait until the newest link has ended; its closing code."""
    await made.ends[-1]
    with pytest.raises(ChannelClosed) as closed:
        await host.channel.send(b"")
    return closed.value.code


@virtual
async def test_our_own_lateness_is_not_the_hosts_silence() -> None:
    """A loop that stood still for ten seconds does not find the host silent."""
    async with bench() as made:
        await made.up()
        said_before = len(made.ear.links)
        loop = asyncio.get_running_loop()
        loop.now_s += 10.0  # type: ignore[attr-defined]  # the loop's time is virtual
        await asyncio.sleep(1.0)
        assert len(made.ear.links) == said_before


@virtual
async def test_an_order_without_an_answer_is_unknown_once_and_the_truth_still_comes() -> None:
    """UNKNOWN at the deadline, not again when the host says it too; FILLED is passed on."""
    async with bench(order_answer_s=3.0) as made:
        host = await made.up()
        made.terminal.submit(order())
        await host.until(Submit)
        await made.ear.until(lambda: made.ear.words("order-1") == [UpdateKind.UNKNOWN])
        await asyncio.sleep(30)
        await host.tell(said("order-1", UpdateKind.UNKNOWN, reason="no_reply"))
        await host.tell(said("order-1", UpdateKind.FILLED, ticket="7"))
        await made.ear.until(lambda: len(made.ear.updates) == 2)
        assert made.ear.words("order-1") == [UpdateKind.UNKNOWN, UpdateKind.FILLED]


@virtual
async def test_an_order_that_was_answered_has_no_deadline() -> None:
    """After ACCEPTED nothing is made up, however long the rest takes."""
    async with bench(order_answer_s=3.0) as made:
        host = await made.up()
        made.terminal.submit(order())
        await host.until(Submit)
        await host.tell(said("order-1", UpdateKind.ACCEPTED))
        await asyncio.sleep(60)
        assert made.ear.words("order-1") == [UpdateKind.ACCEPTED]


@virtual
async def test_a_lost_link_tells_written_orders_from_unwritten_ones() -> None:
    """Written: UNKNOWN. Still in our queue: certainly not sent. Then DOWN, and the resume."""
    async with bench() as made:
        host = await made.up(capacity=1)
        await asyncio.sleep(0.1)
        host.is_mute = True
        host.channel._inbox.append(b"")  # the line is full: nothing more can be written
        for number in range(1, 4):
            made.terminal.submit(order(order_id=f"order-{number}"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        host.channel.cut()
        await made.ear.until_link(DOWN)
        words = {update.order_id: update for update in made.ear.updates}
        assert words["order-1"].kind is UpdateKind.UNKNOWN
        assert words["order-2"].kind is words["order-3"].kind is UpdateKind.REJECTED
        assert words["order-3"].reason.startswith("not_sent")
        again = await made.up()
        await again.tell(said("order-1", UpdateKind.ACCEPTED))
        await made.ear.until(lambda: UpdateKind.ACCEPTED in made.ear.words("order-1"))
        assert submits(again) == []


@virtual
async def test_each_update_is_heard_once_across_links() -> None:
    """The resume names the last number; repeated numbers and repeated words are dropped."""
    async with bench() as made:
        host = await made.up()
        await host.tell(said("a", UpdateKind.ACCEPTED))
        await host.tell(said("b", UpdateKind.ACCEPTED))
        await made.ear.until(lambda: len(made.ear.updates) == 2)
        last = host.seq
        host.channel.cut()
        await made.ear.until_link(DOWN)
        again = made.connect()
        await again.greet()
        (resume,) = await again.until(Resume)
        assert (resume.session_id, resume.seq) == ("run-1", last)
        again.seq = last
        await again.tell(said("b", UpdateKind.ACCEPTED), seq=last)
        await again.tell(said("b", UpdateKind.ACCEPTED))
        await again.tell(said("c", UpdateKind.ACCEPTED))
        await made.ear.until(lambda: made.ear.words("c") != [])
        assert [update.order_id for update in made.ear.updates] == ["a", "b", "c"]
        assert (await again.until(Ack))[-1].seq == again.seq


@virtual
async def test_another_run_of_the_host_numbers_anew() -> None:
    """After a restart of the agent number 1 is news again."""
    async with bench() as made:
        host = await made.up("run-1")
        await host.tell(said("a", UpdateKind.ACCEPTED))
        await made.ear.until(lambda: len(made.ear.updates) == 1)
        host.channel.cut()
        await made.ear.until_link(DOWN)
        again = made.connect("run-2")
        await again.greet()
        assert (await again.until(Resume))[0].seq == 0
        await again.tell(said("z", UpdateKind.ACCEPTED))
        await made.ear.until(lambda: made.ear.words("z") != [])


@virtual
async def test_a_newer_link_takes_over() -> None:
    """The older one is closed with 4409 and a reason, and its words no longer count."""
    async with bench() as made:
        older = await made.up("run-1")
        newer = await made.up("run-2")
        assert (await made.ends[0]).startswith("a newer link")
        closed = await ended(older.channel)
        assert (closed.code, closed.reason) == (4409, "a newer link of this account took over")
        made.terminal.submit(order())
        await newer.until(Submit)
        assert submits(older) == []


@virtual
async def test_a_stranger_does_not_take_over() -> None:
    """Another version, or another account: refused with a reason, and the good link stays."""
    async with bench() as made:
        await made.up()
        wrong = made.connect("run-2")
        await wrong.greet(version=99)
        closed = await ended(wrong.channel)
        assert closed.code == CloseCode.VERSION
        assert "protocol 1 here, 99 at the host" in closed.reason
        other = made.connect("run-3")
        await other.greet(account=AccountName("77", "Broker-Demo", "demo"))
        closed = await ended(other.channel)
        assert closed.code == CloseCode.FORBIDDEN
        assert "77" in closed.reason
        assert NAME.login in closed.reason
        assert made.terminal.status().state is UP


@virtual
async def test_an_account_that_changes_under_way_ends_the_link() -> None:
    """Somebody logs the terminal in elsewhere: DOWN, and the reason names both accounts."""
    async with bench(account=AccountName(login="5000001")) as made:
        host = await made.up()
        await host.link(UP, AccountName("5000002", "Broker-Demo", "demo"))
        await made.ear.until_link(DOWN)
        assert "5000002" in made.ear.links[-1].reason
        assert "5000001" in made.ear.links[-1].reason


@virtual
async def test_nonsense_ends_the_link() -> None:
    """Bytes that are no message close the channel; the listener hears DOWN."""
    async with bench() as made:
        host = await made.up()
        await host.channel.send(b"\x93nonsense")
        await made.ear.until_link(DOWN)
        assert (await ended(host.channel)).code == CloseCode.PROTOCOL


@virtual
async def test_the_hosts_clock_is_measured_and_limits_an_orders_life() -> None:
    """A host 90 s ahead: offset +90 s; send-by is our now + 90 s + the order's life."""
    async with bench(order_life_s=5.0) as made:
        host = made.connect()
        host.clock.ahead_ns = 90 * NS_PER_SECOND
        await host.greet()
        await host.link(UP)
        await made.ear.until_link(UP)
        assert made.terminal.status().offset_ms == pytest.approx(90_000, abs=1)
        made.terminal.submit(order())
        (submit,) = await host.until(Submit)
        ahead_ns = submit.send_by_ns - LoopClock().now_ns()
        assert ahead_ns == pytest.approx(95 * NS_PER_SECOND, abs=NS_PER_MS)


@virtual
async def test_questions_have_a_time_limit_and_end_with_the_link() -> None:
    """No answer in time is None; so is an answer that a lost link took along."""
    async with bench(answer_s=4.0) as made:
        host = await made.up()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        assert await made.terminal.positions() is None
        assert loop.time() - began_s == pytest.approx(4.0, abs=0.1)
        asking = asyncio.create_task(made.terminal.positions())
        await host.until(Ask, 3)
        host.channel.cut()
        assert await asking is None
        assert loop.time() - began_s < 7.0
        assert await made.terminal.account() is None


@virtual
async def test_empty_and_unaskable_stay_apart() -> None:
    """() travels as (), None as None; figures keep their cents."""
    async with bench() as made:
        host = await made.up()

        async def asked(value: object) -> object:
            asking = asyncio.create_task(made.terminal.positions())
            count = len(host.of(Ask))
            ask = (await host.until(Ask, count + 1))[-1]
            assert isinstance(ask.question, AskPositions)
            await host.answer(ask.request_id, value)
            return await asking

        assert await asked(()) == ()
        assert await asked(None) is None
        account = await made.terminal.account()
        assert account == ACCOUNT
        assert account.balance == Decimal("10000.00")


@virtual
async def test_history_is_asked_in_slices_and_put_together() -> None:
    """A day in slices of six hours; each long answer travels in parts; the bytes are the same."""
    async with bench() as made:
        host = await made.up()
        count = 20_000
        rng = np.random.default_rng(3)
        day = TickBlock(
            "EURUSD",
            np.sort(rng.integers(0, 24 * NS_PER_HOUR, count)),
            rng.normal(1.1, 0.01, count),
            rng.normal(1.1, 0.01, count),
        )
        asking = asyncio.create_task(made.terminal.history("EURUSD", 0, 24 * NS_PER_HOUR))
        await host.until(Ask, 5)
        asks = [ask for ask in host.of(Ask) if isinstance(ask.question, AskHistory)]
        for ask in asks:
            ends = (ask.question.start_ts_ns, ask.question.end_ts_ns)
            first, last = np.searchsorted(day.ts_ns, ends)
            await host.answer(ask.request_id, day.slice(int(first), int(last)))
        got = await asking
        assert len(asks) == 4
        for name in ("ts_ns", "bid", "ask"):
            assert np.array_equal(getattr(got, name), getattr(day, name))


@virtual
async def test_history_that_cannot_be_asked_is_an_error_and_not_empty() -> None:
    """One slice without an answer: TerminalUnavailable."""
    async with bench() as made:
        host = await made.up()
        asking = asyncio.create_task(made.terminal.history("EURUSD", 0, NS_PER_HOUR))
        ask = (await host.until(Ask, 2))[-1]
        await host.answer(ask.request_id, None)
        with pytest.raises(TerminalUnavailable, match="EURUSD"):
            await asking


@virtual
async def test_ticks_come_in_order_and_are_acknowledged() -> None:
    """Symbols by place, numbers within the instant kept; one batch is owed one credit."""
    async with bench() as made:
        host = await made.up()
        rows = ((0, 5, 1.1, 1.2, 0), (1, 5, 2.1, 2.2, 0), (0, 5, 1.3, 1.4, 1))
        await host.say(Ticks(("EURUSD", "USDJPY"), rows, (("EURUSD", 7),)))
        await made.ear.until(lambda: len(made.ear.ticks) == 3)
        assert made.ear.ticks == [
            Tick("EURUSD", 5, 1.1, 1.2, 0),
            Tick("USDJPY", 5, 2.1, 2.2, 0),
            Tick("EURUSD", 5, 1.3, 1.4, 1),
        ]
        await host.until(Ack, 2)
        assert sum(ack.batches for ack in host.of(Ack)) == 1


@virtual
async def test_wait_ready_before_the_start() -> None:
    """Ready as soon as the account and the symbols are there, though nobody listens yet."""
    made = Bench()
    waiting = asyncio.create_task(made.terminal.wait_ready(60))
    await asyncio.sleep(1)
    host = made.connect()
    await host.greet()
    await waiting
    assert set(made.terminal.instruments()) == {"EURUSD"}
    assert host.of(Resume) == []
    await made.terminal.start(made.ear)
    await host.until(Resume)
    await made.terminal.stop()
    assert await asyncio.gather(*made.ends)


@virtual
async def test_wait_ready_says_what_is_missing() -> None:
    """In time or TerminalUnavailable, with the reason."""
    terminal = RemoteTerminal("remote", LoopClock())
    terminal.explain("another account: 7")
    with pytest.raises(TerminalUnavailable, match="after 5 s: another account: 7"):
        await terminal.wait_ready(5)


@virtual
async def test_stop_leaves_no_order_without_a_word() -> None:
    """UNKNOWN before the end, nothing afterwards; stopping twice is harmless."""
    async with bench() as made:
        host = await made.up()
        made.terminal.submit(order())
        await host.until(Submit)
        await made.terminal.stop()
        assert made.ear.words("order-1") == [UpdateKind.UNKNOWN]
        heard = (len(made.ear.updates), len(made.ear.links))
        await made.ends[0]
        await made.terminal.stop()
        assert heard == (len(made.ear.updates), len(made.ear.links))
        assert await made.terminal.account() is None


def test_a_status_shows_no_secret_and_all_names() -> None:
    """Plain data for the health page."""
    status = run_virtual(_status())
    shown = msgspec.to_builtins(status)
    assert (shown["host"], shown["login"], shown["mode"]) == ("desk-7", "5000001", "demo")
    assert shown["state"] == "up"


async def _status() -> object:
    async with bench() as made:
        await made.up()
        return made.terminal.status()
