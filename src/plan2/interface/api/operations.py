"""Routes about the system itself: what runs, how it is, models, the event log."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.foundation.errors import InputError
from plan2.foundation.events.catalog import STORED
from plan2.intelligence.models.manifest import Manifest
from plan2.interface.api.history import History
from plan2.interface.api.paging import Cursor, ItemId, ItemLimit, position_of
from plan2.interface.api.ports import ApiParts, Health, LatencyBoard, Models
from plan2.interface.items import (
    BucketItem,
    ComponentItem,
    EventItem,
    HealthInfo,
    ModelItem,
    Page,
    StageItem,
    SystemInfo,
)
from plan2.interface.screen import SAFE_INTEGER_MAX, for_screen, number_or_none, to_us
from plan2.interface.views.fold import event_item

AnyRequest = Request[Any, Any, Any]  # Litestar leaves user, auth and state open
EventType = Annotated[
    str, Parameter(query="type", max_length=64, description="Name of a stored event.")
]
FromPosition = Annotated[
    int, Parameter(ge=0, le=SAFE_INTEGER_MAX, description="Only events at or after this one.")
]


class HealthReport:
    """The health of the whole process as one answer; the stream sends the same."""

    def __init__(self, board: Health, latency: LatencyBoard, clients: Callable[[], int]) -> None:
        self._board = board
        self._latency = latency
        self._clients = clients

    def make(self) -> HealthInfo:
        """Every part, every stage, the loop and the screens, now."""
        board = self._board
        return HealthInfo(
            status=str(board.overall()),
            components=[
                ComponentItem(
                    name=part.name,
                    level=part.level,
                    status=str(part.status),
                    detail=part.detail,
                    since_us=part.since_us,
                    metrics={name: number_or_none(value) for name, value in part.metrics.items()},
                )
                for part in board.snapshot()
            ],
            latency=[
                StageItem(
                    stage=stage.stage,
                    count=stage.count,
                    p50_us=stage.p50_us,
                    p95_us=stage.p95_us,
                    p99_us=stage.p99_us,
                    max_us=stage.max_us,
                    buckets=[
                        BucketItem(le_us=bucket.le_us, count=bucket.count)
                        for bucket in stage.buckets
                    ],
                )
                for stage in self._latency.snapshot()
            ],
            loop_lag_ms_p99=board.loop_lag_ms_p99(),
            ws_clients=self._clients(),
        )


class SystemRoutes:
    """What runs and how it is."""

    def __init__(self, parts: ApiParts, report: HealthReport) -> None:
        self._parts = parts
        self._report = report

    def handlers(self) -> list[HTTPRouteHandler]:
        """The three routes."""
        return [
            get("/api/v1/system", tags=["system"])(self.system),
            get("/api/v1/health", tags=["system"])(self.health),
            get("/api/v1/events", tags=["events"])(self.events),
        ]

    async def system(self) -> SystemInfo:
        """What is running: version, market, account, switch."""
        parts, info = self._parts, self._parts.info
        return SystemInfo(
            version=info.version,
            mode=info.mode,
            simulated=info.mode != "live",
            market_us=to_us(parts.live.market.now_ns()),
            speed=parts.speed(),
            run_id=info.run_id,
            tenant_id=info.tenant_id,
            account_id=info.account_id,
            currency=info.currency,
            ui_hash=info.ui_hash,
            started_us=info.started_us,
            trading_state=parts.books.trading_state(),
            symbols=list(parts.live.symbols),
            attribution=list(info.attribution),
        )

    async def health(self) -> HealthInfo:
        """Every part of the process, latency per stage, loop lag, screens."""
        return self._report.make()

    async def events(
        self,
        event_type: EventType = "",
        from_position: FromPosition = 0,
        limit: ItemLimit = 100,
        cursor: Cursor = "",
    ) -> Page[EventItem]:
        """Stored events, newest first."""
        if event_type and event_type not in STORED:
            raise RequestRefused(
                400,
                "invalid_parameter",
                f"type (query): {event_type!r} is not a stored event.",
                remedy=f"One of {', '.join(sorted(STORED))}.",
            )
        stored = await self._parts.events.read_all(
            self._parts.info.tenant_id,
            after=max(0, from_position - 1),
            before=position_of(cursor),
            limit=limit + 1,
            newest_first=True,
            types=(event_type,) if event_type else (),
        )
        items = [event_item(event) for event in stored[:limit]]
        return Page(items, str(items[-1].position) if len(stored) > limit else None)


class ModelRoutes:
    """The model registry; its files are read in a thread."""

    def __init__(self, models: Models, history: History) -> None:
        self._models = models
        self._history = history

    def handlers(self) -> list[HTTPRouteHandler]:
        """The two routes."""
        return [
            get("/api/v1/models", tags=["models"])(self.listed),
            get("/api/v1/models/{model_id:str}", tags=["models"])(self.manifest),
        ]

    async def listed(self, request: AnyRequest) -> Response[list[ModelItem]]:
        """Registered models, newest first; those that forecast now are champions."""
        items = await self._history.in_thread(self._items)
        return _tagged(request, items)

    async def manifest(self, request: AnyRequest, model_id: ItemId) -> Response[dict[str, Any]]:
        """One model's whole manifest."""
        try:
            found = await self._history.in_thread(lambda: self._models.show(model_id))
        except InputError as error:
            raise RequestRefused(404, "not_found", f"There is no model {model_id!r}.") from error
        shown = for_screen(msgspec.to_builtins(found))
        return _tagged(request, shown if isinstance(shown, dict) else {})

    def _items(self) -> list[ModelItem]:
        serving = self._models.champions().values()
        champions = {model_id for champion in serving for model_id in champion.model_ids}
        return [_model_item(each, champions) for each in self._models.list()]


def _model_item(manifest: Manifest, champions: set[str]) -> ModelItem:
    return ModelItem(
        model_id=manifest.model_id,
        family=manifest.family,
        symbol=",".join(manifest.symbols),
        trained_us=to_us(manifest.trained_ts_ns),
        sha256=manifest.sha256,
        metrics={name: number_or_none(value) for name, value in manifest.metrics.items()},
        status="champion" if manifest.model_id in champions else "registered",
    )


def _tagged(request: AnyRequest, content: Any) -> Response[Any]:  # any answer of ours
    """An answer with an entity tag; 304 when the caller has it already."""
    body = msgspec.json.encode(content)
    headers = {"etag": '"' + hashlib.blake2b(body, digest_size=12).hexdigest() + '"'}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
