"""PostgreSQL is away: orders go on, nothing of them is lost, and all of it is stored afterwards."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from integration.postgres_fixture import Postgres, make_data_dir
from integration.test_database_crash import kill_everything
from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.foundation.clock import LiveClock
from plan2.foundation.database.migrate import Migrator
from plan2.foundation.database.roles import embedded_access, prepare_database
from plan2.foundation.database.server import EmbeddedServer
from plan2.foundation.eventstore.audit import verify_chain
from plan2.foundation.storage import Database
from plan2.foundation.values import Side, TenantId
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.wishes import Ask, OrderWish
from simulation.process import Parts, Process, Trace
from simulation.world import ACCOUNT, Store, World

MAIN = TenantId("default")
PERSON = Ask("user:tester", "test")
PATIENCE_S = 90.0


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server that a test may kill, with the tenant that the simulation trades for."""
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


@pytest.fixture
async def own_database(own_postgres: Postgres) -> AsyncIterator[Database]:
    """The open database of that server."""
    opened = own_postgres.open()
    yield opened
    await opened.close()


class Floor:
    """A simulated broker and market, traded on by the real order path over the real database."""

    def __init__(
        self, seed: int, database: Database, folder: Path, parts: Parts | None = None
    ) -> None:
        self.world = World(seed)
        self.world.store = Store(database.store, self.world.plan)
        self._folder = folder
        self._parts = parts
        self.trace = Trace(self.world.clock.now_ns)
        self.durable: dict[str, str] = {}
        self.process = self._life()

    def _life(self) -> Process:
        return Process(self.world, self._folder, self.trace, self.durable, self._parts)

    async def begin(self) -> None:
        """The first life, armed."""
        assert await self.process.boot()
        await self.pass_time(2)
        account, now_ns = self.process.account, self.world.clock.now_ns()
        account.set_state(TradingState.ARMED, now_ns, PERSON.actor, PERSON.reason, mode="simulated")

    async def crash(self) -> None:
        """All memory is lost; the next life is not born yet."""
        self.process.die()
        self.process = self._life()

    async def pass_time(self, seconds: int) -> None:
        """Quotes, answers, reconciliation; the database's writer gets its turns."""
        for _ in range(seconds * 2):
            ticks = self.world.next_ticks(500)
            for tick in ticks:
                self.world.broker.on_tick(tick)
            await self.process.step(ticks, {})
            await asyncio.sleep(0)

    def want(self, **wish: object) -> str:
        """An order of a person; its id."""
        outcome = self.process.account.requests.request(
            OrderWish(ask=PERSON, **wish),  # type: ignore[arg-type]
            self.world.clock.now_ns(),
        )
        assert outcome.refusal is None, outcome
        return outcome.order_id

    async def trade(self, symbol: str) -> None:
        """Open and close a position; place and withdraw a pending order."""
        price = self.world.prices[symbol]
        self.want(
            kind=OrderKind.OPEN,
            symbol=symbol,
            side=Side.BUY,
            quantity=0.05,
            stop_loss=round(price - 0.01, 5),
        )
        await self.pass_time(3)
        (position,) = self.process.account.positions.of_symbol(symbol)
        self.want(kind=OrderKind.CLOSE, position_id=position.position_id)
        pending = self.want(
            kind=OrderKind.PENDING,
            symbol=symbol,
            side=Side.BUY,
            quantity=0.05,
            trigger=Trigger.LIMIT,
            price=round(price - 0.005, 5),
            stop_loss=round(price - 0.01, 5),
        )
        await self.pass_time(3)
        self.want(kind=OrderKind.CANCEL, order_id=pending)
        await self.pass_time(3)
        assert self.process.account.positions.of_symbol(symbol) == []
        assert self.process.account.orders.open == {}


async def counts(database: Database) -> dict[str, int]:
    """How many events of each type are stored."""
    found: dict[str, int] = {}
    for each in await database.store.tail(MAIN, 0, 100_000):
        found[each.type] = found.get(each.type, 0) + 1
    return found


async def test_orders_go_on_without_the_database_and_are_stored_when_it_is_back(
    own_postgres: Postgres, own_database: Database, tmp_path: Path
) -> None:
    """Opened, closed, placed and withdrawn while PostgreSQL is dead; afterwards all is there."""
    floor = Floor(1, own_database, tmp_path)
    await floor.begin()
    await floor.trade("EURUSD")
    await floor.process.appender.flush()
    before = await counts(own_database)

    kill_everything(own_postgres.server.place.cluster_dir)
    await floor.trade("GBPUSD")
    async with asyncio.timeout(PATIENCE_S):
        await floor.process.cut_off.wait()
    assert floor.process.appender.is_degraded
    assert floor.process.faults == []
    waiting = len(floor.process.appender)
    assert waiting > 0

    await asyncio.to_thread(own_postgres.server.start)
    async with asyncio.timeout(PATIENCE_S):
        await floor.process.appender.flush()
    after = await counts(own_database)
    gained = {name: after[name] - before.get(name, 0) for name in after}
    assert (gained["OrderPlaced"], gained["OrderSent"], gained["OrderExecuted"]) == (4, 4, 2)
    assert (gained["PositionOpened"], gained["PositionClosed"]) == (1, 1)
    assert (gained["OrderCompleted"], gained["OrderCancelled"]) == (1, 1)
    async with own_database.uow(MAIN) as uow:
        assert (await verify_chain(uow)).is_whole
    floor.process.die()


async def test_a_crash_during_the_outage_loses_no_order(
    own_postgres: Postgres, own_database: Database, tmp_path: Path
) -> None:
    """What only the journal knew is drained at the next start, and the books equal the broker's."""
    floor = Floor(2, own_database, tmp_path)
    await floor.begin()
    await floor.process.appender.flush()
    kill_everything(own_postgres.server.place.cluster_dir)
    price = floor.world.prices["EURUSD"]
    order_id = floor.want(
        kind=OrderKind.OPEN,
        symbol="EURUSD",
        side=Side.SELL,
        quantity=0.05,
        stop_loss=round(price + 0.01, 5),
    )
    await floor.crash()  # on its way: nobody hears the answer
    assert not await floor.process.boot()  # no books without the event store
    for _ in range(8):
        for tick in floor.world.next_ticks(500):
            floor.world.broker.on_tick(tick)

    await asyncio.to_thread(own_postgres.server.start)
    await floor.crash()
    assert await floor.process.boot()
    assert order_id in floor.process.account.orders.orders
    await floor.pass_time(2)
    (held,) = floor.process.account.positions.open.values()
    (theirs,) = floor.world.broker.positions()
    assert (held.ticket, held.quantity, held.is_managed) == (theirs.ticket, 0.05, True)
    assert floor.process.account.orders.open == {}
    assert floor.process.account.books_agree
    async with asyncio.timeout(PATIENCE_S):
        await floor.process.appender.flush()
    placed = [
        each.data["order_id"]
        for each in await own_database.store.tail(MAIN, 0, 100_000)
        if each.type == "OrderPlaced" and each.data["account_id"] == ACCOUNT
    ]
    assert placed.count(order_id) == 1
    floor.process.die()
