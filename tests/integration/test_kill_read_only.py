"""The database turns read-only under a running Plan2, and a kill still leaves for the broker.

A real PostgreSQL whose every transaction becomes read-only at one reload, as on a standby that was
not promoted or a server that an operator has frozen. The order path needs its journal alone.
"""

import asyncio
from pathlib import Path

import msgspec
from kill_fixtures import ROOM

from integration.postgres_fixture import Postgres
from integration.test_orders_without_database import (
    MAIN,
    PATIENCE_S,
    PERSON,
    Floor,
    counts,
    own_database,
    own_postgres,
)
from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.foundation.database.roles import connect
from plan2.foundation.eventstore.audit import verify_chain
from plan2.foundation.storage import Database
from plan2.foundation.values import Side
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.switching import Change
from plan2.intelligence.trading.wishes import OrderWish
from simulation.process import RULES, Parts

ORDERS = 120
__all__ = ["own_database", "own_postgres"]
"""Fixtures used by name."""


def set_read_only(postgres: Postgres, *, is_read_only: bool) -> None:
    """For the whole server, sessions that are open included."""
    assert postgres.access.admin is not None
    with connect(postgres.access.admin, autocommit=True) as session:
        if is_read_only:
            session.execute("alter system set default_transaction_read_only = on")
        else:
            session.execute("set default_transaction_read_only = off")
            session.execute("alter system reset default_transaction_read_only")
        session.execute("select pg_reload_conf()")


async def is_writable(database: Database) -> bool:
    """What a transaction of ours is told now."""
    async with database.uow(MAIN) as uow:
        found = await uow.execute("show transaction_read_only")
        return found.scalar_one() == "off"


async def until_writable(database: Database, *, wanted: bool) -> None:
    """A reload reaches open sessions when they are next used."""
    async with asyncio.timeout(PATIENCE_S):
        while await is_writable(database) is not wanted:  # noqa: ASYNC110 - it is the server's
            await asyncio.sleep(0)


def pend(floor: Floor, count: int) -> list[str]:
    """That many pending orders of a person, each at a price of its own."""
    price = floor.world.prices["EURUSD"]
    wishes = [
        OrderWish(
            kind=OrderKind.PENDING,
            ask=PERSON,
            symbol="EURUSD",
            side=Side.BUY,
            quantity=0.01,
            trigger=Trigger.LIMIT,
            price=round(price - 0.0050 - number * 0.00001, 5),
            stop_loss=round(price - 0.0200, 5),
            key=f"pend:{number}",
        )
        for number in range(count)
    ]
    requests = floor.process.account.requests
    outcomes = requests.request_all(wishes, floor.world.clock.now_ns())
    assert [one.refusal for one in outcomes] == [None] * count
    return [one.order_id for one in outcomes]


async def test_a_kill_leaves_while_the_database_is_read_only(
    own_postgres: Postgres, own_database: Database, tmp_path: Path
) -> None:
    """120 withdrawals go out at once and are done; made writable, every event is stored, once."""
    roomy = Parts(rules=msgspec.structs.replace(RULES, risk=ROOM))
    floor = Floor(3, own_database, tmp_path, roomy)
    await floor.begin()
    pending = pend(floor, ORDERS)
    await floor.pass_time(3)
    assert len(floor.world.broker.orders()) == ORDERS
    await floor.process.appender.flush()
    before = await counts(own_database)

    set_read_only(own_postgres, is_read_only=True)
    await until_writable(own_database, wanted=False)
    now_ns = floor.world.clock.now_ns()
    sent_before = len(floor.world.submits)
    floor.process.account.kills.begin(
        Change(
            state=TradingState.HALTED, ts_ns=now_ns, actor=PERSON.actor, reason="kill: read only"
        ),
        closes_foreign=False,
    )
    sent = floor.world.submits[sent_before:]
    assert [one.kind for one in sent] == [OrderKind.CANCEL] * ORDERS, "out before the call returns"
    assert len({one.order_ticket for one in sent}) == ORDERS
    await floor.pass_time(5)
    assert floor.world.broker.orders() == ()
    assert floor.process.account.orders.open == {}
    assert floor.process.account.kills.live == {}
    async with asyncio.timeout(PATIENCE_S):
        await floor.process.cut_off.wait()
    assert floor.process.appender.is_degraded
    assert floor.process.faults == []
    assert len(floor.process.appender) > 2 * ORDERS
    assert await counts(own_database) == before, "nothing can be stored yet"

    set_read_only(own_postgres, is_read_only=False)
    async with asyncio.timeout(PATIENCE_S):
        await floor.process.appender.flush()
    stored = await own_database.store.tail(MAIN, 0, 100_000)
    cancelled = [one.data["order_id"] for one in stored if one.type == "OrderCancelled"]
    assert sorted(cancelled) == sorted(pending)
    after = await counts(own_database)
    gained = {name: after[name] - before.get(name, 0) for name in after}
    names = ("OrderPlaced", "OrderSent", "OrderCompleted", "OrderCancelled")
    assert [gained[name] for name in names] == [ORDERS] * 4
    assert [gained[name] for name in ("KillBegun", "KillFinished", "TradingStateChanged")] == [
        1
    ] * 3
    async with own_database.uow(MAIN) as uow:
        assert (await verify_chain(uow)).is_whole
    floor.process.die()


async def test_a_crash_while_it_is_read_only_loses_no_withdrawal(
    own_postgres: Postgres, own_database: Database, tmp_path: Path
) -> None:
    """Nothing of the kill was stored when the process died; the next start drains the journal."""
    roomy = Parts(rules=msgspec.structs.replace(RULES, risk=ROOM))
    floor = Floor(4, own_database, tmp_path, roomy)
    await floor.begin()
    earlier = set(floor.process.account.orders.orders)
    pending = pend(floor, ORDERS)
    await floor.pass_time(3)
    await floor.process.appender.flush()
    set_read_only(own_postgres, is_read_only=True)
    await until_writable(own_database, wanted=False)
    floor.process.account.kills.begin(
        Change(
            state=TradingState.HALTED,
            ts_ns=floor.world.clock.now_ns(),
            actor=PERSON.actor,
            reason="kill: read only",
        ),
        closes_foreign=False,
    )
    await floor.crash()
    assert not await floor.process.boot(), "no books without the event store"
    for _ in range(8):
        for tick in floor.world.next_ticks(500):
            floor.world.broker.on_tick(tick)
    assert floor.world.broker.orders() == (), "the withdrawals had left"

    set_read_only(own_postgres, is_read_only=False)
    await until_writable(own_database, wanted=True)
    await floor.crash()
    assert await floor.process.boot()
    assert floor.process.account.state is TradingState.HALTED
    await floor.pass_time(30)
    account = floor.process.account
    assert account.orders.open == {}
    assert set(account.orders.orders) - earlier >= set(pending)
    assert account.kills.live == {}
    assert account.books_agree
    async with asyncio.timeout(PATIENCE_S):
        await floor.process.appender.flush()
    floor.process.die()
