"""An alert: what was raised, who has seen it, and whom it is told next."""

from typing import Final, Literal

import msgspec

from plan2.foundation.values import NS_PER_MINUTE
from plan2.intelligence.alerts.rule import AlertRule, Recipient, Severity

AlertState = Literal["open", "acknowledged", "snoozed", "closed"]
NEVER: Final = 0
SNOOZE_MAX_MINUTES: Final = 7 * 24 * 60


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One firing of a rule; times are wall clock, UTC ns, 0 = never.

    Attributes:
        rule: as it was when it fired. value: the figure, None where there is none.
        state: `closed` when the rule is gone before anybody acknowledged.
        step: how many steps of the escalation were taken. due_ns: when the next one, or the end of
            a snooze, is.
        by: who acknowledged or snoozed.
    """

    alert_id: str
    rule_id: str
    rule: AlertRule
    raised_ns: int
    market_ns: int
    title: str
    words: str
    value: float | None
    state: AlertState = "open"
    step: int = 0
    due_ns: int = NEVER
    by: str = ""
    changed_ns: int = NEVER

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.rule.severity

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has acknowledged it yet."""
        return self.state in {"open", "snoozed"}


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """An alert on its way to people: to whom, and why now.

    `cause`: `raised`, `escalated`, or `again` after a snooze.
    """

    alert: Alert
    to: tuple[Recipient, ...]
    cause: Literal["raised", "escalated", "again"]


def raised(alert: Alert) -> Alert:
    """A new alert with the time of its first escalation."""
    return msgspec.structs.replace(alert, due_ns=_due(alert, alert.raised_ns, 0))


def acknowledged(alert: Alert, by: str, now_ns: int) -> Alert:
    """Somebody has seen it: nothing follows any more."""
    return msgspec.structs.replace(
        alert, state="acknowledged", by=by, changed_ns=now_ns, due_ns=NEVER
    )


def snoozed(alert: Alert, by: str, now_ns: int, until_ns: int) -> Alert:
    """Somebody wants to hear of it later."""
    return msgspec.structs.replace(
        alert, state="snoozed", by=by, changed_ns=now_ns, due_ns=until_ns
    )


def closed(alert: Alert, by: str, now_ns: int) -> Alert:
    """Its rule is gone."""
    return msgspec.structs.replace(alert, state="closed", by=by, changed_ns=now_ns, due_ns=NEVER)


def followed_up(alert: Alert, now_ns: int) -> tuple[Alert, Telling | None]:
    """What is due for an alert now: the next step of the escalation, or the end of a snooze."""
    if not alert.is_waiting or alert.due_ns == NEVER or now_ns < alert.due_ns:
        return alert, None
    if alert.state == "snoozed":
        again = msgspec.structs.replace(
            alert, state="open", step=0, changed_ns=now_ns, due_ns=_due(alert, now_ns, 0)
        )
        return again, Telling(alert=again, to=again.rule.recipients, cause="again")
    step = alert.rule.escalation[alert.step]
    since_ns = alert.due_ns - step.after_minutes * NS_PER_MINUTE
    after = msgspec.structs.replace(
        alert, step=alert.step + 1, due_ns=_due(alert, since_ns, alert.step + 1)
    )
    return after, Telling(alert=after, to=step.to, cause="escalated")


def _due(alert: Alert, since_ns: int, step: int) -> int:
    """When a step is due that counts from `since_ns`; NEVER when there is none."""
    steps = alert.rule.escalation
    return since_ns + steps[step].after_minutes * NS_PER_MINUTE if step < len(steps) else NEVER
