"""Situations of the past that resemble one, found exactly, and how bets in them ended.

Only what was known counts: a neighbour's outcome was decided at least one horizon before the moment
asked about, and each block of one horizon gives at most one neighbour, because fifty neighbours
within an hour are one event. A situation farther from everything than 99 % of the training period's
own situations is novel.
"""

from dataclasses import dataclass

import msgspec
import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_SECOND, Float64Array, Int64Array
from plan2.intelligence.features.kernels import entry
from plan2.intelligence.regimes.embedding import (
    EMBEDDING_VERSION,
    Embedding,
    fit_embedding,
    regime_columns,
)
from plan2.intelligence.training.dataset import BoolArray, SymbolSamples
from plan2.intelligence.training.labels import LONG, SHORT, Status
from plan2.intelligence.training.weights import uniqueness

NEIGHBOURS = 50
NEAREST = 10
"""How many neighbours the distance of a situation is the mean of."""
REFERENCES = 400
REPETITIONS = 2_000
SHOWN = 10
LEAST_NEIGHBOURS = 5
CANDIDATES = 16
"""Rows that are measured for each neighbour wanted; sixteen times as many where it needs more."""


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """A situation of the past: when, how far, and what each side would have got, in R."""

    ts_ns: int
    distance: float
    net_r_long: float
    net_r_short: float


class SimilarSituations(msgspec.Struct, frozen=True, kw_only=True):
    """What the neighbours of a situation say about taking a side there.

    `n` neighbours worth `n_eff` independent ones; mean net result in R with its 95 % bootstrap
    interval; share of them that won. `distance_percentile`, 0 to 1: how unusual the situation is
    against the training period. `nearest` are the closest few.
    """

    version: int
    n: int
    n_eff: float
    net_r_mean: float | None
    net_r_low: float | None
    net_r_high: float | None
    hit_rate: float | None
    distance_percentile: float
    is_novel: bool
    nearest: tuple[Neighbour, ...]


NOVEL_ABOVE = 0.99


@dataclass(frozen=True, slots=True)
class SituationIndex:
    """The resolved events of one symbol as points.

    points: float64[n, d], squares: float64[n] of their lengths. t0, t1: int64[n], UTC ns. net_r:
    float64[n, 2], long and short.
    reference: float64[m], sorted distances of training situations to their own pasts and futures.
    """

    embedding: Embedding
    points: Float64Array
    squares: Float64Array
    t0: Int64Array
    t1: Int64Array
    net_r: Float64Array
    horizon_ns: int
    reference: Float64Array

    def query(
        self, regime: Float64Array, ts_ns: int, side: int, seed: int = 1
    ) -> SimilarSituations:
        """Situations like `regime`, float64[32], at `ts_ns`, for a bet on `side` (+1, −1)."""
        known = self.t1 < ts_ns - self.horizon_ns
        chosen, distances = self._nearest(regime, known, NEIGHBOURS)
        results = self.net_r[chosen, LONG if side > 0 else SHORT]
        percentile = self._percentile(distances[:NEAREST])
        low, high = _interval(results, seed)
        enough = len(chosen) >= LEAST_NEIGHBOURS
        return SimilarSituations(
            version=EMBEDDING_VERSION,
            n=len(chosen),
            n_eff=float(uniqueness(self.t0[chosen], self.t1[chosen]).sum()),
            net_r_mean=float(results.mean()) if enough else None,
            net_r_low=low if enough else None,
            net_r_high=high if enough else None,
            hit_rate=float((results > 0.0).mean()) if enough else None,
            distance_percentile=percentile,
            is_novel=percentile > NOVEL_ABOVE,
            nearest=tuple(
                self._neighbour(row, distance)
                for row, distance in zip(chosen[:SHOWN], distances[:SHOWN], strict=True)
            ),
        )

    def novelty(self, regime: Float64Array) -> float:
        """How far from everything in the training period, as a percentile, 0 to 1."""
        point = self.embedding.points(regime[None, :])[0]
        nearest = np.empty(NEAREST)
        known = nearest_blocks(self.points, self.t0, self.horizon_ns, point, nearest)
        return self._percentile(nearest[:known])

    def _nearest(
        self, regime: Float64Array, known: BoolArray, most: int
    ) -> tuple[Int64Array, Float64Array]:
        """The nearest rows, one in each block of a horizon, and how far they are; exact.

        One product with the matrix finds who may be near; only those are measured and sorted, and
        more of them where too few blocks were among them.
        """
        point = self.embedding.points(regime[None, :])[0]
        rough = self.squares - 2.0 * (self.points @ point)
        rough[~known] = np.inf
        there = int(np.count_nonzero(known))
        taken = min(there, CANDIDATES * most)
        while True:
            rows = (
                np.argpartition(rough, taken - 1)[:taken]
                if taken < len(rough)
                else np.arange(taken)
            )
            rows = np.sort(rows)
            distances = np.sqrt(np.square(self.points[rows] - point).sum(axis=1))
            order = np.argsort(distances, kind="stable")
            chosen = _one_per_block(rows[order], self.t0, self.horizon_ns, most)
            if len(chosen) == most or taken == there:
                return chosen, distances[np.searchsorted(rows, chosen)]
            taken = min(there, CANDIDATES * taken)

    def _percentile(self, nearest: Float64Array) -> float:
        if len(nearest) == 0:
            return 1.0
        below = np.searchsorted(self.reference, nearest.mean(), side="left")
        return round(float(below) / len(self.reference), 5)

    def _neighbour(self, row: int, distance: float) -> Neighbour:
        return Neighbour(
            ts_ns=int(self.t0[row]),
            distance=round(float(distance), 4),
            net_r_long=round(float(self.net_r[row, LONG]), 4),
            net_r_short=round(float(self.net_r[row, SHORT]), 4),
        )


def build_index(
    samples: SymbolSamples, feature_names: tuple[str, ...], horizon_s: int, seed: int = 1
) -> SituationIndex:
    """Index the resolved events of a symbol.

    Raises:
        InputError: they are too few, or their features cannot describe a situation.
    """
    rows = np.flatnonzero(samples.labels["status"] == Status.RESOLVED)
    labels = samples.labels[rows]
    regime = regime_columns(samples.values[rows], feature_names)
    embedding = fit_embedding(regime)
    points, horizon_ns = embedding.points(regime), horizon_s * NS_PER_SECOND
    t0 = np.ascontiguousarray(labels["t0"])
    return SituationIndex(
        embedding=embedding,
        points=points,
        squares=np.square(points).sum(axis=1),
        t0=t0,
        t1=np.ascontiguousarray(labels["t1"]),
        net_r=labels["net"] / labels["barrier"][:, None],
        horizon_ns=horizon_ns,
        reference=_reference(points, t0, horizon_ns, np.random.default_rng(seed)),
    )


@entry
def nearest_blocks(
    points: Float64Array,
    t0: Int64Array,
    horizon_ns: int,
    point: Float64Array,
    nearest: Float64Array,
) -> int:
    """Write the distances of the nearest blocks of one horizon, ascending; returns how many.

    The same as the first of `_one_per_block` over all rows in order of distance, without sorting
    them: a row is left as soon as it is farther than everything that is kept. `t0` ascends.
    """
    most, known, block = nearest.shape[0], 0, -1
    place = -1  # of the block in progress within `nearest`; -1 while it is not among them
    for row in range(points.shape[0]):
        if t0[row] // horizon_ns != block:
            block, place = t0[row] // horizon_ns, -1
        limit = nearest[known - 1] if known == most else np.inf
        if place >= 0:
            limit = nearest[place]
        total = 0.0
        for column in range(points.shape[1]):
            apart = points[row, column] - point[column]
            total += apart * apart
            if total >= limit:
                break
        if total >= limit:
            continue
        if place < 0:
            known = min(known + 1, most)
            place = known - 1
        while place > 0 and nearest[place - 1] > total:
            nearest[place] = nearest[place - 1]
            place -= 1
        nearest[place] = total
    for place in range(known):
        nearest[place] = np.sqrt(nearest[place])
    return known


def _reference(
    points: Float64Array, t0: Int64Array, horizon_ns: int, rng: np.random.Generator
) -> Float64Array:
    """Mean distances of random training situations to others at least a horizon away."""
    found = []
    for row in rng.permutation(len(points))[:REFERENCES]:
        apart = np.flatnonzero(np.abs(t0 - t0[row]) > horizon_ns)
        distances = np.sqrt(np.square(points[apart] - points[row]).sum(axis=1))
        order = np.argsort(distances, kind="stable")
        chosen = _one_per_block(apart[order], t0, horizon_ns, NEAREST)
        if len(chosen):
            nearest = np.sqrt(np.square(points[chosen] - points[row]).sum(axis=1))
            found.append(float(nearest.mean()))
    if not found:
        raise InputError("All resolved events lie within one horizon; nothing can be compared.")
    return np.sort(np.array(found))


def _one_per_block(order: Int64Array, t0: Int64Array, horizon_ns: int, most: int) -> Int64Array:
    """The first `most` rows of `order` that each lie in a block of one horizon of their own."""
    blocks = t0[order] // horizon_ns
    _, first = np.unique(blocks, return_index=True)
    return order[np.sort(first)[:most]]


def _interval(results: Float64Array, seed: int) -> tuple[float, float]:
    """95 % bootstrap interval of the mean; neighbours lie in different blocks, so one by one."""
    if len(results) == 0:
        return 0.0, 0.0
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(results), (REPETITIONS, len(results)))
    low, high = np.percentile(results[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
