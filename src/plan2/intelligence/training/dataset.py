"""Training data: events with features and labels, and the bar series that recurrent nets walk.

Rows of all symbols are pooled in one canonical order, by time and then by symbol, so the order in
which data arrived cannot change a model. Only resolved, decided events are rows.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from plan2.foundation.values import Float32Array, Float64Array, Int64Array
from plan2.intelligence.training.labels import LabelRows, Status
from plan2.intelligence.training.weights import time_decay, uniqueness

BoolArray = npt.NDArray[np.bool_]

DECAY_HALF_LIFE_DAYS = 365.0


@dataclass(frozen=True, slots=True)
class SymbolSamples:
    """One symbol's closed bars and the events among them.

    bar_ts: int64[m], time of the tick that closed each bar; mid: float64[m], its mid price.
    sequence: float32[m, 16], channels of the closed bar, NaN = undefined. is_reset: bool[m], true
    where recurrent state starts anew. event_bar: int64[n], bar at whose close each event happened.
    values: float64[n, F]. labels: `LABEL`[n], of any status. tick_hash: SHA-256 of the ticks read.
    """

    symbol: str
    bar_ts: Int64Array
    mid: Float64Array
    sequence: Float32Array
    is_reset: BoolArray
    event_bar: Int64Array
    values: Float64Array
    labels: LabelRows
    tick_hash: str

    def counts(self) -> dict[str, int]:
        """Bars, events, and what became of the events."""
        status = self.labels["status"]
        counted = {kind.name.lower(): int((status == kind).sum()) for kind in Status}
        unchanged = (status == Status.RESOLVED) & (self.labels["side"] == 0)
        return {
            "bars": len(self.bar_ts),
            "events": len(status),
            **counted,
            "unchanged": int(unchanged.sum()),
        }


@dataclass(frozen=True, slots=True)
class Dataset:
    """Pooled training rows in canonical order.

    values: float64[n, F]. up: float64[n] 1 or 0. weight: float64[n] uniqueness times decay.
    symbol: int64[n], index into `series`. event: int64[n], the row's event in its series. sources:
    what features looked at beside the series' ticks, by name → SHA-256 (`Surroundings.sources`).
    planted: float64[n], the sign of what is planted in a simulated market at each row, None where
    that is not known (`planted_sides`).
    """

    series: tuple[SymbolSamples, ...]
    values: Float64Array
    labels: LabelRows
    up: Float64Array
    uniqueness: Float64Array
    weight: Float64Array
    symbol: Int64Array
    event: Int64Array
    sources: Mapping[str, str] = field(default_factory=dict)
    planted: Float64Array | None = None

    def __len__(self) -> int:
        return len(self.up)

    @property
    def n_eff(self) -> float:
        """Effective number of independent labels, counted per symbol."""
        return float(self.uniqueness.sum())

    def all_rows(self) -> Int64Array:
        """Every row number."""
        return np.arange(len(self), dtype=np.int64)

    def row_hash(self) -> str:
        """SHA-256 over the canonical rows: what exactly was trained on."""
        digest = hashlib.sha256()
        for part in (self.labels, self.values, self.symbol):
            digest.update(np.ascontiguousarray(part).tobytes())
        for samples in self.series:
            digest.update(samples.symbol.encode())
            digest.update(samples.sequence.tobytes())
        return digest.hexdigest()

    def with_sides(self, side: npt.NDArray[np.int8]) -> "Dataset":
        """The same events with other outcomes, +1 or -1; canaries shuffle them."""
        labels = self.labels.copy()
        labels["side"] = side
        return replace(self, labels=labels, up=(side > 0).astype(np.float64))


def pooled(
    series: Sequence[SymbolSamples], half_life_days: float = DECAY_HALF_LIFE_DAYS
) -> Dataset:
    """Pool the resolved, decided events of all symbols in canonical order."""
    ordered = tuple(sorted(series, key=lambda samples: samples.symbol))
    kept = [_trainable(samples.labels) for samples in ordered]
    code = np.concatenate([np.full(len(rows), i, np.int64) for i, rows in enumerate(kept)])
    event = np.concatenate(kept)
    labels = np.concatenate(
        [samples.labels[rows] for samples, rows in zip(ordered, kept, strict=True)]
    )
    values = np.vstack([samples.values[rows] for samples, rows in zip(ordered, kept, strict=True)])
    unique = np.concatenate(
        [
            uniqueness(samples.labels["t0"][rows], samples.labels["t1"][rows])
            for samples, rows in zip(ordered, kept, strict=True)
        ]
    )
    order = np.lexsort((code, labels["t0"]))
    labels, unique = labels[order], unique[order]
    return Dataset(
        series=ordered,
        values=values[order],
        labels=labels,
        up=(labels["side"] > 0).astype(np.float64),
        uniqueness=unique,
        weight=unique * time_decay(labels["t0"], half_life_days),
        symbol=code[order],
        event=event[order],
    )


def _trainable(labels: LabelRows) -> Int64Array:
    return np.flatnonzero((labels["status"] == Status.RESOLVED) & (labels["side"] != 0))
