"""Projections: exactly once, in order, by one worker, with one code, and never stuck for ever."""

import asyncio
from collections.abc import Sequence

import numpy as np
import psycopg
import pytest

from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.errors import StoreBusy
from plan2.foundation.events.model import ModelAccuracyUpdated
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore import projections
from plan2.foundation.eventstore.projections import (
    OnPoison,
    ProjectionHalted,
    ProjectionRunner,
    fingerprint,
)
from plan2.foundation.eventstore.record import NewEvent, StoredEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId

Row = tuple[int, str]


class Orders:
    """A read model in the snapshot table: one row per order, in the order of the log."""

    name = "orders"
    event_types: Sequence[str] = ("OrderSent",)

    def __init__(self) -> None:
        self.poisoned: set[str] = set()
        self.applied: list[int] = []
        self.stop_after: int | None = None

    async def apply(self, uow: UnitOfWork, event: StoredEvent) -> None:
        """Write one row; raises for orders that count as poison, after writing something."""
        order = event.data["order_id"]
        await uow.raw.execute(
            "insert into snapshot (stream_id, version, pos, at, schema_ver, state, hash) "
            "values ('view', %s, %s, now(), 1, %s, '')",
            (event.position, event.position, order.encode()),
        )
        if order in self.poisoned:
            raise ValueError(f"order {order} is poison")
        if self.stop_after is not None and len(self.applied) >= self.stop_after:
            raise StoreBusy("the plug was pulled")
        self.applied.append(event.position)

    async def reset(self, uow: UnitOfWork) -> None:
        """Forget every row."""
        await uow.raw.execute("delete from snapshot where stream_id = 'view'")


class ChangedOrders(Orders):
    """The same read model with other code."""

    async def apply(self, uow: UnitOfWork, event: StoredEvent) -> None:
        """Different source, so a different fingerprint."""
        await super().apply(uow, event)


def sent(n: int) -> NewEvent:
    """The n-th event: an order, or every tenth time something else."""
    event = (
        ModelAccuracyUpdated(ts_ns=n, model_id="m", accuracy=0.5, backtest_period="p")
        if n % 10 == 9
        else OrderSent(ts_ns=n, order_id=str(n), account_id="a", symbol="EURUSD")
    )
    return NewEvent(stream_id="s", event=event, event_id=derived_id("projection", n))


async def rows(database: Database, tenant: TenantId) -> list[Row]:
    """What the projection wrote."""
    async with database.uow(tenant) as uow:
        found = await uow.execute(
            "select pos, convert_from(state, 'UTF8') from snapshot where stream_id = 'view' "
            "order by pos"
        )
        return [(row[0], row[1]) for row in found]


def expected(count: int, without: Sequence[int] = ()) -> list[Row]:
    """What it should have written for the first `count` events."""
    return [(n + 1, str(n)) for n in range(count) if n % 10 != 9 and n not in without]


@pytest.fixture
async def filled(database: Database, tenant: TenantId) -> tuple[Database, TenantId]:
    """A log of forty events."""
    await database.store.append(tenant, [sent(n) for n in range(40)])
    return database, tenant


async def test_it_applies_each_event_once_and_goes_on(filled: tuple[Database, TenantId]) -> None:
    """Types are filtered, a second run applies only what is new, from its own checkpoint."""
    database, tenant = filled
    assert await ProjectionRunner(database.store, tenant, Orders()).catch_up() == 40
    await database.store.append(tenant, [sent(n) for n in range(40, 50)])
    projection = Orders()
    assert await ProjectionRunner(database.store, tenant, projection).catch_up() == 50
    assert projection.applied == [n + 1 for n in range(40, 49)]
    assert await rows(database, tenant) == expected(50)


async def test_checkpoint_and_rows_never_part(
    filled: tuple[Database, TenantId], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-009: stopped at 60 random moments, a projection equals a replay from zero each time."""
    database, tenant = filled
    monkeypatch.setattr(projections, "BATCH", 7)
    dice = np.random.default_rng(9)
    for _ in range(60):
        projection = Orders()
        projection.stop_after = int(dice.integers(0, 9))
        runner = ProjectionRunner(database.store, tenant, projection)
        try:
            position = await runner.catch_up()
        except StoreBusy:
            async with database.uow(tenant) as uow:
                found = await uow.execute("select pos from checkpoint where projection = 'orders'")
                position = found.scalar_one()
        assert await rows(database, tenant) == expected(position)
        if position == 40:
            await _reset(database, tenant)


async def test_changed_code_must_rebuild(filled: tuple[Database, TenantId]) -> None:
    """R-010: other code refuses to go on, says so, and works after a rebuild."""
    database, tenant = filled
    await ProjectionRunner(database.store, tenant, Orders()).catch_up()
    assert fingerprint(Orders()) != fingerprint(ChangedOrders())
    changed = ProjectionRunner(database.store, tenant, ChangedOrders())
    with pytest.raises(ProjectionHalted, match=r"other code.*Rebuild"):
        await changed.catch_up()
    assert await changed.rebuild() == 40
    assert await rows(database, tenant) == expected(40)
    with pytest.raises(ProjectionHalted):
        await ProjectionRunner(database.store, tenant, Orders()).catch_up()


async def test_the_second_worker_stops(filled: tuple[Database, TenantId]) -> None:
    """R-011: of two workers one makes progress, the other ends with the reason."""
    database, tenant = filled
    first, second = (ProjectionRunner(database.store, tenant, Orders()) for _ in range(2))
    await first.catch_up()
    await second.catch_up()
    await database.store.append(tenant, [sent(40)])
    outcomes = await asyncio.gather(first.catch_up(), second.catch_up(), return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["ProjectionHalted", "int"]
    assert await rows(database, tenant) == expected(41)


async def test_poison_is_parked_and_replayed(filled: tuple[Database, TenantId]) -> None:
    """R-012: one parked row with its reason, later events applied, and the cure is complete."""
    database, tenant = filled
    projection = Orders()
    projection.poisoned = {"13"}
    runner = ProjectionRunner(database.store, tenant, projection)
    assert await runner.catch_up() == 40
    assert runner.parked == 1
    assert await rows(database, tenant) == expected(40, without=[13])
    async with database.uow(tenant) as uow:
        parked = (await uow.execute("select pos, reason, attempts from parked_event")).all()
    assert parked == [(14, "ValueError: order 13 is poison", 3)]
    assert await runner.replay_parked() == 1
    projection.poisoned = set()
    assert await runner.replay_parked() == 0
    assert await rows(database, tenant) == expected(40)


async def test_poison_may_stop_instead(filled: tuple[Database, TenantId]) -> None:
    """R-012: by the other policy nothing after the bad event is applied, nothing half done."""
    database, tenant = filled
    projection = Orders()
    projection.poisoned = {"13"}
    runner = ProjectionRunner(database.store, tenant, projection, OnPoison.STOP)
    with pytest.raises(ProjectionHalted, match="event 14"):
        await runner.catch_up()
    assert await rows(database, tenant) == []


async def test_a_lost_database_is_not_poison(filled: tuple[Database, TenantId]) -> None:
    """An outage parks nothing; the same runner goes on afterwards."""
    database, tenant = filled
    projection = Orders()
    projection.stop_after = 5
    runner = ProjectionRunner(database.store, tenant, projection)
    with pytest.raises(StoreBusy):
        await runner.catch_up()
    projection.stop_after = None
    assert await runner.catch_up() == 40
    assert runner.parked == 0
    assert await rows(database, tenant) == expected(40)


async def test_a_following_runner_wakes_up(filled: tuple[Database, TenantId]) -> None:
    """`run` applies what arrives after `wake`, until it is cancelled."""
    database, tenant = filled
    projection = Orders()
    runner = ProjectionRunner(database.store, tenant, projection)
    task = asyncio.create_task(runner.run())
    async with asyncio.timeout(20):
        await _reaches(runner, 40)
        await database.store.append(tenant, [sent(40)])
        runner.wake()
        await _reaches(runner, 41)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await rows(database, tenant) == expected(41)


async def test_sql_errors_of_a_projection_are_poison(filled: tuple[Database, TenantId]) -> None:
    """A statement that fails for one event is undone alone and parked."""
    database, tenant = filled

    class Picky(Orders):
        name = "picky"

        async def apply(self, uow: UnitOfWork, event: StoredEvent) -> None:
            await super().apply(uow, event)
            if event.data["order_id"] == "3":
                await uow.raw.execute("select 1 / 0")

    runner = ProjectionRunner(database.store, tenant, Picky())
    assert await runner.catch_up() == 40
    assert runner.parked == 1
    assert await rows(database, tenant) == expected(40, without=[3])


def test_a_database_error_class_is_known_to_be_poison() -> None:
    """Division by zero is a DataError, a lost connection is not."""
    assert issubclass(psycopg.errors.DivisionByZero, projections.POISON)
    assert not issubclass(psycopg.OperationalError, projections.POISON)


async def _reaches(runner: ProjectionRunner, position: int) -> None:
    """Let the runner work until it has committed a position."""
    for _ in iter(lambda: runner.position == position, True):
        await asyncio.sleep(0)


async def _reset(database: Database, tenant: TenantId) -> None:
    """Begin again from zero."""
    async with database.uow(tenant) as uow:
        await Orders().reset(uow)
        await uow.execute("delete from checkpoint")
