"""The read models: decisions, orders with their fills, positions, equity.

Each row keeps the item that pages show as JSON, beside the few columns that queries filter and page
by. Rows are caches of the log: they can be thrown away and built again at any time. Raise `rules`
of a projection when the fold behind it changes, so that old rows are not mistaken for new ones.
"""

from collections.abc import Collection
from typing import Final, TypeVar

import msgspec

from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.events.account import EquityRecorded
from plan2.foundation.events.base import Event
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.events.order import OrderExecuted
from plan2.foundation.eventstore.projections import Projection
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.upcast import restore
from plan2.interface.order_items import OrderItem, PositionItem
from plan2.interface.screen import to_us
from plan2.interface.views.fold import decision_item, fill_item, fold_order, fold_position

Item = TypeVar("Item", OrderItem, PositionItem)

UPSERT_POSITION: Final = (
    "insert into position_view (position_id, first_pos, decision_id, is_open, item) "
    "values (%s, %s, %s, %s, %s) on conflict (position_id) do update "
    "set is_open = excluded.is_open, item = excluded.item"
)
UPSERT_ORDER: Final = (
    "insert into order_view (order_id, first_pos, decision_id, item) values (%s, %s, %s, %s) "
    "on conflict (order_id) do update set item = excluded.item"
)


class DecisionView:
    """`decision_view`: one row per decision."""

    name = "decision_view"
    rules = 1
    event_types: Collection[str] = ("DecisionMade",)

    async def apply(self, uow: UnitOfWork, event: StoredEvent) -> None:
        """Add the decision."""
        made = restore(event)
        if not isinstance(made, DecisionMade):
            return
        item = decision_item(made)
        await uow.raw.execute(
            "insert into decision_view (pos, decision_id, symbol, outcome, reason, item) "
            "values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
            (
                event.position,
                item.decision_id,
                item.symbol,
                item.outcome,
                item.reason,
                _text(item),
            ),
        )

    async def reset(self, uow: UnitOfWork) -> None:
        """Remove every row."""
        await uow.raw.execute("delete from decision_view")


class OrderView:
    """`order_view`: one row per order; `fill_view`: one row per execution."""

    name = "order_view"
    rules = 2
    event_types: Collection[str] = (
        "OrderPlaced",
        "OrderSent",
        "OrderAccepted",
        "OrderRejected",
        "OrderOutcomeUnknown",
        "OrderCompleted",
        "OrderCancelled",
        "OrderExpired",
        "OrderAmended",
        "OrderExecuted",
    )

    async def apply(self, uow: UnitOfWork, event: StoredEvent) -> None:
        """Move the order on, and keep the fill if it is one."""
        what = restore(event)
        if isinstance(what, OrderExecuted):
            fill = fill_item(what)
            cursor = await uow.raw.execute(
                "insert into fill_view (fill_id, pos, order_id, position_id, item) "
                "values (%s, %s, %s, %s, %s) on conflict do nothing",
                (fill.fill_id, event.position, fill.order_id, fill.position_id, _text(fill)),
            )
            if not cursor.rowcount:
                return
        order_id = str(getattr(what, "order_id", ""))
        if not order_id:
            return
        query = "select item::text from order_view where order_id = %s"
        before = await _read(uow, query, order_id, OrderItem)
        after = fold_order(before, what)
        if after is not None and after != before:
            row = (order_id, event.position, after.decision_id, _text(after))
            await uow.raw.execute(UPSERT_ORDER, row)

    async def reset(self, uow: UnitOfWork) -> None:
        """Remove every row of both tables."""
        await uow.raw.execute("delete from order_view")
        await uow.raw.execute("delete from fill_view")


class PositionView:
    """`position_view`: one row per position, open or closed."""

    name = "position_view"
    rules = 2
    event_types: Collection[str] = (
        "PositionOpened",
        "PositionProtected",
        "PositionClaimed",
        "PositionClosed",
        "OrderExecuted",
    )

    async def apply(self, uow: UnitOfWork, event: StoredEvent) -> None:
        """Open, book or close the position."""
        what: Event = restore(event)
        position_id = str(getattr(what, "position_id", ""))
        query = "select item::text from position_view where position_id = %s"
        before = await _read(uow, query, position_id, PositionItem)
        after = fold_position(before, what)
        if after is not None and after != before:
            is_open = after.closed_us is None
            row = (position_id, event.position, after.decision_id, is_open, _text(after))
            await uow.raw.execute(UPSERT_POSITION, row)

    async def reset(self, uow: UnitOfWork) -> None:
        """Remove every row."""
        await uow.raw.execute("delete from position_view")


class EquityView:
    """`equity_view`: recorded balance and equity, one row per record."""

    name = "equity_view"
    rules = 1
    event_types: Collection[str] = ("EquityRecorded",)

    async def apply(self, uow: UnitOfWork, event: StoredEvent) -> None:
        """Add the record."""
        what = restore(event)
        if isinstance(what, EquityRecorded):
            row = (event.position, what.account_id, to_us(what.ts_ns), what.balance, what.equity)
            await uow.raw.execute(
                "insert into equity_view (pos, account_id, time_us, balance, equity) "
                "values (%s, %s, %s, %s, %s) on conflict do nothing",
                row,
            )

    async def reset(self, uow: UnitOfWork) -> None:
        """Remove every row."""
        await uow.raw.execute("delete from equity_view")


def all_views() -> tuple[Projection, ...]:
    """Every read model of level 5."""
    return (DecisionView(), OrderView(), PositionView(), EquityView())


async def _read(uow: UnitOfWork, query: str, key: str, cls: type[Item]) -> Item | None:
    row = await (await uow.raw.execute(query, (key,))).fetchone()
    return msgspec.json.decode(row[0], type=cls) if row is not None else None


def _text(item: msgspec.Struct) -> str:
    return msgspec.json.encode(item).decode()
