"""Order records, trade reports and the clock they are stamped by."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Schema,
)
from litestar.params import Parameter

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.room import Place, free_place
from plan2.foundation.clock import Clock
from plan2.foundation.clock_watch import ClockReport, ClockWatch
from plan2.foundation.events.recording import Record
from plan2.foundation.events.tenancy import RecordsExported
from plan2.foundation.eventstore.log_reading import LogFilter, each_event
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import NS_PER_DAY, TenantId
from plan2.intelligence.records.export import (
    TYPES_OF,
    Format,
    RecordWriter,
    Report,
    Row,
    Stretch,
    rows_of,
    taker_of,
)
from plan2.intelligence.records.fields import Firm, OrderRecord, TradeReport
from plan2.intelligence.records.trades import Contract
from plan2.interface.screen import NS_PER_US, SAFE_INTEGER_MAX

DAYS_MAX: Final = 92
ROWS_MAX: Final = 100_000

FromUs = Annotated[
    int, Parameter(query="from_us", ge=0, le=SAFE_INTEGER_MAX, description="Microseconds UTC.")
]
ToUs = Annotated[
    int,
    Parameter(query="to_us", ge=0, le=SAFE_INTEGER_MAX, description="The first that is not in it."),
]
Form = Annotated[Format, Parameter(query="format")]


@dataclass
class ReportOperation(Operation):
    """The description of an operation that answers JSON or CSV, as it is asked."""

    def __post_init__(self) -> None:
        answer = (self.responses or {})["200"]
        if isinstance(answer, OpenAPIResponse) and answer.content is not None:
            answer.content["text/csv"] = OpenAPIMediaType(Schema(type=OpenAPIType.STRING))


class RecordParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes are built from."""

    open_unit: OpenUnit
    record: Record
    clock: Clock
    watch: ClockWatch
    firm: Firm = Firm()
    contract: Contract = lambda _: None
    place: Place = free_place


class RecordRoutes:
    """`/api/v1/records/…`."""

    def __init__(self, parts: RecordParts) -> None:
        self._parts = parts

    def handlers(self) -> list[HTTPRouteHandler]:
        """The three routes."""
        return [
            get("/api/v1/records/orders", **_described(list[OrderRecord]))(self.orders),
            get("/api/v1/records/trades", **_described(list[TradeReport]))(self.trades),
            get("/api/v1/records/clock", tags=["records"])(self.clock),
        ]

    async def orders(
        self, request: SignedRequest, from_us: FromUs, to_us: ToUs, form: Form = "json"
    ) -> Response[bytes]:
        """Every event of every order, with the fields of RTS 24; a list, or CSV."""
        return await self._written(request, "orders", _stretch(from_us, to_us), form)

    async def trades(
        self, request: SignedRequest, from_us: FromUs, to_us: ToUs, form: Form = "json"
    ) -> Response[bytes]:
        """One row per closed position, in the words of EMIR; a list, or CSV."""
        return await self._written(request, "trades", _stretch(from_us, to_us), form)

    async def clock(self) -> ClockReport:
        """How far the machine's clock is off, and whether records may claim compliance."""
        return self._parts.watch.current()

    async def _written(
        self, request: SignedRequest, report: Report, stretch: Stretch, form: Format
    ) -> Response[bytes]:
        writer = RecordWriter(report, form)
        body = bytearray(writer.begin())
        with self._parts.place(request.auth.user.tenant_id):
            async for row in self._rows(request, report, stretch):
                body += writer.row(row)
                if writer.rows > ROWS_MAX:
                    raise _too_much(f"more than {ROWS_MAX:,} rows")
        body += writer.finish()
        self._tell(request, report, stretch, writer)
        name = f"{report}.{form}"
        return Response(
            bytes(body),
            media_type="text/csv" if form == "csv" else "application/json",
            headers={"content-disposition": f'attachment; filename="{name}"'}
            if form == "csv"
            else {},
        )

    def _rows(self, request: SignedRequest, report: Report, stretch: Stretch) -> AsyncIterator[Row]:
        tenant = TenantId(request.auth.user.tenant_id)
        events = each_event(self._parts.open_unit, tenant, LogFilter(types=TYPES_OF[report]))
        return rows_of(events, taker_of(report, self._parts.firm, self._parts.contract), stretch)

    def _tell(
        self, request: SignedRequest, report: Report, stretch: Stretch, writer: RecordWriter
    ) -> None:
        event = RecordsExported(
            ts_ns=self._parts.clock.now_ns(),
            report=report,
            first_ns=stretch.first_ns,
            last_ns=stretch.end_ns,
            rows=writer.rows,
            sha256=writer.sha256,
            by=request.auth.actor,
        )
        tenant_id = request.auth.user.tenant_id
        self._parts.record(tenant_id, "records", event, actor=request.auth.actor)


def _described(kind: type) -> dict[str, Any]:  # options of Litestar's, of several types
    """How a route that answers a report is described, from a list of its rows."""
    rows = ResponseSpec(kind, description="The rows, by time.", generate_examples=False)
    return {"tags": ["records"], "operation_class": ReportOperation, "responses": {200: rows}}


def _stretch(from_us: int, to_us: int) -> Stretch:
    if from_us >= to_us:
        raise RequestRefused(422, "invalid_range", "from_us must be before to_us.")
    stretch = Stretch(first_ns=from_us * NS_PER_US, end_ns=to_us * NS_PER_US)
    if stretch.end_ns - stretch.first_ns > DAYS_MAX * NS_PER_DAY:
        raise _too_much(f"more than {DAYS_MAX} days")
    return stretch


def _too_much(what: str) -> RequestRefused:
    return RequestRefused(
        422,
        "range_too_large",
        f"That is {what}.",
        remedy="Ask for less at a time, or run `plan2 records` on the server.",
    )
