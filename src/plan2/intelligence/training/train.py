"""Training from ticks to registered models: a pure function of ticks, request and seed.

    ticks → features and labels → walk-forward forecasts → honest report
          → calibration on those forecasts → final fit → ONNX → parity gate → manifest

In production it runs in a child process. One pooled model per family serves all symbols: features
are free of the price level, and more labels are worth more than symbol-specific ones.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_SECOND, TickBlock
from plan2.intelligence.models.candidate_files import Draft, draft_of
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training.assemble import assemble
from plan2.intelligence.training.dataset import Dataset, pooled
from plan2.intelligence.training.evaluate import Evaluation, evaluate
from plan2.intelligence.training.export import export
from plan2.intelligence.training.families.available import families
from plan2.intelligence.training.families.family import Family
from plan2.intelligence.training.out_of_fold import (
    FOLDS,
    OutOfFold,
    Step,
    fit_calibration,
    folds_of,
    forecast_out_of_fold,
)
from plan2.intelligence.training.outcomes import Outcomes
from plan2.intelligence.training.report import TrainReport, metrics_of
from plan2.intelligence.training.request import TrainRequest

Progress = Callable[[str, float], None]
FEATURES_SHARE = 0.3
"""Share of the progress bar that features and labels take."""

SIMULATED_NOTE = (
    "The ticks are simulated and contain planted structure; nothing here is evidence about a real "
    "market."
)


def train(
    request: TrainRequest, blocks: Mapping[str, Iterable[TickBlock]], progress: Progress
) -> TrainReport:
    """Train, evaluate, export and check all families.

    Args:
        request: what to train; decides everything together with the ticks.
        blocks: for each symbol its ticks, oldest first.
        progress: is told what is being done and how much is behind, 0 to 1.

    Raises:
        ConfigError: a family is unknown or cannot be trained.
        InputError: the ticks give too few events.
        ModelMismatch: an exported model does not say what the trained one says.
    """
    trainable, missing = families(request.families)
    series = []
    for number, symbol in enumerate(sorted(request.symbols)):
        progress(f"features and labels of {symbol}", FEATURES_SHARE * number / len(request.symbols))
        instrument = request.instrument(symbol)
        found = assemble(blocks[symbol], instrument, request.plan(), request.rules())
        if len(found.bar_ts) == 0:
            raise InputError(
                f"There is no closed bar of {symbol} in the chosen time.",
                remedy="`plan2 archive list` shows what is archived.",
            )
        series.append(found)
    return train_on(request, pooled(series), trainable, progress, missing)


def train_on(
    request: TrainRequest,
    dataset: Dataset,
    trainable: tuple[Family, ...],
    progress: Progress,
    missing: tuple[str, ...] = (),
) -> TrainReport:
    """The part of training that starts from ready arrays."""
    stages = len(trainable) * (FOLDS + 1)
    done = iter(range(stages))

    def step(message: str) -> None:
        progress(message, FEATURES_SHARE + (1.0 - FEATURES_SHARE) * next(done) / stages)

    forecasts, evaluations = judge(request, dataset, trainable, step)
    models = []
    for family in trainable:
        step(f"{family.name}, final fit and parity gate")
        line = fit_calibration(dataset, forecasts.rows, forecasts.logits[family.name])
        models.append(export(family, dataset, line, evaluations[family.name], request))
    progress("done", 1.0)
    return TrainReport(
        symbols=tuple(samples.symbol for samples in dataset.series),
        first_ts_ns=min(int(samples.bar_ts[0]) for samples in dataset.series),
        last_ts_ns=max(int(samples.bar_ts[-1]) for samples in dataset.series),
        horizon_s=request.rules().horizon_s,
        counts={samples.symbol: samples.counts() for samples in dataset.series},
        events=len(dataset),
        n_eff=dataset.n_eff,
        families={family.name: evaluations[family.name] for family in trainable},
        ensemble=evaluations["ensemble"],
        missing=missing,
        note=SIMULATED_NOTE if request.is_simulated else "",
        models=tuple(models),
    )


def judge(
    request: TrainRequest, dataset: Dataset, trainable: tuple[Family, ...], step: Step
) -> tuple[OutOfFold, dict[str, Evaluation]]:
    """Forecasts of events that had no part in them, and what they are worth.

    One evaluation for each family and one of their mean, named "ensemble". `step` is told what
    comes next.
    """
    rules = request.rules()
    folds = folds_of(dataset, request.embargo_s() * NS_PER_SECOND)
    forecasts = forecast_out_of_fold(
        dataset, folds, trainable, round(rules.horizon_bars), request.seed, step
    )
    rows = forecasts.rows
    outcomes = Outcomes(dataset.symbol[rows], dataset.labels[rows], dataset.uniqueness[rows])
    logits = dict(forecasts.calibrated)
    logits["ensemble"] = np.mean(list(forecasts.calibrated.values()), axis=0)
    evaluations = {
        name: evaluate(
            1.0 / (1.0 + np.exp(-values)),
            outcomes,
            forecasts.baselines,
            rules.horizon_s,
            request.seed,
        )
        for name, values in logits.items()
    }
    return forecasts, evaluations


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
