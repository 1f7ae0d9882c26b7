"""What training hands to serving about the blend: weights, and where calibrations start from."""

import dataclasses

import msgspec
import numpy as np
import pytest
from model_fixtures import dataset, request

from plan2.foundation.errors import ModelMismatch
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.models.calibration import SLOPE_PRIOR_MEAN
from plan2.intelligence.models.manifest import model_id_of
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training.export import export
from plan2.intelligence.training.families.logistic import Logistic
from plan2.intelligence.training.families.trees import Trees
from plan2.intelligence.training.forward_calibration import calibrated_forward, fit_calibration
from plan2.intelligence.training.metrics import log_losses
from plan2.intelligence.training.out_of_fold import (
    ENSEMBLE,
    folds_of,
    forecast_out_of_fold,
    with_priors,
    with_stack,
)
from plan2.intelligence.training.stacking import Stack
from plan2.intelligence.training.train import judge

SYMBOLS = ("EURUSD", "GBPUSD")


@pytest.fixture(scope="module")
def data():
    """Two symbols, 780 events whose outcomes follow their features."""
    return dataset()


@pytest.fixture(scope="module")
def folds(data):
    """Walk-forward folds."""
    return folds_of(data, request(SYMBOLS).embargo_s() * NS_PER_SECOND)


@pytest.fixture(scope="module")
def forecasts(data, folds):
    """Out-of-fold forecasts of two families."""
    return forecast_out_of_fold(data, folds, (Logistic(), Trees()), 120, 1, lambda _: None)


def loss(data, forecasts, logits):
    """Mean log loss by uniqueness, from log-odds."""
    p = 1 / (1 + np.exp(-logits))
    weight = data.uniqueness[forecasts.rows]
    return np.average(log_losses(p, data.up[forecasts.rows]), weights=weight)


def test_the_champions_slope_is_taken_only_where_it_was_better(data, folds, forecasts):
    """ML-046: of six priors each is taken exactly when the loss walking forward is lower."""
    edges = np.cumsum([len(fold.test) for fold in folds])[:-1]
    parts = np.split(forecasts.logits["logistic"], edges)
    plain = loss(data, forecasts, forecasts.calibrated["logistic"])
    taken = set()
    for slope in (0.0, 0.1, 0.3, 0.7, 1.0, 1.6):
        found = with_priors(data, folds, forecasts, {"logistic": slope, "unknown": 1.0})
        other = loss(data, forecasts, calibrated_forward(data, folds, parts, slope))
        is_taken = found.prior_of("logistic") == slope and "logistic" in found.priors
        assert is_taken is bool(other < plain)
        assert loss(data, forecasts, found.calibrated["logistic"]) == min(plain, other)
        assert found.prior_of("xgboost") == SLOPE_PRIOR_MEAN
        taken.add(is_taken)
    assert taken == {True, False}


def test_the_prior_is_where_a_line_starts(data):
    """Without labels the slope is the prior itself; with few it lies between prior and labels."""
    none = np.empty(0, np.int64)
    assert fit_calibration(data, none, np.empty(0), 0.8).slope == pytest.approx(0.8)
    assert fit_calibration(data, none, np.empty(0)).slope == pytest.approx(SLOPE_PRIOR_MEAN)


def test_few_labels_leave_the_mean(data, folds, forecasts):
    """780 events are no 10,000: equal weights, and the blend is the mean of the log-odds."""
    found = with_stack(data, folds, forecasts, 0)
    assert found.stack is None
    assert found.blend_weights() == {"logistic": 1.0, "xgboost": 1.0}
    mean = (found.calibrated["logistic"] + found.calibrated["xgboost"]) / 2
    assert found.probabilities()[ENSEMBLE] == pytest.approx(1 / (1 + np.exp(-mean)))
    assert found.blended(found.calibrated) == pytest.approx(mean)


def test_a_stack_reaches_report_and_manifest(data, forecasts, tmp_path):
    """What is judged is the forward stack; what is served are its weights, as part of the id."""
    forward = forecasts.calibrated["xgboost"]
    stack = Stack(weights=np.array([0.25, 0.5]), logits=forward)
    found = dataclasses.replace(forecasts, stack=stack)
    assert found.probabilities()[ENSEMBLE] == pytest.approx(1 / (1 + np.exp(-forward)))
    assert found.blend_weights() == {"logistic": 0.5, "xgboost": 1.0}
    assert found.blended(found.calibrated) == pytest.approx(
        0.25 * found.calibrated["logistic"] + 0.5 * found.calibrated["xgboost"]
    )
    line = fit_calibration(data, found.rows, found.logits["logistic"])
    evaluation = judge(request(SYMBOLS), data, (Logistic(),), lambda _: None)[1]["logistic"]
    model = export(Logistic(), data, line, evaluation, request(SYMBOLS), 0.5)
    plain = export(Logistic(), data, line, evaluation, request(SYMBOLS))
    assert model.manifest.blend_weight == 0.5
    assert model.manifest.model_id != plain.manifest.model_id
    known = plain.manifest
    assert known.model_id == model_id_of("logistic", plain.content, line, known.schema_id)
    assert Registry(tmp_path).register(model) == model.manifest.model_id
    cheat = msgspec.structs.replace(model.manifest, blend_weight=1.0)
    with pytest.raises(ModelMismatch, match="its content makes"):
        Registry(tmp_path).register(msgspec.structs.replace(model, manifest=cheat))
