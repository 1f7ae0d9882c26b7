"""Gradient-boosted trees (XGBoost), small and deterministic: one thread, fixed rounds.

Features are float32 in training as they are in serving, so a value can never fall on different
sides of a threshold in the two. Missing values stay NaN; the trees route them.
"""

import numpy as np
import xgboost
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

from plan2.foundation.values import Float32Array, Float64Array, Int64Array
from plan2.intelligence.models.manifest import Parity
from plan2.intelligence.models.session import TreeModel, open_session
from plan2.intelligence.models.trees import compiled, tables_of
from plan2.intelligence.training import parity
from plan2.intelligence.training.dataset import Dataset

INPUT = "plan2_features"
ROUNDS = 150
DEPTH = 4
LEARNING_RATE = 0.03
ROWS_PER_ROUND = 0.7
COLUMNS_PER_TREE = 0.5
LEAF_WEIGHT_MIN = 20.0
L2 = 10.0
ONNX_OPSET = 15


class FittedTrees:
    """Trained trees; `rows` were float32."""

    def __init__(self, classifier: xgboost.XGBClassifier, width: int) -> None:
        self._classifier = classifier
        self._width = width

    def probabilities(self, features: Float32Array) -> Float64Array:
        """Native probabilities of up for float32[n, F]; the reference of the parity gate."""
        up: Float64Array = self._classifier.predict_proba(features)[:, 1].astype(np.float64)
        return up

    def logits(self, dataset: Dataset, rows: Int64Array) -> Float64Array:
        """Raw log-odds of up, float64[len(rows)]."""
        p = np.clip(self.probabilities(dataset.values[rows].astype(np.float32)), 1e-6, 1 - 1e-6)
        logits: Float64Array = np.log(p / (1.0 - p))
        return logits

    def to_onnx(self) -> bytes:
        """One TreeEnsembleClassifier for a single row of F float32 features."""
        model = convert_xgboost(
            self._classifier,
            initial_types=[(INPUT, FloatTensorType([1, self._width]))],
            name="plan2_trees",
            target_opset=ONNX_OPSET,
        )
        return bytes(model.SerializeToString(deterministic=True))

    def parity(self, content: bytes, dataset: Dataset, seed: int) -> Parity:
        """Hold the compiled trees, and through them ONNX Runtime, against XGBoost itself."""
        served = TreeModel(open_session(content))
        compiled(content, served)
        nodes = tables_of(content).nodes
        is_split = np.isfinite(nodes["value"]) & (nodes["code"] >= 0)
        feature, value = nodes["code"][is_split] >> 1, nodes["value"][is_split]
        edges = [np.unique(value[feature == column]) for column in range(self._width)]
        sample = dataset.values.astype(np.float32)
        rows = parity.hard_rows(sample, edges, np.random.default_rng(seed))
        return parity.check(
            rows, lambda row: served.predict(row.astype(np.float64)), self.probabilities(rows)
        )

    def scaler(self) -> dict[str, tuple[float, ...]]:
        """Trees scale nothing."""
        return {}


class Trees:
    """The XGBoost family."""

    name = "xgboost"

    def fit(self, dataset: Dataset, rows: Int64Array, seed: int) -> FittedTrees:
        """Train on these rows, weighted by uniqueness and age."""
        classifier = xgboost.XGBClassifier(random_state=seed, **self.parameters())
        weight = dataset.weight[rows]
        classifier.fit(
            dataset.values[rows].astype(np.float32),
            dataset.up[rows].astype(np.int32),
            sample_weight=weight / weight.mean(),
        )
        return FittedTrees(classifier, dataset.values.shape[1])

    def parameters(self) -> dict[str, float | int | str]:
        """The hyper-parameters, named as XGBoost names them."""
        return {
            "n_estimators": ROUNDS,
            "max_depth": DEPTH,
            "learning_rate": LEARNING_RATE,
            "subsample": ROWS_PER_ROUND,
            "colsample_bytree": COLUMNS_PER_TREE,
            "min_child_weight": LEAF_WEIGHT_MIN,
            "reg_lambda": L2,
            "tree_method": "hist",
            "n_jobs": 1,
            "objective": "binary:logistic",
        }
