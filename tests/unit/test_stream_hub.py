"""The hub's pumps in virtual time: leading edge, windows, heartbeats, dead sessions, feeds."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from virtual_time import run_virtual

from plan2.connectivity.identity.principal import User
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.jobs.job import JobRow, JobStatus
from plan2.foundation.events.account import TradingStateChanged
from plan2.foundation.events.order import (
    OrderAccepted,
    OrderPlaced,
    OrderSent,
    PositionOpened,
)
from plan2.intelligence.events import BrokerViewChanged
from plan2.interface.job_items import JobsSource
from plan2.interface.streaming.client import Client
from plan2.interface.streaming.hub import LIVE_CLIENTS_MAX, HubInfo, StreamHub, Timing
from plan2.interface.streaming.protocol import Close, Kind, RateClass, codecs
from plan2.interface.streaming.sources import MoreRows
from unit.interface_fixtures import NOON_NS, TENANT, Stage, position_item, quote

JSON = codecs()["plan2.v1+json"]
USER = User(user_id="u", name="u", tenant_id=TENANT, role=Role.TENANT_ADMIN)


class Room:
    """A hub in virtual time, and clients that take every frame as soon as there is one."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.stage = Stage()
        self.jobs: list[JobRow] = []
        self.hub = StreamHub(
            self.stage.live,
            lambda: {"status": "ok"},
            self.stage.is_live,
            HubInfo(TENANT, "hash", "epoch"),
            Timing(self.stage.wall, loop.time),
            MoreRows(jobs=JobsSource(lambda: self.jobs)),
        )
        self.hub.subscribe(self.stage.bus)
        self.frames: list[tuple[float, list[Any]]] = []
        self._loop = loop

    async def join(self, rate: RateClass = RateClass.NORMAL) -> Client:
        """A client of a rate class."""
        _, session = await self.stage.sessions.open(USER)
        client = self.hub.join(session, JSON)
        client.rate = self.hub.grant(rate)
        return client

    async def follow(self, client: Client) -> None:
        """Take frames and acknowledge them, for ever."""
        self.hub.recount()
        while True:
            message = client.next_message(self.hub)
            if message is None:
                client.ready.clear()
                await client.ready.wait()
                continue
            frame = msgspec.json.decode(message)
            self.frames.append((self._loop.time(), frame))
            if frame[0] in {Kind.SNAPSHOT, Kind.DELTA, Kind.EVENT}:
                client.acknowledge(frame[1], frame[2], self._loop.time())

    def of_kind(self, kind: Kind) -> list[tuple[float, list[Any]]]:
        """Frames received so far, with their times."""
        return [(at_s, frame) for at_s, frame in self.frames if frame[0] == kind]


def in_room(scene: Callable[[Room], Awaitable[None]], starts: int = 1) -> None:
    """Play a scene in virtual time with the hub running, at its first start or a later one."""

    async def play() -> None:
        room = Room()
        for _ in range(starts - 1):
            ended = asyncio.create_task(room.hub.run())
            await asyncio.sleep(0)
            ended.cancel()
            await asyncio.gather(ended, return_exceptions=True)
        hub = asyncio.create_task(room.hub.run())
        try:
            await scene(room)
        finally:
            hub.cancel()
            await asyncio.gather(hub, return_exceptions=True)

    run_virtual(play())


def test_the_first_change_goes_at_once_and_the_rest_is_paced() -> None:
    """Quiet, then changes every millisecond for a second: one at once, then one per 18 to 20 ms."""

    async def scene(room: Room) -> None:
        client = await room.join()
        client.follow_state(room.hub.channels.quotes)
        reader = asyncio.create_task(room.follow(client))
        await asyncio.sleep(0.5)
        for number in range(1000):
            room.stage.bus.publish(quote("EURUSD", number, 1.0 + number / 1e4, 2.0))
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.1)
        reader.cancel()
        deltas = room.of_kind(Kind.DELTA)
        times = [at_s for at_s, _ in deltas]
        assert times[0] == 0.5
        assert 50 <= len(deltas) <= 58
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert min(gaps) == gaps[0] == pytest.approx(0.008)
        assert min(gaps[1:]) >= 0.018 - 1e-9
        assert [frame[2] for _, frame in deltas] == list(range(1, len(deltas) + 1))
        assert deltas[-1][1][4][0][2] == 1.0999

    in_room(scene)


def test_what_changes_while_nobody_follows_does_not_pile_up() -> None:
    """Thousands of positions come and go without a screen; the first one that comes sees all."""

    async def scene(room: Room) -> None:
        live = room.stage.live
        for number in range(2_000):
            live.booked.mark(f"position-{number}")
            if number % 100 == 0:
                await asyncio.sleep(0.3)
        await asyncio.sleep(0.3)
        assert len(live.booked._keys) == 0
        client = await room.join()
        client.follow_state(room.hub.channels.quotes)
        reader = asyncio.create_task(room.follow(client))
        room.stage.bus.publish(quote("EURUSD", 1, 1.5, 2.0))
        await asyncio.sleep(0.1)
        reader.cancel()
        assert room.of_kind(Kind.DELTA)[-1][1][4][0][2] == 1.5

    in_room(scene)


def test_quotes_at_the_pace_of_the_class_do_not_wait() -> None:
    """Fifty a second, each up to 4 ms early or late: every one is sent at once, none is joined."""

    async def scene(room: Room) -> None:
        client = await room.join()
        client.follow_state(room.hub.channels.quotes)
        reader = asyncio.create_task(room.follow(client))
        await asyncio.sleep(0.5)
        published: list[float] = []
        for number in range(100):
            jitter_s = (number * 37 % 9 - 4) / 1000
            await asyncio.sleep(0.6 + number * 0.020 + jitter_s - asyncio.get_running_loop().time())
            published.append(asyncio.get_running_loop().time())
            room.stage.bus.publish(quote("EURUSD", number, 1.0, 2.0))
        await asyncio.sleep(0.1)
        reader.cancel()
        assert [at_s for at_s, _ in room.of_kind(Kind.DELTA)] == published

    in_room(scene)


def test_each_class_has_its_own_pace() -> None:
    """The same second of changes: about 200, 50, 10 and 1 frames, all ending on the same row."""

    async def scene(room: Room) -> None:
        counts: dict[RateClass, int] = {}
        for rate in RateClass:
            client = await room.join(rate)
            client.follow_state(room.hub.channels.quotes)
            reader = asyncio.create_task(room.follow(client))
            for number in range(1000):
                room.stage.bus.publish(quote("EURUSD", number, 1.0, 2.0))
                await asyncio.sleep(0.001)
            await asyncio.sleep(1.1)
            reader.cancel()
            room.hub.leave(client)
            counts[rate] = len(room.of_kind(Kind.DELTA))
            assert room.of_kind(Kind.DELTA)[-1][1][4][0][1] == NOON_NS // 1000 + 999_000_000
            room.frames.clear()
        assert 190 <= counts[RateClass.LIVE] <= 225
        assert 50 <= counts[RateClass.NORMAL] <= 58
        assert 10 <= counts[RateClass.SAVER] <= 13
        assert counts[RateClass.BACKGROUND] <= 3

    in_room(scene)


def test_the_brokers_view_is_sent_whole_with_each_change() -> None:
    """One row: first the snapshot, then what is missing now."""

    async def scene(room: Room) -> None:
        client = await room.join()
        client.follow_state(room.hub.channels.broker)
        reader = asyncio.create_task(room.follow(client))
        await asyncio.sleep(0.1)
        room.stage.books.missing = ("paper-1:42",)
        room.stage.bus.publish(BrokerViewChanged(ts_ns=NOON_NS))
        await asyncio.sleep(0.1)
        reader.cancel()
        rows = [frame[4] for _, frame in room.of_kind(Kind.SNAPSHOT) + room.of_kind(Kind.DELTA)]
        assert [[row["missing"] for row in each] for each in rows] == [[[]], [["paper-1:42"]]]

    in_room(scene)


def test_clients_of_a_class_get_the_very_same_bytes() -> None:
    """One encoding serves all, and each receives every number."""

    async def scene(room: Room) -> None:
        clients = [await room.join() for _ in range(40)]
        for client in clients:
            client.follow_state(room.hub.channels.quotes)
            assert client.next_message(room.hub) is not None
        room.hub.recount()
        room.stage.bus.publish(quote("EURUSD", 1, 1.0, 2.0))
        await asyncio.sleep(0.05)
        messages = [client.next_message(room.hub) for client in clients]
        assert len({id(message) for message in messages}) == 1
        assert messages[0] is not None

    in_room(scene)


def test_few_clients_may_have_the_fastest_class() -> None:
    """The eleventh that asks for live gets normal."""

    async def scene(room: Room) -> None:
        granted = [(await room.join(RateClass.LIVE)).rate for _ in range(LIVE_CLIENTS_MAX + 1)]
        assert granted == [RateClass.LIVE] * LIVE_CLIENTS_MAX + [RateClass.NORMAL]

    in_room(scene)


def test_heartbeats_come_every_second_with_the_last_position() -> None:
    """About ten in ten seconds, also without any subscription; the health row follows at 1 Hz."""

    async def scene(room: Room) -> None:
        client = await room.join()
        client.follow_state(room.hub.channels.health)
        reader = asyncio.create_task(room.follow(client))
        room.hub.on_stored(await room.stage.stored(_paused()))
        await asyncio.sleep(10.1)
        reader.cancel()
        beats = room.of_kind(Kind.HEARTBEAT)
        assert len(beats) == 10
        assert beats[-1][1][4] == {"position": 1}
        assert 9 <= len(room.of_kind(Kind.DELTA)) <= 10

    in_room(scene)


def test_a_revoked_session_loses_its_stream_within_seconds() -> None:
    """Signed out elsewhere: close 4401 with the next beat; others stay."""

    async def scene(room: Room) -> None:
        gone, kept = await room.join(), await room.join()
        await room.stage.sessions.revoke(gone.session.session_id)
        await asyncio.sleep(1.3)
        assert (gone.close_code, kept.close_code) == (Close.SIGNED_OUT, None)

    in_room(scene)


def test_when_the_hub_stops_clients_are_told_to_come_back() -> None:
    """Close 1012 for everybody."""

    async def play() -> None:
        room = Room()
        client = await room.join()
        hub = asyncio.create_task(room.hub.run())
        await asyncio.sleep(0)
        hub.cancel()
        await asyncio.gather(hub, return_exceptions=True)
        assert client.close_code is Close.RESTART

    run_virtual(play())


def test_a_hub_that_broke_and_was_started_again_streams_as_before() -> None:
    """What its supervisor does after a failure: quotes reach whoever comes back."""

    async def scene(room: Room) -> None:
        client = await room.join()
        client.follow_state(room.hub.channels.quotes)
        reader = asyncio.create_task(room.follow(client))
        await asyncio.sleep(0.5)
        room.stage.bus.publish(quote("EURUSD", 1, 1.0, 2.0))
        await asyncio.sleep(0.1)
        reader.cancel()
        assert len(room.of_kind(Kind.DELTA)) == 1

    in_room(scene, starts=2)


def test_an_order_is_streamed_at_every_step() -> None:
    """Placed, sent, accepted: three whole items of one order, numbered by the channel."""

    async def scene(room: Room) -> None:
        client = await room.join()
        client.follow_log(room.hub.channels.orders, 1)
        reader = asyncio.create_task(room.follow(client))
        common = {"ts_ns": NOON_NS, "order_id": "o1", "account_id": "a", "symbol": "EURUSD"}
        room.stage.bus.publish(
            OrderPlaced(
                **common,
                decision_id="d1",
                tenant_id="main",
                side="sell",
                quantity=0.1,
                price=1.1,
                stop_loss=1.11,
                take_profit=1.0,
                reduce_only=False,
                token="t",
                position_id="",
                expires_ts_ns=0,
            )
        )
        room.stage.bus.publish(OrderSent(**common))
        room.stage.bus.publish(OrderSent(**common))
        room.stage.bus.publish(OrderAccepted(**common, ticket="7"))
        room.stage.bus.publish(OrderSent(**{**common, "order_id": "unknown"}))
        await asyncio.sleep(0.01)
        reader.cancel()
        items = [(frame[2], frame[4]["state"]) for _, frame in room.of_kind(Kind.EVENT)]
        assert items == [(1, "placed"), (2, "sent"), (3, "accepted")]

    in_room(scene)


def test_positions_and_account_follow_quotes_and_books() -> None:
    """An opened position appears, a quote moves it, and when it is gone its row is a deletion."""

    async def scene(room: Room) -> None:
        client = await room.join()
        for channel in (room.hub.channels.positions, room.hub.channels.account):
            client.follow_state(channel)
        reader = asyncio.create_task(room.follow(client))
        await asyncio.sleep(0.1)
        room.frames.clear()
        books = room.stage.books
        books.open["p1"] = position_item("p1")
        room.stage.bus.publish(opened("p1"))
        await asyncio.sleep(0.1)
        books.open["p1"] = position_item("p1", profit="2.00")
        room.stage.bus.publish(quote("USDJPY", 1, 150.0, 150.1))
        await asyncio.sleep(0.1)
        room.stage.bus.publish(quote("EURUSD", 1, 1.2, 1.3))
        await asyncio.sleep(0.1)
        del books.open["p1"]
        room.stage.bus.publish(opened("p1"))
        await asyncio.sleep(0.1)
        reader.cancel()
        number = room.hub.channels.positions.number
        rows = [frame[4] for _, frame in room.of_kind(Kind.DELTA) if frame[1] == number]
        assert [[row[0] for row in body] for body in rows] == [["p1"], ["p1"], ["p1"]]
        assert (rows[0][0][10], rows[1][0][10], rows[2]) == ("1.00", "2.00", [["p1", None]])
        account = room.hub.channels.account.number
        assert sum(frame[1] == account for _, frame in room.of_kind(Kind.DELTA)) == 3

    in_room(scene)


def test_a_bar_that_closes_is_sent_once_more_with_the_next() -> None:
    """The last quote of a minute is not lost when the next minute begins in the same window."""

    async def scene(room: Room) -> None:
        client = await room.join()
        room.stage.bus.publish(quote("EURUSD", 1, 1.0, 1.1))
        await asyncio.sleep(0.1)
        params = {"symbol": "EURUSD", "period_s": 60}
        channel = room.hub.channels.find("candle", params)
        assert channel is room.hub.channels.find("candle", dict(params))
        client.follow_state(channel)  # type: ignore[arg-type]  # candles are state
        reader = asyncio.create_task(room.follow(client))
        await asyncio.sleep(0.1)
        room.frames.clear()
        room.stage.bus.publish(quote("EURUSD", 2, 3.0, 3.1))
        await asyncio.sleep(0.1)
        room.stage.bus.publish(quote("EURUSD", 59, 2.0, 2.1))
        room.stage.bus.publish(quote("EURUSD", 60, 5.0, 5.1))
        await asyncio.sleep(0.1)
        reader.cancel()
        minute_us = 60_000_000
        first_us = NOON_NS // 1000
        assert [frame[4] for _, frame in room.of_kind(Kind.DELTA)] == [
            [[first_us, 1.0, 3.0, 1.0, 3.0, 2]],
            [[first_us, 1.0, 3.0, 1.0, 2.0, 3], [first_us + minute_us, 5.0, 5.0, 5.0, 5.0, 1]],
        ]

    in_room(scene)


def _paused() -> TradingStateChanged:
    return TradingStateChanged(
        ts_ns=NOON_NS,
        account_id="a",
        tenant_id="main",
        old_state="armed",
        new_state="paused",
        actor="user:x",
        reason="",
    )


def opened(position_id: str) -> PositionOpened:
    """A position that appears in the books."""
    return PositionOpened(
        ts_ns=NOON_NS,
        position_id=position_id,
        account_id="a",
        tenant_id="main",
        symbol="EURUSD",
        direction="buy",
        quantity=0.1,
        open_price=1.1,
        stop_loss=1.0,
        take_profit=1.2,
        commission="0.00",
        decision_id="d1",
        expires_ts_ns=0,
    )


def test_jobs_move_on_the_stream_and_leave_it() -> None:
    """A snapshot of what is under way, a row for each change, and the key alone when it is over."""

    async def scene(room: Room) -> None:
        running = JobRow(
            tenant_id=TENANT, job_id="j1", kind="train", parameters={}, state=JobStatus.RUNNING,
            asked_by="user:u", asked_ns=1_000, started_ns=2_000, fraction=0.25, message="fold 1",
        )  # fmt: skip
        room.jobs = [running]
        client = await room.join()
        client.follow_state(room.hub.channels.jobs)
        reader = asyncio.create_task(room.follow(client))
        await asyncio.sleep(0.5)
        room.jobs = [msgspec.structs.replace(running, fraction=0.5)]
        room.hub.on_job("j1")
        await asyncio.sleep(0.5)
        room.jobs = []
        room.hub.on_job("j1")
        await asyncio.sleep(0.5)
        reader.cancel()
        [(_, snapshot)] = room.of_kind(Kind.SNAPSHOT)
        assert snapshot[4] == [["j1", "train", "running", 0.25, "fold 1", 1, 2]]
        moved, gone = (frame[4] for _, frame in room.of_kind(Kind.DELTA))
        assert moved == [["j1", "train", "running", 0.5, "fold 1", 1, 2]]
        assert gone == [["j1", None]]

    in_room(scene)
