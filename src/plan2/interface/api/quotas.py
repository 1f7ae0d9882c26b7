"""What a tenant may use and what it uses; an operator sees everybody's."""

from typing import Annotated

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.directory import TenantDirectory
from plan2.connectivity.ratelimit.load import Load, LoadState
from plan2.connectivity.ratelimit.use import QuotaUse, Usage

WhichTenant = Annotated[str, Parameter(pattern=r"^[a-z0-9_]{1,48}$", description="A tenant's id.")]


class Quotas(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's quotas with their use, and how strained the server is."""

    tenant_id: str
    load: LoadState
    quotas: list[QuotaUse]


class QuotaRoutes:
    """`/api/v1/quotas`."""

    def __init__(self, usage: Usage, load: Load, tenants: TenantDirectory) -> None:
        self._usage = usage
        self._load = load
        self._tenants = tenants

    def handlers(self) -> list[HTTPRouteHandler]:
        """The two routes."""
        return [
            get("/api/v1/quotas", tags=["operations"])(self.own),
            get("/api/v1/quotas/{tenant_id:str}", tags=["operations"])(self.of_tenant),
        ]

    async def own(self, request: SignedRequest) -> Quotas:
        """The caller's tenant: every quota, how much of it is used, what was refused."""
        return self._quotas(request.auth.user.tenant_id)

    async def of_tenant(self, tenant_id: WhichTenant) -> Quotas:
        """Any tenant, for an operator."""
        if self._tenants.find(tenant_id) is None:
            raise RequestRefused(404, "not_found", f"There is no tenant {tenant_id!r}.")
        return self._quotas(tenant_id)

    def _quotas(self, tenant_id: str) -> Quotas:
        return Quotas(
            tenant_id=tenant_id, load=self._load.state(), quotas=self._usage.report(tenant_id)
        )
