"""What can be asked of a terminal host, and how answers travel.

`None` as an answer means "could not be asked", never "there are none".
"""

from typing import Any, Final

import msgspec
import numpy as np

from plan2.dataflow.terminals.port import (
    AccountState,
    Deal,
    TerminalOrder,
    TerminalPosition,
    Trace,
)
from plan2.foundation.errors import require
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import TickBlock

PART_BYTES: Final = 48 * 1024
"""Longest part of an answer; with its envelope it stays below a channel's limit."""


class AskAccount(msgspec.Struct, frozen=True, tag="account"):
    """The account's figures."""


class AskPositions(msgspec.Struct, frozen=True, tag="positions"):
    """All open positions."""


class AskOrders(msgspec.Struct, frozen=True, tag="orders"):
    """All working pending orders."""


class AskInstruments(msgspec.Struct, frozen=True, tag="instruments"):
    """Contract data of every symbol."""


class AskDeals(msgspec.Struct, frozen=True, tag="deals"):
    """All deals at or after a time."""

    since_ts_ns: int


class AskTrace(msgspec.Struct, frozen=True, tag="trace"):
    """What became of the order that carried a token."""

    token: str


class AskHistory(msgspec.Struct, frozen=True, tag="history"):
    """Ticks of a symbol with start ≤ time < end."""

    symbol: str
    start_ts_ns: int
    end_ts_ns: int


Question = AskAccount | AskPositions | AskOrders | AskInstruments | AskDeals | AskTrace | AskHistory


class Columns(msgspec.Struct, frozen=True):
    """A block of ticks as the bytes of its columns: int64, float64, float64, little endian."""

    symbol: str
    ts_ns: bytes
    bid: bytes
    ask: bytes


def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:  # one per kind of answer
    return msgspec.msgpack.Decoder(kind | None)


ANSWERS: Final = {
    AskAccount: _decoder(AccountState),
    AskPositions: _decoder(tuple[TerminalPosition, ...]),
    AskOrders: _decoder(tuple[TerminalOrder, ...]),
    AskInstruments: _decoder(dict[str, Instrument]),
    AskDeals: _decoder(tuple[Deal, ...]),
    AskTrace: _decoder(Trace),
    AskHistory: _decoder(Columns),
}


def answer_parts(value: object) -> list[bytes]:
    """The encoding of an answer, in parts that fit into a message each."""
    plain = _columns(value) if isinstance(value, TickBlock) else value
    whole = msgspec.msgpack.encode(plain)
    return [whole[start : start + PART_BYTES] for start in range(0, len(whole), PART_BYTES)]


def read_answer(question: Question, whole: bytes) -> Any:  # the kind of question decides
    """The answer to a question from its encoding.

    Raises:
        msgspec.MsgspecError: it is no answer to this question.
    """
    value = ANSWERS[type(question)].decode(whole)
    return _block(value) if isinstance(value, Columns) else value


def _columns(block: TickBlock) -> Columns:
    return Columns(
        block.symbol,
        np.asarray(block.ts_ns, "<i8").tobytes(),
        np.asarray(block.bid, "<f8").tobytes(),
        np.asarray(block.ask, "<f8").tobytes(),
    )


def _block(columns: Columns) -> TickBlock:
    block = TickBlock(
        columns.symbol,
        np.frombuffer(columns.ts_ns, "<i8"),
        np.frombuffer(columns.bid, "<f8"),
        np.frombuffer(columns.ask, "<f8"),
    )
    require(
        len(block.ts_ns) == len(block.bid) == len(block.ask),
        f"history of {block.symbol} has columns of different lengths",
    )
    return block
