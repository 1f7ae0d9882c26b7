"""One line for all tenants: who floods it is told late and loses their own, never others'."""

import numpy as np

from plan2.foundation.clock import LiveClock
from plan2.interface.notify.line import WAITING_MAX, Line
from plan2.interface.notify.notification import (
    Delivered,
    Failed,
    Notification,
    Recipient,
    Severity,
)
from plan2.interface.notify.preferences import Preferences
from unit.virtual_time import run_virtual

LOUD, GUEST = Recipient("loud", "u"), Recipient("guest", "u")


class Channel:
    """Reaches everybody, and keeps what was sent."""

    name = "fake"

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def reaches(self, person: Recipient) -> bool:
        """Everybody."""
        return True

    async def send(self, person: Recipient, notification: Notification) -> Delivered | Failed:
        """Keep it."""
        self.sent.append((person.tenant_id, notification.title))
        return Delivered("1")


def line() -> tuple[Line, Channel]:
    """A line whose people want everything at once."""
    channel = Channel()
    made = Line(
        channel, lambda _: Preferences(), LiveClock(), lambda *_, **__: None,
        np.random.default_rng(1),
    )  # fmt: skip
    return made, channel


def kill(person: Recipient, title: str) -> Notification:
    """Something critical, each about another thing."""
    return Notification(
        tenant_id=person.tenant_id, kind="kill", severity=Severity.CRITICAL, title=title,
        sentence="s", at_ns=1, dedup_key=title,
    )  # fmt: skip


def test_the_line_goes_round_the_tenants() -> None:
    """The guest's kills come second and fourth, not behind five hundred of another's."""
    made, channel = line()

    async def main() -> None:
        for number in range(500):
            made.put(LOUD, kill(LOUD, f"loud {number}"))
        for number in range(2):
            made.put(GUEST, kill(GUEST, f"guest {number}"))
        await made.flush()

    run_virtual(main())
    assert [who for who, _ in channel.sent[:6]] == [
        "loud", "guest", "loud", "guest", "loud", "loud",
    ]  # fmt: skip
    titles = [title for who, title in channel.sent if who == "loud"]
    assert titles == [f"loud {number}" for number in range(500)]


def test_who_floods_the_line_loses_their_own_messages() -> None:
    """Three times as much as fits: the guest's warning is told all the same."""
    made, channel = line()

    async def main() -> None:
        made.put(GUEST, kill(GUEST, "guest"))
        for number in range(3 * WAITING_MAX):
            made.put(LOUD, kill(LOUD, f"loud {number}"))
        assert len(made._waiting) == WAITING_MAX
        await made.flush()

    run_virtual(main())
    assert ("guest", "guest") in channel.sent
    assert ("loud", f"loud {3 * WAITING_MAX - 1}") in channel.sent
    assert made.left_out == 2 * WAITING_MAX + 1
    assert made._turns == {}
