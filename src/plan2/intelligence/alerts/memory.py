"""When a rule fires: a small automaton with hysteresis and a pause, kept over restarts.

    above, below       fire when the figure is past the level while armed, also at the first look
    crosses_above, …   the same, but armed only once the figure was seen on the near side
    crosses            fires at each change of side; one within the pause is let go

After a firing the rule is armed again when the figure has gone back past the level by `rearm`. A
firing that falls into the pause waits for its end, and happens if the figure is still there.
"""

import math
from typing import Final

import msgspec

from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.alerts.conditions import Bounds

NEVER_NS: Final = -(10**18)


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule remembers between two looks.

    Attributes:
        armed: None before the first look. side: of the level where the figure was, 0 = unknown.
        fired: how often it did. last_ns: when last, wall clock UTC.
    """

    armed: bool | None = None
    side: int = 0
    fired: int = 0
    last_ns: int = NEVER_NS


class Step(msgspec.Struct, frozen=True):
    """What a look led to."""

    memory: Memory
    fires: bool


def advanced(memory: Memory, bounds: Bounds, value: float, now_ns: int, pause_s: float) -> Step:
    """The memory after a look at the figure, and whether the rule fires; NaN changes nothing."""
    if math.isnan(value):
        return Step(memory, False)
    is_paused = now_ns - memory.last_ns < pause_s * NS_PER_SECOND
    if bounds.test == "crosses":
        return _change_of_side(memory, bounds, value, now_ns, is_paused=is_paused)
    is_up = bounds.test in {"above", "crosses_above"}
    distance = value - bounds.level if is_up else bounds.level - value
    armed = memory.armed
    if armed is None:
        armed = bounds.test in {"above", "below"}
    if distance <= -bounds.rearm:
        armed = True
    fires = armed and distance > 0.0 and not is_paused
    if fires:
        return Step(_fired(memory, now_ns, armed=False), True)
    if armed is memory.armed:
        return Step(memory, False)
    return Step(msgspec.structs.replace(memory, armed=armed), False)


def event_came(memory: Memory, now_ns: int, pause_s: float) -> Step:
    """The memory after an event that was waited for: fires unless it falls into the pause."""
    if now_ns - memory.last_ns < pause_s * NS_PER_SECOND:
        return Step(memory, False)
    return Step(_fired(memory, now_ns, armed=True), True)


def _change_of_side(
    memory: Memory, bounds: Bounds, value: float, now_ns: int, *, is_paused: bool
) -> Step:
    distance = value - bounds.level
    side = memory.side if distance == 0.0 else (1 if distance > 0.0 else -1)
    is_far = abs(distance) >= bounds.rearm
    is_change = memory.side not in {0, side}
    fires = is_change and (bool(memory.armed) or is_far) and not is_paused
    armed = is_far if is_change or memory.side == 0 else bool(memory.armed) or is_far
    after = msgspec.structs.replace(memory, armed=armed, side=side)
    return Step(_fired(after, now_ns, armed=is_far), True) if fires else Step(after, False)


def _fired(memory: Memory, now_ns: int, *, armed: bool) -> Memory:
    return msgspec.structs.replace(memory, armed=armed, fired=memory.fired + 1, last_ns=now_ns)
