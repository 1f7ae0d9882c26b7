"""Carrying out a training run or an evaluation: from archive to report and candidate."""

from plan2.commands.training_order import Order, Progress, Trained
from plan2.dataflow.market_archive import MarketArchive
from plan2.dataflow.terminals.simulated.opening import FOLDER
from plan2.dataflow.terminals.simulated.origin import read_origin
from plan2.foundation.clock import LiveClock
from plan2.foundation.errors import InputError
from plan2.intelligence.features.shelf import chosen_set
from plan2.intelligence.features.surroundings import Surroundings
from plan2.intelligence.models.candidate_files import Draft
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training.again import evaluate_again
from plan2.intelligence.training.material import Material
from plan2.intelligence.training.publish import publish
from plan2.intelligence.training.report import TrainReport, lines_of, metrics_of
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.rival import Past, rival_of
from plan2.intelligence.training.seal import Seals
from plan2.intelligence.training.search import Search
from plan2.intelligence.training.train import propose_report, train
from plan2.intelligence.training.trials import Trials
from plan2.wiring.contracts import contracts_of
from plan2.wiring.data_sets import data_sets_of, train_on_data_set
from plan2.wiring.feature_plan import shelf_of
from plan2.wiring.surroundings import Span, archived_surroundings


def carry_out(order: Order, progress: Progress) -> Trained:
    """Train and leave a candidate, or only evaluate, and write the report.

    Raises:
        ConfigError: a family is unknown or cannot be trained.
        InputError: the ticks are missing or too few, or the seal was opened before.
        ModelMismatch: an exported model does not say what the trained one says.
    """
    archive, folder = MarketArchive(order.folder / "archive"), order.folder / "models"
    registry, trials = Registry(folder), Trials(folder)
    kept = data_sets_of(order.folder).show(order.dataset).symbols if order.dataset else ()
    symbols = _symbols(order, tuple(kept) or archive.symbols())
    bars_s = () if order.dataset else tuple(archive.bar_period_s(symbol) for symbol in symbols)
    request = _request(order, symbols, registry, max(bars_s, default=0))
    blocks = {symbol: _material(archive, symbol, order) for symbol in symbols}
    around = Surroundings()
    if not order.dataset:
        span = Span(order.start_ns, order.end_ns, min(bars_s, default=0))
        around = archived_surroundings(order.folder, request.plan(), symbols, span)
    draft = None
    if order.registers:
        limits = (order.searches, order.search_minutes, order.processes)
        past = Past(trials=trials, rival=rival_of(registry, symbols, Seals(folder)))
        search = Search(*limits, folder, LiveClock()) if order.searches else None
        if order.dataset:
            report = train_on_data_set(order.folder, order.dataset, request, progress, past)
        else:
            report = train(request, blocks, progress, past, search, around)
    else:
        seals = Seals(folder) if order.opens_seal else None
        report = evaluate_again(request, blocks, progress, trials, seals, around)
    made_by = "train" if order.registers else "evaluate"
    page = publish(report, made_by, request.ts_ns, order.folder)
    if order.registers:
        draft = propose_report(registry, report)
    return _trained(report, draft, str(page))


def _material(archive: MarketArchive, symbol: str, order: Order) -> Material:
    """Its ticks, day by day; its bars where it has none."""
    if archive.bar_period_s(symbol):
        return archive.bars(symbol, order.start_ns, order.end_ns)
    return archive.ticks.iter_days(symbol, order.start_ns, order.end_ns)


def _request(
    order: Order, symbols: tuple[str, ...], registry: Registry, bars_s: int
) -> TrainRequest:
    """`bars_s`: the longest period of the bars that are trained on, seconds; 0 = ticks alone."""
    return TrainRequest(
        symbols=symbols,
        instruments=contracts_of(order.folder, symbols),
        ts_ns=LiveClock().now_ns(),
        families=order.families,
        horizon_minutes=order.horizon_minutes,
        bar_period_s=max(order.bar_period_s, bars_s),
        seed=order.seed,
        device=order.device,
        is_simulated=order.folder.name == FOLDER,
        origin=read_origin(order.folder),
        is_of_bars=bars_s > 0,
        parents=registry.parents(symbols),
        parent_slopes=registry.parent_slopes(symbols),
        feature_set=chosen_set(order.features, shelf_of(order.folder)),
    )


def _trained(report: TrainReport, draft: Draft | None, page: str) -> Trained:
    rows = {**report.families, "ensemble": report.ensemble}
    return Trained(
        candidate_id=draft.candidate_id if draft else "",
        model_ids=draft.model_ids if draft else (),
        symbols=report.symbols,
        verdict=report.verdict,
        flags=tuple(str(flag) for flag in report.ensemble.flags),
        events=report.events,
        n_eff=report.n_eff,
        counts=report.counts,
        metrics={name: metrics_of(evaluation) for name, evaluation in rows.items()},
        missing=report.missing,
        report=tuple(lines_of(report)),
        page=page,
    )


def _symbols(order: Order, archived: tuple[str, ...]) -> tuple[str, ...]:
    unknown = sorted(set(order.symbols) - set(archived))
    if unknown or not archived:
        raise InputError(
            f"Nothing is archived for {', '.join(unknown) or 'any symbol'}; "
            f"archived symbols: {', '.join(archived) or 'none'}.",
            remedy="Bring ticks or bars in with `plan2 import FILE…`.",
        )
    return order.symbols or archived
