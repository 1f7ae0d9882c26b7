"""Wires what a regulator and a person may ask for: signed log, privacy, consents, clock."""

import asyncio
from pathlib import Path

from plan2.connectivity.identity.consents import Consents, PostgresConsents
from plan2.connectivity.identity.deletion_ledger import Deletion, DeletionLedger
from plan2.connectivity.identity.erasure_ledger import ErasureLedger
from plan2.connectivity.identity.privacy import Privacy
from plan2.connectivity.identity.subject_export import SubjectExport
from plan2.foundation.clock import LiveClock, stopwatch_ns
from plan2.foundation.clock_watch import MEASURE_EVERY, ClockWatch
from plan2.foundation.config.schema import Audit
from plan2.foundation.events.recording import Record
from plan2.foundation.events.tenancy import ClockMeasured
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.checkpointing import Checkpointer, CheckpointFolders
from plan2.foundation.eventstore.checkpoints import CheckpointFile, Signer
from plan2.foundation.eventstore.proving import Prover
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.retention import Retention
from plan2.foundation.hub import Component
from plan2.foundation.scheduler import Job
from plan2.foundation.secrets.keys_opening import Keys
from plan2.foundation.storage import Database
from plan2.foundation.time_sources import run_tool, sntp
from plan2.foundation.values import TenantId

FOLDER = "checkpoints"
ARCHIVE = "event_archive"


class Governance:
    """The signed log, consents, erasures and the clock of all tenants.

    Args:
        folder: the data folder. audit: its section of the configuration.
    """

    def __init__(
        self, folder: Path, audit: Audit, database: Database, keys: Keys, record: Record
    ) -> None:
        wall, open_unit = LiveClock(), database.uow
        first = folder / FOLDER
        second = Path(audit.second_folder).expanduser() if audit.second_folder else None
        self.checkpointer = Checkpointer(
            open_unit,
            wall,
            Signer.in_folder(first),
            CheckpointFolders(first=first, second=second),
            record,
        )
        self.prover = Prover(
            open_unit, lambda tenant: CheckpointFile(first, tenant), folder / ARCHIVE
        )
        self.consents = Consents(PostgresConsents(open_unit), wall, record)
        ledger = ErasureLedger(first, second)
        self.deletions = DeletionLedger(first, second)
        self.privacy = Privacy(open_unit, keys.subjects.destroy, ledger, wall, record)
        self.export = SubjectExport(open_unit, keys.sealer, wall, record)
        self.clock = ClockWatch(
            wall,
            stopwatch_ns,
            self._tell_clock,
            run_tool,
            sntp,
            servers=audit.time_servers,
        )
        self._record = record
        self._retention = Retention(
            database.access, folder / ARCHIVE, first, self.checkpointer.signer, wall
        )
        self._told: set[TenantId] = set()

    async def note_deletion(self, tenant_id: TenantId) -> None:
        """Write down, outside the database, that a tenant is deleted."""
        now_us = LiveClock().now_ns() // 1_000
        line = Deletion(tenant=tenant_id, deleted_us=now_us)
        await asyncio.to_thread(self.deletions.add, line)

    async def admit(self, tenant_id: TenantId) -> None:
        """Erase again whoever was erased, then follow the tenant's log and consents."""
        await self.privacy.replay(tenant_id)
        await self.consents.load(tenant_id)
        await self.checkpointer.load(tenant_id)
        self._told.add(tenant_id)

    def forget(self, tenant_id: TenantId) -> None:
        """A tenant is gone for good."""
        self.checkpointer.forget(tenant_id)
        self._told.discard(tenant_id)

    def follow(self, tenant_id: TenantId, appender: Appender) -> None:
        """Count what is stored in a tenant's log."""

        def count(stored: StoredEvent) -> None:
            self.checkpointer.on_stored(tenant_id, stored.type)

        appender.on_stored(count)

    def components(self) -> tuple[Component, ...]:
        """What runs beside everything else."""
        return (
            Component(
                name="checkpoints",
                level=1,
                run=self.checkpointer.run,
                check=self.checkpointer.check,
            ),
            Component(name="clock", level=1, start=self.clock.measure_job, check=self.clock.check),
        )

    def jobs(self) -> list[Job]:
        """What is done again and again."""
        return [Job("measure_clock", self.clock.measure_job, MEASURE_EVERY)]

    async def close(self) -> None:
        """Sign every log as it is at the end."""
        for tenant_id in self._told:
            await self.checkpointer.sign(tenant_id)

    async def archive_months(self, tenant_id: TenantId) -> None:
        """Move a tenant's old months out of the database, into files."""
        await asyncio.to_thread(self._retention.run, tenant_id)

    def _tell_clock(self, event: ClockMeasured) -> None:
        for tenant_id in self._told:
            self._record(tenant_id, "clock", event)
