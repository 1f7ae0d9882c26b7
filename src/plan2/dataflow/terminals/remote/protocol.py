"""What a terminal host and its server say to each other: msgpack, one tagged union per direction.

The host opens with `Hello`, the server answers `Welcome` or closes. What must not be lost (updates,
link changes) is numbered and repeated until acknowledged; ticks are not: of those the oldest are
dropped when the server is slow, and the next batch says how many of which symbol. Times are the
speaker's own clock, UTC nanoseconds.
"""

from typing import Final

import msgspec

from plan2.dataflow.terminals.port import AccountState, ApprovedOrder, LinkChange, OrderUpdate
from plan2.dataflow.terminals.remote.questions import Question

PROTOCOL_VERSION: Final = 1

TickRow = tuple[int, int, float, float, int]
"""Place of the symbol in the batch's list, time, bid, ask, number within the instant."""


class AccountName(msgspec.Struct, frozen=True):
    """Which account a host serves; empty fields are not known yet."""

    login: str = ""
    server: str = ""
    mode: str = ""

    def __str__(self) -> str:
        return f"{self.login or 'any'} at {self.server or 'any server'} ({self.mode or 'any'})"

    @classmethod
    def of(cls, account: AccountState) -> "AccountName":
        """The name of an account that was verified."""
        return cls(account.login, account.server, account.mode)


class HostStats(msgspec.Struct, frozen=True):
    """How a host is doing; counts since it started."""

    dropped_ticks: int = 0
    lost_updates: int = 0
    waiting_updates: int = 0
    waiting_orders: int = 0
    reconnects: int = 0


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Host: who speaks. `session_id` names this run of the host, `last_seq` its newest number."""

    version: int
    agent: str
    host: str
    account: AccountName
    session_id: str
    last_seq: int


class Ticks(msgspec.Struct, frozen=True, tag="ticks"):
    """Host: a batch of quotes in the order they came; `gaps` tells how many were dropped before."""

    symbols: tuple[str, ...]
    rows: tuple[TickRow, ...]
    gaps: tuple[tuple[str, int], ...] = ()


class Update(msgspec.Struct, frozen=True, tag="update"):
    """Host: the broker's word, numbered."""

    seq: int
    update: OrderUpdate


class Link(msgspec.Struct, frozen=True, tag="link"):
    """Host: how the terminal reaches its broker, numbered; a newer one takes the older's place."""

    seq: int
    change: LinkChange
    account: AccountName


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """Host: a part of the answer to a question; the parts in order make up its encoding."""

    request_id: int
    body: bytes
    is_last: bool = True


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """Host: still there; answers the pulse `number` with the host's clock."""

    number: int
    ts_ns: int
    stats: HostStats


class Busy(msgspec.Struct, frozen=True, tag="busy"):
    """Host: a call is about to begin that may silence this process for so long; 0 = it is over."""

    what: str
    limit_s: float


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """Server: the versions fit."""

    version: int
    server: str


class Resume(msgspec.Struct, frozen=True, tag="resume"):
    """Server: begin to deliver, numbered messages after `seq` of the run `session_id`."""

    session_id: str
    seq: int


class Submit(msgspec.Struct, frozen=True, tag="submit"):
    """Server: send this order once, but not after `send_by_ns` of the host's clock."""

    order: ApprovedOrder
    send_by_ns: int


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Server: a question, of no interest after `within_s`."""

    request_id: int
    question: Question
    within_s: float


class Ack(msgspec.Struct, frozen=True, tag="ack"):
    """Server: numbered messages up to `seq` and so many batches of ticks were taken in."""

    seq: int
    batches: int


class Pulse(msgspec.Struct, frozen=True, tag="pulse"):
    """Server: still there; the host answers with a heartbeat of the same number."""

    number: int


class Opening(msgspec.Struct, frozen=True):
    """What the first message of every version has; read before anything else is."""

    type: str
    version: int = 0


HostMessage = Hello | Ticks | Update | Link | Answer | Heartbeat | Busy
ServerMessage = Welcome | Resume | Submit | Ask | Ack | Pulse

_ENCODER: Final = msgspec.msgpack.Encoder()
_FROM_HOST: Final = msgspec.msgpack.Decoder(HostMessage)
_FROM_SERVER: Final = msgspec.msgpack.Decoder(ServerMessage)
_OPENING: Final = msgspec.msgpack.Decoder(Opening)


def encode(message: HostMessage | ServerMessage) -> bytes:
    """A message as bytes."""
    return _ENCODER.encode(message)


def from_host(message: bytes) -> HostMessage:
    """What a host said.

    Raises:
        msgspec.MsgspecError: it is no message of this protocol.
    """
    decoded: HostMessage = _FROM_HOST.decode(message)
    return decoded


def from_server(message: bytes) -> ServerMessage:
    """What a server said.

    Raises:
        msgspec.MsgspecError: it is no message of this protocol.
    """
    decoded: ServerMessage = _FROM_SERVER.decode(message)
    return decoded


def version_conflict(message: bytes, peer: str) -> str:
    """Why the first message shows that the two cannot speak; empty when they can.

    Raises:
        msgspec.MsgspecError: it is no first message of any version.
    """
    found = _OPENING.decode(message).version
    if found == PROTOCOL_VERSION:
        return ""
    return f"protocol {PROTOCOL_VERSION} here, {found} at the {peer}: update the older Plan2"
