"""What is done again and again beside trading; every chore is a visible job of the scheduler."""

from collections.abc import Callable
from typing import Any

import msgspec

from plan2.dataflow.quarantine import QuarantineWriter
from plan2.foundation.clock import Clock
from plan2.foundation.errors import StoreBusy
from plan2.foundation.eventstore.daily import (
    OUTLINE,
    day_end_us,
    missing_snapshots,
    snapshot_day,
)
from plan2.foundation.eventstore.snapshots import Fold
from plan2.foundation.scheduler import Job
from plan2.foundation.storage import Database
from plan2.intelligence.trading.summary import SUMMARY, account_stream
from plan2.intelligence.warm_state import WarmState
from plan2.interface.views.past import past_fold
from plan2.wiring.assembly import Floor
from plan2.wiring.recovery import save_warm_state
from plan2.wiring.tenant_run import TenantRun
from plan2.wiring.tenant_runs import TenantRuns


class Chores(msgspec.Struct, frozen=True, kw_only=True):
    """The chores of one run, and what they work on."""

    floor: Floor
    runs: TenantRuns
    database: Database
    kept: WarmState
    quarantine: QuarantineWriter
    clock: Clock

    def jobs(self) -> list[Job]:
        """Names, times (UTC) and commands."""
        return [
            Job("keep_warm_state", self.keep_warm_state, "every 30 s"),
            Job("write_quarantine", self.write_quarantine, "every 60 s"),
            Job("open_failed_tenants", self.runs.retry_failed, "every 30 s"),
            Job("make_event_months", self.make_event_months, "17 3 * * *"),
            Job("snapshot_streams", self.snapshot_streams, "10 * * * *"),
            Job("check_snapshots", self.check_snapshots, "30 * * * *"),
        ]

    async def keep_warm_state(self) -> None:
        """Save features and recurrent state, so that a restart goes on exactly."""
        save_warm_state(self.floor, self.kept)

    async def write_quarantine(self) -> None:
        """Write refused ticks to files."""
        for symbol, lane in self.floor.lanes.items():
            await self.quarantine.write(symbol, lane.quality.take_quarantined())

    async def make_event_months(self) -> None:
        """Make the event log's partitions ahead of time."""
        await self.runs.on_each(lambda run: self.database.ensure_months(run.tenant_id))

    async def snapshot_streams(self) -> None:
        """Keep the state of yesterday's streams: a cache for questions about the past."""
        await self.runs.on_each(self._snapshot)

    async def check_snapshots(self) -> None:
        """Alarm when a stream of yesterday has no snapshot.

        Raises:
            StoreBusy: it names them; the scheduler's health shows it until a run finds none.
        """
        missing: list[str] = []
        for run in self.runs.all():
            async with self.database.uow(run.tenant_id) as uow:
                end_us = day_end_us(self.clock.now_ns() // 1_000)
                streams = await missing_snapshots(uow, end_us)
            missing += [f"{run.tenant_id}/{stream}" for stream in streams]
        if missing:
            raise StoreBusy(
                f"{len(missing)} streams have no snapshot of yesterday: {', '.join(missing[:5])}.",
                remedy="The job snapshot_streams makes them; see why it failed on the System page.",
            )

    async def _snapshot(self, run: TenantRun) -> None:
        async with self.database.uow(run.tenant_id) as uow:
            await snapshot_day(uow, day_end_us(self.clock.now_ns() // 1_000), fold_for(run))


def fold_for(run: TenantRun) -> Callable[[str], Fold[Any]]:
    """An account's stream has a summary of its own, any other an outline."""
    stream = account_stream(run.account.identity.account_id)
    return lambda stream_id: SUMMARY if stream_id == stream else past_fold(stream_id) or OUTLINE
