"""Read models in a real PostgreSQL: projections and paging."""

import asyncio
from collections.abc import Sequence

from plan2.foundation.database.shares import TenantShares
from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.events.account import EquityRecorded
from plan2.foundation.events.base import Event
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.events.order import (
    OrderExecuted,
    OrderPlaced,
    OrderSent,
    PositionClosed,
    PositionOpened,
)
from plan2.foundation.eventstore.record import NewEvent, StoredEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from plan2.interface.views.following import ViewFollowers
from plan2.interface.views.projections import all_views
from plan2.interface.views.queries import NEWEST, DecisionFilter, PostgresViews
from unit.interface_fixtures import NOON_NS


def decision(number: int, symbol: str = "EURUSD", outcome: str = "not_traded") -> DecisionMade:
    """A decision with its number as id."""
    return DecisionMade(
        ts_ns=NOON_NS + number,
        decision_id=f"d{number}",
        tenant_id="t",
        account_id="a",
        symbol=symbol,
        outcome=outcome,
        reason="cooldown",
        record={"sentence": f"Number {number}.", "edge": None, "size": None, "order_id": ""},
    )


def trade(number: int) -> list[Event]:
    """An order, its fill, the position it opened, an exit by stop, and the closing."""
    common = {"ts_ns": NOON_NS + number, "account_id": "a", "symbol": "EURUSD"}
    fill = {
        **common,
        "position_id": f"p{number}",
        "commission": "-0.35",
        "swap": "0.00",
        "executed_quantity": 0.1,
    }
    placed = OrderPlaced(
        **common,
        order_id=f"o{number}",
        decision_id=f"d{number}",
        tenant_id="t",
        side="buy",
        quantity=0.1,
        price=1.1,
        stop_loss=1.09,
        take_profit=1.12,
        reduce_only=False,
        token=f"t{number}",
        position_id="",
        expires_ts_ns=0,
    )
    entry = OrderExecuted(
        **fill,
        order_id=f"o{number}",
        fill_id=f"f{number}",
        side="buy",
        executed_price=1.1,
        profit="0.00",
        reason="client",
        is_exit=False,
    )
    opened = PositionOpened(
        **common,
        position_id=f"p{number}",
        tenant_id="t",
        direction="buy",
        quantity=0.1,
        open_price=1.1,
        stop_loss=1.09,
        take_profit=1.12,
        commission="-0.35",
        decision_id=f"d{number}",
        expires_ts_ns=0,
    )
    leave = OrderExecuted(
        **fill,
        order_id="",
        fill_id=f"x{number}",
        side="sell",
        executed_price=1.12,
        profit="200.00",
        reason="take_profit",
        is_exit=True,
    )
    closed = PositionClosed(
        **common,
        position_id=f"p{number}",
        tenant_id="t",
        direction="buy",
        quantity=0.1,
        open_price=1.1,
        close_price=1.12,
        profit="200.00",
        commission="-0.70",
        swap="0.00",
        reason="take_profit",
        decision_id=f"d{number}",
    )
    sent = OrderSent(**common, order_id=f"o{number}")
    return [placed, sent, entry, opened, leave, closed]


async def store(database: Database, tenant: TenantId, events: list[Event]) -> None:
    """Append events to one stream."""
    base = await database.store.position(tenant)
    batch = [
        NewEvent(stream_id="s:1", event=event, event_id=derived_id(base, index))
        for index, event in enumerate(events)
    ]
    await database.store.append(tenant, batch)


def followers_of(database: Database, tenant: TenantId) -> ViewFollowers:
    """All read models of the tenant."""
    return ViewFollowers(database.store, tenant, all_views())


async def test_decisions_are_filtered_and_paged_by_key(
    database: Database, tenant: TenantId
) -> None:
    """Pages follow each other without overlap or hole, while new decisions keep arriving."""
    views = PostgresViews(database.uow, tenant)
    followers = followers_of(database, tenant)
    symbols = ("EURUSD", "USDJPY")
    await store(database, tenant, [decision(n, symbols[n % 2]) for n in range(10)])
    await followers.start()
    everything = DecisionFilter()
    first = await views.decisions(everything, NEWEST, 4)
    await store(database, tenant, [decision(10)])
    await followers.start()
    assert first.next_cursor is not None
    second = await views.decisions(everything, int(first.next_cursor), 4)
    assert second.next_cursor is not None
    third = await views.decisions(everything, int(second.next_cursor), 4)
    ids = [item.decision_id for page in (first, second, third) for item in page.items]
    assert ids == [f"d{n}" for n in range(9, -1, -1)]
    assert third.next_cursor is None
    yen = await views.decisions(DecisionFilter(symbol="USDJPY"), NEWEST, 100)
    assert [item.decision_id for item in yen.items] == ["d9", "d7", "d5", "d3", "d1"]
    assert (await views.decisions(DecisionFilter(outcome="traded"), NEWEST, 9)).items == []
    assert await views.decision_position("d3") == 4
    assert await views.decision_position("none") is None


async def test_orders_fills_and_positions_of_a_trade(database: Database, tenant: TenantId) -> None:
    """One trade that is over and one whose order was only placed."""
    views = PostgresViews(database.uow, tenant)
    await store(database, tenant, [*trade(1), trade(2)[0]])
    await followers_of(database, tenant).start()
    orders = (await views.orders(NEWEST, 10)).items
    assert [(item.order_id, item.state) for item in orders] == [("o2", "placed"), ("o1", "filled")]
    assert [item.order_id for item in await views.orders_of("d1")] == ["o1"]
    assert [item.fill_id for item in await views.fills_of(["o1", "o2"])] == ["f1"]
    closed = (await views.positions(is_open=False, before=NEWEST, limit=10)).items
    assert [(item.position_id, item.profit, item.reason) for item in closed] == [
        ("p1", "200.00", "take_profit")
    ]
    assert (await views.positions(is_open=True, before=NEWEST, limit=10)).items == []
    position = await views.position_of("d1")
    assert position is not None
    assert (position.close_price, position.commission) == (1.12, "-0.70")


async def test_applying_the_log_again_changes_nothing(database: Database, tenant: TenantId) -> None:
    """Each event twice through every projection, and a rebuild, give the same rows."""
    views = PostgresViews(database.uow, tenant)
    await store(database, tenant, [decision(1), *trade(1), *trade(2)[:4]])
    followers = followers_of(database, tenant)
    await followers.start()

    async def rows() -> tuple[object, ...]:
        return (
            await views.decisions(DecisionFilter(), NEWEST, 100),
            await views.orders(NEWEST, 100),
            await views.fills_of(["o1", "o2"]),
            await views.positions(is_open=True, before=NEWEST, limit=100),
            await views.positions(is_open=False, before=NEWEST, limit=100),
        )

    before = await rows()
    fills = [e for e in await database.store.tail(tenant, 0) if e.type == "OrderExecuted"]
    async with database.uow(tenant) as uow:
        for view in all_views():
            for event in fills:
                if view.name == "order_view":
                    await view.apply(uow, event)
    assert await rows() == before
    for runner in followers._runners:
        await runner.rebuild()
    assert await rows() == before
    assert followers.parked() == dict.fromkeys(followers.parked(), 0)


async def test_equity_comes_oldest_first_as_text(database: Database, tenant: TenantId) -> None:
    """The newest records, in order of time, to the cent."""
    views = PostgresViews(database.uow, tenant)
    records: list[Event] = [
        EquityRecorded(
            ts_ns=NOON_NS + n * 10**9,
            account_id="a",
            tenant_id="t",
            balance="10000.10",
            equity=f"{10000 + n}.50",
            margin="0.00",
            day_start_equity="10000.00",
            day_end_ns=NOON_NS,
            peak_equity="10000.00",
        )
        for n in range(5)
    ]
    await store(database, tenant, records)
    await followers_of(database, tenant).start()
    curve = await views.equity(3)
    assert curve.equity == ["10002.50", "10003.50", "10004.50"]
    assert curve.balance == ["10000.10"] * 3
    assert curve.time_us == [NOON_NS // 1000 + n * 1_000_000 for n in (2, 3, 4)]


async def test_read_models_follow_what_is_stored(database: Database, tenant: TenantId) -> None:
    """Woken by a stored event, they catch up without being asked."""
    views, followers = PostgresViews(database.uow, tenant), followers_of(database, tenant)
    await followers.start()
    running = asyncio.create_task(followers.run())
    await store(database, tenant, [decision(1)])
    [stored] = await database.store.tail(tenant, 0)
    followers.on_stored(stored)
    async with asyncio.timeout(20):
        while await views.decision_position("d1") is None:
            followers.on_stored(stored)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    page = await views.decisions(DecisionFilter(), NEWEST, 10)
    assert [item.decision_id for item in page.items] == ["d1"]
    assert await views.decision_position("d1") == stored.position


async def test_rows_of_older_code_are_built_again(database: Database, tenant: TenantId) -> None:
    """A checkpoint with another fingerprint leads to a rebuild instead of a refusal."""
    await store(database, tenant, [decision(1)])
    await followers_of(database, tenant).start()
    async with database.uow(tenant) as uow:
        await uow.execute("update checkpoint set code_fingerprint = 'older'")
        await uow.execute("delete from decision_view")
    await followers_of(database, tenant).start()
    assert await PostgresViews(database.uow, tenant).decision_position("d1") == 1


class Watching:
    """A read model that writes down how many connections its tenant holds while it works."""

    event_types: Sequence[str] = ()

    def __init__(self, number: int, shares: TenantShares, until: int) -> None:
        self.name, self.held, self.is_done = f"watching_{number}", [0], asyncio.Event()
        self._shares, self._until = shares, until

    async def apply(self, uow: UnitOfWork, event: StoredEvent) -> None:
        """Ask the database for nothing, so that others get their chance to be there too."""
        await uow.execute("select 1")
        self.held.append(self._shares.used_by(uow.tenant))
        if event.position == self._until:
            self.is_done.set()

    async def reset(self, uow: UnitOfWork) -> None:
        """There is nothing to forget."""


async def test_all_read_models_of_a_tenant_hold_one_connection(
    database: Database, tenant: TenantId
) -> None:
    """A busy log leaves the tenant's other connections to those who ask for something."""
    database.shares = TenantShares(lambda _: 3, 10.0)
    views = [Watching(number, database.shares, until=50) for number in range(5)]
    followers = ViewFollowers(database.store, tenant, views)
    await store(database, tenant, [decision(n) for n in range(50)])
    following = asyncio.create_task(followers.run())
    await asyncio.gather(*(view.is_done.wait() for view in views))
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert max(most for view in views for most in view.held) == 1
