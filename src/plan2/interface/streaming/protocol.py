"""Frames of the stream: `[kind, channel, sequence, time in microseconds, body]`.

The subprotocol decides the encoding: `plan2.v1` is msgpack in binary messages, `plan2.v1+json` the
same arrays as JSON text. Client frames are decoded strictly: a frame of another shape is a
protocol error, never a guess.
"""

import enum
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from plan2.foundation.errors import InputError
from plan2.interface.screen import refuse_unsafe

VERSION: Final = 1
FRAME_MAX_BYTES: Final = 65_536
CONTROL: Final = 0
"""The channel number of frames that belong to no channel."""


class Kind(enum.IntEnum):
    """First element of a frame; clients' kinds start at 64."""

    HELLO = 0
    SNAPSHOT = 1
    DELTA = 2
    EVENT = 3
    HEARTBEAT = 4
    REPLY = 5
    ERROR = 6
    RESYNC = 7
    BYE = 8
    CLIENT_HELLO = 64
    SUBSCRIBE = 65
    UNSUBSCRIBE = 66
    ACK = 67
    PING = 68
    RATE = 69


class Close(enum.IntEnum):
    """Why a connection ends."""

    GOING_AWAY = 1001
    RESTART = 1012
    PROTOCOL = 4400
    SIGNED_OUT = 4401
    FORBIDDEN = 4403
    SLOW = 4408
    VERSION = 4409
    RATE = 4429


class RateClass(enum.StrEnum):
    """How often state channels may send to a client."""

    LIVE = "live"
    NORMAL = "normal"
    SAVER = "saver"
    BACKGROUND = "background"


SPACING_S: Final[dict[RateClass, float]] = {
    RateClass.LIVE: 0.005,
    RateClass.NORMAL: 0.020,
    RateClass.SAVER: 0.100,
    RateClass.BACKGROUND: 1.0,
}
"""Time between two frames of a state channel; see `StreamHub` for how exactly it is held."""

SafeInteger = Annotated[int, Meta(ge=0, le=2**53 - 1)]
RateName = Literal["live", "normal", "saver", "background"]


class ClientFrame(msgspec.Struct, frozen=True, array_like=True):
    """A frame from a client; `seq` is its request number, which the reply repeats."""

    kind: int
    channel: SafeInteger
    seq: SafeInteger
    t_us: SafeInteger
    body: msgspec.Raw


class ClientHello(msgspec.Struct, frozen=True):
    """The first frame of a client."""

    protocol: int
    rate: RateName = "normal"


class Subscribe(msgspec.Struct, frozen=True, rename={"start": "from"}):
    """A wish to follow a channel; `from` is the first sequence number wanted of a log."""

    channel: Annotated[str, Meta(max_length=32)]
    params: dict[str, str | int] = {}
    start: SafeInteger | None = None


class Rate(msgspec.Struct, frozen=True):
    """A wish for another rate class."""

    rate: RateName


Acks = Annotated[list[tuple[SafeInteger, SafeInteger]], Meta(max_length=256)]
"""Channel numbers and the highest sequence number received of each."""


class ProtocolError(InputError):
    """A client's frame that cannot be read; the connection closes with 4400."""

    code = "protocol_error"


class Codec:
    """One subprotocol: how frames become messages and back."""

    def __init__(self, subprotocol: str, module: Any) -> None:  # msgspec.msgpack or msgspec.json
        self.subprotocol = subprotocol
        self.is_text = module is msgspec.json
        self._encoder = module.Encoder()
        self._frames = module.Decoder(ClientFrame)
        self._decode = module.decode

    def encode(self, kind: Kind, channel: int, seq: int, t_us: int, body: object) -> bytes:
        """A server frame as bytes; JSON is UTF-8.

        Raises:
            InvariantBroken: `body` holds an integer that a browser would round.
        """
        encoded: bytes = self._encoder.encode((int(kind), channel, seq, t_us, body))
        return encoded

    def decode(self, message: bytes) -> ClientFrame:
        """A client's frame.

        Raises:
            ProtocolError: not a frame, or larger than 64 kB.
        """
        if len(message) > FRAME_MAX_BYTES:
            raise ProtocolError(f"a frame of {len(message)} bytes; 65536 are allowed")
        try:
            frame: ClientFrame = self._frames.decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ProtocolError(f"not a frame: {error}") from error
        return frame

    def body(self, frame: ClientFrame, cls: Any) -> Any:  # gives an instance of `cls`
        """The body of a client's frame as `cls`.

        Raises:
            ProtocolError: it has another shape.
        """
        try:
            return self._decode(frame.body, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ProtocolError(f"unusable body: {error}") from error


def codecs() -> dict[str, Codec]:
    """Every subprotocol by name, the preferred one first."""
    return {
        "plan2.v1": Codec("plan2.v1", msgspec.msgpack),
        "plan2.v1+json": Codec("plan2.v1+json", msgspec.json),
    }


def plain_rows(rows: Sequence[object]) -> list[Any]:
    """Rows as plain lists and maps, checked: what all codecs encode."""
    plain: list[Any] = msgspec.to_builtins(rows)
    refuse_unsafe(plain)
    return plain
