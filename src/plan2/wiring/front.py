"""Wires what people see: routes, stream and page, around a running trading floor."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from litestar.types import ASGIApp, ControllerRouterHandler

import plan2
from plan2.connectivity.gateway.app import Front, Identity, Limiting, Operations, build_gateway
from plan2.connectivity.gateway.kept_answers import PostgresAnswers
from plan2.connectivity.gateway.middleware import LOCAL_HOSTS, GatewaySettings
from plan2.connectivity.gateway.static import Site
from plan2.connectivity.gateway.strangers import Strangers
from plan2.connectivity.identity.bootstrap import SignIn
from plan2.connectivity.identity.local_access import LocalAccess
from plan2.dataflow.archive import TickArchive
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Server
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.health import HealthBoard
from plan2.foundation.ids import RandomIds
from plan2.foundation.metrics import Metrics
from plan2.foundation.values import NS_PER_DAY, Bar
from plan2.intelligence.decision.replayer import RecordReplayer
from plan2.intelligence.features.indicators import compute
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training.reports import Reports
from plan2.interface.api.history import History
from plan2.interface.api.ports import SharedParts
from plan2.interface.api.terminal_link import TerminalDoor
from plan2.interface.assembly import Shown, build_interface
from plan2.interface.lane_features import LaneFeatures
from plan2.interface.live import MarketView
from plan2.wiring.assembly import Floor
from plan2.wiring.feature_plan import installation_of
from plan2.wiring.features import FlaggedKeys
from plan2.wiring.installation import Installation
from plan2.wiring.markets import Market
from plan2.wiring.situations import LaneSituations
from plan2.wiring.tenant_run import Shared
from plan2.wiring.tenant_runs import TenantRuns

SEED_BARS_NS = 5 * NS_PER_DAY
ATTRIBUTION = ("Charts: TradingView Lightweight Charts™, https://www.tradingview.com/",)


class FrontPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the front is built from."""

    server: Server
    shared: Shared
    runs: TenantRuns
    market: Market
    floor: Floor
    door: TerminalDoor | None
    identity: Identity
    board: HealthBoard
    metrics: Metrics
    site: Site
    limiting: Limiting
    more_routes: Sequence[ControllerRouterHandler]


class FrontParts(msgspec.Struct, frozen=True, kw_only=True):
    """The finished front: the ASGI application, and how to sign in."""

    app: ASGIApp
    sign_in: SignIn
    site: Site


def load_site() -> Site:
    """The built web app."""
    return Site.load(Path(plan2.__file__).parent / "_ui")


def build_front(plan: FrontPlan) -> FrontParts:
    """Wire routes and gateway."""
    ids = RandomIds()
    market, runs = plan.market, plan.runs
    archive = TickArchive(market.home / "archive")
    shown = Shown(
        market=plan.shared.market_view,
        history=History(plan.shared.market_view, archive),
        desks=runs,
        hubs=runs.hub_of,
    )
    interface = build_interface(_shared_parts(plan), shown, ids)
    plan.metrics.ws_clients.track(lambda: float(sum(len(run.hub.clients) for run in runs.all())))
    app = build_gateway(
        [*interface.routes, *plan.more_routes],
        plan.identity,
        Operations(
            readiness=plan.board.waiting_for, metrics=plan.metrics.render, limiting=plan.limiting
        ),
        Front(plan.site, interface.show_state),
        gateway_settings(plan.server),
        ids,
    )
    return FrontParts(app=app, sign_in=plan.identity.links, site=plan.site)


def identity_of(installation: Installation, local: LocalAccess) -> Identity:
    """What the gateway asks about callers, and where it writes down what they did."""
    people = installation.people
    return Identity(
        people.sessions,
        people.links,
        people.sign_in,
        local=local,
        tokens=people.tokens,
        keys=FlaggedKeys(people.api_keys, installation.flags),
        directory=installation.tenants.directory,
        record=installation.recording,
        answers=PostgresAnswers(installation.database.uow, LiveClock()),
        needs_factor=people.duty.forbids,
        strangers=Strangers(installation.recording, MAIN_TENANT, LiveClock().now_ns),
    )


def gateway_settings(server: Server) -> GatewaySettings:
    """By which names the gateway answers, and how much it takes in."""
    names = LOCAL_HOSTS | {server.host} | set(server.public_names)
    return GatewaySettings(
        hosts=names,
        body_max_bytes=server.body_max_bytes,
        is_tls=bool(server.tls_cert),
        trusted_proxies=server.trusted_proxies,
    )


def _shared_parts(plan: FrontPlan) -> SharedParts:
    market, registry = plan.market, Registry(plan.market.home / "models")
    return SharedParts(
        events=plan.shared.database.store,
        indicators=compute,
        features=LaneFeatures(plan.floor.pipeline, installation_of(market.home)),
        situations=LaneSituations(plan.floor.lanes),
        models=registry,
        reports=Reports(market.home),
        replayer=RecordReplayer(registry, market.instruments, market.earlier),
        health=plan.board,
        latency=plan.shared.latency,
        speed=lambda: market.speed or 0.0,
        terminal_door=plan.door,
    )


def market_view_of(market: Market) -> MarketView:
    """The market as screens see it, with the minute bars of the last days."""
    view = MarketView(market.instruments, market.clock)
    now_ns = market.clock.now_ns()
    for symbol in market.symbols:
        view.seed_bars(symbol, _recent_bars(market, symbol, now_ns))
    return view


def _recent_bars(market: Market, symbol: str, now_ns: int) -> list[Bar]:
    series = TickArchive(market.home / "archive").bars(
        symbol, 60, max(0, now_ns - SEED_BARS_NS), now_ns
    )
    columns = (series.ts_ns, series.bid_open, series.bid_high, series.bid_low, series.bid_close)
    rows = zip(*(column.tolist() for column in columns), series.ticks.tolist(), strict=True)
    return [Bar(symbol, 60, *row) for row in rows]
