"""Wires research into the running Plan2: its kinds of jobs, its routes."""

import os
import sys
from pathlib import Path
from typing import Final

import msgspec
from litestar.types import ControllerRouterHandler

from plan2.connectivity.jobs.job import JobKind, Parameters
from plan2.connectivity.jobs.service import Jobs
from plan2.dataflow.archive import TickArchive
from plan2.foundation.config.schema import Workers
from plan2.intelligence.research.wish import KINDS
from plan2.interface.api.research import ResearchParts, ResearchRoutes
from plan2.wiring.backtest_asking import check_researched
from plan2.wiring.result_folders import results_folder

RIGHT: Final = ("POST", "/api/v1/research")


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of a research's job; what is asked for is on the tenant's shelf."""

    tenant_id: str
    research_id: str
    flow: str
    symbol: str


def research_kinds(workers: Workers, folder: Path, home: Path) -> tuple[JobKind, ...]:
    """The kinds of job; `folder` is the data folder, `home` the one with archive and models."""

    def command(parameters: Parameters) -> tuple[str, ...]:
        started = msgspec.convert(dict(parameters), Started)
        argv = (sys.executable, "-m", "plan2", "research", "work", "--data-dir", str(folder))
        names = ("--tenant", started.tenant_id, "--research", started.research_id)
        return (*argv, "--home", str(home), *names)

    return tuple(
        JobKind(
            name=kind,
            command=command,
            right=RIGHT,
            timeout_s=float(workers.timeout_s),
            memory_mb=workers.memory_mb,
        )
        for kind in KINDS
    )


def research_routes(jobs: Jobs, folder: Path, home: Path) -> list[ControllerRouterHandler]:
    """Every route of research; `folder` is the data folder, `home` the one with the archive."""
    parts = ResearchParts(
        jobs=jobs,
        archive=TickArchive(home / "archive"),
        folder_of=lambda tenant_id: results_folder(folder, tenant_id),
        check=lambda wish: check_researched(wish.flow_of()),
        processes=max(1, (os.cpu_count() or 2) - 1),
    )
    return [*ResearchRoutes(parts).handlers()]
