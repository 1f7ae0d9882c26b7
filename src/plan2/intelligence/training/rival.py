"""A challenger against the champion that it would follow, on events that neither had a part in.

The champion was trained on everything up to its own day, so only later events count; the challenger
is judged on sealed ones, which none of its choices looked at. What anybody was shown once is not
shown again: each comparison is written down before anything of it is seen, in the record of all who
look at sealed events, and the next one begins after it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from plan2.foundation.errors import ModelMismatch
from plan2.foundation.values import NS_PER_SECOND, Float64Array, Int64Array
from plan2.intelligence.models.ensemble import Ensemble
from plan2.intelligence.models.manifest import Manifest
from plan2.intelligence.models.members import LoadedModel
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training import metrics
from plan2.intelligence.training.bootstrap import (
    Interval,
    block_length,
    interval_of,
    resampled_means,
)
from plan2.intelligence.training.dataset import Dataset, SymbolSamples
from plan2.intelligence.training.evaluate import EVENTS_MIN, Evaluation
from plan2.intelligence.training.families.family import Family
from plan2.intelligence.training.out_of_fold import ENSEMBLE, OutOfFold, Step
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.seal import Opening, Seals, unseen_rows
from plan2.intelligence.training.sealed import sealed_fold, sealed_logits
from plan2.intelligence.training.splits import Fold
from plan2.intelligence.training.trials import Trials


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """The champion to be compared with: its models, and where comparisons are written down."""

    candidate_id: str
    models: tuple[LoadedModel, ...]
    seals: Seals


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was tried before, and who serves now; None where nothing is known of it."""

    trials: Trials | None = None
    rival: Rival | None = None


def rival_of(registry: Registry, symbols: Sequence[str], seals: Seals) -> Rival | None:
    """The champion that models of these symbols would follow; None where there is none to load."""
    ids = sorted(registry.parents(symbols).values())
    try:
        models = tuple(registry.load(each, registry.show(each).schema_id) for each in ids)
    except ModelMismatch:  # its file was changed: train, but there is nothing to compare with
        return None
    name = registry.champion_of(symbols)
    return Rival(candidate_id=name, models=models, seals=seals) if models else None


def comparable_rows(dataset: Dataset, request: TrainRequest, rival: Rival | None) -> Int64Array:
    """Sealed rows after the champion's training that nobody was shown before; int64.

    Empty when they are worth fewer than a hundred independent events, or when the champion
    forecasts something else or from other features.
    """
    none = np.empty(0, np.int64)
    if rival is None or not all(_asks_the_same(each.manifest, request) for each in rival.models):
        return none
    cards = [model.manifest for model in rival.models]
    seen_ns = rival.seals.seen_until_ns(request.question())
    after_ns = max(*(card.provenance.last_ts_ns for card in cards), seen_ns)
    known = set.intersection(*(set(card.symbols) for card in cards))
    codes = [code for code, samples in enumerate(dataset.series) if samples.symbol in known]
    rows = unseen_rows(dataset, after_ns)
    rows = rows[np.isin(dataset.symbol[rows], codes)]
    return rows if dataset.uniqueness[rows].sum() >= EVENTS_MIN else none


def against_champion(
    request: TrainRequest,
    dataset: Dataset,
    trainable: Sequence[Family],
    judged: tuple[OutOfFold, Mapping[str, Evaluation]],
    rival: Rival,
    step: Step,
) -> dict[str, Evaluation]:
    """The evaluations, that of the ensemble with its skill against the champion.

    There must be comparable rows; they are written down as seen first. `step` is told what comes
    next, once for each family.
    """
    forecasts, evaluations = judged
    rows = comparable_rows(dataset, request, rival)
    t0 = dataset.labels["t0"][rows]
    rival.seals.open(
        Opening(
            question=request.question(),
            family=ENSEMBLE,
            against=rival.candidate_id,
            first_ts_ns=int(t0[0]),
            last_ts_ns=int(t0[-1]),
            opened_ts_ns=request.ts_ns,
        )
    )
    fold = Fold(sealed_fold(dataset, request.embargo_s() * NS_PER_SECOND).train, rows)
    logits = sealed_logits(dataset, fold, trainable, forecasts, request.seed, step)
    mine = 1.0 / (1.0 + np.exp(-logits[ENSEMBLE]))
    theirs = champion_chances(dataset, rows, rival.models)
    horizon_ns = request.rules().horizon_s * NS_PER_SECOND
    skill = paired_skill(
        (mine, theirs), dataset.up[rows], block_length(t0, horizon_ns), request.seed
    )
    found = msgspec.structs.replace(evaluations[ENSEMBLE], skill_vs_champion=skill)
    return {**evaluations, ENSEMBLE: found}


def paired_skill(
    chances: tuple[Float64Array, Float64Array], up: Float64Array, block: float, seed: int
) -> Interval:
    """One minus the ratio of two mean log losses at the same events, in time order.

    `chances`: probabilities of up, float64[n], the challenger's first. The bootstrap draws both
    losses of an event together, in blocks of `block` events on average.
    """
    losses = np.column_stack([metrics.log_losses(p, up) for p in chances])
    samples = resampled_means(losses, block, np.random.default_rng(seed))
    mean = losses.mean(axis=0)
    ratios = samples[:, 0] / np.maximum(samples[:, 1], 1e-12)
    return interval_of(float(1.0 - mean[0] / max(mean[1], 1e-12)), 1.0 - ratios)


@dataclass(slots=True)
class ClosedBar:
    """A bar of a data set as members read it; see `models.members.Reading`."""

    values: Float64Array
    sequence: Float64Array
    closed_ns: int
    gap_reset: bool = False
    sigma: float = 1.0
    ready: bool = True

    @property
    def sequence_closed(self) -> Float64Array:
        """The same bar: nothing has happened after its close."""
        return self.sequence


def champion_chances(
    dataset: Dataset, rows: Int64Array, models: Sequence[LoadedModel]
) -> Float64Array:
    """What the champion's models say at these events as they were trained, float64[len(rows)].

    Without the live calibration, which nobody had when they were trained; where all of them fail,
    a half. Models with memory walk from the gap before the first event.
    """
    chances = np.empty(len(rows))
    for code, samples in enumerate(dataset.series):
        mine = np.flatnonzero(dataset.symbol[rows] == code)
        if len(mine):
            events = dataset.event[rows[mine]]
            ensemble = Ensemble(samples.symbol, [model.member() for model in models])
            chances[mine] = _walk(ensemble, samples, events)
    return chances


def _walk(ensemble: Ensemble, samples: SymbolSamples, events: Int64Array) -> Float64Array:
    """Probabilities after the bars of these events, float64[len(events)], events in time order."""
    bars = samples.event_bar[events]
    resets = np.flatnonzero(samples.is_reset[: bars[0] + 1])
    chances = np.empty(len(events))
    at = 0
    for bar in range(int(resets[-1]) if len(resets) else 0, int(bars[-1]) + 1):
        if samples.is_reset[bar]:
            ensemble.reset()
        sequence = samples.sequence[bar].astype(np.float64)
        ts_ns = int(samples.bar_ts[bar])
        reading = ClosedBar(np.empty(0), sequence, ts_ns)
        ensemble.commit(reading)
        while at < len(bars) and bars[at] == bar:
            reading.values = samples.values[events[at]]
            chances[at] = ensemble.forecast(ts_ns, reading).p_up
            at += 1
    return chances


def _asks_the_same(card: Manifest, request: TrainRequest) -> bool:
    rules = request.rules()
    return (
        card.schema_id == request.plan().schema_id
        and card.horizon_s == rules.horizon_s
        and card.bar_period_s == rules.bar_period_s
        and card.barrier_sigmas == rules.barrier_sigmas
        and card.label_version == rules.version
    )
