"""The health board: what state each part is in, since when, and what the process waits for.

A part is a component of the hub or a business check (books reconciled, disk not full …). The hub
reports life-cycle states and polls the checks; a check speaks only while its part is up.
"""

import enum
from collections.abc import Callable

import msgspec

from plan2.foundation.bus import Bus
from plan2.foundation.clock import Clock
from plan2.foundation.errors import require
from plan2.foundation.events.system import ServiceHealthChanged


class Status(enum.StrEnum):
    """State of a part."""

    STARTING = "starting"
    """Not there yet, or being restarted."""
    OK = "ok"
    DEGRADED = "degraded"
    """Works with a limitation that the detail explains."""
    DOWN = "down"
    STOPPED = "stopped"
    """Ended in order."""


UP = frozenset({Status.OK, Status.DEGRADED})
"""States in which a part does its work."""


class Health(msgspec.Struct, frozen=True):
    """What a part says about itself; `detail` is a sentence for the operator."""

    status: Status = Status.OK
    detail: str = ""
    metrics: dict[str, float] = {}


Check = Callable[[], Health]
"""Asked once a second on the event loop: cheap, no input or output."""


class ComponentHealth(msgspec.Struct, frozen=True):
    """One row of the health page; `since_us` is when the status last changed."""

    name: str
    level: int
    status: Status
    detail: str
    since_us: int
    metrics: dict[str, float]


class _Part(msgspec.Struct):
    """A part and its last report."""

    level: int
    required: bool
    health: Health
    since_ns: int


class HealthBoard:
    """All parts of the process with their states; announces each change of status on the bus.

    Args:
        clock: what `since_us` and the events are stamped with.
        bus: where `ServiceHealthChanged` is announced.
        loop_lag_ms: p99 of how late the event loop runs (`plan2.foundation.loop.LoopLag.p99_ms`).
    """

    def __init__(self, clock: Clock, bus: Bus, loop_lag_ms: Callable[[], float]) -> None:
        self._clock = clock
        self._bus = bus
        self._loop_lag_ms = loop_lag_ms
        self._parts: dict[str, _Part] = {}
        self._checks: dict[str, Check] = {}

    def add(
        self, name: str, level: int, *, required: bool = False, check: Check | None = None
    ) -> None:
        """Show a part, in state STARTING; a `required` one must be up for the process to be ready.

        A part that only consists of its check is up as soon as it was polled.
        """
        require(name not in self._parts, f"health part {name} is added twice")
        starting = Health(Status.STARTING)
        self._parts[name] = _Part(level, required, starting, self._clock.now_ns())
        if check is not None:
            self._checks[name] = check

    @property
    def checks(self) -> dict[str, Check]:
        """The checks by part; the hub polls them."""
        return dict(self._checks)

    def report(self, name: str, health: Health) -> None:
        """Store what is known about a part now; a changed status is announced."""
        part = self._parts[name]
        is_change = health.status is not part.health.status
        part.health = health
        if not is_change:
            return
        part.since_ns = self._clock.now_ns()
        self._bus.publish(
            ServiceHealthChanged(
                ts_ns=part.since_ns,
                service_name=name,
                status=health.status.value,
                detail=health.detail,
                metrics=health.metrics,
            )
        )

    def status_of(self, name: str) -> Status:
        """The last reported status of a part."""
        return self._parts[name].health.status

    def waiting_for(self) -> tuple[str, ...]:
        """Names of required parts that are not up; empty when the process is ready."""
        return tuple(
            name
            for name, part in self._parts.items()
            if part.required and part.health.status not in UP
        )

    def component_up(self) -> dict[tuple[str, ...], float]:
        """1.0, 0.5 (degraded) or 0.0 per part, for the metric `plan2_component_up`."""
        weight = {Status.OK: 1.0, Status.DEGRADED: 0.5}
        return {(name,): weight.get(part.health.status, 0.0) for name, part in self._parts.items()}

    def snapshot(self) -> list[ComponentHealth]:
        """Every part as the health page shows it, in the order they were added."""
        return [
            ComponentHealth(
                name,
                part.level,
                part.health.status,
                part.health.detail,
                part.since_ns // 1_000,
                part.health.metrics,
            )
            for name, part in self._parts.items()
        ]

    def loop_lag_ms_p99(self) -> float:
        """How late the event loop runs, milliseconds."""
        return self._loop_lag_ms()

    def overall(self) -> Status:
        """DOWN when a required part is, STARTING while one starts, else OK or DEGRADED."""
        required = {part.health.status for part in self._parts.values() if part.required}
        for status in (Status.DOWN, Status.STOPPED, Status.STARTING):
            if status in required:
                return status
        healthy = {Status.OK, Status.STOPPED}
        is_whole = all(part.health.status in healthy for part in self._parts.values())
        return Status.OK if is_whole else Status.DEGRADED
