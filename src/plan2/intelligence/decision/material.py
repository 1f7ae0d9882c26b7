"""What a decision record is made of, in the form that is fastest to write down.

An order may only leave when its decision is on disk, so what stands between them is kept small:
`Material` holds the objects as they are and is encoded once. The record with its sentence, hashes
and digest is made from it afterwards, or at the next start when a crash came in between; the same
material always gives the same record.
"""

import hashlib
import math
from base64 import b64encode

import msgspec
import numpy as np

from plan2.foundation.errors import InvariantBroken, require
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Float64Array, TenantId, Tick
from plan2.intelligence.decision.decide import Decision, decision_id_of
from plan2.intelligence.decision.decide_apart import REFUSALS, apart_sentence
from plan2.intelligence.decision.flow_sentence import flow_sentence
from plan2.intelligence.decision.record import DecisionRecord, FeaturePart, TickPart
from plan2.intelligence.decision.sentence import event_sentence, sentence_of
from plan2.intelligence.models.candidate_files import candidate_id_of
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.risk.limits import AccountFigures


class Owner(msgspec.Struct, frozen=True, array_like=True):
    """In whose name, with what numbers and by which version of the program it was decided.

    `parameters` holds every configured number that a decision goes by, `section.name` → value;
    `horizon_s` is after how long a position opened by a forecast is closed.
    """

    tenant_id: TenantId
    account_id: str
    config_hash: str
    parameters: dict[str, float]
    horizon_s: int
    version: str


class Material(msgspec.Struct, frozen=True, array_like=True):
    """Everything of one decision; `features` are the bytes of little-endian float64 values.

    `figures` is None when the decision holds the account's figures itself.
    """

    owner: Owner
    decision: Decision
    tick: Tick
    instrument: Instrument
    schema_id: str
    features: bytes
    forecast: Forecast | None
    states: dict[str, bytes]
    figures: AccountFigures | None


class MaterialEncoder:
    """Encodes material as MessagePack; the owner, the same for hours, is encoded once."""

    def __init__(self) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        self._owner: Owner | None = None
        self._owner_bytes = msgspec.Raw()

    def encode(self, material: Material) -> bytes:
        """The same bytes as encoding the material itself gives."""
        if material.owner is not self._owner:
            self._owner_bytes = msgspec.Raw(self._encoder.encode(material.owner))
            self._owner = material.owner
        return self._encoder.encode(
            (
                self._owner_bytes,
                material.decision,
                material.tick,
                material.instrument,
                material.schema_id,
                material.features,
                material.forecast,
                material.states,
                material.figures,
            )
        )


def record_of(material: Material) -> DecisionRecord:
    """The whole record of the decision."""
    owner, decision, tick = material.owner, material.decision, material.tick
    order, forecast = decision.order, material.forecast
    figures = decision.account or material.figures
    apart = decision.apart
    market = tick if isinstance(apart, msgspec.UnsetType) else apart.market
    require(figures is not None, f"the decision on {tick.symbol} has no account figures")
    return DecisionRecord(
        decision_id=decision.intent_id or decision_id_of(owner.account_id, market),
        tenant_id=owner.tenant_id,
        account_id=owner.account_id,
        symbol=tick.symbol,
        ts_ns=tick.ts_ns,
        outcome=decision.outcome,
        reason=decision.reason,
        sentence=_sentence(material),
        tick=TickPart(
            symbol=tick.symbol, ts_ns=tick.ts_ns, bid=tick.bid, ask=tick.ask, seq=tick.seq
        ),
        features=_feature_part(material),
        forecast=forecast,
        states={key: b64encode(state).decode() for key, state in material.states.items()},
        edge=decision.edge,
        size=decision.size,
        checks=decision.checks,
        risk_inputs=_without_nan(figures),
        parameters=owner.parameters,
        order_id=order.order_id if order is not None else "",
        config_hash=owner.config_hash,
        candidate_id=_candidate_id(forecast),
        flow=msgspec.UNSET if decision.flow is None else decision.flow,
        apart=apart,
        contract=msgspec.UNSET if apart is msgspec.UNSET else material.instrument,
        scheduled=decision.scheduled,
    )


def _sentence(material: Material) -> str:
    decision = material.decision
    apart = decision.apart
    if not isinstance(apart, msgspec.UnsetType) and decision.reason in REFUSALS:
        return apart_sentence(decision.reason, apart, material.tick, material.instrument)
    if not isinstance(decision.scheduled, msgspec.UnsetType):
        return event_sentence(decision.scheduled, material.owner.parameters, decision.flow)
    if decision.flow is not None:
        return flow_sentence(decision.reason, decision.flow, decision.size, decision.checks)
    return sentence_of(
        decision.reason,
        material.instrument,
        material.forecast,
        decision.edge,
        decision.size,
        decision.checks,
    )


def feature_bytes(features: Float64Array) -> bytes:
    """The feature vector as it is kept, exact."""
    kept = features.tobytes()
    if len(kept) != 8 * len(features):  # a look at the dtype itself takes longer than the copy
        raise InvariantBroken(f"features must be float64, found {features.dtype}")
    return kept


def models_hash(forecast: Forecast | None) -> str:
    """SHA-256 over the ids of the models that voted (an id names its bytes); empty without any."""
    if forecast is None or not forecast.votes:
        return ""
    names = "\n".join(sorted(vote.model_id for vote in forecast.votes))
    return hashlib.sha256(names.encode()).hexdigest()


def _candidate_id(forecast: Forecast | None) -> str:
    if forecast is None or not forecast.votes:
        return ""
    return candidate_id_of([vote.model_id for vote in forecast.votes])


def _feature_part(material: Material) -> FeaturePart:
    values = np.frombuffer(material.features, np.float64).tolist()
    return FeaturePart(
        schema_id=material.schema_id,
        values=tuple(None if math.isnan(value) else value for value in values),
        sha256=hashlib.sha256(material.features).hexdigest(),
    )


def _without_nan(figures: AccountFigures | None) -> dict[str, float | None]:
    found = {} if figures is None else msgspec.structs.asdict(figures)
    return {name: None if math.isnan(value) else value for name, value in found.items()}
