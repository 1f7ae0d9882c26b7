"""Routes of people's orders: placed, changed, withdrawn; positions protected, closed, claimed."""

from litestar import delete, patch, post
from litestar.handlers import HTTPRouteHandler

from plan2.connectivity.gateway.signin import SignedRequest
from plan2.dataflow.terminals.port import OrderKind
from plan2.intelligence.trading.wishes import Ask, OrderWish
from plan2.interface.api.command_desk import BODY_MAX_BYTES, Key
from plan2.interface.api.desk import Desks
from plan2.interface.api.order_bodies import (
    ChangeBody,
    ClaimBody,
    CloseBody,
    CloseByBody,
    OrderBody,
    ReleaseBody,
    StopsBody,
)
from plan2.interface.api.order_requests import WITHDRAWN
from plan2.interface.api.paging import ItemId, Why
from plan2.interface.order_items import OrderReceipt


class OrderRoutes:
    """`/api/v1/orders` and `/api/v1/positions`, as far as they change something."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks

    def handlers(self) -> list[HTTPRouteHandler]:
        """The eight routes."""
        tags, size = ["orders"], BODY_MAX_BYTES
        order, position = "/api/v1/orders/{order_id:str}", "/api/v1/positions/{position_id:str}"
        posts = (
            ("/api/v1/orders", self.place),
            (position + "/close", self.close),
            (position + "/close-by", self.close_by),
            (position + "/claim", self.claim),
            (position + "/release", self.release),
        )
        return [
            *(
                post(path, status_code=202, request_max_body_size=size, tags=tags)(handler)
                for path, handler in posts
            ),
            patch(order, status_code=202, request_max_body_size=size, tags=tags)(self.change),
            delete(order, status_code=202, tags=tags)(self.cancel),
            patch(position, status_code=202, request_max_body_size=size, tags=tags)(self.protect),
        ]

    async def place(self, request: SignedRequest, data: OrderBody, key: Key) -> OrderReceipt:
        """Buy or sell, at market or pending; what becomes of it arrives as events."""
        return self._ask(request, key, data.wish(request.auth.actor))

    async def change(
        self, request: SignedRequest, order_id: ItemId, data: ChangeBody, key: Key
    ) -> OrderReceipt:
        """Give a working pending order other prices, stops or another expiry."""
        return self._ask(request, key, data.wish(request.auth.actor, order_id))

    async def cancel(
        self, request: SignedRequest, order_id: ItemId, key: Key, reason: Why = WITHDRAWN
    ) -> OrderReceipt:
        """Withdraw a working pending order."""
        ask = Ask(request.auth.actor, reason)
        wish = OrderWish(kind=OrderKind.CANCEL, ask=ask, order_id=order_id)
        return self._ask(request, key, wish)

    async def protect(
        self, request: SignedRequest, position_id: ItemId, data: StopsBody, key: Key
    ) -> OrderReceipt:
        """Give a position other stops."""
        return self._ask(request, key, data.wish(request.auth.actor, position_id))

    async def close(
        self, request: SignedRequest, position_id: ItemId, data: CloseBody, key: Key
    ) -> OrderReceipt:
        """Close (part of) a position at market."""
        return self._ask(request, key, data.wish(request.auth.actor, position_id))

    async def close_by(
        self, request: SignedRequest, position_id: ItemId, data: CloseByBody, key: Key
    ) -> OrderReceipt:
        """Close a position against an opposite one."""
        return self._ask(request, key, data.wish(request.auth.actor, position_id))

    async def claim(
        self, request: SignedRequest, position_id: ItemId, data: ClaimBody, key: Key
    ) -> OrderReceipt:
        """Hand a position that a person opened to Plan2's care."""
        return self._desks.of(request.auth).orders.claim(request.auth, key, position_id, data)

    async def release(
        self, request: SignedRequest, position_id: ItemId, data: ReleaseBody, key: Key
    ) -> OrderReceipt:
        """Take a position away from Plan2's care; it is shown and counted all the same."""
        return self._desks.of(request.auth).orders.release(request.auth, key, position_id, data)

    def _ask(self, request: SignedRequest, key: str, wish: OrderWish) -> OrderReceipt:
        return self._desks.of(request.auth).orders.place(request.auth, key, wish)
