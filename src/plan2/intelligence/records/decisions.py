"""What a decision record contributes to an order's record: models, features, figures, rules."""

import hashlib
from typing import Any

import msgspec

from plan2.intelligence.records.words import instant


class AiPart(msgspec.Struct, frozen=True, kw_only=True):
    """The part of models in an order; empty for orders of people."""

    model_ids: str = ""
    features_hash: str = ""
    features_as_of: str = ""
    prediction: float | None = None
    confidence: float | None = None
    calibration_id: str = ""
    rule_set_hash: str = ""
    risk_checks: str = ""
    config_hash: str = ""


NO_MODELS = AiPart()


def ai_part(record: dict[str, Any]) -> AiPart:
    """From a stored decision record, of whatever version: what it lacks stays empty."""
    features = _object(record, "features")
    forecast = _object(record, "forecast")
    edge = _object(record, "edge")
    parameters = _object(record, "parameters")
    votes = forecast.get("votes") or []
    checks = record.get("checks") or []
    as_of_ns = _object(record, "tick").get("ts_ns")
    return AiPart(
        model_ids=" ".join(sorted(str(vote.get("model_id", "")) for vote in votes)),
        features_hash=str(features.get("sha256", "")),
        features_as_of=instant(as_of_ns) if as_of_ns else "",
        prediction=forecast.get("p_up"),
        confidence=edge.get("p_lcb"),
        calibration_id=str(forecast.get("calibration_id", "")),
        rule_set_hash=_hash(parameters) if parameters else "",
        risk_checks=" ".join(_check_text(check) for check in checks),
        config_hash=str(record.get("config_hash", "")),
    )


def _check_text(check: dict[str, Any]) -> str:
    """`rule=value/limit`, with ! in front when it failed."""
    mark = "" if check.get("passed") else "!"
    return f"{mark}{check.get('rule')}={check.get('value')}/{check.get('limit')}"


def _object(record: dict[str, Any], name: str) -> dict[str, Any]:
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def _hash(parameters: dict[str, Any]) -> str:
    encoded = msgspec.json.encode(parameters, order="sorted")
    return hashlib.sha256(encoded).hexdigest()
