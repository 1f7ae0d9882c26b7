"""State channels under loss: whichever deltas are lost, the client ends up with equal rows."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plan2.interface.streaming.protocol import Kind
from unit.test_stream_client import Feed

KEYS = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), KEYS, st.integers(0, 9)),
        st.tuples(st.just("delete"), KEYS, st.just(0)),
        st.tuples(st.just("flush"), st.just(""), st.just(0)),
        st.tuples(st.just("deliver"), st.just(""), st.integers(1, 4)),
        st.tuples(st.just("lose"), st.just(""), st.integers(1, 2)),
        st.tuples(st.just("rest"), st.just(""), st.integers(1, 30)),
        st.tuples(st.just("rate"), st.sampled_from(["normal", "saver"]), st.just(0)),
    ),
    max_size=60,
)


class Mirror:
    """A client by the rules of the protocol: snapshot replaces, a hole means subscribe anew."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}
        self.seq: int | None = None

    def take(self, frame: list[Any]) -> bool:
        """Apply a frame; False when it must subscribe anew."""
        kind, _, seq, _, body = frame
        if kind == Kind.SNAPSHOT:
            self.rows, self.seq = dict(map(tuple, body)), seq
        elif kind == Kind.DELTA and self.seq is not None:
            if seq != self.seq + 1:
                self.seq = None
                return False
            self.seq = seq
            for key, value in body:
                self.rows[key] = value
                if value is None:
                    del self.rows[key]
        return True


def deliver(feed: Feed, mirror: Mirror, frames: list[Any]) -> None:
    """Hand frames over; acknowledge them; subscribe anew on a hole."""
    for frame in frames:
        if not mirror.take(frame):
            feed.client.follow_state(feed.channel)
        feed.client.acknowledge(1, frame[2], feed.clocks.at_s)


@settings(deadline=None, max_examples=300)
@given(STEPS)
def test_the_client_equals_the_server_after_any_loss(steps: list[tuple[str, str, int]]) -> None:
    """Changes, windows, lost frames, pauses and rate changes in any order: at rest, equal rows."""
    feed, mirror = Feed(), Mirror()
    for step, word, number in steps:
        if step == "change":
            feed.rows.values[word] = number
            feed.channel.touch({word})
        elif step == "delete":
            feed.rows.values.pop(word, None)
            feed.channel.touch({word})
        elif step == "flush":
            feed.flush()
        elif step == "deliver":
            deliver(feed, mirror, feed.drain(number))
        elif step == "lose":
            lost = feed.drain(number)
            deliver(feed, mirror, [frame for frame in lost if frame[0] != Kind.DELTA])
        elif step == "rest":
            feed.clocks.at_s += number / 10
            feed.client.check(feed.clocks.at_s)
        else:
            feed.client.change_rate(type(feed.client.rate)(word))
    for key in "abc":  # something changes after the last loss, as it does on every market
        feed.channel.touch({key})
    feed.flush()
    deliver(feed, mirror, feed.drain())
    feed.client.acknowledge(1, 10**9, feed.clocks.at_s)
    feed.flush()
    deliver(feed, mirror, feed.drain())
    assert mirror.rows == feed.rows.values
