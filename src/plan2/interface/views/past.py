"""An account as it was at a time: its figures, positions and working orders, from its events.

Snapshots are where reading starts, so a look far back costs one day of events at most; deleting
every snapshot changes no answer.
"""

from typing import Final

import msgspec

from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.snapshots import Fold, state_at
from plan2.foundation.eventstore.upcast import restore
from plan2.intelligence.trading.orders import OPEN_STATES, OrderState
from plan2.intelligence.trading.stored import ORDER_AND_POSITION_TYPES
from plan2.intelligence.trading.summary import SUMMARY, account_stream
from plan2.interface.order_items import OrderItem, PositionItem
from plan2.interface.screen import to_us
from plan2.interface.views.fold import fold_order, fold_position

ORDER_PREFIX: Final = "order:"
ACCOUNT_PREFIX: Final = account_stream("")


class OpenBook(msgspec.Struct, frozen=True):
    """What is open: working orders and positions by id."""

    orders: dict[str, OrderItem]
    positions: dict[str, PositionItem]


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """An account at a time; money as decimal strings in account currency, "" before any record."""

    account_id: str
    trading_state: str
    balance: str
    equity: str
    peak_equity: str
    margin: str
    recorded_us: int
    breaches: int
    differences: int
    positions: list[PositionItem]
    orders: list[OrderItem]


class PastState(msgspec.Struct, frozen=True, kw_only=True):
    """Every account of a tenant at a time; `position` is that of the last event until then."""

    at_us: int
    position: int
    accounts: list[AccountState]


def apply(state: OpenBook, stored: StoredEvent) -> OpenBook:
    """What is open after one more event of an account's orders."""
    if stored.type not in ORDER_AND_POSITION_TYPES:
        return state
    event = restore(stored)
    order_id = str(getattr(event, "order_id", ""))
    position_id = str(getattr(event, "position_id", ""))
    order = fold_order(state.orders.get(order_id), event) if order_id else None
    orders = state.orders
    if order_id and order != state.orders.get(order_id):
        orders = {key: item for key, item in orders.items() if key != order_id}
        if order is not None and OrderState(order.state) in OPEN_STATES:
            orders[order_id] = order
    positions = state.positions
    if position_id and stored.type != "OrderPlaced":
        position = fold_position(positions.get(position_id), event)
        if position != positions.get(position_id):
            positions = {key: item for key, item in positions.items() if key != position_id}
            if position is not None and position.closed_us is None:
                positions[position_id] = position
    return OpenBook(orders, positions)


OPEN_BOOK: Final = Fold(OpenBook, 1, OpenBook({}, {}), apply)
"""How an account's order events become what is open; raise the version when the fold changes."""


def past_fold(stream_id: str) -> "Fold[OpenBook] | None":
    """The fold of a stream of orders, for daily snapshots; None for any other stream."""
    return OPEN_BOOK if stream_id.startswith(ORDER_PREFIX) else None


async def tenant_state(uow: UnitOfWork, at_us: int) -> PastState:
    """Every account of the open transaction's tenant as of a time, UTC microseconds, inclusive."""
    cursor = await uow.raw.execute(
        "select stream_id from stream_head where stream_id like %s order by stream_id",
        (ACCOUNT_PREFIX + "%",),
    )
    accounts = [row[0].removeprefix(ACCOUNT_PREFIX) for row in await cursor.fetchall()]
    cursor = await uow.raw.execute(
        "select coalesce(max(pos), 0) from event where at <= at_of(%s)", (at_us,)
    )
    row = await cursor.fetchone()
    states = [await _account_state(uow, account_id, at_us) for account_id in accounts]
    return PastState(
        at_us=at_us,
        position=int(row[0]) if row else 0,
        accounts=[state for state in states if state is not None],
    )


async def _account_state(uow: UnitOfWork, account_id: str, at_us: int) -> AccountState | None:
    """The account as of then; None when it was not there yet."""
    summary = await state_at(uow, account_stream(account_id), SUMMARY, at_us)
    book = await state_at(uow, ORDER_PREFIX + account_id, OPEN_BOOK, at_us)
    if summary.version < 0 and book.version < 0:
        return None
    figures = summary.state
    return AccountState(
        account_id=account_id,
        trading_state=figures.trading_state,
        balance=figures.balance,
        equity=figures.equity,
        peak_equity=figures.peak_equity,
        margin=figures.margin,
        recorded_us=to_us(figures.ts_ns),
        breaches=figures.breaches,
        differences=figures.differences,
        positions=list(book.state.positions.values()),
        orders=list(book.state.orders.values()),
    )
