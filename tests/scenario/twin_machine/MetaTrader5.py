"""The twin where MetaTrader's own package would be, with a hand of the test's on it.

A test reaches into the process that holds the twin by a file: `TEST_TWIN_HAND` names it, one JSON
object of `Deed`. It is taken before the next call of any function and answered beside it.
"""

import os
import signal
from pathlib import Path
from typing import Any

import msgspec

from plan2.dataflow.terminals.port import Trigger
from plan2.dataflow.terminals.twin import faults, metatrader5
from plan2.foundation.values import Side

HAND = Path(os.environ["TEST_TWIN_HAND"])
ANSWER = HAND.with_suffix(".answer")
ENDS = {"before": False, "after": False}


class Deed(msgspec.Struct):
    """What is done at the twin: a person's trade, a fault, or a look at the books.

    `loses` is a broker that forgets every position and books no deal.
    """

    do: str
    symbol: str = ""
    side: str = ""
    lots: float = 0.0
    price: float = 0.0
    when: str = ""
    seconds: float = 0.0


class Book(msgspec.Struct):
    """How the trade server's books stand: lots and stop by position, and working orders."""

    positions: dict[str, tuple[str, str, float, float]]
    orders: dict[str, tuple[str, float]]


def _carry_out(deed: Deed) -> Any:
    world = metatrader5.twin().twin_world
    match deed.do:
        case "opens":
            return world.person.opens(deed.symbol, Side[deed.side], deed.lots)
        case "places":
            side = Side[deed.side]
            return world.person.places(deed.symbol, side, Trigger.LIMIT, deed.lots, deed.price)
        case "loses":
            world.desk.book.positions.clear()
            world.desk.book.version += 1
            world.keep()
        case "dies":
            ENDS[deed.when] = True
        case "stalls":
            world.faults.script("order_send", faults.stalls(deed.seconds))
        case "logs_in":
            world.log_in(int(deed.symbol))
    world.advance()
    book = world.desk.book
    return Book(
        {
            str(key): (one.symbol, one.side.name, one.quantity, one.stop_loss)
            for key, one in book.positions.items()
        },
        {str(key): (one.symbol, one.price) for key, one in book.working.items()},
    )


def _look_for_deeds() -> None:
    if HAND.exists():
        deed = msgspec.json.decode(HAND.read_bytes(), type=Deed)
        answer = _carry_out(deed)
        HAND.unlink()
        fresh = ANSWER.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(answer))
        fresh.replace(ANSWER)


def _end_if_wanted(when: str) -> None:
    if ENDS[when]:
        os.kill(os.getpid(), signal.SIGKILL)


def __getattr__(name: str) -> Any:
    known = getattr(metatrader5, name)
    if not callable(known) or isinstance(known, type):
        return known

    def call(*args: Any, **kwargs: Any) -> Any:
        _look_for_deeds()
        if name != "order_send":
            return known(*args, **kwargs)
        _end_if_wanted("before")
        answer = known(*args, **kwargs)
        _end_if_wanted("after")
        return answer

    return call
