"""Routes of the trading switches: pause, resume, halt, reduce-only, kill, and how they stand."""

from typing import Final

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler

from plan2.connectivity.gateway.signin import SignedRequest
from plan2.interface.api.command_desk import (
    BODY_MAX_BYTES,
    NAMES,
    CommandBody,
    Key,
)
from plan2.interface.api.desk import Desks
from plan2.interface.api.paging import ItemId, Line
from plan2.interface.items import CommandReceipt
from plan2.interface.switch_items import TradingItem, item_of

ONLY_ONE: Final = "-"
"""In place of an account's name: the only one there is."""


class AcceptBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the broker is believed."""

    reason: Line


class Accepted(msgspec.Struct, frozen=True):
    """The positions that were closed in our books."""

    closed: tuple[str, ...]


class CommandRoutes:
    """`/api/v1/commands/…`, and how the switches stand."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks

    def handlers(self) -> list[HTTPRouteHandler]:
        """One handler on five paths, and one question."""
        paths = [f"/api/v1/commands/{name}" for name in NAMES]
        return [
            post(paths, status_code=202, request_max_body_size=BODY_MAX_BYTES, tags=["commands"])(
                self.command
            ),
            post(
                "/api/v1/accounts/{account_id:str}/accept-broker-view",
                status_code=200,
                request_max_body_size=BODY_MAX_BYTES,
                tags=["commands"],
            )(self.accept_broker_view),
            get("/api/v1/trading", tags=["commands"])(self.trading),
        ]

    async def command(self, request: SignedRequest, data: CommandBody, key: Key) -> CommandReceipt:
        """Pause, resume, halt, only reduce, or kill; the effect arrives as events."""
        path = request.scope["path"].rpartition("/")[2]
        name = next(known for known in NAMES if known == path)
        commands = self._desks.of(request.auth).commands
        return await commands.carry_out(name, request.auth, key, data)

    async def accept_broker_view(
        self, request: SignedRequest, account_id: ItemId, data: AcceptBody
    ) -> Accepted:
        """Close in our books what the broker does not have; only while halted, by a person.

        An account `-` is the tenant's only one. Nothing is sent to the broker.
        """
        control = self._desks.of(request.auth).control
        name = "" if account_id == ONLY_ONE else account_id
        closed = await control.accept_broker_view(name, request.auth.actor, data.reason)
        return Accepted(closed=tuple(closed))

    async def trading(self, request: SignedRequest) -> TradingItem:
        """Every switch of every account, what keeps it from being resumed, and its kills."""
        control = self._desks.of(request.auth).control
        return TradingItem(accounts=[item_of(account) for account in control.overview()])
