"""Watches the machine's clock as RTS 25 asks: measured every 30 s, recorded daily and on change.

Half the allowed divergence warns, all of it marks order records as non-compliant; a clock that
nobody compares is not claimed to be right. A jump is seen without any reference too, because the
machine's monotonic time does not jump.
"""

import enum
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.events.tenancy import ClockMeasured
from plan2.foundation.health import Health, Status
from plan2.foundation.time_sources import TOOLS, Reading
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND

LIMIT_US: Final = 1_000.0
"""RTS 25 (Regulation 2017/574), Annex table 2: members that do not trade at high frequency."""
WARN_US: Final = 500.0
STALE_NS: Final = 120 * NS_PER_SECOND
"""Three measurements missed: what was measured before is no longer claimed."""
JUMPED: Final = "monotonic clock"
MEASURE_EVERY: Final = "every 30 s"

RunTool = Callable[[Sequence[str]], Awaitable[str]]
AskServer = Callable[[str, Clock], Awaitable[Reading | None]]


class ClockState(enum.StrEnum):
    """What is known of the clock."""

    SYNCHRONISED = "synchronised"
    DRIFTING = "drifting"
    """More than half the allowed divergence."""
    OFF = "off"
    """More than is allowed, or it jumped: records are marked non-compliant."""
    UNKNOWN = "unknown"
    """Nothing compares it: no compliance is claimed."""


COMPLIANT: Final = frozenset({ClockState.SYNCHRONISED, ClockState.DRIFTING})


class ClockReport(msgspec.Struct, frozen=True, kw_only=True):
    """The newest measurement; `offset_us` is our lead, None when unknown."""

    state: ClockState = ClockState.UNKNOWN
    offset_us: float | None = None
    source: str = ""
    measured_us: int = 0
    is_compliant: bool = False


class ClockWatch:
    """Measures, remembers and reports.

    Args:
        wall: the clock that stamps records.
        monotonic_ns: a clock that never jumps (`stopwatch_ns`).
        run_tool: runs a tool of the time service. ask: asks a server of `servers` over SNTP.
        servers: names of time servers; none by default, so nothing leaves the machine unasked.
        tell: takes the fact when the state changes, and once a day.
    """

    def __init__(
        self,
        wall: Clock,
        monotonic_ns: Callable[[], int],
        tell: Callable[[ClockMeasured], None],
        run_tool: RunTool,
        ask: AskServer,
        *,
        servers: Sequence[str] = (),
    ) -> None:
        self._wall = wall
        self._monotonic_ns = monotonic_ns
        self._tell = tell
        self._run_tool = run_tool
        self._ask = ask
        self._servers = tuple(servers)
        self._told_ns = 0
        self._marks: tuple[int, int] | None = None
        self.report = ClockReport()

    async def measure(self) -> ClockReport:
        """Measure once; what the best source says, and whether the clock jumped since last time."""
        jump_us = self._jump_us()
        reading = await self._reading()
        if reading is not None:
            state = state_of(reading.offset_us)
        elif abs(jump_us) > LIMIT_US:
            reading, state = Reading(jump_us, JUMPED), ClockState.OFF
        elif self.report.source == JUMPED:  # nothing has compared it since
            reading, state = Reading(self.report.offset_us or 0.0, JUMPED), ClockState.OFF
        else:
            state = ClockState.UNKNOWN
        now_ns = self._wall.now_ns()
        changed = state is not self.report.state or self._told_ns == 0
        self.report = ClockReport(
            state=state,
            offset_us=reading.offset_us if reading else None,
            source=reading.source if reading else "",
            measured_us=now_ns // 1_000,
            is_compliant=state in COMPLIANT,
        )
        if changed or abs(now_ns - self._told_ns) >= NS_PER_DAY:
            self._told_ns = now_ns
            self._tell(
                ClockMeasured(
                    ts_ns=now_ns,
                    offset_us=self.report.offset_us,
                    source=self.report.source,
                    state=str(state),
                )
            )
        return self.report

    async def measure_job(self) -> None:
        """The same as a job of the scheduler, at `MEASURE_EVERY`."""
        await self.measure()

    def current(self) -> ClockReport:
        """The newest measurement; one that is older than two minutes claims nothing."""
        age_ns = abs(self._wall.now_ns() - self.report.measured_us * 1_000)
        if self.report.measured_us and age_ns <= STALE_NS:
            return self.report
        return msgspec.structs.replace(
            self.report, state=ClockState.UNKNOWN, offset_us=None, is_compliant=False
        )

    def check(self) -> Health:
        """DEGRADED above half the allowed divergence, and when nothing is known."""
        report = self.current()
        metrics = {} if report.offset_us is None else {"offset_us": report.offset_us}
        sentences = {
            ClockState.SYNCHRONISED: "",
            ClockState.DRIFTING: f"The clock is {report.offset_us} µs off, over half of what is "
            "allowed.",
            ClockState.OFF: f"The clock is {report.offset_us} µs off ({report.source}): order "
            "records are marked non-compliant.",
            ClockState.UNKNOWN: "No time service says how far the clock is off: order records do "
            "not claim compliance.",
        }
        is_fine = report.state is ClockState.SYNCHRONISED
        status = Status.OK if is_fine else Status.DEGRADED
        return Health(status, sentences[report.state], metrics)

    async def _reading(self) -> Reading | None:
        """Servers that were named for it come first, then the tools of the machine."""
        for server in self._servers:
            reading = await self._ask(server, self._wall)
            if reading is not None:
                return reading
        for command, parse in TOOLS:
            text = await self._run_tool(command)
            reading = parse(text) if text else None
            if reading is not None:
                return reading
        return None

    def _jump_us(self) -> float:
        """How far wall time ran ahead of monotonic time since the last measurement."""
        wall_ns, steady_ns = self._wall.now_ns(), self._monotonic_ns()
        last, self._marks = self._marks, (wall_ns, steady_ns)
        if last is None:
            return 0.0
        return ((wall_ns - last[0]) - (steady_ns - last[1])) / 1e3


def state_of(offset_us: float) -> ClockState:
    """What a measured divergence means."""
    if abs(offset_us) > LIMIT_US:
        return ClockState.OFF
    return ClockState.DRIFTING if abs(offset_us) > WARN_US else ClockState.SYNCHRONISED
