"""What pages ask of the read models; every list is paged by key, so depth costs nothing."""

from typing import Any, Protocol, TypeVar

import msgspec

from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import TenantId
from plan2.interface.items import DecisionItem, EquityCurve, Page
from plan2.interface.order_items import FillItem, OrderItem, PositionItem

T = TypeVar("T", bound=msgspec.Struct)

NEWEST = 2**63 - 1
"""A key beyond every position: the first page."""


class DecisionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which decisions; empty means all."""

    symbol: str = ""
    outcome: str = ""
    reason: str = ""


class Views(Protocol):
    """The read models of one tenant."""

    async def decisions(
        self, wanted: DecisionFilter, before: int, limit: int
    ) -> Page[DecisionItem]:
        """Decisions before a position, newest first."""
        ...

    async def decision_position(self, decision_id: str) -> int | None:
        """Where a decision's event lies in the log; None when it is unknown."""
        ...

    async def orders(self, before: int, limit: int) -> Page[OrderItem]:
        """Orders placed before a position, newest first."""
        ...

    async def orders_of(self, decision_id: str) -> list[OrderItem]:
        """The orders of a decision."""
        ...

    async def fills_of(self, order_ids: list[str]) -> list[FillItem]:
        """The executions of some orders, oldest first."""
        ...

    async def positions(self, *, is_open: bool, before: int, limit: int) -> Page[PositionItem]:
        """Positions opened before a position of the log, newest first."""
        ...

    async def position_of(self, decision_id: str) -> PositionItem | None:
        """The position that a decision opened."""
        ...

    async def equity(self, limit: int) -> EquityCurve:
        """The last records of balance and equity, oldest first."""
        ...


class PostgresViews:
    """The read models in PostgreSQL."""

    def __init__(self, open_unit: OpenUnit, tenant: TenantId) -> None:
        self._unit = open_unit
        self._tenant = tenant

    async def decisions(
        self, wanted: DecisionFilter, before: int, limit: int
    ) -> Page[DecisionItem]:
        """See `Views.decisions`."""
        query = (
            "select pos, item::text from decision_view where pos < %(before)s "
            "and (%(symbol)s = '' or symbol = %(symbol)s) "
            "and (%(outcome)s = '' or outcome = %(outcome)s) "
            "and (%(reason)s = '' or reason = %(reason)s) "
            "order by pos desc limit %(limit)s"
        )
        values = {**msgspec.structs.asdict(wanted), "before": before}
        return await self._page(query, values, limit, DecisionItem)

    async def decision_position(self, decision_id: str) -> int | None:
        """See `Views.decision_position`."""
        query = "select pos from decision_view where decision_id = %(id)s"
        async with self._unit(self._tenant) as uow:
            row = await (await uow.raw.execute(query, {"id": decision_id})).fetchone()
        return int(row[0]) if row is not None else None

    async def orders(self, before: int, limit: int) -> Page[OrderItem]:
        """See `Views.orders`."""
        query = (
            "select first_pos, item::text from order_view where first_pos < %(before)s "
            "order by first_pos desc limit %(limit)s"
        )
        return await self._page(query, {"before": before}, limit, OrderItem)

    async def orders_of(self, decision_id: str) -> list[OrderItem]:
        """See `Views.orders_of`."""
        query = "select item::text from order_view where decision_id = %(id)s order by first_pos"
        return await self._items(query, {"id": decision_id}, OrderItem)

    async def fills_of(self, order_ids: list[str]) -> list[FillItem]:
        """See `Views.fills_of`."""
        query = "select item::text from fill_view where order_id = any(%(ids)s) order by pos"
        return await self._items(query, {"ids": order_ids}, FillItem)

    async def positions(self, *, is_open: bool, before: int, limit: int) -> Page[PositionItem]:
        """See `Views.positions`."""
        query = (
            "select first_pos, item::text from position_view where is_open = %(is_open)s "
            "and first_pos < %(before)s order by first_pos desc limit %(limit)s"
        )
        return await self._page(query, {"is_open": is_open, "before": before}, limit, PositionItem)

    async def position_of(self, decision_id: str) -> PositionItem | None:
        """See `Views.position_of`."""
        query = "select item::text from position_view where decision_id = %(id)s limit 1"
        found = await self._items(query, {"id": decision_id}, PositionItem)
        return found[0] if found else None

    async def equity(self, limit: int) -> EquityCurve:
        """See `Views.equity`."""
        query = (
            "select time_us, balance::text, equity::text from equity_view "
            "order by pos desc limit %(limit)s"
        )
        async with self._unit(self._tenant) as uow:
            rows = await (await uow.raw.execute(query, {"limit": limit})).fetchall()
        rows.reverse()
        return EquityCurve(
            time_us=[row[0] for row in rows],
            balance=[row[1] for row in rows],
            equity=[row[2] for row in rows],
        )

    async def _page(self, query: str, values: dict[str, Any], limit: int, cls: type[T]) -> Page[T]:
        """One page; a row more than asked for tells whether there is another."""
        async with self._unit(self._tenant) as uow:
            rows = await _rows(uow, query, {**values, "limit": limit + 1})
        items = [msgspec.json.decode(row[1], type=cls) for row in rows[:limit]]
        cursor = str(rows[limit - 1][0]) if len(rows) > limit else None
        return Page(items, cursor)

    async def _items(self, query: str, values: dict[str, Any], cls: type[T]) -> list[T]:
        async with self._unit(self._tenant) as uow:
            rows = await _rows(uow, query, values)
        return [msgspec.json.decode(row[0], type=cls) for row in rows]


async def _rows(uow: UnitOfWork, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """All rows of a query of ours; values of any SQL type."""
    return await (await uow.raw.execute(query, values)).fetchall()
