"""Wires what people see: sessions, routes, stream and page, around a running trading floor."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from litestar.types import ASGIApp

import plan2
from plan2.connectivity.gateway.app import Front, Identity, Operations, build_gateway
from plan2.connectivity.gateway.middleware import LOCAL_HOSTS, GatewaySettings
from plan2.connectivity.gateway.static import Site
from plan2.connectivity.identity.bootstrap import SignIn
from plan2.connectivity.identity.local_access import LocalAccess
from plan2.connectivity.identity.sessions import Sessions
from plan2.connectivity.identity.tables import PostgresIdentity
from plan2.dataflow.archive import TickArchive
from plan2.foundation.bus import Bus
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Server
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.events.system import UserAuthenticated
from plan2.foundation.health import HealthBoard
from plan2.foundation.ids import RandomIds
from plan2.foundation.latency import Latency
from plan2.foundation.metrics import Metrics
from plan2.foundation.storage import Database
from plan2.foundation.values import NS_PER_DAY, Bar
from plan2.intelligence.decision.replayer import RecordReplayer
from plan2.intelligence.features.indicators import compute
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.trading.control import Control
from plan2.interface.api.ports import ApiParts, RunInfo
from plan2.interface.api.terminal_link import TerminalDoor
from plan2.interface.assembly import Interface, build_interface
from plan2.interface.books import AccountBooks
from plan2.interface.lane_features import LaneFeatures
from plan2.interface.live import LiveView
from plan2.interface.order_desk import AccountOrderDesk
from plan2.interface.views.queries import PostgresViews
from plan2.wiring.assembly import Floor
from plan2.wiring.markets import Market

SEED_EVENTS = 2_000
"""Stored events that the event page starts with."""
SEED_BARS_NS = 5 * NS_PER_DAY
ATTRIBUTION = ("Charts: TradingView Lightweight Charts™, https://www.tradingview.com/",)


class FrontPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the front is built from."""

    server: Server
    run_id: str
    database: Database
    market: Market
    door: TerminalDoor | None
    control: Control
    local: LocalAccess
    floor: Floor
    bus: Bus
    board: HealthBoard
    metrics: Metrics
    latency: Latency
    record_sign_in: Callable[[str, UserAuthenticated], None]


class FrontParts(msgspec.Struct, frozen=True, kw_only=True):
    """The finished front: the ASGI application, the stream, and how to sign in."""

    app: ASGIApp
    interface: Interface
    live: LiveView
    sign_in: SignIn
    site: Site


async def build_front(plan: FrontPlan) -> FrontParts:
    """Wire it; the bus must not be sealed yet."""
    wall, ids = LiveClock(), RandomIds()
    tables = PostgresIdentity(plan.database.uow, MAIN_TENANT)
    sessions = Sessions(tables, wall, ids, plan.server.session_hours)
    await sessions.load()
    sign_in = SignIn(tables, sessions, wall, plan.record_sign_in)
    site = Site.load(Path(plan2.__file__).parent / "_ui")
    books = AccountBooks(plan.floor.account)
    live = LiveView(plan.market.instruments, books, plan.market.clock)
    live.subscribe(plan.bus)
    interface = build_interface(_api_parts(plan, live, books, site), sessions, ids, wall)
    interface.hub.subscribe(plan.bus)
    plan.metrics.ws_clients.track(lambda: float(len(interface.hub.clients)))
    await _seed(plan, live, interface)
    app = build_gateway(
        interface.routes,
        Identity(sessions, sign_in, plan.local),
        Operations(readiness=plan.board.waiting_for, metrics=plan.metrics.render),
        Front(site, interface.show_state),
        gateway_settings(plan.server),
        ids,
    )
    return FrontParts(app=app, interface=interface, live=live, sign_in=sign_in, site=site)


def gateway_settings(server: Server) -> GatewaySettings:
    """By which names the gateway answers, and how much it takes in."""
    names = LOCAL_HOSTS | {server.host} | set(server.public_names)
    return GatewaySettings(hosts=names, body_max_bytes=server.body_max_bytes)


def _api_parts(plan: FrontPlan, live: LiveView, books: AccountBooks, site: Site) -> ApiParts:
    market, registry = plan.market, Registry(plan.market.home / "models")
    identity = plan.floor.account.identity
    return ApiParts(
        info=RunInfo(
            version=plan2.__version__,
            mode=market.mode,
            run_id=plan.run_id,
            tenant_id=MAIN_TENANT,
            account_id=market.account_id,
            currency=identity.currency,
            ui_hash=site.ui_hash,
            started_us=LiveClock().now_ns() // 1000,
            attribution=ATTRIBUTION,
        ),
        live=live,
        books=books,
        views=PostgresViews(plan.database.uow, MAIN_TENANT),
        events=plan.database.store,
        archive=TickArchive(market.home / "archive"),
        indicators=compute,
        features=LaneFeatures(plan.floor.pipeline),
        models=registry,
        replayer=RecordReplayer(registry, market.instruments),
        orders=AccountOrderDesk(plan.floor.account, market.clock),
        control=plan.control,
        health=plan.board,
        latency=plan.latency,
        speed=lambda: market.speed or 0.0,
        terminal_door=plan.door,
    )


async def _seed(plan: FrontPlan, live: LiveView, interface: Interface) -> None:
    """Give the first screen its history: bars before the first tick, and the latest events."""
    now_ns = plan.market.clock.now_ns()
    for symbol in plan.market.symbols:
        live.seed_bars(symbol, await _recent_bars(plan.market, symbol, now_ns))
    stored = await plan.database.store.read_all(MAIN_TENANT, limit=SEED_EVENTS, newest_first=True)
    for event in reversed(stored):
        interface.hub.on_stored(event)


async def _recent_bars(market: Market, symbol: str, now_ns: int) -> list[Bar]:
    series = TickArchive(market.home / "archive").bars(
        symbol, 60, max(0, now_ns - SEED_BARS_NS), now_ns
    )
    columns = (series.ts_ns, series.bid_open, series.bid_high, series.bid_low, series.bid_close)
    rows = zip(*(column.tolist() for column in columns), series.ticks.tolist(), strict=True)
    return [Bar(symbol, 60, *row) for row in rows]
