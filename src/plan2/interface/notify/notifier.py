"""The notifier: who is told what, on which channels, how loud; nothing here ever waits."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec
import numpy as np

from plan2.foundation.clock import Clock
from plan2.foundation.events.recording import Record
from plan2.foundation.health import Health, Status
from plan2.interface.notify.kinds import Loudness
from plan2.interface.notify.line import Line
from plan2.interface.notify.notification import Channel, Notification, Recipient
from plan2.interface.notify.preferences import Preferences

CLOSE_S: Final = 3.0


class Audience(Protocol):
    """Who may be told something; from memory."""

    def of(self, notification: Notification) -> Sequence[Recipient]:
        """People of the tenant who are let in and may read it."""
        ...

    def agrees(self, person: Recipient) -> bool:
        """Whether a person agreed to be told outside of the web app."""
        ...


class Notifier:
    """Takes notifications from anywhere in the process and hands them to each channel's line.

    Args:
        audience: who is told. preferences: how a person wants to be told, from memory.
        clock: wall clock. record: takes what became of each message. rng: jitter of retries.
    """

    def __init__(
        self,
        audience: Audience,
        preferences: Callable[[Recipient], Preferences],
        clock: Clock,
        record: Record,
        rng: np.random.Generator,
    ) -> None:
        self._audience = audience
        self._preferences = preferences
        self._clock = clock
        self._record = record
        self._rng = rng
        self._lines: list[Line] = []

    def add(self, channel: Channel) -> None:
        """Tell people on this channel too; before `run`."""
        self._lines.append(Line(channel, self._preferences, self._clock, self._record, self._rng))

    def notify(self, notification: Notification) -> int:
        """Queue a notification for everybody it is for; how many people it goes to.

        Synchronous and cheap; what is off for a person, or has no way to them, goes nowhere.
        """
        if not self._lines:
            return 0
        return sum(self.tell(person, notification) for person in self._audience.of(notification))

    def tell(self, person: Recipient, notification: Notification) -> bool:
        """Queue it for one person, as loud and in the language they want; whether it goes out."""
        lines = [line for line in self._lines if line.channel.reaches(person)]
        if not lines:
            return False
        preferences = self._preferences(person)
        loudness = preferences.loudness(
            notification.kind, notification.severity, self._clock.now_ns()
        )
        if loudness is Loudness.OFF or not self._audience.agrees(person):
            return False
        is_silent = loudness is Loudness.SILENT
        spoken = notification.in_language(preferences.language)
        shown = msgspec.structs.replace(spoken, is_silent=is_silent)
        for line in lines:
            line.put(person, shown)
        return True

    def language_of(self, person: Recipient) -> str:
        """What a person is told in, a name of `ui.language`."""
        return self._preferences(person).language

    async def run(self) -> None:
        """Deliver on every channel until cancelled; one that is slow delays no other."""
        if self._lines:
            await asyncio.gather(*(line.run() for line in self._lines))

    async def close(self) -> None:
        """Hand over what waits, as long as that is quick; what is left is lost with the process."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await asyncio.gather(*(line.flush() for line in self._lines))

    def check(self) -> Health:
        """The worst of the channels."""
        healths = [(line.channel.name, line.health()) for line in self._lines]
        bad = [(name, each) for name, each in healths if each.status is not Status.OK]
        metrics = {
            f"{name}_{key}": value for name, each in healths for key, value in each.metrics.items()
        }
        if bad:
            return Health(
                Status.DEGRADED, "; ".join(f"{name}: {each.detail}" for name, each in bad), metrics
            )
        return Health(Status.OK, f"{len(healths)} channels", metrics)
