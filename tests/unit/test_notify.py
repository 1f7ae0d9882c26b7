"""Who is told what, how loud, how often, and what happens when a channel fails; in virtual time."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from plan2.foundation.config.schema_notify import Notify
from plan2.foundation.events.notify import NotificationFailed, NotifyUser
from plan2.foundation.health import Status
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_SECOND
from plan2.interface.notify.line import WAITING_MAX
from plan2.interface.notify.notification import (
    Delivered,
    Failed,
    Notification,
    Recipient,
    Severity,
)
from plan2.interface.notify.notifier import Notifier
from plan2.interface.notify.preferences import Preferences
from unit.identity_fixtures import NOON_NS, Written
from unit.virtual_time import run_virtual

ANN, BEN = Recipient("main", "ann"), Recipient("main", "ben")


class LoopClock:
    """The loop's own virtual time as wall time, from a Tuesday noon."""

    def now_ns(self) -> int:
        """UTC nanoseconds."""
        return NOON_NS + int(asyncio.get_running_loop().time() * NS_PER_SECOND)


class FakeChannel:
    """Keeps what it sent with the second it did; `results` come before deliveries."""

    name = "fake"

    def __init__(self, reached: Sequence[Recipient] = (ANN, BEN)) -> None:
        self.reached = set(reached)
        self.results: list[Failed] = []
        self.sent: list[tuple[float, Recipient, Notification]] = []
        self.tries = 0

    def reaches(self, person: Recipient) -> bool:
        """Those that the test named."""
        return person in self.reached

    async def send(self, person: Recipient, notification: Notification) -> Delivered | Failed:
        """Take it, unless the test said otherwise."""
        self.tries += 1
        if self.results:
            return self.results.pop(0)
        self.sent.append((asyncio.get_running_loop().time(), person, notification))
        return Delivered("1")

    def titles(self, person: Recipient = ANN) -> list[str]:
        """What somebody got, in order."""
        return [each.title for _, who, each in self.sent if who == person]


class Room:
    """Two people of one tenant, a channel, and a notifier that runs."""

    def __init__(self, *channels: FakeChannel) -> None:
        self.preferences: dict[Recipient, Preferences] = {}
        self.disagree: set[Recipient] = set()
        self.written = Written()
        self.channels = channels or (FakeChannel(),)
        self.notifier = Notifier(
            self,
            lambda person: self.preferences.get(person, Preferences()),
            LoopClock(),
            self.written,
            np.random.default_rng(3),
        )
        for channel in self.channels:
            self.notifier.add(channel)

    def of(self, notification: Notification) -> list[Recipient]:
        """Both, or the one it is for."""
        return [each for each in (ANN, BEN) if notification.user_id in {"", each.user_id}]

    def agrees(self, person: Recipient) -> bool:
        """Everybody but whom the test named."""
        return person not in self.disagree

    def told(self) -> list[NotifyUser | NotificationFailed]:
        """What the log says about messages."""
        kinds = NotifyUser | NotificationFailed
        return [event for _, _, event in self.written.events if isinstance(event, kinds)]


def note(
    title: str = "x", severity: Severity = Severity.INFO, kind: str = "close", **more: str
) -> Notification:
    """A notification of the tenant."""
    return Notification(
        tenant_id="main",
        kind=kind,
        severity=severity,
        title=title,
        sentence="s",
        at_ns=NOON_NS,
        **more,  # type: ignore[arg-type]
    )


def play(room: Room, act: Callable[[], object], for_s: float) -> None:
    """Run the notifier for some virtual seconds after something happened."""

    async def main() -> None:
        running = asyncio.create_task(room.notifier.run())
        act()
        await asyncio.sleep(for_s)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_virtual(main())


def test_everybody_who_may_is_told_once_and_the_log_says_so_without_words() -> None:
    """Two people, the same thing twice: one message each, one event each, no text in it."""
    room = Room()

    def act() -> None:
        assert room.notifier.notify(note("EURUSD closed", dedup_key="k")) == 2
        room.notifier.notify(note("EURUSD closed", dedup_key="k"))

    play(room, act, 30)
    [channel] = room.channels
    assert [channel.titles(ANN), channel.titles(BEN)] == [["EURUSD closed"]] * 2
    told = room.told()
    assert [(type(each), each.user_id) for each in told] == [
        (NotifyUser, "ann"),
        (NotifyUser, "ben"),
    ]
    assert b"EURUSD" not in msgspec.json.encode(told)


def test_nobody_is_told_without_consent_a_way_or_against_their_choice() -> None:
    """No consent, no channel, kind off: nothing goes out, on no channel."""
    room = Room(FakeChannel([ANN]))
    room.preferences[ANN] = Preferences(notify=Notify(loudness={"close": "off"}))

    def act() -> None:
        assert room.notifier.notify(note()) == 0
        assert room.notifier.notify(note(kind="halt", user_id="ann")) == 1
        room.disagree.add(ANN)
        assert room.notifier.notify(note(kind="kill", user_id="ann")) == 0

    play(room, act, 30)
    assert len(room.channels[0].sent) == 1


def test_quiet_hours_silence_all_but_what_is_critical() -> None:
    """22:00 to 06:30 in Jakarta, seven hours east: at noon UTC it is 19:00 there."""
    chosen = Preferences(quiet_from="22:00", quiet_until="06:30", time_zone="Asia/Jakarta")
    evening, night = NOON_NS, NOON_NS + 4 * NS_PER_HOUR
    assert chosen.loudness("close", Severity.INFO, evening) == "on"
    assert chosen.loudness("close", Severity.WARNING, night) == "silent"
    assert chosen.loudness("kill", Severity.CRITICAL, night) == "on"
    assert (
        chosen.loudness("close", Severity.INFO, night + 7 * NS_PER_HOUR + 31 * NS_PER_MINUTE)
        == "on"
    )
    assert Preferences(quiet_from="22:00", quiet_until="06:30", time_zone="No/Where").is_quiet(
        NOON_NS + 11 * NS_PER_HOUR
    )


def test_a_digest_gathers_what_only_informs() -> None:
    """Hourly: three messages in one at one o'clock; a warning comes by itself."""
    room = Room(FakeChannel([ANN]))
    room.preferences[ANN] = Preferences(notify=Notify(digest="hourly"))

    def act() -> None:
        for title in ("a", "b", "c"):
            room.notifier.notify(note(title))
        room.notifier.notify(note("w", Severity.WARNING))

    play(room, act, 3_700)
    [channel] = room.channels
    assert channel.titles() == ["w", "3 messages"]
    at_s, _, digest = channel.sent[-1]
    assert 3_600 <= at_s <= 3_610
    assert digest.sentence == "a: s\nb: s\nc: s"


def test_the_daily_digest_comes_at_its_hour_of_the_persons_zone() -> None:
    """18:00 in New York is 23:00 UTC in March before the clocks change."""
    chosen = Preferences(
        notify=Notify(digest="daily", digest_at="18:00"), time_zone="America/New_York"
    )
    assert chosen.digest_due_ns(NOON_NS) == NOON_NS + 11 * NS_PER_HOUR
    assert chosen.digest_due_ns(NOON_NS + 12 * NS_PER_HOUR) == NOON_NS + 35 * NS_PER_HOUR


def test_a_flood_becomes_one_message_and_a_kill_still_comes_first() -> None:
    """Beyond fifteen a minute the rest is told together; what is critical overtakes all."""
    room = Room(FakeChannel([ANN]))

    def act() -> None:
        for number in range(60):
            room.notifier.notify(note(f"{number}"))
        room.notifier.notify(note("KILL", Severity.CRITICAL, "kill"))

    play(room, act, 200)
    titles = room.channels[0].titles()
    assert titles[0] == "KILL"
    assert titles[1:16] == [str(number) for number in range(15)]
    assert titles[16:] == ["45 messages"]


def test_a_flood_limit_of_the_provider_is_kept_to_the_second() -> None:
    """retry_after 40: nothing is tried before, on that channel; another one is not delayed."""
    slow, fast = FakeChannel([ANN]), FakeChannel([ANN])
    slow.results = [Failed("Wait.", 40.0, holds_channel=True)]
    room = Room(slow, fast)

    def act() -> None:
        room.notifier.notify(note("a"))
        room.notifier.notify(note("b"))

    play(room, act, 90)
    assert [round(at_s) for at_s, _, _ in fast.sent] == [0, 0]
    assert slow.titles() == ["b", "a"] or slow.titles() == ["a", "b"]
    assert min(at_s for at_s, _, _ in slow.sent) >= 40.0


def test_what_fails_for_good_is_given_up_and_told() -> None:
    """A blocked bot: one try, one event, nothing left."""
    channel = FakeChannel([ANN])
    channel.results = [Failed("Blocked.", None)]
    room = Room(channel)
    play(room, lambda: room.notifier.notify(note()), 600)
    assert channel.tries == 1
    [told] = room.told()
    assert isinstance(told, NotificationFailed)
    assert (told.reason, told.is_final) == ("Blocked.", True)


def test_an_outage_is_waited_out_with_growing_pauses_and_few_events() -> None:
    """Half an hour away: tried again and again, told at first and when it arrives."""
    channel = FakeChannel([ANN])
    room = Room(channel)

    async def main() -> None:
        running = asyncio.create_task(room.notifier.run())
        channel.results = [Failed("Away.", 0.0, holds_channel=True)] * 9
        room.notifier.notify(note("a", Severity.WARNING))
        await asyncio.sleep(60)
        assert room.notifier.check().status is Status.DEGRADED
        await asyncio.sleep(3_600)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_virtual(main())
    assert channel.titles() == ["a"]
    assert channel.tries == 10
    assert [type(each) for each in room.told()] == [NotificationFailed, NotifyUser]
    assert room.notifier.check().status is Status.OK


def test_a_message_that_is_too_old_is_not_told_any_more() -> None:
    """What only informs is given up after an hour of failures, and that is told."""
    channel = FakeChannel([ANN])
    channel.results = [Failed("Away.")] * 1_000
    room = Room(channel)
    play(room, lambda: room.notifier.notify(note()), 5_000)
    last = room.told()[-1]
    assert isinstance(last, NotificationFailed)
    assert last.is_final
    assert channel.sent == []


def test_a_full_queue_forgets_what_matters_least() -> None:
    """A thousand wait: a kill pushes out an information, never the other way round."""
    channel = FakeChannel([ANN])
    channel.results = [Failed("Away.", 10_000.0, holds_channel=True)]
    room = Room(channel)
    room.preferences[ANN] = Preferences(notify=Notify(per_minute_max=5_000))

    def act() -> None:
        room.notifier.notify(note("KILL", Severity.CRITICAL, "kill"))
        for number in range(WAITING_MAX + 5):
            room.notifier.notify(note(f"{number}"))

    play(room, act, 20_000)
    assert channel.titles()[0] == "KILL"
    assert room.notifier.check().metrics["fake_left_out"] == 6.0


def test_closing_hands_over_what_waits_and_does_not_hang() -> None:
    """At the end of a run the last messages still go out."""
    room = Room()

    async def main() -> None:
        room.notifier.notify(note("bye"))
        await room.notifier.close()

    run_virtual(main())
    assert room.channels[0].titles() == ["bye"]


def test_everybody_is_told_in_their_own_language() -> None:
    """Ann reads Indonesian, Ben English; a digest speaks its reader's language too."""
    room = Room()
    room.preferences[ANN] = Preferences(language="id")
    told = msgspec.structs.replace(
        note("EURUSD closed"), translated={"id": ("EURUSD ditutup", "Untung.")}
    )
    play(room, lambda: room.notifier.notify(told), 1.0)
    [channel] = room.channels
    assert channel.titles(ANN) == ["EURUSD ditutup"]
    assert channel.titles(BEN) == ["EURUSD closed"]

    room = Room()
    hourly = Notify(digest="hourly")
    room.preferences[ANN] = Preferences(language="id", notify=hourly)
    room.preferences[BEN] = Preferences(notify=hourly)
    play(room, lambda: [room.notifier.notify(note(name)) for name in "ab"], 3_700.0)
    [channel] = room.channels
    assert channel.titles(ANN) == ["2 pesan"]
    assert channel.titles(BEN) == ["2 messages"]
