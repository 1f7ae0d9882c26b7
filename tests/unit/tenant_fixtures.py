"""Tenants without a database: a store that remembers, breaks on demand, and survives its users."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from plan2.connectivity.identity.onboarding import ForTenant, TenantHooks
from plan2.connectivity.identity.tenant_requests import Request
from plan2.connectivity.identity.tenant_store import TenantWorkFailed
from plan2.connectivity.identity.tenant_work import Exports
from plan2.connectivity.identity.tenants import Tenants
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.database.registry import Registered
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.database.tenant_archive import Errand, Manifest, Tell
from plan2.foundation.errors import Plan2Error
from plan2.foundation.events.base import Event
from plan2.foundation.values import TenantId

NOON_NS = 1_764_072_000_000_000_000
BY = "user:op"


class Crash(BaseException):
    """The process ends here: nothing of ours may catch it."""


class FakeTenantStore:
    """The registry in memory; `calls` is what was asked, `break_at` says where it breaks.

    A call named in `break_at` raises what stands there instead of being carried out.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Registered] = {
            MAIN_TENANT: Registered(
                tenant_id=MAIN_TENANT, name="", lifecycle="served", is_current=True, revision="9"
            )
        }
        self.calls: list[str] = []
        self.break_at: dict[str, BaseException] = {}
        self.refusal: Plan2Error | None = None
        self.broken_migrations: dict[TenantId, str] = {}

    def check_writable(self) -> None:
        """Refuse when `refusal` says so."""
        if self.refusal is not None:
            raise self.refusal

    async def read(self) -> list[Registered]:
        """Every row."""
        return [self.rows[key] for key in sorted(self.rows)]

    async def register(self, tenant: Registered) -> None:
        """Keep a row."""
        self._call("register")
        self.rows[tenant.tenant_id] = tenant

    async def note_step(self, tenant: TenantId, step: str) -> None:
        """Add a step."""
        self._call(f"note:{step}")
        row = self.rows[tenant]
        if step not in row.steps_done:
            self._change(tenant, steps_done=(*row.steps_done, step))

    async def set_lifecycle(
        self, tenant: TenantId, lifecycle: str, *, reason: str = "", detail: str = ""
    ) -> None:
        """Change a row, if it is there."""
        self._call(f"lifecycle:{lifecycle}")
        if tenant in self.rows:
            self._change(tenant, lifecycle=lifecycle, reason=reason, detail=detail)

    async def migrate_all(self, now_ns: int) -> dict[TenantId, str]:
        """Everything is up to date, but what is said to be broken."""
        for tenant, reason in self.broken_migrations.items():
            self._change(tenant, schema_state="failed", is_current=False, detail=reason)
        return self.broken_migrations

    async def migrate(self, tenant: TenantId) -> None:
        """Make the tables."""
        self._call("migrate")
        self._change(tenant, revision="9", is_current=True, schema_state="ready", detail="")

    async def make_months(self, tenant: TenantId, now_ns: int) -> None:
        """Make the partitions."""
        self._call("make_months")

    async def export(self, errand: Errand, target: Path, tell: Tell) -> Manifest:
        """Write a file with a manifest only."""
        self._call("export")
        tell("event", 1, 2)
        _write(target)
        return Manifest(
            format="", plan2="", tenant_id=errand.tenant_id, name=errand.name, revision="9",
            made_ns=0, log_position=0, log_hash="", first_us=0, last_us=0, tables=(),
        )  # fmt: skip

    async def restore(self, path: Path, now_ns: int, tell: Tell) -> Manifest:
        """Not reached without a real file."""
        raise TenantWorkFailed("there is no real file here")

    async def drop(self, tenant: TenantId) -> None:
        """Drop the tables."""
        self._call("drop")
        self._change(tenant, revision="", is_current=False)

    async def bury(self, tenant: TenantId, reason: str) -> None:
        """Leave the tombstone."""
        self._call("bury")
        self.rows[tenant] = Registered(
            tenant_id=tenant, name="", lifecycle="deleted", reason=reason
        )

    def _change(self, tenant: TenantId, **changes: object) -> None:
        self.rows[tenant] = msgspec.structs.replace(self.rows[tenant], **changes)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        error = self.break_at.get(name)
        if error is not None:
            raise error


@dataclass
class House:
    """One installation; `open` starts a process on what the last one left in the store."""

    folder: Path
    store: FakeTenantStore = field(default_factory=FakeTenantStore)
    events: list[tuple[str, str, Event]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    break_at: dict[str, BaseException] = field(default_factory=dict)
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(NOON_NS))

    async def open(self, listen: Callable[[Tenants], None] = lambda _: None) -> Tenants:
        """A process that has started."""
        hooks = TenantHooks(
            invite=self._invite,
            settle=self._hook("settle"),
            drain=self._hook("drain"),
            forget=(self._hook("keys"), self._hook("files")),
            restored=(self._hook("erasures"),),
        )
        tenants = Tenants(
            self.store,
            hooks,
            Exports(self.folder / "exports"),
            self.clock,
            self._record,
        )
        listen(tenants)
        await tenants.start()
        return tenants

    def told(self, kind: str) -> list[str]:
        """The steps or changes of every event of a kind, in order."""
        name = "step" if kind == "OnboardingStep" else "change"
        return [getattr(e, name) for _, _, e in self.events if type(e).__name__ == kind]

    async def _invite(self, tenant: TenantId, name: str) -> str:
        self._note(f"invite:{name}")
        return f"https://join/{tenant}"

    def _hook(self, name: str) -> ForTenant:
        async def run(_: TenantId) -> None:
            self._note(name)

        return run

    def _note(self, name: str) -> None:
        self.done.append(name)
        error = self.break_at.get(name)
        if error is not None:
            raise error

    def _record(
        self,
        tenant_id: str,
        stream: str,
        event: Event,
        *,
        actor: str = "",
        correlation_id: str = "",
    ) -> None:
        self.events.append((tenant_id, stream, event))


def _write(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"export")


def about(tenant_id: str, reason: str = "because") -> Request:
    """A request of the operator."""
    return Request(tenant_id=tenant_id, by=BY, reason=reason)
