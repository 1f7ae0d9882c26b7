"""Builds data sets from the archive of a data folder, and reads them back for training."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.bar_archive import BarArchive
from plan2.dataflow.terminals.simulated.origin import read_origin
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError
from plan2.foundation.values import TickBlock
from plan2.intelligence.features.shelf import chosen_set
from plan2.intelligence.features.surroundings import Surroundings
from plan2.intelligence.training.data_sets import (
    DataSetManifest,
    DataSets,
    Source,
    Terms,
    manifest_of,
)
from plan2.intelligence.training.dataset import SymbolSamples
from plan2.intelligence.training.families.available import families
from plan2.intelligence.training.horizons import demand_worthwhile
from plan2.intelligence.training.material import samples_of
from plan2.intelligence.training.report import TrainReport
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.rival import Past
from plan2.intelligence.training.train import Progress, dataset_of, train_on
from plan2.wiring.contracts import contracts_of
from plan2.wiring.feature_plan import shelf_of
from plan2.wiring.surroundings import Span, archived_surroundings

OnDay = Callable[[str], None]
"""Told the symbol after each archived day or bar series that was worked through."""


class BuildOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What to build: `bars_s` 0 for archived ticks, else the period of archived bars."""

    name: str
    start_ns: int
    end_ns: int
    bars_s: int = 0


def request_of(
    folder: Path,
    order: BuildOrder,
    settings: Settings,
    asked: tuple[tuple[str, ...], str | None],
) -> TrainRequest:
    """What the labels and features are to be; `asked`: symbols (none = all archived) and set.

    Raises:
        InputError: a symbol is not archived, or there is no such set.
    """
    archive = folder / "archive"
    known = BarArchive(archive).symbols() if order.bars_s else TickArchive(archive).symbols()
    symbols, features = asked
    unknown = sorted(set(symbols) - set(known))
    if unknown or not known:
        raise InputError(
            f"Nothing is archived for {', '.join(unknown) or 'any symbol'}; archived symbols: "
            f"{', '.join(known) or 'none'}.",
            remedy="Bring ticks or bars in with `plan2 import FILE…`.",
        )
    chosen = tuple(dict.fromkeys(symbols)) or known
    wanted = settings.models.feature_set if features is None else features
    return TrainRequest(
        symbols=chosen,
        instruments=contracts_of(folder, chosen),
        ts_ns=LiveClock().now_ns(),
        horizon_minutes=settings.models.horizon_minutes,
        bar_period_s=max(settings.market.bar_period_s, order.bars_s),
        feature_set=chosen_set(wanted, shelf_of(folder)),
        origin=read_origin(folder),
    )


def rebuilt_hash(folder: Path, name: str, settings: Settings) -> str:
    """The hash of a data set when it is assembled again from today's archive.

    Raises:
        InputError: as `request_for` and `build`.
    """
    store = data_sets_of(folder)
    manifest = store.show(name)
    bars_s = manifest.rules.bar_period_s if manifest.source == "bars" else 0
    order = BuildOrder(name=name, start_ns=manifest.start_ns, end_ns=manifest.end_ns, bars_s=bars_s)
    request = request_of(folder, order, settings, (tuple(manifest.symbols), ""))
    request = request_for(folder, name, request)
    series = assembled(folder, order, request, lambda _: None)
    terms = Terms(request.plan(), request.rules(), manifest.source, order.start_ns, order.end_ns)
    return manifest_of(name, series, terms, request.ts_ns).hash


def data_sets_of(folder: Path) -> DataSets:
    """The data sets of a data folder."""
    return DataSets(folder / "datasets")


def build(folder: Path, order: BuildOrder, request: TrainRequest, on_day: OnDay) -> DataSetManifest:
    """Assemble the symbols of a request from the archive and keep them.

    Raises:
        InputError: nothing is archived for a symbol, or the name is taken by other contents.
    """
    store = data_sets_of(folder)
    store.demand_name(order.name)
    around = _around(folder, order, request)
    series = _series(folder, order, (request, around), on_day)
    source: Source = "bars" if order.bars_s else "ticks"
    sources = around.sources(request.instrument(symbol) for symbol in request.symbols)
    dataset = dataset_of(series, request, sources)
    terms = Terms(
        request.plan(),
        request.rules(),
        source,
        order.start_ns,
        order.end_ns,
        dataset.sources,
        str(request.origin) if dataset.planted is not None else "",
    )
    return store.write(order.name, series, terms, request.ts_ns)


def assembled(
    folder: Path, order: BuildOrder, request: TrainRequest, on_day: OnDay
) -> list[SymbolSamples]:
    """Samples of every symbol, by the kernels and labels that serve."""
    return _series(folder, order, (request, _around(folder, order, request)), on_day)


def _around(folder: Path, order: BuildOrder, request: TrainRequest) -> Surroundings:
    span = Span(order.start_ns, order.end_ns, order.bars_s)
    return archived_surroundings(folder, request.plan(), request.symbols, span)


def _series(
    folder: Path, order: BuildOrder, asked: tuple[TrainRequest, Surroundings], on_day: OnDay
) -> list[SymbolSamples]:
    return [_samples(folder, order, asked, symbol, on_day) for symbol in asked[0].symbols]


def days_to_read(folder: Path, order: BuildOrder, symbols: Iterable[str]) -> int:
    """How often `on_day` will be told."""
    archive = TickArchive(folder / "archive")
    if order.bars_s:
        return len(tuple(symbols))
    return sum(
        1
        for symbol in symbols
        for day in archive.coverage(symbol)
        if day.last_ts_ns >= order.start_ns and day.first_ts_ns < order.end_ns
    )


def request_for(folder: Path, name: str, request: TrainRequest) -> TrainRequest:
    """The request that a data set was built by, with seed, families and time of `request`.

    Raises:
        InputError: there is no such data set, its set is not kept any more, or today's code
            computes other features.
    """
    manifest = data_sets_of(folder).show(name)
    rules = manifest.rules
    found = msgspec.structs.replace(
        request,
        symbols=tuple(manifest.symbols),
        horizon_minutes=rules.horizon_s // 60,
        bar_period_s=rules.bar_period_s,
        barrier_sigmas=rules.barrier_sigmas,
        latency_ms=rules.latency_ms,
        is_of_bars=manifest.source == "bars",
        feature_set=chosen_set(manifest.feature_set, shelf_of(folder)),
    )
    if found.plan().schema_id != manifest.schema_id or found.rules() != rules:
        raise InputError(
            f"The data set {name!r} was built with features {manifest.schema_id[:12]}, this "
            f"program computes {found.plan().schema_id[:12]}.",
            remedy="Build it again under another name.",
        )
    return found


def train_on_data_set(
    folder: Path, name: str, request: TrainRequest, progress: Progress, past: Past
) -> TrainReport:
    """Train on a data set in place of the archive.

    Raises:
        InputError: as `request_for`, or a file of the data set was changed.
    """
    progress(f"reading the data set {name}", 0.0)
    found = request_for(folder, name, request)
    trainable, missing = families(found.families)
    store = data_sets_of(folder)
    dataset = dataset_of(store.load(name), found, store.show(name).sources)
    return train_on(found, dataset, trainable, progress, missing, past)


def _samples(
    folder: Path,
    order: BuildOrder,
    asked: tuple[TrainRequest, Surroundings],
    symbol: str,
    on_day: OnDay,
) -> SymbolSamples:
    request, around = asked
    instrument, plan, rules = request.instrument(symbol), request.plan(), request.rules()
    if order.bars_s:
        bars = BarArchive(folder / "archive").read(
            symbol, order.bars_s, order.start_ns, order.end_ns
        )
        found = samples_of(bars, instrument, plan, rules, around)
        on_day(symbol)
    else:
        blocks = TickArchive(folder / "archive").iter_days(symbol, order.start_ns, order.end_ns)
        found = samples_of(_told(blocks, symbol, on_day), instrument, plan, rules, around)
    if len(found.bar_ts) == 0:
        raise InputError(
            f"There is no closed bar of {symbol} in the chosen time.",
            remedy="`plan2 archive list` shows what is archived.",
        )
    demand_worthwhile(symbol, found.labels, rules)
    return found


def _told(blocks: Iterable[TickBlock], symbol: str, on_day: OnDay) -> Iterator[TickBlock]:
    for block in blocks:
        yield block
        on_day(symbol)
