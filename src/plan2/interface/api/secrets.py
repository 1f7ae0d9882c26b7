"""Keys over the API: which there are, how far rotations have come, new ones; never a key."""

from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.foundation.secrets.key_tables import TenantKeyRow
from plan2.foundation.secrets.keys import Provider
from plan2.foundation.secrets.keys_opening import Keys
from plan2.foundation.secrets.rotation import KeyRotations
from plan2.foundation.secrets.rotation_table import Level, Rotation
from plan2.foundation.secrets.sealing import KeysUnavailable
from plan2.foundation.values import TenantId
from plan2.interface.screen import to_us, us_or_none

PATH: Final = "/api/v1/secrets"
BODY_MAX_BYTES: Final = 4_096


class ProviderItem(msgspec.Struct, frozen=True, kw_only=True):
    """Where the root key lies."""

    kind: str
    place: str
    current_key: str
    keys: tuple[str, ...]
    protection: str


class TenantKeyItem(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the tenant's key; `is_behind` when an older root key still wraps it."""

    version: int
    key_id: str
    root_key: str
    is_current: bool
    is_behind: bool
    created_us: int


class RotationItem(msgspec.Struct, frozen=True, kw_only=True):
    """A replacement of a key; `finished_us` is null while it goes on."""

    rotation_id: str
    level: Level
    old_key: str
    new_key: str
    rewrapped: int
    started_by: str
    started_us: int
    finished_us: int | None


class KeysInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of the caller's tenant; only operators see the provider of the root key."""

    provider: ProviderItem | None
    provider_state: Literal["ok", "degraded", "down"]
    provider_detail: str
    tenant_keys: tuple[TenantKeyItem, ...]
    people: int
    rotations: tuple[RotationItem, ...]


class RotateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which key is to be replaced."""

    level: Level


class RotateReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """The key that seals from now on; wrapping the rest again goes on in the background."""

    level: Level
    old_key: str
    new_key: str


class SecretRoutes:
    """`/api/v1/secrets`.

    Args:
        keys: everything of keys. rotations: replaces them.
        tenants: every tenant that is served, whose keys a new root key wraps.
    """

    def __init__(
        self, keys: Keys, rotations: KeyRotations, tenants: Callable[[], Sequence[TenantId]]
    ) -> None:
        self._keys = keys
        self._rotations = rotations
        self._tenants = tenants

    def handlers(self) -> list[HTTPRouteHandler]:
        """One question, one command."""
        return [
            get(f"{PATH}/keys", tags=["secrets"])(self.show),
            post(
                f"{PATH}/rotate",
                status_code=202,
                request_max_body_size=BODY_MAX_BYTES,
                tags=["secrets"],
            )(self.rotate),
        ]

    async def show(self, request: SignedRequest) -> KeysInfo:
        """Which keys there are, and how far rotations have come."""
        tenant = TenantId(request.auth.user.tenant_id)
        rows = await self._keys.tenants.table.read(tenant)
        provider = await self._provider()
        health = self._keys.tenants.health()
        state: Literal["ok", "degraded", "down"] = (
            "down" if health.status == "down" else "degraded" if health.detail else "ok"
        )
        if provider is None and state == "ok":
            state = "degraded"
        return KeysInfo(
            provider=_provider_item(provider) if request.auth.user.is_operator else None,
            provider_state=state,
            provider_detail=health.detail if request.auth.user.is_operator else "",
            tenant_keys=_tenant_keys(rows, provider.current_key if provider else ""),
            people=await self._keys.subjects.table.count(tenant),
            rotations=tuple(_rotation(each) for each in await self._rotations.shown(tenant)),
        )

    async def rotate(self, request: SignedRequest, data: RotateBody) -> RotateReceipt:
        """Replace the tenant's key, or (operators) the root key; nothing stops meanwhile."""
        session = request.auth
        try:
            if data.level == "tenant":
                done = await self._rotations.rotate_tenant(
                    TenantId(session.user.tenant_id), session.actor
                )
                return RotateReceipt(level="tenant", old_key=done.old_key, new_key=done.new_key)
            if not session.user.is_operator:
                raise RequestRefused(403, "forbidden", "Only operators of this installation may.")
            old, new = await self._rotations.rotate_root(self._tenants(), session.actor)
        except KeysUnavailable as error:
            raise RequestRefused(503, error.code, error.message, remedy=error.remedy) from None
        return RotateReceipt(level="root", old_key=old, new_key=new)

    async def _provider(self) -> Provider | None:
        try:
            return await self._keys.provider.describe()
        except KeysUnavailable:
            return None


def _provider_item(provider: Provider | None) -> ProviderItem | None:
    return None if provider is None else ProviderItem(**msgspec.structs.asdict(provider))


def _tenant_keys(rows: Sequence[TenantKeyRow], root_key: str) -> tuple[TenantKeyItem, ...]:
    return tuple(
        TenantKeyItem(
            version=row.version,
            key_id=row.key_id,
            root_key=row.wrapped.root_key,
            is_current=row is rows[-1],
            is_behind=bool(root_key) and row.wrapped.root_key != root_key,
            created_us=to_us(row.created_ns),
        )
        for row in rows
    )


def _rotation(rotation: Rotation) -> RotationItem:
    return RotationItem(
        rotation_id=rotation.rotation_id,
        level=rotation.level,
        old_key=rotation.old_key,
        new_key=rotation.new_key,
        rewrapped=rotation.rewrapped,
        started_by=rotation.started_by,
        started_us=to_us(rotation.started_ns),
        finished_us=us_or_none(rotation.finished_ns),
    )
