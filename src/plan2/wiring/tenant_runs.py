"""Every tenant of this process: opened one after another, wound down when it is served no more.

The main tenant is there before the first tick. The others are opened in the background, so that a
hundred of them delay neither the page nor the first decision; each trades a paper account of its
own on the shared market, or deals at a broker of its own.

Who is suspended or deleted is killed at that moment: nothing stays open that nobody watches. The
account lives on, for nobody but its broker, until that is done: at once, or when a closed market
opens again, also over restarts.
"""

import asyncio
from collections.abc import Awaitable, Callable

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.directory import Tenant, TenantDirectory, TenantState
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.tenant_store import TenantWorkFailed
from plan2.foundation.errors import Plan2Error, StoreBusy
from plan2.foundation.health import Health, Status
from plan2.foundation.log import logger, speak_for, speak_no_more
from plan2.foundation.values import TenantId
from plan2.interface.api.desk import Desk
from plan2.interface.streaming.hub import StreamHub
from plan2.wiring.tenant_folder import WindingDown
from plan2.wiring.tenant_opening import Ground, Opened, close_tenant, open_tenant
from plan2.wiring.tenant_run import Say, Shared, TenantRun
from plan2.wiring.tenant_standing import Standings

LOOK_S = 1.0
"""Between two looks at tenants that are being wound down."""
DRAIN_S = 30.0
"""How long a deletion waits for a closed market; what is open on paper then goes with it."""


class TenantRuns:
    """All tenants that are served now; implements `Desks`.

    Args:
        main: the tenant that is there from the start. shared, ground: what all have in common.
        say: tells a person.

    Attributes:
        standings: what tenants have open at brokers of their own.
    """

    def __init__(self, main: TenantRun, shared: Shared, ground: Ground, say: Say) -> None:
        self.main = main
        self._shared = shared
        self._ground = ground
        self._say = say
        self._opened: dict[TenantId, Opened] = {}
        self._failed: dict[TenantId, str] = {}
        self._leaving: set[TenantId] = set()
        self._marks = WindingDown(ground.folder)
        self._changed: asyncio.Queue[TenantId] = asyncio.Queue()
        self._directory: TenantDirectory | None = None
        self.standings = Standings(
            self._opened, self._leaving, self._failed, ground.brokers, self._is_due
        )
        self._turn = asyncio.Lock()

    def all(self) -> list[TenantRun]:
        """Every tenant that is open now, the main one first."""
        return [self.main, *(opened.run for opened in self._opened.values())]

    def of(self, session: Session) -> Desk:
        """The desk of a caller's tenant, and of no other.

        Raises:
            RequestRefused: 503 while it is being opened.
        """
        return run_of(self, session).desk

    def hub_of(self, session: Session) -> StreamHub | None:
        """The stream of a caller's tenant; None while it is being opened."""
        run = self.find(session.user.tenant_id)
        return run.hub if run is not None else None

    def find(self, tenant_id: str) -> TenantRun | None:
        """A tenant's run; None when it is not open."""
        if tenant_id == self.main.tenant_id:
            return self.main
        opened = self._opened.get(TenantId(tenant_id))
        return opened.run if opened is not None else None

    def backlog(self) -> int:
        """Events of all tenants that wait for the database."""
        return sum(len(run.appender) for run in self.all())

    # --- following the directory ------------------------------------------------------------

    def follow(self, directory: TenantDirectory) -> None:
        """Open those that are ready, and hear of every change from now on."""
        self._directory = directory
        directory.on_change(self._on_change)
        self._ground.brokers.on_change(self._changed.put_nowait)
        for tenant in directory.all():
            self._changed.put_nowait(tenant.tenant_id)

    async def run(self) -> None:
        """Open, wind down and close tenants as the directory says, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(LOOK_S if self._leaving else None):
                    changed = [await self._changed.get()]
            except TimeoutError:
                changed = list(self._leaving)
            for tenant_id in changed:
                if tenant_id != self.main.tenant_id:
                    await self._adjust(tenant_id)

    async def on_each(self, act: Callable[[TenantRun], Awaitable[object]]) -> None:
        """Do something for every open tenant; one that fails keeps no other from it.

        Raises:
            StoreBusy: it names those that failed.
        """
        failures = []
        for run in self.all():
            try:
                await act(run)
            except Plan2Error as error:
                failures.append(f"{run.tenant_id}: {error.message}")
        if failures:
            raise StoreBusy(f"{len(failures)} tenants failed: {'; '.join(failures[:5])}")

    async def retry_failed(self) -> None:
        """Try again to open or close those that failed: a database that was away comes back."""
        for tenant_id in list(self._failed):
            await self._adjust(tenant_id)

    async def drain(self, tenant_id: TenantId) -> None:
        """Return when nothing of a tenant that is served no more runs or is to be stored.

        A broker's account is waited for without a limit, also over restarts; paper is not.

        Raises:
            TenantWorkFailed: it cannot be told whether its broker account is flat.
        """
        loop = asyncio.get_running_loop()
        until_s = loop.time() + DRAIN_S
        await self._adjust(tenant_id)
        while tenant_id in self._leaving and (
            self._opened[tenant_id].is_at_broker or loop.time() < until_s
        ):
            await asyncio.sleep(LOOK_S)
            await self._adjust(tenant_id)
        unsure = "" if tenant_id in self._opened else self.standings.still_open(tenant_id)
        if unsure:
            raise TenantWorkFailed(
                f"It cannot be told whether tenant {tenant_id} is flat at its broker: {unsure}",
                remedy="Put that right, then `plan2 tenant retry`.",
            )
        async with self._turn:
            if tenant_id in self._leaving:
                logger("tenants").warning("tenant_closed_unflat", tenant_id=tenant_id)
                await self._close(tenant_id)

    async def stop(self) -> None:
        """Close every tenant but the main one."""
        for tenant_id in list(self._opened):
            await self._close(tenant_id)

    def on_setting(self, tenant_id: TenantId, _key: str) -> None:
        """Let a tenant's account go by its settings as they are now."""
        run = self.find(tenant_id)
        if run is not None:
            run.adopt(*self._ground.settings_of(tenant_id))

    def check(self) -> Health:
        """How many are open, and which could not be."""
        waiting = self._changed.qsize()
        leaving = len(self._leaving)
        detail = (
            f"{1 + len(self._opened)} open"
            + (f", {waiting} to open" if waiting else "")
            + (f", {leaving} of them wound down" if leaving else "")
        )
        if self._failed:
            name, why = next(iter(self._failed.items()))
            return Health(Status.DEGRADED, f"{detail}; {len(self._failed)} failed: {name}: {why}")
        return Health(Status.OK, detail, {"open": float(1 + len(self._opened))})

    def on_flag(self, tenant_id: TenantId, _flag: str) -> None:
        """A flag may change what an account goes by; an empty tenant means all of them."""
        for run in self.all():
            if tenant_id in {"", run.tenant_id}:
                self.on_setting(run.tenant_id, "")

    def on_job(self, tenant_id: str, job_id: str) -> None:
        """Let a tenant's screens see how a job stands now."""
        run = self.find(tenant_id)
        if run is not None:
            run.hub.on_job(job_id)

    async def _adjust(self, tenant_id: TenantId) -> None:
        async with self._turn:
            await self._open_or_close(tenant_id)

    def _is_served(self, tenant_id: TenantId) -> bool:
        return self._directory is not None and self._directory.is_served(tenant_id)

    def _is_due(self, tenant_id: TenantId) -> bool:
        return self._is_served(tenant_id) or self._marks.is_marked(tenant_id)

    def _on_change(self, tenant: Tenant) -> None:
        """Whoever is served no more trades no more from this moment; the rest takes its turn."""
        is_out = tenant.state is TenantState.SUSPENDED or self.standings.at_broker(tenant.tenant_id)
        if is_out and not self._is_served(tenant.tenant_id):
            self._begin_leaving(
                tenant.tenant_id, f"{tenant.state.value}: {tenant.detail}".rstrip(": ")
            )
        self._changed.put_nowait(tenant.tenant_id)

    def _begin_leaving(self, tenant_id: TenantId, why: str) -> None:
        """Kill a tenant's account, once; remembered over restarts, also when it is not open."""
        self._marks.begin(tenant_id)
        opened = self._opened.get(tenant_id)
        if opened is not None and tenant_id not in self._leaving:
            self._leaving.add(tenant_id)
            opened.run.wind_down(f"the tenant is {why}")

    async def _open_or_close(self, tenant_id: TenantId) -> None:
        is_served = self._is_served(tenant_id)
        if is_served:
            self._leaving.discard(tenant_id)
            self._marks.end(tenant_id)
        try:
            if tenant_id not in self._opened and self._is_due(tenant_id):
                await self._open(tenant_id)
            if tenant_id in self._opened and not self._is_served(tenant_id):
                await self._leave(tenant_id)
            elif self._is_elsewhere(tenant_id):
                await self._close(tenant_id)
                await self._open(tenant_id)
        except Plan2Error as error:
            # One tenant that cannot be opened must not keep the others waiting.
            self._failed[tenant_id] = error.message
            logger("tenants").error("tenant_failed", tenant_id=tenant_id, reason=str(error))
        else:
            self._failed.pop(tenant_id, None)

    def _is_elsewhere(self, tenant_id: TenantId) -> bool:
        """Whether an open tenant should deal at another place than it does."""
        opened = self._opened.get(tenant_id)
        return opened is not None and opened.place.name != self._ground.brokers.name_of(tenant_id)

    async def _leave(self, tenant_id: TenantId) -> None:
        """Close a tenant that is served no more, as soon as nothing of it is open."""
        self._begin_leaving(tenant_id, "not served")
        if self._opened[tenant_id].is_flat:
            await self._close(tenant_id)
            self._marks.end(tenant_id)

    # --- one tenant ---------------------------------------------------------------------------

    async def _open(self, tenant_id: TenantId) -> None:
        """Recover the books of a tenant, seat its account, and start what watches over it."""
        token = speak_for(tenant_id)  # what is started now speaks for it from then on
        try:
            telling = self._telling(tenant_id)
            opened = await open_tenant(tenant_id, self._shared, self._ground, telling)
        finally:
            speak_no_more(token)
        opened.run.heed(self.main.account)  # nothing waits since it was seated: no tick came yet
        self._opened[tenant_id] = opened

    async def _close(self, tenant_id: TenantId) -> None:
        """Let a tenant trade no more, store what it was told, and stop its parts."""
        opened = self._opened.pop(tenant_id)
        self._leaving.discard(tenant_id)
        await close_tenant(opened, self._ground)
        if opened.is_at_broker or not self._is_served(tenant_id):
            await self._ground.brokers.rest(tenant_id)

    def _telling(self, tenant_id: TenantId) -> Say:
        return lambda text: self._say(f"[{tenant_id}] {text}")


def run_of(runs: TenantRuns, session: Session) -> TenantRun:
    """What runs for a caller's tenant, and for no other.

    Raises:
        RequestRefused: 503 while it is being opened.
    """
    run = runs.find(session.user.tenant_id)
    if run is None:
        raise RequestRefused(
            503,
            "tenant_starting",
            "Your account is being opened.",
            remedy="Try again in a few seconds.",
        )
    return run
