"""LightGBM, forest and logistic: exported exactly, on the data that breaks naive conversion too."""

import lightgbm
import numpy as np
import onnx
import pytest
import xgboost
from model_fixtures import dataset
from onnx import numpy_helper
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

from plan2.foundation.errors import InputError, ModelMismatch
from plan2.intelligence.models import trees as compiled_trees
from plan2.intelligence.models.session import RowModel, open_session
from plan2.intelligence.training import metrics, parity
from plan2.intelligence.training.families import light
from plan2.intelligence.training.families.available import ROWS
from plan2.intelligence.training.families.inner import inner_split
from plan2.intelligence.training.families.tabular import INPUT, thresholds_of
from plan2.intelligence.training.families.trees import Trees

NAMES = tuple(ROWS)


@pytest.fixture(scope="module")
def data():
    """Two symbols, 780 events; two per cent of most features are missing."""
    return dataset()


@pytest.fixture(scope="module")
def fitted(data):
    """Every family over rows, trained on all events."""
    return {name: family().fit(data, data.all_rows(), 1) for name, family in ROWS.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_family_passes_the_parity_gate(name, data, fitted):
    """At least 20,000 rows with edges, their float32 neighbours, missing values and extremes."""
    content = fitted[name].to_onnx()
    graph = parity.inspected(content).graph
    found = fitted[name].parity(content, data, 1)

    assert found.rows >= 20_000
    assert found.passed
    assert [each.name for each in graph.output] == ["probabilities"]


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "random_forest"])
def test_every_kind_of_trees_is_served_compiled(name, data, fitted):
    """The tables are built, and agree with ONNX Runtime on all events to 1e-6."""
    content = fitted[name].to_onnx()
    runtime = RowModel(open_session(content))
    fast = compiled_trees.compiled(content, runtime)

    assert max(abs(fast.predict(row) - runtime.predict(row)) for row in data.values) <= 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_every_family_ranks_unseen_events(name, fitted):
    """780 other events of the same kind; chance stays below 0.5 + 3 · 0.021."""
    unseen = dataset(seed=77)

    assert metrics.auc(fitted[name].logits(unseen, unseen.all_rows()), unseen.up) > 0.562


@pytest.mark.parametrize("name", NAMES)
def test_the_same_request_gives_the_same_model(name, data, fitted):
    """Byte for byte; the forest is held to 1e-6 by the specification and is equal here."""
    again = ROWS[name]().fit(data, data.all_rows(), 1)

    assert again.to_onnx() == fitted[name].to_onnx()


def prices(seed=0, count=4_000):
    """Rows at the level of a gold price, a random walk in ten columns, as float32."""
    rng = np.random.default_rng(seed)
    rows = (1_900.0 + np.cumsum(rng.normal(0.0, 0.1, (count, 10)), axis=0)).astype(np.float32)
    up = rng.random(count) < 1.0 / (1.0 + np.exp(-(rows[:, 0] - rows[:, 0].mean())))
    return rows, up.astype(np.float64)


def booster(rows, up):
    """LightGBM on float32 rows, at its own defaults but small."""
    settings = {"objective": "binary", "num_leaves": 15, "verbosity": -1, "num_threads": 1}
    return lightgbm.train(settings, lightgbm.Dataset(rows.astype(np.float64), up), 60)


def gate(trained, content, rows):
    """The parity gate between a booster and a file: share of rows that differ, and its verdict."""

    def native(values):
        return np.asarray(trained.predict(values.astype(np.float64), num_threads=1))

    served = RowModel(open_session(content))
    hard = parity.hard_rows(rows, list(thresholds_of(content)), np.random.default_rng(1))
    expected = native(hard)
    found = np.array([served.predict(row.astype(np.float64)) for row in hard])
    share = float((np.abs(found - expected) > 1e-5).mean())
    return share, parity.check(hard, lambda row: served.predict(row.astype(np.float64)), expected)


@pytest.mark.parametrize("kind", ["prices", "missing", "counts"])
def test_floored_thresholds_are_exact_on_hard_data(kind):
    """Price levels, missing values, and columns of small whole numbers that are often zero."""
    rng = np.random.default_rng(2)
    rows, up = prices()
    if kind == "missing":
        rows = rng.normal(size=rows.shape).astype(np.float32)
        rows[rng.random(rows.shape) < 0.05] = np.nan
    if kind == "counts":
        rows = np.round(rng.normal(size=rows.shape)).astype(np.float32)
    trained = booster(rows, up)
    share, verdict = gate(trained, light.graph_of(light.floored(trained), 10), rows)

    assert share == 0.0
    assert verdict.passed


def test_thresholds_as_the_library_writes_them_fail_the_gate():
    """The same conversion without flooring is off on a good part of the rows."""
    rows, up = prices()
    trained = booster(rows, up)
    share, verdict = gate(trained, light.graph_of(trained, 10), rows)

    assert share > 0.05
    assert not verdict.passed


def test_flooring_never_rounds_up():
    """The largest float32 not above; LightGBM's negative zero goes one step below itself."""
    wide = np.array([0.1, 1.0, -0.1, 1_904.830078124, -1.0000000180025095e-35])
    found = light.floor32(wide)

    assert np.all(found.astype(np.float64) <= wide)
    assert np.all(np.nextafter(found[:4], np.float32(np.inf)).astype(np.float64) > wide[:4])
    assert found[1] == 1.0
    assert found[4] < np.float32(-1e-35)


def test_missing_values_go_where_the_forest_sends_them(data, fitted):
    """The converter forgets it; with its routes cleared the gate fails."""
    model = onnx.load_from_string(fitted["random_forest"].to_onnx())
    (routes,) = [
        each
        for each in model.graph.node[0].attribute
        if each.name == "nodes_missing_value_tracks_true"
    ]
    assert any(routes.ints)
    routes.ints[:] = [0] * len(routes.ints)

    assert not fitted["random_forest"].parity(model.SerializeToString(), data, 1).passed


def test_early_stopping_is_exported_with_the_rounds_it_chose(data):
    """A high rate stops early; the file holds that many trees and passes the gate."""
    family = Trees({"early_stopping_rounds": 5, "learning_rate": 0.3, "min_child_weight": 1.0})
    stopped = family.fit(data, data.all_rows(), 1)
    content = stopped.to_onnx()
    attributes = onnx.load_from_string(content).graph.node[0].attribute
    trees = next(a.ints for a in attributes if a.name == "nodes_treeids")

    assert 1 <= len(set(trees)) < 150
    assert stopped.parity(content, data, 1).passed


@pytest.mark.parametrize("classes", [2, 3])
def test_the_converter_honours_best_iteration_and_a_vector_of_base_scores(classes):
    """A classifier that stopped early, unbalanced classes: the file equals the library to 1e-5."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(3_000, 6)).astype(np.float32)
    label = np.digitize(rows[:, 0] + rng.normal(size=3_000), [1.0, 1.8][: classes - 1])
    classifier = xgboost.XGBClassifier(
        n_estimators=300, max_depth=3, early_stopping_rounds=5, n_jobs=1, random_state=1
    )
    classifier.fit(rows[:2_000], label[:2_000], eval_set=[(rows[2_000:], label[2_000:])], verbose=0)
    model = convert_xgboost(classifier, initial_types=[(INPUT, FloatTensorType([None, 6]))])
    session = open_session(model.SerializeToString())
    (found,) = session.run(["probabilities"], {INPUT: rows})

    assert classifier.best_iteration < 200
    assert np.abs(found - classifier.predict_proba(rows)).max() <= 1e-5


def test_early_stopping_watches_rows_that_meet_no_fitted_one(data):
    """The watched rows are the newest; every fitted label ends before the first of them begins."""
    split = inner_split(data, data.all_rows())

    assert split.test[-1] == len(data) - 1
    assert len(split.test) == pytest.approx(0.2 * len(data), abs=1)
    assert data.labels["t1"][split.train].max() < data.labels["t0"][split.test].min()
    assert inner_split(data, np.arange(50)) is None


def test_the_logistic_file_holds_its_scaler(fitted):
    """Sub and Mul take the constants that the manifest names."""
    graph = onnx.load_from_string(fitted["logistic"].to_onnx()).graph
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    taken = {node.op_type: node.input[1] for node in graph.node if node.op_type in {"Sub", "Mul"}}
    scaler = fitted["logistic"].scaler()

    assert constants[taken["Sub"]].tolist() == pytest.approx(list(scaler["mean"]))
    assert constants[taken["Mul"]].tolist() == pytest.approx(list(scaler["scale"]))


def test_a_graph_that_is_off_by_a_little_fails_the_gate(data, fitted):
    """One slope changed by a hundredth."""
    model = onnx.load_from_string(fitted["logistic"].to_onnx())
    (slopes,) = [each for each in model.graph.initializer if each.name == "slopes"]
    values = numpy_helper.to_array(slopes).copy()
    values[1, 1] += 0.01
    slopes.CopyFrom(numpy_helper.from_array(values, "slopes"))

    assert not fitted["logistic"].parity(model.SerializeToString(), data, 1).passed


def test_compiled_trees_that_differ_from_the_runtime_fail_the_gate(data, fitted, monkeypatch):
    """The gate holds both ways of serving against the library."""
    content = fitted["lightgbm"].to_onnx()
    real = compiled_trees.tables_of

    def corrupted(content):
        tables = real(content)
        split = np.flatnonzero((tables.nodes["code"] >= 0) & np.isfinite(tables.nodes["value"]))
        tables.nodes["value"][split[0]] += np.float32(5.0)
        return tables

    monkeypatch.setattr(compiled_trees, "tables_of", corrupted)
    with pytest.raises(ModelMismatch, match="differ from ONNX Runtime"):
        fitted["lightgbm"].parity(content, data, 1)


def test_an_unknown_hyper_parameter_is_refused():
    """With the ones that there are."""
    with pytest.raises(InputError, match=r"xgboost has no hyper-parameter 'depth'; it has .*max_d"):
        Trees({"depth": 3})
    assert Trees().tuned({"max_depth": 3}).parameters()["max_depth"] == 3
