"""Wires research into the running Plan2: where a tenant's is, its kinds of jobs, its routes."""

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
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.intelligence.flows.source import write_source
from plan2.intelligence.research.wish import KINDS
from plan2.interface.api.research import ResearchParts, ResearchRoutes
from plan2.wiring.tenant_folder import folder_of

RIGHT: Final = ("POST", "/api/v1/research")


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of a research's job; what is asked for is on the tenant's shelf."""

    tenant_id: str
    research_id: str
    flow: str
    symbol: str


def research_folder(folder: Path, tenant_id: str) -> Path:
    """The folder that holds a tenant's research; `folder` is the data folder."""
    return folder if tenant_id == MAIN_TENANT else folder_of(folder, tenant_id)


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
        folder_of=lambda tenant_id: research_folder(folder, tenant_id),
        check=lambda wish: write_source(wish.flow_of()),
        processes=max(1, (os.cpu_count() or 2) - 1),
    )
    return [*ResearchRoutes(parts).handlers()]
