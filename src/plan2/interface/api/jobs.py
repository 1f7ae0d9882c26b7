"""Routes of long work: what was asked for, how far it is, what it wrote, and stopping it."""

from typing import Annotated, Final

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.right_table import RIGHTS
from plan2.connectivity.jobs.job import JobStatus
from plan2.connectivity.jobs.service import Jobs
from plan2.foundation.values import TenantId
from plan2.interface.api.paging import ItemId
from plan2.interface.job_items import JobDetail, JobItem, job_detail, job_item

PATH: Final = "/api/v1/jobs"
TAGS: Final = ("jobs",)

KindName = Annotated[
    str, Parameter(query="kind", pattern=r"^[a-z_]{0,32}$", description="Only jobs of this kind.")
]
Wanted = Annotated[
    JobStatus | None, Parameter(query="state", description="Only jobs that stand so.")
]
JobLimit = Annotated[int, Parameter(ge=1, le=500)]


class JobList(msgspec.Struct, frozen=True):
    """Jobs, newest first."""

    items: list[JobItem]


class JobLogItem(msgspec.Struct, frozen=True, kw_only=True):
    """What a job wrote, oldest first; `dropped` older lines are gone."""

    lines: tuple[str, ...]
    dropped: int


class JobRoutes:
    """`/api/v1/jobs…`; what starts a job of a kind is beside what the kind is about."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def handlers(self) -> list[HTTPRouteHandler]:
        """The five routes."""
        one = PATH + "/{job_id:str}"
        return [
            get(PATH, tags=TAGS)(self.listed),
            get(one, tags=TAGS)(self.show),
            get(one + "/log", tags=TAGS)(self.log),
            post(one + "/cancel", status_code=200, tags=TAGS)(self.cancel),
            post(one + "/again", status_code=202, tags=TAGS)(self.again),
        ]

    async def listed(
        self,
        request: SignedRequest,
        kind: KindName = "",
        standing: Wanted = None,
        limit: JobLimit = 50,
    ) -> JobList:
        """Your tenant's jobs, newest first: waiting, running and over."""
        rows = await self._jobs.listed(_tenant(request), limit, kind, standing)
        return JobList([job_item(row) for row in rows])

    async def show(self, request: SignedRequest, job_id: ItemId) -> JobDetail:
        """One job with its result or its failure."""
        return job_detail(await self._jobs.show(_tenant(request), job_id))

    async def log(self, request: SignedRequest, job_id: ItemId) -> JobLogItem:
        """What a job wrote so far, also while it runs."""
        log = await self._jobs.log(_tenant(request), job_id)
        return JobLogItem(lines=log.lines, dropped=log.dropped)

    async def cancel(self, request: SignedRequest, job_id: ItemId) -> JobDetail:
        """Take a job out of the queue, or end its process; answers when it is over."""
        row = await self._jobs.cancel(_tenant(request), job_id, request.auth.actor)
        return job_detail(row)

    async def again(self, request: SignedRequest, job_id: ItemId) -> JobItem:
        """Start a job anew that is over, with the same parameters."""
        tenant = _tenant(request)
        kind = self._jobs.kinds.get((await self._jobs.show(tenant, job_id)).kind)
        if kind is not None and request.auth.user.role not in RIGHTS[kind.right].roles:
            raise RequestRefused(403, "forbidden", "Your role may not start jobs of this kind.")
        return job_item(await self._jobs.again(tenant, job_id, request.auth.actor))


def _tenant(request: SignedRequest) -> TenantId:
    return TenantId(request.auth.user.tenant_id)
