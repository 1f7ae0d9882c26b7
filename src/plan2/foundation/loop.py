"""The event loop: how it is started, and a watch on how late it runs.

psycopg's asynchronous side needs a selector loop; Windows would start another kind by default.
"""

import asyncio
import itertools
import signal
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from plan2.foundation.health import Health, Status

T = TypeVar("T")

BEAT_S: Final = 0.1
WINDOW_BEATS: Final = 600
"""One minute of beats."""
RECENT_BEATS: Final = 50
"""Five seconds of beats."""
LAG_DEGRADED_MS: Final = 50.0
"""A p99 above this means that something blocks the loop."""


def run_async(main: Coroutine[Any, Any, T]) -> T:  # Any: nothing is sent into it
    """Run `main` to its end on a loop that works for every part of Plan2, on every platform."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(main)


class LoopLag:
    """Measures how late the loop wakes a task that sleeps a tenth of a second.

    Up to about one millisecond is the resolution of the operating system's wait, not a lag.

    Args:
        on_beat: called at each beat; the composition root folds the latency histograms here.
    """

    def __init__(self, on_beat: Callable[[], None]) -> None:
        self._on_beat = on_beat
        self._late_ms: deque[float] = deque(maxlen=WINDOW_BEATS)

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self._late_ms.append((loop.time() - due_s) * 1e3)
            self._on_beat()

    def p99_ms(self) -> float:
        """The 99th percentile of the last minute, milliseconds; 0.0 before the first beat."""
        ordered = sorted(self._late_ms)
        return ordered[int(len(ordered) * 0.99)] if ordered else 0.0

    def recent_ms(self) -> float:
        """The 90th percentile of the last five seconds, milliseconds: a single stall says nothing.

        What sheds load looks at this; before the first five seconds it is 0.0.
        """
        if len(self._late_ms) < RECENT_BEATS:
            return 0.0
        newest = itertools.islice(reversed(self._late_ms), RECENT_BEATS)
        return sorted(newest)[int(RECENT_BEATS * 0.9)]

    def check(self) -> Health:
        """DEGRADED when the loop is often late."""
        lag_ms = self.p99_ms()
        metrics = {"lag_ms_p99": lag_ms}
        if lag_ms > LAG_DEGRADED_MS:
            text = f"The event loop runs {lag_ms:.0f} ms late (p99 of a minute)."
            return Health(Status.DEGRADED, text, metrics)
        return Health(Status.OK, "", metrics)


async def until_stopped() -> None:
    """Wait for SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:  # Windows: the default handler raises KeyboardInterrupt
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    await stopped.wait()
