"""Feature flags over the API: how they stand for the caller, and switching them."""

from typing import Annotated, Final

import msgspec
from litestar import get, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.connectivity.gateway.accounting import note_change
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.rights import ADMIN
from plan2.foundation.config.flags import Flag, Flags, FlagUnknown
from plan2.foundation.config.overlay_keys import GLOBAL, TENANT, USER, SettingScope
from plan2.foundation.values import TenantId
from plan2.interface.api.paging import Line
from plan2.interface.api.settings_items import Person

PATH: Final = "/api/v1/flags"
BODY_MAX_BYTES: Final = 4_096

FlagName = Annotated[str, Parameter(max_length=64, pattern=r"^[a-z0-9_]+$")]


class FlagLevel(msgspec.Struct, frozen=True):
    """What one scope says."""

    scope: str
    is_on: bool


class FlagItem(msgspec.Struct, frozen=True, kw_only=True):
    """A flag for the person who asks; `origin` is `default` or the scope that decides."""

    flag: str
    is_on: bool
    origin: str
    default: bool
    doc: str
    used_by: str
    scopes: tuple[str, ...]
    may_change: tuple[str, ...]
    levels: tuple[FlagLevel, ...]


class FlagsList(msgspec.Struct, frozen=True):
    """Every flag."""

    items: list[FlagItem]


class FlagBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """On, off, or null: what the wider scope says."""

    is_on: bool | None
    reason: Line = ""


class FlagRoutes:
    """`/api/v1/flags`."""

    def __init__(self, flags: Flags) -> None:
        self._flags = flags

    def handlers(self) -> list[HTTPRouteHandler]:
        """One question, one switch per scope."""
        found: list[HTTPRouteHandler] = [get(PATH, tags=["settings"])(self.every)]
        for scope, switch in (
            (GLOBAL, self.switch_global),
            (TENANT, self.switch_tenant),
            (USER, self.switch_user),
        ):
            path = f"{PATH}/{scope}/{{flag:str}}"
            putting = put(path, request_max_body_size=BODY_MAX_BYTES, tags=["settings"])
            found.append(putting(switch))
        return found

    async def every(self, request: SignedRequest) -> FlagsList:
        """Every flag as it stands for you."""
        return FlagsList([self._item(request.auth, each) for each in self._flags.declared.values()])

    async def switch_global(
        self, request: SignedRequest, flag: FlagName, data: FlagBody
    ) -> FlagItem:
        """Switch a flag for the whole installation."""
        return await self._switch(request, GLOBAL, flag, data)

    async def switch_tenant(
        self, request: SignedRequest, flag: FlagName, data: FlagBody
    ) -> FlagItem:
        """Switch a flag for your tenant."""
        return await self._switch(request, TENANT, flag, data)

    async def switch_user(
        self, request: SignedRequest, flag: FlagName, data: FlagBody, user: Person = ""
    ) -> FlagItem:
        """Switch a flag for one person of your tenant, or for yourself."""
        return await self._switch(request, USER, flag, data, user)

    async def _switch(
        self,
        request: SignedRequest,
        scope: SettingScope,
        flag: str,
        data: FlagBody,
        person: str = "",
    ) -> FlagItem:
        session = request.auth
        tenant, user_id = _place(session, scope, person)
        before = self._flags.set_in(flag, tenant, user_id)
        try:
            await self._flags.switch(
                flag, tenant, user_id, data.is_on, by=session.actor, reason=data.reason
            )
        except FlagUnknown as error:
            raise RequestRefused(404, error.code, error.message) from None
        note_change(request, _bytes(before), _bytes(data.is_on))
        return self._item(session, self._flags.declared[flag], person)

    def _item(self, session: Session, flag: Flag, person: str = "") -> FlagItem:
        is_on, scope = self._flags.level(flag.name, *_place(session, USER, person))
        said = {
            each: self._flags.set_in(flag.name, *_place(session, each, person))
            for each in flag.scopes
        }
        return FlagItem(
            flag=flag.name,
            is_on=is_on,
            origin=scope.value if scope else "default",
            default=flag.default,
            doc=flag.doc,
            used_by=flag.used_by,
            scopes=tuple(each.value for each in flag.scopes),
            may_change=tuple(each.value for each in flag.scopes if _may_switch(session, each)),
            levels=tuple(
                FlagLevel(each.value, found) for each, found in said.items() if found is not None
            ),
        )


def _may_switch(session: Session, scope: SettingScope) -> bool:
    """A person may not give themselves what the tenant took away: only administrators switch."""
    if session.user.role not in ADMIN:
        return False
    return scope is not GLOBAL or session.user.is_operator


def _place(session: Session, scope: SettingScope, person: str) -> tuple[TenantId, str]:
    tenant = TenantId("" if scope is GLOBAL else session.user.tenant_id)
    return tenant, (person or session.user.user_id) if scope is USER else ""


def _bytes(is_on: bool | None) -> bytes:
    return b"" if is_on is None else str(is_on).lower().encode()
