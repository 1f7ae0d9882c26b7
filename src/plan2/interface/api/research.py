"""Routes of research: asking for it, what there is, one with what was found so far, stopping it."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, Protocol, TypeVar

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.jobs.service import Jobs
from plan2.foundation.errors import InputError
from plan2.foundation.values import TenantId
from plan2.intelligence.flows.flow import LONGEST_FILE
from plan2.intelligence.research.shelf import Shelf
from plan2.intelligence.research.sweep_plan import TRIALS_USUAL, Method
from plan2.intelligence.research.wish import Kind, Wish
from plan2.interface.api.paging import ItemId
from plan2.interface.api.research_items import (
    ResearchDetail,
    ResearchList,
    detail_of,
    outline_of,
)
from plan2.interface.job_items import JobItem, job_item
from plan2.interface.screen import NS_PER_US, SAFE_INTEGER_MAX

PATH: Final = "/api/v1/research"
TAGS: Final = ("research",)
BODY_MAX_BYTES: Final = 262_144
READERS: Final = 2
"""Requests that read files at a time."""

T = TypeVar("T")
TimeUs = Annotated[int, Meta(ge=0, le=SAFE_INTEGER_MAX)]
Finite = Annotated[float, Meta(ge=-1e15, le=1e15)]
Text = Annotated[str, Meta(min_length=1, max_length=200)]
Limit = Annotated[int, Parameter(ge=1, le=200)]


class ResearchBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to find out about a flow; times are microseconds UTC, null = as far as the ticks go.

    Attributes:
        flow: its text, TOML. symbol: instead of its own.
        parameters: numbers that differ and do not vary. ranges: `fast=5:50:5` and the like.
        others: as of `plan2 research`.
    """

    kind: Kind
    flow: Annotated[str, Meta(min_length=1, max_length=LONGEST_FILE)]
    symbol: Annotated[str, Meta(max_length=31)] = ""
    parameters: Annotated[dict[str, Finite], Meta(max_length=200)] = {}
    ranges: Annotated[tuple[Text, ...], Meta(max_length=20)] = ()
    method: Method = "grid"
    trials: Annotated[int, Meta(ge=1, le=100_000)] = TRIALS_USUAL
    metric: Annotated[str, Meta(max_length=32)] = "sharpe"
    minutes: Annotated[float, Meta(gt=0, le=10_000)] | None = None
    patience: Annotated[int, Meta(ge=0, le=100_000)] = 0
    median_stop: bool = False
    folds: Annotated[int, Meta(ge=2, le=100)] = 6
    train_share: Annotated[float, Meta(ge=1, le=50)] = 3.0
    mode: Literal["rolling", "anchored"] = "rolling"
    noise_points: Annotated[float, Meta(ge=0, le=1_000_000)] = 2.0
    noise_runs: Annotated[int, Meta(ge=0, le=1_000)] = 20
    jitter_runs: Annotated[int, Meta(ge=0, le=1_000)] = 10
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 1
    processes: Annotated[int, Meta(ge=1, le=16)] = 1
    from_us: TimeUs | None = None
    to_us: TimeUs | None = None


class SymbolShelf(Protocol):
    """The tick archive, as far as asking needs it."""

    def symbols(self) -> Sequence[str]:
        """Every symbol that has ticks."""
        ...


class ResearchParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes work with.

    Attributes:
        archive: read in threads. folder_of: the folder of a tenant's research.
        check: refuses a flow whose expressions cannot be used (InputError).
        processes: at most so many for one piece of research.
    """

    jobs: Jobs
    archive: SymbolShelf
    folder_of: Callable[[str], Path]
    check: Callable[[Wish], object]
    processes: int


class ResearchRoutes:
    """`/api/v1/research`; files are looked at in threads."""

    def __init__(self, parts: ResearchParts) -> None:
        self._parts = parts
        self._reader = asyncio.Semaphore(READERS)

    def handlers(self) -> list[HTTPRouteHandler]:
        """The four routes."""
        one = PATH + "/{research_id:str}"
        starting = post(PATH, status_code=202, request_max_body_size=BODY_MAX_BYTES, tags=TAGS)
        return [
            get(PATH, tags=TAGS)(self.listed),
            starting(self.start),
            get(one, tags=TAGS)(self.show),
            post(one + "/cancel", status_code=200, tags=TAGS)(self.cancel),
        ]

    async def listed(self, request: SignedRequest, limit: Limit = 50) -> ResearchList:
        """Your tenant's research, the newest first, with how far it is."""
        running = self._running(_tenant(request))

        def read(shelf: Shelf) -> ResearchList:
            return ResearchList(
                [outline_of(shelf, each, running.get(each, "")) for each in shelf.newest(limit)]
            )

        return await self._reading(request, read)

    async def start(self, request: SignedRequest, data: ResearchBody) -> JobItem:
        """Sweep, walk forward or stress a flow; the answer is the job, which waits for its turn.

        The same request goes on where an earlier one of it was stopped.
        """
        tenant, parts = _tenant(request), self._parts
        wish = await asyncio.to_thread(self._wish, data)
        research_id, flow = wish.research_id, wish.flow_of()
        if research_id in self._running(tenant):
            raise RequestRefused(409, "conflict", "The same research is under way already.")
        await self._reading(request, lambda shelf: shelf.ask(wish))
        parameters = {
            "tenant_id": tenant,
            "research_id": research_id,
            "flow": flow.name,
            "symbol": flow.source.symbol,
        }
        row = await parts.jobs.start(tenant, wish.kind, parameters, request.auth.actor)
        return job_item(row)

    async def show(self, request: SignedRequest, research_id: ItemId) -> ResearchDetail:
        """One piece of research; while it runs, what was found so far."""
        job_id = self._running(_tenant(request)).get(research_id, "")

        def read(shelf: Shelf) -> ResearchDetail:
            _need(shelf, research_id)
            return detail_of(shelf, research_id, job_id)

        return await self._reading(request, read)

    async def cancel(self, request: SignedRequest, research_id: ItemId) -> JobItem:
        """Stop it; every trial so far is kept, and asking again goes on from there."""
        tenant = _tenant(request)
        job_id = self._running(tenant).get(research_id)
        if job_id is None:
            await self._reading(request, lambda shelf: _need(shelf, research_id))
            raise RequestRefused(409, "conflict", f"Research {research_id} is not under way.")
        return job_item(await self._parts.jobs.cancel(tenant, job_id, request.auth.actor))

    def _running(self, tenant: TenantId) -> dict[str, str]:
        """Jobs that wait or run, by the research that they are for."""
        return {
            str(row.parameters["research_id"]): row.job_id
            for row in self._parts.jobs.under_way(tenant)
            if "research_id" in row.parameters and row.ended_ns == 0
        }

    async def _reading(self, request: SignedRequest, read: Callable[[Shelf], T]) -> T:
        """What a look at the files of the caller's tenant gives."""
        shelf = Shelf(self._parts.folder_of(_tenant(request)))
        async with self._reader:
            return await asyncio.to_thread(read, shelf)

    def _wish(self, data: ResearchBody) -> Wish:
        """What is asked for, held against flow and archive.

        Raises:
            InputError: it cannot be carried out.
        """
        asked = {
            name: value
            for name, value in msgspec.structs.asdict(data).items()
            if name not in {"from_us", "to_us"}
        }
        wish = Wish(
            **{**asked, "processes": min(data.processes, self._parts.processes)},
            start_ns=(data.from_us or 0) * NS_PER_US,
            end_ns=(data.to_us or 0) * NS_PER_US,
        )
        wish.check()
        self._parts.check(wish)
        symbol, archived = wish.flow_of().source.symbol, self._parts.archive.symbols()
        if symbol not in archived:
            raise InputError(
                f"No ticks are archived for {symbol}; archived symbols: "
                f"{', '.join(archived) or 'none'}.",
                remedy="Bring ticks in with `plan2 import FILE…`.",
            )
        return wish


def _tenant(request: SignedRequest) -> TenantId:
    return TenantId(request.auth.user.tenant_id)


def _need(shelf: Shelf, research_id: str) -> None:
    """Refuse what the tenant does not have."""
    if not shelf.has(research_id):
        raise RequestRefused(404, "not_found", f"There is no research {research_id!r}.")
