"""A model's card in the JSON that MLflow's REST API speaks, and back.

Shape: `mlflow.entities.Run` (info, data with params, metrics and tags) and `ModelVersion`, as
`GET /api/2.0/mlflow/runs/get` and `…/model-versions/get` answer them. Params and tags are text
there, so what is neither a figure nor a short text travels as JSON in tags named `plan2.…`.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_MS
from plan2.intelligence.models.manifest import Manifest

Json = dict[str, Any]  # what JSON holds
PREFIX: Final = "plan2."
APART: Final = frozenset({"metrics", "provenance"})
"""Fields of a manifest with places of their own."""


def exported(manifest: Manifest, stage: str = "") -> Json:
    """A run and a model version; `stage` is the state of the candidate it belongs to, or ""."""
    plain = msgspec.to_builtins(manifest)
    origin = plain["provenance"]
    trained_ms = manifest.trained_ts_ns // NS_PER_MS
    fields = {f"{PREFIX}{name}": value for name, value in plain.items() if name not in APART}
    fields[f"{PREFIX}provenance"] = {k: v for k, v in origin.items() if k != "parameters"}
    fields[f"{PREFIX}parameter_types"] = {
        name: type(value).__name__ for name, value in origin["parameters"].items()
    }
    return {
        "run": {
            "info": {
                "run_id": manifest.model_id,
                "run_name": manifest.model_id,
                "status": "FINISHED",
                "start_time": trained_ms,
                "end_time": trained_ms,
                "lifecycle_stage": "active",
            },
            "data": {
                "params": _pairs({k: _text(v) for k, v in origin["parameters"].items()}),
                "metrics": [
                    {"key": name, "value": value, "timestamp": trained_ms, "step": 0}
                    for name, value in manifest.metrics.items()
                ],
                "tags": _pairs({name: _json(value) for name, value in fields.items()}),
            },
        },
        "model_version": {
            "name": f"plan2-{'-'.join(manifest.symbols)}-{manifest.family}",
            "version": manifest.model_id,
            "creation_timestamp": trained_ms,
            "run_id": manifest.model_id,
            "status": "READY",
            "source": f"models/{manifest.model_id}/model.onnx",
            "description": manifest.verdict,
            "tags": _pairs({"sha256": manifest.sha256, "stage": stage}),
        },
    }


def manifest_of(export: Mapping[str, Any]) -> Manifest:
    """The manifest that an export was made from.

    Raises:
        InputError: it is not one of ours, or a part is missing.
    """
    try:
        data = export["run"]["data"]
        tags = {item["key"]: item["value"] for item in data["tags"]}
        fields = {
            name.removeprefix(PREFIX): msgspec.json.decode(text)
            for name, text in tags.items()
            if name.startswith(PREFIX)
        }
        types = fields.pop("parameter_types")
        fields["provenance"]["parameters"] = {
            item["key"]: _KINDS[types[item["key"]]](item["value"]) for item in data["params"]
        }
        fields["metrics"] = {item["key"]: item["value"] for item in data["metrics"]}
        return msgspec.convert(fields, Manifest)
    except (KeyError, TypeError, ValueError, msgspec.MsgspecError) as error:
        raise InputError(f"This is no model that Plan2 exported: {error!r}.") from error


_KINDS: Final = {"int": int, "float": float, "str": str}


def _pairs(values: Mapping[str, str]) -> list[Json]:
    return [{"key": name, "value": value} for name, value in values.items()]


def _text(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
