"""Facts of alerts: what was declared, raised, seen and put off."""

from plan2.foundation.events.base import Event


class AlertRuleChanged(Event, frozen=True, kw_only=True, gc=False):
    """A rule was `added`, `changed`, `removed`, or `spent`: it was to fire once, and did.

    `rule` is the rule as JSON, empty when it was removed.
    """

    rule_id: str
    name: str
    change: str
    rule: str
    by: str


class AlertRaised(Event, frozen=True, kw_only=True, gc=False):
    """A rule fired; `ts_ns` is market time, `value` the figure that did it."""

    alert_id: str
    rule_id: str
    name: str
    severity: str
    title: str
    words: str
    value: float | None


class AlertAcknowledged(Event, frozen=True, kw_only=True, gc=False):
    """Somebody has seen an alert."""

    alert_id: str
    rule_id: str
    by: str


class AlertSnoozed(Event, frozen=True, kw_only=True, gc=False):
    """Somebody put an alert off; `until_ns` is wall clock, UTC."""

    alert_id: str
    rule_id: str
    until_ns: int
    by: str


class AlertEscalated(Event, frozen=True, kw_only=True, gc=False):
    """Nobody acknowledged in time, so others were told."""

    alert_id: str
    rule_id: str
    step: int
    to: tuple[str, ...]


class AlertChannelChanged(Event, frozen=True, kw_only=True, gc=False):
    """A channel for alerts was `added` or `removed`."""

    channel: str
    way: str
    change: str
    by: str
