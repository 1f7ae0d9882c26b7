"""Opening and closing one tenant of this process: its books, account, watches, desk and stream."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import numpy as np

from plan2.foundation.bus import Bus
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import JournalLost, Plan2Error
from plan2.foundation.eventstore.appender import Appender, Seal
from plan2.foundation.health import ComponentHealth, HealthBoard
from plan2.foundation.hub import Component, Hub
from plan2.foundation.log import logger
from plan2.foundation.loop import LoopLag
from plan2.foundation.values import TenantId
from plan2.intelligence.pipeline import Pipeline, Seat
from plan2.intelligence.trading.kill_file import FILE_NAME
from plan2.wiring.flows import FlowTerms
from plan2.wiring.markets import Market
from plan2.wiring.paper_tenant import account_of_tenant
from plan2.wiring.tenant_brokers import TenantBrokers
from plan2.wiring.tenant_folder import folder_of
from plan2.wiring.tenant_places import TenantPlace
from plan2.wiring.tenant_run import Say, Shared, TenantRun
from plan2.wiring.venue import Venue

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
        room: refuses when a tenant has as much of something, by its quota's name, as it may.
        follow: watches what a tenant's appender stores. count: counts its decisions and orders.
        folder: the data folder. market, venue, pipeline: shared by all.
        lag: how late the loop runs. brokers: which tenants deal at a broker of their own.
    """

    settings_of: Callable[[TenantId], tuple[Settings, str]]
    seal_of: Callable[[TenantId], Seal]
    admit: Callable[[TenantId], Awaitable[None]]
    room: Callable[[str, str], None]
    follow: Callable[[TenantId, Appender], None]
    count: Callable[[Bus, str], None]
    folder: Path
    market: Market
    venue: Venue
    pipeline: Pipeline
    lag: LoopLag
    brokers: TenantBrokers


class Opened(msgspec.Struct, frozen=True):
    """A tenant that is open, where it deals, and how its parts are."""

    run: TenantRun
    place: TenantPlace
    seat: Seat
    hub: Hub
    board: HealthBoard

    @property
    def is_at_broker(self) -> bool:
        """Whether somebody outside of this process knows of its account."""
        return not self.place.market.is_paper

    @property
    def is_flat(self) -> bool:
        """Whether nothing is open that would have to be wound down."""
        account = self.run.account
        is_empty = not account.positions.open and not account.orders.open
        return self.run.is_flat and (is_empty or not self.is_at_broker)

    def place_parts(self) -> list[ComponentHealth]:
        """How the parts are that its place alone has; none on paper."""
        names = {component.name for component in self.place.components}
        return [part for part in self.board.snapshot() if part.name in names]

    @property
    def standing(self) -> str:
        """What is open at its broker, in words."""
        account = self.run.account
        return (
            f"account {self.place.name} at its broker: {len(account.positions.open)} positions and "
            f"{len(account.orders.open)} orders open, link {account.link.value}"
        )


async def open_tenant(tenant_id: TenantId, shared: Shared, ground: Ground, say: Say) -> Opened:
    """Recover the books of a tenant, seat its account, and start what watches over it.

    Raises:
        Plan2Error: it is not open; nothing of it is left running.
    """
    await ground.admit(tenant_id)
    await ground.brokers.admit(tenant_id)
    folder = folder_of(ground.folder, tenant_id)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    run = TenantRun(
        tenant_id, folder, shared.database, ground.seal_of(tenant_id), say,
        segment_bytes=JOURNAL_BYTES,
    )  # fmt: skip
    settings, config_hash = ground.settings_of(tenant_id)
    place = ground.brokers.place(tenant_id, settings, folder)
    ground.follow(tenant_id, run.appender)
    ground.count(run.bus, tenant_id)
    account = account_of_tenant(run, place.market, (settings, config_hash), shared.latency)
    terms = FlowTerms(
        settings=lambda: ground.settings_of(tenant_id)[0],
        room=lambda: ground.room(tenant_id, "flows"),
    )
    run.take(account, place.market, (folder / FILE_NAME, ground.folder / FILE_NAME), terms)
    board = HealthBoard(LiveClock(), run.bus, ground.lag.p99_ms)
    hub = Hub(board, run.halt, np.random.default_rng())
    seat = place.seat_of(run)
    try:
        await run.recover()
        await run.show(shared, board, SEED_EVENTS)
        run.bus.seal()
        hub.add(Component(name="market", level=4))
        for component in (*place.components, *run.components()):
            hub.add(component)
        await hub.start()
        await place.terminal.start(seat)
        await run.settle()
    except Plan2Error:
        await place.terminal.stop()
        await ground.brokers.rest(tenant_id)
        await hub.stop()
        raise
    if place.taker is not None:
        ground.venue.join(place.taker)
    ground.pipeline.join(seat)
    return Opened(run, place, seat, hub, board)


async def close_tenant(opened: Opened, ground: Ground) -> None:
    """Let a tenant trade no more, store what it was told, and stop its parts."""
    run, place = opened.run, opened.place
    ground.pipeline.leave(run.account)
    if place.taker is not None:
        ground.venue.leave(place.taker)
    await place.terminal.stop()
    try:
        async with asyncio.timeout(FLUSH_S):
            await run.appender.flush()
    except (TimeoutError, JournalLost) as error:
        logger("tenants").error("tenant_unflushed", tenant_id=run.tenant_id, reason=str(error))
    await opened.hub.stop()
