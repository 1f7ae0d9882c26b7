"""What the routes of backtests share: their parts, and reading files without holding the loop."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeVar

import msgspec

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.jobs.service import Jobs
from plan2.dataflow.bar_series import BarSeries
from plan2.foundation.values import TenantId
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.intelligence.backtest.kept.terms import BrokenRun, UnknownRun
from plan2.intelligence.comparison.traded import Traded
from plan2.intelligence.flows.flow import Flow
from plan2.interface.api.paging import ItemId

PATH: Final = "/api/v1/backtests"
TAGS: Final = ("backtests",)
READERS: Final = 2
"""Requests that read files at a time."""

RunId = ItemId
T = TypeVar("T")


class TickShelf(Protocol):
    """The tick archive, as far as backtests need it."""

    def symbols(self) -> Sequence[str]:
        """Every symbol that has ticks."""
        ...

    def bars(self, symbol: str, period_s: int, start_ns: int, end_ns: int) -> BarSeries:
        """Bars of the ticks with start ≤ time < end."""
        ...


class BacktestParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes work with.

    Attributes:
        archive: read in threads. folder_of: the folder of a tenant's backtests.
        check: refuses a flow whose expressions cannot be used (InputError).
        traded: what versions of a tenant's flow with a digest have earned since they trade.
        reader: how many read files at a time.
    """

    jobs: Jobs
    archive: TickShelf
    folder_of: Callable[[str], Path]
    check: Callable[[Flow], object]
    traded: Callable[[TenantId, str, str], Awaitable[list[Traded]]]
    reader: asyncio.Semaphore


async def reading(parts: BacktestParts, request: SignedRequest, read: Callable[[KeptRuns], T]) -> T:
    """What a look at the files of the caller's tenant gives.

    Raises:
        RequestRefused: 404 when the tenant has no such run, 409 when it is damaged.
    """
    kept = KeptRuns(parts.folder_of(tenant_of(request)))
    try:
        async with parts.reader:
            return await asyncio.to_thread(read, kept)
    except UnknownRun as error:
        raise RequestRefused(404, "not_found", error.message) from error
    except BrokenRun as error:
        raise RequestRefused(409, error.code, error.message, remedy=error.remedy) from error


def tenant_of(request: SignedRequest) -> TenantId:
    """The caller's tenant."""
    return TenantId(request.auth.user.tenant_id)
