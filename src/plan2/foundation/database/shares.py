"""A tenant's share of the pool, so that one with a thousand requests leaves room for the others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from plan2.foundation.errors import ConfigError, StoreBusy
from plan2.foundation.values import TenantId


@dataclass(slots=True)
class _Gate:
    """A tenant's line: how many may be inside, are inside, and are here at all."""

    most: int
    seats: asyncio.Semaphore
    inside: int = 0
    present: int = 0


class TenantShares:
    """How many connections each tenant holds at once; the rest of its work waits in line.

    Args:
        most: connections that a tenant may hold, at least 1; asked anew whenever the tenant comes
            back after a moment without any. ConfigError stands for 1.
        wait_s: longest wait for one of them.
    """

    def __init__(self, most: Callable[[TenantId], int], wait_s: float) -> None:
        self._most = most
        self._wait_s = wait_s
        self._gates: dict[TenantId, _Gate] = {}

    def used_by(self, tenant: TenantId) -> int:
        """How many connections a tenant holds now."""
        gate = self._gates.get(tenant)
        return gate.inside if gate is not None else 0

    @asynccontextmanager
    async def one(self, tenant: TenantId) -> AsyncIterator[None]:
        """Hold one of the tenant's connections while the block lasts.

        Raises:
            StoreBusy: all of them were in use all the time.
        """
        gate = self._gates.get(tenant)
        if gate is None:
            gate = self._gates[tenant] = self._open_gate(tenant)
        gate.present += 1
        try:
            await self._pass(gate, tenant)
            gate.inside += 1
            try:
                yield
            finally:
                gate.inside -= 1
                gate.seats.release()
        finally:
            gate.present -= 1
            if not gate.present:
                del self._gates[tenant]

    def _open_gate(self, tenant: TenantId) -> _Gate:
        try:
            most = max(1, self._most(tenant))
        except ConfigError:
            most = 1  # its settings, which say how many, are read through this very door
        return _Gate(most, asyncio.Semaphore(most))

    async def _pass(self, gate: _Gate, tenant: TenantId) -> None:
        if not gate.seats.locked():
            await gate.seats.acquire()  # returns at once; a deadline would cost more than the rest
            return
        try:
            async with asyncio.timeout(self._wait_s):
                await gate.seats.acquire()
        except TimeoutError:
            raise StoreBusy(
                f"Tenant {tenant} has {gate.most} database connections in use already."
            ) from None
