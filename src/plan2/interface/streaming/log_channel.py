"""Log channels: ordered facts of which none is dropped, with the last ones kept for replay.

Subscribers hold a position in the shared ring instead of a queue of their own, so a slow one costs
nothing; one that falls out of the ring is told to load from REST.
"""

from collections import deque
from typing import Any, Final

from plan2.interface.streaming.protocol import Codec, Kind, plain_rows

RING_SIZE: Final = 10_000


class LogEntry:
    """One fact and its frames, each encoded when first asked for."""

    __slots__ = ("_frames", "item", "seq", "t_us")

    def __init__(self, seq: int, t_us: int, item: Any) -> None:  # plain data of any shape
        self.seq = seq
        self.t_us = t_us
        self.item = item
        self._frames: dict[str, bytes] = {}

    def frame(self, codec: Codec, number: int) -> bytes:
        """The event frame in a subprotocol."""
        made = self._frames.get(codec.subprotocol)
        if made is None:
            made = codec.encode(Kind.EVENT, number, self.seq, self.t_us, self.item)
            self._frames[codec.subprotocol] = made
        return made


class LogChannel:
    """A named log; its sequence numbers rise by one and start anew only with the process."""

    def __init__(self, number: int, name: str, ring_size: int = RING_SIZE) -> None:
        self.number = number
        self.name = name
        self.last = 0
        self._ring: deque[LogEntry] = deque(maxlen=ring_size)

    @property
    def first(self) -> int:
        """The oldest sequence number that can be replayed; `last + 1` when there is none."""
        return self._ring[0].seq if self._ring else self.last + 1

    def append(self, t_us: int, item: object, seq: int | None = None) -> None:
        """Add a fact under the next number, or under its own; numbers already seen are ignored.

        A number that leaves a gap empties the ring: who has not read so far must load from REST.
        """
        number = self.last + 1 if seq is None else seq
        if number <= self.last:
            return
        if number != self.last + 1:
            self._ring.clear()
        self.last = number
        self._ring.append(LogEntry(number, t_us, plain_rows([item])[0]))

    def can_replay(self, seq: int) -> bool:
        """Whether everything from `seq` on is still here."""
        return self.first <= seq <= self.last + 1

    def entry(self, seq: int) -> LogEntry:
        """The fact with this number; the caller has asked `can_replay`."""
        return self._ring[seq - self.first]
