"""Crashes: what was acknowledged is there afterwards, once, in order, and nothing needs a hand."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from integration.postgres_fixture import Postgres, make_data_dir
from plan2.foundation.clock import LiveClock
from plan2.foundation.database.migrate import Migrator
from plan2.foundation.database.postmaster import running_server
from plan2.foundation.database.roles import embedded_access, prepare_database
from plan2.foundation.database.server import EmbeddedServer
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.audit import verify_chain
from plan2.foundation.eventstore.record import NewEvent, StoredEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.values import TenantId

MAIN = TenantId("default")
WRITERS = 4
ROUNDS = 3
ACKS_PER_ROUND = 120


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server that a test may kill."""
    folder = make_data_dir()
    server = EmbeddedServer(folder)
    access = embedded_access(server.start())
    prepare_database(access)
    assert access.admin is not None
    migrator = Migrator(access.admin)
    migrator.ensure_tenant(MAIN, LiveClock().now_ns())
    yield Postgres(server, access, migrator)
    server.stop()
    shutil.rmtree(folder)


def kill_everything(cluster_dir: Path) -> None:
    """Kill -9 the server and all its processes, as a crash of the machine would."""
    running = running_server(cluster_dir)
    assert running is not None
    postmaster = psutil.Process(running.pid)
    for process in (postmaster, *postmaster.children()):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


class Writer:
    """Puts a few events, waits until they are durable, and goes on until told to stop."""

    def __init__(self, number: int, appender: Appender) -> None:
        self.stream = f"writer:{number}"
        self.acknowledged: list[str] = []
        self._appender = appender

    async def write(self, stop: asyncio.Event, acked: asyncio.Semaphore) -> None:
        """Write until `stop`; `acked` counts what the store has confirmed."""
        while not stop.is_set():
            ids = [
                derived_id(self.stream, len(self.acknowledged) + n)
                for n in range(1 + len(self.acknowledged) % 5)
            ]
            for each in ids:
                event = OrderSent(ts_ns=0, order_id=each, account_id="a", symbol="EURUSD")
                self._appender.put(NewEvent(stream_id=self.stream, event=event, event_id=each))
            await self._appender.flush()
            self.acknowledged += ids
            for _ in ids:
                acked.release()


async def test_no_acknowledged_event_is_lost_by_kill_9(own_postgres: Postgres) -> None:
    """R-036, R-038: three crashes, four writers: acknowledged = stored, no holes, no repeats."""
    server = own_postgres.server
    database = own_postgres.open()
    appenders = [Appender(database.store, MAIN) for _ in range(WRITERS)]
    announced: list[StoredEvent] = []
    for appender in appenders:
        appender.on_stored(announced.append)
    writers = [Writer(n, appender) for n, appender in enumerate(appenders)]
    stop, acked = asyncio.Event(), asyncio.Semaphore(0)
    tasks = [asyncio.create_task(appender.run()) for appender in appenders]
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        for writer in writers:
            group.create_task(writer.write(stop, acked))
        for _ in range(ROUNDS):
            for _ in range(ACKS_PER_ROUND):
                await acked.acquire()
            kill_everything(server.place.cluster_dir)
            await asyncio.to_thread(server.start)
        for _ in range(ACKS_PER_ROUND):
            await acked.acquire()
        stop.set()
    for task in tasks:
        task.cancel()
    log = await database.store.tail(MAIN, 0, 1_000_000)
    assert [each.position for each in log] == list(range(1, len(log) + 1))
    for writer in writers:
        stream = await database.store.read_stream(MAIN, writer.stream)
        assert [each.event_id for each in stream] == writer.acknowledged
        assert [each.version for each in stream] == list(range(len(stream)))
    assert sorted(each.position for each in announced) == [each.position for each in log]
    async with database.uow(MAIN) as uow:
        assert (await verify_chain(uow)).is_whole
    await database.close()


async def test_the_loss_of_one_backend_is_survived(own_postgres: Postgres) -> None:
    """R-039: after kill -9 of one backend everything queued is stored, without a restart by us."""
    database = own_postgres.open()
    outages: list[str] = []
    appender = Appender(database.store, MAIN, on_outage=outages.append)
    task = asyncio.create_task(appender.run())
    async with database.uow(MAIN) as uow:
        cursor = await uow.raw.execute("select pg_backend_pid()")
        row = await cursor.fetchone()
    assert row is not None
    victim = psutil.Process(int(row[0]))
    victim.kill()
    for n in range(50):
        event = OrderSent(ts_ns=n, order_id=str(n), account_id="a", symbol="EURUSD")
        appender.put(NewEvent(stream_id="s", event=event, event_id=derived_id("loss", n)))
    async with asyncio.timeout(60):
        assert await appender.flush() == 50
    assert outages[-1:] in ([], [""])
    assert not appender.is_degraded
    task.cancel()
    await database.close()
