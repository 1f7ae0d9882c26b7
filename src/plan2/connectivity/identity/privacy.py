"""Erasure of a person: their key is destroyed, their rows go, and the log keeps its chain.

The order matters: first the erasure is written down outside the database, then the key goes, then
the rows, then the fact is told. Every step may be repeated, so a crash in between is finished by
`replay` at the next start, and a restored backup loses again what was erased since.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from plan2.connectivity.identity.erasure_ledger import Erasure, ErasureLedger
from plan2.connectivity.identity.privacy_map import KEPT_IN_EVENTS, TABLES
from plan2.connectivity.identity.privacy_terms import Fate, TableMap
from plan2.connectivity.identity.rights import Role
from plan2.foundation.clock import Clock
from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.errors import InputError, Plan2Error
from plan2.foundation.events.people import SubjectErased
from plan2.foundation.events.recording import Record
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import TenantId

BY_LEDGER: Final = "system:ledger"

DestroyKey = Callable[[TenantId, str], Awaitable[bool]]
"""Destroys a person's key for good; may be repeated. True when there was one."""
OnErased = Callable[[TenantId, str], None]
ForgetPerson = Callable[[TenantId, str, str], Awaitable[None]]
"""Takes a person out of everything that remembers people: tenant, id, by whom."""


class NobodyThere(Plan2Error):
    """The tenant has no such person."""

    code = "not_found"


class Touched(msgspec.Struct, frozen=True):
    """A table, and how many of its rows were removed or changed."""

    table: str
    rows: int


class Kept(msgspec.Struct, frozen=True):
    """What is kept in spite of the erasure, on which legal basis, for how long."""

    what: str
    basis: str
    until: str


class ErasureReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did."""

    subject_id: str
    erased_us: int
    key_destroyed: bool
    removed: list[Touched]
    pseudonymised: list[Touched]
    kept: list[Kept]


class Privacy:
    """Erases people, and erases them again after a restore.

    Args:
        open_unit: opens a unit of work of a tenant.
        destroy_key: destroys a person's key.
        ledger: outside the database.
        clock: wall clock. record: tells the tenant's log.
    """

    def __init__(
        self,
        open_unit: OpenUnit,
        destroy_key: DestroyKey,
        ledger: ErasureLedger,
        clock: Clock,
        record: Record,
    ) -> None:
        self._forget: ForgetPerson | None = None
        self._unit = open_unit
        self._destroy_key = destroy_key
        self._ledger = ledger
        self._clock = clock
        self._record = record
        self._listeners: list[OnErased] = []
        self._erasing = asyncio.Lock()

    def on_erased(self, listener: OnErased) -> None:
        """Call `listener` when a person was erased: what remembers people must forget this one."""
        self._listeners.append(listener)

    def forget_with(self, forget: ForgetPerson) -> None:
        """Before rows go, ask `forget` to end sessions and keys and to take the person out."""
        self._forget = forget

    async def erase(self, tenant: TenantId, user_id: str, by: str) -> ErasureReport:
        """Erase a person for good.

        Raises:
            NobodyThere: the tenant has no such person.
            InputError: they are the tenant's last administrator.
            StoreBusy, OSError: not all was done; the next start, or another try, finishes it.
        """
        # One at a time: two last administrators must not both be found erasable.
        async with self._erasing:
            async with self._unit(tenant) as uow:
                await _check_erasable(uow, user_id)
            at_us = self._clock.now_ns() // 1_000
            erasure = Erasure(tenant=tenant, subject=user_id, erased_us=at_us)
            await asyncio.to_thread(self._ledger.add, erasure)
            if self._forget is not None:
                await self._forget(tenant, user_id, by)
            return await self._carry_out(erasure, by)

    async def replay(self, tenant: TenantId) -> int:
        """Erase again whoever was erased; at every start, before anybody is served.

        Returns:
            How many people a restored backup, or a crash, had left.
        """
        left = 0
        for erasure in await asyncio.to_thread(self._ledger.of, tenant):
            report = await self._carry_out(erasure, BY_LEDGER, quietly=True)
            left += report.key_destroyed or any(each.rows for each in report.removed)
        return left

    async def _carry_out(
        self, erasure: Erasure, by: str, *, quietly: bool = False
    ) -> ErasureReport:
        """All steps; `quietly` tells the log only when it does not know of the erasure."""
        tenant, subject = erasure.tenant, erasure.subject
        was_there = await self._destroy_key(tenant, subject)
        touched: dict[Fate, list[Touched]] = {Fate.REMOVED: [], Fate.REPLACED: []}
        async with self._unit(tenant) as uow:
            for table in TABLES:
                if table.erasure:
                    rows = await _erase_rows(uow, table, erasure, self._clock.now_ns())
                    touched[table.fate].append(Touched(table.table, rows))
            known = await _is_told(uow, subject)
        for listener in self._listeners:
            listener(tenant, subject)
        kept = _kept()
        if not (quietly and known):
            event = SubjectErased(
                ts_ns=self._clock.now_ns(),
                subject_id=subject,
                kept=tuple(f"{each.what}: {each.basis}" for each in kept),
                by=by,
            )
            self._record(tenant, f"user:{subject}", event, actor=by)
        return ErasureReport(
            subject_id=subject,
            erased_us=erasure.erased_us,
            key_destroyed=was_there,
            removed=touched[Fate.REMOVED],
            pseudonymised=touched[Fate.REPLACED],
            kept=kept,
        )


async def _check_erasable(uow: UnitOfWork, user_id: str) -> None:
    cursor = await uow.raw.execute(
        "select role, (select count(*) from app_user o where o.role = %s and not o.is_blocked "
        "and o.user_id <> u.user_id) from app_user u where user_id = %s",
        (str(Role.TENANT_ADMIN), user_id),
    )
    row = await cursor.fetchone()
    if row is None:
        raise NobodyThere(f"There is no person {user_id!r}.")
    if row[0] == str(Role.TENANT_ADMIN) and not row[1]:
        raise InputError(
            "The tenant's last administrator cannot be erased.",
            remedy="Make somebody else an administrator first, or delete the whole tenant.",
        )


async def _erase_rows(uow: UnitOfWork, table: TableMap, erasure: Erasure, now_ns: int) -> int:
    """Remove or pseudonymise a person's rows; the SQL is the map's, values are parameters."""
    values = parameters_of(erasure.subject) | {"now_ns": now_ns}
    return int((await uow.raw.execute(table.erasure, values)).rowcount)


def parameters_of(subject: str) -> dict[str, object]:
    """What the SQL of the map calls a person: by id, and as the actor of events."""
    return {"subject": subject, "actor": f"user:{subject}"}


async def _is_told(uow: UnitOfWork, subject: str) -> bool:
    cursor = await uow.raw.execute(
        "select 1 from event where stream_id = %s and type = 'SubjectErased' limit 1",
        (f"user:{subject}",),
    )
    return await cursor.fetchone() is not None


def _kept() -> list[Kept]:
    tables = [
        Kept(f"{table.table} ({table.category})", table.basis, table.retention)
        for table in TABLES
        if table.fate is Fate.KEPT
    ]
    return [Kept(*KEPT_IN_EVENTS), *tables]
