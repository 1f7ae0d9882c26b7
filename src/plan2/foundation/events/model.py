"""Facts about forecasts and decisions."""

from typing import Any

from plan2.foundation.events.base import Event


class FeatureCalculated(Event, frozen=True, kw_only=True, gc=False):
    """One feature's value when a bar closed."""

    symbol: str
    indicator: str
    value: float | None


class ModelPredictionGenerated(Event, frozen=True, kw_only=True, gc=False):
    """What the ensemble forecast for a symbol.

    `members` maps a model id to its raw probability, `probability` is calibrated (up within the
    horizon), `confidence` is its lower confidence bound for the better side.
    """

    symbol: str
    model_id: str
    prediction: float
    confidence: float
    members: dict[str, float]
    features_hash: str


class DecisionMade(Event, frozen=True, kw_only=True, gc=False):
    """A decision worth keeping: it acted, its reason changed, or a bar closed.

    `record` is the whole decision record (`plan2.intelligence.decision.record`) as plain data, so
    that it can be replayed bit for bit.
    """

    decision_id: str
    tenant_id: str
    account_id: str
    symbol: str
    outcome: str
    reason: str
    record: dict[str, Any]  # any JSON value: the record's own schema is owned by level 4


class ModelAccuracyUpdated(Event, frozen=True, kw_only=True, gc=False):
    """The accuracy of a model over a period was measured."""

    model_id: str
    accuracy: float
    backtest_period: str


class ModelRegistered(Event, frozen=True, kw_only=True, gc=False):
    """A trained model passed the parity gate and entered the registry."""

    model_id: str
    family: str
    symbol: str
    sha256: str
    metrics: dict[str, float]


class CandidateMoved(Event, frozen=True, kw_only=True, gc=False):
    """A candidate, the models that forecast together, changed its state.

    `evidence`: the figures of the gate and ids of what they were drawn from; `is_override`: a
    person passed over a condition that was not met.
    """

    candidate_id: str
    symbols: tuple[str, ...]
    from_state: str
    to_state: str
    by: str
    reason: str
    evidence: tuple[str, ...]
    is_override: bool


class ModelPromoted(Event, frozen=True, kw_only=True, gc=False):
    """A candidate serves a symbol from now on; `replaced` is "" when nobody did before."""

    symbol: str
    candidate_id: str
    model_ids: tuple[str, ...]
    replaced: str
    by: str
    reason: str


class ModelRolledBack(Event, frozen=True, kw_only=True, gc=False):
    """The last good champion serves a symbol again."""

    symbol: str
    candidate_id: str
    replaced: str
    by: str
    reason: str


class ModelWithdrawn(Event, frozen=True, kw_only=True, gc=False):
    """Nobody serves a symbol any more: its champion was suspended or retired."""

    symbol: str
    candidate_id: str
    by: str
    reason: str
