"""Child processes that try hyper-parameters: each holds the data once and is told what to fit.

They run at low priority with one thread, and what a try gives depends on nothing but the family
and the seed, so it does not matter which child runs it.
"""

import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType
from typing import Final, Self

import numpy as np
import psutil

from plan2.foundation.values import Float64Array
from plan2.foundation.workers import NICE, ONE_THREAD
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.family import Family
from plan2.intelligence.training.splits import Fold

_HELD: Final[list[tuple[Dataset, tuple[Fold, ...], int]]] = []
"""In a child: the one data set that it was started with."""


class TrialPool:
    """Children that fit and forecast the same folds with different hyper-parameters."""

    def __init__(
        self, processes: int, dataset: Dataset, folds: tuple[Fold, ...], seed: int
    ) -> None:
        self._pool = ProcessPoolExecutor(
            processes,
            # Started anew, not forked: numeric libraries do not survive a fork with their threads.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_hold,
            initargs=(dataset, folds, seed),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def run(self, families: Sequence[Family]) -> list[Float64Array]:
        """Probabilities of up for the tested rows of all folds, float64[n], for each family."""
        return list(self._pool.map(_forecast_held, families))


def forecast_folds(
    family: Family, dataset: Dataset, folds: Sequence[Fold], seed: int
) -> Float64Array:
    """Probabilities of up for the tested rows of all folds, one after the other: float64[n]."""
    logits = [family.fit(dataset, fold.train, seed).logits(dataset, fold.test) for fold in folds]
    return np.asarray(1.0 / (1.0 + np.exp(-np.concatenate(logits))))


def _hold(dataset: Dataset, folds: tuple[Fold, ...], seed: int) -> None:
    os.environ.update(ONE_THREAD)
    low = psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else NICE
    psutil.Process().nice(low)
    _HELD.append((dataset, folds, seed))


def _forecast_held(family: Family) -> Float64Array:
    ((dataset, folds, seed),) = _HELD
    return forecast_folds(family, dataset, folds, seed)
