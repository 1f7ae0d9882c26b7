"""Orders of people: placed, changed, withdrawn; positions protected, closed, claimed.

Every request names itself with an idempotency key. The order's id is derived from it, so that a
repetition never sends a second order, after a restart neither. A refusal is an answer too: it says
which rule refused, what it saw and its limit.
"""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from litestar import delete, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.connectivity.gateway.problems import RequestRefused, RuleRefused
from plan2.connectivity.identity.sessions import Session
from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.ids import derived_id
from plan2.intelligence.trading.requests import Outcome
from plan2.intelligence.trading.wishes import PERSON, Ask, OrderWish, Refusal
from plan2.interface.api.commands import BODY_MAX_BYTES, RECEIPTS_KEPT, Key, SignedRequest
from plan2.interface.api.order_bodies import (
    ChangeBody,
    ClaimBody,
    CloseBody,
    CloseByBody,
    OrderBody,
    ReleaseBody,
    StopsBody,
)
from plan2.interface.api.paging import ItemId
from plan2.interface.api.ports import OrderDesk
from plan2.interface.order_items import OrderReceipt

NOT_FOUND: Final = frozenset({"unknown_symbol", "unknown_position", "unknown_order"})
CONFLICT: Final = frozenset({"order_not_working", "no_change"})
WITHDRAWN: Final = "withdrawn by hand"

Words = Annotated[str, Parameter(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]


class _Taken(msgspec.Struct, frozen=True):
    """A request that was answered: what it asked for and what became of it."""

    asked: object
    outcome: Outcome


class OrderRequests:
    """Hands requests to the desk, once per key; answers are remembered, refusals too."""

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk
        self._taken: dict[str, _Taken] = {}

    def place(self, session: Session, key: str, wish: OrderWish) -> OrderReceipt:
        """Ask for an order.

        Raises:
            RequestRefused: the wish was refused, or the key was used for something else.
        """
        request_id = _request_id(session, key)
        named = msgspec.structs.replace(wish, key=request_id)
        return self._once(request_id, named, lambda: self._desk.request(named))

    def claim(self, session: Session, key: str, position_id: str, body: ClaimBody) -> OrderReceipt:
        """Hand a position to Plan2's care; raises as `place`."""
        ask = Ask(_actor(session), body.reason)
        return self._once(
            _request_id(session, key),
            (position_id, body),
            lambda: Outcome(refusal=self._desk.claim(position_id, ask, body.horizon_s)),
        )

    def release(
        self, session: Session, key: str, position_id: str, body: ReleaseBody
    ) -> OrderReceipt:
        """Take a position away from Plan2's care; raises as `place`."""
        ask = Ask(_actor(session), body.reason)
        return self._once(
            _request_id(session, key),
            (position_id, body),
            lambda: Outcome(refusal=self._desk.release(position_id, ask)),
        )

    def _once(self, request_id: str, asked: object, act: Callable[[], Outcome]) -> OrderReceipt:
        taken = self._taken.get(request_id)
        if taken is None:
            taken = self._taken[request_id] = _Taken(asked, act())
            if len(self._taken) > RECEIPTS_KEPT:
                del self._taken[next(iter(self._taken))]
        if taken.asked != asked:
            raise RequestRefused(
                409,
                "idempotency_conflict",
                "This Idempotency-Key was used for another request.",
                remedy="Use a new key for a new request.",
            )
        if taken.outcome.refusal is not None:
            raise _refused(taken.outcome.refusal)
        order_id = taken.outcome.order_id
        return OrderReceipt(request_id, order_id, self._desk.state_of(order_id))


class OrderRoutes:
    """`/api/v1/orders` and `/api/v1/positions`, as far as they change something."""

    def __init__(self, requests: OrderRequests) -> None:
        self._requests = requests

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
        return self._ask(request, key, data.wish(_actor(request.auth)))

    async def change(
        self, request: SignedRequest, order_id: ItemId, data: ChangeBody, key: Key
    ) -> OrderReceipt:
        """Give a working pending order other prices, stops or another expiry."""
        return self._ask(request, key, data.wish(_actor(request.auth), order_id))

    async def cancel(
        self, request: SignedRequest, order_id: ItemId, key: Key, reason: Words = WITHDRAWN
    ) -> OrderReceipt:
        """Withdraw a working pending order."""
        ask = Ask(_actor(request.auth), reason)
        wish = OrderWish(kind=OrderKind.CANCEL, ask=ask, order_id=order_id)
        return self._ask(request, key, wish)

    async def protect(
        self, request: SignedRequest, position_id: ItemId, data: StopsBody, key: Key
    ) -> OrderReceipt:
        """Give a position other stops."""
        return self._ask(request, key, data.wish(_actor(request.auth), position_id))

    async def close(
        self, request: SignedRequest, position_id: ItemId, data: CloseBody, key: Key
    ) -> OrderReceipt:
        """Close (part of) a position at market."""
        return self._ask(request, key, data.wish(_actor(request.auth), position_id))

    async def close_by(
        self, request: SignedRequest, position_id: ItemId, data: CloseByBody, key: Key
    ) -> OrderReceipt:
        """Close a position against an opposite one."""
        return self._ask(request, key, data.wish(_actor(request.auth), position_id))

    async def claim(
        self, request: SignedRequest, position_id: ItemId, data: ClaimBody, key: Key
    ) -> OrderReceipt:
        """Hand a position that a person opened to Plan2's care."""
        return self._requests.claim(request.auth, key, position_id, data)

    async def release(
        self, request: SignedRequest, position_id: ItemId, data: ReleaseBody, key: Key
    ) -> OrderReceipt:
        """Take a position away from Plan2's care; it is shown and counted all the same."""
        return self._requests.release(request.auth, key, position_id, data)

    def _ask(self, request: SignedRequest, key: str, wish: OrderWish) -> OrderReceipt:
        return self._requests.place(request.auth, key, wish)


def _actor(session: Session) -> str:
    return f"{PERSON}{session.user.name}"


def _request_id(session: Session, key: str) -> str:
    return derived_id("order", session.user.tenant_id, session.user.user_id, key)


def _refused(refusal: Refusal) -> RequestRefused:
    if refusal.rule in NOT_FOUND:
        return RequestRefused(404, refusal.rule, refusal.message)
    if refusal.rule in CONFLICT:
        return RequestRefused(409, refusal.rule, refusal.message)
    return RuleRefused(refusal.rule, refusal.message, refusal.value, refusal.limit)
