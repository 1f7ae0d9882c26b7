"""From a forecast to an approved order or a reason, as one pure function.

Everything a decision depends on is an argument, and everything it concluded is in its result, so a
recorded decision can be taken again from its record alone (`plan2 explain`).
"""

from collections.abc import Callable

import msgspec

from plan2.dataflow.terminals.port import ApprovedOrder, OrderKind
from plan2.foundation.config.schema import Decision as DecisionConfig
from plan2.foundation.config.schema import Risk
from plan2.foundation.ids import derived_id
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Side, Tick
from plan2.intelligence.decision.apart import Apart
from plan2.intelligence.decision.flow_part import FlowPart
from plan2.intelligence.decision.policy import edge_of, verdict_of
from plan2.intelligence.decision.record import EdgePart, Outcome, Reason
from plan2.intelligence.decision.schedule import ScheduledEvent, rest_of
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.risk import gate
from plan2.intelligence.risk.inputs import inputs_of
from plan2.intelligence.risk.limits import AccountFigures, Intent
from plan2.intelligence.risk.mode import AccountMode
from plan2.intelligence.risk.parts import Check, SizePart
from plan2.intelligence.risk.sizing import Bet, reduced, size_of, smallest


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What an account's decisions go by.

    Only a paper account may have `decision.explore_after_s` above 0; see ADR 5.
    """

    account_id: str
    decision: DecisionConfig
    risk: Risk


class Engagement(msgspec.Struct, frozen=True):
    """What keeps an account from entering a symbol again: cheaper to ask than all its figures."""

    orders_pending: float
    positions: float
    cooldown_left_s: float


def engagement_of(figures: AccountFigures) -> Engagement:
    """What the figures say about it."""
    return Engagement(
        figures.orders_pending_symbol, figures.positions_symbol, figures.cooldown_left_s
    )


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to decide upon: one tick of one symbol and the forecast for it."""

    tick: Tick
    instrument: Instrument
    ready: bool
    forecast: Forecast | None
    quote_rate: float
    since_entry_s: float
    engagement: Callable[[], Engagement]
    """Asked when a bet is wanted; must agree with the figures."""
    figures: Callable[[], AccountFigures]
    """Asked only when the account matters; must give the same figures each time."""
    scheduled: Callable[[], ScheduledEvent | None] = lambda: None
    """The economic event nearby, if any; asked only when models want a bet."""
    apart: Apart | None = None
    """Set when `tick` is not the market's but that of the account's own broker."""

    @property
    def market(self) -> Tick:
        """The market's quote: what a decision is named after."""
        return self.tick if self.apart is None else self.apart.market


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided and everything it was made of; `order` is set exactly when it trades.

    `intent_id` names the decision once it wished for an order, approved or denied; `account` holds
    the figures that were looked at, None when the account did not matter; `flow` is the flow that
    decided, None for the account's own decision; `apart` is what an account at another broker
    looked at first, absent for one that deals at the market's quotes; `scheduled` is the economic
    event that stood in the way.
    """

    reason: Reason
    intent_id: str = ""
    edge: EdgePart | None = None
    size: SizePart | None = None
    checks: tuple[Check, ...] = ()
    order: ApprovedOrder | None = None
    account: AccountFigures | None = None
    flow: FlowPart | None = None
    apart: Apart | msgspec.UnsetType = msgspec.UNSET
    scheduled: ScheduledEvent | msgspec.UnsetType = msgspec.UNSET

    @property
    def outcome(self) -> Outcome:
        """Traded, not traded, or denied by the risk gate."""
        if self.order is not None:
            return Outcome.TRADED
        return Outcome.DENIED if self.reason is Reason.RISK_DENIED else Outcome.NOT_TRADED


def decide(situation: Situation, rules: Rules) -> Decision:
    """Decide on an entry: forecast → edge → account free → vetoes → size → risk gate, in order."""
    forecast = situation.forecast
    if not situation.ready:
        return Decision(reason=Reason.WARMING_UP)
    if forecast is None or forecast.abstained:
        return Decision(reason=Reason.NO_FORECAST)
    if not situation.quote_rate > 0.0:
        return Decision(reason=Reason.NO_RATE)
    edge = edge_of(
        situation.tick, forecast, situation.instrument, situation.quote_rate, rules.decision
    )
    reason = verdict_of(edge)
    if reason is not Reason.EXPECTED_VALUE:
        if not _may_explore(situation, rules):
            return Decision(reason=reason, edge=edge)
        reason = Reason.EXPLORATION
    return _ask_account(situation, rules, forecast, edge, reason)


def _ask_account(
    situation: Situation, rules: Rules, forecast: Forecast, edge: EdgePart, reason: Reason
) -> Decision:
    """The bet is wanted: is the account free, how much, and does the risk gate agree."""
    busy = _busy(situation.engagement())
    if busy is not None:
        return Decision(reason=busy, edge=edge)
    event = event_nearby(situation, rules)
    if event is not None:
        return Decision(reason=Reason.SCHEDULED_EVENT, edge=edge, scheduled=event)
    account = situation.figures()
    if not account.base_rate > 0.0:
        return Decision(reason=Reason.NO_RATE, edge=edge, account=account)
    if account.account_mode == AccountMode.REAL and account.model_proven != 1.0:
        return Decision(reason=Reason.MODEL_UNPROVEN, edge=edge, account=account)
    if reason is not Reason.EXPLORATION and is_novel(account, rules):
        return Decision(reason=Reason.NOVEL_SITUATION, edge=edge, account=account)
    size = _size(situation, rules, forecast, edge, account, explores=reason is Reason.EXPLORATION)
    if size.quantity == 0.0:
        return Decision(reason=Reason.SIZE_TOO_SMALL, edge=edge, size=size, account=account)
    intent = _intent(situation, forecast, edge, size, rules.account_id)
    inputs = inputs_of(intent, situation.instrument, situation.tick, account)
    review = gate.review(intent, inputs, rules.risk, rules.account_id)
    return Decision(
        reason=reason if review.order is not None else Reason.RISK_DENIED,
        intent_id=intent.decision_id,
        edge=edge,
        size=size,
        checks=review.checks,
        order=review.order,
        account=account,
    )


def _size(
    situation: Situation,
    rules: Rules,
    forecast: Forecast,
    edge: EdgePart,
    account: AccountFigures,
    *,
    explores: bool,
) -> SizePart:
    """How much: what the caps leave, shrunk by how the models stand and by tagged news.

    Exploring trades the smallest volume or, when news vetoes, nothing.
    """
    instrument, news = situation.instrument, account.news_size_factor
    if explores:
        size = smallest(instrument)
        return size if news > 0.0 else reduced(size, 0.0, instrument, "news")
    bet = Bet(
        side=edge.side,
        p_lcb=edge.p_lcb,
        standard_error=forecast.standard_error,
        loss_distance=forecast.barrier + edge.cost,
    )
    size = size_of(instrument, account, bet, rules.risk)
    size = reduced(size, account.model_size_factor, instrument)
    return reduced(size, news, instrument, "news")


def decide_exit(
    situation: Situation,
    rules: Rules,
    intent: Intent,
    reason: Reason,
    flow: FlowPart | None = None,
) -> Decision:
    """Decide on closing a position; `intent` is the closing intent, already complete."""
    account = situation.figures()
    inputs = inputs_of(intent, situation.instrument, situation.tick, account)
    review = gate.review(intent, inputs, rules.risk, rules.account_id)
    return Decision(
        reason=reason if review.order is not None else Reason.RISK_DENIED,
        intent_id=intent.decision_id,
        checks=review.checks,
        order=review.order,
        account=account,
        flow=flow,
    )


def _may_explore(situation: Situation, rules: Rules) -> bool:
    """Whether a paper account has waited long enough since the symbol's last entry."""
    after_s = rules.decision.explore_after_s
    return 0.0 < after_s <= situation.since_entry_s


def is_novel(account: AccountFigures, rules: Rules) -> bool:
    """Whether the models never saw anything like this; what is not known (NaN) counts as novel."""
    return not account.novelty <= rules.decision.novelty_veto_percentile


def event_nearby(situation: Situation, rules: Rules) -> ScheduledEvent | None:
    """The scheduled event around which nothing is entered now, by the account's own minutes."""
    event = situation.scheduled()
    if event is None or not rest_of(rules.decision).covers(situation.market.ts_ns, event.at_ns):
        return None
    return event


def _busy(engagement: Engagement) -> Reason | None:
    if engagement.orders_pending > 0:
        return Reason.ORDER_PENDING
    if engagement.positions > 0:
        return Reason.POSITION_OPEN
    if engagement.cooldown_left_s > 0:
        return Reason.COOLDOWN
    return None


def decision_id_of(account_id: str, tick: Tick) -> str:
    """The id of the decision an account takes on a tick; it depends on nothing else."""
    return derived_id("decision", account_id, tick.symbol, tick.ts_ns, tick.seq)


def _intent(
    situation: Situation, forecast: Forecast, edge: EdgePart, size: SizePart, account_id: str
) -> Intent:
    tick, instrument = situation.tick, situation.instrument
    side = Side(edge.side)
    distance = side.value * forecast.barrier
    return Intent(
        decision_id=decision_id_of(account_id, situation.market),
        symbol=tick.symbol,
        kind=OrderKind.OPEN,
        side=side,
        quantity=size.quantity,
        price=tick.ask if side is Side.BUY else tick.bid,
        stop_loss=instrument.round_price(tick.mid - distance),
        take_profit=instrument.round_price(tick.mid + distance),
        ts_ns=tick.ts_ns,
    )
