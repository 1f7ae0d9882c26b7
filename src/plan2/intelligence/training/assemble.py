"""From ticks to training samples: features by the very engine that serves, labels by the tape.

Blocks are taken one at a time and only the ticks of unresolved events are kept, so memory grows
with bars and events, not with ticks. How the ticks are cut into blocks does not matter.
"""

import hashlib
from collections.abc import Iterable

import numpy as np

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.features.sampled import SampledFeatures
from plan2.intelligence.features.surroundings import Surroundings
from plan2.intelligence.training.dataset import BoolArray, SymbolSamples
from plan2.intelligence.training.labels import (
    LABEL,
    Costs,
    LabelRows,
    LabelRules,
    Status,
    Tape,
    costs_of,
    open_events,
    resolve,
)
from plan2.intelligence.training.sampling import CusumSampler

EVENT_THRESHOLD = 3.0
"""Accumulated move, in standard deviations of a bar, that makes an event."""


def assemble(
    blocks: Iterable[TickBlock],
    instrument: Instrument,
    plan: FeaturePlan,
    rules: LabelRules,
    around: Surroundings | None = None,
) -> SymbolSamples:
    """Walk one symbol's ticks, oldest first, and collect its bars and events.

    `around`: what a set's features on request look at.
    """
    engine = FeatureEngine(plan, instrument, around)
    sampler = CusumSampler(EVENT_THRESHOLD)
    bars = _Bars(len(plan.names), len(plan.sequence_names))
    ticks = _TickHash()
    labeller: Labeller | None = None
    for block in blocks:
        if len(block) == 0:
            continue
        if labeller is None:
            labeller = Labeller(rules, costs_of(instrument, float(block.bid[0])))
        ticks.update(block)
        sampled = engine.step_block(block, sample="bars")
        sigma = np.where(sampled.ready, sampled.sigma, np.nan)
        mid = (sampled.bid + sampled.ask) * 0.5
        is_event = sampler.sample(mid, sigma, sampled.gap_reset)
        labeller.take(block, _events(sampled, is_event, rules))
        bars.take(sampled, mid, is_event)
    labels = labeller.rows() if labeller is not None else np.zeros(0, LABEL)
    return bars.samples(instrument.symbol, labels, ticks.hexdigest())


class Labeller:
    """Resolves events as ticks arrive; live outcomes and training labels both come from here."""

    def __init__(self, rules: LabelRules, costs: Costs) -> None:
        self._rules = rules
        self._costs = costs
        self._batches: list[LabelRows] = []
        self._open: list[LabelRows] = []
        self._tape = Tape(np.empty(0, np.int64), np.empty(0), np.empty(0))

    def take(self, block: TickBlock, events: LabelRows) -> None:
        """Add the ticks of a block and the events among them, and resolve what can be resolved."""
        self._batches.append(events)
        self._open.append(events)
        columns = (block.ts_ns, block.bid, block.ask)
        self._tape = Tape(*(np.concatenate(pair) for pair in zip(self._tape, columns, strict=True)))
        for batch in self._open:
            resolve(batch, self._tape, self._rules, self._costs)
        self._open = [batch for batch in self._open if _pending(batch).any()]
        starts = [int(batch["t0"][_pending(batch)].min()) for batch in self._open]
        end = min(starts) if starts else int(block.ts_ns[-1])
        first = int(np.searchsorted(self._tape.ts_ns, end))
        held = self._tape
        self._tape = Tape(
            held.ts_ns[first:].copy(), held.bid[first:].copy(), held.ask[first:].copy()
        )

    def rows(self) -> LabelRows:
        """All events so far, in order, whatever became of them."""
        return np.concatenate([np.zeros(0, LABEL), *self._batches])


def _pending(rows: LabelRows) -> BoolArray:
    return np.asarray(rows["status"] == Status.PENDING)


def _events(sampled: SampledFeatures, is_event: BoolArray, rules: LabelRules) -> LabelRows:
    tape = Tape(sampled.ts_ns[is_event], sampled.bid[is_event], sampled.ask[is_event])
    return open_events(tape, sampled.sigma[is_event], rules)


class _Bars:
    """Columns of closed bars, and feature rows of those that are events."""

    def __init__(self, features: int, channels: int) -> None:
        self._ts_ns = [np.empty(0, np.int64)]
        self._mid = [np.empty(0)]
        self._sequence = [np.empty((0, channels), np.float32)]
        self._is_gap = [np.empty(0, np.bool_)]
        self._is_event = [np.empty(0, np.bool_)]
        self._values = [np.empty((0, features))]

    def take(self, sampled: SampledFeatures, mid: np.ndarray, is_event: BoolArray) -> None:
        self._ts_ns.append(sampled.ts_ns)
        self._mid.append(mid)
        self._sequence.append(sampled.sequence_closed.astype(np.float32))
        self._is_gap.append(sampled.gap_reset)
        self._is_event.append(is_event)
        self._values.append(sampled.values[is_event])

    def samples(self, symbol: str, labels: LabelRows, tick_hash: str) -> SymbolSamples:
        is_gap = np.concatenate(self._is_gap)
        return SymbolSamples(
            symbol=symbol,
            bar_ts=np.concatenate(self._ts_ns),
            mid=np.concatenate(self._mid),
            sequence=np.concatenate(self._sequence),
            # A gap is seen by the tick that closes the bar before it.
            is_reset=np.concatenate([[True], is_gap[:-1]])[: len(is_gap)],
            event_bar=np.flatnonzero(np.concatenate(self._is_event)),
            values=np.concatenate(self._values),
            labels=labels,
            tick_hash=tick_hash,
        )


class _TickHash:
    """SHA-256 over ticks, column by column, whatever the blocks they come in."""

    def __init__(self) -> None:
        self._columns = [hashlib.sha256() for _ in range(3)]

    def update(self, block: TickBlock) -> None:
        for digest, column in zip(self._columns, (block.ts_ns, block.bid, block.ask), strict=True):
            digest.update(np.ascontiguousarray(column).tobytes())

    def hexdigest(self) -> str:
        joined = b"".join(digest.digest() for digest in self._columns)
        return hashlib.sha256(joined).hexdigest()
