"""What families say about sealed events, once the seal may be opened: trained on all before it."""

from collections.abc import Sequence

from plan2.foundation.values import Float64Array
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.family import Family
from plan2.intelligence.training.forward_calibration import fit_calibration
from plan2.intelligence.training.out_of_fold import ENSEMBLE, OutOfFold, Step
from plan2.intelligence.training.seal import sealed_rows, visible_rows
from plan2.intelligence.training.splits import Fold, purged


def sealed_fold(dataset: Dataset, embargo_ns: int) -> Fold:
    """Train on everything that was resolved before the sealed events, test on these."""
    test, before = sealed_rows(dataset), visible_rows(dataset)
    kept = purged(dataset.labels["t0"], dataset.labels["t1"], test, embargo_ns)
    return Fold(before[kept[before]], test)


def sealed_logits(
    dataset: Dataset,
    fold: Fold,
    trainable: Sequence[Family],
    forecasts: OutOfFold,
    seed: int,
    step: Step,
) -> dict[str, Float64Array]:
    """Family, and "ensemble" for their blend → calibrated log-odds of the fold's test rows.

    Calibration and blend are those of the forecasts out of fold, which no sealed event had a part
    in; `step` is told what comes next.
    """
    logits: dict[str, Float64Array] = {}
    for family in trainable:
        step(f"{family.name}, sealed events")
        known, prior = forecasts.logits[family.name], forecasts.prior_of(family.name)
        line = fit_calibration(dataset, forecasts.rows, known, prior)
        raw = family.fit(dataset, fold.train, seed).logits(dataset, fold.test)
        logits[family.name] = line.slope * raw + line.intercept
    logits[ENSEMBLE] = forecasts.blended(logits)
    return logits
