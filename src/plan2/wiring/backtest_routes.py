"""Wires the routes of backtests: jobs, archive, the folders of tenants."""

import asyncio
from pathlib import Path

from litestar.types import ControllerRouterHandler

from plan2.dataflow.archive import TickArchive
from plan2.foundation.values import TenantId
from plan2.intelligence.comparison.traded import Traded
from plan2.interface.api.backtest_parts import READERS, BacktestParts
from plan2.interface.api.backtest_tables import BacktestTableRoutes
from plan2.interface.api.backtests import BacktestRoutes
from plan2.wiring.backtest_asking import check_asked
from plan2.wiring.installation import Installation
from plan2.wiring.result_folders import results_folder


def backtest_routes(installation: Installation) -> list[ControllerRouterHandler]:
    """Every route of backtests."""

    def folder_of(tenant_id: str) -> Path:
        return results_folder(installation.folder, tenant_id)

    async def traded(tenant_id: TenantId, name: str, digest: str) -> list[Traded]:
        run = installation.runs.find(tenant_id)
        return [] if run is None else await run.flows.traded(name, digest)

    parts = BacktestParts(
        jobs=installation.long_work,
        archive=TickArchive(installation.runs.main.market.home / "archive"),
        folder_of=folder_of,
        check=check_asked,
        traded=traded,
        reader=asyncio.Semaphore(READERS),
    )
    return [*BacktestRoutes(parts).handlers(), *BacktestTableRoutes(parts).handlers()]
