"""What events say to people: a title, a sentence with units and money, how grave it is, a link."""

from collections.abc import Callable
from typing import Any, Final

from plan2.foundation.events import account, jobs, learning, model, order, people, system
from plan2.foundation.events.base import Event
from plan2.interface.language.say import TRANSLATED, Say
from plan2.interface.notify import sentences_system as about_plan2
from plan2.interface.notify import sentences_trading as about_trading
from plan2.interface.notify.notification import Notification
from plan2.interface.notify.said import Context, Said

Saying = Callable[[Any, Context], Said | None]  # each takes its own class of event


def notification_of(event: Event, context: Context) -> Notification | None:
    """What people are told of an event, in every language; None when nothing."""
    saying = SAYINGS.get(type(event))
    said = saying(event, context) if saying is not None else None
    if said is None or saying is None:
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
        translated={
            language: (again.title, again.sentence)
            for language in TRANSLATED.keys() - {context.say.language}
            if (again := saying(event, context._replace(say=Say(language)))) is not None
        },
    )


ANNOUNCED: Final[dict[type[Event], Saying]] = {
    order.PositionOpened: about_trading.opened,
    order.PositionClosed: about_trading.closed,
    order.OrderExecuted: about_trading.executed,
    order.OrderDenied: about_trading.denied,
    order.OrderRejected: about_trading.rejected,
    order.OrderOutcomeUnknown: about_trading.unknown,
    order.ReconciliationDifference: about_trading.difference,
    account.TradingStateChanged: about_trading.state,
    account.KillBegun: about_trading.kill_begun,
    account.KillFinished: about_trading.kill_finished,
    account.RiskLimitNeared: about_trading.neared,
    account.RiskLimitBreached: about_trading.breached,
    account.TerminalLinkChanged: about_trading.link,
    system.ServiceHealthChanged: about_plan2.health,
}
"""Told as soon as a tenant's bus announces them, also while the database is away."""
STORED: Final[dict[type[Event], Saying]] = {
    model.ModelPromoted: about_plan2.promoted,
    model.ModelRolledBack: about_plan2.rolled_back,
    model.ModelWithdrawn: about_plan2.withdrawn,
    learning.RetrainingAsked: about_plan2.retraining,
    jobs.JobEnded: about_plan2.job,
    people.ApprovalAsked: about_plan2.approval,
    people.CredentialChanged: about_plan2.credential,
    system.UserAuthenticated: about_plan2.signed_in,
    system.SystemStarted: about_plan2.started,
    system.SystemStopped: about_plan2.stopped,
}
"""Told once they are stored: no bus announces them."""
SAYINGS: Final[dict[type[Event], Saying]] = {**ANNOUNCED, **STORED}
