"""Facts of the log that a rule waits for: whether one fits, and what it says."""

from collections.abc import Mapping
from typing import Any

from plan2.intelligence.alerts.conditions import Happened


def matches(condition: Happened, members: Mapping[str, Any]) -> bool:  # JSON
    """Whether the members that a rule names have the values that it names."""
    return all(_text(members.get(name)) == value for name, value in condition.where.items())


def told(condition: Happened, members: Mapping[str, Any]) -> str:  # JSON
    """The event with those of its members that say most, a bounded text."""
    known = ("symbol", "outcome", "reason", "rule_id", "status", "state", "message", "detail")
    said = [f"{name} {_text(members[name])}" for name in known if members.get(name)]
    return f"{condition.event}: {', '.join(said) or 'it came'}"[:300]


def _text(value: object) -> str:
    """A member as a rule file writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""
