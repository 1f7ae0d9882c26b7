"""State channels: keyed rows of which only the newest matter, so whatever is late is conflated.

A channel has one shared stream per rate class, with its own sequence numbers; a flush is encoded
once and the same bytes go to every subscriber of the class.
"""

from collections.abc import Collection, Hashable
from typing import Any, Protocol

from plan2.interface.streaming.protocol import Codec, Kind, RateClass, plain_rows


class StateSource(Protocol):
    """Where a channel's rows come from; asked at the stream's own pace."""

    def snapshot(self) -> list[Any]:
        """Every row now; rows are structs, lists or maps."""
        ...

    def rows(self, keys: Collection[Hashable]) -> list[Any]:
        """The rows of these keys now; `[key, None]` for one that is gone."""
        ...


class SharedStream:
    """One channel at one rate class.

    Attributes:
        seq: number of the last flush. dirty: keys that changed since.
        followers: how many subscriptions listen; without any, nothing is kept.
    """

    def __init__(self, number: int, source: StateSource) -> None:
        self.number = number
        self.seq = 0
        self.dirty: set[Hashable] = set()
        self.followers: set[object] = set()
        self._source = source
        self._snapshots: dict[str, tuple[int, bytes]] = {}

    def follow(self, subscription: object) -> None:
        """Start to keep changes for a subscription."""
        self.followers.add(subscription)

    def unfollow(self, subscription: object) -> None:
        """Stop; the last one to leave takes the kept changes along."""
        self.followers.discard(subscription)
        if not self.followers:
            self.dirty.clear()
            self._snapshots.clear()

    def take_rows(self) -> list[Any]:
        """The changed rows as plain data under the next number; empty when nothing changed."""
        if not self.dirty:
            return []
        keys, self.dirty = self.dirty, set()
        rows = plain_rows(self._source.rows(keys))
        if rows:
            self.seq += 1
        return rows

    def snapshot(self, codec: Codec, t_us: int) -> bytes:
        """A frame with every row, numbered like the last flush; made once per flush and codec.

        It may be older than `dirty`, never newer than what follows: what changed since is sent
        with the next number anyway.
        """
        made = self._snapshots.get(codec.subprotocol)
        if made is not None and made[0] == self.seq:
            return made[1]
        rows = plain_rows(self._source.snapshot())
        frame = codec.encode(Kind.SNAPSHOT, self.number, self.seq, t_us, rows)
        self._snapshots[codec.subprotocol] = (self.seq, frame)
        return frame


class StateChannel:
    """A named set of rows, in every rate class."""

    def __init__(self, number: int, name: str, source: StateSource) -> None:
        self.number = number
        self.name = name
        self.streams = {rate: SharedStream(number, source) for rate in RateClass}

    @property
    def is_followed(self) -> bool:
        """Whether anybody listens, at any rate."""
        return any(stream.followers for stream in self.streams.values())

    def touch(self, keys: Collection[Hashable]) -> None:
        """Rows of these keys changed."""
        for stream in self.streams.values():
            if stream.followers:
                stream.dirty.update(keys)
