"""The parts of a remote terminal by themselves: outbox, ticks, order memory, clock, channels."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan2.connectivity.channels.channel import (
    MESSAGE_MAX_BYTES,
    REASON_MAX_BYTES,
    Channel,
    ChannelClosed,
    short_reason,
)
from plan2.connectivity.channels.framed import LoopbackListener, connect_loopback
from plan2.connectivity.channels.memory import channel_pair
from plan2.dataflow.terminals.port import LinkChange, LinkState, Trigger, UpdateKind
from plan2.dataflow.terminals.remote.clock_offset import ClockOffset
from plan2.dataflow.terminals.remote.order_memory import FILE_NAME, OrderMemory
from plan2.dataflow.terminals.remote.outbox import Outbox, TickBuffer
from plan2.dataflow.terminals.remote.protocol import (
    AccountName,
    Link,
    Submit,
    Update,
    encode,
    from_host,
    from_server,
)
from plan2.dataflow.terminals.remote.questions import AskHistory, answer_parts, read_answer
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError, InvariantBroken
from plan2.foundation.values import Tick, TickBlock
from remote_world import said
from simulated_world import order

CLOCK = SimulatedClock(1_000)


def change(state: LinkState) -> LinkChange:
    """A link change."""
    return LinkChange(state=state, reason=state.value, ts_ns=1)


def drained(outbox: Outbox) -> list[int]:
    """The numbers of everything that is sent on this link now."""
    numbers = []
    while (message := outbox.next_unsent()) is not None:
        numbers.append(message.seq)
    return numbers


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("update"), st.just(0)),
        st.tuples(st.just("link"), st.just(0)),
        st.tuples(st.just("send"), st.integers(1, 5)),
        st.tuples(st.just("arrive"), st.integers(1, 5)),
        st.tuples(st.just("cut"), st.just(0)),
    ),
    max_size=60,
)


class Listening:
    """A server that takes in rising numbers, at the other end of lines that break."""

    def __init__(self) -> None:
        self.outbox = Outbox()
        self.made: list[str] = []
        self.heard: list[str] = []
        self.newest_link = ""
        self._on_the_way: list[Update | Link] = []
        self._seq = 0

    def update(self, number: int) -> None:
        """The broker says something."""
        self.made.append(f"o{number}")
        self.outbox.add_update(said(f"o{number}", UpdateKind.FILLED))

    def link(self, number: int) -> None:
        """The way to the broker changes."""
        news = LinkChange(state=LinkState.UP, reason=str(number), ts_ns=1)
        self.outbox.add_link(news, AccountName())

    def send(self, count: int) -> None:
        """So many messages are put on the line."""
        for _ in range(count):
            message = self.outbox.next_unsent()
            if message is not None:
                self._on_the_way.append(message)

    def arrive(self, count: int) -> None:
        """So many messages come out of it, and are acknowledged."""
        for message in self._on_the_way[:count]:
            assert message.seq > self._seq
            self._seq = message.seq
            if isinstance(message, Update):
                self.heard.append(message.update.order_id)
            else:
                self.newest_link = message.change.reason
        del self._on_the_way[:count]
        self.outbox.acknowledge(self._seq)

    def cut(self, _: int) -> None:
        """The line breaks, and a new one is made."""
        self._on_the_way.clear()
        self.outbox.rewind(self._seq)


@given(STEPS)
def test_nothing_is_lost_or_doubled_however_links_break(steps: list[tuple[str, int]]) -> None:
    """Each update is heard once, in order, and the newest link change is known in the end."""
    server = Listening()
    for number, (step, count) in enumerate(steps):
        getattr(server, step)(count or number)
    server.cut(0)
    server.send(len(steps))
    server.arrive(len(steps))
    assert server.heard == server.made
    links = [number for number, (step, _) in enumerate(steps) if step == "link"]
    assert server.newest_link == (str(links[-1]) if links else "")


def test_an_outbox_is_bounded_and_counts_what_it_loses() -> None:
    """Of five with room for three the oldest two go."""
    outbox = Outbox(limit=3)
    for name in "abcde":
        outbox.add_update(said(name, UpdateKind.FILLED))
    assert (drained(outbox), outbox.lost, len(outbox)) == ([3, 4, 5], 2, 3)


def test_a_waiting_link_change_gives_way_to_a_newer_one() -> None:
    """Only the newest state is told to whoever comes back; updates keep their places."""
    outbox = Outbox()
    outbox.add_link(change(LinkState.DOWN), AccountName())
    outbox.add_update(said("a", UpdateKind.FILLED))
    outbox.add_link(change(LinkState.UP), AccountName())
    assert drained(outbox) == [2, 3]
    outbox.rewind(0)
    assert drained(outbox) == [2, 3]


@given(
    st.lists(st.sampled_from(["A", "B", "C"]), max_size=80),
    st.integers(1, 8),
    st.integers(1, 10),
)
def test_a_tick_buffer_keeps_the_newest_in_order(symbols: list[str], room: int, batch: int) -> None:
    """Per symbol the newest `room`, in the order of arrival; the rest is counted per symbol."""
    buffer = TickBuffer(room)
    for number, symbol in enumerate(symbols):
        buffer.add(Tick(symbol, number, 1.0, 2.0))
    got: list[int] = []
    gaps: dict[str, int] = {}
    while (ticks := buffer.take(batch)) is not None:
        assert len(ticks.rows) <= batch
        got += [row[1] for row in ticks.rows]
        for symbol, count in ticks.gaps:
            gaps[symbol] = gaps.get(symbol, 0) + count
        assert [ticks.symbols[row[0]] for row in ticks.rows] == [
            symbols[row[1]] for row in ticks.rows
        ]
    kept = []
    for symbol in set(symbols):
        kept += [number for number, name in enumerate(symbols) if name == symbol][-room:]
    assert got == sorted(kept)
    assert sum(gaps.values()) == len(symbols) - len(kept) == buffer.dropped


def test_an_order_memory_survives_a_torn_line(tmp_path: Path) -> None:
    """What was cut off by a crash is the last line; everything before it holds."""
    memory = OrderMemory(tmp_path, CLOCK)
    assert memory.open() == []
    memory.begin("a")
    memory.finish("a", (said("a", UpdateKind.ACCEPTED),))
    memory.close()
    with (tmp_path / FILE_NAME).open("ab") as file:
        file.write(b'{"order_id":"b","upd')
    again = OrderMemory(tmp_path, CLOCK)
    assert [(order_id, words[0].kind) for order_id, words in again.open()] == [
        ("a", UpdateKind.ACCEPTED)
    ]
    assert again.told("b") is None
    again.close()


def test_an_order_memory_refuses_a_damaged_middle(tmp_path: Path) -> None:
    """A line in the middle that cannot be read: InputError with file, line and what to do."""
    (tmp_path / FILE_NAME).write_bytes(b'{"order_id":"a"}\n{"order_id\n{"order_id":"b"}\n')
    with pytest.raises(InputError, match=r"Line 2 of .*orders\.jsonl") as refused:
        OrderMemory(tmp_path, CLOCK).open()
    assert refused.value.remedy


def test_an_order_memory_is_bounded_and_forgets_the_oldest(tmp_path: Path) -> None:
    """With room for two, the third pushes the first out, in memory and in the file."""
    memory = OrderMemory(tmp_path, CLOCK, keep=2)
    memory.open()
    for name in "abc":
        memory.begin(name)
        memory.finish(name, (said(name, UpdateKind.REJECTED),))
    assert (memory.told("a"), memory.told("c") is not None) == (None, True)
    memory.close()
    again = OrderMemory(tmp_path, CLOCK, keep=2)
    assert [order_id for order_id, _ in again.open()] == ["b", "c"]
    again.close()
    assert len((tmp_path / FILE_NAME).read_text().split()) == 2  # the rest is room


def test_an_order_is_not_begun_twice(tmp_path: Path) -> None:
    """Whoever tries has a fault."""
    memory = OrderMemory(tmp_path, CLOCK)
    memory.open()
    memory.begin("a")
    with pytest.raises(InvariantBroken, match="twice"):
        memory.begin("a")
    memory.close()
    with pytest.raises(OSError, match="not open"):
        memory.begin("b")


def test_the_offset_is_the_median_of_midpoints() -> None:
    """By hand: 100 sent, 120 received, 1110 at the host: 1000; an odd sample changes nothing."""
    offset = ClockOffset()
    assert (offset.is_known, offset.offset_ns) == (False, 0)
    offset.add(100, 120, 1110)
    assert offset.offset_ns == 1000
    offset.add(200, 9_000_200, 201)
    offset.add(300, 320, 1312)
    assert offset.offset_ns == 1000
    assert offset.latency_ms == pytest.approx(20 / 1e6)


def test_orders_and_words_travel_unchanged() -> None:
    """Enumerations, prices and defaults come out as they went in."""
    sent = Submit(order(trigger=Trigger.STOP_LIMIT, price=1.08512, limit_price=1.0852), 17)
    assert from_server(encode(sent)) == sent
    word = Update(3, said("a", UpdateKind.EXPIRED, reason="no such thing as: ü"))
    assert from_host(encode(word)) == word
    with pytest.raises(msgspec.MsgspecError):
        from_host(encode(sent))


def test_history_travels_bit_for_bit() -> None:
    """NaN and the largest integers too; many parts make one whole."""
    rng = np.random.default_rng(7)
    block = TickBlock(
        "EURUSD",
        np.array([0, 2**62, *range(9_998)], np.int64),
        np.concatenate([[np.nan, np.inf], rng.normal(size=9_998)]),
        rng.normal(size=10_000),
    )
    parts = answer_parts(block)
    assert len(parts) > 4
    assert all(len(part) < MESSAGE_MAX_BYTES for part in parts)
    back = read_answer(AskHistory("EURUSD", 0, 1), b"".join(parts))
    for name in ("ts_ns", "bid", "ask"):
        assert getattr(back, name).tobytes() == getattr(block, name).tobytes()


@asynccontextmanager
async def in_memory() -> AsyncIterator[tuple[Channel, Channel]]:
    """Two ends in this process."""
    yield channel_pair()


@asynccontextmanager
async def over_loopback() -> AsyncIterator[tuple[Channel, Channel]]:
    """Two ends of a TCP connection."""
    listener = await LoopbackListener.open()
    theirs = await connect_loopback(listener.port, listener.secret)
    ours = await listener.accept()
    yield ours, theirs
    await theirs.close()
    await ours.close()
    listener.close()


@pytest.mark.parametrize("carrier", [in_memory, over_loopback])
async def test_a_channel_keeps_order_and_says_why_it_ended(carrier: Callable[[], object]) -> None:
    """Whole messages both ways, empty and largest too; code and reason reach the other end."""
    async with carrier() as (ours, theirs):  # type: ignore[attr-defined]  # one of the two above
        messages = [b"a", b"", b"x" * MESSAGE_MAX_BYTES, b"z"]
        sending = asyncio.create_task(_send_all(theirs, messages))
        assert [await ours.receive() for _ in messages] == messages
        await sending
        await ours.send(b"back")
        assert await theirs.receive() == b"back"
        await ours.close(4409, "a newer link took over")
        with pytest.raises(ChannelClosed) as closed:
            await theirs.receive()
        assert (closed.value.code, closed.value.reason) == (4409, "a newer link took over")
        await ours.close()


async def _send_all(channel: Channel, messages: list[bytes]) -> None:
    for message in messages:
        await channel.send(message)


async def test_a_full_channel_makes_its_sender_wait_and_a_cut_wakes_it() -> None:
    """Room for one: the second send waits until the first is read, the third ends with the cut."""
    ours, theirs = channel_pair(capacity=1)
    await ours.send(b"1")
    second = asyncio.create_task(ours.send(b"2"))
    await asyncio.sleep(0)
    assert not second.done()
    assert await theirs.receive() == b"1"
    await second
    third = asyncio.create_task(ours.send(b"3"))
    await asyncio.sleep(0)
    theirs.cut()
    with pytest.raises(ChannelClosed):
        await third
    with pytest.raises(ChannelClosed):
        await theirs.receive()


async def test_a_message_above_the_limit_is_our_fault() -> None:
    """It is refused before anything of it is written."""
    async with over_loopback() as (ours, _):
        with pytest.raises(InvariantBroken, match="too long"):
            await ours.send(b"x" * (MESSAGE_MAX_BYTES + 1))


@given(st.text(max_size=300))
def test_a_reason_fits_into_a_closing_frame(text: str) -> None:
    """Cut at a character's end, within the limit of bytes."""
    short = short_reason(text)
    assert text.startswith(short)
    assert len(short.encode()) <= REASON_MAX_BYTES
