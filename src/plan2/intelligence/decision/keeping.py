"""Which decisions are written down, and how a record is made of one.

Deciding happens on every tick; keeping every decision would bury the ones that matter. One is kept
when it acts, and otherwise when its reason differs from the last kept one of its symbol and enough
market time has passed since. The digest of all kept records names a run: the same ticks give the
same digest live, in replay and in a backtest, whichever account they are decided for.
"""

import hashlib
import math
from collections.abc import Callable

import msgspec
import numpy as np

from plan2.foundation.errors import require
from plan2.foundation.events.fact import Fact, fact
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.values import NS_PER_SECOND, Float64Array, Tick
from plan2.intelligence.decision.decide import Decision, Rules, Situation, decision_id_of
from plan2.intelligence.decision.record import (
    DecisionRecord,
    FeaturePart,
    TickPart,
)
from plan2.intelligence.decision.sentence import sentence_of
from plan2.intelligence.models.forecast import Forecast


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What one tick brought, before any account looked at it; shared by all accounts.

    `features` is the engine's own vector and is only valid during the tick; `states` gives the
    recurrent state that the forecast started from, and is asked only when a decision is kept.
    """

    tick: Tick
    now_ns: int
    ready: bool
    schema_id: str
    features: Float64Array
    forecast: Forecast | None
    states: Callable[[], dict[str, str]]


class DecisionKeeper:
    """Turns decisions into stored facts, and counts them into a digest."""

    def __init__(self, rules: Rules, config_hash: str, horizon_s: int) -> None:
        self.horizon_s = horizon_s
        self.kept = 0
        self._rules = rules
        self._config_hash = config_hash
        self._after_ns = int(rules.decision.record_reason_change_after_s * NS_PER_SECOND)
        self._last: dict[str, tuple[str, int]] = {}
        self._digest = hashlib.sha256()
        self._encoder = msgspec.json.Encoder()
        self._parameters = parameters_of(rules)

    @property
    def digest(self) -> str:
        """SHA-256 over all records kept so far, in order, without the names of their owner."""
        return self._digest.hexdigest()

    def is_due(self, tick: Tick, decision: Decision) -> bool:
        """Whether a decision that does not act is worth writing down."""
        last = self._last.get(tick.symbol)
        if last is None:
            return True
        reason, kept_ns = last
        return tick.ts_ns - kept_ns >= self._after_ns and reason != _reason_key(decision)

    def keep(self, scene: Scene, situation: Situation, decision: Decision, tenant_id: str) -> Fact:
        """Make the record, add it to the digest, and wrap it as a fact for the event store."""
        record = self.record(scene, situation, decision, tenant_id)
        encoded = self._encoder.encode(record)
        self._digest.update(self._encoder.encode(_anonymous(record)))
        self.kept += 1
        self._last[scene.tick.symbol] = (_reason_key(decision), scene.tick.ts_ns)
        event = DecisionMade(
            ts_ns=record.ts_ns,
            decision_id=record.decision_id,
            tenant_id=tenant_id,
            account_id=record.account_id,
            symbol=record.symbol,
            outcome=record.outcome.value,
            reason=record.reason.value,
            record=msgspec.json.decode(encoded),
        )
        stream = f"decision:{record.account_id}:{record.symbol}"
        content = hashlib.sha256(encoded).hexdigest()
        return fact(stream, event, record.decision_id, content, correlation_id=record.decision_id)

    def record(
        self, scene: Scene, situation: Situation, decision: Decision, tenant_id: str
    ) -> DecisionRecord:
        """The whole record of one decision."""
        tick, account_id = scene.tick, self._rules.account_id
        forecast = scene.forecast
        order = decision.order
        return DecisionRecord(
            decision_id=decision.intent_id or decision_id_of(account_id, tick),
            tenant_id=tenant_id,
            account_id=account_id,
            symbol=tick.symbol,
            ts_ns=tick.ts_ns,
            outcome=decision.outcome,
            reason=decision.reason,
            sentence=sentence_of(
                decision.reason,
                situation.instrument,
                forecast,
                decision.edge,
                decision.size,
                decision.checks,
            ),
            tick=TickPart(
                symbol=tick.symbol, ts_ns=tick.ts_ns, bid=tick.bid, ask=tick.ask, seq=tick.seq
            ),
            features=feature_part(scene.schema_id, scene.features),
            forecast=forecast,
            states=scene.states(),
            edge=decision.edge,
            size=decision.size,
            checks=decision.checks,
            risk_inputs=_without_nan(msgspec.structs.asdict(situation.figures())),
            parameters=self._parameters,
            order_id=order.order_id if order is not None else "",
            config_hash=self._config_hash,
        )


def feature_part(schema_id: str, features: Float64Array) -> FeaturePart:
    """The feature vector as it goes into a record: exact float64, NaN as None."""
    require(features.dtype == np.float64, f"features must be float64, found {features.dtype}")
    values = tuple(None if math.isnan(value) else value for value in features.tolist())
    digest = hashlib.sha256(features.tobytes()).hexdigest()
    return FeaturePart(schema_id=schema_id, values=values, sha256=digest)


def _anonymous(record: DecisionRecord) -> DecisionRecord:
    """The record without whose it is, so that the digests of two accounts can be compared."""
    return msgspec.structs.replace(
        record, decision_id="", tenant_id="", account_id="", order_id="", config_hash=""
    )


def _without_nan(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in figures.items()}


def parameters_of(rules: Rules) -> dict[str, float]:
    """Every configured number that a decision goes by, `section.name` → value."""
    sections = {"decision": rules.decision, "risk": rules.risk}
    return {
        f"{section}.{name}": float(value)
        for section, struct in sections.items()
        for name, value in msgspec.structs.asdict(struct).items()
    }


def _reason_key(decision: Decision) -> str:
    failed = next((item.rule for item in decision.checks if not item.passed), "")
    return f"{decision.reason}:{failed}"
