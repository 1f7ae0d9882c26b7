"""Making a tenant, step by step; what was done is on record, so a crash at any step loses nothing.

Each step may be repeated. It is written down as done after its event, so a step whose end was not
written down is taken again, and its event may come twice, never not at all.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from plan2.connectivity.identity.room import Place, free_place
from plan2.connectivity.identity.tenant_store import TenantStore
from plan2.foundation.clock import Clock
from plan2.foundation.database.registry import Registered
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.database.tenant_archive import Tell
from plan2.foundation.errors import Plan2Error
from plan2.foundation.events.recording import Record
from plan2.foundation.events.tenancy import OnboardingStep
from plan2.foundation.values import TenantId

STEPS: Final = ("register", "schema", "partitions", "settings", "invitation", "ready")

ForTenant = Callable[[TenantId], Awaitable[None]]


async def nothing(_: TenantId) -> None:
    """What a hook does where nobody waits for it."""


async def nobody(_: TenantId, __: str) -> str:
    """Invite nobody: the link is empty."""
    return ""


def nothing_open(_: TenantId) -> str:
    """For those who have no broker."""
    return ""


@dataclass(frozen=True, slots=True)
class TenantHooks:
    """What the rest of Plan2 does when tenants come and go; each may be called twice.

    Attributes:
        invite: (tenant, name) → one-time link for its first administrator; the tables are there.
        settle: gives a new tenant its quotas and settings.
        drain: returns when nothing of a tenant runs or is still to be stored.
        still_open: what a tenant has open at a broker, which a deletion would leave alone; "" when
            nothing.
        forget: destroys what lies outside its schema: keys, cache, files.
        restored: puts right what came back with an export, such as people who were erased since.
        place: counts an export as one of the tenant's jobs while it is made.
    """

    invite: Callable[[TenantId, str], Awaitable[str]] = nobody
    settle: ForTenant = nothing
    drain: ForTenant = nothing
    still_open: Callable[[TenantId], str] = nothing_open
    forget: tuple[ForTenant, ...] = ()
    restored: tuple[ForTenant, ...] = ()
    place: Place = free_place


class Onboarding:
    """The saga that makes a tenant.

    Args:
        store: registry and schemas. hooks: what others do for a new tenant.
        clock: wall time. record: writes facts into the main tenant's log.
    """

    def __init__(
        self, store: TenantStore, hooks: TenantHooks, clock: Clock, record: Record
    ) -> None:
        self._store = store
        self._hooks = hooks
        self._clock = clock
        self._record = record

    async def run(self, row: Registered, by: str, tell: Tell) -> str:
        """Take every step that is not done yet; returns the invitation if it was made now.

        Raises:
            Plan2Error: a step failed; those before it stay done, and the failure is on record.
        """
        invitation = ""
        for step in STEPS:
            if step in row.steps_done:
                continue
            tell(step, 0, 0)
            try:
                invitation = await self._take(step, row) or invitation
            except Plan2Error as error:
                self._note(row.tenant_id, step, "failed", str(error), by)
                raise
            self._note(row.tenant_id, step, "done", "", by)
            await self._store.note_step(row.tenant_id, step)
        await self._store.set_lifecycle(row.tenant_id, "served")
        return invitation

    async def _take(self, step: str, row: Registered) -> str:
        tenant = row.tenant_id
        match step:
            case "register":
                await self._store.register(row)
            case "schema":
                await self._store.migrate(tenant)
            case "partitions":
                await self._store.make_months(tenant, self._clock.now_ns())
            case "invitation":
                return await self._hooks.invite(tenant, row.administrator)
            case "settings":
                await self._hooks.settle(tenant)
        return ""

    def _note(self, tenant: TenantId, step: str, outcome: str, detail: str, by: str) -> None:
        event = OnboardingStep(
            ts_ns=self._clock.now_ns(), tenant=tenant, step=step, outcome=outcome, detail=detail
        )
        self._record(MAIN_TENANT, f"tenant:{tenant}", event, actor=by)
