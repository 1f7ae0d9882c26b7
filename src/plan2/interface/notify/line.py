"""One channel's line: a bounded queue, limits per person, digests, and retries with patience.

What is critical overtakes everything and is never gathered. A person's other messages beyond their
limit, and those they want as a digest, are gathered and told in one. The line is one for all
tenants: of what matters alike they take turns, and when the queue is full, the tenant that has most
in it loses the oldest of what matters least; health says how many were lost.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from plan2.connectivity.ratelimit.gcra import Meter, rate_of
from plan2.foundation.clock import Clock
from plan2.foundation.events.notify import NotificationFailed, NotifyUser
from plan2.foundation.events.recording import Record
from plan2.foundation.health import Health, Status
from plan2.foundation.secret import redact_text
from plan2.foundation.values import NS_PER_MINUTE
from plan2.interface.notify.gathering import Gathered
from plan2.interface.notify.notification import (
    Channel,
    Delivered,
    Failed,
    Notification,
    Recipient,
    Severity,
)
from plan2.interface.notify.preferences import Preferences

WAITING_MAX: Final = 1_000
REMEMBERED_MAX: Final = 2_000
SAME_NS: Final = 10 * NS_PER_MINUTE
"""The same thing is told to a person once in this time."""
PAUSE_FIRST_S: Final = 1.0
PAUSE_MAX_S: Final = 300.0
LIFE_S: Final = {Severity.INFO: 3_600.0, Severity.WARNING: 21_600.0, Severity.CRITICAL: 86_400.0}
"""How long a message is worth telling."""
WEIGHT: Final = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
LOOK_S: Final = 5.0
"""Between two looks at digests that may be due."""
DOUBLINGS_MAX: Final = 20


class _Waiting(msgspec.Struct, eq=False):
    """A message on its way to one person; times of the event loop, seconds."""

    person: Recipient
    notification: Notification
    dies_s: float
    place: int
    due_s: float = 0.0
    attempts: int = 0


class Line:
    """Delivers on one channel, one message after another.

    Args:
        channel: the way. preferences: how a person wants to be told, from memory.
        clock: wall clock. record: takes `NotifyUser` and `NotificationFailed`.
        rng: the jitter of the pauses.
    """

    def __init__(
        self,
        channel: Channel,
        preferences: Callable[[Recipient], Preferences],
        clock: Clock,
        record: Record,
        rng: np.random.Generator,
    ) -> None:
        self.channel = channel
        self.left_out = 0
        self._preferences = preferences
        self._clock = clock
        self._record = record
        self._rng = rng
        self._waiting: list[_Waiting] = []
        self._turns: dict[str, int] = {}
        self._gathered: dict[Recipient, Gathered] = {}
        self._meters: dict[Recipient, Meter] = {}
        self._told: OrderedDict[tuple[Recipient, str, str], int] = OrderedDict()
        self._held_until_s = 0.0
        self._failure = ""
        self._arrivals = 0
        self._arrived = asyncio.Event()

    def put(self, person: Recipient, notification: Notification) -> None:
        """Take a message for a person; synchronous, cheap, from the tick's own loop."""
        now_ns = self._clock.now_ns()
        if self._was_told(person, notification, now_ns):
            return
        preferences = self._preferences(person)
        if notification.severity is not Severity.CRITICAL:
            due_ns = self._gather_until(person, notification, preferences, now_ns)
            if due_ns > now_ns:
                self._gathered.setdefault(person, Gathered(due_ns)).add(notification)
                self._arrived.set()
                return
        self._queue(person, notification)

    def health(self) -> Health:
        """What waits, and what went wrong last."""
        metrics = {"waiting": float(len(self._waiting)), "left_out": float(self.left_out)}
        detail = f"{len(self._waiting)} messages wait."
        if self._failure:
            return Health(Status.DEGRADED, f"{self._failure} {detail}", metrics)
        return Health(Status.OK, detail, metrics)

    async def run(self) -> None:
        """Deliver until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._release(self._clock.now_ns())
            waiting = self._next(loop.time())
            if waiting is not None:
                await self._deliver(waiting)
                continue
            self._arrived.clear()
            try:
                async with asyncio.timeout(self._pause_s(loop.time())):
                    await self._arrived.wait()
            except TimeoutError:
                continue

    async def flush(self) -> None:
        """Try once to hand over everything that may go now."""
        now_s = asyncio.get_running_loop().time()
        while (waiting := self._next(now_s)) is not None:
            await self._deliver(waiting)

    # --- what waits -----------------------------------------------------------------------

    def _was_told(self, person: Recipient, notification: Notification, now_ns: int) -> bool:
        """Whether this person heard of the same thing just now; remembers that they do."""
        key = person, notification.kind, notification.key
        if now_ns - self._told.get(key, -SAME_NS) < SAME_NS:
            return True
        self._told[key] = now_ns
        self._told.move_to_end(key)
        while len(self._told) > REMEMBERED_MAX:
            self._told.popitem(last=False)
        return False

    def _gather_until(
        self, person: Recipient, notification: Notification, preferences: Preferences, now_ns: int
    ) -> int:
        """When a message that is not critical is told (UTC ns); now, unless it is gathered."""
        if notification.kind == "digest":
            return now_ns
        if notification.severity is Severity.INFO:
            due_ns = preferences.digest_due_ns(now_ns)
            if due_ns > now_ns:
                return due_ns
        per_minute = preferences.notify.per_minute_max
        rate = rate_of("messages", per_minute, 60, per_minute)
        meter = self._meters.setdefault(person, Meter(rate, now_ns))
        if meter.rate != rate:
            meter.change(rate, now_ns)
        wait_ns = meter.wait_ns(now_ns)
        if wait_ns > 0:
            return now_ns + max(wait_ns, NS_PER_MINUTE)
        meter.full_ns = max(meter.full_ns, now_ns) + meter.rate.interval_ns
        return now_ns

    def _queue(self, person: Recipient, notification: Notification) -> None:
        dies_s = asyncio.get_running_loop().time() + LIFE_S[notification.severity]
        self._arrivals += 1
        self._waiting.append(_Waiting(person, notification, dies_s, self._arrivals))
        if len(self._waiting) > WAITING_MAX:
            counts = Counter(each.person.tenant_id for each in self._waiting)
            most = max(counts.values())
            least = max(
                (each for each in self._waiting if counts[each.person.tenant_id] == most),
                key=lambda each: (WEIGHT[each.notification.severity], -each.place),
            )
            self._waiting.remove(least)
            self.left_out += 1
        self._arrived.set()

    def _release(self, now_ns: int) -> None:
        """Queue what was gathered long enough, as one message for each person."""
        due = [person for person, gathered in self._gathered.items() if gathered.due_ns <= now_ns]
        for person in due:
            say = self._preferences(person).say
            self._queue(person, self._gathered.pop(person).notification(person, now_ns, say))

    def _next(self, now_s: float) -> _Waiting | None:
        """What goes now, or None when nothing may.

        What matters most; of that, of the tenant whose turn was longest ago; then what came first.
        """
        if now_s < self._held_until_s:
            return None
        ready = (each for each in self._waiting if each.due_s <= now_s)
        return min(ready, key=self._urgency, default=None)

    def _urgency(self, waiting: _Waiting) -> tuple[int, int, int]:
        turn = self._turns.get(waiting.person.tenant_id, 0)
        return WEIGHT[waiting.notification.severity], turn, waiting.place

    def _pause_s(self, now_s: float) -> float:
        if not self._waiting:
            return LOOK_S
        first_s = max(min(each.due_s for each in self._waiting), self._held_until_s)
        return min(max(first_s - now_s, 0.001), LOOK_S)

    # --- delivery -------------------------------------------------------------------------

    async def _deliver(self, waiting: _Waiting) -> None:
        # Out of the queue first: a message that the channel stumbles over must not come again.
        self._waiting.remove(waiting)
        self._take_turn(waiting.person.tenant_id)
        if not self.channel.reaches(waiting.person):
            return
        waiting.attempts += 1
        result = await self.channel.send(waiting.person, waiting.notification)
        if isinstance(result, Delivered):
            self._failure = ""
            self._tell_delivered(waiting)
        else:
            self._put_off(waiting, result)

    def _take_turn(self, tenant_id: str) -> None:
        """Put a tenant behind the others; turns mean nothing once nobody waits."""
        latest = max(self._turns.values(), default=0)
        self._turns[tenant_id] = latest + 1
        if not self._waiting:
            self._turns.clear()

    def _put_off(self, waiting: _Waiting, failed: Failed) -> None:
        now_s = asyncio.get_running_loop().time()
        self._failure = redact_text(failed.reason)
        doubled = PAUSE_FIRST_S * 2.0 ** min(waiting.attempts - 1, DOUBLINGS_MAX)
        pause_s = min(doubled, PAUSE_MAX_S) * float(self._rng.uniform(0.5, 1.0))
        is_final = failed.retry_after_s is None
        if failed.retry_after_s is not None:
            pause_s = max(pause_s, failed.retry_after_s)
            is_final = now_s + pause_s > waiting.dies_s
            if failed.holds_channel:
                self._held_until_s = now_s + pause_s
        waiting.due_s = now_s + pause_s
        if not is_final:
            self._waiting.append(waiting)
        if is_final or waiting.attempts == 1:
            self._tell_failed(waiting, is_final=is_final)

    def _tell_delivered(self, waiting: _Waiting) -> None:
        notification, person = waiting.notification, waiting.person
        self._record(
            person.tenant_id,
            f"user:{person.user_id}",
            NotifyUser(
                ts_ns=self._clock.now_ns(),
                notification_id=notification.notification_id,
                user_id=person.user_id,
                channel=self.channel.name,
                kind=notification.kind,
                severity=notification.severity,
                attempts=waiting.attempts,
            ),
        )

    def _tell_failed(self, waiting: _Waiting, *, is_final: bool) -> None:
        notification, person = waiting.notification, waiting.person
        self._record(
            person.tenant_id,
            f"user:{person.user_id}",
            NotificationFailed(
                ts_ns=self._clock.now_ns(),
                notification_id=notification.notification_id,
                user_id=person.user_id,
                channel=self.channel.name,
                kind=notification.kind,
                severity=notification.severity,
                reason=self._failure,
                attempts=waiting.attempts,
                is_final=is_final,
            ),
        )
