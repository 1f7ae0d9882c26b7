"""Work about tenants that takes long: one piece per tenant at a time, watched by who wants to."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.database.tenant_archive import Tell
from plan2.foundation.errors import InputError, Plan2Error
from plan2.foundation.log import logger
from plan2.foundation.values import TenantId

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ENDING: Final = ".zip"


class Work(msgspec.Struct, kw_only=True):
    """A piece of work under way; the thread that does it moves the counts.

    Attributes:
        kind: `create`, `retry`, `export`, `delete` or `restore`.
        phase: what is done now, such as the table's name.
        total_rows: 0 while it is unknown.
    """

    kind: str
    started_ns: int
    phase: str = ""
    done_rows: int = 0
    total_rows: int = 0

    def tell(self, phase: str, done: int, total: int) -> None:
        """Move on; may be called from another thread."""
        self.phase, self.done_rows, self.total_rows = phase, done, total


class ExportFile(msgspec.Struct, frozen=True, kw_only=True):
    """An export in the folder."""

    file: str
    size_bytes: int
    made_us: int


class Exports:
    """The folder of exported tenants; every file is named after its tenant and its time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path_for(self, tenant: TenantId, now_ns: int) -> Path:
        """Where an export that is made now goes."""
        made = EPOCH + timedelta(microseconds=now_ns // 1_000)
        return self.folder / f"{tenant}-{made:%Y%m%dT%H%M%SZ}{ENDING}"

    def find(self, file: str) -> Path:
        """The path of an export that lies in the folder.

        Raises:
            InputError: there is none of that name.
        """
        path = self.folder / file
        if file != path.name or not file.endswith(ENDING) or not path.is_file():
            raise InputError(
                f"There is no export {file!r}.",
                remedy=f"Put it into {self.folder}, or name one that is there.",
            )
        return path

    def of(self, tenant: TenantId) -> list[ExportFile]:
        """A tenant's exports, newest first; reads the folder."""
        # The tenant's id may be the beginning of another one's, but holds no hyphen.
        found = sorted(self.folder.glob(f"{tenant}-*{ENDING}"), reverse=True)
        return [
            ExportFile(
                file=path.name,
                size_bytes=path.stat().st_size,
                made_us=path.stat().st_mtime_ns // 1_000,
            )
            for path in found
        ]


class Works:
    """Runs pieces of work, at most one per tenant; how one failed stays readable.

    Args:
        clock: wall time.
        on_failure: told of a piece that failed, before anybody who waits for it hears.
    """

    def __init__(
        self, clock: Clock, on_failure: Callable[[TenantId, Plan2Error], Awaitable[None]]
    ) -> None:
        self._clock = clock
        self._on_failure = on_failure
        self._under_way: dict[str, tuple[Work, asyncio.Task[str]]] = {}
        self._failures: dict[str, str] = {}

    def on(self, tenant_id: str) -> Work | None:
        """What is being done about a tenant now."""
        found = self._under_way.get(tenant_id)
        return found[0] if found else None

    def last_failure(self, tenant_id: str) -> str:
        """Why the last piece of work about a tenant failed; "" when it did not."""
        return self._failures.get(tenant_id, "")

    def begin(
        self,
        kind: str,
        tenant: TenantId,
        run: Callable[[Tell], Coroutine[Any, Any, str]],
        place: AbstractContextManager[None] | None = None,
    ) -> "asyncio.Task[str]":
        """Begin a piece of work; nothing else may be under way about the tenant.

        `place` is entered now, so that its refusal is the caller's, and left when it is done.
        """
        held = ExitStack()
        held.enter_context(place or nullcontext())
        work = Work(kind=kind, started_ns=self._clock.now_ns())
        self._failures.pop(tenant, None)
        task = asyncio.create_task(self._carry_out(tenant, run(work.tell)))
        task.add_done_callback(lambda _: held.close())
        self._under_way[tenant] = work, task
        task.add_done_callback(lambda done: _tell_fault(done, tenant))
        return task

    async def settled(self, tenant_id: str) -> None:
        """Wait until nothing is being done about a tenant."""
        found = self._under_way.get(tenant_id)
        if found is not None:
            await asyncio.wait([found[1]])

    async def close(self) -> None:
        """Stop waiting for what is under way; its saga is taken up at the next start."""
        tasks = [task for _, task in self._under_way.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _carry_out(self, tenant: TenantId, steps: Coroutine[Any, Any, str]) -> str:
        try:
            return await steps
        except Plan2Error as error:
            self._failures[tenant] = str(error)
            await self._on_failure(tenant, error)
            raise
        finally:
            del self._under_way[tenant]


def _tell_fault(task: asyncio.Task[str], tenant: TenantId) -> None:
    """Log what nobody foresaw; an ordinary failure is kept, and nobody need wait for the task."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, Plan2Error):
        logger("tenants").error("tenant_work_broke", tenant_id=tenant, exc_info=error)
