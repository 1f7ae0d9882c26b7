"""What would become of an order: every check of the risk gate, before anything is sent."""

from typing import Annotated, Literal

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.dataflow.terminals.port import Trigger
from plan2.intelligence.trading.wishes import Refusal
from plan2.interface.api.desk import Desks
from plan2.interface.api.order_bodies import OrderBody
from plan2.interface.screen import number_or_none

PREVIEW = "preview"

Symbol = Annotated[str, Parameter(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]*$")]
Amount = Annotated[float, Parameter(gt=0, le=1e6)]
Level = Annotated[float, Parameter(ge=0, le=1e9, description="A price; 0 = none.")]


class CheckItem(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, what it saw and its limit; None where it could not be computed."""

    rule: str
    passed: bool
    value: float | None
    limit: float | None


class OrderPreview(msgspec.Struct, frozen=True, kw_only=True):
    """Every check in the order of the gate; `passes` when none refuses now."""

    passes: bool
    checks: list[CheckItem]


class PreviewRoutes:
    """`/api/v1/orders/preview`."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks

    def handlers(self) -> list[HTTPRouteHandler]:
        """The one route."""
        return [get("/api/v1/orders/preview", tags=["orders"])(self.preview)]

    async def preview(  # noqa: PLR0913, PLR0917 - the members of an order
        self,
        request: SignedRequest,
        symbol: Symbol,
        side: Literal["buy", "sell"],
        quantity: Amount,
        trigger: Trigger = Trigger.MARKET,
        price: Level = 0.0,
        limit_price: Level = 0.0,
        stop_loss: Level = 0.0,
        take_profit: Level = 0.0,
    ) -> OrderPreview:
        """What the risk gate would say of this order now; nothing is written down or sent."""
        body = OrderBody(
            symbol=symbol,
            side=side,
            quantity=quantity,
            reason=PREVIEW,
            trigger=trigger,
            price=price,
            limit_price=limit_price,
            stop_loss=stop_loss,
            take_profit=take_profit,
        )
        found = self._desks.of(request.auth).orders.preview(body.wish(request.auth.actor))
        if isinstance(found, Refusal):
            raise RequestRefused(422, found.rule, found.message)
        return OrderPreview(
            passes=all(check.passed for check in found),
            checks=[
                CheckItem(
                    rule=check.rule,
                    passed=check.passed,
                    value=number_or_none(check.value),
                    limit=number_or_none(check.limit),
                )
                for check in found
            ],
        )
