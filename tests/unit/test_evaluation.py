"""What an evaluation says, what it leaves out, and what it was allowed to see."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from model_fixtures import dataset, request

from plan2.foundation.chained_file import ChainedFile
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_SECOND
from plan2.intelligence.training.baselines import baselines_of, random_side
from plan2.intelligence.training.evaluate import Verdict, evaluate
from plan2.intelligence.training.families.logistic import fit_logistic
from plan2.intelligence.training.out_of_fold import folds_of, forecast_out_of_fold
from plan2.intelligence.training.outcomes import outcomes_of
from plan2.intelligence.training.report import metrics_of
from plan2.intelligence.training.seal import Opening, Seals, sealed_rows, visible_rows
from plan2.intelligence.training.train import judge
from plan2.intelligence.training.trials import Trials

EMBARGO_NS = 60 * NS_PER_MINUTE
SYMBOLS = ("EURUSD", "GBPUSD")
BARS = 40_000
"""28 days: too few weekdays for corrections for many tries, so their bootstraps are not run."""
LONG_BARS = 130_000
"""90 days, of which more than the 32 weekdays that the corrections need are tested."""


class Linear:
    """A quick family: logistic regression that writes down what it was given to fit."""

    name = "linear"

    def __init__(self):
        self.fitted_on = []

    def fit(self, data, rows, seed):
        """The baseline's own fit."""
        self.fitted_on.append(rows)
        return fit_logistic(data, rows)

    def parameters(self):
        """For the record."""
        return {"penalty": 0.05}


def judged(data, trials=None, family=None):
    """The evaluation of the quick family."""
    return judge(request(SYMBOLS), data, (family or Linear(),), lambda _: None, trials)[1]["linear"]


@pytest.fixture(scope="module")
def month():
    """Two symbols with a signal, one event in an hour and a half."""
    return dataset(bars=BARS, every=90, strength=1.5)


def test_every_baseline_is_in_the_report(month):
    """ML-033."""
    assert set(judged(month).baselines) == {
        "majority",
        "last_direction",
        "momentum",
        "buy_and_hold",
        "flat",
        "logistic",
        "random_side",
    }


def test_figures_without_evidence_are_absent():
    """A few hours without a record of trials: no Sharpe ratio is deflated, nothing is zero."""
    found = metrics_of(judged(dataset(bars=4_000)))

    assert {"accuracy_low", "skill_vs_logistic_low", "turnover", "cost_share"} <= set(found)
    missing = {"dsr", "pbo", "spa_p", "trials", "sealed_log_loss_skill"}
    assert not missing & set(found)


def test_trials_correct_the_figures(tmp_path):
    """What was tried is written down, and the corrections count it.

    The family is a logistic regression too, so it is not superior to that baseline.
    """
    trials = Trials(tmp_path)
    data = dataset(bars=LONG_BARS, every=300, strength=1.5)
    judged(data.with_sides(-data.labels["side"]), trials)
    found = metrics_of(judged(data, trials))

    assert found["trials"] == 2.0
    assert 0.0 <= found["pbo"] <= 1.0
    assert 0.0 < found["dsr"] <= 1.0
    assert 0.05 < found["spa_p"] <= 1.0
    assert found["net_r_low_1_5x"] > 0.0
    question = request(SYMBOLS).question()
    assert [each.family for each in trials.of(question)] == ["linear", "linear"]


def test_a_forecast_equal_to_the_logistic_baseline_has_no_skill_against_it(month):
    """It is the same model, calibrated in the same way: exactly none."""
    found = judged(month)

    assert found.skill_vs_logistic.value == pytest.approx(0.0, abs=1e-12)
    assert found.skill_vs_logistic.high == pytest.approx(0.0, abs=1e-12)
    assert found.log_loss_skill.low > 0.0


def test_higher_costs_and_late_entries_pay_less(month):
    """Cost 0.1 R: half of it more is 0.05 R less, twice is 0.1 R less; late is as given."""
    late = month.labels.copy()
    late["late"] = late["net"] - 0.03 * late["barrier"][:, None]
    stress = judged(replace(month, labels=late)).stress

    assert stress["1"].value - stress["1.5"].value == pytest.approx(0.05)
    assert stress["1"].value - stress["2"].value == pytest.approx(0.1)
    assert stress["1"].value - stress["late"].value == pytest.approx(0.03)
    assert stress["1.5"].low < stress["1.5"].value < stress["1.5"].high


def test_a_planted_signal_is_traded_profitably_and_its_absence_is_not_traded(month):
    """Net of cost, at one and a half times the cost too; without a signal it abstains."""
    found = judged(month)
    nothing = judged(dataset(bars=BARS, every=20, strength=0.0))

    assert found.trades.net_r_total > 0.0
    assert metrics_of(found)["net_r_low_1_5x"] > 0.0
    assert found.trades.trades > 0.5 * found.n
    assert nothing.trades.trades < 0.05 * nothing.n
    assert nothing.verdict is not Verdict.SKILL


def test_block_permuted_labels_show_no_skill(month):
    """ML-031: the same features with the outcomes moved around in blocks of ten."""
    blocks = np.array_split(month.labels["side"], len(month) // 10)
    order = np.random.default_rng(5).permutation(len(blocks))
    found = judged(month.with_sides(np.concatenate([blocks[k] for k in order])))

    assert found.accuracy.low < 0.5 < found.accuracy.high
    assert found.log_loss_skill.low < 0.0
    assert found.verdict is not Verdict.SKILL


def test_fitting_sees_training_rows_only(month):
    """ML-029: the rows that a family is given are the folds' training rows, in order."""
    spy = Linear()
    judged(month, family=spy)
    folds = folds_of(month, request(SYMBOLS).embargo_s() * NS_PER_SECOND)

    assert len(spy.fitted_on) == len(folds)
    for given, fold in zip(spy.fitted_on, folds, strict=True):
        assert np.array_equal(given, fold.train)


@pytest.mark.parametrize("part", ["values", "labels"])
def test_the_future_changes_no_forecast_before_it(month, part):
    """ML-029: scalers, baselines, models and calibration of a fold know nothing of its own end.

    Features or outcomes of everything after the middle of the last fold are replaced by noise.
    """
    folds = folds_of(month, EMBARGO_NS)
    tested = np.concatenate([fold.test for fold in folds])
    middle = int(folds[-1].test[len(folds[-1].test) // 2])
    rng = np.random.default_rng(3)
    if part == "values":
        values = month.values.copy()
        values[middle:] = rng.normal(size=values[middle:].shape) * 50.0
        other = replace(month, values=values)
    else:
        side = month.labels["side"].copy()
        side[middle:] = rng.choice(np.array([-1, 1], np.int8), len(side) - middle)
        other = month.with_sides(side)

    one, two = (
        forecast_out_of_fold(data, folds, (Linear(),), 120, 1, lambda _: None)
        for data in (month, other)
    )
    before = tested < middle
    assert np.array_equal(one.calibrated["linear"][before], two.calibrated["linear"][before])
    assert np.array_equal(one.baselines.logistic[before], two.baselines.logistic[before])
    assert np.array_equal(one.baselines.majority[before], two.baselines.majority[before])
    assert np.array_equal(one.baselines.momentum, two.baselines.momentum)


def test_the_sealed_block_is_not_looked_at(month):
    """The newest tenth: other outcomes and features there change no figure."""
    sealed = sealed_rows(month)
    side, values = month.labels["side"].copy(), month.values.copy()
    side[sealed], values[sealed] = -side[sealed], 0.0

    assert len(sealed) >= 0.1 * len(month)
    assert judged(month) == judged(replace(month.with_sides(side), values=values))


def test_visible_rows_are_over_before_the_sealed_ones_begin(month):
    """A label that reaches into the block belongs to neither."""
    t0, t1 = month.labels["t0"], month.labels["t1"]

    assert t1[visible_rows(month)].max() < t0[sealed_rows(month)].min()


def opening(first, last, question="EURUSD 2h", **changes):
    """Somebody looks at events from minute to minute."""
    told = {"family": "xgboost", "opened_ts_ns": 0, **changes}
    return Opening(question=question, first_ts_ns=first, last_ts_ns=last, **told)


def test_a_sealed_event_is_opened_once_whoever_asks(tmp_path):
    """ML-040: for no other family, comparison or set with the same symbol; later ones are new."""
    seals = Seals(tmp_path)
    seals.open(opening(100, 200))

    for again in (
        opening(100, 200),
        opening(150, 300),
        opening(50, 120),
        opening(150, 300, family="lightgbm"),
        opening(150, 300, family="ensemble", against="c1"),
        opening(150, 300, "EURUSD+GBPUSD 2h"),
    ):
        with pytest.raises(InputError, match=r"opened before.*to evaluate xgboost"):
            Seals(tmp_path).open(again)
    seals.open(opening(201, 300, against="c1"))
    assert [each.first_ts_ns for each in seals.of("EURUSD 2h")] == [100, 201]
    assert seals.seen_until_ns("GBPUSD+EURUSD 2h") == 300
    for other in ("EURUSD 1h", "GBPUSD 2h"):
        assert seals.of(other) == ()
        seals.open(opening(100, 200, other))


def test_records_of_before_count_whoever_asks_now(tmp_path):
    """A line for each family, and the champion in the question: as they were written then."""
    lines = ChainedFile(tmp_path / "openings.jsonl")
    for question, family, last in (
        ("EURUSD 2h", "xgboost", 200),
        ("EURUSD 2h", "ensemble", 200),
        ("EURUSD 2h against 3f2a", "ensemble", 300),
    ):
        old = {"question": question, "family": family, "first_ts_ns": 100}
        lines.add(msgspec.json.encode({**old, "last_ts_ns": last, "opened_ts_ns": 7}))

    seals = Seals(tmp_path)
    assert [each.last_ts_ns for each in seals.of("EURUSD 2h")] == [200, 200, 300]
    with pytest.raises(InputError, match="to compare 3f2a with a challenger"):
        seals.open(opening(250, 400, family="lstm"))
    seals.open(opening(301, 400, family="lstm"))


def test_of_two_that_ask_at_once_one_is_shown_nothing(tmp_path, monkeypatch):
    """The other process writes after the first has looked into the record and before it writes."""
    mine, others, add = Seals(tmp_path), Seals(tmp_path), ChainedFile.add

    def late(file, entry):
        monkeypatch.setattr(ChainedFile, "add", add)
        others.open(opening(100, 200, family="lstm"))
        return add(file, entry)

    monkeypatch.setattr(ChainedFile, "add", late)
    with pytest.raises(InputError, match="to evaluate lstm"):
        mine.open(opening(150, 250))


def test_random_sides_keep_their_clusters(month):
    """Always long is at no other time anything else; knowing the outcome is not luck."""
    rows = visible_rows(month)
    outcomes = outcomes_of(month, rows)
    always, known = np.ones(len(rows), np.int64), np.where(outcomes.up > 0, 1, -1)

    assert random_side(always, outcomes, np.random.default_rng(1))[1] == 1.0
    score, p = random_side(known, outcomes, np.random.default_rng(1))
    assert p == pytest.approx(1 / 501)
    assert score.accuracy == pytest.approx(0.5, abs=0.1)


def test_momentum_is_an_exponentially_weighted_mean_by_hand():
    """Half-life of one bar on mids 0, 4, 3: changes 0, 4, −1 make means 0, 2 and 0.5."""
    data = dataset(("EURUSD",), bars=4_000)
    series = data.series[0]
    mid = np.zeros(len(series.mid))
    mid[series.event_bar[0] - 1], mid[series.event_bar[0] :] = 4.0, 3.0
    moved = replace(data, series=(replace(series, mid=mid),))
    fold = folds_of(data, EMBARGO_NS)[0]
    first = replace(fold, test=np.array([0]))

    found = baselines_of(moved, (first,), 2)
    assert found.momentum.tolist() == [1]
    assert found.last_direction.tolist() == [-1]


def test_an_evaluation_is_reproducible(month):
    """The same forecasts and seed give the same figures, bit for bit."""
    rows = visible_rows(month)
    outcomes = outcomes_of(month, rows)
    fold = replace(folds_of(month, EMBARGO_NS)[0], test=rows)
    rules = baselines_of(month, (fold,), 120)
    p = np.random.default_rng(4).beta(20, 20, len(rows))

    assert evaluate(p, outcomes, rules, 7_200, 1) == evaluate(p, outcomes, rules, 7_200, 1)
