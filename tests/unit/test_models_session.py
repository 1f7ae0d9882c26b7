"""Sessions: one thread, verified bytes, no allocation, exact state handling."""

import tracemalloc

import numpy as np
import onnx
import pytest
from model_fixtures import dataset

from plan2.foundation.errors import ModelMismatch
from plan2.intelligence.models import cell as compiled_cell
from plan2.intelligence.models import trees as compiled_trees
from plan2.intelligence.models.session import (
    RecurrentModel,
    RowModel,
    open_session,
    session_facts,
    verify,
)
from plan2.intelligence.models.trees import NotCompilable, compiled, tables_of
from plan2.intelligence.training.families.trees import Trees

recurrent = pytest.importorskip("plan2.intelligence.training.families.recurrent")


@pytest.fixture(scope="module")
def data():
    """Two symbols, 780 events."""
    return dataset()


@pytest.fixture(scope="module")
def tree_file(data):
    """An exported tree ensemble."""
    return Trees().fit(data, data.all_rows(), 1).to_onnx()


@pytest.fixture(scope="module")
def net(data):
    """A fitted LSTM and a session of its exported step."""
    fitted = recurrent.Recurrent().fit(data, data.all_rows(), 1)
    return fitted, open_session(fitted.to_onnx())


@pytest.fixture(params=["runtime", "compiled"])
def walker(request, net):
    """One symbol's walk, at the zero state; by ONNX Runtime and by the compiled cell."""
    if request.param == "runtime":
        return RecurrentModel(net[1])
    return RecurrentModel(net[1], compiled_cell.compiled(net[0].to_onnx(), net[1]))


@pytest.fixture(scope="module")
def bars(data):
    """Sequence rows of one symbol, float64 as the engine gives them."""
    return data.series[0].sequence.astype(np.float64)


def test_sessions_run_on_one_thread_without_spinning(net):
    """As diagnostics show them."""
    facts = session_facts(net[1])

    assert facts["intra_op_threads"] == facts["inter_op_threads"] == 1
    assert facts["spinning"] == "0"
    assert facts["execution_mode"].endswith("ORT_SEQUENTIAL")
    assert facts["optimisation"].endswith("ORT_ENABLE_ALL")


def test_changed_bytes_are_refused(tree_file):
    """The message names the model and what to do."""
    with pytest.raises(ModelMismatch, match=r"xgboost-1 has SHA-256 .* restore it"):
        verify(tree_file + b" ", "0" * 64, "xgboost-1")


def test_bytes_that_are_no_model_are_refused():
    """As a mismatch, not as the runtime's own exception."""
    with pytest.raises(ModelMismatch, match="cannot execute"):
        open_session(b"not a model")


def test_tree_rows_are_rounded_to_float32_and_nan_is_kept(data, tree_file):
    """The session's answer for one row equals XGBoost's for the batch."""
    model = RowModel(open_session(tree_file))
    native = Trees().fit(data, data.all_rows(), 1)
    expected = native.probabilities(data.values[:200].astype(np.float32))

    assert np.isnan(data.values[:200]).any()
    assert [model.predict(row) for row in data.values[:200]] == pytest.approx(expected, abs=1e-6)


def test_compiled_trees_equal_the_runtime(data, tree_file):
    """On every row of the data set."""
    model = RowModel(open_session(tree_file))
    fast = compiled(tree_file, model)
    worst = max(abs(fast.predict(row) - model.predict(row)) for row in data.values)

    assert worst <= 1e-6


def test_a_corrupted_table_is_refused(tree_file, monkeypatch):
    """One threshold that is not the file's."""

    def corrupted(content):
        tables = tables_of(content)
        split = np.flatnonzero((tables.nodes["code"] >= 0) & np.isfinite(tables.nodes["value"]))
        tables.nodes["value"][split[0]] += np.float32(5.0)
        return tables

    monkeypatch.setattr(compiled_trees, "tables_of", corrupted)
    with pytest.raises(ModelMismatch, match="differ from ONNX Runtime"):
        compiled(tree_file, RowModel(open_session(tree_file)))


def test_other_graphs_are_not_taken_for_trees(net, tree_file):
    """A net is not; neither are trees that split differently than XGBoost's."""
    model = onnx.load_from_string(tree_file)
    modes = next(a for a in model.graph.node[0].attribute if a.name == "nodes_modes")
    modes.strings[0] = b"BRANCH_LEQ"

    with pytest.raises(NotCompilable, match="BRANCH_LT"):
        tables_of(model.SerializeToString())
    with pytest.raises(NotCompilable, match="TreeEnsembleClassifier"):
        tables_of(net[0].to_onnx())
    with pytest.raises(NotCompilable, match="constants"):
        compiled_cell.weights_of(tree_file)


def test_committed_steps_equal_the_walk_of_training(data, net, walker, bars):
    """500 commits from zero give the probabilities that training computes over the window."""
    rows = np.flatnonzero((data.symbol == 0) & (np.arange(len(data)) < 80))
    at = data.series[0].event_bar[data.event[rows]]
    served = np.array([walker.commit(bars[k]) for k in range(at.max() + 1)])[at]
    trained = 1.0 / (1.0 + np.exp(-net[0].logits(data, rows)))

    assert served == pytest.approx(trained, abs=1e-6)


def test_a_peek_never_changes_the_committed_state(walker, bars):
    """Peeks between commits leave the next commits as they are."""
    plain = [walker.commit(bar) for bar in bars[:50]]
    walker.reset()
    disturbed = []
    for k in range(50):
        walker.peek(bars[k + 100])
        disturbed.append(walker.commit(bars[k]))
        walker.peek(bars[k + 200])

    assert disturbed == plain


def test_a_peek_starts_from_the_last_commit(walker, bars):
    """Peeking the next bar gives what committing it gives."""
    for bar in bars[:20]:
        walker.commit(bar)
    peeked = walker.peek(bars[20])

    assert peeked == walker.commit(bars[20])


def test_reset_is_the_start(walker, bars):
    """The first step after it equals the very first step."""
    first = walker.commit(bars[0])
    for bar in bars[1:10]:
        walker.commit(bar)
    walker.reset()

    assert walker.commit(bars[0]) == first


def test_state_survives_a_round_trip(walker, bars):
    """After a detour, the same walk continues bit for bit."""
    for bar in bars[:30]:
        walker.commit(bar)
    state = walker.state_bytes()
    expected = [walker.commit(b) for b in bars[30:40]]
    walker.reset()
    walker.set_state(state)

    assert [walker.commit(b) for b in bars[30:40]] == expected


def test_a_compiled_cell_walks_as_the_runtime_does(net, bars):
    """2,000 bars with missing channels, each starting from the one before."""
    slow = RecurrentModel(net[1])
    fast = RecurrentModel(net[1], compiled_cell.compiled(net[0].to_onnx(), net[1]))

    assert np.isnan(bars[:2_000]).any()
    assert max(abs(slow.commit(bar) - fast.commit(bar)) for bar in bars[:2_000]) <= 1e-6


def test_a_cell_with_one_changed_weight_is_refused(net, monkeypatch):
    """It is held against ONNX Runtime before it is used."""

    def changed(content):
        weights = real(content)
        weights[3, 7] += np.float32(0.1)
        return weights

    real = compiled_cell.weights_of
    monkeypatch.setattr(compiled_cell, "weights_of", changed)
    with pytest.raises(ModelMismatch, match="LSTM step differs"):
        compiled_cell.compiled(net[0].to_onnx(), net[1])


def test_a_recorded_step_is_replayed_without_touching_the_live_state(walker, bars):
    """Right after a commit, whose state has not been taken over yet."""
    for bar in bars[:30]:
        probability = walker.commit(bar)
    recorded = walker.memory.tobytes()
    walker.peek(bars[30])
    following = walker.peek(bars[31])

    assert walker.replay(recorded) == probability
    assert walker.peek(bars[31]) == following


def test_a_state_of_another_width_is_refused(walker):
    """The lengths are in the message."""
    with pytest.raises(ModelMismatch, match="256 bytes was expected, found 8"):
        walker.set_state(b"\0" * 8)
    with pytest.raises(ModelMismatch, match="320 bytes was expected"):
        walker.replay(b"\0" * 8)


def test_ten_thousand_calls_allocate_no_arrays(tree_file, walker, bars):
    """Memory after many runs is what it was after a few."""
    model = RowModel(open_session(tree_file))
    fast = compiled(tree_file, model)
    row = np.zeros(model.width)

    def run(count):
        for k in range(count):
            model.predict(row)
            fast.predict(row)
            walker.peek(bars[k % 100])
            if k % 60 == 0:
                walker.commit(bars[k % 100])

    run(100)
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    run(10_000)
    grown = tracemalloc.take_snapshot().compare_to(before, "filename")
    tracemalloc.stop()

    assert sum(entry.size_diff for entry in grown if "tracemalloc" not in str(entry)) < 4_096
