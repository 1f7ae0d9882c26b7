"""A random forest (scikit-learn): many shallow trees, each on a part of the rows and features.

The converter forgets where missing values go, so the exported nodes are completed from the trees.
"""

from typing import Any, ClassVar

import numpy as np

from plan2.foundation.values import Float32Array, Float64Array, Int64Array
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.family import Family, Parameters, Range, Space
from plan2.intelligence.training.families.tabular import (
    INPUT,
    ONNX_OPSET,
    TREES,
    FittedRows,
    features_of,
    normalised,
    thresholds_of,
    tree_graph,
)


class Forest(Family):
    """The random-forest family; hyper-parameters are named as scikit-learn names them."""

    name = "random_forest"
    defaults: ClassVar[Parameters] = {
        "n_estimators": 200,
        "max_depth": 6,
        "min_samples_leaf": 30,
        "max_features": 0.2,
        "max_samples": 0.5,
        "criterion": "log_loss",
        "n_jobs": 1,
    }
    space: ClassVar[Space] = {
        "max_depth": Range(2, 8),
        "min_samples_leaf": Range(10, 200, is_log=True),
        "max_features": Range(0.05, 0.5),
        "max_samples": Range(0.2, 0.9),
    }

    def fit(self, dataset: Dataset, rows: Int64Array, seed: int) -> FittedRows:
        """Train on these rows, weighted by uniqueness and age."""
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(random_state=seed, **self.parameters())
        forest.fit(
            features_of(dataset, rows),
            dataset.up[rows].astype(np.int32),
            sample_weight=normalised(dataset.weight[rows]),
        )

        def probabilities(features: Float32Array) -> Float64Array:
            up: Float64Array = forest.predict_proba(features)[:, 1]
            return up

        width = dataset.values.shape[1]
        return FittedRows(probabilities, lambda: _graph(forest, width), thresholds_of)


def _graph(forest: Any, width: int) -> bytes:  # scikit-learn ships no types
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    model = to_onnx(
        forest,
        initial_types=[(INPUT, FloatTensorType([1, width]))],
        options={"zipmap": False},
        target_opset=ONNX_OPSET,
    )
    (node,) = [node for node in model.graph.node if node.op_type == TREES]
    (routes,) = [a for a in node.attribute if a.name == "nodes_missing_value_tracks_true"]
    nodes = [tree.tree_.__getstate__()["nodes"] for tree in forest.estimators_]
    is_left = np.concatenate(
        [(each["missing_go_to_left"] != 0) & (each["left_child"] >= 0) for each in nodes]
    )
    routes.ints[:] = is_left.astype(np.int64).tolist()
    return tree_graph(model)
