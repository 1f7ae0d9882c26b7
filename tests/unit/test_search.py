"""The search for hyper-parameters: blind to what is judged, written down, resumable."""

import numpy as np
import pytest
from model_fixtures import dataset, request

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_SECOND
from plan2.intelligence.training import search as searching
from plan2.intelligence.training.families.logistic import Logistic
from plan2.intelligence.training.families.trees import Trees
from plan2.intelligence.training.metrics import log_losses
from plan2.intelligence.training.out_of_fold import folds_of
from plan2.intelligence.training.search import Search, search_folds, searched
from plan2.intelligence.training.trial_pool import TrialPool, forecast_folds
from plan2.intelligence.training.trials import Trials

SYMBOLS = ("EURUSD", "GBPUSD")


@pytest.fixture(scope="module")
def data():
    """Two symbols, 780 events."""
    return dataset()


class _Here:
    """Runs tries in this process, and can let time pass."""

    def __init__(self, processes, data, folds, seed):
        self._work = (data, folds, seed)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def run(self, families):
        return [forecast_folds(family, *self._work) for family in families]


@pytest.fixture
def here(monkeypatch):
    """No child processes."""
    monkeypatch.setattr(searching, "TrialPool", _Here)


def hunt(data, folder, count, *, minutes=None, clock=None, seed=1):
    """A search in a folder; returns the families found and what was told."""
    told = []
    budget = Search(count, minutes, 1, folder, clock or SimulatedClock(0))
    found = searched(
        request(SYMBOLS, seed=seed),
        data,
        (Logistic(),),
        budget,
        Trials(folder),
        lambda message, share: told.append((message, share)),
    )
    return found, told


def test_only_events_before_the_first_judged_one_are_looked_at(data):
    """Every label of the search ends before the walk-forward test begins, embargo included."""
    asked = request(SYMBOLS)
    folds = search_folds(asked, data)
    judged = folds_of(data, asked.embargo_s() * NS_PER_SECOND)[0].test
    used = np.concatenate([np.concatenate([fold.train, fold.test]) for fold in folds])

    assert data.labels["t1"][used].max() < data.labels["t0"][judged].min()
    for fold in folds:
        trained, tested = data.labels[fold.train], data.labels[fold.test]
        ends = trained["t1"][:, None] < tested["t0"]
        starts = trained["t0"][:, None] > tested["t1"]
        assert np.all(ends | starts)


def test_what_is_found_is_better_on_every_path_or_the_defaults_stay(data, tmp_path, here):
    """The paths are put together anew from the forecasts of each fold, row by row."""
    (best,), _ = hunt(data, tmp_path, 5)
    folds = search_folds(request(SYMBOLS), data)
    losses = {}
    for name, family in {"best": best, "defaults": Logistic()}.items():
        said = iter(forecast_folds(family, data, folds, 1))
        by_row: dict[int, list[float]] = {}
        for fold in folds:
            for row in fold.test:
                by_row.setdefault(int(row), []).append(next(said))
        rows = np.array(sorted(by_row))
        paths = np.array([by_row[row] for row in rows]).T
        weight = data.uniqueness[rows]
        losses[name] = [np.average(log_losses(p, data.up[rows]), weights=weight) for p in paths]

    assert len(losses["best"]) == 4
    is_found = best.parameters() != Logistic().parameters()
    assert all(a < b for a, b in zip(losses["best"], losses["defaults"], strict=True)) is is_found
    assert best.tried == 5


def test_every_try_is_written_down(data, tmp_path, here):
    """With its parameters and origin; the defaults come first."""
    hunt(data, tmp_path, 4)
    tried = Trials(tmp_path).of(request(SYMBOLS).question(), "logistic")

    assert len(tried) == 4
    assert {trial.origin for trial in tried} == {"search"}
    assert tried[0].parameters == Logistic().parameters()
    assert len({trial.parameters["penalty"] for trial in tried}) == 4


def test_a_search_goes_on_where_it_was_stopped(data, tmp_path, here):
    """Three tries, then five: two more, which are new; then none."""
    hunt(data, tmp_path, 3)
    _, told = hunt(data, tmp_path, 5)
    _, nothing = hunt(data, tmp_path, 5)

    assert [message.split(",")[1] for message, _ in told] == [" trial 4 of 5", " trial 5 of 5"]
    assert nothing == []
    penalties = [t.parameters["penalty"] for t in Trials(tmp_path).of(request(SYMBOLS).question())]
    assert len(set(penalties)) == 5


def test_the_same_seed_searches_the_same_way(data, tmp_path, here):
    """Another seed does not."""
    found = [
        hunt(data, tmp_path / name, 4, seed=seed)[0][0].parameters()
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]

    assert found[0] == found[1]
    assert found[0] != found[2]


def test_the_time_ends_a_search(data, tmp_path, here, monkeypatch):
    """Each try takes a minute; two and a half minutes allow three."""
    clock = SimulatedClock(0)
    real = _Here.run

    def slow(self, families):
        clock.advance_to(clock.now_ns() + NS_PER_MINUTE)
        return real(self, families)

    monkeypatch.setattr(_Here, "run", slow)
    (best,), told = hunt(data, tmp_path, 50, minutes=2.5, clock=clock)

    assert len(told) == 3
    assert best.tried == 3


def test_too_few_events_are_refused():
    """Before anything is tried."""
    with pytest.raises(InputError, match="only 0 to train on"):
        search_folds(request(SYMBOLS), dataset(bars=1_000))


def test_children_give_what_this_process_gives(data):
    """Two families in one child; the order is kept."""
    folds = search_folds(request(SYMBOLS), data)
    families = [Logistic(), Trees({"n_estimators": 20})]
    with TrialPool(1, data, folds, 1) as pool:
        found = pool.run(families)

    for family, p in zip(families, found, strict=True):
        assert p == pytest.approx(forecast_folds(family, data, folds, 1), abs=1e-12)
