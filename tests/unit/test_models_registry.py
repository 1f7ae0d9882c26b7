"""The registry: immutable, verified, atomic, and clear about what does not fit."""

import msgspec
import numpy as np
import pytest
from model_fixtures import flip_last_byte, small_report

from plan2.foundation.errors import InputError, ModelMismatch
from plan2.intelligence.models import trees
from plan2.intelligence.models.manifest import Manifest, TrainedModel
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training.train import register_report


@pytest.fixture(scope="module")
def report():
    """A training run of trees on two symbols."""
    return small_report(("xgboost",))


@pytest.fixture
def registry(tmp_path):
    """An empty registry in a folder that does not exist yet."""
    return Registry(tmp_path / "models")


def changed(model, **fields):
    """The same model with another manifest."""
    return TrainedModel(
        content=model.content, manifest=msgspec.structs.replace(model.manifest, **fields)
    )


def test_an_empty_registry_has_nothing(registry):
    """And makes no folder by being looked at."""
    assert registry.list() == ()
    assert registry.champions() == {}
    assert registry.champion(["EURUSD"], "any") == {}


def test_a_registered_model_can_be_listed_shown_and_served(registry, report):
    """The manifest comes back as it went in."""
    (model,) = report.models
    model_id = registry.register(model)

    assert model_id == model.manifest.model_id
    assert model_id.startswith("xgboost-")
    assert registry.list() == (model.manifest,)
    assert registry.show(model_id) == model.manifest
    loaded = registry.load(model_id, model.manifest.schema_id)
    assert loaded.manifest == model.manifest


def test_a_model_of_another_form_is_served_by_the_runtime(registry, report, monkeypatch):
    """Slower, with the same answers."""

    def refuse(content, model):
        raise trees.NotCompilable("another form")

    (model,) = report.models
    model_id = registry.register(model)
    fast = registry.load(model_id, model.manifest.schema_id).member()
    monkeypatch.setattr(trees, "compiled", refuse)
    slow = registry.load(model_id, model.manifest.schema_id).member()
    row = np.linspace(-1.0, 1.0, len(model.manifest.feature_names))

    assert slow.replay(row, b"") == pytest.approx(fast.replay(row, b""), abs=1e-6)


def test_registering_twice_changes_nothing(registry, report, tmp_path):
    """The same content has the same id and is stored once."""
    (model,) = report.models
    registry.register(model)
    file = tmp_path / "models" / model.manifest.model_id / "manifest.json"
    before = file.stat().st_mtime_ns
    registry.register(model)

    assert file.stat().st_mtime_ns == before
    assert len(registry.list()) == 1


def test_one_flipped_byte_is_refused(registry, report, tmp_path):
    """Loading compares the SHA-256."""
    (model,) = report.models
    registry.register(model)
    flip_last_byte(tmp_path / "models" / model.manifest.model_id / "model.onnx")

    with pytest.raises(ModelMismatch, match="SHA-256"):
        registry.load(model.manifest.model_id, model.manifest.schema_id)


def test_other_features_are_refused_with_a_remedy(registry, report):
    """Both when looking for the champion and when loading."""
    register_report(registry, report)
    model_id = report.models[0].manifest.model_id

    with pytest.raises(ModelMismatch, match="plan2 train"):
        registry.champion(["EURUSD"], "another schema")
    with pytest.raises(ModelMismatch, match="plan2 train"):
        registry.load(model_id, "another schema")


def test_a_failed_parity_gate_is_not_registered(registry, report):
    """Nothing is stored."""
    (model,) = report.models
    parity = msgspec.structs.replace(model.manifest.parity, max_difference=2e-5)

    with pytest.raises(ModelMismatch, match=r"differ by 2\.00e-05"):
        registry.register(changed(model, parity=parity))
    assert registry.list() == ()


def test_an_id_that_is_not_the_contents_is_refused(registry, report):
    """So is a hash that is not the file's."""
    (model,) = report.models
    with pytest.raises(ModelMismatch, match="its content makes"):
        registry.register(changed(model, model_id="xgboost-000000000000"))
    with pytest.raises(ModelMismatch, match="SHA-256"):
        registry.register(changed(model, sha256="0" * 64))


def test_promotion_serves_symbols_until_the_next_one(registry, report):
    """Other symbols keep their champion."""
    (model,) = report.models
    model_id = registry.register(model)
    registry.promote(["EURUSD", "GBPUSD"], [model_id], 5)
    registry.promote(["GBPUSD"], [model_id], 9)

    assert registry.champion(["EURUSD", "XAUUSD"], model.manifest.schema_id) == {
        "EURUSD": (model_id,)
    }
    assert registry.champions()["EURUSD"].since_ts_ns == 5
    assert registry.champions()["GBPUSD"].since_ts_ns == 9
    assert registry.parents(["XAUUSD", "GBPUSD"]) == {"xgboost": model_id}
    assert registry.parents(["XAUUSD"]) == {}


@pytest.mark.parametrize("model_id", ["nothing", "../models", "", "."])
def test_an_unknown_model_is_named(registry, model_id):
    """Paths are no ids."""
    with pytest.raises(InputError, match="models list"):
        registry.show(model_id)
    with pytest.raises(InputError):
        registry.promote(["EURUSD"], [model_id], 1)


def test_a_half_written_model_is_never_seen(registry, report, tmp_path):
    """A folder that was left before its rename is passed over."""
    register_report(registry, report)
    staging = tmp_path / "models" / ".xgboost-abc.1"
    staging.mkdir()
    (staging / "manifest.json").write_text("{")

    assert len(registry.list()) == 1


def test_a_damaged_manifest_or_alias_is_told(registry, report, tmp_path):
    """With the file's name."""
    (model_id,) = register_report(registry, report)
    (tmp_path / "models" / "champion.json").write_text("[]")
    (tmp_path / "models" / model_id / "manifest.json").write_text("{}")

    with pytest.raises(ModelMismatch, match=r"champion\.json"):
        registry.champions()
    with pytest.raises(ModelMismatch, match=r"manifest\.json"):
        registry.show(model_id)


def test_a_manifest_without_one_field_is_no_manifest(report):
    """No unknown one is accepted, and all are required but two.

    These are the version, and the weight in the blend: manifests of before it mean the plain mean.
    """
    plain = msgspec.to_builtins(report.models[0].manifest)
    old = {name: value for name, value in plain.items() if name != "blend_weight"}
    assert msgspec.convert(old, Manifest).blend_weight == 1.0
    for name in set(plain) - {"version", "blend_weight"}:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({k: v for k, v in plain.items() if k != name}, Manifest)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**plain, "surprise": 1}, Manifest)


def test_manifests_say_where_a_model_comes_from(report):
    """Hashes of ticks, rows and code, library versions, seed and parameters."""
    origin = report.models[0].manifest.provenance

    assert set(origin.tick_hashes) == {"EURUSD", "GBPUSD"}
    assert len(origin.row_hash) == len(origin.code_hash) == 64
    assert origin.versions["xgboost"].startswith("3.")
    assert (origin.seed, origin.threads) == (1, 1)
    assert origin.parameters["n_estimators"] == 150


def test_training_again_gives_the_same_ids(report):
    """A pure function of data, request and seed."""
    again = small_report(("xgboost",))

    assert [m.manifest.model_id for m in again.models] == [
        m.manifest.model_id for m in report.models
    ]
    assert again.ensemble == report.ensemble
