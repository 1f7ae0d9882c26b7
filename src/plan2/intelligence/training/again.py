"""Evaluation without registration: the same honest figures, and on request the sealed block.

What is judged is the way a family is trained, fold by fold, as in training; no model is made for
serving. Opening the seal adds the one figure that no choice was based on.
"""

from collections.abc import Mapping

import msgspec
import numpy as np

from plan2.foundation.values import NS_PER_SECOND, Int64Array
from plan2.intelligence.features.surroundings import Surroundings
from plan2.intelligence.training.baselines import baselines_of
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.evaluate import EVENTS_MIN, Evaluation, evaluate
from plan2.intelligence.training.families.available import families
from plan2.intelligence.training.families.family import Family
from plan2.intelligence.training.material import Material
from plan2.intelligence.training.out_of_fold import (
    ENSEMBLE,
    FOLDS,
    OutOfFold,
    Step,
)
from plan2.intelligence.training.outcomes import outcomes_of
from plan2.intelligence.training.report import TrainReport
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.seal import Opening, Seals, refusal, unseen_rows
from plan2.intelligence.training.sealed import sealed_fold, sealed_logits
from plan2.intelligence.training.splits import Fold
from plan2.intelligence.training.train import (
    FEATURES_SHARE,
    Progress,
    gathered,
    judge,
    report_of,
)
from plan2.intelligence.training.trials import Trials

ORIGIN = "evaluate"


def evaluate_again(
    request: TrainRequest,
    blocks: Mapping[str, Material],
    progress: Progress,
    trials: Trials,
    seals: Seals | None = None,
    around: Surroundings | None = None,
) -> TrainReport:
    """Judge families on ticks; with `seals` on the sealed events too, which works once.

    Args:
        request: what to evaluate.
        blocks: for each symbol its ticks, oldest first, or its bars.
        progress: is told what is being done and how much is behind, 0 to 1.
        trials: the record that the results go to.
        seals: the record of who looked; None leaves the sealed block alone.
        around: other symbols and events, where the feature set looks at them.

    Raises:
        ConfigError: a family is unknown or cannot be trained.
        InputError: the ticks give too few events, or too few sealed ones that nobody has seen.
    """
    trainable, missing = families(request.families, request.device)
    dataset = gathered(request, blocks, progress, around)
    rows = None if seals is None else _opened(request, dataset, trainable, seals)
    stages = len(trainable) * (FOLDS + (rows is not None))
    done = iter(range(stages))

    def step(message: str) -> None:
        progress(message, FEATURES_SHARE + (1.0 - FEATURES_SHARE) * next(done) / stages)

    forecasts, evaluations = judge(request, dataset, trainable, step, trials, ORIGIN)
    if rows is not None:
        judged = (forecasts, evaluations)
        evaluations = _with_sealed(request, (dataset, rows), trainable, judged, step)
    progress("done", 1.0)
    return report_of(request, dataset, (forecasts, evaluations), missing, ())


def _opened(
    request: TrainRequest, dataset: Dataset, trainable: tuple[Family, ...], seals: Seals
) -> Int64Array:
    """The sealed rows that nobody has seen, written down as seen now; int64.

    Raises:
        InputError: all were seen, or those that were not are worth too few independent events.
    """
    question = request.question()
    earlier = seals.of(question)
    rows = unseen_rows(dataset, seals.seen_until_ns(question))
    worth = float(dataset.uniqueness[rows].sum())
    if earlier and worth < EVENTS_MIN:
        newest = max(earlier, key=lambda each: each.last_ts_ns)
        news = f"{worth:.0f} independent ones are younger, {EVENTS_MIN} are needed"
        raise refusal(question, newest, news)
    seals.open(
        Opening(
            question=question,
            family=", ".join((*(family.name for family in trainable), ENSEMBLE)),
            first_ts_ns=int(dataset.labels["t0"][rows[0]]),
            last_ts_ns=int(dataset.labels["t0"][rows[-1]]),
            opened_ts_ns=request.ts_ns,
        )
    )
    return rows


def _with_sealed(
    request: TrainRequest,
    sealed: tuple[Dataset, Int64Array],
    trainable: tuple[Family, ...],
    judged: tuple[OutOfFold, dict[str, Evaluation]],
    step: Step,
) -> dict[str, Evaluation]:
    """The evaluations with the skill on these sealed rows of a data set."""
    forecasts, evaluations = judged
    dataset, rows = sealed
    fold = Fold(sealed_fold(dataset, request.embargo_s() * NS_PER_SECOND).train, rows)
    logits = sealed_logits(dataset, fold, trainable, forecasts, request.seed, step)
    rules = request.rules()
    simple = baselines_of(dataset, (fold,), round(rules.horizon_bars))
    outcomes = outcomes_of(dataset, fold.test)
    found = {}
    for name, values in logits.items():
        p = 1.0 / (1.0 + np.exp(-values))
        skill = evaluate(p, outcomes, simple, rules.horizon_s, request.seed).log_loss_skill
        found[name] = msgspec.structs.replace(evaluations[name], sealed_log_loss_skill=skill.value)
    return found
