"""Log channels: ordered facts of which none is dropped, with the last ones kept for replay.

Subscribers hold a position in the shared ring instead of a queue of their own, so a slow one costs
nothing; one that falls out of the ring is told to load from REST. Facts lie in the ring packed: a
hundred tenants have four hundred full rings.
"""

from collections import OrderedDict, deque
from typing import Final, NamedTuple

import msgspec

from plan2.interface.streaming.protocol import Codec, Kind, plain_rows

RING_SIZE: Final = 10_000
FRAMES_KEPT: Final = 64
"""Frames that lie ready: screens that keep up read the same few."""


class LogEntry(NamedTuple):
    """One fact: its number, its market time in microseconds, and its plain data in msgpack."""

    seq: int
    t_us: int
    packed: bytes


class LogChannel:
    """A named log; its sequence numbers rise by one and start anew only with the process."""

    def __init__(self, number: int, name: str, ring_size: int = RING_SIZE) -> None:
        self.number = number
        self.name = name
        self.last = 0
        self._ring: deque[LogEntry] = deque(maxlen=ring_size)
        self._frames: OrderedDict[tuple[str, int], bytes] = OrderedDict()

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
        packed = msgspec.msgpack.encode(plain_rows([item])[0])
        self._ring.append(LogEntry(number, t_us, packed))

    def can_replay(self, seq: int) -> bool:
        """Whether everything from `seq` on is still here."""
        return self.first <= seq <= self.last + 1

    def frame(self, codec: Codec, seq: int) -> bytes:
        """The event frame of a fact in a subprotocol; the caller has asked `can_replay`."""
        key = (codec.subprotocol, seq)
        made = self._frames.get(key)
        if made is None:
            entry = self._ring[seq - self.first]
            body = msgspec.msgpack.decode(entry.packed)
            made = codec.encode(Kind.EVENT, self.number, entry.seq, entry.t_us, body)
            self._frames[key] = made
            if len(self._frames) > FRAMES_KEPT:
                self._frames.popitem(last=False)
        return made
