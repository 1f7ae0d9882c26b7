"""From a flow's signal to an approved order or a reason, as one pure function.

The signal itself is an argument: a record holds it, so that the decision can be taken again from
the record alone. Whether the flow had to give that signal is another question, which the nightly
comparison answers from the ticks (`intelligence.comparison`).
"""

import msgspec

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.errors import require
from plan2.foundation.ids import derived_id
from plan2.foundation.values import Side, Tick
from plan2.intelligence.decision.decide import (
    Decision,
    Rules,
    Situation,
    event_nearby,
    is_novel,
)
from plan2.intelligence.decision.flow_part import LONG, FlowPart
from plan2.intelligence.decision.policy import commission_per_unit
from plan2.intelligence.decision.record import Reason
from plan2.intelligence.risk import gate
from plan2.intelligence.risk.inputs import inputs_of
from plan2.intelligence.risk.limits import AccountFigures, Intent
from plan2.intelligence.risk.mode import AccountMode
from plan2.intelligence.risk.parts import SizePart
from plan2.intelligence.risk.sizing import Bet, reduced, size_of_flow


def decide_entry(situation: Situation, rules: Rules, flow: FlowPart) -> Decision:
    """Decide on what a flow wants to open: rates → models → size → risk gate, in this order.

    What is held against forecasts is asked only of a flow that reads them; one of rules alone can
    read the calendar itself (features `events` on request).
    """
    decision_id = flow_decision_id(rules.account_id, situation.market, flow)
    bare = Decision(reason=Reason.NO_RATE, intent_id=decision_id, flow=flow)
    if not situation.quote_rate > 0.0:
        return bare
    require(flow.figures is not None, f"{flow.label} decides without its figures")
    event = event_nearby(situation, rules) if flow.uses_models else None
    if event is not None:
        return msgspec.structs.replace(bare, reason=Reason.SCHEDULED_EVENT, scheduled=event)
    account = situation.figures()
    if not account.base_rate > 0.0:
        return msgspec.structs.replace(bare, account=account)
    doubt = _doubt(account, rules) if flow.uses_models else None
    if doubt is not None:
        return msgspec.structs.replace(bare, reason=doubt, account=account)
    size = _size(situation, rules, flow, account)
    if size.quantity == 0.0:
        small = Reason.SIZE_TOO_SMALL
        return msgspec.structs.replace(bare, reason=small, size=size, account=account)
    intent = _intent(situation, flow, size.quantity, decision_id)
    inputs = msgspec.structs.replace(
        inputs_of(intent, situation.instrument, situation.tick, account),
        flow=(flow.figures, flow.limits),
    )
    review = gate.review(intent, inputs, rules.risk, rules.account_id)
    return Decision(
        reason=Reason.FLOW_ENTRY if review.order is not None else Reason.RISK_DENIED,
        intent_id=decision_id,
        size=size,
        checks=review.checks,
        order=review.order,
        account=account,
        flow=flow,
    )


def flow_decision_id(account_id: str, tick: Tick, flow: FlowPart) -> str:
    """The id of what an account decides for a flow on a tick; it depends on nothing else."""
    what = (tick.symbol, tick.ts_ns, tick.seq, flow.name, flow.version, flow.action)
    return derived_id("decision", account_id, *what)


def side_of(flow: FlowPart) -> Side:
    """Which way its entry goes."""
    return Side.BUY if flow.action == LONG else Side.SELL


def _doubt(account: AccountFigures, rules: Rules) -> Reason | None:
    """Why the forecasts behind a flow are not to be followed now."""
    if account.account_mode == AccountMode.REAL and account.model_proven != 1.0:
        return Reason.MODEL_UNPROVEN
    return Reason.NOVEL_SITUATION if is_novel(account, rules) else None


def _size(situation: Situation, rules: Rules, flow: FlowPart, account: AccountFigures) -> SizePart:
    """What the flow asks for within the account's caps, shrunk as a bet of the ensemble is."""
    instrument = situation.instrument
    wanted = flow.lots
    if flow.risk_fraction > 0.0:
        loss_per_lot = flow.stop_loss * instrument.lot_units * account.quote_rate
        wanted = flow.risk_fraction * account.equity / loss_per_lot
    spread = situation.tick.ask - situation.tick.bid
    cost = spread + commission_per_unit(instrument, situation.quote_rate)
    bet = Bet(
        side=side_of(flow).value, p_lcb=0.5, standard_error=0.0, loss_distance=flow.stop_loss + cost
    )
    size = size_of_flow(instrument, account, bet, rules.risk, wanted)
    if flow.uses_models:
        size = reduced(size, account.model_size_factor, instrument)
    return reduced(size, account.news_size_factor, instrument, "news")


def _intent(situation: Situation, flow: FlowPart, quantity: float, decision_id: str) -> Intent:
    """Its distances count from the price that it is to be filled at."""
    tick, instrument = situation.tick, situation.instrument
    side = side_of(flow)
    price = tick.ask if side is Side.BUY else tick.bid
    target = price + side.value * flow.take_profit if flow.take_profit > 0.0 else 0.0
    return Intent(
        decision_id=decision_id,
        symbol=tick.symbol,
        kind=OrderKind.OPEN,
        side=side,
        quantity=quantity,
        price=price,
        stop_loss=instrument.round_price(price - side.value * flow.stop_loss),
        take_profit=instrument.round_price(target),
        ts_ns=tick.ts_ns,
    )
