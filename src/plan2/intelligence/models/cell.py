"""Compiled evaluation of an LSTM step, built from the ONNX file itself.

The ONNX file stays the artefact of record. This evaluator is an accelerator: it is refused when it
differs from ONNX Runtime by more than 1e-6 on rows with missing channels, on extremes, or along a
walk that carries the state.
"""

import numpy as np
import onnx
from numba import njit
from onnx import numpy_helper

from plan2.foundation.errors import ModelMismatch
from plan2.foundation.values import Float32Array
from plan2.intelligence.models.session import RecurrentModel, Session
from plan2.intelligence.models.trees import NotCompilable

TOLERANCE = 1e-6
CHECKED_ROWS = 256
_NAMES = {"gates", "bias", "head_weight", "head_bias", "mean", "scale"}


class CompiledCell:
    """One step: memory (hidden, cell, sequence) in, next state and probability out."""

    def __init__(self, weights: Float32Array) -> None:
        self._weights = weights
        self._sums = np.zeros(weights.shape[1], np.float32)

    def __call__(self, memory: Float32Array, following: Float32Array) -> float:
        """The raw probability of up; the next hidden and cell state are written to `following`."""
        return float(_step(memory, following, self._weights, self._sums))


def compiled(content: bytes, session: Session) -> CompiledCell:
    """Build the evaluator from the file's bytes and hold it against ONNX Runtime.

    Raises:
        NotCompilable: the file is not an LSTM step as this program exports it.
        ModelMismatch: it differs from ONNX Runtime by more than 1e-6 somewhere.
    """
    cell = CompiledCell(weights_of(content))
    slow, fast = RecurrentModel(session), RecurrentModel(session, cell)
    rng = np.random.default_rng(0)
    rows = rng.normal(0.0, 3.0, (CHECKED_ROWS, slow.channels))
    rows[rng.random(rows.shape) < 0.1] = np.nan
    rows[::16] *= 1e30
    worst = 0.0
    for row in rows:
        worst = max(worst, abs(slow.commit(row) - fast.commit(row)))
    if not worst <= TOLERANCE:
        raise ModelMismatch(
            f"The compiled LSTM step differs from ONNX Runtime by {worst:.2e}, allowed is "
            f"{TOLERANCE:.0e}.",
            remedy="ONNX Runtime can serve the model without it.",
        )
    return cell


def weights_of(content: bytes) -> Float32Array:
    """All constants of the step in one matrix: float32[2·channels + hidden + 4, 4·hidden].

    Rows: one per input of the gates (channels, masks, hidden), then the bias, the head's weights
    followed by its bias, the scaler's mean, the scaler's scale; unused places are 0.

    Raises:
        NotCompilable: the file is not an LSTM step as this program exports it.
    """
    graph = onnx.load_from_string(content).graph
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    if not set(constants) >= _NAMES:
        raise NotCompilable(f"Expected constants {sorted(_NAMES)}, found {sorted(constants)}.")
    width, inputs = constants["gates"].shape
    hidden, channels = width // 4, len(constants["mean"])
    weights = np.zeros((inputs + 4, width), np.float32)
    weights[:inputs] = constants["gates"].T
    weights[inputs] = constants["bias"]
    weights[inputs + 1, :hidden] = constants["head_weight"][0]
    weights[inputs + 1, hidden] = constants["head_bias"][0]
    weights[inputs + 2, :channels] = constants["mean"]
    weights[inputs + 3, :channels] = constants["scale"]
    return weights


@njit(cache=True)
def _sigmoid(x: np.float32) -> np.float32:
    result: np.float32 = np.float32(1.0) / (np.float32(1.0) + np.exp(-x))
    return result


@njit(cache=True)
def _step(
    memory: Float32Array, following: Float32Array, weights: Float32Array, sums: Float32Array
) -> float:
    hidden = following.shape[0] // 2
    channels = memory.shape[0] - 2 * hidden
    inputs = 2 * channels + hidden
    sums[:] = weights[inputs]
    for k in range(channels):
        x = memory[2 * hidden + k]
        if np.isnan(x):
            sums += weights[channels + k]
        else:
            scaled = (x - weights[inputs + 2, k]) * weights[inputs + 3, k]
            sums += min(max(scaled, np.float32(-5.0)), np.float32(5.0)) * weights[k]
    for k in range(hidden):
        sums += memory[k] * weights[2 * channels + k]
    logit = weights[inputs + 1, hidden]
    for k in range(hidden):
        enter, forget = _sigmoid(sums[k]), _sigmoid(sums[hidden + k])
        cell = forget * memory[hidden + k] + enter * np.tanh(sums[2 * hidden + k])
        following[hidden + k] = cell
        following[k] = _sigmoid(sums[3 * hidden + k]) * np.tanh(cell)
        logit += weights[inputs + 1, k] * following[k]
    return float(_sigmoid(logit))
