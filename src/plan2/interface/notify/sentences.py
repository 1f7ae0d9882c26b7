"""What events say to people: a title, a sentence with units and money, how grave it is, a link."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from plan2.foundation.events import account, jobs, learning, model, order, people, system
from plan2.foundation.events.base import Event
from plan2.interface.notify.notification import Notification, Severity

INFO, WARNING, CRITICAL = Severity
STATE_WORDS: Final = {
    "armed": "Trading is armed",
    "paused": "Trading is paused",
    "reduce_only": "Only exits go through",
    "halted": "Trading is halted",
}
HALTED: Final = "halted"
LINK_UP: Final = "up"
BAD_HEALTH: Final = frozenset({"down", "degraded"})


class Context(NamedTuple):
    """What a sentence needs beside its event: the tenant, its currency, and who an actor is."""

    tenant_id: str
    currency: str
    who: Callable[[str], str]


class Said(NamedTuple):
    """What an event says; `user_id` is the one person it is for."""

    kind: str
    severity: Severity
    title: str
    sentence: str
    link: str = ""
    key: str = ""
    user_id: str = ""


Say = Callable[[Any, Context], Said | None]  # each takes its own class of event


def notification_of(event: Event, context: Context) -> Notification | None:
    """What people are told of an event; None when nothing."""
    say = SAYINGS.get(type(event))
    said = say(event, context) if say is not None else None
    if said is None:
        return None
    return Notification(
        tenant_id=context.tenant_id,
        kind=said.kind,
        severity=said.severity,
        title=said.title,
        sentence=said.sentence,
        at_ns=event.ts_ns,
        link=said.link,
        dedup_key=said.key,
        data={"event": type(event).__name__},
        user_id=said.user_id,
    )


def _opened(event: order.PositionOpened, _: Context) -> Said:
    stop = f", stop {event.stop_loss:.10g}" if event.stop_loss else ", without a stop"
    whose = "" if event.is_managed else " Plan2 did not open it and leaves it alone."
    sentence = f"{event.quantity:.10g} lots at {event.open_price:.10g}{stop}.{whose}"
    link = f"/decisions/{event.decision_id}" if event.decision_id else "/positions"
    title = f"{event.symbol} {event.direction} opened"
    return Said("open", INFO, title, sentence, link, f"open:{event.position_id}")


def _closed(event: order.PositionClosed, context: Context) -> Said:
    net = _amount(event.profit) + _amount(event.commission) + _amount(event.swap)
    sentence = (
        f"{event.quantity:.10g} lots from {event.open_price:.10g} to {event.close_price:.10g}: "
        f"{net:+,.2f} {context.currency} net. {_reason(event.reason)}"
    ).rstrip()
    key = f"close:{event.position_id}:{event.ts_ns}"
    title = f"{event.symbol} {event.direction} closed, {net:+,.2f} {context.currency}"
    return Said("close", INFO, title, sentence, "/positions", key)


def _executed(event: order.OrderExecuted, _: Context) -> Said:
    sentence = f"{event.executed_quantity:.10g} lots at {event.executed_price:.10g}."
    title = f"{event.symbol} {event.side} executed"
    return Said("fill", INFO, title, sentence, "/positions", f"fill:{event.fill_id}")


def _denied(event: order.OrderDenied, _: Context) -> Said:
    sentence = (
        f"The risk gate refused it by the rule {event.rule_id}: "
        f"{event.current_value:.6g}, allowed {event.threshold:.6g}."
    )
    link = f"/decisions/{event.decision_id}" if event.decision_id else ""
    key = f"denied:{event.symbol}:{event.rule_id}"
    return Said("denied", INFO, f"{event.symbol}: no order", sentence, link, key)


def _rejected(event: order.OrderRejected, _: Context) -> Said:
    sentence = f"The broker refused the order: {event.reason}"
    title = f"{event.symbol}: order rejected"
    return Said("rejected", WARNING, title, sentence, "/positions", f"rejected:{event.order_id}")


def _unknown(event: order.OrderOutcomeUnknown, _: Context) -> Said:
    sentence = (
        f"It is not known whether the order exists; {event.symbol} is blocked until the broker's "
        f"books tell. {event.reason}"
    )
    title = f"{event.symbol}: outcome unknown"
    return Said("unknown", CRITICAL, title, sentence, "/positions", f"unknown:{event.order_id}")


def _state(event: account.TradingStateChanged, context: Context) -> Said:
    where = f" ({event.scope} {event.target})" if event.target else ""
    title = STATE_WORDS.get(event.new_state, f"Trading is {event.new_state}") + where
    sentence = f"Account {event.account_id}, by {context.who(event.actor)}. {event.reason}".rstrip()
    if event.new_state == HALTED:
        return Said("halt", CRITICAL, title, sentence, "/")
    return Said("trading", INFO, title, sentence, "/")


def _kill_begun(event: account.KillBegun, context: Context) -> Said:
    sentence = (
        f"Account {event.account_id}, by {context.who(event.actor)}: trading halts, orders are "
        f"withdrawn, positions are closed. {event.reason}"
    ).rstrip()
    return Said("kill", CRITICAL, "Kill switch used", sentence, "/positions")


def _kill_finished(event: account.KillFinished, _: Context) -> Said:
    done = (
        f"Account {event.account_id}: {event.orders_cancelled} orders withdrawn, "
        f"{event.positions_closed} positions closed."
    )
    open_ = [*event.failed, *event.unknown]
    if event.is_flat:
        left = f" Left alone: {', '.join(event.left)}." if event.left else ""
        return Said("kill", CRITICAL, "Kill finished: all is flat", done + left, "/positions")
    sentence = f"{done} Still open: {', '.join(open_) or 'the terminal does not tell'}."
    return Said("kill", CRITICAL, "Kill is not finished", sentence, "/positions")


def _neared(event: account.RiskLimitNeared, _: Context) -> Said:
    sentence = (
        f"{event.rule_id} of account {event.account_id}: {event.current_value:.4g} of "
        f"{event.threshold:.4g} ({100 * event.share:.0f} % of the limit). Trading goes on."
    )
    key = f"neared:{event.account_id}:{event.rule_id}:{event.share}"
    return Said("limit_neared", WARNING, "A loss limit comes near", sentence, "/", key)


def _breached(event: account.RiskLimitBreached, _: Context) -> Said:
    sentence = (
        f"{event.rule_id} of account {event.account_id}: {event.current_value:.4g}, limit "
        f"{event.threshold:.4g}. {event.action}"
    ).rstrip()
    key = f"breached:{event.account_id}:{event.rule_id}"
    return Said("limit_breached", CRITICAL, "A loss limit was reached", sentence, "/", key)


def _link(event: account.TerminalLinkChanged, _: Context) -> Said:
    is_up = event.state == LINK_UP
    title = "The broker is connected again" if is_up else f"The broker's link is {event.state}"
    sentence = f"Account {event.account_id}. {event.reason}".rstrip()
    key = f"link:{event.account_id}:{event.state}"
    return Said("link", INFO if is_up else WARNING, title, sentence, "/system", key)


def _difference(event: order.ReconciliationDifference, _: Context) -> Said:
    sentence = (
        f"Account {event.account_id}, {event.kind}: ours {event.ours or '–'}, the broker's "
        f"{event.theirs or '–'}. {event.action}"
    )
    key = f"books:{event.account_id}:{event.kind}:{event.ours}:{event.theirs}"
    return Said("books", WARNING, "The books differ from the broker's", sentence, "/positions", key)


def _health(event: system.ServiceHealthChanged, _: Context) -> Said | None:
    if event.status in BAD_HEALTH:
        grave = WARNING if event.status == "down" else INFO
        title = f"{event.service_name} is {event.status}"
    elif event.status == "ok":
        grave, title = INFO, f"{event.service_name} is well"
    else:
        return None
    key = f"health:{event.service_name}:{event.status}"
    return Said("health", grave, title, event.detail or "No detail was given.", "/system", key)


def _promoted(event: model.ModelPromoted, context: Context) -> Said:
    sentence = (
        f"{event.candidate_id} serves {event.symbol}. {context.who(event.by)}: {event.reason}"
    )
    return Said("model", INFO, f"{event.symbol}: new champion", sentence, "/models")


def _rolled_back(event: model.ModelRolledBack, context: Context) -> Said:
    sentence = f"{event.candidate_id} serves {event.symbol} again. {context.who(event.by)}: "
    return Said("model", WARNING, f"{event.symbol}: models rolled back",
                sentence + event.reason, "/models")  # fmt: skip


def _withdrawn(event: model.ModelWithdrawn, context: Context) -> Said:
    sentence = f"Nobody serves {event.symbol} any more. {context.who(event.by)}: {event.reason}"
    return Said("model", WARNING, f"{event.symbol}: models withdrawn", sentence, "/models")


def _retraining(event: learning.RetrainingAsked, _: Context) -> Said:
    sentence = f"{event.cause}, {event.labels_new:.0f} new labels."
    return Said("retraining", INFO, f"Retraining of {event.slot} asked for", sentence, "/learning")


def _job(event: jobs.JobEnded, _: Context) -> Said:
    took = (
        f"after {event.seconds / 60:.0f} min"
        if event.seconds >= 60
        else f"in {event.seconds:.0f} s"
    )
    if event.state == "done":
        return Said("job", INFO, f"{event.kind} is done", f"It ended {took}.", "/training")
    sentence = f"It {event.state} {took}. {event.message}".rstrip()
    grave = WARNING if event.state == "failed" else INFO
    return Said("job", grave, f"{event.kind} {event.state}", sentence, "/training")


def _approval(event: people.ApprovalAsked, context: Context) -> Said:
    sentence = f"{event.summary} Asked for by {context.who(event.proposed_by)}."
    return Said("approval", WARNING, "A second person is needed", sentence, "/audit",
                f"approval:{event.approval_id}")  # fmt: skip


def _signed_in(event: system.UserAuthenticated, _: Context) -> Said:
    sentence = "If it was not you, end the session under Settings and change your password."
    return Said("sign_in", WARNING, "Somebody signed in as you", sentence, "/settings",
                f"session:{event.session_id}", event.user_id)  # fmt: skip


def _credential(event: people.CredentialChanged, _: Context) -> Said | None:
    if event.change == "used":
        return None
    sentence = f"{event.credential}: {event.change}. If it was not you, tell your administrator."
    key = f"credential:{event.credential}:{event.change}:{event.ts_ns}"
    title = "A way to sign in as you was changed"
    return Said("sign_in", WARNING, title, sentence, "/settings", key, event.user_id)


def _started(event: system.SystemStarted, _: Context) -> Said:
    return Said("system", INFO, "Plan2 started", f"Version {event.version}, {event.mode}.", "/")


def _stopped(event: system.SystemStopped, _: Context) -> Said:
    return Said("system", INFO, "Plan2 stopped", f"Reason: {event.reason}.", "/")


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(0)


def _reason(reason: str) -> str:
    return f"Reason: {reason}." if reason else ""


ANNOUNCED: Final[dict[type[Event], Say]] = {
    order.PositionOpened: _opened,
    order.PositionClosed: _closed,
    order.OrderExecuted: _executed,
    order.OrderDenied: _denied,
    order.OrderRejected: _rejected,
    order.OrderOutcomeUnknown: _unknown,
    order.ReconciliationDifference: _difference,
    account.TradingStateChanged: _state,
    account.KillBegun: _kill_begun,
    account.KillFinished: _kill_finished,
    account.RiskLimitNeared: _neared,
    account.RiskLimitBreached: _breached,
    account.TerminalLinkChanged: _link,
    system.ServiceHealthChanged: _health,
}
"""Told as soon as a tenant's bus announces them, also while the database is away."""
STORED: Final[dict[type[Event], Say]] = {
    model.ModelPromoted: _promoted,
    model.ModelRolledBack: _rolled_back,
    model.ModelWithdrawn: _withdrawn,
    learning.RetrainingAsked: _retraining,
    jobs.JobEnded: _job,
    people.ApprovalAsked: _approval,
    people.CredentialChanged: _credential,
    system.UserAuthenticated: _signed_in,
    system.SystemStarted: _started,
    system.SystemStopped: _stopped,
}
"""Told once they are stored: no bus announces them."""
SAYINGS: Final[dict[type[Event], Say]] = {**ANNOUNCED, **STORED}
