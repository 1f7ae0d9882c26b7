"""Every stream that was active on a day has its state kept as of the end of that day."""

from collections import Counter

import msgspec

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.events.system import SystemStarted
from plan2.foundation.eventstore.daily import (
    DAY_US,
    OUTLINE,
    Outline,
    day_end_us,
    missing_snapshots,
    snapshot_day,
)
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.eventstore.snapshots import state_at
from plan2.foundation.eventstore.store import PostgresEventStore
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, TenantId

TODAY_NS = 1_795_305_600 * 1_000_000_000 // NS_PER_DAY * NS_PER_DAY


def started(stream: str, number: int, ts_ns: int) -> NewEvent:
    """An event of a stream; the number stands in its text."""
    event = SystemStarted(
        ts_ns=ts_ns, run_id=f"r{number}", version="1", mode="test", config_hash=""
    )
    return NewEvent(stream_id=stream, event=event, event_id=derived_id("e", stream, number))


async def test_three_days_of_streams(database: Database, tenant: TenantId) -> None:
    """Missing before the chore, none after it; each day only its own streams, rightly folded."""
    clock = SimulatedClock()
    clock.advance_to(TODAY_NS)
    store = PostgresEventStore(database.uow, clock)
    heard: Counter[str] = Counter()
    for day in range(3):
        streams = ["system", f"day:{day}"]
        for hour in (1, 23):
            clock.advance_to(TODAY_NS + day * NS_PER_DAY + hour * NS_PER_HOUR)
            batch = [started(one, day * 24 + hour, clock.now_ns()) for one in streams]
            await store.append(tenant, batch)
            heard.update(streams)
        clock.advance_to(TODAY_NS + (day + 1) * NS_PER_DAY + NS_PER_HOUR // 6)
        end_us = day_end_us(clock.now_ns() // 1_000)
        assert end_us == (TODAY_NS + (day + 1) * NS_PER_DAY) // 1_000 - 1
        async with database.uow(tenant) as uow:
            assert await missing_snapshots(uow, end_us) == sorted(streams)
            assert await snapshot_day(uow, end_us, lambda _: OUTLINE) == 2
            assert await missing_snapshots(uow, end_us) == []
            assert await snapshot_day(uow, end_us, lambda _: OUTLINE) == 0
            for stream in streams:
                folded = await state_at(uow, stream, OUTLINE, end_us)
                assert folded.state.counts == {"SystemStarted": heard[stream]}
                assert folded.state.newest["SystemStarted"]["run_id"] == f"r{day * 24 + 23}"


async def test_a_kept_state_is_really_used(database: Database, tenant: TenantId) -> None:
    """A snapshot written on a day is where a later question starts from."""
    clock = SimulatedClock()
    clock.advance_to(TODAY_NS)
    store = PostgresEventStore(database.uow, clock)
    await store.append(tenant, [started("s", 1, TODAY_NS)])
    async with database.uow(tenant) as uow:
        end_us = TODAY_NS // 1_000 + DAY_US - 1
        await snapshot_day(uow, end_us, lambda _: OUTLINE)
        cursor = await uow.raw.execute("select state from snapshot where stream_id = 's'")
        rows = await cursor.fetchall()
    (state,) = (msgspec.msgpack.decode(row[0], type=Outline) for row in rows)
    assert state.counts == {"SystemStarted": 1}
