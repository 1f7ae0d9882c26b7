"""Start-up is recovery: rebuild the books, ask the broker, explain every difference, then trade.

A question that cannot be answered is never taken for "nothing there".
"""

from collections.abc import AsyncIterator

import msgspec

from plan2.dataflow.terminals.port import OrderSide, OrderUpdate, UpdateKind
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import ReconciliationDifference
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.positions import position_id_of


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """What start-up found."""

    events: int
    late_fills: int
    orders_settled: int
    differences: tuple[ReconciliationDifference, ...]

    @property
    def agrees(self) -> bool:
        """Whether our books equal the broker's now."""
        return not self.differences


async def rebuild(account: TradingAccount, events: AsyncIterator[Event]) -> int:
    """Fold the account's stored events, oldest first; returns how many."""
    count = 0
    async for event in events:
        account.apply(event)
        count += 1
    return count


async def reconcile(
    account: TradingAccount, terminal: OrderSide, events: int, now_ns: int
) -> Reconciled:
    """Bring the books up to the broker's: late deals, orders under way, then compare positions.

    Raises:
        TerminalUnavailable: the broker could not be asked; nothing is assumed.
    """
    late = await _book_missing_deals(account, terminal)
    settled = await _settle_open_orders(account, terminal)
    differences = await _compare_positions(account, terminal, now_ns)
    return Reconciled(
        events=events, late_fills=late, orders_settled=settled, differences=differences
    )


async def _book_missing_deals(account: TradingAccount, terminal: OrderSide) -> int:
    deals = await terminal.deals(0)
    if deals is None:
        raise _unavailable("deals")
    before = len(account.positions.fills)
    for deal in deals:
        account.on_order_update(OrderUpdate(kind=UpdateKind.FILLED, ts_ns=deal.ts_ns, deal=deal))
    return len(account.positions.fills) - before


async def _settle_open_orders(account: TradingAccount, terminal: OrderSide) -> int:
    """Orders that were under way when the last run ended: executed, or never reached anyone."""
    settled = 0
    for order in list(account.orders.open.values()):
        deals = await terminal.deals_by_token(order.placed.token)
        if deals is None or deals:
            continue  # still under way at the broker, or booked above: it will say more
        account.on_order_update(
            OrderUpdate(
                kind=UpdateKind.REJECTED,
                ts_ns=order.placed.ts_ns,
                order_id=order.placed.order_id,
                reason="never reached the broker",
            )
        )
        settled += 1
    return settled


async def _compare_positions(
    account: TradingAccount, terminal: OrderSide, now_ns: int
) -> tuple[ReconciliationDifference, ...]:
    found = await terminal.positions()
    if found is None:
        raise _unavailable("positions")
    account_id = account.identity.account_id
    theirs = {
        position_id_of(account_id, item.ticket): f"{item.side.name} {item.quantity:g} {item.symbol}"
        for item in found
    }
    ours = {
        key: f"{item.side.name} {item.quantity:g} {item.symbol}"
        for key, item in account.positions.open.items()
    }
    return tuple(
        ReconciliationDifference(
            ts_ns=now_ns,
            account_id=account_id,
            kind="position",
            ours=f"{key}: {ours.get(key, 'none')}",
            theirs=f"{key}: {theirs.get(key, 'none')}",
            action="halt",
        )
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    )


def _unavailable(what: str) -> TerminalUnavailable:
    return TerminalUnavailable(
        f"The terminal could not be asked about {what}.",
        remedy="Trading stays halted until it answers; nothing is assumed meanwhile.",
    )
