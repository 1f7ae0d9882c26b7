"""The decision record: everything a decision was made of, replayable bit for bit.

The record holds the inputs (tick, features, recurrent state, account figures), the identities of
what worked on them (feature schema, models, configuration) and every intermediate result. Nothing
in it depends on wall time, so the same ticks give the same bytes live, in replay and in a backtest.
"""

import enum

import msgspec

from plan2.foundation.instrument import Instrument
from plan2.intelligence.decision.apart import Apart
from plan2.intelligence.decision.flow_part import FlowPart
from plan2.intelligence.decision.schedule import ScheduledEvent
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.risk.parts import Check, SizePart


class Outcome(enum.StrEnum):
    """What became of a decision."""

    TRADED = "traded"
    NOT_TRADED = "not_traded"
    DENIED = "denied"


class Reason(enum.StrEnum):
    """Why; every decision has exactly one."""

    EXPECTED_VALUE = "expected_value"
    """Traded: the pessimistic expected value is above the cost and the margin."""
    WARMING_UP = "warming_up"
    NO_FORECAST = "no_forecast"
    NO_RATE = "no_rate"
    """No rate converts the symbol's currencies into the account's."""
    COST_ABOVE_EDGE = "cost_above_edge"
    EDGE_UNCERTAIN = "edge_uncertain"
    SPREAD_TOO_WIDE = "spread_too_wide"
    STALE_TICK = "stale_tick"
    DATA_QUALITY = "data_quality"
    POSITION_OPEN = "position_open"
    ORDER_PENDING = "order_pending"
    COOLDOWN = "cooldown"
    NOVEL_SITUATION = "novel_situation"
    """The situation is farther from all of the training period than nearly all of its own were."""
    SCHEDULED_EVENT = "scheduled_event"
    """An economic event of one of the symbol's currencies is about to take place, or just did."""
    SIZE_TOO_SMALL = "size_too_small"
    MODEL_UNPROVEN = "model_unproven"
    """Real money does not follow a champion that has not passed the gate of validation."""
    QUOTES_APART = "quotes_apart"
    """The account's broker quotes another price than the market that the forecast is about."""
    TERMS_DIFFER = "terms_differ"
    """A lot or a price of the symbol means something else at the account's broker."""
    RISK_DENIED = "risk_denied"
    EXPLORATION = "exploration"
    """Traded: the smallest volume on a paper account, to gather outcomes; not worth its cost."""
    TIME_EXIT = "time_exit"
    """Traded: the forecast's horizon is over, the position is closed."""
    MANUAL_EXIT = "manual_exit"
    """Traded: a person asked for the position to be closed."""
    FLOW_ENTRY = "flow_entry"
    """Traded: a flow's condition for an entry holds."""
    FLOW_EXIT = "flow_exit"
    """Traded: a flow's condition for leaving holds, or an entry of the other side replaces it."""
    NO_SIGNAL = "no_signal"
    """No condition of a flow holds, or it is where its signal wants it; never written down."""


class TickPart(msgspec.Struct, frozen=True, kw_only=True):
    """The tick decided upon; a reference into the archive by symbol and time."""

    symbol: str
    ts_ns: int
    bid: float
    ask: float
    seq: int


class FeaturePart(msgspec.Struct, frozen=True, kw_only=True):
    """The feature vector as served: float64 values in schema order (None = undefined)."""

    schema_id: str
    values: tuple[float | None, ...]
    sha256: str


class EdgePart(msgspec.Struct, frozen=True, kw_only=True):
    """The arithmetic of the bet, in quote currency per unit of the base.

    ev = (2·p − 1)·barrier − cost, with p the probability of the chosen side; ev_lcb is the same
    with p lowered by the uncertainty. Trades when ev_lcb > margin.
    """

    side: int
    p: float
    p_lcb: float
    spread: float
    commission: float
    cost: float
    ev: float
    ev_lcb: float
    margin: float


class DecisionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One decision, whole.

    `states` holds the recurrent state each model started from, base64 of little-endian float32.
    `risk_inputs` holds every account figure that the sizing and the risk gate looked at, and
    `parameters` every configured number that the policy, the sizing and the gate used;
    `candidate_id` names the models that forecast together, "" without a forecast; `flow` is the
    flow that decided, absent for the account's own decision; `apart` is the market's quote beside
    that of the account's own broker in `tick`, `contract` that broker's contract data; both absent
    for an account that deals at the market's. `scheduled` is the economic event that stood in the
    way, absent when none did.
    """

    decision_id: str
    tenant_id: str
    account_id: str
    symbol: str
    ts_ns: int
    outcome: Outcome
    reason: Reason
    sentence: str
    tick: TickPart
    features: FeaturePart
    forecast: Forecast | None
    states: dict[str, str]
    edge: EdgePart | None
    size: SizePart | None
    checks: tuple[Check, ...]
    risk_inputs: dict[str, float | None]
    parameters: dict[str, float]
    order_id: str
    config_hash: str
    candidate_id: str = ""
    flow: FlowPart | msgspec.UnsetType = msgspec.UNSET
    apart: Apart | msgspec.UnsetType = msgspec.UNSET
    contract: Instrument | msgspec.UnsetType = msgspec.UNSET
    scheduled: ScheduledEvent | msgspec.UnsetType = msgspec.UNSET
