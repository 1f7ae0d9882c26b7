"""Routes about keys for programs: make, list, revoke."""

from typing import Annotated, Final

import msgspec
from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.api_key_desk import (
    LABEL_MAX,
    LIFE_MAX_DAYS,
    NETWORKS_MAX,
    ApiKeyDesk,
    KeyWish,
)
from plan2.connectivity.identity.api_keys import ApiKey
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.rights import Role, Scope
from plan2.connectivity.identity.users import UserBook
from plan2.interface.api.paging import ItemId
from plan2.interface.screen import to_us, us_or_none

BODY_MAX_BYTES: Final = 16_384
TAGS: Final = ("keys",)

Network = Annotated[str, Meta(max_length=64)]
Everyones = Annotated[
    bool, Parameter(query="all", description="Every key of the tenant, for administrators.")
]


class KeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a new key should be.

    `networks` (CIDR) is where it may be used from, empty for everywhere. `user_id` names a user of
    the role API_User, for administrators; without it the key is the caller's own.
    """

    label: Annotated[str, Meta(min_length=1, max_length=LABEL_MAX)]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=len(Scope))]
    days: Annotated[int, Meta(ge=1, le=LIFE_MAX_DAYS)] = 90
    networks: Annotated[list[Network], Meta(max_length=NETWORKS_MAX)] = []
    user_id: Annotated[str, Meta(max_length=128)] = ""


class KeyItem(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret; times in microseconds UTC, null for never.

    `state` is good, expired, revoked or dead: its owner or tenant may not any more. `why` says it.
    """

    key_id: str
    prefix: str
    label: str
    user_id: str
    user: str
    scopes: list[str]
    networks: list[str]
    created_us: int
    expires_us: int
    last_used_us: int | None
    revoked_us: int | None
    state: str
    why: str


class KeyList(msgspec.Struct, frozen=True):
    """Keys, newest first."""

    items: list[KeyItem]


class KeyMade(msgspec.Struct, frozen=True):
    """A new key, whole; `key` is shown only here."""

    key: str
    item: KeyItem


class KeyRoutes:
    """`/api/v1/keys…`."""

    def __init__(self, desk: ApiKeyDesk, book: UserBook) -> None:
        self._desk = desk
        self._book = book

    def handlers(self) -> list[HTTPRouteHandler]:
        """The three routes."""
        return [
            get("/api/v1/keys", tags=TAGS)(self.listed),
            post("/api/v1/keys", request_max_body_size=BODY_MAX_BYTES, tags=TAGS)(self.create),
            delete("/api/v1/keys/{key_id:str}", tags=TAGS)(self.revoke),
        ]

    async def listed(self, request: SignedRequest, everyones: Everyones = False) -> KeyList:
        """The caller's keys, or the tenant's; those that ended too."""
        session = request.auth
        if everyones and session.user.role is not Role.TENANT_ADMIN:
            raise RequestRefused(403, "forbidden", "Administrators see everybody's keys.")
        known = self._desk.keys.of_tenant(session.user.tenant_id)
        return KeyList(
            [self._item(key) for key in known if everyones or key.user_id == session.user.user_id]
        )

    async def create(self, request: SignedRequest, data: KeyBody) -> KeyMade:
        """A new key that may do no more than its owner; it is shown once."""
        wish = KeyWish(
            label=data.label,
            scopes=frozenset(data.scopes),
            days=data.days,
            networks=tuple(data.networks),
            user_id=data.user_id,
        )
        shown, key = await self._desk.create(wish, request.auth)
        return KeyMade(shown, self._item(key))

    async def revoke(self, request: SignedRequest, key_id: ItemId) -> None:
        """End a key at once; one's own, or for administrators any of the tenant."""
        session = request.auth
        key = self._desk.keys.get(session.user.tenant_id, key_id)
        if key is None or not _may_see(session, key):
            raise RequestRefused(404, "not_found", f"There is no key {key_id!r}.")
        await self._desk.revoke(key, "revoked", session.actor)

    def _item(self, key: ApiKey) -> KeyItem:
        owner = self._book.find(key.tenant_id, key.user_id)
        why = self._desk.keys.why_dead(key)
        return KeyItem(
            key_id=key.key_id,
            prefix=key.prefix,
            label=key.label,
            user_id=key.user_id,
            user=owner.user.name if owner is not None else "",
            scopes=sorted(key.scopes),
            networks=list(key.networks),
            created_us=to_us(key.created_ns),
            expires_us=to_us(key.expires_ns),
            last_used_us=us_or_none(key.last_used_ns),
            revoked_us=us_or_none(key.revoked_ns),
            state=_state(key, why),
            why=why,
        )


def _state(key: ApiKey, why: str) -> str:
    if key.revoked_ns is not None:
        return "revoked"
    if not why:
        return "good"
    return "expired" if why == "expired" else "dead"


def _may_see(session: Session, key: ApiKey) -> bool:
    user = session.user
    return key.user_id == user.user_id or user.role is Role.TENANT_ADMIN
