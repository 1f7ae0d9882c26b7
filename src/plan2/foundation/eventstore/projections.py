"""Read models that follow the log: each event exactly once, in order, or not at all.

What a projection writes and how far it has come are committed together, so no crash can part them.
It refuses to go on when its code has changed since, because old rows would then mean something
else. An event that it cannot digest is parked with the reason after three tries.
"""

import asyncio
import enum
import hashlib
import inspect
from collections.abc import Collection
from typing import Protocol

import msgspec
import psycopg
import sqlalchemy as sa

from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.errors import InvariantBroken, Plan2Error, Recoverable
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.store import PostgresEventStore, select
from plan2.foundation.values import TenantId

BATCH = 500
TRIES = 3

POISON = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    Plan2Error,
    msgspec.MsgspecError,
    sa.exc.DataError,
    sa.exc.IntegrityError,
    sa.exc.ProgrammingError,
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.ProgrammingError,
)
"""What a projection may raise because of one event; anything else is not the event's fault."""


class Projection(Protocol):
    """A read model of one tenant.

    Attributes:
        name: unique among projections; the key of its checkpoint.
        event_types: names from the catalogue that `apply` wants; empty means all.
    """

    name: str
    event_types: Collection[str]

    async def apply(self, uow: UnitOfWork, event: StoredEvent) -> None:
        """Write what follows from one event; only through `uow`."""
        ...

    async def reset(self, uow: UnitOfWork) -> None:
        """Remove everything that `apply` ever wrote."""
        ...


class OnPoison(enum.Enum):
    """What to do with an event that cannot be digested."""

    PARK = "park"
    STOP = "stop"


class ProjectionHalted(InvariantBroken):
    """A projection may not go on: its code changed, another runner works on it, or it is stuck."""

    code = "projection_halted"


def fingerprint(projection: Projection) -> str:
    """A digest of the projection's class; changes when its rows may mean something else.

    Only the text of the class counts, so what decides about its rows belongs inside it.
    """
    return hashlib.sha256(inspect.getsource(type(projection)).encode()).hexdigest()[:32]


class ProjectionRunner:
    """Drives one projection of one tenant; at most one runner makes progress at a time.

    Args:
        store: the log; the projection's rows lie in the same database.
        tenant: whose log.
        projection: what is kept up to date.
        on_poison: park an event that cannot be digested, or stop there.
        turn: held for each transaction; runners that share one take turns, so that together
            they hold one of the tenant's connections.
    """

    def __init__(
        self,
        store: PostgresEventStore,
        tenant: TenantId,
        projection: Projection,
        on_poison: OnPoison = OnPoison.PARK,
        turn: asyncio.Lock | None = None,
    ) -> None:
        self._store = store
        self._tenant = tenant
        self._projection = projection
        self._on_poison = on_poison
        self._turn = turn or asyncio.Lock()
        self._news = asyncio.Event()
        self._at_us = 0
        self.position: int | None = None
        self.parked = 0

    def wake(self) -> None:
        """Say that there may be new events; `Appender.on_stored` is a good caller."""
        self._news.set()

    async def run(self) -> None:
        """Follow the log until cancelled.

        Raises:
            ProjectionHalted: another runner works on this projection, or its code has changed.
            Recoverable: the database does not answer; starting again later is safe.
        """
        while True:
            self._news.clear()
            await self.catch_up()
            await self._news.wait()

    async def catch_up(self) -> int:
        """Apply everything that is in the log by now; returns the position reached.

        Raises:
            ProjectionHalted: see `run`; or an event is poisoned and the policy is to stop.
        """
        if self.position is None:
            await self._start()
        while await self._advance():
            pass
        return self.position or 0

    async def rebuild(self) -> int:
        """Forget everything and apply the whole log again, with the code of today."""
        async with self._turn, self._store.unit(self._tenant) as uow:
            await self._projection.reset(uow)
            name = (self._projection.name,)
            await uow.raw.execute("delete from checkpoint where projection = %s", name)
            await uow.raw.execute("delete from parked_event where projection = %s", name)
        self.position = None
        return await self.catch_up()

    async def replay_parked(self) -> int:
        """Try the parked events again, in order; returns how many are still parked.

        Each that succeeds is unparked in the same transaction. Only for projections whose
        events do not depend on each other's order; otherwise `rebuild`.
        """
        async with self._turn, self._store.unit(self._tenant) as uow:
            parked = await select(
                uow.raw,
                "where pos in (select pos from parked_event where projection = %s) order by pos",
                (self._projection.name,),
            )
        left = 0
        for event in parked:
            try:
                async with self._turn, self._store.unit(self._tenant) as uow:
                    await self._projection.apply(uow, event)
                    await uow.raw.execute(
                        "delete from parked_event where projection = %s and pos = %s",
                        (self._projection.name, event.position),
                    )
            except POISON as error:
                _raise_if_not_poison(error)
                left += 1
        self.parked = left
        return left

    async def _start(self) -> None:
        """Find the checkpoint, or make one; wait for a dying predecessor's transaction."""
        code, name = fingerprint(self._projection), self._projection.name
        async with self._turn, self._store.unit(self._tenant) as uow:
            await uow.raw.execute(
                "insert into checkpoint (projection, pos, at, code_fingerprint) "
                "values (%s, 0, 'epoch', %s) on conflict do nothing",
                (name, code),
            )
            position, self._at_us, found = await self._checkpoint(uow)
            cursor = await uow.raw.execute(
                "select count(*) from parked_event where projection = %s", (name,)
            )
            row = await cursor.fetchone()
        if found != code:
            raise ProjectionHalted(
                f"projection {name} was written by other code than today's ({found[:8]}, now "
                f"{code[:8]})",
                remedy="Rebuild it from the log.",
            )
        self.position = position
        self.parked = int(row[0]) if row else 0

    async def _checkpoint(self, uow: UnitOfWork) -> tuple[int, int, str]:
        """Position, time and fingerprint, locked until the transaction ends."""
        cursor = await uow.raw.execute(
            "select pos, us_of(at), code_fingerprint from checkpoint where projection = %s "
            "for update",
            (self._projection.name,),
        )
        row = await cursor.fetchone()
        if row is None:
            raise ProjectionHalted(f"the checkpoint of projection {self._projection.name} is gone")
        return int(row[0]), int(row[1]), str(row[2])

    async def _advance(self) -> bool:
        """Apply one batch; if that fails, go event by event. False when the end was reached."""
        try:
            return await self._apply_batch(is_careful=False)
        except POISON as error:
            _raise_if_not_poison(error)
            return await self._apply_batch(is_careful=True)

    async def _apply_batch(self, *, is_careful: bool) -> bool:
        async with self._turn, self._store.unit(self._tenant) as uow:
            found, _, _ = await self._checkpoint(uow)
            if found != self.position:
                raise ProjectionHalted(
                    f"projection {self._projection.name} is at {found}, expected {self.position}: "
                    "another process works on it",
                    remedy="Stop one of the two.",
                )
            events = await self._store.tail_in(uow, found, BATCH, since_us=self._at_us)
            parked = 0
            for event in events:
                if self._projection.event_types and event.type not in self._projection.event_types:
                    continue
                if is_careful:
                    parked += await self._apply_or_park(uow, event)
                else:
                    await self._projection.apply(uow, event)
            if events:
                await self._move_checkpoint(uow, events[-1])
        if events:
            self.position, self._at_us = events[-1].position, events[-1].at_us
            self.parked += parked
        return len(events) == BATCH

    async def _apply_or_park(self, uow: UnitOfWork, event: StoredEvent) -> int:
        """Apply one event, in up to three tries; returns 1 if it had to be parked."""
        reason = ""
        for _ in range(TRIES):
            try:
                async with uow.savepoint():
                    await self._projection.apply(uow, event)
                return 0
            except POISON as error:
                _raise_if_not_poison(error)
                reason = f"{type(error).__name__}: {error}".replace("\0", "")[:2000]
        if self._on_poison is OnPoison.STOP:
            raise ProjectionHalted(
                f"projection {self._projection.name} cannot digest event {event.position} "
                f"({event.type}): {reason}"
            )
        await uow.raw.execute(
            "insert into parked_event (projection, pos, at, reason, attempts) "
            "values (%s, %s, at_of(%s), %s, %s)",
            (self._projection.name, event.position, event.at_us, reason, TRIES),
        )
        return 1

    async def _move_checkpoint(self, uow: UnitOfWork, last: StoredEvent) -> None:
        await uow.raw.execute(
            "update checkpoint set pos = %s, at = at_of(%s), updated_at = now() "
            "where projection = %s",
            (last.position, last.at_us, self._projection.name),
        )


def _raise_if_not_poison(error: Exception) -> None:
    """Pass on what is not the fault of one event: the database is away, or we must stop."""
    if isinstance(error, (Recoverable, ProjectionHalted)):
        raise error
