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
from plan2.intelligence.regimes.embedding import (
    EMBEDDING_VERSION,
    Embedding,
    fit_embedding,
    regime_columns,
)
from plan2.intelligence.training.dataset import SymbolSamples
from plan2.intelligence.training.labels import LONG, SHORT, Status
from plan2.intelligence.training.weights import uniqueness

NEIGHBOURS = 50
NEAREST = 10
"""How many neighbours the distance of a situation is the mean of."""
REFERENCES = 400
REPETITIONS = 2_000
SHOWN = 10
LEAST_NEIGHBOURS = 5


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

    points: float64[n, d]. t0, t1: int64[n], UTC ns. net_r: float64[n, 2], long and short.
    reference: float64[m], sorted distances of training situations to their own pasts and futures.
    """

    embedding: Embedding
    points: Float64Array
    t0: Int64Array
    t1: Int64Array
    net_r: Float64Array
    horizon_ns: int
    reference: Float64Array

    def query(
        self, regime: Float64Array, ts_ns: int, side: int, seed: int = 1
    ) -> SimilarSituations:
        """Situations like `regime`, float64[32], at `ts_ns`, for a bet on `side` (+1, −1)."""
        distances = self._distances(regime)
        known = np.flatnonzero(self.t1 < ts_ns - self.horizon_ns)
        chosen = _one_per_block(
            known[np.argsort(distances[known], kind="stable")], self.t0, self.horizon_ns, NEIGHBOURS
        )
        results = self.net_r[chosen, LONG if side > 0 else SHORT]
        percentile = self._percentile(distances[chosen[:NEAREST]])
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
            nearest=tuple(self._neighbour(row, distances[row]) for row in chosen[:SHOWN]),
        )

    def novelty(self, regime: Float64Array) -> float:
        """How far from everything in the training period, as a percentile, 0 to 1."""
        distances = self._distances(regime)
        order = np.argsort(distances, kind="stable")
        chosen = _one_per_block(order, self.t0, self.horizon_ns, NEAREST)
        return self._percentile(distances[chosen])

    def _distances(self, regime: Float64Array) -> Float64Array:
        point = self.embedding.points(regime[None, :])
        distances: Float64Array = np.sqrt(np.square(self.points - point).sum(axis=1))
        return distances

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
        t0=t0,
        t1=np.ascontiguousarray(labels["t1"]),
        net_r=labels["net"] / labels["barrier"][:, None],
        horizon_ns=horizon_ns,
        reference=_reference(points, t0, horizon_ns, np.random.default_rng(seed)),
    )


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
