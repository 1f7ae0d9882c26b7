"""Three canaries: what is not there is not found, and what is there is found.

They run the whole pipeline, because leaks hide between its parts. The planted signal has the size
that the specification asks for (log-odds with a standard deviation of 0.2 on 20,000 events).
"""

import numpy as np
import pytest
from model_fixtures import dataset, random_walk, request

from plan2.intelligence.training.evaluate import Verdict
from plan2.intelligence.training.families.available import families
from plan2.intelligence.training.train import judge, train

pytestmark = pytest.mark.slow
TREES = ("xgboost",)


def evaluated(data, names=TREES):
    """Out-of-sample evaluations of a ready data set."""
    symbols = tuple(series.symbol for series in data.series)
    return judge(request(symbols), data, families(names)[0], lambda _: None)[1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_driftless_random_walk_shows_no_skill(seed):
    """From ticks to verdict: accuracy around one half, no skill against a constant."""
    asked = request(families=TREES)
    report = train(asked, {"EURUSD": [random_walk(seed, 10)]}, lambda *_: None)
    found = report.ensemble

    assert found.n > 400
    assert found.accuracy.low < 0.5 < found.accuracy.high
    assert found.log_loss_skill.low < 0.0
    assert found.verdict is not Verdict.SKILL
    assert found.net_r.value < 0.0


def test_shuffled_labels_show_no_skill():
    """The same features and bars with the outcomes moved around in blocks of twenty."""
    pytest.importorskip("torch")
    data = dataset(bars=9_000, strength=1.0)
    blocks = np.array_split(data.labels["side"], len(data) // 20)
    order = np.random.default_rng(5).permutation(len(blocks))
    shuffled = data.with_sides(np.concatenate([blocks[k] for k in order]))

    real, moved = (evaluated(d, ("xgboost", "lstm")) for d in (data, shuffled))
    for name in ("xgboost", "lstm", "ensemble"):
        assert real[name].verdict is Verdict.SKILL
        assert moved[name].verdict is not Verdict.SKILL
        assert moved[name].accuracy.low < 0.5 < moved[name].accuracy.high
        assert moved[name].log_loss_skill.low < 0.0


def test_a_planted_signal_is_found():
    """20,000 independent events: the interval of the skill lies above zero."""
    found = evaluated(dataset(bars=100_100, every=10, strength=0.2))["xgboost"]

    assert found.n == 10_800
    assert found.n_eff == pytest.approx(found.n, rel=0.01)
    assert found.log_loss_skill.low > 0.0
    assert found.brier_skill.low > 0.0
    assert found.verdict is Verdict.SKILL
    assert found.random_side_p < 0.01


def test_a_leak_is_flagged():
    """Features that know the outcome give an accuracy that nobody should believe."""
    data = dataset(bars=20_000, strength=0.0)
    data.values[:, 0] += data.labels["side"]

    found = evaluated(data)["xgboost"]
    assert found.accuracy.value > 0.55
    assert "LEAK_SUSPECT" in found.flags
