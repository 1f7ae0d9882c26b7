"""How stored data is shown to browsers: microseconds for nanoseconds, no number beyond 2**53 - 1.

JavaScript keeps integers exactly only up to 2**53 - 1, which nanoseconds since 1970 exceed. So a
member `ts_ns` is shown as `ts_us`, and any other integer that large as its decimal string.
"""

import math
from typing import Any, Final

from plan2.foundation.errors import require

SAFE_INTEGER_MAX: Final = 2**53 - 1
NS_PER_US: Final = 1_000
NS_SUFFIX: Final = "_ns"

Plain = dict[str, Any] | list[Any] | str | int | float | bool | None  # JSON, which is recursive


def to_us(ts_ns: int) -> int:
    """Microseconds since the epoch, rounded down."""
    return ts_ns // NS_PER_US


def us_or_none(ts_ns: int | None) -> int | None:
    """Microseconds since the epoch, or None for what has not happened."""
    return None if ts_ns is None else to_us(ts_ns)


def for_screen(value: Any) -> Plain:  # any JSON value: payloads belong to other levels
    """A copy of plain data that a browser reads without loss of meaning; NaN becomes null."""
    if isinstance(value, dict):
        return dict(_member(str(key), item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return [for_screen(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= SAFE_INTEGER_MAX else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def refuse_unsafe(value: object) -> None:
    """Hold that nothing in a frame is an integer that a browser would round.

    Raises:
        InvariantBroken: an integer is beyond 2**53 - 1.
    """
    if type(value) is int:
        require(abs(value) <= SAFE_INTEGER_MAX, f"{value} cannot be shown exactly in a browser")
    elif isinstance(value, list | tuple):
        for item in value:
            refuse_unsafe(item)
    elif isinstance(value, dict):
        for item in value.values():
            refuse_unsafe(item)


def number_or_none(value: float) -> float | None:
    """`value`, or None where it is not a number: charts show a gap."""
    return value if math.isfinite(value) else None


def _member(name: str, value: Any) -> tuple[str, Plain]:
    if name.endswith(NS_SUFFIX) and isinstance(value, int) and not isinstance(value, bool):
        return name.removesuffix(NS_SUFFIX) + "_us", for_screen(to_us(value))
    return name, for_screen(value)
