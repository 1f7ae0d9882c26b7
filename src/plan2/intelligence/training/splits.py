"""Splits that do not leak: purged walk-forward, purged K-fold and combinatorial purged folds.

Every event lives on [t0, t1]. A training row is dropped when its life meets the life of any test
row, or when it starts within the embargo after one (features remember). There is no way to ask for
a split without purging. Method: López de Prado, Advances in Financial Machine Learning, ch. 7 and
12; implemented here on per-event intervals because labels end at different times.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from plan2.foundation.errors import require
from plan2.foundation.values import Int64Array

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fold:
    """One train/test division; both are sorted row numbers, int64."""

    train: Int64Array
    test: Int64Array


def walk_forward(
    t0: Int64Array, t1: Int64Array, embargo_ns: int, folds: int = 3, first_train: float = 0.4
) -> tuple[Fold, ...]:
    """Train on the past, test on the next stretch, `folds` times; the split that replays serving.

    Args:
        t0: int64[n], starts of the events, never decreasing, UTC ns.
        t1: int64[n], times at which they were resolved.
        embargo_ns: kept out after test rows; without effect here except through the shared purge.
        folds: stretches of equal length that are tested, one after the other.
        first_train: share of the rows before the first stretch.
    """
    _require_intervals(t0, t1)
    edges = np.linspace(first_train, 1.0, folds + 1) * len(t0)
    bounds = edges.round().astype(np.int64)
    result = []
    for start, stop in itertools.pairwise(bounds):
        test = np.arange(start, stop, dtype=np.int64)
        train = np.flatnonzero(purged(t0, t1, test, embargo_ns) & (np.arange(len(t0)) < start))
        result.append(Fold(train, test))
    return tuple(result)


def purged_k_fold(
    t0: Int64Array, t1: Int64Array, embargo_ns: int, folds: int = 5
) -> tuple[Fold, ...]:
    """Each of `folds` contiguous stretches is tested once, trained on both sides of it."""
    return tuple(_fold(t0, t1, [group], embargo_ns) for group in _groups(t0, t1, folds))


def combinatorial(
    t0: Int64Array, t1: Int64Array, embargo_ns: int, groups: int = 6, tested: int = 2
) -> tuple[Fold, ...]:
    """Every choice of `tested` out of `groups` stretches as the test set, C(groups, tested) folds.

    The folds give `path_count` backtest paths, each of which tests every row exactly once.
    """
    stretches = _groups(t0, t1, groups)
    return tuple(
        _fold(t0, t1, chosen, embargo_ns) for chosen in itertools.combinations(stretches, tested)
    )


def path_count(groups: int, tested: int) -> int:
    """Paths that a combinatorial split yields: C(groups, tested) · tested / groups."""
    return comb(groups, tested) * tested // groups


def purged(t0: Int64Array, t1: Int64Array, test: Int64Array, embargo_ns: int) -> BoolArray:
    """Which rows may be trained on when `test` rows are tested: bool[n].

    A row is kept when its [t0, t1] is disjoint from [t0, t1 + embargo] of every test row.
    """
    require(embargo_ns >= 0, f"an embargo is not negative, found {embargo_ns} ns")
    if len(test) == 0:
        return np.ones(len(t0), np.bool_)
    starts, ends = _merged(t0[test], t1[test] + embargo_ns)
    nearest = np.searchsorted(starts, t1, side="right") - 1
    meets = (nearest >= 0) & (ends[np.maximum(nearest, 0)] >= t0)
    return ~meets


def _merged(starts: Int64Array, ends: Int64Array) -> tuple[Int64Array, Int64Array]:
    """The union of closed intervals as disjoint ones, in time order."""
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(ends[order])
    is_first = np.concatenate([[True], starts[1:] > reach[:-1]])
    is_last = np.concatenate([is_first[1:], [True]])
    return starts[is_first], reach[is_last]


def _groups(t0: Int64Array, t1: Int64Array, groups: int) -> list[Int64Array]:
    _require_intervals(t0, t1)
    require(2 <= groups <= len(t0), f"{len(t0)} events cannot make {groups} groups of test rows")
    return [np.asarray(part) for part in np.array_split(np.arange(len(t0), dtype=np.int64), groups)]


def _fold(t0: Int64Array, t1: Int64Array, chosen: Sequence[Int64Array], embargo_ns: int) -> Fold:
    test = np.concatenate(chosen)
    return Fold(np.flatnonzero(purged(t0, t1, test, embargo_ns)), test)


def _require_intervals(t0: Int64Array, t1: Int64Array) -> None:
    require(len(t0) == len(t1), f"{len(t0)} starts but {len(t1)} ends of events")
    require(bool(np.all(t1 >= t0)), "an event ends before it starts")
    require(bool(np.all(np.diff(t0) >= 0)), "events must be in order of their start")
