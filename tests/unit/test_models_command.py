"""`plan2 models` on files alone, and a model's card as MLflow speaks it."""

import json

import msgspec
import pytest
from api_stand_in import running
from click.testing import CliRunner
from model_fixtures import small_report

from plan2.commands.candidates import next_step, promote_to
from plan2.commands.models import command
from plan2.commands.running import Refused
from plan2.foundation.errors import InputError, ModelMismatch
from plan2.intelligence.models.mlflow_export import exported, manifest_of
from plan2.intelligence.models.registry import Registry, TrialRegistry
from plan2.intelligence.training.train import propose_report


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """A data folder with what one training run left; nothing runs on it."""
    folder = tmp_path_factory.mktemp("data")
    report = small_report(("xgboost",))
    registry = Registry(folder / "models")
    return folder, registry, propose_report(registry, report), report.models[0]


def run(*arguments: str):
    """The verb's result."""
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False)


def test_candidates_are_listed_and_shown_while_nothing_runs(left):
    """Their states are known to the running Plan2 alone, and that is said."""
    folder, _, draft, model = left
    [line] = json.loads(run("list", "--data-dir", str(folder), "--json").output)
    shown = run("show", draft.candidate_id, "--data-dir", str(folder)).output
    card = run("show", model.manifest.model_id, "--data-dir", str(folder)).output

    assert (line["candidate_id"], line["state"]) == (draft.candidate_id, "not running")
    assert (line["serves"], line["market"]) == ([], "recorded")
    assert line["models"] == [model.manifest.model_id]
    assert "known to the running Plan2 only" in shown
    assert model.manifest.sha256 in card
    assert run("list", "--data-dir", str(folder)).output.startswith("CANDIDATE")


def test_two_candidates_are_compared_figure_by_figure(left):
    """Here one with its own model."""
    folder, _, draft, model = left
    names = (draft.candidate_id, model.manifest.model_id)
    rows = json.loads(run("compare", *names, "--data-dir", str(folder), "--json").output)
    by_name = {row["figure"]: row for row in rows}

    assert by_name["accuracy"]["first"] == draft.metrics["accuracy"]
    assert by_name["accuracy"]["second"] == model.manifest.metrics["accuracy"]
    assert by_name["parity_share"]["second"] is None


def test_training_says_what_comes_next(left):
    """Nothing runs: it is taken up later, and a backtest can try it."""
    folder, _, draft, _ = left
    words = " ".join(next_step(folder, draft.candidate_id))

    assert "plan2 serve" in words
    assert "plan2 backtest" in words


def test_moving_needs_a_running_product_and_a_reason(left):
    """Both are told."""
    folder, _, draft, _ = left
    result = run("promote", draft.candidate_id, "--data-dir", str(folder))

    assert result.exit_code == 2
    assert "--reason" in result.output


def test_a_backtest_tries_the_newest_candidate(left):
    """Only where there is no champion; the served market does not."""
    folder, registry, draft, _ = left
    found = TrialRegistry(folder / "models").champion(["EURUSD", "XAUUSD"], draft.schema_id)

    assert found == {"EURUSD": draft.model_ids}
    assert registry.champion(["EURUSD"], draft.schema_id) == {}


def test_an_export_comes_back_as_the_manifest_it_was_made_from(left, tmp_path):
    """ML-083: through JSON text, as another program would keep it."""
    folder, _, _, model = left
    target = tmp_path / "run.json"
    run(
        "export",
        model.manifest.model_id,
        *("--data-dir", str(folder), "--output", str(target)),
    )
    export = json.loads(target.read_text())
    data = export["run"]["data"]

    assert manifest_of(export) == model.manifest
    assert export["run"]["info"]["status"] == "FINISHED"
    assert export["model_version"]["source"] == f"models/{model.manifest.model_id}/model.onnx"
    assert {one["key"] for one in data["metrics"]} == set(model.manifest.metrics)
    assert all(isinstance(one["value"], str) for one in (*data["params"], *data["tags"]))


@pytest.mark.parametrize("damage", [{}, {"run": {"data": {"tags": []}}}, {"run": 5}])
def test_what_plan2_did_not_export_is_refused(damage):
    """With a sentence."""
    with pytest.raises(InputError, match="no model that Plan2 exported"):
        manifest_of(damage)


def test_a_changed_export_is_not_the_manifest(left):
    """Figures and parameters are read from where MLflow keeps them."""
    export = exported(left[3].manifest)
    export["run"]["data"]["metrics"][0]["value"] = 0.123

    assert manifest_of(export) != left[3].manifest


@pytest.mark.parametrize("name", ["row_hash", "code_hash", "lock_hash", "versions", "tick_hashes"])
def test_a_manifest_that_does_not_say_where_it_comes_from_is_not_registered(left, name, tmp_path):
    """ML-080: every field is needed."""
    model = left[3]
    origin = model.manifest.provenance
    empty = type(getattr(origin, name))()
    manifest = msgspec.structs.replace(
        model.manifest, provenance=msgspec.structs.replace(origin, **{name: empty})
    )
    changed = msgspec.structs.replace(model, manifest=manifest)

    with pytest.raises(ModelMismatch, match=f"{name} left empty"):
        Registry(tmp_path / "models").register(changed)


@pytest.mark.parametrize(("meanwhile", "is_done"), [("shadow", True), ("suspended", False)])
def test_a_step_that_the_loop_took_meanwhile_counts_as_taken(tmp_path, meanwhile, is_done):
    """Further up it goes on from there; off the way the refusal stands."""
    states = ["validated"]

    def answer(method, path):
        card = {"candidate": {"candidate_id": "c1", "state": states[0]}}
        if method == "GET":
            return 200, card
        if states[0] == "validated":
            states[0] = meanwhile
            return 409, {"detail": "it is there already"}
        states[0] = {"shadow": "canary", "canary": "champion"}[states[0]]
        return 200, {"outcome": "done", "candidate": {"candidate_id": "c1", "state": states[0]}}

    with running(tmp_path, answer) as asked:
        if is_done:
            found = promote_to(tmp_path, "c1", "champion", "try", is_override=False)
            assert found["candidate"]["state"] == "champion"
            assert asked.count("POST candidates/c1/move") == 3
        else:
            with pytest.raises(Refused, match="already"):
                promote_to(tmp_path, "c1", "champion", "try", is_override=False)
            assert asked.count("POST candidates/c1/move") == 1
