"""A search for hyper-parameters that the verdict never pays for.

Only events before the first judged one are looked at, along the paths of a combinatorial purged
split of their own, so what is found is judged on events that had no part in finding it. Tries are
ranked by all paths together, and what is found replaces the defaults only when it is better on
every one.
Every try is written down all the same.
Tries run in child processes; the search itself is a journal file and goes on where it was stopped.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_SECOND, Float64Array
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.family import Family, Parameters
from plan2.intelligence.training.out_of_fold import TRAIN_ROWS_MIN, folds_of
from plan2.intelligence.training.outcomes import outcomes_of
from plan2.intelligence.training.paths import (
    along_paths,
    is_better_on_all,
    path_losses,
    ranking_loss,
)
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.splits import Fold, combinatorial
from plan2.intelligence.training.trial_pool import TrialPool
from plan2.intelligence.training.trials import Trials, trial_of

FILE_NAME: Final = "search.journal"
GROUPS: Final = 5
TESTED: Final = 2
"""Ten folds, four paths."""
PATHS: Final = "path_losses"
ORIGIN: Final = "search"

Tell = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Search:
    """How long to look, and where the search is kept.

    trials: tries per family, those of earlier runs included. minutes: for all families together;
    None = no limit. processes: tries at the same time. folder: of the journal. clock: measures.
    """

    trials: int
    minutes: float | None
    processes: int
    folder: Path
    clock: Clock


def searched(
    request: TrainRequest,
    dataset: Dataset,
    trainable: tuple[Family, ...],
    search: Search,
    record: Trials,
    tell: Tell,
) -> tuple[Family, ...]:
    """The families with the best hyper-parameters found, which may be the defaults.

    Args:
        request: what is trained; its seed decides the search together with the data.
        dataset: all events; only those before the first judged one are used.
        trainable: families to search for.
        search: budget and place.
        record: every try goes there.
        tell: is told what is being tried and how much of the budget is behind, 0 to 1.

    Raises:
        InputError: there are too few events before the first judged one.
    """
    folds = search_folds(request, dataset)
    found = []
    end_ns = None
    if search.minutes is not None:
        end_ns = search.clock.now_ns() + int(search.minutes * NS_PER_MINUTE)
    with TrialPool(search.processes, dataset, folds, request.seed) as pool:
        for number, family in enumerate(trainable):
            hunt = _Hunt(request, dataset, folds, family, search, record)
            while hunt.count < search.trials and not _is_over(search.clock, end_ns):
                share = (number + hunt.count / search.trials) / len(trainable)
                tell(f"search {family.name}, {hunt.status()}", share)
                hunt.advance(pool)
            found.append(hunt.best())
    return tuple(found)


def search_folds(request: TrainRequest, dataset: Dataset) -> tuple[Fold, ...]:
    """Purged folds of the events that end before the first judged one begins.

    Raises:
        InputError: a fold has too few events to train on.
    """
    embargo_ns = request.embargo_s() * NS_PER_SECOND
    rows = folds_of(dataset, embargo_ns)[0].train
    labels = dataset.labels[rows]
    folds = tuple(
        Fold(rows[fold.train], rows[fold.test])
        for fold in combinatorial(labels["t0"], labels["t1"], embargo_ns, GROUPS, TESTED)
    )
    fewest = min(len(fold.train) for fold in folds)
    if fewest < TRAIN_ROWS_MIN:
        raise InputError(
            f"A search has {len(rows)} events before the first judged one, and a fold of it only "
            f"{fewest} to train on; at least {TRAIN_ROWS_MIN} are needed.",
            remedy="Import a longer history, or train without --search.",
        )
    return folds


class _Hunt:
    """The search for one family: asks Optuna, has tries run, writes them down."""

    def __init__(
        self,
        request: TrainRequest,
        dataset: Dataset,
        folds: tuple[Fold, ...],
        family: Family,
        search: Search,
        record: Trials,
    ) -> None:
        self._request, self._family, self._record = request, family, record
        self._search = search
        self._rows = np.unique(np.concatenate([fold.test for fold in folds]))
        self._folds = tuple(
            Fold(np.searchsorted(self._rows, f.train), np.searchsorted(self._rows, f.test))
            for f in folds
        )
        self._outcomes = outcomes_of(dataset, self._rows)
        self._study = _study(request, dataset, family, search.folder / FILE_NAME)

    @property
    def count(self) -> int:
        """Tries that are complete, those of earlier runs included."""
        return len(self._study.get_trials(deepcopy=False, states=_complete()))

    def status(self) -> str:
        """How far it is and what was best, for people."""
        text = f"trial {self.count + 1} of {self._search.trials}"
        return f"{text}, best loss {self._study.best_value:.5f}" if self.count else text

    def advance(self, pool: TrialPool) -> None:
        """Run as many tries as there are processes, and take them in the order of their numbers."""
        wanted = min(self._search.processes, self._search.trials - self.count)
        asked = [self._study.ask() for _ in range(wanted)]
        tuned = [self._family.tuned(_suggested(trial, self._family)) for trial in asked]
        for trial, family, p in zip(asked, tuned, pool.run(tuned), strict=True):
            paths = self._paths(p)
            # The paths are alike in law; the first stands in the record of trials.
            written = trial_of(
                paths[0], self._outcomes, self._request, family.name, family.parameters(), ORIGIN
            )
            self._record.record(written)
            losses = path_losses(paths, self._outcomes.up, self._outcomes.weight)
            trial.set_user_attr(PATHS, losses.tolist())
            self._study.tell(trial, ranking_loss(losses))

    def best(self) -> Family:
        """The family with what was best so far, or its defaults where not every path agrees."""
        if self.count == 0:
            return self._family
        best, first = self._study.best_trial, self._study.trials[0]
        is_agreed = PATHS in first.user_attrs and is_better_on_all(
            np.array(best.user_attrs[PATHS]), np.array(first.user_attrs[PATHS])
        )
        return self._family.tuned(best.params if is_agreed else {}, self.count)

    def _paths(self, p: Float64Array) -> Float64Array:
        """Forecasts of the folds, one after the other, as paths: float64[paths, rows]."""
        edges = np.cumsum([len(fold.test) for fold in self._folds])[:-1]
        return along_paths(self._folds, np.split(p, edges), len(self._rows))


def _study(request: TrainRequest, dataset: Dataset, family: Family, journal: Path) -> Any:
    """The study of this question on exactly these rows; Optuna's types are not exported to us."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal.parent.mkdir(parents=True, exist_ok=True)
    split = f"{GROUPS} groups, {TESTED} tested"  # another split judges by another measure
    question = f"{request.question()} {dataset.row_hash()} seed {request.seed} {split}"
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        study_name=f"{family.name} {hashlib.sha256(question.encode()).hexdigest()[:16]}",
        direction="minimize",
        load_if_exists=True,
    )
    for left in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(left.number, state=optuna.trial.TrialState.FAIL)  # its run was interrupted
    # A search that goes on must not draw again what it drew before.
    study.sampler = optuna.samplers.TPESampler(seed=request.seed + len(study.trials))
    if not study.trials:
        defaults = family.parameters()
        study.enqueue_trial({name: defaults[name] for name in family.space})
    return study


def _suggested(trial: Any, family: Family) -> Parameters:  # a trial of Optuna
    values = {}
    for name, span in family.space.items():
        if span.is_whole:
            values[name] = trial.suggest_int(name, int(span.low), int(span.high), log=span.is_log)
        else:
            values[name] = trial.suggest_float(name, span.low, span.high, log=span.is_log)
    return values


def _complete() -> tuple[Any, ...]:  # states of Optuna
    from optuna.trial import TrialState

    return (TrialState.COMPLETE,)


def _is_over(clock: Clock, end_ns: int | None) -> bool:
    return end_ns is not None and clock.now_ns() >= end_ns
