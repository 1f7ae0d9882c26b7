"""Imported models: believed in nothing, refused with the reason, served like our own."""

import msgspec
import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from model_fixtures import MONDAY_NS, dataset
from onnx import helper

from plan2.commands.models_import import import_model
from plan2.foundation.errors import InputError, ModelMismatch
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.models.ensemble import Ensemble
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.models.session import RowModel, open_session
from plan2.intelligence.training.bring_your_own import Declaration, declared, imported
from plan2.intelligence.training.families.logistic import Logistic

SCHEMA = default_plan(60).schema_id


@pytest.fixture(scope="module")
def content():
    """A file that somebody could have made: a line through our features."""
    data = dataset()
    return Logistic().fit(data, data.all_rows(), 1).to_onnx()


@pytest.fixture(scope="module")
def claims(content):
    """A true declaration of it, as plain data; one example has a missing value."""
    rows = np.random.default_rng(0).normal(size=(8, 56))
    rows[0, 3] = np.nan
    model = RowModel(open_session(content))
    return {
        "family": "my_line",
        "symbols": ["EURUSD"],
        "feature_schema": SCHEMA,
        "horizon_minutes": 120,
        "data": {"EURUSD": "ticks of 2023 from my broker"},
        "examples": [
            {
                "input": [None if np.isnan(v) else float(v) for v in row],
                "probability": model.predict(row),
            }
            for row in rows
        ],
    }


def declaration(claims, **changes):
    """The declaration with changes."""
    return msgspec.convert({**claims, **changes}, Declaration)


def test_a_true_declaration_is_registered_and_serves(content, claims, tmp_path):
    """Its id depends on the content; no figure is claimed; it forms an ensemble."""
    model = imported(content, declaration(claims), MONDAY_NS)
    registry = Registry(tmp_path)
    name = registry.register(model)
    loaded = registry.load(name, SCHEMA)

    assert name.startswith("my_line-")
    assert model.manifest.metrics == {}
    assert model.manifest.verdict == "insufficient evidence"
    assert model.manifest.flags == ("IMPORTED",)
    assert model.manifest.parity.rows == 8
    assert Ensemble("EURUSD", [loaded.member()]).model_ids == (name,)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"family": "xgboost"}, "the family is called 'xgboost'"),
        ({"family": "../up"}, "the family is called"),
        ({"feature_schema": "0" * 64}, "it takes features 000000000000…, bars of 60 s have"),
        ({"symbols": ["EURUSD", "GBPUSD"]}, "was trained on"),
        ({"examples": []}, "0 examples"),
    ],
)
def test_a_claim_that_cannot_be_is_refused(content, claims, changes, words):
    """The sentence says what was found."""
    with pytest.raises(ModelMismatch, match=words):
        imported(content, declaration(claims, **changes), MONDAY_NS)


def test_answers_other_than_declared_are_refused(content, claims):
    """One example that is off by 1e-4; one of the wrong length."""
    first, *rest = claims["examples"]
    off = {**first, "probability": first["probability"] + 1e-4}
    short = {**first, "input": first["input"][:10]}

    with pytest.raises(ModelMismatch, match=r"differ from its examples by 1\.00e-04"):
        imported(content, declaration(claims, examples=[off, *rest]), MONDAY_NS)
    with pytest.raises(ModelMismatch, match=r"examples of \[10, 56\] values"):
        imported(content, declaration(claims, examples=[short, *rest]), MONDAY_NS)


def changed(content, change):
    """The file with one change."""
    model = onnx.load_from_string(content)
    change(model.graph)
    return model.SerializeToString()


def test_a_file_that_is_not_servable_is_refused(content, claims):
    """Other inputs, other outputs, no ONNX at all, operators of somebody."""

    def wider(graph):
        graph.input[0].type.tensor_type.shape.dim[1].dim_value = 40
        for each in graph.initializer:
            if each.name in {"mean", "scale"}:
                each.CopyFrom(onnx.numpy_helper.from_array(np.ones(40, np.float32), each.name))
            if each.name == "slopes":
                each.CopyFrom(onnx.numpy_helper.from_array(np.ones((40, 2), np.float32), "slopes"))

    def renamed(graph):
        graph.node[-1].output[0] = graph.output[0].name = "score"

    with pytest.raises(ModelMismatch, match=r"inputs of shape \[\(1, 40\)\].*\[1, 56\]"):
        imported(changed(content, wider), declaration(claims), MONDAY_NS)
    with pytest.raises(ModelMismatch, match=r"outputs .*score.*'probabilities'"):
        imported(changed(content, renamed), declaration(claims), MONDAY_NS)
    with pytest.raises(ModelMismatch, match="not valid ONNX"):
        imported(b"\x08\x08no model", declaration(claims), MONDAY_NS)


def test_answers_that_are_no_probabilities_are_refused(content, claims):
    """Missing values go through to the output."""

    def unfilled(graph):
        (where,) = [node for node in graph.node if node.op_type == "Where"]
        where.CopyFrom(helper.make_node("Identity", ["clipped"], ["known"]))

    known = [each for each in claims["examples"] if None not in each["input"]]
    rows = declaration(claims, examples=[*known, known[0]])
    with pytest.raises(ModelMismatch, match="are no probabilities, such as nan"):
        imported(changed(content, unfilled), rows, MONDAY_NS)


def test_the_command_reads_toml_and_json_and_leaves_a_candidate(content, claims, tmp_path):
    """The same model both ways; a manifest that is none is told apart."""
    (tmp_path / "mine.onnx").write_bytes(content)
    (tmp_path / "mine.json").write_bytes(msgspec.json.encode(claims))
    examples = [
        {**each, "input": [float("nan") if v is None else v for v in each["input"]]}
        for each in claims["examples"]
    ]
    lines = [f"{key} = {msgspec.json.encode(claims[key]).decode()}" for key in list(claims)[:4]]
    lines += ["[data]", 'EURUSD = "ticks of 2023 from my broker"']
    for each in examples:
        values = ", ".join(repr(v) for v in each["input"])
        lines += ["[[examples]]", f"input = [{values}]", f"probability = {each['probability']!r}"]
    (tmp_path / "mine.toml").write_text("\n".join(lines))
    (tmp_path / "bad.toml").write_text("family = 1")
    home = tmp_path / "home"
    done = [
        CliRunner().invoke(
            import_model,
            [
                str(tmp_path / "mine.onnx"),
                "--manifest",
                str(tmp_path / name),
                "--data-dir",
                str(home),
                "--json",
            ],
            catch_exceptions=False,
        )
        for name in ("mine.json", "mine.toml")
    ]
    answers = [msgspec.json.decode(each.output) for each in done]

    assert [each.exit_code for each in done] == [0, 0]
    assert answers[0] == answers[1]
    (draft,) = Registry(home / "models").drafts.list()
    assert draft.model_ids == (answers[0]["model_id"],)
    with pytest.raises(InputError, match="does not describe a model"):
        declared(tmp_path / "bad.toml")
