"""Routes about what was decided and traded: decisions, orders, positions, equity, account."""

from typing import Any, Literal

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.foundation.errors import ModelMismatch
from plan2.intelligence.decision.record import DecisionRecord
from plan2.interface.api.desk import Desk, Desks
from plan2.interface.api.paging import Cursor, ItemId, ItemLimit, Word, position_of
from plan2.interface.api.ports import EventLog, Features, Replayer
from plan2.interface.broker_items import BrokerItem
from plan2.interface.items import AccountInfo, DecisionItem, EquityCurve, Page, ReplayResult
from plan2.interface.order_items import OrderItem, PositionItem
from plan2.interface.risk_items import RiskInfo
from plan2.interface.screen import for_screen
from plan2.interface.views.queries import DecisionFilter

Detail = dict[str, Any]  # a decision record as JSON: its schema belongs to level 4


class DecisionRoutes:
    """Decisions: lists, whole records, and taking one again."""

    def __init__(
        self, desks: Desks, events: EventLog, features: Features, replayer: Replayer
    ) -> None:
        self._desks = desks
        self._events = events
        self._features = features
        self._replayer = replayer

    def handlers(self) -> list[HTTPRouteHandler]:
        """The three routes."""
        tags = ["decisions"]
        path = "/api/v1/decisions"
        return [
            get(path, tags=tags)(self.listed),
            get(path + "/{decision_id:str}", tags=tags)(self.detail),
            get(path + "/{decision_id:str}/replay", tags=tags)(self.replay),
        ]

    async def listed(
        self,
        request: SignedRequest,
        symbol: Word = "",
        outcome: Word = "",
        reason: Word = "",
        limit: ItemLimit = 100,
        cursor: Cursor = "",
    ) -> Page[DecisionItem]:
        """Decisions, newest first; filters are exact."""
        wanted = DecisionFilter(symbol=symbol, outcome=outcome, reason=reason)
        views = self._desks.of(request.auth).views
        return await views.decisions(wanted, position_of(cursor), limit)

    async def detail(self, request: SignedRequest, decision_id: ItemId) -> Detail:
        """A decision's whole record with feature names, its orders, fills and position."""
        desk = self._desks.of(request.auth)
        views, record = desk.views, await self._record(desk, decision_id)
        shown = for_screen(record)
        detail: Detail = shown if isinstance(shown, dict) else {}
        orders = await views.orders_of(decision_id)
        fills = await views.fills_of([order.order_id for order in orders])
        schema_id = str(record.get("features", {}).get("schema_id", ""))
        return {
            **detail,
            "feature_names": self._features.names(schema_id) or (),
            "orders": orders,
            "fills": fills,
            "position": await views.position_of(decision_id),
        }

    async def replay(self, request: SignedRequest, decision_id: ItemId) -> ReplayResult:
        """Take the decision again from its record and compare bit for bit."""
        desk = self._desks.of(request.auth)
        record = msgspec.convert(await self._record(desk, decision_id), DecisionRecord)
        try:
            replayed = await self._replayer.replay(record)
        except ModelMismatch as mismatch:
            raise RequestRefused(
                409, mismatch.code, mismatch.message, remedy=mismatch.remedy
            ) from mismatch
        return ReplayResult(identical=replayed.identical, differences=list(replayed.differences))

    async def _record(self, desk: Desk, decision_id: str) -> Detail:
        position = await desk.views.decision_position(decision_id)
        found = (
            await self._events.read_all(desk.info.tenant_id, after=position - 1, limit=1)
            if position is not None
            else ()
        )
        if not found:
            raise RequestRefused(404, "not_found", f"There is no decision {decision_id!r}.")
        record: Detail = found[0].data["record"]
        return record


class TradingRoutes:
    """Orders, positions, equity, the account, and the broker's side of it."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks

    def handlers(self) -> list[HTTPRouteHandler]:
        """The six routes."""
        tags = ["trading"]
        return [
            get("/api/v1/orders", tags=tags)(self.orders),
            get("/api/v1/positions", tags=tags)(self.positions),
            get("/api/v1/equity", tags=tags)(self.equity),
            get("/api/v1/account", tags=tags)(self.account),
            get("/api/v1/broker", tags=tags)(self.broker),
            get("/api/v1/risk", tags=tags)(self.risk),
        ]

    async def orders(
        self,
        request: SignedRequest,
        status: Literal["all", "open"] = "all",
        limit: ItemLimit = 100,
        cursor: Cursor = "",
    ) -> Page[OrderItem]:
        """Orders and where they stand, newest first; or all of which more is to be heard."""
        desk = self._desks.of(request.auth)
        if status == "open":
            return Page(desk.books.open_orders()[::-1][:limit], None)
        return await desk.views.orders(position_of(cursor), limit)

    async def positions(
        self,
        request: SignedRequest,
        status: Literal["open", "closed"] = "open",
        limit: ItemLimit = 100,
        cursor: Cursor = "",
    ) -> Page[PositionItem]:
        """Open positions with floating profit, or closed ones, newest first."""
        desk = self._desks.of(request.auth)
        if status == "open":
            newest_first = desk.books.positions()[::-1]
            return Page(newest_first[:limit], None)
        return await desk.views.positions(is_open=False, before=position_of(cursor), limit=limit)

    async def equity(self, request: SignedRequest, limit: ItemLimit = 500) -> EquityCurve:
        """The last records of balance and equity as columns, oldest first."""
        return await self._desks.of(request.auth).views.equity(limit)

    async def account(self, request: SignedRequest) -> AccountInfo:
        """The account's figures now, with its limits."""
        return self._desks.of(request.auth).books.info()

    async def risk(self, request: SignedRequest) -> RiskInfo:
        """The account's limits with their use, and its exposure by currency and symbol."""
        return self._desks.of(request.auth).books.risk()

    async def broker(self, request: SignedRequest) -> BrokerItem:
        """What only the broker has: foreign pending orders, and which of our positions it lacks."""
        return self._desks.of(request.auth).books.broker()
