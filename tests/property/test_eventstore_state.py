"""State at any time equals the fold of the events until then, whatever snapshots exist."""

import msgspec
import numpy as np
import pytest

from integration.postgres_fixture import Postgres
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore.record import NewEvent, StoredEvent
from plan2.foundation.eventstore.snapshots import Fold, save_snapshot, state_at
from plan2.foundation.eventstore.store import PostgresEventStore
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import NS_PER_SECOND, TenantId

STREAM = "account:1"
EVENTS = 240


class Ledger(msgspec.Struct, frozen=True):
    """How many records there were, and a checksum that depends on their order."""

    records: int = 0
    checksum: int = 0


def step(state: Ledger, event: StoredEvent) -> Ledger:
    """One more record."""
    amount = int(event.data["order_id"])
    return Ledger(state.records + 1, (state.checksum * 31 + amount) % 1_000_003)


def make_fold(schema_ver: int = 1) -> Fold[Ledger]:
    """The fold under test."""
    return Fold(Ledger, schema_ver, Ledger(), step)


@pytest.fixture
async def history(
    postgres: Postgres, database: Database, tenant: TenantId
) -> tuple[Database, TenantId, list[StoredEvent]]:
    """A stream among others, recorded at irregular times, with snapshots at random versions."""
    clock = SimulatedClock(1_700_000_000 * NS_PER_SECOND)
    store = PostgresEventStore(database.uow, clock)
    dice = np.random.default_rng(14)
    stored = []
    for n in range(EVENTS):
        clock.advance_to(clock.now_ns() + int(dice.integers(0, 3)) * 1_000_000)
        event = OrderSent(ts_ns=n, order_id=str(n), account_id="1", symbol="EURUSD")
        stream = STREAM if n % 4 else "account:2"
        new = NewEvent(stream_id=stream, event=event, event_id=derived_id("state", n))
        stored += await store.append(tenant, [new])
    mine = [each for each in stored if each.stream_id == STREAM]
    async with database.uow(tenant) as uow:
        for index in dice.choice(len(mine), 12, replace=False):
            folded = await state_at(uow, STREAM, make_fold(), mine[index].at_us)
            await save_snapshot(uow, STREAM, make_fold(), folded)
    return database, tenant, mine


async def test_state_at_any_time_is_the_fold_until_then(
    history: tuple[Database, TenantId, list[StoredEvent]],
) -> None:
    """R-014, R-015: 200 random times, with snapshots and after deleting all of them."""
    database, tenant, mine = history
    dice = np.random.default_rng(15)
    times = dice.integers(mine[0].at_us - 5_000, mine[-1].at_us + 5_000, 200)
    async with database.uow(tenant) as uow:
        for with_snapshots in (True, False):
            for at_us in times.tolist():
                expected = Ledger()
                for each in mine:
                    expected = step(expected, each) if each.at_us <= at_us else expected
                folded = await state_at(uow, STREAM, make_fold(), at_us)
                assert folded.state == expected
                assert folded.version == expected.records - 1
            if with_snapshots:
                removed = await uow.execute("delete from snapshot")
                assert removed.rowcount == 12


async def test_a_bad_snapshot_is_ignored(
    history: tuple[Database, TenantId, list[StoredEvent]],
) -> None:
    """R-016: a flipped byte or another schema version makes a snapshot as good as absent."""
    database, tenant, mine = history
    calls: list[int] = []

    def counting(state: Ledger, event: StoredEvent) -> Ledger:
        calls.append(event.version)
        return step(state, event)

    counted = Fold(Ledger, 1, Ledger(), counting)
    async with database.uow(tenant) as uow:
        whole = await state_at(uow, STREAM, make_fold())
        await save_snapshot(uow, STREAM, make_fold(), whole)
        assert (await state_at(uow, STREAM, counted)).state == whole.state
        assert calls == [], "the newest snapshot is used"
        await uow.execute("update snapshot set state = set_byte(state, 0, get_byte(state, 0) # 1)")
        assert (await state_at(uow, STREAM, counted)).state == whole.state
        assert calls == [each.version for each in mine], "no broken snapshot is used"
        await save_snapshot(uow, STREAM, make_fold(), whole)
        newer = Fold(Ledger, 2, Ledger(), counting)
        calls.clear()
        assert (await state_at(uow, STREAM, newer)).state == whole.state
        assert len(calls) == len(mine), "a snapshot of another schema version is not used"


async def test_an_empty_stream_has_its_initial_state(database: Database, tenant: TenantId) -> None:
    """No events: the initial state, and nothing to snapshot."""
    async with database.uow(tenant) as uow:
        folded = await state_at(uow, "nothing", make_fold())
        assert (folded.state, folded.version, folded.position) == (Ledger(), -1, 0)
        await save_snapshot(uow, "nothing", make_fold(), folded)
        assert (await uow.execute("select count(*) from snapshot")).scalar_one() == 0
