"""What is done again and again beside trading; every chore is a visible job of the scheduler."""

import msgspec

from plan2.dataflow.quarantine import QuarantineWriter
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.eventstore.snapshots import save_snapshot, state_at
from plan2.foundation.scheduler import Job
from plan2.foundation.storage import Database
from plan2.intelligence.trading.summary import SUMMARY, account_stream
from plan2.intelligence.warm_state import WarmState
from plan2.wiring.assembly import Floor
from plan2.wiring.recovery import save_warm_state


class Chores(msgspec.Struct, frozen=True, kw_only=True):
    """The chores of one run, and what they work on."""

    floor: Floor
    database: Database
    kept: WarmState
    quarantine: QuarantineWriter

    def jobs(self) -> list[Job]:
        """Names, times (UTC) and commands."""
        return [
            Job("keep_warm_state", self.keep_warm_state, "every 30 s"),
            Job("write_quarantine", self.write_quarantine, "every 60 s"),
            Job("make_event_months", self.make_event_months, "17 3 * * *"),
            Job("snapshot_account", self.snapshot_account, "10 0 * * *"),
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
        await self.database.ensure_months(MAIN_TENANT)

    async def snapshot_account(self) -> None:
        """Fold the account's stream and keep the result: a cache for questions about the past."""
        stream = account_stream(self.floor.account.identity.account_id)
        async with self.database.uow(MAIN_TENANT) as uow:
            await save_snapshot(uow, stream, SUMMARY, await state_at(uow, stream, SUMMARY))
