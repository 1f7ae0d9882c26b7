"""Channels of limits, feeds and executions, and the class that a client is told it gets."""

import asyncio
from typing import Any

import msgspec

from plan2.foundation.events.market import FeedStateChanged
from plan2.foundation.events.order import OrderExecuted
from plan2.interface.items import LimitItem
from plan2.interface.streaming.hub import LIVE_CLIENTS_MAX
from plan2.interface.streaming.protocol import Kind
from plan2.interface.streaming.requests import Requests
from unit.interface_fixtures import NOON_NS, quote
from unit.test_stream_hub import Room, in_room, opened


def test_who_gets_a_slower_class_than_wished_is_told() -> None:
    """The greeting is answered with the class that is granted; a wish that is met needs none."""

    async def scene(room: Room) -> None:
        async def greeted() -> list[list[Any]]:
            client = await room.join()
            hello = [64, 0, 0, 1, {"protocol": 1, "rate": "live"}]
            Requests(room.hub, client).take_in(client.codec.encode(*hello))
            sent = iter(lambda: client.next_message(room.hub), None)
            frames = [msgspec.json.decode(each) for each in sent]
            return [frame[4] for frame in frames if frame[0] == Kind.REPLY]

        told = [await greeted() for _ in range(LIVE_CLIENTS_MAX + 1)]
        assert told == [*([] for _ in range(LIVE_CLIENTS_MAX)), [{"rate": "normal"}]]

    in_room(scene)


def test_limits_follow_the_books() -> None:
    """Every limit with its use, whole, at each change of the account."""

    async def scene(room: Room) -> None:
        client = await room.join()
        room.stage.books.limits = (LimitItem(rule="drawdown", value=0.01, limit=0.1),)
        client.follow_state(room.hub.channels.risk)
        reader = asyncio.create_task(room.follow(client))
        await asyncio.sleep(0.1)
        room.stage.books.limits = (LimitItem(rule="drawdown", value=0.02, limit=0.1),)
        room.stage.bus.publish(opened("p1"))
        await asyncio.sleep(0.1)
        reader.cancel()
        [snapshot] = [frame[4] for _, frame in room.of_kind(Kind.SNAPSHOT)]
        [delta] = [frame[4] for _, frame in room.of_kind(Kind.DELTA)]
        assert (snapshot, delta) == ([["drawdown", 0.01, 0.1]], [["drawdown", 0.02, 0.1]])

    in_room(scene)


def test_a_feed_is_told_when_its_state_changes_and_not_at_every_quote() -> None:
    """Waiting, fresh with the first quote, stale when the watch says so, fresh again."""

    async def scene(room: Room) -> None:
        client = await room.join()
        client.follow_state(room.hub.channels.feeds)
        reader = asyncio.create_task(room.follow(client))
        await asyncio.sleep(0.1)
        for second in (1, 2, 3):
            room.stage.bus.publish(quote("EURUSD", second, 1.1, 1.2))
            await asyncio.sleep(0.1)
        stale = FeedStateChanged(ts_ns=NOON_NS, symbol="EURUSD", state="stale", age_ms=9_000)
        room.stage.bus.publish(stale)
        await asyncio.sleep(0.1)
        room.stage.bus.publish(quote("EURUSD", 13, 1.1, 1.2))
        await asyncio.sleep(0.1)
        reader.cancel()
        [snapshot] = [frame[4] for _, frame in room.of_kind(Kind.SNAPSHOT)]
        assert ["EURUSD", "waiting", 0] in snapshot
        deltas = [frame[4] for _, frame in room.of_kind(Kind.DELTA)]
        noon_us = NOON_NS // 1000
        assert deltas == [
            [["EURUSD", "fresh", noon_us + 1_000_000]],
            [["EURUSD", "stale", noon_us + 3_000_000]],
            [["EURUSD", "fresh", noon_us + 13_000_000]],
        ]

    in_room(scene)


def test_an_execution_is_a_fact_of_its_own_log() -> None:
    """Once per execution, with the figures of the broker."""

    async def scene(room: Room) -> None:
        client = await room.join()
        client.follow_log(room.hub.channels.fills, 1)
        reader = asyncio.create_task(room.follow(client))
        room.stage.bus.publish(executed("f1", 0.1))
        room.stage.bus.publish(executed("f2", 0.2))
        await asyncio.sleep(0.01)
        reader.cancel()
        items = [frame for _, frame in room.of_kind(Kind.EVENT)]
        assert [(frame[2], frame[4]["fill_id"]) for frame in items] == [(1, "f1"), (2, "f2")]
        assert items[1][4]["executed_quantity"] == 0.2

    in_room(scene)


def executed(fill_id: str, quantity: float) -> OrderExecuted:
    """A part of an order that was executed."""
    return OrderExecuted(
        ts_ns=NOON_NS,
        fill_id=fill_id,
        order_id="o1",
        position_id="p1",
        account_id="a",
        symbol="EURUSD",
        side="buy",
        executed_price=1.1,
        executed_quantity=quantity,
        commission="0.00",
        swap="0.00",
        profit="0.00",
        reason="",
        is_exit=False,
    )
