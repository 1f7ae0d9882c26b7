"""How a rule says what it saw and its limit; a figure that is not a number never passes."""

from typing import Final

from plan2.intelligence.risk.parts import Check

IMPOSSIBLE: Final = 1e12
"""Stands for a figure that could not be computed; finite, so that records stay plain JSON."""


def at_most(rule: str, value: float, limit: float) -> Check:
    """Passes up to the limit itself."""
    return _check(rule, value <= limit, value, limit)


def at_least(rule: str, value: float, limit: float) -> Check:
    """Passes from the limit itself upwards."""
    return _check(rule, value >= limit, value, limit)


def below(rule: str, value: float, limit: float) -> Check:
    """Passes below the limit; the limit itself refuses."""
    return _check(rule, value < limit, value, limit)


def equal(rule: str, value: float, limit: float) -> Check:
    """Passes when both are the same number."""
    return _check(rule, value == limit, value, limit)


def _check(rule: str, passed: bool, value: float, limit: float) -> Check:
    return Check(rule=rule, passed=passed, value=_finite(value), limit=_finite(limit))


def _finite(number: float) -> float:
    if -IMPOSSIBLE < number < IMPOSSIBLE:
        return number
    return -IMPOSSIBLE if number < 0.0 else IMPOSSIBLE
