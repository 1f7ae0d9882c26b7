"""Training from ticks to registered models: a pure function of ticks, request and seed.

    ticks → features and labels → walk-forward forecasts → honest report
          → calibration on those forecasts → final fit → ONNX → parity gate → manifest

In production it runs in a child process. One pooled model per family serves all symbols: features
are free of the price level, and more labels are worth more than symbol-specific ones.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.features.surroundings import Surroundings
from plan2.intelligence.models.candidate_files import Draft, draft_of
from plan2.intelligence.models.manifest import TrainedModel
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training.dataset import Dataset, SymbolSamples, pooled
from plan2.intelligence.training.evaluate import Evaluation, evaluate
from plan2.intelligence.training.export import export
from plan2.intelligence.training.families.available import families
from plan2.intelligence.training.families.family import Family
from plan2.intelligence.training.figures import figures_of
from plan2.intelligence.training.forward_calibration import fit_calibration
from plan2.intelligence.training.horizons import demand_worthwhile
from plan2.intelligence.training.material import Material, samples_of
from plan2.intelligence.training.out_of_fold import (
    ENSEMBLE,
    FOLDS,
    OutOfFold,
    Step,
    folds_of,
    forecast_out_of_fold,
    with_priors,
    with_stack,
)
from plan2.intelligence.training.outcomes import outcomes_of
from plan2.intelligence.training.planted import planted_sides
from plan2.intelligence.training.report import TrainReport, metrics_of
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.rival import Past, against_champion, comparable_rows
from plan2.intelligence.training.search import Search, searched
from plan2.intelligence.training.trials import Trial, Trials, trial_of

Progress = Callable[[str, float], None]
FEATURES_SHARE = 0.3
"""Share of the progress bar that features and labels take."""
SEARCH_FROM, SEARCH_UNTIL = 0.2, 0.8
"""Where a search begins and ends on the progress bar."""

SIMULATED_NOTE = (
    "The ticks are simulated and contain planted structure; nothing here is evidence about a real "
    "market."
)

NOTHING_YET = Past()

BARS_NOTE = (
    "Made of bars, not of ticks: rates and directions of quotes mean nothing, and every trade was "
    "judged by the order of high and low that is worse for it."
)


def train(
    request: TrainRequest,
    blocks: Mapping[str, Material],
    progress: Progress,
    past: Past = NOTHING_YET,
    search: Search | None = None,
    around: Surroundings | None = None,
) -> TrainReport:
    """Train, evaluate, export and check all families.

    Args:
        request: what to train; decides everything together with the ticks.
        blocks: for each symbol its ticks, oldest first, or its bars.
        progress: is told what is being done and how much is behind, 0 to 1.
        past: the record that every family's results go to, and that corrects them for the number
            of tries, without which nothing is corrected; and the champion to be compared with.
        search: look for better hyper-parameters first; needs the record of trials.
        around: other symbols and events, where the feature set looks at them.

    Raises:
        ConfigError: a family is unknown or cannot be trained.
        InputError: the ticks give too few events.
        ModelMismatch: an exported model does not say what the trained one says.
    """
    trainable, missing = families(request.families, request.device)
    if search is None or past.trials is None:
        dataset = gathered(request, blocks, progress, around)
        return train_on(request, dataset, trainable, progress, missing, past)
    dataset = gathered(request, blocks, _part(progress, 0.0, SEARCH_FROM), around)
    hunting = _part(progress, SEARCH_FROM, SEARCH_UNTIL)
    trainable = searched(request, dataset, trainable, search, past.trials, hunting)
    rest = _part(progress, SEARCH_UNTIL, 1.0)
    return train_on(request, dataset, trainable, rest, missing, past)


def _part(progress: Progress, low: float, high: float) -> Progress:
    """A progress that fills a part of another one."""
    return lambda message, share: progress(message, low + (high - low) * share)


def gathered(
    request: TrainRequest,
    blocks: Mapping[str, Material],
    progress: Progress,
    around: Surroundings | None = None,
) -> Dataset:
    """Features and labels of all symbols from their ticks or bars.

    Raises:
        InputError: a symbol has no closed bar, bars that are too coarse or without spread, or cost
            eats up a horizon below an hour.
    """
    series = []
    for number, symbol in enumerate(sorted(request.symbols)):
        progress(f"features and labels of {symbol}", FEATURES_SHARE * number / len(request.symbols))
        instrument = request.instrument(symbol)
        found = samples_of(blocks[symbol], instrument, request.plan(), request.rules(), around)
        if len(found.bar_ts) == 0:
            raise InputError(
                f"There is no closed bar of {symbol} in the chosen time.",
                remedy="`plan2 archive list` shows what is archived.",
            )
        demand_worthwhile(symbol, found.labels, request.rules())
        series.append(found)
    asked = (request.instrument(symbol) for symbol in request.symbols)
    sources = around.sources(asked) if around is not None else {}
    return dataset_of(series, request, sources)


def dataset_of(
    series: Sequence[SymbolSamples], request: TrainRequest, sources: Mapping[str, str]
) -> Dataset:
    """Pooled samples with what their features looked at, and what is planted at their events."""
    dataset = replace(pooled(series), sources=sources)
    if request.origin is None:
        return dataset
    return replace(dataset, planted=planted_sides(dataset, request.origin))


def train_on(
    request: TrainRequest,
    dataset: Dataset,
    trainable: tuple[Family, ...],
    progress: Progress,
    missing: tuple[str, ...] = (),
    past: Past = NOTHING_YET,
) -> TrainReport:
    """The part of training that starts from ready arrays."""
    rival = past.rival if len(comparable_rows(dataset, request, past.rival)) else None
    stages = len(trainable) * (FOLDS + 1 + (rival is not None))
    done = iter(range(stages))

    def step(message: str) -> None:
        progress(message, FEATURES_SHARE + (1.0 - FEATURES_SHARE) * next(done) / stages)

    forecasts, evaluations = judge(request, dataset, trainable, step, past.trials)
    if rival is not None:
        judged = (forecasts, evaluations)
        evaluations = against_champion(request, dataset, trainable, judged, rival, step)
    models = []
    for family in trainable:
        step(f"{family.name}, final fit and parity gate")
        raw, prior = forecasts.logits[family.name], forecasts.prior_of(family.name)
        line = fit_calibration(dataset, forecasts.rows, raw, prior)
        weight = forecasts.blend_weights()[family.name]
        models.append(export(family, dataset, line, evaluations[family.name], request, weight))
    progress("done", 1.0)
    return report_of(request, dataset, (forecasts, evaluations), missing, tuple(models))


def report_of(
    request: TrainRequest,
    dataset: Dataset,
    judged: tuple[OutOfFold, dict[str, Evaluation]],
    missing: tuple[str, ...],
    models: tuple[TrainedModel, ...],
) -> TrainReport:
    """What `judge` found and what was made of it, for people."""
    forecasts, evaluations = judged
    folds = folds_of(dataset, request.embargo_s() * NS_PER_SECOND)
    return TrainReport(
        symbols=tuple(samples.symbol for samples in dataset.series),
        first_ts_ns=min(int(samples.bar_ts[0]) for samples in dataset.series),
        last_ts_ns=max(int(samples.bar_ts[-1]) for samples in dataset.series),
        horizon_s=request.rules().horizon_s,
        counts={samples.symbol: samples.counts() for samples in dataset.series},
        events=len(dataset),
        n_eff=dataset.n_eff,
        families={name: evaluations[name] for name in forecasts.logits},
        ensemble=evaluations[ENSEMBLE],
        missing=missing,
        note=_note(request),
        figures=figures_of(dataset, folds, forecasts, request.plan().names, request.seed),
        models=models,
    )


def _note(request: TrainRequest) -> str:
    simulated = SIMULATED_NOTE if request.is_simulated else ""
    return " ".join(filter(None, (simulated, BARS_NOTE if request.is_of_bars else "")))


def judge(
    request: TrainRequest,
    dataset: Dataset,
    trainable: tuple[Family, ...],
    step: Step,
    trials: Trials | None = None,
    origin: str = "train",
) -> tuple[OutOfFold, dict[str, Evaluation]]:
    """Forecasts of events that had no part in them, and what they are worth.

    One evaluation for each family and one of their mean, named "ensemble". `step` is told what
    comes next. Sealed events take no part. With a record, every result is written down before
    any of them is judged.
    """
    rules = request.rules()
    embargo_ns = request.embargo_s() * NS_PER_SECOND
    folds = folds_of(dataset, embargo_ns)
    horizon_bars = round(rules.horizon_bars)
    forecasts = forecast_out_of_fold(dataset, folds, trainable, horizon_bars, request.seed, step)
    forecasts = with_priors(dataset, folds, forecasts, request.parent_slopes)
    forecasts = with_stack(dataset, folds, forecasts, embargo_ns)
    outcomes = outcomes_of(dataset, forecasts.rows)
    chances = forecasts.probabilities()
    tried: tuple[Trial, ...] = ()
    if trials is not None:
        for family, parameters in _tries(trainable, forecasts).items():
            trials.record(trial_of(chances[family], outcomes, request, family, parameters, origin))
        tried = trials.of(request.question())
    evaluations = {
        name: evaluate(p, outcomes, forecasts.baselines, rules.horizon_s, request.seed, tried)
        for name, p in chances.items()
    }
    return forecasts, evaluations


def _tries(
    trainable: tuple[Family, ...], forecasts: OutOfFold
) -> dict[str, dict[str, float | int | str]]:
    """What a run tries: each family with its parameters, and their blend when there are several."""
    tries = {family.name: family.parameters() for family in trainable}
    if len(tries) == 1:
        return tries
    how = "mean_of" if forecasts.stack is None else "stack_of"
    return {**tries, ENSEMBLE: {how: ", ".join(sorted(tries))}}


def propose_report(registry: Registry, report: TrainReport) -> Draft:
    """Register all models of a run and leave them as a candidate for the life cycle."""
    for model in report.models:
        registry.register(model)
    draft = draft_of(
        [model.manifest for model in report.models],
        metrics_of(report.ensemble),
        report.verdict,
        [str(flag) for flag in report.ensemble.flags],
        parent=registry.champion_of(report.symbols),
    )
    registry.drafts.put(draft)
    return draft


def register_report(registry: Registry, report: TrainReport) -> tuple[str, ...]:
    """Register all models of a run and let them serve at once, without a life cycle.

    For benchmarks and tests, which have no database; returns the models' ids.
    """
    model_ids = tuple(registry.register(model) for model in report.models)
    ts_ns = max(model.manifest.trained_ts_ns for model in report.models)
    registry.promote(report.symbols, model_ids, ts_ns)
    return model_ids
