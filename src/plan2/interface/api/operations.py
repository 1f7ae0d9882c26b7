"""Routes about the system itself: what runs, how it is, models, the event log."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.foundation.errors import InputError
from plan2.foundation.events.catalog import STORED
from plan2.intelligence.models.manifest import Manifest
from plan2.intelligence.models.mlflow_export import exported
from plan2.interface.api.desk import Desks
from plan2.interface.api.paging import Cursor, ItemId, ItemLimit, position_of
from plan2.interface.api.ports import Models, SharedParts
from plan2.interface.items import (
    EventItem,
    HealthInfo,
    ModelItem,
    Page,
    SystemInfo,
)
from plan2.interface.screen import SAFE_INTEGER_MAX, for_screen, number_or_none, to_us
from plan2.interface.views.fold import event_item

T = TypeVar("T")
EventType = Annotated[
    str,
    Parameter(
        query="type",
        max_length=64,
        description="Name of a stored event.",
        schema_extra={"enum": ["", *sorted(STORED)]},
    ),
]
FromPosition = Annotated[
    int, Parameter(ge=0, le=SAFE_INTEGER_MAX, description="Only events at or after this one.")
]


class SystemRoutes:
    """What runs and how it is."""

    def __init__(self, desks: Desks, shared: SharedParts) -> None:
        self._desks = desks
        self._shared = shared

    def handlers(self) -> list[HTTPRouteHandler]:
        """The three routes."""
        return [
            get("/api/v1/system", tags=["system"])(self.system),
            get("/api/v1/health", tags=["system"])(self.health),
            get("/api/v1/events", tags=["events"])(self.events),
        ]

    async def system(self, request: SignedRequest) -> SystemInfo:
        """What is running: version, market, account, switch."""
        desk = self._desks.of(request.auth)
        info = desk.info
        return SystemInfo(
            version=info.version,
            mode=info.mode,
            simulated=info.mode != "live",
            market_us=to_us(desk.live.market.clock.now_ns()),
            speed=self._shared.speed(),
            run_id=info.run_id,
            tenant_id=info.tenant_id,
            account_id=info.account_id,
            currency=info.currency,
            ui_hash=info.ui_hash,
            started_us=info.started_us,
            trading_state=desk.books.trading_state(),
            symbols=list(desk.live.market.symbols),
            attribution=list(info.attribution),
        )

    async def health(self, request: SignedRequest) -> HealthInfo:
        """Every part of the process, latency per stage, loop lag, screens."""
        return self._desks.of(request.auth).report.make()

    async def events(
        self,
        request: SignedRequest,
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
        stored = await self._shared.events.read_all(
            self._desks.of(request.auth).info.tenant_id,
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

    def __init__(self, models: Models) -> None:
        self._models = models
        self._reader = asyncio.Semaphore(1)

    def handlers(self) -> list[HTTPRouteHandler]:
        """The three routes."""
        return [
            get("/api/v1/models", tags=["models"])(self.listed),
            get("/api/v1/models/{model_id:str}", tags=["models"])(self.manifest),
            get("/api/v1/models/{model_id:str}/export", tags=["models"])(self.export),
        ]

    async def listed(self) -> list[ModelItem]:
        """Registered models, newest first; those that forecast now are champions."""
        return await self._in_thread(self._items)

    async def manifest(self, model_id: ItemId) -> dict[str, Any]:
        """One model's whole manifest."""
        shown = for_screen(msgspec.to_builtins(await self._known(model_id)))
        return shown if isinstance(shown, dict) else {}

    async def export(self, model_id: ItemId) -> dict[str, Any]:
        """One model's card as MLflow speaks it: a run and a model version."""
        return exported(await self._known(model_id))

    async def _known(self, model_id: str) -> Manifest:
        try:
            return await self._in_thread(lambda: self._models.show(model_id))
        except InputError as error:
            raise RequestRefused(404, "not_found", f"There is no model {model_id!r}.") from error

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Read files beside the loop, one request at a time."""
        async with self._reader:
            return await asyncio.to_thread(work)

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
