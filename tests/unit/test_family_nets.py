"""CNN and transformer: exported as files that stand alone, served once for each closed bar."""

import hashlib
import tracemalloc
from base64 import b64encode
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from model_fixtures import dataset, samples

from plan2.foundation.errors import ConfigError, InvariantBroken, ModelMismatch
from plan2.intelligence.models.calibration import Calibration
from plan2.intelligence.models.ensemble import CLOSED, Ensemble
from plan2.intelligence.models.members import WindowMember
from plan2.intelligence.models.session import open_session
from plan2.intelligence.models.window import WindowModel
from plan2.intelligence.training import metrics, parity
from plan2.intelligence.training.dataset import pooled
from plan2.intelligence.training.families.available import families
from plan2.intelligence.training.families.windows import Windows

torch = pytest.importorskip("torch")
windowed = pytest.importorskip("plan2.intelligence.training.families.windowed")
torch_graph = pytest.importorskip("plan2.intelligence.training.families.torch_graph")
torch_setup = pytest.importorskip("plan2.intelligence.training.families.torch_setup")

SHORT = {"updates_max": 25}
"""Enough for tests of form; what a net has learned does not matter to them."""
KINDS = {"cnn": windowed.Cnn, "transformer": windowed.Transformer}


@pytest.fixture(scope="module")
def data():
    """Two symbols, 780 events."""
    return dataset()


@pytest.fixture(scope="module")
def nets(data):
    """Both nets, hardly trained, with their files."""
    fitted = {name: kind(SHORT).fit(data, data.all_rows(), 1) for name, kind in KINDS.items()}
    return {name: (net, net.to_onnx()) for name, net in fitted.items()}


@pytest.fixture(scope="module")
def cnn(nets):
    """A session of the CNN's file."""
    return open_session(nets["cnn"][1])


@pytest.mark.parametrize("name", ["cnn", pytest.param("transformer", marks=pytest.mark.slow)])
def test_the_net_passes_the_parity_gate(name, data, nets):
    """At least 20,000 windows, with missing bars, missing channels, clip edges and extremes."""
    net, content = nets[name]
    found = net.parity(content, data, 1)

    assert found.rows >= 20_000
    assert found.passed


@pytest.mark.parametrize("name", KINDS)
def test_the_file_stands_alone(name, nets):
    """Checked, loaded, names are ours, scaler inside, nothing of this machine."""
    net, content = nets[name]
    graph = parity.inspected(content).graph

    assert [v.name for v in (*graph.input, *graph.output)] == ["plan2_window", "plan2_probability"]
    assert {"Sub", "Mul", "IsNaN"} <= {node.op_type for node in graph.node}
    assert len(net.scaler()["mean"]) == len(net.scaler()["scale"]) == 16
    assert not any(each.external_data for each in graph.initializer)
    assert b"site-packages" not in content
    assert b".py" not in content


def test_the_same_request_gives_the_same_net(data, nets):
    """Same seed, same weights, same file; another seed, another net. Both kinds train alike."""
    again = windowed.Cnn(SHORT).fit(data, data.all_rows(), 1).to_onnx()
    other = windowed.Cnn(SHORT).fit(data, data.all_rows(), 2)
    rows = data.all_rows()

    assert hashlib.sha256(again).digest() == hashlib.sha256(nets["cnn"][1]).digest()
    assert not np.allclose(other.logits(data, rows), nets["cnn"][0].logits(data, rows))


@pytest.mark.slow
def test_the_cnn_finds_a_signal_that_only_the_bars_carry():
    """Trained on 2,980 events, it ranks 780 unseen ones; chance stays below 0.5 + 3 · 0.021."""
    data, unseen = dataset(bars=15_000, strength=2.0), dataset(seed=77, strength=2.0)
    net = windowed.Cnn().fit(data, data.all_rows(), 1)

    assert metrics.auc(net.logits(unseen, unseen.all_rows()), unseen.up) > 0.562


def test_a_parameter_may_be_named_like_an_output():
    """The exporter would write an invalid file for an output "p"; ours is called otherwise."""

    class Line(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.p = torch.nn.Parameter(torch.ones(1, 3))

        def forward(self, x):
            return torch.sigmoid((x * self.p).sum(1, keepdim=True))

    content = torch_graph.exported(Line(), (torch.zeros(1, 3),), ["plan2_x"], ["plan2_p"])
    parity.inspected(content)
    (found,) = open_session(content).run(None, {"plan2_x": np.ones((1, 3), np.float32)})

    assert float(found[0, 0]) == pytest.approx(1.0 / (1.0 + np.exp(-3.0)))
    assert "p" in {each.name for each in onnx.load_from_string(content).graph.initializer}
    with pytest.raises(InvariantBroken, match="plan2_"):
        torch_graph.exported(Line(), (torch.zeros(1, 3),), ["x"], ["p"])


def test_windows_end_with_the_events_bar_and_know_nothing_before_a_gap():
    """Bars 61 to 120, of which a gap at bar 100 leaves 100 to 120."""
    series = samples("EURUSD", 400, 20, 1.0, 0)
    series.is_reset[100] = True
    data = pooled([series])
    (row,) = np.flatnonzero(series.event_bar[data.event] == 120)
    (window,) = Windows(data, 60).of(np.array([row]))

    assert np.isnan(window[:39]).all()
    assert np.array_equal(window[39:], series.sequence[100:121], equal_nan=True)


def test_walking_bar_by_bar_says_what_training_says(data, nets, cnn):
    """Every event of the first two days, gaps included."""
    series, model = data.series[0], WindowModel(cnn)
    said = {}
    for bar in range(2_000):
        if series.is_reset[bar]:
            model.reset()
        model.commit(series.sequence[bar].astype(np.float64))
        said[bar] = None
        if bar in series.event_bar:
            said[bar] = model.probability()
    rows = np.flatnonzero((data.symbol == 0) & (series.event_bar[data.event] < 2_000))
    expected = 1.0 / (1.0 + np.exp(-nets["cnn"][0].logits(data, rows)))
    found = [said[int(bar)] for bar in series.event_bar[data.event[rows]]]

    assert found == pytest.approx(expected, abs=1e-5)


def member(cnn, model_id="cnn-1"):
    """A voice of the CNN for one symbol, and its model."""
    line = Calibration(
        slope=1.0,
        intercept=0.0,
        slope_variance=0.0,
        intercept_variance=0.0,
        covariance=0.0,
        n_eff=1.0,
    )
    manifest = SimpleNamespace(
        model_id=model_id,
        family="cnn",
        horizon_s=7_200,
        bar_period_s=60,
        barrier_sigmas=0.75,
        calibration=line,
        blend_weight=1.0,
    )
    model = WindowModel(cnn)
    return WindowMember(manifest, model), model


def reading(bar, closed_ns):
    """A ready engine that closed this bar."""
    return SimpleNamespace(
        values=np.zeros(56),
        sequence=np.zeros(16),
        sequence_closed=bar,
        closed_ns=closed_ns,
        sigma=2.0,
        ready=True,
        gap_reset=False,
    )


def test_the_net_runs_at_closes_only_and_its_answer_carries_its_age(cnn):
    """Ten bars of thirty ticks: ten runs; the age counts from the end of the bar."""
    voice, model = member(cnn)
    ensemble = Ensemble("X", [voice])
    rows = np.random.default_rng(0).normal(size=(10, 16))
    before, ages, said = model.runs, [], []
    for k, row in enumerate(rows):
        seen = reading(row, k * 60_000_000_000)
        ensemble.commit(seen)
        for tick in range(30):
            forecast = ensemble.forecast(seen.closed_ns + tick * 2_000_000_000, seen)
            ages.append(forecast.votes[0].age_s)
            said.append(forecast.p_up)

    assert model.runs - before == 10
    assert ages == [2.0 * tick for tick in range(30)] * 10
    assert [len(set(said[k : k + 30])) for k in range(0, 300, 30)] == [1] * 10
    assert len(set(said)) > 1


def test_a_recorded_forecast_is_reproduced_with_its_age(cnn):
    """From the states alone, in another object, with the live window left as it is."""
    live, later = (Ensemble("X", [member(cnn)[0]]) for _ in range(2))
    rows = np.random.default_rng(1).normal(size=(70, 16))
    for k, row in enumerate(rows):
        live.commit(reading(row, k * 60_000_000_000))
    forecast = live.forecast(70 * 60_000_000_000, reading(rows[-1], 69 * 60_000_000_000))
    states = {key: b64encode(s).decode() for key, s in live.states().items()}

    assert forecast.votes[0].age_s == 60.0
    assert later.recompute(forecast.ts_ns, [0.0] * 56, states) == forecast
    assert live.forecast(forecast.ts_ns, reading(rows[-1], 69 * 60_000_000_000)) == forecast
    with pytest.raises(ModelMismatch, match="closed"):
        later.recompute(1, [0.0] * 56, {k: v for k, v in states.items() if k != CLOSED})


def test_a_window_survives_a_snapshot_and_a_wrong_one_is_refused(cnn):
    """The restored model says the same without having seen the bars."""
    (voice, model), (other, restored) = member(cnn), member(cnn)
    for row in np.random.default_rng(2).normal(size=(61, 16)):
        model.commit(row)
    other.set_state(voice.state_bytes())

    assert restored.probability() == model.probability()
    with pytest.raises(ModelMismatch, match="3840 bytes was expected, found 8"):
        other.set_state(b"\0" * 8)


def test_a_run_that_fails_is_not_repeated_and_says_nothing(cnn, monkeypatch):
    """The answer is NaN until the next close, so that the member is dropped."""
    _, model = member(cnn)
    failures = []

    def fail():
        failures.append(1)
        raise RuntimeError("the run failed")

    monkeypatch.setattr(model, "_run", fail)
    model.commit(np.zeros(16))
    with pytest.raises(RuntimeError):
        model.probability()

    assert np.isnan(model.probability())
    assert len(failures) == 1


def test_ten_thousand_ticks_allocate_no_arrays(cnn):
    """A close every hundred ticks; memory is afterwards what it was before."""
    _, model = member(cnn)
    bar = np.zeros(16)

    def run(count):
        for k in range(count):
            if k % 100 == 0:
                model.commit(bar)
            model.probability()

    run(200)
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    run(10_000)
    grown = tracemalloc.take_snapshot().compare_to(before, "filename")
    tracemalloc.stop()

    assert sum(entry.size_diff for entry in grown if "tracemalloc" not in str(entry)) < 4_096


def test_without_a_gpu_auto_means_the_processor_and_says_so(monkeypatch, capsys):
    """A demanded GPU that is not there is refused."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (net,), _ = families(("cnn",), "auto")

    assert net.parameters()["device"] == "cpu"
    assert "no_gpu_training_on_cpu" in "".join(capsys.readouterr())
    with pytest.raises(ConfigError, match="torch finds no GPU"):
        families(("cnn",), "cuda")


def test_with_a_gpu_auto_takes_it(monkeypatch):
    """The manifest's parameters name the device."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    found, _ = families(("lstm", "transformer"), "auto")

    assert [family.parameters()["device"] for family in found] == ["cuda", "cuda"]
    assert families(("cnn",), "cpu")[0][0].parameters()["device"] == "cpu"


def test_all_means_every_family():
    """In the order in which they are known."""
    found, missing = families(("all",))

    assert [family.name for family in found] == [
        "xgboost",
        "lightgbm",
        "random_forest",
        "logistic",
        "lstm",
        "cnn",
        "transformer",
    ]
    assert missing == ()
