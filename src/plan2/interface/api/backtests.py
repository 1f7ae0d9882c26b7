"""Routes of backtests: asking for one, what there is, one with its report, several side by side."""

import asyncio
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import Meta

from plan2.connectivity.gateway.signin import SignedRequest
from plan2.foundation.errors import InputError
from plan2.intelligence.backtest.asked import (
    NAME,
    AskedFlows,
    BacktestWish,
    CostChange,
    check_stretch,
    flow_as_asked,
)
from plan2.intelligence.backtest.kept.compare import compare
from plan2.intelligence.backtest.kept.export import MEDIA, Form, What, export
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.intelligence.flows.flow import LONGEST_FILE, Flow, parse_flow
from plan2.interface.api.backtest_items import (
    BacktestDetail,
    BacktestList,
    ComparisonItem,
    TradedItem,
    comparison_item,
    detail_item,
    list_item,
    traded_item,
)
from plan2.interface.api.backtest_parts import (
    PATH,
    TAGS,
    BacktestParts,
    RunId,
    reading,
    tenant_of,
)
from plan2.interface.job_items import JobItem, job_item
from plan2.interface.screen import NS_PER_US, SAFE_INTEGER_MAX

BODY_MAX_BYTES: Final = 262_144
RUNS_PATTERN: Final = r"^[A-Za-z0-9_-]{1,80}(,[A-Za-z0-9_-]{1,80}){0,9}$"

FlowText = Annotated[str, Meta(min_length=1, max_length=LONGEST_FILE)]
Time = Annotated[int, Meta(ge=0, le=SAFE_INTEGER_MAX)]
Finite = Annotated[float, Meta(ge=-1e15, le=1e15)]
RunIds = Annotated[
    str, Parameter(query="runs", pattern=RUNS_PATTERN, description="Two to six ids, by comma.")
]
Wanted = Annotated[Form, Parameter(query="format")]


class FlowBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text of a flow, TOML."""

    flow: FlowText


class BacktestBody(FlowBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A backtest to run; times are microseconds UTC, null = as far as the archive goes.

    `symbol`: instead of the flow's own. `parameters`: instead of the values in the text.
    `seed`: null leaves the flow's.
    """

    symbol: Annotated[str, Meta(max_length=31)] = ""
    parameters: Annotated[dict[str, Finite], Meta(max_length=200)] = {}
    costs: CostChange = CostChange()
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    from_us: Time | None = None
    to_us: Time | None = None


class FlowOutline(msgspec.Struct, frozen=True, kw_only=True):
    """What a form needs to know of a flow; `problem` is the sentence that says what is wrong.

    With a problem, everything that could not be read is empty.
    """

    problem: str
    name: str = ""
    description: str = ""
    symbol: str = ""
    period: str = ""
    parameters: dict[str, float] = {}
    execution: dict[str, Any] = {}  # any JSON: the flow's own shape


class BacktestRoutes:
    """`/api/v1/backtests`; flows are read and files looked at in threads."""

    def __init__(self, parts: BacktestParts) -> None:
        self._parts = parts

    def handlers(self) -> list[HTTPRouteHandler]:
        """The nine routes."""
        one = PATH + "/{run_id:str}"
        checking = post(
            PATH + "/check", status_code=200, request_max_body_size=BODY_MAX_BYTES, tags=TAGS
        )
        return [
            get(PATH, tags=TAGS)(self.listed),
            post(PATH, status_code=202, request_max_body_size=BODY_MAX_BYTES, tags=TAGS)(
                self.start
            ),
            checking(self.check),
            get(PATH + "/compare", tags=TAGS)(self.compared),
            get(one, tags=TAGS)(self.show),
            delete(one, tags=TAGS)(self.remove),
            get(one + "/live", tags=TAGS)(self.traded),
            get(one + "/report", tags=TAGS, media_type="text/html")(self.report),
            get(one + "/export", tags=TAGS)(self.exported),
        ]

    async def listed(self, request: SignedRequest) -> BacktestList:
        """Your tenant's finished backtests, newest first; damaged ones with the reason."""
        return list_item(await reading(self._parts, request, KeptRuns.list))

    async def start(self, request: SignedRequest, data: BacktestBody) -> JobItem:
        """Run a flow over archived ticks; the answer is the job, which waits for its turn."""
        tenant = tenant_of(request)
        wish = await asyncio.to_thread(self._wish, tenant, data)
        parameters = msgspec.to_builtins(wish)
        return job_item(await self._parts.jobs.start(tenant, NAME, parameters, request.auth.actor))

    async def check(self, data: FlowBody) -> FlowOutline:
        """Whether a flow can be run, and what it lets one choose; nothing is kept."""
        return await asyncio.to_thread(self._outline, data.flow)

    async def compared(self, request: SignedRequest, runs: RunIds) -> ComparisonItem:
        """Two to six runs side by side, with the better figures marked."""
        run_ids = runs.split(",")
        found = await reading(self._parts, request, lambda kept: compare(kept, run_ids))
        return comparison_item(found)

    async def show(self, request: SignedRequest, run_id: RunId) -> BacktestDetail:
        """One run with every figure, and what its drawings show."""
        return await reading(
            self._parts,
            request,
            lambda kept: detail_item(kept.record(run_id), kept.figures(run_id)),
        )

    async def traded(self, request: SignedRequest, run_id: RunId) -> list[TradedItem]:
        """What the very flow of a run has earned on paper and with money, the newest first."""
        run = (await reading(self._parts, request, lambda kept: kept.record(run_id))).summary
        found = await self._parts.traded(tenant_of(request), run.name, run.flow_digest)
        return [traded_item(each) for each in found]

    async def remove(self, request: SignedRequest, run_id: RunId) -> None:
        """Delete a run with its report, whole or damaged."""
        await reading(self._parts, request, lambda kept: kept.remove(run_id))

    async def report(self, request: SignedRequest, run_id: RunId) -> Response[bytes]:
        """The report: a single page of HTML without scripts, to read, print or keep."""
        found = await reading(self._parts, request, lambda kept: kept.page(run_id))
        return Response(found, media_type="text/html")

    async def exported(
        self, request: SignedRequest, run_id: RunId, form: Wanted = "json", what: What = "trades"
    ) -> Response[bytes]:
        """A run as JSON, or a table of it as CSV or Parquet, to download."""
        found = await reading(self._parts, request, lambda kept: export(kept, run_id, form, what))
        name = f"{run_id[:12]}.json" if form == "json" else f"{run_id[:12]}-{what}.{form}"
        return Response(
            found,
            media_type=MEDIA[form],
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    def _wish(self, tenant: str, data: BacktestBody) -> BacktestWish:
        """What is asked for, held against flow and archive; the flow is kept for the job."""
        parts, read = self._parts, parse_flow(data.flow)
        flow = flow_as_asked(
            read,
            symbol=data.symbol,
            parameters=data.parameters,
            seed=read.execution.seed if data.seed is None else data.seed,
            costs=data.costs,
        )
        parts.check(flow)
        start_ns, end_ns = (data.from_us or 0) * NS_PER_US, (data.to_us or 0) * NS_PER_US
        check_stretch(flow, parts.archive.symbols(), start_ns, end_ns)
        return BacktestWish(
            tenant_id=tenant,
            flow=flow.name,
            flow_key=AskedFlows(parts.folder_of(tenant)).put(flow),
            symbol=flow.source.symbol,
            parameters=flow.parameters,
            seed=flow.execution.seed,
            start_ns=start_ns,
            end_ns=end_ns,
        )

    def _outline(self, text: str) -> FlowOutline:
        try:
            flow = parse_flow(text)
        except InputError as error:
            return FlowOutline(problem=str(error))
        try:
            self._parts.check(flow)
        except InputError as error:
            return _outline(flow, str(error))
        return _outline(flow, "")


def _outline(flow: Flow, problem: str) -> FlowOutline:
    return FlowOutline(
        problem=problem,
        name=flow.name,
        description=flow.description,
        symbol=flow.source.symbol,
        period=flow.source.bars,
        parameters=flow.parameters,
        execution=msgspec.to_builtins(flow.execution),
    )
