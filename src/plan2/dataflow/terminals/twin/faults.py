"""Misfortunes of single calls: scripted one by one, or drawn from a seed.

A script is a queue for each function of the package: the next calls take one happening each. The
seeded draws come after the script and use the same number of draws per call whatever happens, so
that no chance shifts another.
"""

from collections import deque

import msgspec
import numpy as np

from plan2.dataflow.terminals.twin import constants
from plan2.foundation.values import NS_PER_SECOND

SEND_FAILED = constants.RES_E_INTERNAL_FAIL_SEND
RECEIVE_FAILED = constants.RES_E_INTERNAL_FAIL_RECEIVE
ORDER_SEND = "order_send"


class SeededFaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often each misfortune happens; fractions of 1, drawn from `seed`.

    Attributes:
        lost_request: order_send does not reach the terminal: None, -10001, pipe closed.
        lost_reply: it is executed, but the answer is None, -10002, pipe closed.
        rejected: it is answered with one of `rejections`, not executed.
        bare: a good result says deal 0, price 0, volume 0.
        partial: only half of the lots are available.
        pipe_break: any call finds the pipe broken.
    """

    seed: int = 0
    lost_request: float = 0.0
    lost_reply: float = 0.0
    rejected: float = 0.0
    rejections: tuple[int, ...] = (10004, 10020, 10021, 10018, 10024, 10027, 10030, 10031)
    bare: float = 0.0
    partial: float = 0.0
    pipe_break: float = 0.0


class Happening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What befalls one call.

    Attributes:
        stall_ns: it takes that long. error_before, error_after: the code it fails with before or
        after the terminal carried it out (0 = it does not). closes_pipe: a failure does.
        retcode: answered instead of the true one; `is_executed` tells whether it is done at all.
        is_bare: a good result that names no deal, price or volume.
        lots, share: no more are available; share is of the lots asked for.
        keep: the share of rows that comes back, newest first.
    """

    stall_ns: int = 0
    error_before: int = 0
    error_after: int = 0
    closes_pipe: bool = True
    retcode: int = 0
    is_executed: bool = True
    is_bare: bool = False
    lots: float | None = None
    share: float = 1.0
    keep: float = 1.0


NOTHING = Happening()


def lost_request(code: int = SEND_FAILED) -> Happening:
    """The pipe breaks before the terminal hears of it: not executed."""
    return Happening(error_before=code)


def lost_reply(code: int = RECEIVE_FAILED) -> Happening:
    """The terminal carries it out; the pipe breaks before the answer."""
    return Happening(error_after=code)


def fails(code: int = constants.RES_E_FAIL, *, is_executed: bool = False) -> Happening:
    """An error with the pipe left open."""
    if is_executed:
        return Happening(error_after=code, closes_pipe=False)
    return Happening(error_before=code, closes_pipe=False)


def answers(retcode: int, *, is_executed: bool = False) -> Happening:
    """The trade server's answer is this code, whatever it did."""
    return Happening(retcode=retcode, is_executed=is_executed)


def bare() -> Happening:
    """Executed; the result does not know deal, price and volume yet."""
    return Happening(is_bare=True)


def fills(lots: float) -> Happening:
    """Only so many lots can be had now."""
    return Happening(lots=lots)


def stalls(seconds: float) -> Happening:
    """The call takes that long, then works."""
    return Happening(stall_ns=int(seconds * NS_PER_SECOND))


def partial(keep: float) -> Happening:
    """Only the newest share of the rows comes back."""
    return Happening(keep=keep)


class TwinFaults:
    """Deals out happenings, one per call."""

    def __init__(self, seeded: SeededFaults) -> None:
        self._seeded = seeded
        self._generator = np.random.default_rng(seeded.seed)
        self._scripts: dict[str, deque[Happening]] = {}

    def script(self, function: str, *happenings: Happening) -> None:
        """Let the coming calls of a function meet these, one each."""
        self._scripts.setdefault(function, deque()).extend(happenings)

    def next(self, function: str) -> Happening:
        """What befalls this call."""
        script = self._scripts.get(function)
        if script:
            return script.popleft()
        seeded = self._seeded
        if seeded.pipe_break and self._generator.random() < seeded.pipe_break:
            return lost_request(RECEIVE_FAILED)
        return self._drawn_for_order() if function == ORDER_SEND else NOTHING

    def _drawn_for_order(self) -> Happening:
        seeded = self._seeded
        request, reply, no, bare_one, part, which = self._generator.random(6).tolist()
        if request < seeded.lost_request:
            return lost_request()
        if reply < seeded.lost_reply:
            return lost_reply()
        if no < seeded.rejected:
            return answers(seeded.rejections[int(which * len(seeded.rejections))])
        return Happening(
            is_bare=bare_one < seeded.bare, share=0.5 if part < seeded.partial else 1.0
        )
