"""Reports of training and evaluation: what there is, and each as the page that it is."""

import asyncio
from typing import Protocol

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.foundation.errors import InputError
from plan2.intelligence.training.reports import ReportItem
from plan2.interface.api.paging import ItemId
from plan2.interface.screen import number_or_none, to_us


class ReportShelf(Protocol):
    """The reports of an installation."""

    def list(self) -> tuple[ReportItem, ...]:
        """All of them, newest first."""
        ...

    def page(self, report_id: str) -> bytes:
        """One report's HTML.

        Raises:
            InputError: there is no such report.
        """
        ...


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """A report of models on symbols; `href` opens its page.

    `made_by`: "train" or "evaluate". Times are UTC microseconds. `n_eff` independent events were
    tested, of `n_required` that the observed accuracy needs; None: it is no better than a coin.
    Figures that the evidence did not allow are absent from `metrics`.
    """

    report_id: str
    href: str
    made_by: str
    made_us: int
    symbols: tuple[str, ...]
    families: tuple[str, ...]
    horizon_s: int
    first_us: int
    last_us: int
    events: int
    n_eff: float
    n_required: float | None
    verdict: str
    flags: tuple[str, ...]
    metrics: dict[str, float | None]
    model_ids: tuple[str, ...]
    note: str


class ReportRoutes:
    """`/api/v1/reports…`; files are read in a thread, one request at a time."""

    def __init__(self, shelf: ReportShelf) -> None:
        self._shelf = shelf
        self._reader = asyncio.Semaphore(1)

    def handlers(self) -> list[HTTPRouteHandler]:
        """The two routes."""
        return [
            get("/api/v1/reports", tags=["models"])(self.listed),
            get("/api/v1/reports/{report_id:str}", tags=["models"], media_type="text/html")(
                self.page
            ),
        ]

    async def listed(self) -> list[ReportRow]:
        """Reports of training and evaluation, newest first, with their verdicts."""
        async with self._reader:
            found = await asyncio.to_thread(self._shelf.list)
        return [_row(each) for each in found]

    async def page(self, report_id: ItemId) -> Response[bytes]:
        """One report: a single page of HTML without scripts, to read, print or keep."""
        try:
            async with self._reader:
                found = await asyncio.to_thread(self._shelf.page, report_id)
        except InputError as error:
            raise RequestRefused(404, "not_found", f"There is no report {report_id!r}.") from error
        return Response(found, media_type="text/html")


def _row(item: ReportItem) -> ReportRow:
    return ReportRow(
        report_id=item.report_id,
        href=f"/api/v1/reports/{item.report_id}",
        made_by=item.made_by,
        made_us=to_us(item.made_ts_ns),
        symbols=item.symbols,
        families=item.families,
        horizon_s=item.horizon_s,
        first_us=to_us(item.first_ts_ns),
        last_us=to_us(item.last_ts_ns),
        events=item.events,
        n_eff=item.n_eff,
        n_required=item.n_required,
        verdict=item.verdict,
        flags=item.flags,
        metrics={name: number_or_none(value) for name, value in item.metrics.items()},
        model_ids=item.model_ids,
        note=item.note,
    )
