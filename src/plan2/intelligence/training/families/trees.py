"""Gradient-boosted trees (XGBoost), small and deterministic: one thread, fixed rounds.

Missing values stay NaN; the trees route them. With `early_stopping_rounds` the number of rounds is
chosen on the newest, purged part of the training rows, and only those rounds are exported.
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
"""Most rounds that early stopping may choose."""


class Trees(Family):
    """The XGBoost family; hyper-parameters are named as XGBoost names them."""

    name = "xgboost"
    defaults: ClassVar[Parameters] = {
        "n_estimators": 150,
        "early_stopping_rounds": 0,
        "max_depth": 4,
        "learning_rate": 0.03,
        "subsample": 0.7,
        "colsample_bytree": 0.5,
        "min_child_weight": 20.0,
        "reg_lambda": 10.0,
        "tree_method": "hist",
        "n_jobs": 1,
        "objective": "binary:logistic",
    }
    space: ClassVar[Space] = {
        "n_estimators": Range(50, 400, is_log=True),
        "max_depth": Range(2, 6),
        "learning_rate": Range(0.01, 0.1, is_log=True),
        "subsample": Range(0.5, 1.0),
        "colsample_bytree": Range(0.2, 1.0),
        "min_child_weight": Range(5.0, 100.0, is_log=True),
        "reg_lambda": Range(1.0, 100.0, is_log=True),
    }

    def fit(self, dataset: Dataset, rows: Int64Array, seed: int) -> FittedRows:
        """Train on these rows, weighted by uniqueness and age."""
        import xgboost

        parameters = self.parameters()
        patience = int(parameters.pop("early_stopping_rounds"))
        split = inner_split(dataset, rows) if patience else None
        if split is not None:
            watched = xgboost.XGBClassifier(
                random_state=seed,
                early_stopping_rounds=patience,
                **{**parameters, "n_estimators": ROUNDS_MAX},
            )
            watched.fit(
                **_samples(dataset, split.train),
                eval_set=[(features_of(dataset, split.test), dataset.up[split.test])],
                sample_weight_eval_set=[normalised(dataset.weight[split.test])],
                verbose=False,
            )
            # All rows are fitted again with the rounds found, so that the newest are not lost.
            parameters["n_estimators"] = watched.best_iteration + 1
        classifier = xgboost.XGBClassifier(random_state=seed, **parameters)
        classifier.fit(**_samples(dataset, rows))
        return fitted_rows(classifier, dataset.values.shape[1])


def fitted_rows(classifier: Any, width: int) -> FittedRows:  # xgboost ships no types
    """A trained classifier of two classes with its exported form."""
    from onnxmltools.convert import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    def probabilities(features: Float32Array) -> Float64Array:
        up: Float64Array = classifier.predict_proba(features)[:, 1].astype(np.float64)
        return up

    def graph() -> bytes:
        model = convert_xgboost(
            classifier,
            initial_types=[(INPUT, FloatTensorType([1, width]))],
            name="plan2_trees",
            target_opset=ONNX_OPSET,
        )
        return tree_graph(model)

    return FittedRows(probabilities, graph, thresholds_of)


def _samples(dataset: Dataset, rows: Int64Array) -> dict[str, np.ndarray]:
    return {
        "X": features_of(dataset, rows),
        "y": dataset.up[rows].astype(np.int32),
        "sample_weight": normalised(dataset.weight[rows]),
    }
