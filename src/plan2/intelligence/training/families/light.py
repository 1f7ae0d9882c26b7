"""Gradient-boosted trees (LightGBM), exported so that the file says what the library says.

LightGBM compares float64 thresholds, ONNX float32 ones: converted as they are, rows beside a
threshold fall on the other side (up to a third of the rows of the parity gate). Thresholds are
therefore floored to float32 first, which changes no answer for float32 features.
"""

from typing import Any, ClassVar, Final

import numpy as np

from plan2.foundation.values import Float32Array, Float64Array, Int64Array
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.family import Family, Parameters, Range, Space
from plan2.intelligence.training.families.inner import inner_split
from plan2.intelligence.training.families.tabular import (
    INPUT,
    ONNX_OPSET,
    FittedRows,
    features_of,
    normalised,
    thresholds_of,
    tree_graph,
)

ROUNDS_MAX: Final = 1_000
ZERO: Final = np.float32(1e-35)
"""LightGBM takes what is not farther from zero than this for zero."""


class LightTrees(Family):
    """The LightGBM family; hyper-parameters are named as LightGBM names them."""

    name = "lightgbm"
    defaults: ClassVar[Parameters] = {
        "num_iterations": 150,
        "early_stopping_round": 0,
        "num_leaves": 15,
        "max_depth": 5,
        "learning_rate": 0.03,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "feature_fraction": 0.5,
        "min_data_in_leaf": 40,
        "lambda_l2": 10.0,
        "objective": "binary",
        "num_threads": 1,
    }
    space: ClassVar[Space] = {
        "num_iterations": Range(50, 400, is_log=True),
        "num_leaves": Range(4, 31),
        "learning_rate": Range(0.01, 0.1, is_log=True),
        "bagging_fraction": Range(0.5, 1.0),
        "feature_fraction": Range(0.2, 1.0),
        "min_data_in_leaf": Range(10, 200, is_log=True),
        "lambda_l2": Range(1.0, 100.0, is_log=True),
    }

    def fit(self, dataset: Dataset, rows: Int64Array, seed: int) -> FittedRows:
        """Train on these rows, weighted by uniqueness and age."""
        import lightgbm

        parameters = self.parameters()
        rounds = int(parameters.pop("num_iterations"))
        patience = int(parameters.pop("early_stopping_round"))
        fixed = {"seed": seed, "deterministic": True, "force_row_wise": True, "verbosity": -1}
        split = inner_split(dataset, rows) if patience else None
        if split is not None:
            watched = lightgbm.train(
                {**parameters, **fixed},
                _samples(dataset, split.train),
                ROUNDS_MAX,
                valid_sets=[_samples(dataset, split.test)],
                callbacks=[lightgbm.early_stopping(patience, verbose=False)],
            )
            # All rows are fitted again with the rounds found, so that the newest are not lost.
            rounds = watched.best_iteration
        booster = lightgbm.train({**parameters, **fixed}, _samples(dataset, rows), rounds)
        width = dataset.values.shape[1]

        def probabilities(features: Float32Array) -> Float64Array:
            return np.asarray(booster.predict(features.astype(np.float64), num_threads=1))

        return FittedRows(probabilities, lambda: graph_of(floored(booster), width), thresholds_of)


def floored(booster: Any) -> Any:  # lightgbm ships no types
    """The same trees with every threshold replaced by the largest float32 that is not above it."""
    import lightgbm

    lines = []
    for line in booster.model_to_string().split("\n"):
        key, _, text = line.partition("=")
        if key == "tree_sizes":
            continue  # byte offsets of what follows; LightGBM aborts the process when they are off
        if key == "threshold":
            values = floor32(np.array(text.split(), np.float64))
            line = "threshold=" + " ".join(repr(float(value)) for value in values)
        lines.append(line)
    return lightgbm.Booster(model_str="\n".join(lines))


def floor32(thresholds: Float64Array) -> Float32Array:
    """The largest float32 values that are not above these, float64[n].

    A threshold at LightGBM's negative zero goes one step down, because the values there count as
    zero and zero lies above it.
    """
    values = thresholds.astype(np.float32)
    is_above = (values.astype(np.float64) > thresholds) | (values == -ZERO)
    return np.where(is_above, np.nextafter(values, np.float32(-np.inf)), values)


def graph_of(booster: Any, width: int) -> bytes:  # lightgbm ships no types
    """The ONNX file of a booster for two classes, its thresholds taken as they are."""
    from onnxmltools.convert import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    model = convert_lightgbm(
        booster,
        initial_types=[(INPUT, FloatTensorType([1, width]))],
        name="plan2_trees",
        zipmap=False,
        target_opset=ONNX_OPSET,
    )
    return tree_graph(model)


def _samples(dataset: Dataset, rows: Int64Array) -> Any:  # lightgbm ships no types
    import lightgbm

    return lightgbm.Dataset(
        features_of(dataset, rows).astype(np.float64),
        dataset.up[rows],
        weight=normalised(dataset.weight[rows]),
        free_raw_data=False,
    )
