"""A net over the last closed bars: asked when a bar closes, its answer kept till the next one.

Between two closes nothing that it looks at changes, so its answer is kept; how old that answer is
travels with the forecast.
"""

import numpy as np

from plan2.foundation.values import Float64Array
from plan2.intelligence.models.session import (
    WARM_UP_RUNS,
    Session,
    bind_input,
    bind_output,
    floats_of,
)


class WindowModel:
    """One symbol's last bars, and what the net says of them.

    Symbols share the session and own their buffers. Bars that are not there yet, at the start and
    after a gap, are rows of NaN, in training as here. The net runs when it is asked for the first
    time after a close, so a history can be walked at the price of copying its bars.

    Attributes:
        bars: length of the window. channels: values of a bar. runs: how often the net was run.
    """

    def __init__(self, session: Session) -> None:
        (entry,) = session.get_inputs()
        (answer,) = session.get_outputs()
        self.bars, self.channels = int(entry.shape[1]), int(entry.shape[2])
        self.runs = 0
        self._window = np.full((1, self.bars, self.channels), np.nan, np.float32)
        self._probability = np.zeros((1, 1), np.float32)
        self._answer = np.nan
        self._is_outdated = True
        self._session = session
        self._binding = session.io_binding()
        bind_input(self._binding, entry.name, self._window)
        bind_output(self._binding, answer.name, self._probability)
        for _ in range(WARM_UP_RUNS):
            self._run()
        self.reset()

    def probability(self) -> float:
        """The raw probability of up after the bar that closed last."""
        if self._is_outdated:
            self._answer = np.nan  # what remains when the run fails
            self._is_outdated = False
            self._answer = self._run()
        return self._answer

    def commit(self, sequence_closed: Float64Array) -> None:
        """A bar closed: the window moves on by one.

        Args:
            sequence_closed: float64[channels] of the bar that closed.
        """
        self._window[0, :-1] = self._window[0, 1:]
        self._window[0, -1] = sequence_closed
        self._is_outdated = True

    def reset(self) -> None:
        """No bar is known, as at the start and after a gap."""
        self._window[:] = np.nan
        self._is_outdated = True

    def state_bytes(self) -> bytes:
        """The window, little-endian float32: all that an answer depends on."""
        return self._window.astype("<f4").tobytes()

    def set_state(self, state: bytes) -> None:
        """Continue from a window.

        Raises:
            ModelMismatch: it belongs to a net over more or fewer bars.
        """
        self._window[:] = self._shaped(state)
        self._is_outdated = True

    def replay(self, memory: bytes) -> float:
        """The raw probability of a recorded window; the live one stays as it is.

        Raises:
            ModelMismatch: it belongs to a net over more or fewer bars.
        """
        recorded, live = self._shaped(memory), self._window.copy()
        self._window[:] = recorded
        probability = self._run()
        self._window[:] = live
        return probability

    def _run(self) -> float:
        self.runs += 1
        self._session.run_with_iobinding(self._binding)
        return float(self._probability[0, 0])

    def _shaped(self, data: bytes) -> np.ndarray:
        return floats_of(data, self._window.size).reshape(self._window.shape)
