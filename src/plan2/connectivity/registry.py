"""The service registry: every part of this installation, with where it runs and how it is.

Components report to the health board; child processes are found below our own process; terminals,
workers and other nodes are told by callables of the composition root. Nothing here asks the system
on the event loop: processes are looked at by `watch`, in a thread.
"""

import asyncio
import enum
import itertools
import ntpath
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec
import psutil

from plan2.foundation.clock import Clock
from plan2.foundation.health import ComponentHealth
from plan2.foundation.worker_pool import JobState

LOOK_EVERY_S: Final = 5.0
MEBIBYTE: Final = 1 << 20
GATEWAY: Final = "gateway"
"""The component that listens."""


class ServiceKind(enum.StrEnum):
    """What a service is."""

    COMPONENT = "component"
    """A part of this process."""
    CHILD = "child"
    """A process that we started: the database, a terminal's host, a worker."""
    TERMINAL = "terminal"
    WORKER = "worker"
    """A job of a tenant that waits or runs."""
    NODE = "node"
    """A process of this installation on its own."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the installation.

    Attributes:
        level: 1 to 5 of a component; 0 for everything else.
        address: where it is reached or comes from; "" when it has none.
        since_us: of `state`, UTC; 0 when unknown. memory_mb: resident, MiB.
        tenant_id: whose it is; "" belongs to the installation.
    """

    name: str
    kind: ServiceKind
    state: str
    level: int = 0
    version: str = ""
    address: str = ""
    pid: int | None = None
    since_us: int = 0
    detail: str = ""
    memory_mb: float | None = None
    tenant_id: str = ""


Source = Callable[[], Iterable[Service]]


class ServiceRegistry:
    """All services, from their sources.

    Args:
        sources: asked at each question; cheap look-ups in memory.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = tuple(sources)

    def every(self) -> list[Service]:
        """Every service, in the order of the sources."""
        return [service for source in self._sources for service in source()]

    def seen_by(self, tenant_id: str, *, is_operator: bool) -> list[Service]:
        """What somebody may see.

        Operators see everything; others their own tenant's services, and of the installation that
        a part is there and how it is, not where.
        """
        if is_operator:
            return self.every()
        return [
            service if service.tenant_id else _without_place(service)
            for service in self.every()
            if service.tenant_id in {"", tenant_id}
        ]


def _without_place(service: Service) -> Service:
    return msgspec.structs.replace(service, address="", pid=None, memory_mb=None, detail="")


class Processes:
    """This process and its children, looked at every few seconds.

    Args:
        version: of this program. address: where it listens; may be learned later.
        clock: UTC.
    """

    def __init__(self, version: str, address: Callable[[], str], clock: Clock) -> None:
        self._version = version
        self._address = address
        self._clock = clock
        self._children: list[Service] = []
        self._memory_mb: float | None = None
        self._started_us = clock.now_ns() // 1_000

    async def watch(self) -> None:
        """Look every few seconds until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once, in a thread."""
        self._memory_mb, self._children = await asyncio.to_thread(_family, os.getpid())

    def services(self) -> list[Service]:
        """The process itself, then its children."""
        own = Service(
            name="plan2",
            kind=ServiceKind.NODE,
            state="running",
            version=self._version,
            address=self._address(),
            pid=os.getpid(),
            since_us=self._started_us,
            memory_mb=self._memory_mb,
        )
        return [own, *self._children]


def components(
    snapshot: Callable[[], Sequence[ComponentHealth]], version: str, address: Callable[[], str]
) -> Source:
    """The parts on the installation's health board.

    Args:
        snapshot: the board's.
        version: of this program.
        address: where the gateway listens.
    """

    def found() -> list[Service]:
        return [
            _part(part, version, address() if part.name == GATEWAY else "") for part in snapshot()
        ]

    return found


def components_of_tenants(
    parts: Callable[[], Mapping[str, Sequence[ComponentHealth]]], version: str
) -> Source:
    """The parts that single tenants have for themselves, by tenant."""

    def found() -> list[Service]:
        return [
            _part(part, version, tenant_id=tenant_id)
            for tenant_id, mine in parts().items()
            for part in mine
        ]

    return found


def _part(
    part: ComponentHealth, version: str, address: str = "", *, tenant_id: str = ""
) -> Service:
    return Service(
        name=part.name,
        kind=ServiceKind.COMPONENT,
        state=str(part.status),
        level=part.level,
        version=version,
        address=address,
        pid=None if tenant_id else os.getpid(),
        since_us=part.since_us,
        detail=part.detail,
        tenant_id=tenant_id,
    )


def workers(jobs: Callable[[], Sequence[JobState]]) -> Source:
    """The jobs of all tenants."""

    def found() -> list[Service]:
        return [
            Service(
                name=job.name,
                kind=ServiceKind.WORKER,
                state=job.state,
                pid=job.pid or None,
                since_us=job.since_ns // 1_000,
                detail=f"{job.fraction:.0%} {job.message}".strip() if job.pid else "",
                tenant_id=job.tenant_id,
            )
            for job in jobs()
        ]

    return found


def _family(pid: int) -> tuple[float | None, list[Service]]:
    """Memory of a process, and its direct children; each with the memory of its descendants."""
    try:
        parent = psutil.Process(pid)
        own_mb = parent.memory_info().rss / MEBIBYTE
        children = parent.children()
    except psutil.Error:
        return None, []
    return round(own_mb, 1), [found for child in children if (found := _child(child))]


def _child(process: psutil.Process) -> Service | None:
    try:
        with process.oneshot():
            name = name_of(process.name(), process.cmdline())
            state = str(process.status())
            since_us = int(process.create_time() * 1_000_000)
            memory = process.memory_info().rss
        memory += sum(each.memory_info().rss for each in process.children(recursive=True))
    except psutil.Error:  # it ended meanwhile
        return None
    return Service(
        name=name,
        kind=ServiceKind.CHILD,
        state="ended" if state == psutil.STATUS_ZOMBIE else "running",
        pid=process.pid,
        since_us=since_us,
        memory_mb=round(memory / MEBIBYTE, 1),
    )


def name_of(program: str, argv: Sequence[str]) -> str:
    """What a child is: the verb of ours that it runs, or its program's name."""
    for word, verb in itertools.pairwise(argv):
        # ntpath knows both kinds of slashes.
        if ntpath.basename(word).removesuffix(".exe") == "plan2":
            return f"plan2 {verb}"
    return program.removesuffix(".exe")
