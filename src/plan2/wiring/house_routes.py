"""Routes of everything that is not trading: people, tenants, settings, audit, privacy, services."""

from litestar.types import ControllerRouterHandler

import plan2
from plan2.connectivity.gateway.join import JoinRoutes
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.proposals import Payload
from plan2.dataflow.market_archive import MarketArchive
from plan2.foundation.clock import LiveClock
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.values import TenantId
from plan2.intelligence.records.fields import Firm
from plan2.intelligence.risk.news import NewsShades
from plan2.interface.alerts.service import AlertService
from plan2.interface.api.alert_channels import AlertChannelRoutes
from plan2.interface.api.alerts import AlertRoutes
from plan2.interface.api.approvals import ApprovalRoutes
from plan2.interface.api.assistants import AssistantRoutes
from plan2.interface.api.audit import AuditParts, AuditRoutes
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
from plan2.interface.api.second_factor import SecondFactorRoutes
from plan2.interface.api.secrets import SecretRoutes
from plan2.interface.api.services import ServiceRoutes
from plan2.interface.api.sessions import SessionRoutes, TokenRoutes
from plan2.interface.api.settings import SettingsRoutes
from plan2.interface.api.telegram import TelegramRoutes
from plan2.interface.api.tenant_brokers import TenantBrokerRoutes
from plan2.interface.api.tenants import TenantRoutes
from plan2.interface.api.training import TrainingParts, TrainingRoutes
from plan2.wiring.approving import FLOW_OVERRIDE, GATE_OVERRIDE
from plan2.wiring.backtest_routes import backtest_routes
from plan2.wiring.broker_desk import TenantBrokerDesk
from plan2.wiring.governance import Governance
from plan2.wiring.installation import Installation
from plan2.wiring.limits import Limits
from plan2.wiring.research_jobs import research_routes
from plan2.wiring.tenant_runs import run_of


def house_routes(
    installation: Installation, governance: Governance, limits: Limits
) -> list[ControllerRouterHandler]:
    """Every route of level 5 that is not about the market or an account."""
    people, tenants = installation.people, installation.tenants
    return [
        *SessionRoutes(people.sessions, people.sign_in).handlers(),
        *TokenRoutes(people.refresh, people.sessions).handlers(),
        *SecondFactorRoutes(people.factors, people.duty).handlers(),
        *KeyRoutes(people.key_desk, people.book).handlers(),
        *PeopleRoutes(people.desk).handlers(),
        *JoinRoutes(people.invitations).handlers(),
        *ApprovalRoutes(people.approvals).handlers(),
        *TenantRoutes(tenants, installation.runs.standings.closing).handlers(),
        *TenantBrokerRoutes(TenantBrokerDesk(installation)).handlers(),
        *_settings_routes(installation),
        *SecretRoutes(
            installation.keys,
            installation.rotations,
            lambda: [each.tenant_id for each in tenants.directory.all()],
        ).handlers(),
        *_audit_routes(installation, governance),
        *CandidateRoutes(_candidate_parts(installation)).handlers(),
        *LearningRoutes(installation.learning, installation.database.store).handlers(),
        *FlowRoutes(_flow_parts(installation)).handlers(),
        *ServiceRoutes(limits.registry, plan2.__version__).handlers(),
        *QuotaRoutes(limits.usage, limits.load, tenants.directory).handlers(),
        *_job_routes(installation),
        *backtest_routes(installation),
        *TelegramRoutes(installation.messages.telegram_parts()).handlers(),
        *_alert_routes(installation),
        *_assistant_routes(installation),
    ]


def _alert_routes(installation: Installation) -> list[ControllerRouterHandler]:
    alerting = installation.alerting

    def find(tenant_id: str) -> AlertService | None:
        run = installation.runs.find(tenant_id)
        return run.alerts if run is not None else None

    return [
        *AlertRoutes(find, alerting.table).handlers(),
        *AlertChannelRoutes(
            find, lambda: bool(alerting.config.smtp_host), lambda: alerting.people is not None
        ).handlers(),
    ]


def _assistant_routes(installation: Installation) -> list[ControllerRouterHandler]:
    assisting, runs = installation.assisting, installation.runs
    instruments = runs.main.market.instruments

    def shades_of(tenant_id: TenantId) -> tuple[NewsShades, int] | None:
        run = runs.find(tenant_id)
        return (run.account.guard.news, run.market.clock.now_ns()) if run is not None else None

    return [
        *AssistantRoutes(
            assisting.desk,
            runs,
            installation.database.store,
            assisting,
            lambda symbol: instruments[symbol].pip,
            assisting.news(shades_of),
        ).handlers()
    ]


def _job_routes(installation: Installation) -> list[ControllerRouterHandler]:
    settings, main = installation.loaded.settings, installation.runs.main
    training = TrainingParts(
        jobs=installation.long_work,
        archive=MarketArchive(main.market.home / "archive"),
        home=main.tenant_id,
        families=settings.models.families,
        horizon_minutes=settings.models.horizon_minutes,
        bar_period_s=settings.market.bar_period_s,
        feature_set=settings.models.feature_set,
    )
    return [
        *JobRoutes(installation.long_work).handlers(),
        *TrainingRoutes(training).handlers(),
        *research_routes(installation.long_work, installation.folder, main.market.home),
    ]


def _candidate_parts(installation: Installation) -> CandidateParts:
    async def propose(caller: Session, payload: Payload, reason: str) -> str:
        approvals = installation.people.approvals
        return (await approvals.propose(caller, GATE_OVERRIDE, payload, reason)).approval_id

    return CandidateParts(
        desk=installation.lifecycle,
        take_up=installation.intake.take_up,
        four_eyes=lambda: installation.overlay.effective(MAIN_TENANT).security.four_eyes,
        propose=propose,
        clock=LiveClock(),
    )


def _flow_parts(installation: Installation) -> FlowParts:
    async def propose(caller: Session, payload: Payload, reason: str) -> str:
        approvals = installation.people.approvals
        return (await approvals.propose(caller, FLOW_OVERRIDE, payload, reason)).approval_id

    def four_eyes(caller: Session) -> bool:
        tenant_id = TenantId(caller.user.tenant_id)
        return installation.overlay.effective(tenant_id).security.four_eyes

    return FlowParts(
        of=lambda caller: run_of(installation.runs, caller).flows.house,
        four_eyes=four_eyes,
        propose=propose,
    )


def _settings_routes(installation: Installation) -> list[ControllerRouterHandler]:
    overlay, desk = installation.overlay, installation.settings_desk
    return [
        *SettingsRoutes(overlay, desk, installation.loaded).handlers(),
        *FlagRoutes(installation.flags).handlers(),
    ]


def _audit_routes(
    installation: Installation, governance: Governance
) -> list[ControllerRouterHandler]:
    firm = installation.loaded.settings.records
    record, open_unit, wall = installation.recording, installation.database.uow, LiveClock()
    return [
        *AuditRoutes(
            AuditParts(
                open_unit=open_unit,
                sealer=installation.keys.sealer,
                checkpointer=governance.checkpointer,
                prover=governance.prover,
                record=record,
                clock=wall,
            )
        ).handlers(),
        *PrivacyRoutes(
            governance.consents, governance.privacy, governance.export, installation.long_work.place
        ).handlers(),
        *RecordRoutes(
            RecordParts(
                open_unit=open_unit,
                record=record,
                clock=wall,
                watch=governance.clock,
                firm=Firm(lei=firm.lei, broker_lei=firm.broker_lei),
                contract=installation.runs.main.market.instruments.get,
                place=installation.long_work.place,
            )
        ).handlers(),
    ]
