"""Every tenant of this process: opened one after another, closed when it is suspended or deleted.

The main tenant is there before the first tick. The others are opened in the background, so that a
hundred of them delay neither the page nor the first decision; each trades a paper account of its
own on the shared market.
"""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.directory import Tenant, TenantDirectory
from plan2.connectivity.identity.principal import Session
from plan2.dataflow.terminals.simulated.opening import JoinedMarket, PaperAccount, join_market
from plan2.dataflow.terminals.simulated.paper import PaperTerminal
from plan2.foundation.bus import Bus
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import JournalLost, Plan2Error, StoreBusy
from plan2.foundation.eventstore.appender import Appender, Seal
from plan2.foundation.health import Health, HealthBoard, Status
from plan2.foundation.hub import Component, Hub
from plan2.foundation.log import logger
from plan2.foundation.loop import LoopLag
from plan2.foundation.values import TenantId
from plan2.intelligence.pipeline import Pipeline
from plan2.intelligence.trading.account import AccountIdentity, TradingAccount
from plan2.intelligence.trading.kill_file import FILE_NAME
from plan2.interface.api.desk import Desk
from plan2.interface.streaming.hub import StreamHub
from plan2.wiring.assembly import AccountPlan, build_account
from plan2.wiring.markets import PAPER, Market
from plan2.wiring.tenant_run import Say, Shared, TenantRun
from plan2.wiring.venue import Venue

FOLDER = "tenants"
JOURNAL_BYTES = 256 * 1024
"""Segments of a tenant's journal; a hundred tenants must not take half a gigabyte."""
SEED_EVENTS = 200
FLUSH_S = 15.0


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant's account is put on.

    Attributes:
        settings_of: the settings that hold for a tenant, and their hash.
        seal_of: seals the personal fields of a tenant's events.
        admit: reads a tenant's people, keys and settings before it is opened.
        follow: watches what a tenant's appender stores. count: counts its decisions and orders.
        folder: the data folder. market, venue, pipeline: shared by all.
        lag: how late the loop runs.
    """

    settings_of: Callable[[TenantId], tuple[Settings, str]]
    seal_of: Callable[[TenantId], Seal]
    admit: Callable[[TenantId], Awaitable[None]]
    follow: Callable[[TenantId, Appender], None]
    count: Callable[[Bus, str], None]
    folder: Path
    market: Market
    venue: Venue
    pipeline: Pipeline
    lag: LoopLag


class _Opened(msgspec.Struct, frozen=True):
    run: TenantRun
    terminal: PaperTerminal
    hub: Hub


class TenantRuns:
    """All tenants that are served now; implements `Desks`.

    Args:
        main: the tenant that is there from the start. shared, ground: what all have in common.
        say: tells a person.
    """

    def __init__(self, main: TenantRun, shared: Shared, ground: Ground, say: Say) -> None:
        self.main = main
        self._shared = shared
        self._ground = ground
        self._say = say
        self._opened: dict[TenantId, _Opened] = {}
        self._failed: dict[TenantId, str] = {}
        self._changed: asyncio.Queue[Tenant] = asyncio.Queue()
        self._directory: TenantDirectory | None = None
        self._turn = asyncio.Lock()

    def all(self) -> list[TenantRun]:
        """Every tenant that is open now, the main one first."""
        return [self.main, *(opened.run for opened in self._opened.values())]

    def of(self, session: Session) -> Desk:
        """The desk of a caller's tenant, and of no other.

        Raises:
            RequestRefused: 503 while it is being opened.
        """
        run = self.find(session.user.tenant_id)
        if run is None:
            raise RequestRefused(
                503,
                "tenant_starting",
                "Your account is being opened.",
                remedy="Try again in a few seconds.",
            )
        return run.desk

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
        directory.on_change(self._changed.put_nowait)
        for tenant in directory.all():
            self._changed.put_nowait(tenant)

    async def run(self) -> None:
        """Open and close tenants as the directory says, until cancelled."""
        while True:
            tenant = await self._changed.get()
            if tenant.tenant_id != self.main.tenant_id:
                await self._adjust(tenant.tenant_id)

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
        """Return when nothing of a tenant that is served no more runs or is to be stored."""
        await self._adjust(tenant_id)

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
        detail = f"{1 + len(self._opened)} open" + (f", {waiting} to open" if waiting else "")
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

    async def _open_or_close(self, tenant_id: TenantId) -> None:
        is_served = self._directory is not None and self._directory.is_served(tenant_id)
        if is_served == (tenant_id in self._opened):
            self._failed.pop(tenant_id, None)
            return
        try:
            if is_served:
                await self._open(tenant_id)
            else:
                await self._close(tenant_id)
        except Plan2Error as error:
            # One tenant that cannot be opened must not keep the others waiting.
            self._failed[tenant_id] = error.message
            logger("tenants").error("tenant_failed", tenant_id=tenant_id, reason=str(error))
        else:
            self._failed.pop(tenant_id, None)

    # --- one tenant ---------------------------------------------------------------------------

    async def _open(self, tenant_id: TenantId) -> None:
        """Recover the books of a tenant, seat its account, and start what watches over it."""
        ground, shared = self._ground, self._shared
        await ground.admit(tenant_id)
        folder = folder_of(ground.folder, tenant_id)
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        run = TenantRun(
            tenant_id, folder, shared.database, ground.seal_of(tenant_id), self._telling(tenant_id),
            segment_bytes=JOURNAL_BYTES,
        )  # fmt: skip
        market, terminal = self._paper_market(tenant_id, folder)
        ground.follow(tenant_id, run.appender)
        ground.count(run.bus, tenant_id)
        account = self._account(run, market)
        run.take(account, market, (folder / FILE_NAME, ground.folder / FILE_NAME))
        board = HealthBoard(LiveClock(), run.bus, ground.lag.p99_ms)
        hub = Hub(board, run.halt, np.random.default_rng())
        try:
            await run.recover()
            await run.show(shared, board, SEED_EVENTS)
            run.bus.seal()
            hub.add(Component(name="market", level=4))
            for component in run.components():
                hub.add(component)
            await hub.start()
            await terminal.start(run.seat)
            await run.settle()
        except Plan2Error:
            await terminal.stop()
            await hub.stop()
            raise
        ground.venue.join(terminal)
        ground.pipeline.join(run.seat)
        self._opened[tenant_id] = _Opened(run, terminal, hub)

    def _paper_market(self, tenant_id: TenantId, folder: Path) -> tuple[Market, PaperTerminal]:
        """A tenant's paper account on the shared market."""
        ground = self._ground
        simulated = ground.settings_of(tenant_id)[0].simulated
        # Orders are named after their account, so no two tenants' accounts may share a name.
        account_id = f"paper-{tenant_id.replace('_', '-')}"
        terminal = join_market(
            simulated,
            _joined(ground.market),
            PaperAccount(account=account_id, data_dir=folder),
        )
        market = msgspec.structs.replace(
            ground.market,
            mode=ground.market.mode if ground.market.is_paper else PAPER,
            label=f"PAPER account of {tenant_id}",
            account_id=account_id,
            currency=simulated.currency,
            start_balance=Decimal(simulated.balance),
            terminal=terminal,
            since_ns=0,
        )
        return market, terminal

    def _account(self, run: TenantRun, market: Market) -> TradingAccount:
        settings, config_hash = self._ground.settings_of(run.tenant_id)
        return build_account(
            AccountPlan(
                settings=settings,
                config_hash=config_hash,
                identity=AccountIdentity(
                    tenant_id=run.tenant_id,
                    account_id=market.account_id,
                    currency=market.currency,
                    start_balance=market.start_balance,
                ),
                instruments=market.instruments,
                bus=run.bus,
                latency=self._shared.latency,
                journal=run.journal,
                sink=run.sink,
                submit=market.terminal.submit,
            )
        )

    async def _close(self, tenant_id: TenantId) -> None:
        """Let a tenant trade no more, store what it was told, and stop its parts."""
        opened = self._opened.pop(tenant_id)
        run, terminal = opened.run, opened.terminal
        self._ground.pipeline.leave(run.account)
        self._ground.venue.leave(terminal)
        await terminal.stop()
        try:
            async with asyncio.timeout(FLUSH_S):
                await run.appender.flush()
        except (TimeoutError, JournalLost) as error:
            logger("tenants").error("tenant_unflushed", tenant_id=tenant_id, reason=str(error))
        await opened.hub.stop()

    def _telling(self, tenant_id: TenantId) -> Say:
        return lambda text: self._say(f"[{tenant_id}] {text}")


def folder_of(folder: Path, tenant_id: str) -> Path:
    """Where the files of a tenant other than the main one are, in the data folder."""
    return folder / FOLDER / tenant_id


def _joined(market: Market) -> JoinedMarket:
    """The market as a further paper account needs to know it."""
    return JoinedMarket(
        identity=market.identity,
        mode=market.mode if market.is_paper else PAPER,
        clock=market.clock,
        contracts=market.instruments,
        history=market.terminal.history,
    )
