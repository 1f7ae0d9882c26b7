"""One client of the stream: order of frames, flow control, snapshots instead of backlogs."""

from collections.abc import Collection, Hashable
from typing import Any

import msgspec
import pytest

from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.rights import Role
from plan2.interface.streaming.client import (
    CONTROL_MAX,
    PENDING_MAX_BYTES,
    UNACKED_MAX,
    Client,
)
from plan2.interface.streaming.log_channel import LogChannel
from plan2.interface.streaming.protocol import Close, Kind, RateClass, codecs
from plan2.interface.streaming.state_channel import StateChannel
from unit.interface_fixtures import TENANT

JSON = codecs()["plan2.v1+json"]
USER = User(user_id="u", name="u", tenant_id=TENANT, role=Role.TENANT_ADMIN)
SESSION = Session(session_id="s", user=USER, csrf="c", expires_ns=1)


class Rows:
    """A source of keyed rows that a test changes."""

    def __init__(self) -> None:
        self.values: dict[Hashable, int] = {}

    def snapshot(self) -> list[Any]:
        """Every row."""
        return [[key, value] for key, value in self.values.items()]

    def rows(self, keys: Collection[Hashable]) -> list[Any]:
        """These rows."""
        return [[key, self.values.get(key)] for key in keys]


class HandClocks:
    """Clocks that a test moves."""

    at_s = 0.0

    def now_s(self) -> float:
        """Seconds."""
        return self.at_s

    def market_us(self) -> int:
        """No time at all."""
        return 0


class Feed:
    """A state channel with one client, and the hub's part of it."""

    def __init__(self, rate: RateClass = RateClass.NORMAL) -> None:
        self.rows = Rows()
        self.channel = StateChannel(1, "quotes", self.rows)
        self.client = Client(SESSION, JSON, rate)
        self.client.follow_state(self.channel)
        self.clocks = HandClocks()

    def change(self, key: str, value: int) -> None:
        """A row changes, and the class's window ends."""
        self.rows.values[key] = value
        self.channel.touch({key})
        self.flush()

    def flush(self) -> None:
        """What the hub's pump does for the client's class."""
        stream = self.channel.streams[self.client.rate]
        rows = stream.take_rows()
        if rows:
            frame = JSON.encode(Kind.DELTA, 1, stream.seq, 0, rows)
            subscription = self.client.states.get(1)
            if subscription is not None:
                self.client.offer(subscription, stream.seq, frame, self.clocks.at_s)

    def drain(self, most: int = 10_000) -> list[Any]:
        """Every frame that the client is due, up to `most`."""
        frames: list[Any] = []
        while len(frames) < most:
            message = self.client.next_message(self.clocks)
            if message is None:
                break
            frames.append(msgspec.json.decode(message))
        return frames


def test_a_snapshot_comes_first_and_deltas_count_on() -> None:
    """Sequence numbers follow the snapshot's without a hole; rows are the newest."""
    feed = Feed()
    feed.rows.values["a"] = 1
    feed.change("a", 2)
    assert feed.drain() == [[Kind.SNAPSHOT, 1, 1, 0, [["a", 2]]]]
    feed.change("a", 3)
    feed.change("b", 4)
    assert feed.drain() == [
        [Kind.DELTA, 1, 2, 0, [["a", 3]]],
        [Kind.DELTA, 1, 3, 0, [["b", 4]]],
    ]


def test_changes_before_the_window_ends_are_one_row() -> None:
    """Two marks of a key conflate; a deleted key is a row of key and null."""
    feed = Feed()
    feed.drain()
    feed.rows.values["a"] = 1
    feed.channel.touch({"a"})
    feed.rows.values["a"] = 2
    feed.channel.touch({"a"})
    feed.flush()
    del feed.rows.values["a"]
    feed.channel.touch({"a"})
    feed.flush()
    assert feed.drain() == [
        [Kind.DELTA, 1, 1, 0, [["a", 2]]],
        [Kind.DELTA, 1, 2, 0, [["a", None]]],
    ]


def test_control_frames_overtake_data() -> None:
    """A reply goes out before the snapshot that waits."""
    feed = Feed()
    feed.client.send_control(Kind.REPLY, 7, 0, {"ch": 1})
    assert [frame[0] for frame in feed.drain()] == [Kind.REPLY, Kind.SNAPSHOT]


def test_a_client_that_does_not_acknowledge_gets_a_snapshot_later() -> None:
    """After 250 frames nothing more waits for it; with its acknowledgement it starts anew."""
    feed = Feed()
    for number in range(1000):
        feed.change("a", number)
        feed.drain()
    assert feed.client.lagging
    assert feed.drain() == []
    feed.client.acknowledge(1, UNACKED_MAX - 1, feed.clocks.at_s)
    assert not feed.client.lagging
    assert feed.drain() == [[Kind.SNAPSHOT, 1, 1000, 0, [["a", 999]]]]
    feed.change("a", 1000)
    assert feed.drain() == [[Kind.DELTA, 1, 1001, 0, [["a", 1000]]]]


def test_a_socket_that_takes_nothing_keeps_little_memory() -> None:
    """Big frames stop at a quarter of a megabyte, and what waited is let go."""
    feed = Feed()
    feed.drain()
    feed.rows.values = {f"key-{number}": 10**12 for number in range(1000)}
    most = 0
    for _ in range(1000):
        feed.channel.touch(set(feed.rows.values))
        feed.flush()
        most = max(most, sum(len(entry[2]) for entry in feed.client._pending))
    assert 0 < most <= PENDING_MAX_BYTES
    assert feed.client.lagging
    assert not feed.client._pending


def test_two_seconds_without_acknowledgement_hold_state_back() -> None:
    """One old frame is enough; the acknowledgement brings a snapshot."""
    feed = Feed()
    feed.drain()
    feed.clocks.at_s = 1.9
    feed.client.check(feed.clocks.at_s)
    assert not feed.client.lagging
    feed.clocks.at_s = 2.1
    feed.client.check(feed.clocks.at_s)
    assert feed.client.lagging
    feed.change("a", 1)
    assert feed.drain() == []
    feed.client.acknowledge(1, 0, feed.clocks.at_s)
    assert [frame[0] for frame in feed.drain()] == [Kind.SNAPSHOT]


def test_a_slow_sender_is_not_taken_for_a_slow_client() -> None:
    """When nothing was sent there is nothing to acknowledge: the client recovers by itself."""
    feed = Feed()
    feed.drain()
    feed.client.acknowledge(1, 0, feed.clocks.at_s)
    feed.change("a", 1)
    feed.clocks.at_s = 3.0
    feed.client.check(feed.clocks.at_s)
    assert not feed.client.lagging
    assert [frame[0] for frame in feed.drain()] == [Kind.SNAPSHOT]


def test_twenty_seconds_without_acknowledgement_end_the_connection() -> None:
    """Close code 4408, not a second earlier."""
    feed = Feed()
    feed.drain()
    feed.client.check(19.9)
    assert feed.client.close_code is None
    feed.client.check(20.1)
    assert feed.client.close_code is Close.SLOW
    assert feed.client.closing.is_set()


def test_unread_control_frames_end_the_connection() -> None:
    """Replies cannot pile up; heartbeats do not even queue twice."""
    feed = Feed()
    feed.client.heartbeat(b"1")
    feed.client.heartbeat(b"2")
    for _ in range(CONTROL_MAX):
        feed.client.send_control(Kind.REPLY, 1, 0, {})
    assert feed.client.close_code is Close.SLOW


def test_another_rate_starts_with_a_snapshot_of_that_class() -> None:
    """Old deltas that wait are let go; the new class counts by itself."""
    feed = Feed()
    feed.drain()
    feed.change("a", 1)
    feed.client.change_rate(RateClass.BACKGROUND)
    assert feed.drain() == [[Kind.SNAPSHOT, 1, 0, 0, [["a", 1]]]]
    assert not feed.channel.streams[RateClass.NORMAL].followers
    feed.change("a", 2)
    assert feed.drain() == [[Kind.DELTA, 1, 1, 0, [["a", 2]]]]


def test_without_followers_nothing_is_kept() -> None:
    """The last one to leave takes the changed keys along; leaving twice is harmless."""
    feed = Feed()
    feed.channel.touch({"a"})
    assert feed.client.unfollow(1)
    assert not feed.client.unfollow(1)
    feed.channel.touch({"b"})
    assert not any(stream.dirty for stream in feed.channel.streams.values())


def log_with(count: int, ring_size: int = 10_000) -> LogChannel:
    """A log with facts 1 to `count`."""
    log = LogChannel(2, "decisions", ring_size)
    for number in range(1, count + 1):
        log.append(number, {"n": number})
    return log


@pytest.mark.parametrize(("start", "numbers"), [(1, [1, 2, 3]), (3, [3]), (4, [])])
def test_a_log_is_replayed_from_the_number_asked_for(start: int, numbers: list[int]) -> None:
    """Everything from there on, in order, then what follows."""
    feed, log = Feed(), log_with(3)
    feed.client.unfollow(1)
    feed.client.follow_log(log, start)
    assert [frame[2] for frame in feed.drain()] == numbers
    log.append(9, {"n": 4})
    assert feed.drain() == [[Kind.EVENT, 2, 4, 9, {"n": 4}]]


@pytest.mark.parametrize("start", [1, 5, 12])
def test_what_the_ring_has_lost_is_told(start: int) -> None:
    """Too old or from another run: one RESYNC, and the subscription is over."""
    feed, log = Feed(), log_with(10, ring_size=5)
    feed.client.unfollow(1)
    feed.client.follow_log(log, start)
    log.append(1, {"n": 11})
    if start == 12:
        log.append(1, {"n": 12})
        assert [frame[0] for frame in feed.drain()] == [Kind.EVENT]
        return
    assert [frame[0] for frame in feed.drain()] == [Kind.RESYNC]
    assert not feed.client.logs


def test_logs_wait_for_acknowledgements_without_losing_anything() -> None:
    """A thousand facts arrive 250 at a time, each exactly once."""
    feed, log = Feed(), log_with(1000)
    feed.client.unfollow(1)
    feed.client.follow_log(log, 1)
    received: list[int] = []
    while len(received) < 1000:
        frames = feed.drain()
        assert 0 < len(frames) <= UNACKED_MAX
        received += [frame[2] for frame in frames]
        feed.client.acknowledge(2, received[-1], feed.clocks.at_s)
    assert received == list(range(1, 1001))


def test_a_hole_in_positions_empties_the_ring() -> None:
    """A log that skips a number cannot be replayed across the hole; repeats are ignored."""
    log = LogChannel(2, "events")
    for position in (5, 6, 6, 9):
        log.append(0, {"p": position}, position)
    assert (log.first, log.last) == (9, 9)
    assert not log.can_replay(6)
    assert log.can_replay(9)
    assert log.can_replay(10)
    assert not log.can_replay(11)
