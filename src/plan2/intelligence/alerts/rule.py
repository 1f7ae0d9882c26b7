"""An alert rule: the condition, how often it may speak, to whom, and what follows unheard."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from plan2.foundation.config.section import NonNegative
from plan2.foundation.errors import InputError
from plan2.foundation.events.catalog import STORED
from plan2.intelligence.alerts.conditions import AnyCondition, Feature, Happened, Health, Minutes
from plan2.intelligence.features.expressions import read_formula

Severity = Literal["info", "warning", "critical"]
Way = Literal["web", "telegram", "email", "webhook"]
HourMinute = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OWN: Final = re.compile(r"^Alert")
"""Facts of alerts themselves: a rule about one would raise the next."""
RULES_MAX: Final = 200
"""Rules of a tenant."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A strict part of a rule."""


class Recipient(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told, and how: `to` is a channel's name; empty = whoever may look (the web app)."""

    way: Way = "web"
    to: Annotated[str, Meta(pattern=r"^[A-Za-z0-9 ._@-]{0,64}$")] = ""


class Escalation(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told when nobody has acknowledged for so long."""

    after_minutes: Minutes
    to: Annotated[tuple[Recipient, ...], Meta(min_length=1, max_length=10)]


class Hours(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a rule looks: from `start` to `end` (next day if earlier) on these days of its zone."""

    start: HourMinute = "00:00"
    end: HourMinute = "00:00"
    days: Annotated[tuple[Day, ...], Meta(min_length=1, max_length=7)] = DAYS
    """Each once."""
    zone: Annotated[str, Meta(max_length=64)] = "UTC"

    def hold(self, now_ns: int) -> bool:
        """Whether a time, UTC ns, lies in them; `start` = `end` is the whole day."""
        if self.start == self.end and len(self.days) == len(DAYS):
            return True
        local = (EPOCH + timedelta(microseconds=now_ns // 1_000)).astimezone(ZoneInfo(self.zone))
        at = f"{local:%H:%M}"
        today, before = DAYS[local.weekday()], DAYS[local.weekday() - 1]
        if self.start < self.end:
            return today in self.days and self.start <= at < self.end
        if self.start == self.end:
            return today in self.days
        return (today in self.days and at >= self.start) or (before in self.days and at < self.end)


class AlertRule(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person has declared.

    `repeat`: `once` switches the rule off after it fired; `every_time` arms it again when the
    figure has gone back. `cooldown_s`: the least time between two firings, seconds of wall clock.
    """

    name: Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,80}$")]
    condition: AnyCondition
    severity: Severity = "warning"
    repeat: Literal["once", "every_time"] = "every_time"
    cooldown_s: NonNegative = 60.0
    hours: Hours = Hours()
    recipients: Annotated[tuple[Recipient, ...], Meta(min_length=1, max_length=20)] = (Recipient(),)
    escalation: Annotated[tuple[Escalation, ...], Meta(max_length=10)] = ()
    note: Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{0,500}$")] = ""
    is_enabled: bool = True


class RuleFile(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A TOML file of rules: `[[rule]]` tables."""

    rule: tuple[AlertRule, ...] = ()


def checked(rule: AlertRule) -> AlertRule:
    """The rule itself, if everything it names exists as far as the program alone can tell.

    Raises:
        InputError: an unknown zone, event, member, or formula; an escalation that goes backwards.
    """
    try:
        ZoneInfo(rule.hours.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(
            f"Rule {rule.name!r}: there is no time zone {rule.hours.zone!r}.",
            remedy='Write it as in "Europe/Berlin" or "UTC".',
        ) from None
    if len(set(rule.hours.days)) != len(rule.hours.days):
        raise InputError(f"Rule {rule.name!r}: a day stands twice in its hours.")
    after = [step.after_minutes for step in rule.escalation]
    if after != sorted(set(after)):
        raise InputError(f"Rule {rule.name!r}: escalation minutes must rise; found {after}.")
    match rule.condition:
        case Happened() as condition:
            _check_event(rule.name, condition)
        case Feature(formula=formula):
            try:
                read_formula(formula)
            except InputError as error:
                message = f"Rule {rule.name!r}: {error.message}"
                raise InputError(message, remedy=error.remedy) from error
        case Health(figure=figure, of="") if figure != "loop_lag_ms":
            raise InputError(
                f"Rule {rule.name!r}: {figure} needs `of`.",
                remedy="Name a symbol for feed_age_s, a stage for latency_p99_ms.",
            )
    return rule


def read_rules(text: str) -> tuple[AlertRule, ...]:
    """The rules of a TOML file.

    Raises:
        InputError: it is no TOML, a key is unknown or a value out of range; or as `checked`.
    """
    try:
        rules = msgspec.toml.decode(text, type=RuleFile).rule
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"The rules cannot be read: {error}.", remedy="docs/alerts.md shows every kind."
        ) from error
    names = [rule.name for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"Two rules are called {twice[0]!r}.", remedy="Give each its own name.")
    return tuple(checked(rule) for rule in rules)


def _check_event(rule: str, condition: Happened) -> None:
    known = STORED.get(condition.event)
    if known is None or OWN.match(condition.event):
        raise InputError(
            f"Rule {rule!r}: there is no event {condition.event!r} to wait for.",
            remedy="`plan2 events list` shows what is stored; facts of alerts cannot raise alerts.",
        )
    members = set(known[1].__struct_fields__)
    strange = sorted(condition.where.keys() - members)
    if strange:
        raise InputError(
            f"Rule {rule!r}: {condition.event} has no member {strange[0]!r}.",
            remedy=f"It has {', '.join(sorted(members))}.",
        )
