"""Routes of a tenant's own broker account: bound, watched, its terminals let in, and let go."""

from typing import Annotated, Final, Literal, Protocol

import msgspec
from litestar import delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.broker_bindings import BrokerWish, Mode
from plan2.connectivity.identity.principal import Session
from plan2.interface.api.paging import ItemId, Line, Why
from plan2.interface.api.tenants import TenantPath

OWN: Final = "/api/v1/broker-account"
OF_TENANT: Final = "/api/v1/tenants/{tenant_id:str}/broker"
TAGS: Final = ("broker",)
BODY_MAX_BYTES: Final = 4_096

State = Literal["none", "waiting", "open", "closing", "failed"]
Text = Annotated[str, Meta(min_length=1, max_length=64)]


class BindBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account to be bound: our name for it, the broker's names, whose money, and why."""

    name: Text
    login: Text
    server: Text
    mode: Mode
    reason: Line


class BrokerKeyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A word to know the key by, such as the name of the terminal's machine."""

    label: Line = ""


class BrokerSymbol(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol at both brokers; `age_ms` is None without a quote of the tenant's own.

    `gap_spreads` is the distance of the mids in means of both spreads, `terms` says why nothing is
    opened in it (empty when its terms agree).
    """

    symbol: str
    bid: float | None
    ask: float | None
    age_ms: float | None
    gap_spreads: float | None
    terms: str


class BrokerKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that lets a terminal in, without its secret; microseconds UTC."""

    key_id: str
    label: str
    created_us: int
    revoked_us: int | None


class BrokerAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's account at its broker, microseconds UTC."""

    account_id: str
    login: str
    server: str
    mode: str
    bound_by: str
    bound_us: int
    keys: list[BrokerKey]


class BrokerView(msgspec.Struct, frozen=True, kw_only=True):
    """How a tenant stands to a broker of its own.

    `state`: `none` (it trades on paper), `waiting` for the first word of its terminal, `open`,
    `closing` until nothing is open there, or `failed`. `why_not` says why none can be bound, `link`
    how the way to the terminal is, `detail` what is waited for or failed.
    """

    tenant_id: str
    state: State
    why_not: str
    needs_second_person: bool
    link: str
    detail: str
    account: BrokerAccount | None
    positions: int
    orders: int
    symbols: list[BrokerSymbol]


class BrokerBound(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a wish: bound, or proposed to a second person."""

    outcome: Literal["bound", "proposed"]
    approval_id: str
    broker: BrokerView


class BrokerKeyMade(msgspec.Struct, frozen=True, kw_only=True):
    """A new key; `secret` is shown only here."""

    key_id: str
    account_id: str
    secret: str


class BrokerDesk(Protocol):
    """What the routes ask for; refusals are Plan2Errors."""

    async def view(self, tenant_id: str) -> BrokerView:
        """How a tenant stands to its broker."""
        ...

    async def bind(self, caller: Session, wish: BrokerWish, reason: str) -> str:
        """Bind the caller's tenant; the id of the approval that is asked for, or ""."""
        ...

    async def bind_for(self, caller: Session, tenant_id: str, wish: BrokerWish, why: str) -> None:
        """An operator binds a tenant whose rules ask for no second person."""
        ...

    async def unbind(self, tenant_id: str, by: str, reason: str) -> None:
        """Let go of an account that is flat."""
        ...

    async def make_key(self, tenant_id: str, by: str, label: str) -> BrokerKeyMade:
        """A key for the bound account."""
        ...

    async def revoke_key(self, tenant_id: str, by: str, key_id: str) -> None:
        """End a key for good."""
        ...


class TenantBrokerRoutes:
    """`/api/v1/broker-account…`, and `/api/v1/tenants/{tenant_id}/broker` for operators."""

    def __init__(self, desk: BrokerDesk) -> None:
        self._desk = desk

    def handlers(self) -> list[HTTPRouteHandler]:
        """The eight routes."""
        tags, size = list(TAGS), BODY_MAX_BYTES
        return [
            get(OWN, tags=tags)(self.own),
            put(OWN, status_code=200, tags=tags, request_max_body_size=size)(self.bind),
            delete(OWN, status_code=200, tags=tags)(self.unbind),
            post(OWN + "/keys", tags=tags, request_max_body_size=size)(self.make_key),
            delete(OWN + "/keys/{key_id:str}", status_code=200, tags=tags)(self.revoke_key),
            get(OF_TENANT, tags=tags)(self.of_tenant),
            put(OF_TENANT, status_code=200, tags=tags, request_max_body_size=size)(self.bind_for),
            delete(OF_TENANT, status_code=200, tags=tags)(self.unbind_for),
        ]

    async def own(self, request: SignedRequest) -> BrokerView:
        """How your tenant stands to a broker of its own."""
        return await self._desk.view(request.auth.user.tenant_id)

    async def bind(self, request: SignedRequest, data: BindBody) -> BrokerBound:
        """Bind your tenant to its own account, or propose it where two people decide."""
        caller = request.auth
        approval_id = await self._desk.bind(caller, _wish(data), data.reason)
        return BrokerBound(
            outcome="proposed" if approval_id else "bound",
            approval_id=approval_id,
            broker=await self._desk.view(caller.user.tenant_id),
        )

    async def unbind(self, request: SignedRequest, reason: Why = "") -> BrokerView:
        """Let go of your tenant's account, once nothing is open there; it trades on paper then."""
        caller = request.auth
        await self._desk.unbind(caller.user.tenant_id, caller.actor, reason)
        return await self._desk.view(caller.user.tenant_id)

    async def make_key(self, request: SignedRequest, data: BrokerKeyBody) -> BrokerKeyMade:
        """Make a key for a terminal of your tenant's account; the answer shows it once."""
        caller = request.auth
        return await self._desk.make_key(caller.user.tenant_id, caller.actor, data.label)

    async def revoke_key(self, request: SignedRequest, key_id: ItemId) -> BrokerView:
        """Revoke a key; a link that uses it ends within two seconds."""
        caller = request.auth
        await self._desk.revoke_key(caller.user.tenant_id, caller.actor, key_id)
        return await self._desk.view(caller.user.tenant_id)

    async def of_tenant(self, tenant_id: TenantPath) -> BrokerView:
        """How any tenant stands to its broker, for an operator."""
        return await self._desk.view(tenant_id)

    async def bind_for(
        self, request: SignedRequest, tenant_id: TenantPath, data: BindBody
    ) -> BrokerBound:
        """Bind a tenant whose own rules ask for no second person, for an operator."""
        await self._desk.bind_for(request.auth, tenant_id, _wish(data), data.reason)
        view = await self._desk.view(tenant_id)
        return BrokerBound(outcome="bound", approval_id="", broker=view)

    async def unbind_for(
        self, request: SignedRequest, tenant_id: TenantPath, reason: Why = ""
    ) -> BrokerView:
        """Let go of a tenant's account that is flat, for an operator."""
        await self._desk.unbind(tenant_id, request.auth.actor, reason)
        return await self._desk.view(tenant_id)


def _wish(data: BindBody) -> BrokerWish:
    return BrokerWish(name=data.name, login=data.login, server=data.server, mode=data.mode)
