# ruff: noqa: D102 - the protocols that the fakes implement say what their methods do
"""The whole interface around fakes: one call builds gateway, routes, stream and their parts.

Fakes keep what they are given in lists and dictionaries; nothing here reads files or a database.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import msgspec
import numpy as np
from litestar.types import ControllerRouterHandler

from plan2.connectivity.gateway.app import Front, Identity, Operations, build_gateway
from plan2.connectivity.gateway.middleware import GatewaySettings
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.static import Site
from plan2.connectivity.identity.local_access import LocalAccess
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.rights import Role
from plan2.dataflow.bar_series import BarSeries, empty_bars
from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError
from plan2.foundation.events.base import Event
from plan2.foundation.events.market import MarketDataReceived
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.eventstore.record import NewEvent, StoredEvent
from plan2.foundation.health import ComponentHealth, Status
from plan2.foundation.ids import SeededIds
from plan2.foundation.instrument import Instrument
from plan2.foundation.latency import Latency
from plan2.foundation.values import NS_PER_SECOND, Float64Array, TenantId, Tick, TickBlock
from plan2.intelligence.decision.explain import Replayed
from plan2.intelligence.decision.record import DecisionRecord
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.trading.requests import Outcome
from plan2.intelligence.trading.wishes import Ask, OrderWish, Refusal
from plan2.interface.api.command_desk import Commands
from plan2.interface.api.desk import Desk
from plan2.interface.api.health_report import HealthReport
from plan2.interface.api.history import History
from plan2.interface.api.order_requests import OrderRequests
from plan2.interface.api.ports import RunInfo, SharedParts
from plan2.interface.api.sessions import SessionRoutes, TokenRoutes
from plan2.interface.assembly import Shown, build_interface
from plan2.interface.items import DecisionItem, EquityCurve, Page
from plan2.interface.live import LiveView, MarketView
from plan2.interface.order_items import FillItem, OrderItem, PositionItem
from plan2.interface.streaming.hub import HubInfo, StreamHub, Timing
from plan2.interface.views.queries import DecisionFilter
from unit.books_fixtures import FakeBooks, FakeControl
from unit.feature_fakes import FakeFeatures, FakeSituations
from unit.gateway_layers import FakeKeys
from unit.identity_fixtures import IdentityStage
from unit.report_fixtures import FakeModels, FakeReports

TENANT = TenantId("main")
NOON_NS = 1_709_640_000 * NS_PER_SECOND  # Tuesday 2024-03-05 12:00 UTC
HOST = "127.0.0.1:8420"
ORIGIN = f"http://{HOST}"
EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5, description="Euro")
USDJPY = Instrument(symbol="USDJPY", base="USD", quote="JPY", digits=3, description="Yen")


def quote(symbol: str, after_s: float, bid: float, ask: float) -> MarketDataReceived:
    """A tick `after_s` seconds after noon, as the bus announces it."""
    ts_ns = NOON_NS + int(after_s * NS_PER_SECOND)
    return MarketDataReceived(ts_ns=ts_ns, tick=Tick(symbol, ts_ns, bid, ask))


def position_item(position_id: str, symbol: str = "EURUSD", profit: str = "1.00") -> PositionItem:
    """An open position."""
    return PositionItem(
        position_id=position_id,
        symbol=symbol,
        direction="buy",
        quantity=0.1,
        open_price=1.1,
        close_price=None,
        stop_loss=1.09,
        take_profit=1.12,
        opened_us=NOON_NS // 1000,
        closed_us=None,
        profit=profit,
        commission="0.00",
        swap="0.00",
        reason=None,
        decision_id="d1",
    )


class FakeViews:
    """Read models as lists that tests fill, newest last; keys are list indices from 1."""

    def __init__(self) -> None:
        self.decision_items: list[DecisionItem] = []
        self.decision_positions: dict[str, int] = {}
        self.order_items: list[OrderItem] = []
        self.fill_items: list[FillItem] = []
        self.closed_positions: list[PositionItem] = []

    async def decisions(
        self, wanted: DecisionFilter, before: int, limit: int
    ) -> Page[DecisionItem]:
        found = [
            (key, item)
            for key, item in enumerate(self.decision_items, start=1)
            if key < before and wanted.symbol in {"", item.symbol}
        ][::-1]
        cursor = str(found[limit - 1][0]) if len(found) > limit else None
        return Page([item for _, item in found[:limit]], cursor)

    async def decision_position(self, decision_id: str) -> int | None:
        return self.decision_positions.get(decision_id)

    async def orders(self, before: int, limit: int) -> Page[OrderItem]:
        return Page(self.order_items[::-1][:limit], None)

    async def orders_of(self, decision_id: str) -> list[OrderItem]:
        return [item for item in self.order_items if item.decision_id == decision_id]

    async def fills_of(self, order_ids: list[str]) -> list[FillItem]:
        return [item for item in self.fill_items if item.order_id in order_ids]

    async def positions(self, *, is_open: bool, before: int, limit: int) -> Page[PositionItem]:
        return Page(self.closed_positions[::-1][:limit], None)

    async def position_of(self, decision_id: str) -> PositionItem | None:
        return next((p for p in self.closed_positions if p.decision_id == decision_id), None)

    async def equity(self, limit: int) -> EquityCurve:
        return EquityCurve(time_us=[1], balance=["10000.00"], equity=["10000.00"])


class FakeArchive:
    """An archive of the bars and ticks that a test puts in."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, int], BarSeries] = {}
        self.block = TickBlock("EURUSD", np.empty(0, np.int64), np.empty(0), np.empty(0))

    def bars(self, symbol: str, period_s: int, start_ns: int, end_ns: int) -> BarSeries:
        series = self.series.get((symbol, period_s), empty_bars(symbol, period_s))
        return series.take((series.ts_ns >= start_ns) & (series.ts_ns < end_ns))

    def read(self, symbol: str, start_ns: int, end_ns: int) -> TickBlock:
        block = self.block
        first, last = np.searchsorted(block.ts_ns, [start_ns, end_ns])
        return block.slice(int(first), int(last))


def rolling_mean(
    names: Sequence[str],
    open_: Float64Array,
    high: Float64Array,
    low: Float64Array,
    close: Float64Array,
    /,
) -> Mapping[str, Float64Array]:
    """An indicator function that knows `mean_2` only: the mean of two closes."""
    if set(names) != {"mean_2"}:
        raise InputError(f"There is no indicator among {list(names)}.", remedy="Use mean_2.")
    values = np.full(len(close), np.nan)
    values[1:] = (close[1:] + close[:-1]) / 2
    return {"mean_2": values}


class FakeReplayer:
    """Finds every decision identical."""

    async def replay(self, record: DecisionRecord) -> Replayed:
        return Replayed(identical=True, differences=())


class FakeOrderDesk:
    """Writes down what was asked for, and answers as told; a release is a claim for -1 seconds."""

    def __init__(self) -> None:
        self.wishes: list[OrderWish] = []
        self.claims: list[tuple[str, Ask, int]] = []
        self.refusal: Refusal | None = None
        self.states: dict[str, str] = {}

    def request(self, wish: OrderWish) -> Outcome:
        self.wishes.append(wish)
        if self.refusal is not None:
            return Outcome(refusal=self.refusal)
        order_id = f"order-{len(self.wishes)}"
        self.states[order_id] = "sent"
        return Outcome(order_id)

    def preview(self, wish: OrderWish) -> tuple[Check, ...] | Refusal:
        return self.refusal or (
            Check(rule="trading_state", passed=True, value=0.0, limit=0.0),
            Check(rule="order_volume", passed=wish.quantity <= 20, value=wish.quantity, limit=20.0),
        )

    def claim(self, position_id: str, ask: Ask, horizon_s: int) -> Refusal | None:
        self.claims.append((position_id, ask, horizon_s))
        return self.refusal

    def release(self, position_id: str, ask: Ask) -> Refusal | None:
        self.claims.append((position_id, ask, -1))
        return self.refusal

    def state_of(self, order_id: str) -> str:
        return self.states.get(order_id, "")


class FakeHealth:
    """A board with one healthy part."""

    waiting: tuple[str, ...] = ()

    def snapshot(self) -> list[ComponentHealth]:
        return [ComponentHealth("pipeline", 4, Status.OK, "", NOON_NS // 1000, {"ticks": 1.0})]

    def overall(self) -> Status:
        return Status.OK

    def loop_lag_ms_p99(self) -> float:
        return 0.5


class Stage:
    """A gateway with everything around it; `app` is the ASGI application."""

    def __init__(
        self,
        ui_folder: Path = Path("no-such-folder"),
        role: Role = Role.TENANT_ADMIN,
        settings: GatewaySettings | None = None,
        people: IdentityStage | None = None,
    ) -> None:
        self.role, self.people = role, people or IdentityStage()
        self.wall = self.people.clock
        self.market = SimulatedClock(NOON_NS)
        self.reports = FakeReports()
        self.tables, self.directory = self.people.tables, self.people.directory
        self.written = self.people.written
        self.keys = FakeKeys()
        self.books, self.views, self.archive = FakeBooks(), FakeViews(), FakeArchive()
        self.control = FakeControl(self.books)
        self.desk, self.health = FakeOrderDesk(), FakeHealth()
        self.latency, self.store = Latency(("decision",)), InMemoryEventStore(self.wall)
        self.bus, self.site = Bus(), Site.load(ui_folder)
        self.settings = settings or GatewaySettings()
        self.local: LocalAccess | None = None
        self.view = MarketView({"EURUSD": EURUSD, "USDJPY": USDJPY}, self.market)
        self.view.subscribe(self.bus)
        self.live = LiveView(self.view, self.books)
        self.live.subscribe(self.bus)
        self._wire()

    def _wire(self) -> None:
        """Build what a restart builds anew."""
        ids = SeededIds("test")
        self.sessions, self.links = self.people.sessions, self.people.links
        self.sign_in = self.people.sign_in
        self.identity = Identity(
            self.sessions,
            self.links,
            self.sign_in,
            local=self.local,
            tokens=self.people.tokens,
            keys=self.keys,
            directory=self.directory,
            record=self.written,
        )
        report = HealthReport(self.health, self.latency, lambda: len(self.hub.clients))
        info = HubInfo(TENANT, self.site.ui_hash, ids.next_id("epoch"))
        self.hub = StreamHub(self.live, report.make, self.is_live, info, Timing(self.wall))
        self.desk_shown = self._desk(report)
        shown = Shown(
            market=self.view,
            history=History(self.view, self.archive),
            desks=self,
            hubs=lambda _: self.hub,
        )
        self.ui = build_interface(self.parts(), shown, ids)
        self.operations = Operations(lambda: self.health.waiting, lambda: b"plan2_ticks_total 1\n")
        self.front = Front(self.site, self.ui.show_state)
        self.routes = [*self.ui.routes, *self.house_routes()]
        self.app = build_gateway(
            self.routes, self.identity, self.operations, self.front, self.settings, ids
        )

    def house_routes(self) -> list[ControllerRouterHandler]:
        """Routes that are not about the market or an account; `WholeStage` has all of them."""
        tokens = TokenRoutes(self.people.refresh, self.sessions)
        return [*SessionRoutes(self.sessions, self.sign_in).handlers(), *tokens.handlers()]

    def is_live(self, session: Session) -> bool:
        """Whether a caller's session still lives."""
        return self.identity.callers().is_live(session)

    def of(self, session: Session) -> Desk:
        """The one desk, for its own tenant only."""
        if session.user.tenant_id != TENANT:
            raise RequestRefused(503, "tenant_starting", "This tenant is not open.")
        return self.desk_shown

    def parts(self) -> SharedParts:
        """What the routes of all tenants are built from."""
        return SharedParts(
            events=self.store,
            indicators=rolling_mean,
            features=FakeFeatures(),
            situations=FakeSituations(),
            models=FakeModels(),
            reports=self.reports,
            replayer=FakeReplayer(),
            health=self.health,
            latency=self.latency,
            speed=lambda: 10.0,
        )

    def _desk(self, report: HealthReport) -> Desk:
        return Desk(
            info=RunInfo(
                version="0.1.0",
                mode="simulated",
                run_id="run-1",
                tenant_id=TENANT,
                account_id="paper-1",
                currency="USD",
                ui_hash=self.site.ui_hash,
                started_us=NOON_NS // 1000,
                attribution=("Charts by TradingView",),
            ),
            live=self.live,
            books=self.books,
            views=self.views,
            control=self.control,
            commands=Commands(self.control, self.books),
            orders=OrderRequests(self.desk),
            report=report,
        )

    async def restart(self) -> None:
        """A new process on the same tables."""
        self.people.wire()
        self._wire()
        await self.people.start()

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A caller on this machine without a session."""
        transport = httpx.ASGITransport(app=self.app, client=("127.0.0.1", 50_000))
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)

    async def open_session(self, tenant: str = TENANT) -> tuple[str, str]:
        """Cookie and CSRF value of a new session of the stage's role."""
        user = User(user_id="u1", name="administrator", tenant_id=tenant, role=self.role)
        cookie, session = await self.sessions.open(user)
        return cookie, session.csrf

    async def signed_in(self) -> httpx.AsyncClient:
        """A caller with a session, its CSRF value and the right Origin."""
        cookie, csrf = await self.open_session()
        client = self.client(**{"origin": ORIGIN, "x-plan2-csrf": csrf})
        client.cookies.set("p2_session", cookie)
        return client

    async def stored(self, event: Event, stream: str = "test:1") -> StoredEvent:
        """Append an event to the store."""
        ids = SeededIds(f"event-{await self.store.position(TENANT)}")
        new = NewEvent(stream_id=stream, event=event, event_id=ids.next_id("event"))
        return (await self.store.append(TENANT, [new]))[0]


def problem_of(response: httpx.Response) -> dict[str, object]:
    """The problem of an error answer; fails when it is not one."""
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = msgspec.json.decode(response.content)
    assert body["status"] == response.status_code
    assert {"type", "title", "detail", "code", "request_id"} <= set(body)
    return body
