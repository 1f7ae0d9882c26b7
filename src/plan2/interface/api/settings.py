"""Settings over the API: every key with its origin, and changes in each scope."""

from typing import Annotated, Final

import msgspec
from litestar import delete, get, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.connectivity.gateway.accounting import note_change
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.rights import ADMIN
from plan2.foundation.config.load import Loaded, flat
from plan2.foundation.config.overlay import Overlay
from plan2.foundation.config.overlay_changes import Target
from plan2.foundation.config.overlay_keys import (
    GLOBAL,
    OVERRIDABLE,
    TENANT,
    USER,
    Overridable,
    SettingScope,
    Value,
    value_of,
)
from plan2.foundation.config.overlay_memory import Who
from plan2.foundation.config.overlay_merge import Merged
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import ConfigError
from plan2.foundation.secret import redact_text
from plan2.foundation.values import TenantId
from plan2.interface.api.paging import Why
from plan2.interface.api.settings_desk import SettingsDesk, Wish
from plan2.interface.api.settings_items import (
    LevelItem,
    OriginScope,
    Person,
    SettingBody,
    SettingItem,
    SettingReceipt,
    SettingsList,
    SettingTypes,
    is_limit,
    plain,
)
from plan2.interface.screen import to_us

PATH: Final = "/api/v1/settings"
BODY_MAX_BYTES: Final = 32_768
ORIGINS: Final[dict[SettingScope, OriginScope]] = {
    GLOBAL: "global",
    TENANT: "tenant",
    USER: "user",
}

SettingKey = Annotated[str, Parameter(max_length=64, pattern=r"^[a-z0-9_][a-z0-9_.]*$")]
OtherTenant = Annotated[
    str,
    Parameter(pattern=r"^[a-z0-9_]{0,48}$", description="For operators: another tenant."),
]


class SettingsRoutes:
    """`/api/v1/settings`.

    Args:
        overlay: the settings. desk: carries changes out. base: the file, for operators.
    """

    def __init__(self, overlay: Overlay, desk: SettingsDesk, base: Loaded) -> None:
        self._overlay = overlay
        self._desk = desk
        self._base = base
        self._types = SettingTypes()

    def handlers(self) -> list[HTTPRouteHandler]:
        """One question, and two changes per scope."""
        found: list[HTTPRouteHandler] = [get(PATH, tags=["settings"])(self.every)]
        for scope, setter, remover in (
            (GLOBAL, self.set_global, self.unset_global),
            (TENANT, self.set_tenant, self.unset_tenant),
            (USER, self.set_user, self.unset_user),
        ):
            path = f"{PATH}/{scope}/{{key:str}}"
            putting = put(path, request_max_body_size=BODY_MAX_BYTES, tags=["settings"])
            found.append(putting(setter))
            found.append(delete(path, status_code=200, tags=["settings"])(remover))
        return found

    async def every(
        self, request: SignedRequest, tenant: OtherTenant = "", user: Person = ""
    ) -> SettingsList:
        """Every setting with its value, origin, locks and range.

        Operators see those of the file as well and may name a tenant, administrators a person.
        """
        session = request.auth
        whose = _tenant_of(session, tenant)
        user_id = _person_of(session, user) if whose == session.user.tenant_id else user
        try:
            settings = self._overlay.effective(whose, user_id)
        except ConfigError as error:
            raise RequestRefused(404, "tenant_unknown", error.message) from None
        items = [
            self._item(session, settings, each, (whose, user_id)) for each in OVERRIDABLE.values()
        ]
        if session.user.is_operator:
            items += [
                self._file_item(key, text)
                for key, text in flat(self._base.settings).items()
                if key not in OVERRIDABLE
            ]
        return SettingsList(whose, user_id, items)

    async def set_global(
        self, request: SignedRequest, key: SettingKey, data: SettingBody
    ) -> SettingReceipt:
        """Set or lock a key for the whole installation."""
        return await self._put(request, Target(scope=GLOBAL, key=key), data)

    async def set_tenant(
        self, request: SignedRequest, key: SettingKey, data: SettingBody, tenant: OtherTenant = ""
    ) -> SettingReceipt:
        """Set or lock a key for a tenant and its people."""
        whose = _tenant_of(request.auth, tenant)
        return await self._put(request, Target(scope=TENANT, key=key, tenant_id=whose), data)

    async def set_user(
        self, request: SignedRequest, key: SettingKey, data: SettingBody, user: Person = ""
    ) -> SettingReceipt:
        """Set a key for yourself; administrators also for one of their people."""
        return await self._put(request, _own(request.auth, key, user), data)

    async def unset_global(
        self, request: SignedRequest, key: SettingKey, reason: Why = ""
    ) -> SettingReceipt:
        """Take away what was set for the installation: the file holds again."""
        return await self._delete(request, Target(scope=GLOBAL, key=key), reason)

    async def unset_tenant(
        self, request: SignedRequest, key: SettingKey, reason: Why = "", tenant: OtherTenant = ""
    ) -> SettingReceipt:
        """Take away what was set for a tenant: the installation's value holds again."""
        whose = _tenant_of(request.auth, tenant)
        return await self._delete(request, Target(scope=TENANT, key=key, tenant_id=whose), reason)

    async def unset_user(
        self, request: SignedRequest, key: SettingKey, reason: Why = "", user: Person = ""
    ) -> SettingReceipt:
        """Take away what you set for yourself: the tenant's value holds again."""
        return await self._delete(request, _own(request.auth, key, user), reason)

    async def _put(
        self, request: SignedRequest, target: Target, data: SettingBody
    ) -> SettingReceipt:
        if data.value is None and data.locked is None:
            raise RequestRefused(422, "setting_invalid", "Neither a value nor a lock was given.")
        wish = Wish(key=target.key, value=plain(data.value), locked=data.locked)
        return await self._changed(request, target, wish, data.reason)

    async def _delete(self, request: SignedRequest, target: Target, reason: str) -> SettingReceipt:
        return await self._changed(request, target, Wish(key=target.key), reason)

    async def _changed(
        self, request: SignedRequest, target: Target, wish: Wish, reason: str
    ) -> SettingReceipt:
        before = msgspec.json.encode(self._overlay.entry(target))
        receipt = await self._desk.change(request.auth, target, wish, reason)
        note_change(request, before, msgspec.json.encode(self._overlay.entry(target)))
        return receipt

    def _item(
        self, session: Session, settings: Settings, found: Overridable, who: Who
    ) -> SettingItem:
        key, (whose, user_id) = found.key, who
        merged = self._overlay.merged(whose, user_id).get(key, Merged())
        locked_by = merged.locked_by.value if merged.locked_by else ""
        return SettingItem(
            key=key,
            value=value_of(settings, key),
            default=value_of(self._base.settings, key),
            origin=self._overlay.origin(key, whose, user_id),
            origin_scope=ORIGINS[merged.origin] if merged.origin else self._base_origin(key),
            is_locked=bool(locked_by),
            locked_by=locked_by,
            scopes=tuple(scope.value for scope in found.scopes),
            may_change=self._desk.may_change(session, found, locked_by),
            is_live=True,
            is_limit=is_limit(found),
            type=self._types.of(key),
            doc=found.doc,
            levels=self._levels(found, whose, user_id, merged),
        )

    def _base_origin(self, key: str) -> OriginScope:
        return "file" if key in self._base.origins else "default"

    def _levels(
        self, found: Overridable, whose: TenantId, user_id: str, merged: Merged
    ) -> tuple[LevelItem, ...]:
        levels = []
        for scope in found.scopes:
            entry = self._overlay.entry(_target(scope, found.key, whose, user_id))
            if entry is not None and (scope is not USER or user_id):
                levels.append(
                    LevelItem(
                        scope=scope.value,
                        value=None if entry.value is None else _value(entry.value),
                        is_locked=entry.is_locked,
                        is_ignored=scope in merged.ignored,
                        changed_us=to_us(entry.changed_ns),
                        changed_by=entry.changed_by,
                        reason=entry.reason,
                    )
                )
        return tuple(levels)

    def _file_item(self, key: str, text: str) -> SettingItem:
        """A key that only the file, a variable or an option sets; passwords in it are masked."""
        value = _value(redact_text(text))
        return SettingItem(
            key=key,
            value=value,
            default=value,
            origin=self._base.origins.get(key, "default"),
            origin_scope=self._base_origin(key),
            is_locked=False,
            locked_by="",
            scopes=(),
            may_change=(),
            is_live=False,
            is_limit=False,
            type=self._types.of(key),
            doc="",
            levels=(),
        )


def _tenant_of(session: Session, other: str) -> TenantId:
    """The caller's tenant, or the one an operator names."""
    if other and other != session.user.tenant_id and not session.user.is_operator:
        raise RequestRefused(403, "forbidden", "Only operators of this installation may.")
    return TenantId(other or session.user.tenant_id)


def _person_of(session: Session, other: str) -> str:
    """The caller, or the person that an administrator names."""
    if other and other != session.user.user_id and session.user.role not in ADMIN:
        raise RequestRefused(403, "forbidden", "Only administrators may do this for others.")
    return other or session.user.user_id


def _own(session: Session, key: str, other: str) -> Target:
    person = _person_of(session, other)
    return _target(USER, key, TenantId(session.user.tenant_id), person)


def _target(scope: SettingScope, key: str, tenant: TenantId, user_id: str) -> Target:
    return Target(
        scope=scope,
        key=key,
        tenant_id=TenantId("") if scope is GLOBAL else tenant,
        user_id=user_id if scope is USER else "",
    )


def _value(text: str) -> Value:
    return msgspec.json.decode(text)
