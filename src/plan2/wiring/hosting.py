"""Opens the house around the trading floor: people, tenants, their desks and streams, the page."""

import os
from collections.abc import Callable

import msgspec

from plan2.connectivity.gateway.app import Identity
from plan2.connectivity.gateway.static import Site
from plan2.connectivity.identity.local_access import LocalAccess
from plan2.connectivity.ratelimit.load import Tolerance
from plan2.foundation.bus import Bus
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.load import data_dir
from plan2.foundation.config.overlay_store import PostgresOverlay
from plan2.foundation.database.shares import TenantShares
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.health import HealthBoard
from plan2.foundation.ids import RandomIds
from plan2.foundation.latency import Latency
from plan2.foundation.loop import LoopLag
from plan2.foundation.metrics import Metrics
from plan2.foundation.values import TenantId
from plan2.interface.live import MarketView
from plan2.interface.telegram.kept_token import BotToken, TokenPlan
from plan2.wiring.alerting import LookingAt
from plan2.wiring.approving import Approving
from plan2.wiring.assembly import Floor
from plan2.wiring.contract_changes import ContractChanges
from plan2.wiring.everywhere import Everywhere
from plan2.wiring.front import (
    ATTRIBUTION,
    FrontParts,
    FrontPlan,
    build_front,
    identity_of,
    load_site,
    market_view_of,
)
from plan2.wiring.house_routes import house_routes
from plan2.wiring.installation import Installation
from plan2.wiring.limits import Limits, LimitsPlan, terminal_service
from plan2.wiring.live import LIVE
from plan2.wiring.markets import REPLAY
from plan2.wiring.messages import Messages, MessagesPlan
from plan2.wiring.opening import OpenedMarket
from plan2.wiring.people import IN_USE, People, PeoplePlan
from plan2.wiring.tenant_brokers import BrokersPlan, TenantBrokers
from plan2.wiring.tenant_opening import Ground
from plan2.wiring.tenant_run import Shared, TenantRun
from plan2.wiring.tenant_runs import TenantRuns
from plan2.wiring.venue import Venue

SHARE_WAIT_S = 10.0
"""How long a tenant waits for one of its database connections."""
SEED_EVENTS = 2_000
"""Stored events that the event page of the main tenant starts with."""


class HostPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the house is built around; the buses must not be sealed yet."""

    run_id: str
    installation: Installation
    opened: OpenedMarket
    main: TenantRun
    floor: Floor
    bus: Bus
    board: HealthBoard
    metrics: Metrics
    latency: Latency
    lag: LoopLag
    local: LocalAccess
    say: Callable[[str], None]


class Hosted(msgspec.Struct, frozen=True, kw_only=True):
    """The finished house."""

    venue: Venue
    runs: TenantRuns
    front: FrontParts
    contracts: ContractChanges


async def host(plan: HostPlan) -> Hosted:
    """Wire it; other tenants are opened once their component runs."""
    installation, market = plan.installation, plan.opened.market
    site, view = load_site(), market_view_of(market)
    view.subscribe(plan.bus)
    plan.metrics.listen_to_market(plan.bus)
    plan.metrics.listen_to_tenant(plan.main.bus, plan.main.tenant_id)
    installation.people = await _open_people(plan)
    installation.messages = await _open_messages(plan)
    installation.alerting.people = installation.messages.notifier
    identity = identity_of(installation, plan.local)
    shared = _shared(plan, view, site, identity)
    installation.governance.follow(plan.main.tenant_id, plan.main.appender)
    await plan.main.show(shared, plan.board, SEED_EVENTS)
    installation.brokers = _brokers(plan)
    venue = Venue(plan.floor.pipeline)
    runs = installation.runs = TenantRuns(plan.main, shared, _ground(plan, venue), plan.say)
    limits = installation.limits = _limits(plan, runs)
    _listen(installation)
    _measure(installation)
    front = build_front(
        FrontPlan(
            server=installation.loaded.settings.server,
            shared=shared,
            runs=runs,
            market=market,
            floor=plan.floor,
            door=plan.opened.door,
            identity=identity,
            board=plan.board,
            metrics=plan.metrics,
            site=site,
            limiting=limits.limiting,
            more_routes=house_routes(installation, installation.governance, limits),
        )
    )
    installation.messages.attach(front.app)
    contracts = ContractChanges(
        runs.all, installation.folder, LiveClock(), RandomIds(), view.take_contract
    )
    return Hosted(venue=venue, runs=runs, front=front, contracts=contracts)


def _shared(plan: HostPlan, view: MarketView, site: Site, identity: Identity) -> Shared:
    installation = plan.installation
    return Shared(
        run_id=plan.run_id,
        ui_hash=site.ui_hash,
        attribution=ATTRIBUTION,
        database=installation.database,
        market_view=view,
        latency=plan.latency,
        is_live=identity.callers().is_live,
        may=installation.features.may,
        four_eyes=lambda tenant_id: installation.overlay.effective(tenant_id).security.four_eyes,
        jobs=installation.long_work,
        listen=installation.messages.listen,
        alerting=installation.alerting,
        assisting=installation.assisting,
        looking_at=LookingAt(plan.floor.pipeline, view, plan.latency, plan.opened.market.clock),
        everywhere=Everywhere(lambda: [run.safety.control for run in installation.runs.all()]),
    )


def _measure(installation: Installation) -> None:
    """Let the quotas see what each tenant uses."""
    people, usage = installation.people, installation.limits.usage

    def users(tenant_id: str) -> float:
        return float(sum(not each.is_blocked for each in people.book.of_tenant(tenant_id)))

    def keys(tenant_id: str) -> float:
        found = people.api_keys.of_tenant(tenant_id)
        return float(sum(not people.api_keys.why_dead(key) for key in found))

    def connections(tenant_id: str) -> float:
        return float(installation.database.shares.used_by(TenantId(tenant_id)))

    usage.follow("users", users)
    usage.follow("keys", keys)
    usage.follow("connections", connections)


def _listen(installation: Installation) -> None:
    """Let the parts hear of changes of settings, flags, tenants and people."""
    runs, limits = installation.runs, installation.limits
    installation.overlay.on_change(runs.on_setting)
    installation.overlay.on_change(limits.on_setting)
    installation.flags.on_change(runs.on_flag)
    installation.long_work.on_change(runs.on_job)
    runs.follow(installation.tenants.directory)
    installation.tenants.directory.on_change(installation.on_tenant)
    privacy = installation.governance.privacy
    privacy.on_erased(installation.governance.consents.forget)
    privacy.forget_with(installation.forget_person)
    installation.database.shares = TenantShares(
        lambda tenant_id: limits.quota_of(tenant_id).connections, SHARE_WAIT_S
    )


def _limits(plan: HostPlan, runs: TenantRuns) -> Limits:
    installation, load = plan.installation, plan.installation.loaded.settings.load
    return Limits(
        LimitsPlan(
            settings=installation.loaded.settings,
            settings_of=lambda tenant_id: installation.effective(tenant_id)[0],
            tenants=lambda: [run.tenant_id for run in runs.all()],
            terminals=lambda: [
                terminal_service(
                    run.account.identity.account_id,
                    run.tenant_id,
                    run.account.link.value,
                    run.market.label,
                )
                for run in runs.all()
            ],
            place_parts=runs.standings.place_parts,
            jobs=installation.long_work,
            flows=lambda tenant_id: _flows(runs.find(tenant_id)),
            folder=data_dir(installation.loaded.settings),
            database=installation.database,
            record=installation.recording,
            board=plan.board,
            latency=plan.latency,
            lag=plan.lag,
            tolerance=Tolerance(loop_lag_ms=load.loop_lag_ms, decision_ms=load.decision_ms),
        )
    )


def _flows(run: TenantRun | None) -> float | None:
    """How many flows a tenant has that are not retired."""
    return float(run.flows.desk.count()) if run is not None else None


def _brokers(plan: HostPlan) -> TenantBrokers:
    installation = plan.installation
    return TenantBrokers(
        BrokersPlan(
            settings=installation.loaded.settings,
            market=plan.opened.market,
            folder=installation.folder,
            database=installation.database,
            bindings=installation.bindings,
            door=plan.opened.door,
            record=installation.recording,
            clock=LiveClock(),
        )
    )


def _ground(plan: HostPlan, venue: Venue) -> Ground:
    installation = plan.installation
    return Ground(
        settings_of=installation.effective,
        seal_of=lambda tenant_id: installation.sealing(tenant_id).seal,
        admit=installation.admit,
        room=installation.room,
        follow=installation.governance.follow,
        count=plan.metrics.listen_to_tenant,
        folder=data_dir(installation.loaded.settings),
        market=plan.opened.market,
        venue=venue,
        pipeline=plan.floor.pipeline,
        lag=plan.lag,
        brokers=installation.brokers,
    )


async def _open_people(plan: HostPlan) -> People:
    installation = plan.installation
    people = People(
        PeoplePlan(
            database=installation.database,
            directory=installation.tenants.directory,
            record=installation.recording,
            sealer=installation.keys.sealer,
            session_hours=installation.loaded.settings.server.session_hours,
            environment="live" if plan.opened.market.mode == LIVE else "sim",
            approval_kinds=Approving(installation).kinds(),
            room=installation.room,
        )
    )
    await people.load()
    return people


async def _open_messages(plan: HostPlan) -> Messages:
    installation = plan.installation
    settings, is_past = installation.loaded.settings.telegram, plan.opened.market.mode == REPLAY
    token = BotToken(
        TokenPlan(
            store=PostgresOverlay(installation.database.uow),
            main=MAIN_TENANT,
            sealer=installation.keys.sealer,
            record=installation.recording,
            clock=LiveClock(),
            settings=settings,
            environment=os.environ,
            is_asked=settings.enabled and not is_past,
        )
    )
    await token.load()
    messages = Messages(
        MessagesPlan(
            settings=settings,
            token=token,
            people=installation.people,
            consents=installation.governance.consents,
            directory=installation.tenants.directory,
            overlay=installation.overlay,
            sealer=installation.keys.sealer,
            record=installation.recording,
            open_unit=installation.database.uow,
            public_url=lambda: installation.address,
            is_past=is_past,
        )
    )
    for tenant in installation.tenants.directory.all():
        if tenant.state in IN_USE:
            await messages.admit(tenant.tenant_id)
    return messages
