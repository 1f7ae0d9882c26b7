"""The split inside a training set that tells when to stop.

Early stopping looks at outcomes, so the rows that it looks at must not overlap those that are
fitted. The newest rows are kept for it, and every training row whose life meets theirs is dropped.
"""

import numpy as np

from plan2.foundation.values import Int64Array
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.splits import Fold, purged

KEPT_SHARE = 0.2
ROWS_MIN = 40


def inner_split(dataset: Dataset, rows: Int64Array) -> Fold | None:
    """The rows to fit and the newest fifth to watch; None when either would be too few.

    `rows` are sorted, as all row numbers here, so the newest are the last.
    """
    watched = rows[len(rows) - int(len(rows) * KEPT_SHARE) :]
    is_free = purged(dataset.labels["t0"], dataset.labels["t1"], watched, embargo_ns=0)
    fitted = rows[: len(rows) - len(watched)]
    fitted = fitted[is_free[fitted]]
    is_varied = all(0.0 < dataset.up[part].mean() < 1.0 for part in (fitted, watched) if len(part))
    if min(len(fitted), len(watched)) < ROWS_MIN or not is_varied:
        return None
    return Fold(np.asarray(fitted), np.asarray(watched))
