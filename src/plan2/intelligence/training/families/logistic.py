"""Logistic regression with an L2 penalty on the same features: a family, and the baseline.

Scaling and filling are fitted inside the training rows: columns are standardised by their own mean
and deviation, clipped at ±5, and undefined values become 0, the mean.
"""

from typing import ClassVar

import numpy as np
import onnx
from onnx import helper, numpy_helper

from plan2.foundation.values import Float32Array, Float64Array, Int64Array
from plan2.intelligence.models.logit_fit import fit_logit
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.family import Family, Parameters, Range, Space
from plan2.intelligence.training.families.scaling import clip_edges
from plan2.intelligence.training.families.tabular import INPUT, ONNX_OPSET, OUTPUT, FittedRows

PENALTY = 0.05
CLIP = 5.0
IR_VERSION = 8


class FittedLogistic:
    """A line through standardised features."""

    def __init__(self, mean: Float64Array, deviation: Float64Array, line: Float64Array) -> None:
        self.mean = mean
        self.deviation = deviation
        self.line = line

    def logits(self, dataset: Dataset, rows: Int64Array) -> Float64Array:
        """Raw log-odds of up, float64[len(rows)]."""
        return self.of(dataset.values[rows])

    def of(self, values: Float64Array) -> Float64Array:
        """Raw log-odds of up, float64[n], for float64[n, F]."""
        scaled = _scaled(values, self.mean, self.deviation)
        logits: Float64Array = scaled @ self.line[:-1] + self.line[-1]
        return logits


class Logistic(Family):
    """The logistic family; `penalty` is paid by each slope for each effective label."""

    name = "logistic"
    defaults: ClassVar[Parameters] = {"penalty": PENALTY}
    space: ClassVar[Space] = {"penalty": Range(0.001, 1.0, is_log=True)}

    def fit(self, dataset: Dataset, rows: Int64Array, seed: int) -> FittedRows:  # noqa: ARG002 - convex
        """Fit on these rows; there is one solution, whatever the seed."""
        fitted = fit_logistic(dataset, rows, float(self.parameters()["penalty"]))
        mean, scale = fitted.mean.astype(np.float32), (1.0 / fitted.deviation).astype(np.float32)

        def probabilities(features: Float32Array) -> Float64Array:
            return np.asarray(1.0 / (1.0 + np.exp(-fitted.of(features.astype(np.float64)))))

        return FittedRows(
            probabilities,
            lambda: _graph(mean, scale, fitted.line),
            lambda _: clip_edges(mean, scale, CLIP),
            {"mean": tuple(mean.tolist()), "scale": tuple(scale.tolist())},
        )


def fit_logistic(dataset: Dataset, rows: Int64Array, penalty: float = PENALTY) -> FittedLogistic:
    """Fit on these rows; slopes pay `penalty` per effective label, the intercept is free."""
    raw = np.where(np.isfinite(dataset.values[rows]), dataset.values[rows], np.nan)
    is_known = np.isfinite(raw)
    count = np.maximum(is_known.sum(axis=0), 1)
    mean = np.where(is_known, raw, 0.0).sum(axis=0) / count
    variance = (np.where(is_known, raw - mean, 0.0) ** 2).sum(axis=0) / count
    deviation = np.where(variance > 0.0, np.sqrt(variance), 1.0)
    design = np.column_stack([_scaled(raw, mean, deviation), np.ones(len(rows))])
    weights = dataset.weight[rows]
    precision = np.full(design.shape[1], penalty * float(weights.sum()))
    precision[-1] = 0.0
    line, _ = fit_logit(design, dataset.up[rows], weights, np.zeros_like(precision), precision)
    return FittedLogistic(mean, deviation, line)


def _scaled(values: Float64Array, mean: Float64Array, deviation: Float64Array) -> Float64Array:
    scaled = np.clip((values - mean) / deviation, -CLIP, CLIP)
    return np.where(np.isfinite(scaled), scaled, 0.0)


def _graph(mean: Float32Array, scale: Float32Array, line: Float64Array) -> bytes:
    """Features [1, F] → Sub, Mul, Clip, missing → 0 → line → probabilities of down and up [1, 2].

    The second output is the logistic function of the line, the first that of its negative.
    """
    slopes, intercept = line[:-1], line[-1]
    constants = {
        "mean": mean,
        "scale": scale,
        "lowest": np.float32(-CLIP),
        "highest": np.float32(CLIP),
        "zero": np.float32(0.0),
        "slopes": np.stack([-slopes, slopes], axis=1).astype(np.float32),
        "intercepts": np.array([-intercept, intercept], np.float32),
    }
    nodes = [
        helper.make_node("Sub", [INPUT, "mean"], ["centred"]),
        helper.make_node("Mul", ["centred", "scale"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "lowest", "highest"], ["clipped"]),
        helper.make_node("IsNaN", [INPUT], ["is_missing"]),
        helper.make_node("Where", ["is_missing", "zero", "clipped"], ["known"]),
        helper.make_node("Gemm", ["known", "slopes", "intercepts"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], [OUTPUT]),
    ]
    graph = helper.make_graph(
        nodes,
        "plan2_logistic",
        [helper.make_tensor_value_info(INPUT, onnx.TensorProto.FLOAT, [1, len(mean)])],
        [helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", ONNX_OPSET)], ir_version=IR_VERSION
    )
    return bytes(model.SerializeToString(deterministic=True))
