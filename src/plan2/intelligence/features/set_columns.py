"""The columns of a feature set for one engine: their values after the last tick, their memory."""

import numpy as np

from plan2.foundation.values import Float64Array
from plan2.intelligence.features.feature_set import FeatureSet
from plan2.intelligence.features.kernels import machine_code
from plan2.intelligence.features.loop import Rows, Ticks
from plan2.intelligence.features.program import empty_memory, program_of, run_set, step_set
from plan2.intelligence.features.records import WORD_BYTES
from plan2.intelligence.features.requested_columns import RequestedColumns
from plan2.intelligence.features.state import word_of

INDEX, FLAGS = 0, 1  # columns of the marks that `run_block` writes


class SetColumns:
    """What a set adds to an engine.

    Attributes:
        state: float64[m], all of it, for the snapshot. values: float64[F], its end, overwritten by
            each step. requested: float64[K], features on request at this tick, to be put in before.
    """

    def __init__(
        self, feature_set: FeatureSet, dtype: np.dtype[np.void], requested: int = 0
    ) -> None:
        self._program = program_of(feature_set.formulas, feature_set.peers, requested)
        self.requested = self._program.scratch[len(self._program.scratch) - requested :]
        memory = empty_memory(self._program, feature_set.longest_lag)
        self.state = np.concatenate([memory, np.full(len(feature_set.features), np.nan)])
        self._memory = self.state[: len(memory)]
        self.values = self.state[len(memory) :]
        self._mid_word = word_of(dtype, "tick") + _offset_of_mid(dtype)
        examples = (self._program, np.zeros(1), 0, 0, self._memory, self.values)
        self._step = machine_code(step_set, *examples)

    def step(self, words: Float64Array, flags: int) -> None:
        """Take in the tick that the engine has just taken; `flags` are of its step."""
        self._step(self._program, words, self._mid_word, flags, self._memory, self.values)

    def of_block(
        self,
        ticks: Ticks,
        out: Rows,
        words: Float64Array,
        before_ns: int,
        requested: RequestedColumns | None,
    ) -> Float64Array:
        """Columns of the rows sampled from a block, float64[n, F]; bar closes are all among them.

        `words`: the engine's state after the block. `before_ns`: its last tick before the block.
        """
        rows, marks = out
        ts_ns, bid, ask = ticks
        values = np.empty((rows.shape[0], self.values.shape[0]))
        index = marks[:, INDEX]
        mid = 0.5 * (bid[index] + ask[index])
        flags = np.ascontiguousarray(marks[:, FLAGS])
        beyond = np.empty((len(index), 0))
        if requested is not None:
            beyond = requested.of_block(ticks, np.ascontiguousarray(index))
        run_set(self._program, (rows, mid, flags, beyond), self._memory, self.values, values)
        if requested is not None:
            self.requested[:] = requested.values
        last = int(index[-1]) if len(index) else -1
        since_ns = int(ts_ns[last]) if len(index) else before_ns
        rest = slice(last + 1, None)
        if _has_usable(ts_ns[rest] >= since_ns, bid[rest], ask[rest]):
            self.step(words, 0)
        return values


def _has_usable(in_order: np.ndarray, bid: Float64Array, ask: Float64Array) -> bool:
    """Whether the engine took any of these ticks; see `step.is_usable`."""
    return bool(np.any(in_order & (bid > 0.0) & (ask > 0.0) & (bid + ask < np.inf)))


def _offset_of_mid(dtype: np.dtype[np.void]) -> int:
    fields = dtype["tick"].fields
    return 0 if fields is None else int(fields["mid"][1]) // WORD_BYTES
