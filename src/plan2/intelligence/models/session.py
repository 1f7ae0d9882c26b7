"""ONNX Runtime sessions set up for one row at a time, with every buffer bound once.

One thread, no spinning, all graph optimisations. Inputs and outputs are arrays that the session
reads and writes in place, so a call allocates nothing. A session is opened only from bytes whose
SHA-256 is the expected one. Sessions belong to one thread: their buffers are shared by all calls.
"""

import hashlib
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_state

from plan2.foundation.errors import ModelMismatch, require
from plan2.foundation.values import Float32Array, Float64Array

WARM_UP_RUNS = 50

Session: TypeAlias = onnxruntime.InferenceSession
Step = Callable[[Float32Array, Float32Array], float]
"""Takes memory (hidden, cell, sequence), writes the next state, returns a raw probability."""

FAILURES: tuple[type[Exception], ...] = (
    runtime_state.Fail,
    runtime_state.InvalidArgument,
    runtime_state.RuntimeException,
    runtime_state.EngineError,
    runtime_state.EPFail,
)
"""What a run may raise; a failed run drops the member, it never stops the forecast."""

UNREADABLE: tuple[type[Exception], ...] = (
    *FAILURES,
    runtime_state.InvalidGraph,
    runtime_state.InvalidProtobuf,
    runtime_state.NoModel,
    runtime_state.NotImplemented,
)
"""What opening a session may raise."""


def verify(content: bytes, sha256: str, model_id: str) -> None:
    """Refuse bytes that are not the registered ones.

    Raises:
        ModelMismatch: the SHA-256 differs.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelMismatch(
            f"The file of model {model_id} has SHA-256 {found[:16]}…, expected {sha256[:16]}….",
            remedy="It was changed after registration: restore it from a backup or train again.",
        )


def open_session(content: bytes) -> Session:
    """A session for these bytes.

    Raises:
        ModelMismatch: the bytes are not a model that this runtime can execute.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except UNREADABLE as error:
        raise ModelMismatch(
            f"ONNX Runtime cannot execute the model: {error}", remedy="Train again."
        ) from error
    facts = session_facts(session)
    require(
        facts["intra_op_threads"] == 1 and facts["inter_op_threads"] == 1,
        f"inference must run on one thread, found {facts}",
    )
    return session


def session_facts(session: Session) -> dict[str, int | str]:
    """How a session is set up, for diagnostics."""
    options = session.get_session_options()
    return {
        "runtime": onnxruntime.__version__,
        "intra_op_threads": options.intra_op_num_threads,
        "inter_op_threads": options.inter_op_num_threads,
        "execution_mode": str(options.execution_mode),
        "optimisation": str(options.graph_optimization_level),
        "spinning": options.get_session_config_entry("session.intra_op.allow_spinning"),
    }


class RowModel:
    """Trees or a line: one row of features in, one probability of up out."""

    def __init__(self, session: Session) -> None:
        (entry,) = session.get_inputs()
        self.width = int(entry.shape[1])
        self._session = session
        self._features = np.zeros((1, self.width), np.float32)
        self._probabilities = np.zeros((1, 2), np.float32)
        self._binding = session.io_binding()
        bind_input(self._binding, entry.name, self._features)
        bind_output(self._binding, "probabilities", self._probabilities)
        for _ in range(WARM_UP_RUNS):
            self.predict(np.zeros(self.width))

    def predict(self, values: Float64Array) -> float:
        """The raw probability of up; what NaN means, the file says.

        Args:
            values: float64[F] in schema order; rounded to float32 as in training.
        """
        self._features[0] = values
        self._session.run_with_iobinding(self._binding)
        return float(self._probabilities[0, 1])


class RecurrentModel:
    """One symbol's walk through an LSTM: a committed state, and steps from it.

    Symbols share the session and own their buffers. `memory` is what the last step started from:
    hidden state, cell state and the sequence row, one after the other; it is all that a replay of
    that step needs. Between bars a step is a peek whose new state is discarded; only `commit`
    moves on, and it does so when the next step begins. `step` replaces the session's own step.
    """

    def __init__(self, session: Session, step: Step | None = None) -> None:
        sequence, hidden, cell = session.get_inputs()
        probability, hidden_next, cell_next = session.get_outputs()
        channels, width = int(sequence.shape[1]), int(hidden.shape[1])
        self.channels, self.hidden = channels, width
        self.memory = np.zeros(2 * width + channels, np.float32)
        self._state = self.memory[: 2 * width]
        self._sequence = self.memory[2 * width :]
        self._next = np.zeros(2 * width, np.float32)
        self._probability = np.zeros((1, 1), np.float32)
        self._is_committed = True
        self._step = step or self._run
        self._session = session
        self._binding = session.io_binding()
        bind_input(self._binding, sequence.name, self._sequence[None])
        bind_input(self._binding, hidden.name, self._state[None, :width])
        bind_input(self._binding, cell.name, self._state[None, width:])
        bind_output(self._binding, probability.name, self._probability)
        bind_output(self._binding, hidden_next.name, self._next[None, :width])
        bind_output(self._binding, cell_next.name, self._next[None, width:])
        for _ in range(WARM_UP_RUNS):
            self.peek(np.zeros(channels))
        self.reset()

    def peek(self, sequence: Float64Array) -> float:
        """The raw probability of up after one more step, which is then forgotten.

        Args:
            sequence: float64[channels] of the bar in progress.
        """
        self._settle()
        self._sequence[:] = sequence
        return self._step(self.memory, self._next)

    def commit(self, sequence_closed: Float64Array) -> float:
        """The raw probability of up after the closed bar, from which later steps start.

        Args:
            sequence_closed: float64[channels] of the bar that closed.
        """
        probability = self.peek(sequence_closed)
        self._is_committed = False
        return probability

    def reset(self) -> None:
        """Back to the zero state, as at the start and after a gap."""
        self.memory[:] = 0.0
        self._next[:] = 0.0
        self._is_committed = True

    def state_bytes(self) -> bytes:
        """The committed state, for snapshots: hidden and cell, little-endian float32."""
        self._settle()
        return self._state.astype("<f4").tobytes()

    def set_state(self, state: bytes) -> None:
        """Continue from a committed state.

        Raises:
            ModelMismatch: the state belongs to a net of another width.
        """
        values = floats_of(state, 2 * self.hidden)
        self.reset()
        self._state[:] = values

    def replay(self, memory: bytes) -> float:
        """The raw probability of a recorded step; the live state stays as it is.

        Raises:
            ModelMismatch: the memory belongs to a net of another shape.
        """
        values = floats_of(memory, len(self.memory))
        live, next_state = self.memory.copy(), self._next.copy()
        self.memory[:] = values
        probability = self._step(self.memory, self._next)
        self.memory[:], self._next[:] = live, next_state
        return probability

    def _run(self, memory: Float32Array, following: Float32Array) -> float:  # noqa: ARG002
        """A step by ONNX Runtime, whose buffers these two arrays are."""
        self._session.run_with_iobinding(self._binding)
        return float(self._probability[0, 0])

    def _settle(self) -> None:
        """Take over the state of a commit; late, so that `memory` still shows its start."""
        if not self._is_committed:
            self._state[:] = self._next
            self._is_committed = True


def floats_of(data: bytes, count: int) -> Float32Array:
    """The float32 values of a state.

    Raises:
        ModelMismatch: there are more or fewer than `count`.
    """
    if len(data) != 4 * count:
        raise ModelMismatch(
            f"A recurrent state of {4 * count} bytes was expected, found {len(data)}.",
            remedy="It belongs to another model; start cold.",
        )
    return np.frombuffer(data, "<f4")


def bind_input(binding: onnxruntime.IOBinding, name: str, array: Float32Array) -> None:
    """Let runs read an input from this array, which must outlive the binding."""
    binding.bind_input(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)


def bind_output(binding: onnxruntime.IOBinding, name: str, array: Float32Array) -> None:
    """Let runs write an output into this array, which must outlive the binding."""
    binding.bind_output(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
