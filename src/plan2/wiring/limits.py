"""Wires what keeps one tenant from using up what is everybody's, and the list of services."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

import plan2
from plan2.connectivity.gateway.app import Limiting
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.jobs.service import Jobs
from plan2.connectivity.ratelimit.limiter import Limiter
from plan2.connectivity.ratelimit.load import Load, RecentP99, Tolerance
from plan2.connectivity.ratelimit.middleware import Doorway, Turnstile
from plan2.connectivity.ratelimit.notices import Notices
from plan2.connectivity.ratelimit.storage import StorageMeter, StorageWatch, schema_bytes
from plan2.connectivity.ratelimit.use import Usage
from plan2.connectivity.registry import (
    Processes,
    Service,
    ServiceKind,
    ServiceRegistry,
    components,
    components_of_tenants,
    workers,
)
from plan2.foundation.clock import LiveClock, stopwatch_ns
from plan2.foundation.config.schema import Quota, Settings
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import ConfigError
from plan2.foundation.events.recording import Record
from plan2.foundation.health import ComponentHealth, HealthBoard
from plan2.foundation.hub import Component
from plan2.foundation.latency import Latency
from plan2.foundation.loop import LoopLag
from plan2.foundation.scheduler import Job
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from plan2.wiring.tenant_folder import folder_of


class LimitsPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What limits are wired from.

    Attributes:
        settings: of the installation. settings_of: those that hold for a tenant.
        tenants: every tenant's id.
        terminals: the terminals of all tenants, as services.
        place_parts: the parts that only tenants at brokers of their own have, by tenant.
        jobs: of all tenants, which the quota counts and the list of services shows.
        flows: how many flows a tenant has; None while it is not open.
        folder: the data folder.
    """

    settings: Settings
    settings_of: Callable[[TenantId], Settings]
    tenants: Callable[[], Sequence[TenantId]]
    terminals: Callable[[], Iterable[Service]]
    place_parts: Callable[[], Mapping[str, Sequence[ComponentHealth]]]
    jobs: Jobs
    flows: Callable[[str], float | None]
    folder: Path
    database: Database
    record: Record
    board: HealthBoard
    latency: Latency
    lag: LoopLag
    tolerance: Tolerance


class Limits:
    """Rates, quotas, load and the list of services."""

    def __init__(self, plan: LimitsPlan) -> None:
        wall = LiveClock()
        self.address = ""
        self._settings_of = plan.settings_of
        self._quotas: dict[str, Quota] = {}
        self._usual = plan.settings.quota
        stage = plan.latency.stage("tick_to_decision")
        self.notices = Notices(plan.record, wall, home=MAIN_TENANT)
        self.usage = Usage(self.quota_of, self.notices, stopwatch_ns)
        self.load = Load(
            plan.lag.recent_ms, RecentP99(lambda: stage.snapshot().buckets), wall, plan.tolerance
        )
        limiter = Limiter(self.usage, self.load, stopwatch_ns)
        turnstile = Turnstile(limiter)
        self.limiting = Limiting(Doorway(limiter).around, turnstile.around, turnstile.admit)
        self._meter = StorageMeter(
            lambda: [str(tenant) for tenant in plan.tenants()],
            schema_bytes(plan.database.uow),
            lambda tenant: [_measured_folder(plan.folder, tenant)],
        )
        self._watch = StorageWatch(self._meter, self.usage)
        self.usage.follow("storage_mb", self._meter.used_mb)
        self.usage.follow("jobs", plan.jobs.count)
        self.usage.follow("flows", plan.flows)
        self._processes = Processes(plan2.__version__, lambda: self.address, wall)
        self.registry = ServiceRegistry(
            [
                self._processes.services,
                components(plan.board.snapshot, plan2.__version__, lambda: self.address),
                lambda: list(plan.terminals()),
                components_of_tenants(plan.place_parts, plan2.__version__),
                workers(plan.jobs.pool.jobs),
            ]
        )

    def quota_of(self, tenant_id: str) -> Quota:
        """What a tenant may use, by its settings; the same object until these change."""
        found = self._quotas.get(tenant_id)
        if found is not None:
            return found
        try:
            settings = self._settings_of(TenantId(tenant_id))
        except ConfigError:
            return self._usual  # its settings are being read, or cannot hold: it is not served
        self._quotas[tenant_id] = settings.quota
        return self._quotas[tenant_id]

    def room(self, tenant_id: str, quota: str) -> None:
        """Refuse when a tenant has as much of something as it may.

        Raises:
            RequestRefused: 409 with what is full.
        """
        full = self.usage.room(tenant_id, quota)
        if full is not None:
            raise RequestRefused(
                409, "quota_exceeded", full.message, remedy="An operator can raise the quota."
            )

    def on_setting(self, tenant_id: TenantId, key: str) -> None:
        """A setting of a tenant changed."""
        if key.startswith("quota."):
            self._quotas.pop(tenant_id, None)

    def forget(self, tenant_id: TenantId) -> None:
        """A tenant was suspended or is gone."""
        self._quotas.pop(tenant_id, None)
        self.usage.forget(tenant_id)

    def components(self) -> tuple[Component, ...]:
        """What runs beside requests."""
        return (
            Component(name="load", level=2, run=self.load.run, check=self.load.check),
            Component(name="storage", level=2, check=self._watch.check),
            Component(
                name="processes", level=2, start=self._processes.look, run=self._processes.watch
            ),
        )

    def jobs(self) -> list[Job]:
        """What is done again and again."""
        return [
            Job("limit_notices", self.flush, "every 60 s"),
            Job("measure_storage", self._watch.measure, "every 600 s"),
        ]

    async def flush(self) -> None:
        """Write down which limits were exceeded, and how often."""
        self.notices.flush()


def _measured_folder(folder: Path, tenant_id: str) -> Path:
    """Where a tenant's files are; the main tenant's are the data folder's journal."""
    return folder / "journal" if tenant_id == MAIN_TENANT else folder_of(folder, tenant_id)


def terminal_service(name: str, tenant_id: str, state: str, detail: str) -> Service:
    """A terminal as the registry shows it."""
    return Service(
        name=name,
        kind=ServiceKind.TERMINAL,
        version=plan2.__version__,
        state=state,
        detail=detail,
        tenant_id=tenant_id,
    )
