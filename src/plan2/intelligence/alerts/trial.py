"""What a rule would see now: for the form, the command line, and the list of rules."""

import math

import msgspec

from plan2.intelligence.alerts.conditions import Bounds, bounds_of
from plan2.intelligence.alerts.memory import Memory, advanced
from plan2.intelligence.alerts.readings import Readings, sighting_of, threshold_words
from plan2.intelligence.alerts.rule import AlertRule, checked


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule would see now: the figure, and whether it would fire at its first look."""

    value: float | None
    would_fire: bool
    words: str
    threshold: str


def tried(rule: AlertRule, readings: Readings, now_ns: int) -> Trial:
    """Look at a rule once; nothing is kept and nobody is told.

    Raises:
        InputError: it cannot hold.
    """
    checked(rule)
    seen = sighting_of(rule.condition, readings, now_ns)
    fires = advanced(Memory(), _first(bounds_of(rule.condition)), seen.value, now_ns, 0.0).fires
    return Trial(
        value=None if math.isnan(seen.value) else seen.value,
        would_fire=fires and rule.is_enabled and rule.hours.hold(now_ns),
        words=seen.words,
        threshold=threshold_words(rule.condition),
    )


def _first(bounds: Bounds) -> Bounds:
    """The bounds of a trial: where a crossing waits for the other side, the side itself counts."""
    is_down = bounds.test in {"below", "crosses_below"}
    return msgspec.structs.replace(bounds, test="below" if is_down else "above")
