"""The one task that writes a tenant's events: group commit, in order, never dropping one.

`put` is synchronous and cheap, so the tick path may call it. While the database is away the events
wait; when the mailbox is full, `put` raises `JournalLost` and the owner stops trading. After an
unclear outcome the same batch is sent again, which the store answers without writing twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from plan2.foundation.bus import Mailbox, Overflow
from plan2.foundation.errors import JournalLost, Plan2Error, Recoverable, VersionConflict, require
from plan2.foundation.events.people import PERSONAL
from plan2.foundation.eventstore.record import Encoded, Expected, NewEvent, StoredEvent, encode
from plan2.foundation.eventstore.store import EventStore
from plan2.foundation.values import TenantId

CAPACITY = 100_000
BATCH_MAX = 256
RETRY_FIRST_S = 0.05
RETRY_MAX_S = 2.0

T = TypeVar("T")
OnStored = Callable[[StoredEvent], None]
OnSettled = Callable[[str, bool], None]
OnOutage = Callable[[str], None]
OnRefused = Callable[[NewEvent, Plan2Error], None]
Seal = Callable[[Encoded], Awaitable[Encoded]]


class Appender:
    """Queues events of one tenant and stores them in batches.

    Args:
        store: where they go.
        tenant: whose they are.
        capacity: how many may wait before trading has to stop.
        on_outage: told the reason when the database goes away, and "" when it is back.
        on_refused: given an event that the store can never take, such as one that re-uses an id.
            Without it such an event ends the task, and with it trading.
        seal: seals the personal fields of the events that have some (`EventSealer.seal`).
    """

    def __init__(
        self,
        store: EventStore,
        tenant: TenantId,
        *,
        capacity: int = CAPACITY,
        on_outage: OnOutage = lambda _: None,
        on_refused: OnRefused | None = None,
        seal: Seal | None = None,
    ) -> None:
        self._seal = seal
        self._store = store
        self._tenant = tenant
        self._on_outage = on_outage
        self._on_refused = on_refused
        self._mailbox: Mailbox[Encoded] = Mailbox(capacity, Overflow.NEVER)
        self._in_flight: Sequence[Encoded] = ()
        self._listeners: list[OnStored] = []
        self._settlers: list[OnSettled] = []
        self._accepted = 0
        self._settled = 0
        self._progress = asyncio.Condition()
        self._failure: BaseException | None = None
        self.last_position = 0
        self.is_degraded = False

    def __len__(self) -> int:
        return len(self._mailbox) + len(self._in_flight)

    def on_stored(self, listener: OnStored) -> None:
        """Call `listener` with each event, in order, once it is durable."""
        self._listeners.append(listener)

    def on_settled(self, listener: OnSettled) -> None:
        """Call `listener` with the id of each event taken, and whether it is durable now.

        Also of one that was there already, which `on_stored` says once only, or was refused.
        """
        self._settlers.append(listener)

    def put(self, new: NewEvent) -> None:
        """Take an event; it is durable after the next `flush`.

        Only events that can never conflict are taken: `expected` must be `Expected.ANY`.

        Raises:
            InputError: it cannot be serialised; nothing was taken.
            JournalLost: the mailbox is full, or the task has failed. Trading must stop.
        """
        require(new.expected == Expected.ANY, "the appender takes events that cannot conflict")
        if self._failure is not None:
            raise JournalLost("events are no longer written") from self._failure
        self._mailbox.put(encode(new))
        self._accepted += 1

    async def flush(self) -> int:
        """Wait until every event taken so far is settled; returns the last position.

        Raises:
            JournalLost: the task failed or was stopped before.
        """
        goal = self._accepted
        async with self._progress:
            await self._progress.wait_for(
                lambda: self._settled >= goal or self._failure is not None
            )
        if self._settled < goal:
            raise JournalLost("events could not be written") from self._failure
        return self.last_position

    async def run(self) -> None:
        """Store what is put, until cancelled; `flush` first to lose nothing.

        Raises:
            Plan2Error: the store refused an event and nobody was named to be told.
        """
        try:
            while True:
                self._in_flight = await self._mailbox.take(BATCH_MAX)
                self._in_flight = await self._sealed(self._in_flight)
                await self._settle(self._in_flight)
                self._in_flight = ()
        except BaseException as error:
            self._failure = error
            raise
        finally:
            await self._announce_progress(0)

    async def _sealed(self, batch: Sequence[Encoded]) -> Sequence[Encoded]:
        """The batch with personal fields sealed; one without any costs a look at each type."""
        seal = self._seal
        if seal is None or not any(each.type in PERSONAL for each in batch):
            return batch
        sealed = []
        for each in batch:
            is_personal = each.type in PERSONAL
            sealed.append(await self._patiently(partial(seal, each)) if is_personal else each)
        return sealed

    async def _settle(self, batch: Sequence[Encoded]) -> None:
        """Store a batch; if the store refuses it, store the others and report the culprits."""
        try:
            await self._store_with_patience(batch)
        except VersionConflict as error:
            if len(batch) > 1:
                for each in batch:
                    await self._settle([each])
                return
            if self._on_refused is None:
                raise
            self._on_refused(batch[0].new, error)
            self._tell_settled(batch[0].new.event_id, is_durable=False)
            await self._announce_progress(1)

    async def _store_with_patience(self, batch: Sequence[Encoded]) -> None:
        """Store a batch and announce it."""
        stored = await self._patiently(lambda: self._store.append_encoded(self._tenant, batch))
        for each in stored:
            if each.position > self.last_position:  # an old one that came again was announced then
                self.last_position = each.position
                for listener in self._listeners:
                    listener(each)
        for taken in batch:
            self._tell_settled(taken.new.event_id, is_durable=True)
        await self._announce_progress(len(batch))

    def _tell_settled(self, event_id: str, *, is_durable: bool) -> None:
        for settler in self._settlers:
            settler(event_id, is_durable)

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Repeat what needs the database until it answers, waiting longer each time."""
        pause_s = RETRY_FIRST_S
        while True:
            try:
                done = await work()
                break
            except Recoverable as error:
                if not self.is_degraded:
                    self.is_degraded = True
                    self._on_outage(str(error))
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_MAX_S)
        if self.is_degraded:
            self.is_degraded = False
            self._on_outage("")
        return done

    async def _announce_progress(self, settled: int) -> None:
        async with self._progress:
            self._settled += settled
            self._progress.notify_all()
