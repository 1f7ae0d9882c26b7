"""Routes of tenants: for those who run the installation, and one look for a tenant's own admin."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import msgspec
from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.directory import Tenant
from plan2.connectivity.identity.onboarding import STEPS
from plan2.connectivity.identity.tenant_requests import (
    Request,
    TenantConflict,
    TenantExists,
    TenantUnknown,
)
from plan2.connectivity.identity.tenant_work import ExportFile
from plan2.connectivity.identity.tenants import Tenants
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import ConfigError
from plan2.interface.api.command_desk import BODY_MAX_BYTES
from plan2.interface.api.paging import LINE, Line, Why
from plan2.interface.screen import to_us

ID: Final = r"^[a-z0-9_]{1,48}$"
TAGS: Final = ("tenants",)

TenantPath = Annotated[str, Parameter(pattern=ID, max_length=48)]
Id = Annotated[str, Meta(pattern=ID, max_length=48)]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=LINE)]
File = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.-]+$")]


class NewTenant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tenant to be made; `administrator` is the name of the person who is invited first."""

    tenant_id: Id
    name: Name
    administrator: Name
    reason: Line = ""


class ReasonBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: Line = ""


class RestoreBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which export to restore from, as its folder names it, and why."""

    file: File
    reason: Line = ""


class StepItem(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a tenant's making."""

    step: str
    is_done: bool


class WorkItem(msgspec.Struct, frozen=True, kw_only=True):
    """What is being done about a tenant; `total_rows` is 0 while it is unknown."""

    kind: str
    phase: str
    done_rows: int
    total_rows: int
    started_us: int


class TenantItem(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant; times microseconds UTC.

    `detail` says why it is not served, `last_failure` why the last piece of work about it failed,
    `closing` what its own broker still has to close before it is wound down.
    """

    tenant_id: str
    name: str
    state: str
    detail: str
    is_main: bool
    created_us: int
    revision: str
    steps: list[StepItem]
    work: WorkItem | None
    exports: list[ExportFile]
    last_failure: str
    closing: str = ""


class TenantList(msgspec.Struct, frozen=True):
    """Every tenant, by id."""

    items: list[TenantItem]


class TenantMade(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant, and the link for its first administrator, which is shown only here."""

    tenant: TenantItem
    invitation: str


class TenantRoutes:
    """`/api/v1/tenants` and `/api/v1/tenant`; `closing` says what a broker still has to close."""

    def __init__(self, tenants: Tenants, closing: Callable[[str], str] = lambda _: "") -> None:
        self._tenants = tenants
        self._closing = closing

    def handlers(self) -> list[HTTPRouteHandler]:
        """Ten routes."""
        one, tags, size = "/api/v1/tenants/{tenant_id:str}", list(TAGS), BODY_MAX_BYTES
        posts = (
            ("/api/v1/tenants", 201, self.create),
            (one + "/suspend", 200, self.suspend),
            (one + "/resume", 200, self.resume),
            (one + "/retry", 200, self.retry),
            (one + "/export", 202, self.export),
            (one + "/restore", 202, self.restore),
        )
        return [
            get("/api/v1/tenants", tags=tags)(self.listed),
            get(one, tags=tags)(self.shown),
            get("/api/v1/tenant", tags=tags)(self.own),
            *(
                post(path, status_code=status, request_max_body_size=size, tags=tags)(handler)
                for path, status, handler in posts
            ),
            delete(one, status_code=202, tags=tags)(self.delete),
        ]

    async def listed(self) -> TenantList:
        """Every tenant, tombstones of deleted ones too."""
        every = self._tenants.directory.all()
        return TenantList([await self._item(tenant) for tenant in every])

    async def shown(self, tenant_id: TenantPath) -> TenantItem:
        """One tenant, with what is being done about it and its exports."""
        return await self._found(tenant_id)

    async def own(self, request: SignedRequest) -> TenantItem:
        """The caller's own tenant; where its exports lie is not its business."""
        item = await self._found(request.auth.user.tenant_id)
        return msgspec.structs.replace(item, exports=[], last_failure="")

    async def create(self, request: SignedRequest, data: NewTenant) -> TenantMade:
        """Make a tenant and invite its first administrator; a failed one can be retried."""
        asked = _asked(request, data.tenant_id, data.reason)
        with _refusing():
            link = await self._tenants.create(asked, data.name, data.administrator)
        return TenantMade(tenant=await self._found(data.tenant_id), invitation=link)

    async def retry(
        self, request: SignedRequest, tenant_id: TenantPath, data: ReasonBody
    ) -> TenantMade:
        """Take up what failed: the making, the migration or the deletion of a tenant."""
        with _refusing():
            link = await self._tenants.retry(_asked(request, tenant_id, data.reason))
        return TenantMade(tenant=await self._found(tenant_id), invitation=link)

    async def suspend(
        self, request: SignedRequest, tenant_id: TenantPath, data: ReasonBody
    ) -> TenantItem:
        """Close every channel of a tenant at once."""
        with _refusing():
            await self._tenants.suspend(_asked(request, tenant_id, data.reason))
        return await self._found(tenant_id)

    async def resume(
        self, request: SignedRequest, tenant_id: TenantPath, data: ReasonBody
    ) -> TenantItem:
        """Serve a suspended tenant again."""
        with _refusing():
            await self._tenants.resume(_asked(request, tenant_id, data.reason))
        return await self._found(tenant_id)

    async def export(
        self, request: SignedRequest, tenant_id: TenantPath, data: ReasonBody
    ) -> TenantItem:
        """Begin to write everything of a tenant into one file; its `work` shows how far it is."""
        with _refusing():
            self._tenants.export(_asked(request, tenant_id, data.reason))
        return await self._found(tenant_id)

    async def restore(
        self, request: SignedRequest, tenant_id: TenantPath, data: RestoreBody
    ) -> TenantItem:
        """Begin to make a deleted tenant anew from an export; it comes back suspended."""
        with _refusing():
            self._tenants.restore(_asked(request, tenant_id, data.reason), data.file)
        return await self._found(tenant_id)

    async def delete(
        self, request: SignedRequest, tenant_id: TenantPath, confirm: TenantPath,
        reason: Why = "",
    ) -> TenantItem:  # fmt: skip
        """Begin to export a tenant and to remove it for good; `confirm` repeats its id."""
        if confirm != tenant_id:
            raise RequestRefused(
                422, "not_confirmed", f"To delete {tenant_id}, `confirm` must repeat its id."
            )
        with _refusing():
            self._tenants.delete(_asked(request, tenant_id, reason))
        return await self._found(tenant_id)

    async def _found(self, tenant_id: str) -> TenantItem:
        tenant = self._tenants.directory.find(tenant_id)
        if tenant is None:
            raise RequestRefused(404, "not_found", f"There is no tenant {tenant_id!r}.")
        return await self._item(tenant)

    async def _item(self, tenant: Tenant) -> TenantItem:
        row = self._tenants.directory.row(tenant.tenant_id)
        work = self._tenants.works.on(tenant.tenant_id)
        done = row.steps_done if row is not None else ()
        return TenantItem(
            tenant_id=tenant.tenant_id,
            name=tenant.name,
            state=tenant.state.value,
            detail=tenant.detail,
            closing=self._closing(tenant.tenant_id),
            is_main=tenant.tenant_id == MAIN_TENANT,
            created_us=to_us(tenant.created_ns),
            revision=row.revision if row is not None else "",
            steps=[StepItem(step=step, is_done=step in done) for step in STEPS] if done else [],
            work=None
            if work is None
            else WorkItem(
                kind=work.kind,
                phase=work.phase,
                done_rows=work.done_rows,
                total_rows=work.total_rows,
                started_us=to_us(work.started_ns),
            ),
            exports=await asyncio.to_thread(self._tenants.exports.of, tenant.tenant_id),
            last_failure=self._tenants.works.last_failure(tenant.tenant_id),
        )


def _asked(request: SignedRequest, tenant_id: str, reason: str) -> Request:
    return Request(tenant_id=tenant_id, by=request.auth.actor, reason=reason)


@contextmanager
def _refusing() -> Iterator[None]:
    """Answer what cannot be done with 404 or 409; what is merely unusable goes on as it is."""
    try:
        yield
    except TenantUnknown as error:
        raise RequestRefused(404, "not_found", error.message, remedy=error.remedy) from error
    except (TenantConflict, TenantExists, ConfigError) as error:
        raise RequestRefused(409, error.code, error.message, remedy=error.remedy) from error
