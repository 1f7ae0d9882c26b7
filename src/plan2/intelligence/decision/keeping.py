"""Which decisions are written down, and how a fact is made of one.

Deciding happens on every tick; keeping every decision would bury the ones that matter. One is kept
when it acts, and otherwise when its reason differs from the last kept one of its symbol and enough
market time has passed since. The digest of all kept records names a run: the same ticks give the
same digest live, in replay and in a backtest, whichever account they are decided for.
"""

import hashlib
from collections.abc import Callable

import msgspec

from plan2.foundation.events.fact import Fact, fact
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.values import NS_PER_SECOND, Float64Array, Tick
from plan2.intelligence.decision.apart import Apart
from plan2.intelligence.decision.decide import Decision, Rules, Situation
from plan2.intelligence.decision.material import Material, Owner, feature_bytes, record_of
from plan2.intelligence.decision.record import DecisionRecord
from plan2.intelligence.decision.schedule import NOTHING_SCHEDULED, Schedule
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.models.standing import SOUND, Standing


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What one tick brought, before any account looked at it; shared by all accounts.

    `features` is the engine's own vector and is only valid during the tick; `states` gives the
    recurrent state that the forecast started from, and is asked only when a decision is kept;
    `standing` is the champion's. `volatility` gives the symbol's volatility of one day, a fraction
    of the price (NaN = unknown), `novelty` how unusual the situation is, 0 to 1; both are asked
    only when an order is wanted. `among` gives the forecast of some model families alone, for
    flows that name them; None = there are none. `schedule` holds the economic events that concern
    the symbol. `apart` is set for an account at another broker:
    `tick` is then that broker's own quote, and the market's is in there.
    """

    tick: Tick
    now_ns: int
    ready: bool
    schema_id: str
    features: Float64Array
    forecast: Forecast | None
    states: Callable[[], dict[str, bytes]]
    volatility: Callable[[], float]
    novelty: Callable[[], float]
    standing: Standing = SOUND
    among: Callable[[tuple[str, ...]], Forecast | None] = lambda _: None
    schedule: Schedule = NOTHING_SCHEDULED
    apart: Apart | None = None

    @property
    def market(self) -> Tick:
        """The market's quote, which features and forecast were made of."""
        return self.tick if self.apart is None else self.apart.market


class DecisionKeeper:
    """Turns decisions into stored facts, and counts them into a digest."""

    def __init__(self, rules: Rules, owner: Owner) -> None:
        self.adopt(rules, owner)
        self.kept = 0
        self._last: dict[str, tuple[str, int]] = {}
        self._digest = hashlib.sha256()
        self._encoder = msgspec.json.Encoder()

    def adopt(self, rules: Rules, owner: Owner) -> None:
        """Record decisions as taken by these rules from now on."""
        self.owner = owner
        self._after_ns = int(rules.decision.record_reason_change_after_s * NS_PER_SECOND)

    @property
    def digest(self) -> str:
        """SHA-256 over all records kept so far, in order, without the names of their owner."""
        return self._digest.hexdigest()

    def is_due(self, tick: Tick, decision: Decision) -> bool:
        """Whether a decision that does not act is worth writing down."""
        subject = tick.symbol if decision.flow is None else _subject(tick.symbol, decision)
        last = self._last.get(subject)
        if last is None:
            return True
        reason, kept_ns = last
        return tick.ts_ns - kept_ns >= self._after_ns and reason != _reason_key(decision)

    def material(self, scene: Scene, situation: Situation, decision: Decision) -> Material:
        """All that the record is made of; cheap, for what stands before an order."""
        return Material(
            self.owner,
            decision,
            scene.tick,
            situation.instrument,
            scene.schema_id,
            feature_bytes(scene.features),
            scene.forecast,
            scene.states(),
            situation.figures() if decision.account is None else None,
        )

    def keep(self, material: Material) -> Fact:
        """Make the record, add it to the digest, and wrap it as a fact for the event store."""
        record = record_of(material)
        self._digest.update(self._encoder.encode(_anonymous(record)))
        self.kept += 1
        subject = _subject(record.symbol, material.decision)
        self._last[subject] = (_reason_key(material.decision), record.ts_ns)
        return decision_fact(record)


def decision_fact(record: DecisionRecord) -> Fact:
    """The stored event of a decision; a repetition of the same record is the same fact."""
    encoded = msgspec.json.encode(record)
    event = DecisionMade(
        ts_ns=record.ts_ns,
        decision_id=record.decision_id,
        tenant_id=record.tenant_id,
        account_id=record.account_id,
        symbol=record.symbol,
        outcome=record.outcome.value,
        reason=record.reason.value,
        record=msgspec.json.decode(encoded),
    )
    stream = f"decision:{record.account_id}:{record.symbol}"
    content = hashlib.sha256(encoded).hexdigest()
    return fact(stream, event, record.decision_id, content, correlation_id=record.decision_id)


def parameters_of(rules: Rules) -> dict[str, float]:
    """Every configured number that a decision goes by, `section.name` → value.

    Lists and tables are looked up before; what they say of the symbol is an account figure.
    """
    sections = {"decision": rules.decision, "risk": rules.risk}
    return {
        f"{section}.{name}": float(value)
        for section, struct in sections.items()
        for name, value in msgspec.structs.asdict(struct).items()
        if isinstance(value, int | float)
    }


def _anonymous(record: DecisionRecord) -> DecisionRecord:
    """The record without whose it is, so that the digests of two accounts can be compared."""
    return msgspec.structs.replace(
        record, decision_id="", tenant_id="", account_id="", order_id="", config_hash=""
    )


def _subject(symbol: str, decision: Decision) -> str:
    """Whose reasons are compared: a symbol's, or those of each flow on it."""
    return symbol if decision.flow is None else f"{symbol}:{decision.flow.name}"


def _reason_key(decision: Decision) -> str:
    failed = next((item.rule for item in decision.checks if not item.passed), "")
    return f"{decision.reason}:{failed}"
