"""What the alert routes take and answer; times are microseconds UTC, 0 = never."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from plan2.foundation.errors import InputError
from plan2.intelligence.alerts.alert import Alert
from plan2.intelligence.alerts.conditions import symbol_of
from plan2.intelligence.alerts.readings import threshold_words, title_of
from plan2.intelligence.alerts.rule import (
    AlertRule,
    Escalation,
    Hours,
    Recipient,
    Severity,
    checked,
)
from plan2.intelligence.alerts.store import KeptRule
from plan2.interface.alerts.channel_book import ChannelRow, OutWay
from plan2.interface.screen import to_us

Name = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,80}$")]
ChannelName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
Minutes = Annotated[int, Meta(ge=1, le=10_080)]
Condition = dict[str, Any]
"""A condition as plain data; `intelligence/alerts/conditions.py` owns the shapes, by `kind`."""


class RuleBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule as somebody declares it; see `AlertRule`."""

    name: Name
    condition: Condition
    severity: Severity = "warning"
    repeat: Literal["once", "every_time"] = "every_time"
    cooldown_s: Annotated[float, Meta(ge=0, le=1e9)] = 60.0
    hours: Hours = Hours()
    recipients: Annotated[tuple[Recipient, ...], Meta(min_length=1, max_length=20)] = (Recipient(),)
    escalation: Annotated[tuple[Escalation, ...], Meta(max_length=10)] = ()
    note: Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{0,500}$")] = ""
    is_enabled: bool = True

    def rule(self) -> AlertRule:
        """The rule.

        Raises:
            InputError: the condition is none, or something that it names does not exist.
        """
        try:
            return checked(msgspec.convert(msgspec.to_builtins(self), AlertRule))
        except msgspec.ValidationError as error:
            raise InputError(
                f"The rule cannot hold: {error}.", remedy="docs/alerts.md shows every kind."
            ) from None


class RuleItem(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with what it sees now; `value` null while that is not known."""

    rule_id: str
    name: str
    condition: Condition
    severity: str
    repeat: str
    cooldown_s: float
    hours: Hours
    recipients: tuple[Recipient, ...]
    escalation: tuple[Escalation, ...]
    note: str
    is_enabled: bool
    symbol: str
    title: str
    threshold: str
    value: float | None
    now: str
    fired: int
    last_us: int
    changed_by: str
    changed_us: int


class RuleList(msgspec.Struct, frozen=True):
    """Every rule of the tenant, by name."""

    items: list[RuleItem]


class TrialItem(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule would see now, and whether it would fire."""

    value: float | None
    would_fire: bool
    now: str
    threshold: str


class AlertItem(msgspec.Struct, frozen=True, kw_only=True):
    """An alert; `due_us` is its next escalation, or the end of its snooze."""

    alert_id: str
    rule_id: str
    rule: str
    severity: str
    state: str
    title: str
    words: str
    note: str
    value: float | None
    raised_us: int
    market_us: int
    changed_us: int
    due_us: int
    step: int
    by: str


class SnoozeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how long an alert is put off."""

    minutes: Minutes = 30


class ChannelBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new channel; `target` is your mail address, or a webhook's URL."""

    name: ChannelName
    way: OutWay
    target: Annotated[str, Meta(min_length=3, max_length=2_000)]


class ChannelItem(msgspec.Struct, frozen=True, kw_only=True):
    """A channel and how it is; its address is shown to nobody."""

    name: str
    way: str
    status: str
    detail: str
    created_us: int
    user_id: str


class ChannelList(msgspec.Struct, frozen=True, kw_only=True):
    """Every channel of the tenant; the web app is always there."""

    items: list[ChannelItem]
    has_mail_server: bool
    has_telegram: bool


class ChannelMade(msgspec.Struct, frozen=True, kw_only=True):
    """A new channel; `secret` signs a webhook and is shown this once, empty for e-mail."""

    name: str
    way: str
    secret: str


class TestResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a test message."""

    is_delivered: bool
    detail: str


class BeatReceipt(msgspec.Struct, frozen=True):
    """A heartbeat was heard."""

    name: str


def rule_item(kept: KeptRule, value: float | None, now: str) -> RuleItem:
    """A rule as the page shows it."""
    rule = kept.rule
    condition: Condition = msgspec.to_builtins(rule.condition)
    return RuleItem(
        rule_id=kept.rule_id,
        name=rule.name,
        condition=condition,
        severity=rule.severity,
        repeat=rule.repeat,
        cooldown_s=rule.cooldown_s,
        hours=rule.hours,
        recipients=rule.recipients,
        escalation=rule.escalation,
        note=rule.note,
        is_enabled=rule.is_enabled,
        symbol=symbol_of(rule.condition),
        title=title_of(rule.condition),
        threshold=threshold_words(rule.condition),
        value=value,
        now=now,
        fired=kept.memory.fired,
        last_us=to_us(max(kept.memory.last_ns, 0)),
        changed_by=kept.changed_by,
        changed_us=to_us(kept.changed_ns),
    )


def alert_item(alert: Alert) -> AlertItem:
    """An alert as page and stream show it."""
    return AlertItem(
        alert_id=alert.alert_id,
        rule_id=alert.rule_id,
        rule=alert.rule.name,
        severity=alert.severity,
        state=alert.state,
        title=alert.title,
        words=alert.words,
        note=alert.rule.note,
        value=alert.value,
        raised_us=to_us(alert.raised_ns),
        market_us=to_us(alert.market_ns),
        changed_us=to_us(alert.changed_ns),
        due_us=to_us(alert.due_ns),
        step=alert.step,
        by=alert.by,
    )


def channel_item(row: ChannelRow, status: str, detail: str) -> ChannelItem:
    """A channel without its address."""
    return ChannelItem(
        name=row.name,
        way=row.way,
        status=status,
        detail=detail,
        created_us=to_us(row.created_ns),
        user_id=row.user_id,
    )
