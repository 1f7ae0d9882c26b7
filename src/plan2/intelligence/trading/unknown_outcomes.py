"""Whether an order of unknown outcome stands in the way of another one.

While nobody knows whether an order was executed, nothing may be sent that could do its work twice.
For new risk that is every order of the symbol. For an exit it is a trade only: a change of stops or
a withdrawal executes nothing. And on a hedging account, where each entry is a position of its own,
an exit by ticket can touch that position alone, so that only a trade that names the same ticket
counts: an entry that may or may not have happened keeps nobody from closing what is known to be
open. On a netting account, or before the broker has said which it is, every trade counts, because
it may have made the position smaller, or turned it.
"""

from plan2.intelligence.trading.orders import CLOSES, ERRANDS, Order, OrderBook, OrderState


def is_blocked(orders: OrderBook, symbol: str, exit_of: frozenset[str] | None = None) -> bool:
    """Whether one stands in the way; `exit_of`: the tickets that an exit is about."""
    return any(
        order.state is OrderState.UNKNOWN
        and order.placed.symbol == symbol
        and (exit_of is None or _may_be_done(order, exit_of, is_hedging=orders.is_hedging))
        for order in orders.open.values()
    )


def _may_be_done(order: Order, tickets: frozenset[str], *, is_hedging: bool) -> bool:
    """Whether what an exit wants, or a part of it, may have been done by this order already."""
    if order.kind in ERRANDS:
        return False
    if not is_hedging or not tickets:
        return True
    named = {order.placed.position_id, order.placed.opposite_id} - {""}
    return not named.isdisjoint(tickets) or (order.kind in CLOSES and not named)
