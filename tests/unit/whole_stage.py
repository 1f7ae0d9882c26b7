# ruff: noqa: D102 - the protocols that the fakes implement say what their methods do
"""A gateway with every route of the product, as `wiring/house_routes.py` mounts them, around fakes.

What needs PostgreSQL (audit, privacy, records) gets a `Law`: by default one whose database is
away, so that a request that comes so far is answered 503.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import msgspec
from litestar.types import ControllerRouterHandler

from plan2.connectivity.gateway.join import JoinRoutes
from plan2.connectivity.gateway.middleware import GatewaySettings
from plan2.connectivity.identity.consents import Consents, PostgresConsents
from plan2.connectivity.identity.erasure_ledger import ErasureLedger
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.privacy import Privacy
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.subject_export import SubjectExport
from plan2.connectivity.identity.tenants import Tenants
from plan2.connectivity.jobs.job import JobKind
from plan2.connectivity.registry import Service, ServiceKind, ServiceRegistry
from plan2.dataflow.archive import TickArchive
from plan2.dataflow.market_archive import MarketArchive
from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.clock_watch import ClockWatch
from plan2.foundation.config.flags import Flags
from plan2.foundation.config.load import load
from plan2.foundation.config.overlay import Overlay
from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.errors import StoreBusy
from plan2.foundation.events.base import Event
from plan2.foundation.events.people import ActionTaken, SessionEnded
from plan2.foundation.eventstore.checkpointing import Checkpointer, CheckpointFolders
from plan2.foundation.eventstore.checkpoints import CheckpointFile, Signer
from plan2.foundation.eventstore.proving import Prover
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.ids import SeededIds
from plan2.foundation.secrets.rotation import KeyRotations
from plan2.foundation.secrets.rotation_table import Rotation
from plan2.foundation.secrets.sealing import Sealer
from plan2.foundation.time_sources import Reading
from plan2.foundation.values import TenantId
from plan2.intelligence.comparison.traded import Traded
from plan2.intelligence.flows.source import write_source
from plan2.interface.alerts.service import AlertService
from plan2.interface.api.alert_channels import AlertChannelRoutes
from plan2.interface.api.alerts import AlertRoutes
from plan2.interface.api.approvals import ApprovalRoutes
from plan2.interface.api.assistants import AssistantRoutes
from plan2.interface.api.audit import AuditParts, AuditRoutes
from plan2.interface.api.backtest_parts import READERS, BacktestParts
from plan2.interface.api.backtest_tables import BacktestTableRoutes
from plan2.interface.api.backtests import BacktestRoutes
from plan2.interface.api.candidates import CandidateParts, CandidateRoutes
from plan2.interface.api.flags import FlagRoutes
from plan2.interface.api.flows import FlowParts, FlowRoutes
from plan2.interface.api.jobs import JobRoutes
from plan2.interface.api.keys import KeyRoutes
from plan2.interface.api.learning import LearningRoutes
from plan2.interface.api.people import PeopleRoutes
from plan2.interface.api.privacy import PrivacyRoutes
from plan2.interface.api.quotas import QuotaRoutes
from plan2.interface.api.records import RecordParts, RecordRoutes
from plan2.interface.api.research import ResearchParts, ResearchRoutes
from plan2.interface.api.second_factor import SecondFactorRoutes
from plan2.interface.api.secrets import SecretRoutes
from plan2.interface.api.services import ServiceRoutes
from plan2.interface.api.sessions import SessionRoutes, TokenRoutes
from plan2.interface.api.settings import SettingsRoutes
from plan2.interface.api.settings_desk import SettingsDesk
from plan2.interface.api.telegram import TelegramParts, TelegramRoutes
from plan2.interface.api.tenant_brokers import TenantBrokerRoutes
from plan2.interface.api.tenants import TenantRoutes
from plan2.interface.api.training import TrainingParts, TrainingRoutes
from plan2.interface.notify.notification import Notification, Recipient
from plan2.wiring.backtest_asking import check_asked
from unit.alert_fixtures import AlertRoom
from unit.assistant_fixtures import Agreed, AssistantRoom
from unit.broker_fixtures import NoBrokers
from unit.candidate_fixtures import Life
from unit.chat_fixtures import FakeRunning, memory_pairings, memory_token
from unit.credential_fixtures import CredentialStage
from unit.flow_registry_fixtures import Registry, flow_house
from unit.identity_fixtures import FAST
from unit.interface_fixtures import TENANT, Stage
from unit.job_fixtures import RIGHT, JobRoom
from unit.learning_fixtures import LearningStage
from unit.overlay_fixtures import MemoryOverlay
from unit.ratelimit_fixtures import Limits
from unit.sealing_fixtures import KeyRoom, MemorySealer
from unit.tenant_fixtures import House

OTHER = TenantId("other")


class NoDatabase:
    """An `OpenUnit` whose database is away; `asked` counts who came so far."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, tenant: TenantId) -> AbstractAsyncContextManager[UnitOfWork]:
        self.asked += 1
        raise StoreBusy("There is no database here.")


class Law(msgspec.Struct, frozen=True):
    """What audit, privacy and records are built from."""

    open_unit: OpenUnit
    sealer: Sealer
    consents: Consents
    privacy: Privacy
    export: SubjectExport


class MemoryRotations:
    """The table `key_rotation` in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[tuple[TenantId, str], Rotation] = {}

    async def insert(self, tenant: TenantId, rotation: Rotation) -> None:
        self.rows[tenant, rotation.rotation_id] = rotation

    async def update(self, tenant: TenantId, rotation: Rotation) -> None:
        self.rows[tenant, rotation.rotation_id] = rotation

    async def read(self, tenant: TenantId, limit: int) -> list[Rotation]:
        return [each for (whose, _), each in self.rows.items() if whose == tenant][:limit]


class WholeStage(Stage):
    """The stage with every route; made by `open`."""

    def __init__(
        self, folder: Path, tenants: Tenants, credentials: CredentialStage,
        settings: GatewaySettings | None = None, law: Law | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.tenants, self.credentials = folder, tenants, credentials
        self.database = NoDatabase()
        self.law = law or self._without_database()
        record, clock = credentials.written, credentials.clock
        self.base, self.kept = load(None, {}), MemoryOverlay()
        self.overlay = Overlay(self.base, self.kept, record, clock, TENANT)
        self.flags = Flags(self.kept, record, clock, TENANT)
        self.sealing = KeyRoom()
        self.rotation_table = MemoryRotations()
        self.rotations = KeyRotations(
            self.sealing.tenants,
            self.sealing.subjects,
            self.rotation_table,
            record,
            clock,
            SeededIds("rotations"),
        )
        self.limits = Limits()
        nowhere = JobKind(
            name="train", command=lambda _: ("/nowhere/plan2",), right=RIGHT, timeout_s=1.0
        )
        self.job_room = JobRoom(folder, kinds={"train": nowhere})
        self.life = Life(folder)
        self.alerts = AlertRoom()
        self.assistants = AssistantRoom(folder)
        self.flows = defaultdict[str, Registry](Registry)
        self.traded: dict[tuple[str, str, str], list[Traded]] = {}
        self.candidates = CandidateParts(
            desk=self.life.desk,
            take_up=self.life.intake.take_up,
            four_eyes=lambda: self.overlay.effective(TENANT).security.four_eyes,
            propose=self._propose_override,
            clock=clock,
        )
        self.pairings, self.running = memory_pairings(credentials), FakeRunning()
        self.token = memory_token(credentials)
        self.told: list[tuple[Recipient, Notification]] = []
        super().__init__(settings=settings, people=credentials)

    @classmethod
    async def open(
        cls, folder: Path, settings: GatewaySettings | None = None, law: Law | None = None
    ) -> "WholeStage":
        """A stage that has started, with the tenants `main` and `other`."""
        credentials = CredentialStage()
        house = House(folder, clock=credentials.clock)
        [main] = house.store.rows.values()
        for tenant in (TENANT, OTHER):
            house.store.rows[tenant] = msgspec.structs.replace(main, tenant_id=tenant)
        tenants = await house.open()
        stage = cls(folder, tenants, credentials, settings, law)
        await credentials.start()
        assert await stage.overlay.load([TENANT, OTHER]) == {}
        await stage.flags.load([TENANT, OTHER])
        for tenant in (TENANT, OTHER):
            await stage.sealing.tenants.refresh(tenant)
        return stage

    def house_routes(self) -> list[ControllerRouterHandler]:
        """Everything that `wiring/house_routes.py` mounts."""
        people = self.credentials

        async def propose(caller: Session, payload: Mapping[str, object], reason: str) -> str:
            made = await people.approvals.propose(caller, "admins_only", payload, reason)
            return made.approval_id

        desk = SettingsDesk(self.overlay, people.clock, propose)
        services = [Service(name="gateway", kind=ServiceKind.COMPONENT, state="ok", level=5)]
        keys: Any = self.sealing  # has the three members of `Keys` that the routes use
        return [
            *SessionRoutes(self.sessions, self.sign_in).handlers(),
            *TokenRoutes(people.refresh, self.sessions).handlers(),
            *SecondFactorRoutes(people.factors, people.duty).handlers(),
            *KeyRoutes(people.desk, people.book).handlers(),
            *PeopleRoutes(people.people).handlers(),
            *JoinRoutes(people.invitations).handlers(),
            *ApprovalRoutes(people.approvals).handlers(),
            *TenantRoutes(self.tenants).handlers(),
            *TenantBrokerRoutes(NoBrokers(TENANT, OTHER)).handlers(),
            *SettingsRoutes(self.overlay, desk, self.base).handlers(),
            *FlagRoutes(self.flags).handlers(),
            *SecretRoutes(keys, self.rotations, lambda: [TENANT, OTHER]).handlers(),
            *self._governed(),
            *CandidateRoutes(self.candidates).handlers(),
            *FlowRoutes(self._flow_parts()).handlers(),
            *LearningRoutes(LearningStage(), self.store).handlers(),
            *ServiceRoutes(ServiceRegistry([lambda: services]), "0").handlers(),
            *QuotaRoutes(self.limits.usage, self.limits.load, self.directory).handlers(),
            *JobRoutes(self.job_room.jobs).handlers(),
            *AlertRoutes(self._alerts_of, self.alerts.table).handlers(),
            *AssistantRoutes(
                self.assistants.desk,
                self,
                self.store,
                Agreed(),
                lambda _: 0.0001,
                self.assistants.news,
            ).handlers(),
            *AlertChannelRoutes(self._alerts_of, lambda: True, lambda: False).handlers(),
            *self._backtest_routes(),
            *TrainingRoutes(
                TrainingParts(
                    jobs=self.job_room.jobs,
                    archive=MarketArchive(self.folder / "archive"),
                    home=TENANT,
                    families=("xgboost",),
                    horizon_minutes=120,
                    bar_period_s=60,
                    feature_set="",
                )
            ).handlers(),
            *TelegramRoutes(self._telegram()).handlers(),
            *ResearchRoutes(
                ResearchParts(
                    jobs=self.job_room.jobs,
                    archive=TickArchive(self.folder / "archive"),
                    folder_of=lambda tenant_id: self.folder / "research_of" / tenant_id,
                    check=lambda wish: write_source(wish.flow_of()),
                    processes=1,
                )
            ).handlers(),
        ]

    def _telegram(self) -> TelegramParts:
        def tell(person: Recipient, notification: Notification) -> bool:
            self.told.append((person, notification))
            return True

        people = self.credentials
        return TelegramParts(
            pairings=self.pairings, book=people.book, clock=people.clock, running=self.running,
            token=self.token,
            agrees=lambda _: True, tell=tell,
        )  # fmt: skip

    def _alerts_of(self, tenant_id: str) -> AlertService | None:
        """Only one tenant's alerts are open."""
        return self.alerts.service if tenant_id == TENANT else None

    def backtests_of(self, tenant: str) -> Path:
        """The folder of a tenant's backtests."""
        return self.folder / "tenants" / tenant

    def _backtest_routes(self) -> list[ControllerRouterHandler]:
        parts = BacktestParts(
            jobs=self.job_room.jobs,
            archive=TickArchive(self.folder / "archive"),
            folder_of=self.backtests_of,
            check=check_asked,
            traded=self._traded,
            reader=asyncio.Semaphore(READERS),
        )
        return [*BacktestRoutes(parts).handlers(), *BacktestTableRoutes(parts).handlers()]

    async def _traded(self, tenant: TenantId, name: str, digest: str) -> list[Traded]:
        """What was put there for a tenant."""
        return self.traded.get((tenant, name, digest), [])

    def _flow_parts(self) -> FlowParts:
        """Registries in memory; who has none of their own has an empty one."""
        return FlowParts(
            of=lambda caller: flow_house(self.flows[caller.user.tenant_id]),
            four_eyes=lambda _: False,
            propose=self._propose_override,
        )

    async def _propose_override(
        self, caller: Session, payload: Mapping[str, object], reason: str
    ) -> str:
        approvals = self.credentials.approvals
        return (await approvals.propose(caller, "admins_only", payload, reason)).approval_id

    async def operator(self) -> User:
        """The administrator of the main tenant, who runs the installation too."""
        found = self.credentials.book.find(TENANT, "u1")
        if found is None:
            user = User(
                user_id="u1", name="administrator", tenant_id=TENANT,
                role=Role.TENANT_ADMIN, is_operator=True,
            )  # fmt: skip
            found = await self.credentials.book.create(
                user, by="test", password_hash=FAST.hash("seven horses over the hill")
            )
        return found.user

    async def open_session(self, tenant: str = TENANT) -> tuple[str, str]:
        """Cookie and CSRF value of a new session of the operator."""
        assert tenant == TENANT
        cookie, session = await self.sessions.open(await self.operator())
        return cookie, session.csrf

    def done(self) -> str:
        """Everything that requests can change but sessions, and the records of requests."""
        people = self.credentials
        told = [each for _, _, each in self.written.events if not _is_by_the_way(each)]
        return repr(
            (
                (self.control.calls, self.desk.wishes, self.desk.claims),
                (people.tables.people, people.tables.links, people.tables.refresh),
                (people.factor_table.seeds, people.factor_table.codes, people.key_table.rows),
                (people.link_table.links, people.proposal_table.rows, people.deeds.done),
                (self.kept.rows, self.rotation_table.rows, self.job_room.table.rows),
                {
                    name: (each.store.rows, each.store.written)
                    for name, each in self.flows.items()
                    if each.store.rows
                },
                (self.life.store.move_rows, self.life.store.seat_rows),
                ([vars_of(each) for each in self.tenants.directory.rows()], told),
            )
        )

    def _governed(self) -> list[ControllerRouterHandler]:
        """Audit, privacy, records."""
        law, record, clock = self.law, self.credentials.written, self.credentials.clock
        checkpointer = Checkpointer(
            law.open_unit, clock, Signer.in_folder(self.folder),
            CheckpointFolders(first=self.folder), record,
        )  # fmt: skip
        prover = Prover(law.open_unit, lambda tenant: CheckpointFile(self.folder, tenant))
        audit = AuditParts(
            open_unit=law.open_unit, sealer=law.sealer, checkpointer=checkpointer,
            prover=prover, record=record, clock=clock,
        )  # fmt: skip
        watch = ClockWatch(clock, stopwatch_ns, lambda _: None, _no_tool, _nobody)
        records = RecordParts(open_unit=law.open_unit, record=record, clock=clock, watch=watch)
        return [
            *AuditRoutes(audit).handlers(),
            *PrivacyRoutes(law.consents, law.privacy, law.export).handlers(),
            *RecordRoutes(records).handlers(),
        ]

    def _without_database(self) -> Law:
        people, away, sealer = self.credentials, self.database, MemorySealer()

        ledger = ErasureLedger(self.folder)
        return Law(
            open_unit=away,
            sealer=sealer,
            consents=Consents(PostgresConsents(away), people.clock, people.written),
            privacy=Privacy(away, sealer.destroy, ledger, people.clock, people.written),
            export=SubjectExport(away, sealer, people.clock, people.written),
        )


def _is_by_the_way(event: Event) -> bool:
    """The record of a request, or a person's oldest session made way for the newest."""
    is_making_way = isinstance(event, SessionEnded) and event.by == "system"
    return is_making_way or isinstance(event, ActionTaken)


def vars_of(row: msgspec.Struct) -> dict[str, object]:
    """The fields of a row."""
    return msgspec.structs.asdict(row)


async def _no_tool(*_: object) -> str:
    return ""


async def _nobody(*_: object) -> Reading | None:
    return None
