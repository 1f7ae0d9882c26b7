"""Data sets on disk: what training reads, with where it came from, rebuilt to the same hash.

`<folder>/<name>/manifest.json` and, for each symbol and UTC day, `<SYMBOL>/bars-<day>.parquet` and
`<SYMBOL>/events-<day>.parquet`. Hashes are over the values, not over the files, so that another
version of the file format changes none. A data set is written once and never changed.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import pyarrow.parquet as pq

from plan2.dataflow.store_files import folder_of
from plan2.foundation.errors import InputError
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.training.dataset import SymbolSamples, pooled
from plan2.intelligence.training.labels import LabelRules
from plan2.intelligence.training.partitions import (
    Partition,
    joined,
    named_events,
    partitions_of,
    read_partition,
    root_hash,
    write_partition,
)
from plan2.intelligence.training.provenance import code_hash, library_versions

MANIFEST = "manifest.json"
Source = Literal["ticks", "bars"]


class SymbolPart(msgspec.Struct, frozen=True, kw_only=True):
    """What a data set holds of a symbol.

    `counts`: bars, events and what became of them, untradeable ones included. `rows` are events
    that can be trained on, `n_eff` how many independent ones they are worth.
    """

    tick_hash: str
    first_ts_ns: int
    last_ts_ns: int
    counts: dict[str, int]
    rows: int
    n_eff: float
    partitions: tuple[Partition, ...]


class DataSetManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Contents and lineage; `hash` is over all rows, the features' identity and the rules.

    `feature_set` is `name@version`, empty for the whole catalogue. `sources` names what features
    looked at beside the symbols' own ticks, with the SHA-256 of its values: closes of other
    symbols, events of the calendar (`features.surroundings`). `source` says whether the ticks
    were real or made of bars; start ≤ time < end were asked for. `created_ts_ns`,
    `code_hash`, `sources` and `planted` are not part of the hash; the values made of `sources` are.
    `planted` names the simulated market that the ticks were shown to be of, "" for all others.
    """

    name: str
    hash: str
    created_ts_ns: int
    source: Source
    start_ns: int
    end_ns: int
    schema_id: str
    feature_set: str
    feature_names: tuple[str, ...]
    sequence_names: tuple[str, ...]
    rules: LabelRules
    code_hash: str
    versions: dict[str, str]
    symbols: dict[str, SymbolPart]
    sources: dict[str, str] = {}
    planted: str = ""

    @property
    def rows(self) -> int:
        """Events that can be trained on."""
        return sum(part.rows for part in self.symbols.values())

    @property
    def n_eff(self) -> float:
        """How many independent events the rows are worth."""
        return sum(part.n_eff for part in self.symbols.values())


class Terms(NamedTuple):
    """How samples were made: features, labels, from what, of which time, and seeing what else."""

    plan: FeaturePlan
    rules: LabelRules
    source: Source
    start_ns: int
    end_ns: int
    sources: Mapping[str, str] = {}
    planted: str = ""


class DataSets:
    """The data sets below `<data_dir>/datasets`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list(self) -> tuple[DataSetManifest, ...]:
        """All data sets, by name."""
        files = sorted(self._folder.glob(f"*/{MANIFEST}")) if self._folder.is_dir() else []
        return tuple(self.show(file.parent.name) for file in files)

    def show(self, name: str) -> DataSetManifest:
        """What a data set says of itself.

        Raises:
            InputError: there is none of this name, or its manifest is damaged.
        """
        file = self._folder / name / MANIFEST
        if Path(name).name != name or not file.is_file():
            raise InputError(
                f"There is no data set {name!r}.", remedy="`plan2 dataset list` shows all."
            )
        try:
            return msgspec.json.decode(file.read_bytes(), type=DataSetManifest)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise InputError(f"{file} cannot be read: {error}.") from error

    def write(
        self,
        name: str,
        series: Sequence[SymbolSamples],
        terms: Terms,
        ts_ns: int,
    ) -> DataSetManifest:
        """Keep assembled samples; the same ones again change nothing.

        Raises:
            InputError: the name is taken by other contents, or is no name.
        """
        self.demand_name(name)
        manifest = manifest_of(name, series, terms, ts_ns)
        if (self._folder / name).exists():
            kept = self.show(name)
            if kept.hash != manifest.hash:
                raise InputError(
                    f"The data set {name!r} exists with other contents ({kept.hash[:12]}, this is "
                    f"{manifest.hash[:12]}).",
                    remedy="Choose another name.",
                )
            return kept
        staging = self._folder / f".{name}.new"
        shutil.rmtree(staging, ignore_errors=True)
        for samples in series:
            for partition, table in partitions_of(samples):
                write_partition(staging / folder_of(samples.symbol), partition, table)
        text = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"))
        (staging / MANIFEST).write_bytes(text)
        staging.rename(self._folder / name)
        return manifest

    def demand_name(self, name: str) -> None:
        """Refuse what cannot name a folder.

        Raises:
            InputError: it is no name.
        """
        if not name or folder_of(name) != name or name.startswith("."):
            raise InputError(f"{name!r} cannot name a data set; use letters, digits, - and _.")

    def load(self, name: str) -> tuple[SymbolSamples, ...]:
        """The samples as they were assembled, to the bit.

        Raises:
            InputError: there is none, or a file of it is missing or was changed.
        """
        manifest = self.show(name)
        faults = self.verify(name)
        if faults:
            raise InputError(f"The data set {name!r} is damaged: {faults[0]}")
        return tuple(
            joined(
                symbol,
                part.tick_hash,
                [
                    (found, read_partition(self._home(name, symbol), found))
                    for found in part.partitions
                ],
                manifest.feature_names,
            )
            for symbol, part in manifest.symbols.items()
        )

    def verify(self, name: str) -> tuple[str, ...]:
        """One sentence for each file that is missing or does not hold what the manifest says."""
        manifest = self.show(name)
        faults = []
        for symbol, part in manifest.symbols.items():
            for partition in part.partitions:
                file = self._home(name, symbol) / partition.file
                try:
                    table = read_partition(self._home(name, symbol), partition)
                except (OSError, ValueError) as error:  # pyarrow's own errors are ValueErrors
                    faults.append(f"{file}: cannot be read: {error}.")
                    continue
                if partition.hash_of(table) != partition.sha256:
                    faults.append(f"{file}: holds other rows than when it was built.")
        return tuple(faults)

    def export(self, name: str, out: Path) -> tuple[Path, ...]:
        """Write the events of each symbol as one file with named columns, and the manifest.

        Raises:
            InputError: the data set is damaged, or the folder cannot be written.
        """
        manifest = self.show(name)
        written = []
        try:
            out.mkdir(parents=True, exist_ok=True)
            for samples in self.load(name):
                file = out / f"{folder_of(samples.symbol)}.parquet"
                pq.write_table(named_events(samples, manifest.feature_names), file)
                written.append(file)
            (out / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        except OSError as error:
            raise InputError(f"{out}: cannot be written: {error.strerror or error}.") from error
        return (*written, out / MANIFEST)

    def _home(self, name: str, symbol: str) -> Path:
        return self._folder / name / folder_of(symbol)


def manifest_of(
    name: str, series: Sequence[SymbolSamples], terms: Terms, ts_ns: int
) -> DataSetManifest:
    """What a data set of these samples would say of itself."""
    plan = terms.plan
    own = plan.feature_set
    symbols = {}
    for samples in sorted(series, key=lambda item: item.symbol):
        rows = pooled([samples])
        symbols[samples.symbol] = SymbolPart(
            tick_hash=samples.tick_hash,
            first_ts_ns=int(samples.bar_ts[0]),
            last_ts_ns=int(samples.bar_ts[-1]),
            counts=samples.counts(),
            rows=len(rows),
            n_eff=rows.n_eff,
            partitions=tuple(partition for partition, _ in partitions_of(samples)),
        )
    found = {symbol: part.partitions for symbol, part in symbols.items()}
    return DataSetManifest(
        name=name,
        hash=root_hash(found, plan.schema_id, terms.rules, terms.source),
        created_ts_ns=ts_ns,
        source=terms.source,
        start_ns=terms.start_ns,
        end_ns=terms.end_ns,
        schema_id=plan.schema_id,
        feature_set=f"{own.name}@{own.version}" if own is not None else "",
        feature_names=plan.names,
        sequence_names=plan.sequence_names,
        rules=terms.rules,
        code_hash=code_hash(),
        versions=library_versions(),
        symbols=symbols,
        sources=dict(terms.sources),
        planted=terms.planted,
    )
