"""Families: reproducible, order-free, exported exactly, and honest about missing torch."""

import hashlib

import numpy as np
import onnx
import pytest
from model_fixtures import dataset, samples
from onnx import numpy_helper
from sklearn.linear_model import LogisticRegression

from plan2.foundation.errors import ConfigError, ModelMismatch
from plan2.intelligence.training import metrics, parity
from plan2.intelligence.training.dataset import pooled
from plan2.intelligence.training.families import available
from plan2.intelligence.training.families.available import families
from plan2.intelligence.training.families.logistic import PENALTY, fit_logistic
from plan2.intelligence.training.families.trees import Trees

torch = pytest.importorskip("torch")
recurrent = pytest.importorskip("plan2.intelligence.training.families.recurrent")
torch_setup = pytest.importorskip("plan2.intelligence.training.families.torch_setup")


@pytest.fixture(scope="module")
def data():
    """Two symbols, 780 events."""
    return dataset()


@pytest.fixture(scope="module")
def trees(data):
    """Fitted trees."""
    return Trees().fit(data, data.all_rows(), 1)


@pytest.fixture(scope="module")
def net(data):
    """A fitted LSTM and its ONNX file."""
    fitted = recurrent.Recurrent().fit(data, data.all_rows(), 1)
    return fitted, fitted.to_onnx()


def test_rows_are_canonical_whatever_order_symbols_come_in():
    """Same rows, same hash, same trees byte for byte."""
    series = [samples(symbol, 1_500, 10, 1.0, k) for k, symbol in enumerate(["A", "B", "C"])]
    one, two = pooled(series), pooled(series[::-1])

    assert one.row_hash() == two.row_hash()
    files = [Trees().fit(d, d.all_rows(), 1).to_onnx() for d in (one, two)]
    assert files[0] == files[1]


def test_a_changed_label_changes_the_row_hash(data):
    """The hash covers labels and features."""
    side = data.labels["side"].copy()
    side[0] = -side[0]

    assert data.with_sides(side).row_hash() != data.row_hash()


def test_trees_are_byte_identical_when_trained_again(data, trees):
    """One thread, fixed seed, canonical rows."""
    assert Trees().fit(data, data.all_rows(), 1).to_onnx() == trees.to_onnx()
    assert Trees().fit(data, data.all_rows(), 2).to_onnx() != trees.to_onnx()


def test_exported_trees_pass_the_parity_gate(data, trees):
    """At least 20,000 rows, thresholds and their float32 neighbours included."""
    content = trees.to_onnx()
    parity.inspected(content)
    found = trees.parity(content, data, 1)

    assert found.rows >= 20_000
    assert found.max_difference <= 1e-5
    assert found.passed


def test_the_gate_notices_one_moved_threshold(data, trees):
    """A single leaf weight that is off by 0.01 is found."""
    model = onnx.load_from_string(trees.to_onnx())
    weights = next(a for a in model.graph.node[0].attribute if a.name == "class_weights")
    weights.floats[0] += 0.01

    assert not trees.parity(model.SerializeToString(), data, 1).passed


def test_a_file_that_is_not_onnx_is_refused():
    """Neither the checker nor the runtime accepts it."""
    with pytest.raises(ModelMismatch):
        parity.inspected(b"\x08\x08not a model")


def test_hard_rows_lie_on_edges_beside_them_and_are_missing(data):
    """Column 0 has one edge at 0.5; a good part of the rows sit exactly on it."""
    sample = data.values[:, :2].astype(np.float32)
    edges = [np.array([0.5], np.float32), np.empty(0, np.float32)]
    rows = parity.hard_rows(sample, edges, np.random.default_rng(0))
    step = np.nextafter(np.float32(0.5), np.float32(1.0))

    assert len(rows) >= 20_000
    assert (rows[:, 0] == 0.5).sum() > 1_000
    assert (rows[:, 0] == step).sum() > 1_000
    assert np.isnan(rows[:, 1]).sum() > 1_000
    assert np.abs(rows[np.isfinite(rows)]).max() > 1e38


def test_logistic_equals_scikit_learn(data):
    """Same penalty per effective label, standardised features, missing ones at the mean."""
    rows = data.all_rows()
    raw = data.values
    scaled = np.nan_to_num(np.clip((raw - np.nanmean(raw, 0)) / np.nanstd(raw, 0), -5, 5))
    strength = PENALTY * float(data.weight.sum())
    reference = LogisticRegression(C=1.0 / strength, tol=1e-10, max_iter=5_000)
    reference.fit(scaled, data.up, sample_weight=data.weight)

    found = fit_logistic(data, rows).logits(data, rows)
    assert found == pytest.approx(reference.decision_function(scaled), abs=1e-4)


def test_the_net_finds_a_signal_that_only_the_sequence_carries(data, net):
    """It sees bars, not features, and ranks 780 unseen events; chance stays below 0.5 + 3·0.021."""
    unseen = dataset(seed=77)
    logits = net[0].logits(unseen, unseen.all_rows())

    assert metrics.auc(logits, unseen.up) > 0.562


def test_the_net_is_reproducible(data, net):
    """Same seed, same weights."""
    again = recurrent.Recurrent().fit(data, data.all_rows(), 1)
    rows = data.all_rows()

    assert again.logits(data, rows) == pytest.approx(net[0].logits(data, rows), abs=1e-6)
    assert hashlib.sha256(again.to_onnx()).digest() == hashlib.sha256(net[1]).digest()


def test_the_net_trains_on_nothing_after_its_last_row(data):
    """Bars and labels beyond the training rows may be anything."""
    rows = np.arange(300)
    series = tuple(samples(s.symbol, 4_000, 10, 1.0, k) for k, s in enumerate(data.series))
    end = data.labels["t0"][rows].max()
    for one in series:
        one.sequence[one.bar_ts > end] = 99.0
    other = pooled(series)
    one, two = (recurrent.Recurrent().fit(d, rows, 1).logits(data, rows) for d in (data, other))

    assert np.array_equal(one, two)


def test_state_starts_anew_at_gaps_in_training_as_in_serving(data, net):
    """What lies before a reset does not change what is said after it."""
    series = data.series[0]
    changed = samples(series.symbol, 4_000, 10, 1.0, 0)
    changed.is_reset[2_000] = series.is_reset[2_000] = True
    changed.sequence[:2_000] = 0.0
    after = np.flatnonzero(data.series[0].event_bar >= 2_000)
    logits = [net[0].logits(pooled([s]), after) for s in (series, changed)]

    assert logits[0] == pytest.approx(logits[1], abs=1e-6)


def test_the_nets_file_holds_its_scaler_and_nothing_of_this_machine(data, net):
    """Sub and Mul constants equal the manifest's; names are ours; no paths, no outside data."""
    fitted, content = net
    graph = parity.inspected(content).graph
    constants = {i.name: numpy_helper.to_array(i).tolist() for i in graph.initializer}
    scaler = fitted.scaler()
    used = {node.op_type: set(node.input) & set(scaler) for node in graph.node}

    assert used["Sub"] == {"mean"}
    assert used["Mul"] or any("scale" in node.input for node in graph.node)
    for name in ("mean", "scale"):
        assert constants[name] == pytest.approx(list(scaler[name]))
    assert all(v.name.startswith("plan2_") for v in (*graph.input, *graph.output))
    assert b"site-packages" not in content
    assert b".py" not in content


def test_the_exported_net_passes_the_parity_gate(data, net):
    """Random states, missing channels, the clip's edges and extremes."""
    fitted, content = net
    found = fitted.parity(content, data, 1)

    assert found.rows >= 20_000
    assert found.passed


def test_without_torch_the_rest_works_and_the_report_says_so(monkeypatch):
    """Only the LSTM is missing; asking for nothing else is a mistake of the user."""
    monkeypatch.setattr(available, "find_spec", lambda _: None)
    found, missing = families(("xgboost", "lstm"))

    assert [family.name for family in found] == ["xgboost"]
    assert missing == ("lstm: torch is not installed (pip install 'plan2[deep]')",)
    with pytest.raises(ConfigError, match="torch is not installed"):
        families(("lstm",))


def test_an_unknown_family_is_named():
    """With the ones that exist."""
    with pytest.raises(ConfigError, match="'forest'; known are xgboost, lightgbm,"):
        families(("xgboost", "forest"))


class Gpus:
    """Stands for two GPUs that something has, or has not, started: their random states."""

    def __init__(self, monkeypatch, *, is_started):
        self.states = [torch.tensor([1, 2]), torch.tensor([3, 4])]
        self.reads = 0
        for name, fake in {
            "is_initialized": lambda: is_started,
            "device_count": lambda: len(self.states),
            "get_rng_state": self.state_of,
            "set_rng_state": lambda state, gpu: self.states.__setitem__(gpu, state),
        }.items():
            monkeypatch.setattr(torch.cuda, name, fake)

    def state_of(self, gpu):
        """Reading a state starts a GPU that was not."""
        self.reads += 1
        return self.states[gpu].clone()

    def draw(self):
        """Random numbers are drawn, and seeds set."""
        self.states = [state + 1 for state in self.states]


def test_seeds_stay_inside_on_gpus_too_where_they_were_started(monkeypatch):
    """Both states are as before, that of the processor as well."""
    gpus = Gpus(monkeypatch, is_started=True)
    before = torch.get_rng_state()
    with torch_setup.seeded(7):
        gpus.draw()
        torch.rand(3)
    assert [state.tolist() for state in gpus.states] == [[1, 2], [3, 4]]
    assert torch.equal(torch.get_rng_state(), before)


def test_a_seed_starts_no_gpu(monkeypatch):
    """Whoever trains on the processor pays for no CUDA context."""
    gpus = Gpus(monkeypatch, is_started=False)
    with torch_setup.seeded(7):
        torch.rand(3)
    assert gpus.reads == 0
