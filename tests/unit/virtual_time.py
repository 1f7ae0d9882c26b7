"""An event loop whose time jumps to the next timer, so that tests of pauses take no time at all."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

STUCK_AFTER_S = 10.0


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Runs timers in order without waiting; input and output still work."""

    def __init__(self) -> None:
        self.now_s = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self.now_s


class _JumpingSelector(selectors.DefaultSelector):
    """Answers at once; when it would have had to wait, the loop's time moves instead."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now."""
        if timeout is None:
            ready = super().select(STUCK_AFTER_S)
            assert ready, "the test waits for something that will never happen"
            return ready
        ready = super().select(0)
        if not ready:
            self._loop.now_s += max(timeout, 0.0)
        return ready


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
