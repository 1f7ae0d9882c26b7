"""The parity gate: the ONNX file must say what the trained model says, on hard rows too.

At least 20,000 rows go through the serving classes one by one: training rows, rows that lie exactly
on split points and one float32 step beside them, rows with missing values, and extremes.
"""

from collections.abc import Callable

import numpy as np
import onnx

from plan2.foundation.errors import ModelMismatch
from plan2.foundation.values import Float32Array, Float64Array
from plan2.intelligence.models.manifest import Parity
from plan2.intelligence.models.session import UNREADABLE, open_session

ROWS_MIN = 20_000
DIFFERENCE_MAX = 1e-5
EXTREME = np.float32(3e38)

REFUSALS: tuple[type[Exception], ...] = (
    onnx.checker.ValidationError,
    onnx.shape_inference.InferenceError,
    ValueError,  # what the checker says of bytes that are no ONNX file at all
    *UNREADABLE,
)


def check(
    rows: Float32Array, served: Callable[[Float32Array], float], expected: Float64Array
) -> Parity:
    """Run every row and compare with the trained model's probabilities.

    Args:
        rows: float32[n, width].
        served: the probability that the serving path gives for one row.
        expected: float64[n], the trained model's own.
    """
    found = np.array([served(row) for row in rows])
    difference = float(np.max(np.abs(found - expected)))
    worst = difference if np.isfinite(difference) else float("inf")
    return Parity(rows=len(rows), max_difference=worst, limit=DIFFERENCE_MAX)


def inspected(content: bytes) -> onnx.ModelProto:
    """The parsed file, after the ONNX checker and ONNX Runtime have both accepted it.

    Raises:
        ModelMismatch: one of them refuses it, or it points to data outside of the file.
    """
    try:
        onnx.checker.check_model(content, full_check=True)
        open_session(content)
    except REFUSALS as e:
        raise ModelMismatch(f"The exported model is not valid ONNX: {e}") from e
    model = onnx.load_from_string(content)
    outside = [tensor.name for tensor in model.graph.initializer if tensor.external_data]
    if outside:
        raise ModelMismatch(f"The exported model keeps {outside} outside of its file.")
    return model


def hard_rows(
    sample: Float32Array, edges: list[Float32Array], rng: np.random.Generator
) -> Float32Array:
    """Rows for the gate: float32[≥ 20000, width].

    Args:
        sample: float32[n, width], rows that occurred in training.
        edges: for each column, the values at which the model changes its mind; may be empty.
        rng: chooses rows, columns and values.
    """
    base = sample[rng.integers(0, len(sample), ROWS_MIN)].copy()
    shape = base.shape
    on_edge = np.stack([_edge_values(column, ROWS_MIN, rng) for column in edges], axis=1)
    take_edge = (rng.random(shape) < 0.5) & np.isfinite(on_edge)
    take_edge[: ROWS_MIN // 4] = False
    rows = np.where(take_edge, on_edge, base)
    missing = rng.random(shape) < 0.2
    missing[: ROWS_MIN // 2] = False
    rows = np.where(missing, np.float32(np.nan), rows)
    extremes = np.array([[EXTREME], [-EXTREME], [0.0], [np.nan]], np.float32)
    corners = np.repeat(extremes, shape[1], axis=1)
    return np.concatenate([rows, corners]).astype(np.float32)


def _edge_values(edges: Float32Array, count: int, rng: np.random.Generator) -> Float32Array:
    """Random edges, a third of them exact, the others one float32 step beside; NaN = no edge."""
    if len(edges) == 0:
        return np.full(count, np.nan, np.float32)
    chosen = rng.choice(edges.astype(np.float32), count)
    direction = rng.choice(np.array([-np.inf, np.inf], np.float32), count)
    return np.where(rng.random(count) < 1 / 3, chosen, np.nextafter(chosen, direction))
