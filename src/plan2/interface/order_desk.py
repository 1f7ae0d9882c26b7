"""One account's door for orders as the routes use it: asked now, answered at once."""

from plan2.foundation.clock import Clock
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.requests import Outcome
from plan2.intelligence.trading.wishes import Ask, OrderWish, Refusal


class AccountOrderDesk:
    """The door of one `TradingAccount`; times are those of its market's clock."""

    def __init__(self, account: TradingAccount, clock: Clock) -> None:
        self._account = account
        self._clock = clock

    def request(self, wish: OrderWish) -> Outcome:
        """Ask for an order; durable and sent when this returns its id."""
        return self._account.requests.request(wish, self._clock.now_ns())

    def preview(self, wish: OrderWish) -> tuple[Check, ...] | Refusal:
        """What the risk gate would say of a wish now; nothing happens."""
        return self._account.requests.preview(wish, self._clock.now_ns())

    def claim(self, position_id: str, ask: Ask, horizon_s: int) -> Refusal | None:
        """Hand a foreign position to Plan2's care."""
        return self._account.requests.claim(position_id, ask, horizon_s, self._clock.now_ns())

    def release(self, position_id: str, ask: Ask) -> Refusal | None:
        """Take a position away from Plan2's care."""
        return self._account.requests.release(position_id, ask, self._clock.now_ns())

    def state_of(self, order_id: str) -> str:
        """Where an order stands; empty when it ended long ago or is unknown."""
        order = self._account.orders.orders.get(order_id)
        return order.state.value if order is not None else ""
