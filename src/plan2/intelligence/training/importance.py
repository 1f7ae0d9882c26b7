"""What a model listens to: how much worse it forecasts when one feature is shuffled.

Permutation importance on events that the model was not trained on (Breiman 2001, Random Forests,
section 10). It is the same question for every family; features that say the same share the credit.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.family import FittedModel
from plan2.intelligence.training.metrics import log_losses


def importance_of(
    model: FittedModel,
    dataset: Dataset,
    rows: Int64Array,
    names: Sequence[str],
    rng: np.random.Generator,
) -> dict[str, float]:
    """Rise of the mean log loss on these rows for each feature, nats, the largest first.

    Empty for a model that does not read the features at the event, as nets over bars do not.
    """
    loss = _loss(model, dataset, rows)
    every = np.arange(dataset.values.shape[1])
    if _loss(model, _shuffled(dataset, rows, every, rng), rows) == loss:
        return {}
    rises = {
        name: _loss(model, _shuffled(dataset, rows, every[[column]], rng), rows) - loss
        for column, name in enumerate(names)
    }
    return dict(sorted(rises.items(), key=lambda item: -item[1]))


def _loss(model: FittedModel, dataset: Dataset, rows: Int64Array) -> float:
    p: Float64Array = 1.0 / (1.0 + np.exp(-model.logits(dataset, rows)))
    return float(log_losses(p, dataset.up[rows]).mean())


def _shuffled(
    dataset: Dataset, rows: Int64Array, columns: Int64Array, rng: np.random.Generator
) -> Dataset:
    """The data set with these columns of these rows in another order."""
    values = dataset.values.copy()
    values[np.ix_(rows, columns)] = dataset.values[np.ix_(rng.permutation(rows), columns)]
    return replace(dataset, values=values)
