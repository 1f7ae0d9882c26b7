"""One client of the terminal: its pipe, its last error, and what a call across the pipe meets.

The pipe is good for one run of the terminal. A call that finds it broken answers nothing and
leaves it closed; there is no reconnection but `initialize`.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np

from plan2.dataflow.terminals.twin import constants
from plan2.dataflow.terminals.twin.columns import sealed
from plan2.dataflow.terminals.twin.errors import SUCCESS, CallFailed
from plan2.dataflow.terminals.twin.faults import Happening
from plan2.dataflow.terminals.twin.world import TwinWorld

CLOSED: Final = 0
Answer = TypeVar("Answer")


class Session:
    """A process that imported the package."""

    def __init__(self, world: TwinWorld) -> None:
        self.world = world
        self.last_error = SUCCESS
        self.books: set[str] = set()
        self._run = CLOSED

    def attach(self) -> None:
        """Open the pipe to the terminal as it runs now."""
        self._run = self.world.terminal.run

    def detach(self) -> None:
        """Close the pipe; harmless when repeated."""
        self._run = CLOSED
        self.books.clear()

    def ask(self, function: str, work: Callable[[TwinWorld], Answer]) -> Answer:
        """Carry a call to the terminal and its answer back.

        Raises:
            CallFailed: not connected, the pipe broke, or the terminal refused.
        """
        return self.ask_about(function, lambda world, _: work(world))

    def ask_about(self, function: str, work: Callable[[TwinWorld, Happening], Answer]) -> Answer:
        """As `ask`, for calls on which what befalls them has an influence."""
        if self._run == CLOSED:
            raise CallFailed(constants.RES_E_INTERNAL_FAIL_CONNECT)
        happening = self.world.faults.next(function)
        self.world.time.wait_ns(happening.stall_ns)
        self._fail_with(happening.error_before, happening)
        terminal = self.world.terminal
        self.world.advance()
        if not terminal.is_running or self._run != terminal.run:
            self.detach()
            raise CallFailed(constants.RES_E_INTERNAL_FAIL_RECEIVE)
        answer = work(self.world, happening)
        self._fail_with(happening.error_after, happening)
        kept: Answer = _kept(answer, happening.keep)
        return kept

    def _fail_with(self, code: int, happening: Happening) -> None:
        if code:
            if happening.closes_pipe:
                self.detach()
            raise CallFailed(code)


class Calls:
    """A group of the package's functions for one client."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def note_error(self, error: tuple[int, str]) -> None:
        """Remember how the call went, for the whole process."""
        self._session.last_error = error


def _kept(answer: Any, keep: float) -> Any:  # Any: what a function of the package answers
    """The newest share of the rows of an answer that has rows."""
    if keep >= 1.0:
        return answer
    if isinstance(answer, np.ndarray):
        return sealed(answer[len(answer) - int(len(answer) * keep) :])
    # Records are tuples too, but they are one thing and not rows.
    return answer[len(answer) - int(len(answer) * keep) :] if type(answer) is tuple else answer
