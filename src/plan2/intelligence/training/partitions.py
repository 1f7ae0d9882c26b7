"""A symbol's samples as tables by UTC day, and back, with a hash over the values of each."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from plan2.dataflow.store_files import StagedFiles
from plan2.foundation.values import NS_PER_DAY, Int64Array
from plan2.intelligence.training.dataset import BoolArray, SymbolSamples
from plan2.intelligence.training.labels import LABEL, LabelRows, LabelRules

Kind = Literal["bars", "events"]
Columns = dict[str, npt.NDArray[np.generic]]
SIDES = ("long", "short")
EPOCH = dt.date(1970, 1, 1)


class Partition(msgspec.Struct, frozen=True, kw_only=True):
    """One file: what it holds, of which day, how many rows, and the hash of their values."""

    kind: Kind
    day_ns: int
    rows: int
    sha256: str

    @property
    def file(self) -> str:
        """Its name in the symbol's folder."""
        return f"{self.kind}-{EPOCH + dt.timedelta(days=self.day_ns // NS_PER_DAY)}.parquet"

    def hash_of(self, table: pa.Table) -> str:
        """The hash of a table's values."""
        return _hash(_columns_of(table))


def partitions_of(samples: SymbolSamples) -> list[tuple[Partition, pa.Table]]:
    """The tables of a symbol, by day; days without bars have none, without events no events."""
    bars = _bar_columns(samples)
    events = _event_columns(samples)
    event_ts = samples.bar_ts[samples.event_bar]
    found = [_cut("bars", bars, samples.bar_ts), _cut("events", events, event_ts)]
    return sorted(
        (pair for pairs in found for pair in pairs), key=lambda pair: (pair[0].day_ns, pair[0].kind)
    )


def _cut(kind: Kind, columns: Columns, ts_ns: Int64Array) -> list[tuple[Partition, pa.Table]]:
    days = ts_ns // NS_PER_DAY
    starts = np.flatnonzero(np.diff(days, prepend=-1))
    pairs = []
    for start, stop in zip(starts, np.append(starts[1:], len(days)), strict=True):
        part = {name: values[start:stop] for name, values in columns.items()}
        partition = Partition(
            kind=kind,
            day_ns=int(days[start]) * NS_PER_DAY,
            rows=int(stop - start),
            sha256=_hash(part),
        )
        pairs.append((partition, pa.table({name: pa.array(v) for name, v in part.items()})))
    return pairs


def _bar_columns(samples: SymbolSamples) -> Columns:
    is_event = np.zeros(len(samples.bar_ts), np.bool_)
    is_event[samples.event_bar] = True
    sequence = {
        f"sequence_{number}": np.ascontiguousarray(column)
        for number, column in enumerate(samples.sequence.T)
    }
    return {
        "bar_ts": samples.bar_ts,
        "mid": samples.mid,
        "is_reset": samples.is_reset,
        "is_event": is_event,
        **sequence,
    }


def _event_columns(samples: SymbolSamples) -> Columns:
    columns: Columns = {"event_bar": samples.event_bar}
    for name in LABEL.names or ():
        values = samples.labels[name]
        if values.ndim == 1:
            columns[f"label_{name}"] = np.ascontiguousarray(values)
        else:
            for side, word in enumerate(SIDES):
                columns[f"label_{name}_{word}"] = np.ascontiguousarray(values[:, side])
    for number, column in enumerate(samples.values.T):
        columns[f"feature_{number}"] = np.ascontiguousarray(column)
    return columns


def named_events(samples: SymbolSamples, feature_names: Sequence[str]) -> pa.Table:
    """The events of a symbol with every feature under its own name."""
    columns = _event_columns(samples)
    for number, name in enumerate(feature_names):
        columns[name] = columns.pop(f"feature_{number}")
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def joined(
    symbol: str,
    tick_hash: str,
    parts: Sequence[tuple[Partition, pa.Table]],
    feature_names: Sequence[str],
) -> SymbolSamples:
    """The samples that `partitions_of` cut."""
    bars = _together([table for part, table in parts if part.kind == "bars"])
    tables = [table for part, table in parts if part.kind == "events"]
    events = _together(tables)
    count = len(events.get("event_bar", ()))
    width = sum(name.startswith("sequence_") for name in bars)
    sequence = np.column_stack([bars[f"sequence_{number}"] for number in range(width)])
    values = np.empty((count, len(feature_names)))
    for number in range(len(feature_names) if count else 0):
        values[:, number] = events[f"feature_{number}"]
    is_reset: BoolArray = np.asarray(bars["is_reset"], np.bool_)
    return SymbolSamples(
        symbol=symbol,
        bar_ts=np.asarray(bars["bar_ts"], np.int64),
        mid=np.asarray(bars["mid"], np.float64),
        sequence=np.asarray(sequence, np.float32),
        is_reset=is_reset,
        event_bar=np.asarray(events.get("event_bar", ()), np.int64),
        values=values,
        labels=_labels(events, count),
        tick_hash=tick_hash,
    )


def _labels(events: Columns, count: int) -> LabelRows:
    rows = np.zeros(count, LABEL)
    for name in (LABEL.names or ()) if count else ():
        if rows[name].ndim == 1:
            rows[name] = events[f"label_{name}"]
        else:
            for side, word in enumerate(SIDES):
                rows[name][:, side] = events[f"label_{name}_{word}"]
    return rows


def _together(tables: list[pa.Table]) -> Columns:
    return _columns_of(pa.concat_tables(tables)) if tables else {}


def _columns_of(table: pa.Table) -> Columns:
    return {
        name: table[name].combine_chunks().to_numpy(zero_copy_only=False)
        for name in table.column_names
    }


def _hash(columns: Columns) -> str:
    digest = hashlib.sha256()
    for name, values in columns.items():
        digest.update(f"{name}|{values.dtype.str}|{len(values)}\n".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def root_hash(
    partitions: Mapping[str, Sequence[Partition]], schema_id: str, rules: LabelRules, source: str
) -> str:
    """One hash over all partitions, what their columns mean and how they were labelled."""
    digest = hashlib.sha256(f"{schema_id}\n{source}\n".encode())
    digest.update(msgspec.json.encode(rules, order="sorted"))
    for symbol in sorted(partitions):
        for part in partitions[symbol]:
            digest.update(f"{symbol}|{part.kind}|{part.day_ns}|{part.sha256}\n".encode())
    return digest.hexdigest()


def write_partition(folder: Path, partition: Partition, table: pa.Table) -> None:
    """Write one file, whole."""
    folder.mkdir(parents=True, exist_ok=True)
    staged = StagedFiles()
    try:
        staged.stage(
            folder / partition.file, lambda path: pq.write_table(table, path, compression="zstd")
        )
        staged.commit()
    finally:
        staged.discard()


def read_partition(folder: Path, partition: Partition) -> pa.Table:
    """Read one file.

    Raises:
        OSError, ValueError: it is missing or damaged.
    """
    return pq.read_table(folder / partition.file)
