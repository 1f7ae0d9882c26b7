"""What stands above tenants: keys, the directory, settings and flags, and how facts are written.

It is there before anybody trades and before the page; tenants that are created later are brought in
by `admit`, and what is left of a deleted one outside its schema is destroyed by `_forget`.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from plan2.connectivity.identity.broker_bindings import Bindings, PostgresBindings
from plan2.connectivity.identity.deletion_ledger import bury_again
from plan2.connectivity.identity.directory import Tenant, TenantState
from plan2.connectivity.identity.onboarding import TenantHooks
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.tenant_store import PostgresTenantStore
from plan2.connectivity.identity.tenant_work import Exports
from plan2.connectivity.identity.tenants import Tenants
from plan2.connectivity.jobs.service import Jobs
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.flags import Flags
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.config.overlay import Overlay
from plan2.foundation.config.overlay_store import PostgresOverlay
from plan2.foundation.config.schema import Settings
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.sealing_events import EventSealer
from plan2.foundation.hub import Component
from plan2.foundation.ids import RandomIds
from plan2.foundation.log import logger
from plan2.foundation.scheduler import Job
from plan2.foundation.secrets.keys_opening import Keys, open_keys
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from plan2.intelligence.models.candidate_desk import CandidateDesk
from plan2.intelligence.models.candidate_intake import Intake
from plan2.interface.api.learning import LearningState
from plan2.interface.api.settings_desk import SettingsDesk
from plan2.wiring.alerting import Alerting
from plan2.wiring.assisting import Assisting
from plan2.wiring.features import Features
from plan2.wiring.flows import FlowTerms
from plan2.wiring.governance import Governance
from plan2.wiring.jobs import job_kinds, open_jobs
from plan2.wiring.limits import Limits
from plan2.wiring.messages import Messages
from plan2.wiring.people import IN_USE, People
from plan2.wiring.recording import Recording
from plan2.wiring.tenant_brokers import TenantBrokers
from plan2.wiring.tenant_folder import folder_of
from plan2.wiring.tenant_runs import TenantRuns

EXPORTS = "exports"
LIMIT_OVERRIDE = "limit_override"


class Installation:
    """One Plan2 with all its tenants.

    Args:
        loaded: the configuration as file and environment give it. database: the open one.
        home: the folder with archive and models.
    """

    def __init__(self, loaded: Loaded, database: Database, keys: Keys, home: Path) -> None:
        wall = LiveClock()
        self.loaded, self.database = loaded, database
        self.folder = data_dir(loaded.settings)
        self.keys = keys
        self.recording = Recording(self._appender_of, self._make_appender, RandomIds())
        workers = loaded.settings.workers
        kinds = job_kinds(workers, self.folder, home)
        self.long_work: Jobs = open_jobs(kinds, workers.slots, database, self.room, self.recording)
        self.tenants = Tenants(
            PostgresTenantStore(database.access),
            TenantHooks(
                invite=self._invite,
                settle=self._admit,
                drain=self._drain,
                still_open=self._still_open,
                forget=(self._forget,),
                restored=(self._replay_erasures,),
                place=self.long_work.place,
            ),
            Exports(self.folder / EXPORTS),
            wall,
            self.recording,
        )
        kept = PostgresOverlay(database.uow)
        self.overlay = Overlay(loaded, kept, self.recording, wall, MAIN_TENANT)
        self.flags = Flags(kept, self.recording, wall, MAIN_TENANT)
        self.features = Features(self.flags)
        self.settings_desk = SettingsDesk(self.overlay, wall, self._propose)
        self.rotations = keys.rotations(self.recording)
        self.governance = Governance(
            self.folder, loaded.settings.audit, database, keys, self.recording
        )
        self.alerting, self.assisting = self._told_and_worded()
        self.bindings = Bindings(PostgresBindings(database.uow), keys.sealer)
        self.address = ""
        self.brokers: TenantBrokers
        self.limits: Limits
        self.people: People
        self.messages: Messages
        self.runs: TenantRuns
        self.lifecycle: CandidateDesk
        self.intake: Intake
        self.learning: LearningState
        self._main_appender: Appender | None = None

    def _told_and_worded(self) -> tuple[Alerting, Assisting]:
        """Alerts and language models of all tenants."""
        settings, consents = self.loaded.settings, self.governance.consents
        database, record = self.database, self.recording
        return (
            Alerting(settings.alerts, database, self.keys.sealer, record, consents),
            Assisting(settings.assistants, database, self.folder, record, consents),
        )

    async def start(self) -> None:
        """Tables, keys, settings and flags of every tenant; one that fails is not served."""
        await self.tenants.start()
        bury_again(self.tenants.directory, self.governance.deletions)
        known = [each.tenant_id for each in self.tenants.directory.all() if each.state in IN_USE]
        for tenant_id in known:
            await self.keys.tenants.refresh(tenant_id)
            self.rotations.ask_for(tenant_id)
        refused = await self.overlay.load(known)
        for tenant_id, error in refused.items():
            logger("tenants").error("settings_refused", tenant_id=tenant_id, reason=str(error))
        await self.flags.load(known)
        for tenant_id in known:
            if self.tenants.directory.is_served(tenant_id):
                await self.governance.admit(tenant_id)

    def write_through(self, appender: Appender) -> None:
        """Facts of the main tenant go this way, before any other tenant is open."""
        self._main_appender = appender

    def sealing(self, tenant_id: TenantId) -> EventSealer:
        """What seals the personal fields of a tenant's events."""
        return EventSealer(self.keys.sealer, tenant_id)

    def effective(self, tenant_id: TenantId) -> tuple[Settings, str]:
        """The settings that hold for a tenant, and their SHA-256."""
        settings = self.features.settings_with(tenant_id, self.overlay.effective(tenant_id))
        return settings, hashlib.sha256(msgspec.json.encode(settings, order="sorted")).hexdigest()

    def components(self) -> tuple[Component, ...]:
        """What runs beside everything else."""
        return (
            Component(name="recording", level=1, run=self.recording.run),
            Component(
                name="keys",
                level=1,
                run=self.keys.tenants.run,
                check=self.keys.tenants.health,
            ),
            Component(name="rotation", level=1, run=self.rotations.run),
            Component(name="onboarding", level=2, run=self.tenants.resume_unfinished),
            *self.governance.components(),
            *self.people.components(),
            *self.messages.components(),
            *self.limits.components(),
        )

    def jobs(self) -> list[Job]:
        """What is done again and again."""
        return [
            *self.limits.jobs(),
            *self.governance.jobs(),
            Job("archive_old_months", self._archive_months, "43 2 * * *"),
            Job("expire_approvals", self._expire_approvals, "every 60 s"),
            Job("watch_keys", self._watch_keys, "every 5 s"),
        ]

    async def close(self) -> None:
        """Let go of work about tenants that is under way; it is taken up at the next start."""
        await self.tenants.close()
        await self.brokers.close()
        await self.long_work.interrupt()
        self.limits.notices.flush()

    async def _archive_months(self) -> None:
        await self.runs.on_each(lambda run: self.governance.archive_months(run.tenant_id))

    async def _expire_approvals(self) -> None:
        await self.runs.on_each(lambda run: self.people.approvals.expire(run.tenant_id))

    async def _watch_keys(self) -> None:
        """Without keys nothing personal can be sealed: take no new risk, exits go on (R-101)."""
        for run in self.runs.all():
            if not self.keys.tenants.is_available(run.tenant_id):
                run.reduce_only("the keys of this tenant cannot be had")

    async def admit(self, tenant_id: TenantId) -> None:
        """Bring in a tenant that was created or resumed; harmless when repeated."""
        await self._admit(tenant_id)
        await self.governance.admit(tenant_id)
        await self.people.admit(tenant_id)
        await self.messages.admit(tenant_id)
        await self.long_work.recover(tenant_id)

    def room(self, tenant_id: str, quota: str) -> None:
        """Refuse when a tenant has as much of something as it may."""
        self.limits.room(tenant_id, quota)

    def flow_terms(self, tenant_id: TenantId) -> FlowTerms:
        """What holds for a tenant's flows."""
        return FlowTerms(
            settings=lambda: self.effective(tenant_id)[0],
            room=lambda: self.room(tenant_id, "flows"),
        )

    def at(self, url: str) -> None:
        """Where Plan2 is reached from now on."""
        self.address = self.limits.address = url

    async def forget_person(self, tenant_id: TenantId, user_id: str, by: str) -> None:
        """End what is in memory of a person who is being erased: sessions, keys, settings."""
        await self.overlay.forget_person(tenant_id, user_id)
        self.flags.forget(tenant_id, user_id)
        run = self.runs.find(tenant_id)
        if run is not None:
            run.alerts.forget(user_id)
        await self.people.book.forget(tenant_id, user_id, by=by)

    def on_tenant(self, tenant: Tenant) -> None:
        """A tenant's state changed; called synchronously."""
        if tenant.state is not TenantState.READY:
            self.limits.forget(tenant.tenant_id)
            self.long_work.stop_all(tenant.tenant_id)

    async def _admit(self, tenant_id: TenantId) -> None:
        await self.keys.tenants.refresh(tenant_id)
        self.rotations.ask_for(tenant_id)
        refused = await self.overlay.admit(tenant_id)
        if refused is not None:
            raise refused
        await self.flags.admit(tenant_id)

    async def _invite(self, tenant_id: TenantId, name: str) -> str:
        await self._admit(tenant_id)
        return await self.people.invite_first(tenant_id, name, self.address)

    async def _propose(self, caller: Session, payload: Mapping[str, object], reason: str) -> str:
        """Ask a second person about a setting."""
        approvals = self.people.approvals
        return (await approvals.propose(caller, LIMIT_OVERRIDE, dict(payload), reason)).approval_id

    async def _drain(self, tenant_id: TenantId) -> None:
        await self.long_work.interrupt(tenant_id)
        await self.runs.drain(tenant_id)

    def _still_open(self, tenant_id: TenantId) -> str:
        return self.runs.standings.still_open(tenant_id)

    async def _replay_erasures(self, tenant_id: TenantId) -> None:
        await self._admit(tenant_id)
        await self.bindings.unbind(tenant_id)  # an account of before: a person binds it anew
        await self.governance.privacy.replay(tenant_id)

    async def _forget(self, tenant_id: TenantId) -> None:
        await self.governance.note_deletion(tenant_id)
        await self.keys.tenants.destroy(tenant_id)
        self.keys.subjects.forget(tenant_id)
        self.overlay.forget(tenant_id)
        self.flags.forget(tenant_id)
        self.people.forget(tenant_id)
        self.messages.forget(tenant_id)
        self.governance.forget(tenant_id)
        self.limits.forget(tenant_id)
        folder = folder_of(self.folder, tenant_id)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _appender_of(self, tenant_id: str) -> Appender | None:
        if tenant_id == MAIN_TENANT:
            return self._main_appender
        run = self.runs.find(tenant_id)
        return run.appender if run is not None else None

    def _make_appender(self, tenant_id: TenantId) -> Appender:
        return Appender(self.database.store, tenant_id, seal=self.sealing(tenant_id).seal)


async def open_installation(loaded: Loaded, database: Database, home: Path) -> Installation:
    """Open the keys and read everything that stands above tenants.

    `home` is the folder with archive and models.

    Raises:
        ConfigError: the root key cannot be had, or what was set cannot hold.
    """
    settings, wall, ids = loaded.settings, LiveClock(), RandomIds()
    provider = await asyncio.to_thread(
        lambda: open_keys(
            data_dir(settings), settings.secrets, clock=wall, ids=ids, environment=os.environ
        )
    )
    keys = Keys(provider, database.uow, wall, ids, settings.secrets.remember_s)
    installation = Installation(loaded, database, keys, home)
    await installation.start()
    return installation
