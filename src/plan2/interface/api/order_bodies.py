"""What people send about orders and positions, and the wish that each body is.

Prices in quote currency, quantities in lots, times in microseconds UTC; a member that is left out
means "as it is", 0 means none. Where money moves, a reason must be given.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.foundation.values import Side
from plan2.intelligence.trading.wishes import Ask, OrderWish
from plan2.interface.screen import NS_PER_US, SAFE_INTEGER_MAX

YEAR_S: Final = 366 * 86_400

LINE: Final = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
"""One line that says something."""

Reason = Annotated[str, Meta(max_length=500, pattern=LINE)]
Price = Annotated[float, Meta(ge=0, le=1e9)]
Lots = Annotated[float, Meta(gt=0, le=1e6)]
Expiry = Annotated[int, Meta(ge=0, le=SAFE_INTEGER_MAX)]
Name = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]*$")]
Horizon = Annotated[int, Meta(ge=0, le=YEAR_S)]


class OrderBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new order: at market, or pending when `trigger` says at which price it is executed."""

    symbol: Name
    side: Literal["buy", "sell"]
    quantity: Lots
    reason: Reason
    trigger: Trigger = Trigger.MARKET
    price: Price = 0.0
    limit_price: Price = 0.0
    stop_loss: Price = 0.0
    take_profit: Price = 0.0
    expires_us: Expiry = 0
    horizon_s: Horizon = 0

    def wish(self, actor: str) -> OrderWish:
        """What it asks for."""
        is_pending = self.trigger is not Trigger.MARKET
        return OrderWish(
            kind=OrderKind.PENDING if is_pending else OrderKind.OPEN,
            ask=Ask(actor, self.reason),
            symbol=self.symbol,
            side=Side[self.side.upper()],
            quantity=self.quantity,
            trigger=self.trigger,
            price=self.price,
            limit_price=self.limit_price,
            stop_loss=self.stop_loss,
            take_profit=self.take_profit,
            expires_ts_ns=self.expires_us * NS_PER_US,
            horizon_s=self.horizon_s,
        )


class ChangeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other prices, stops or expiry for a working pending order."""

    reason: Reason
    price: Price | None = None
    limit_price: Price | None = None
    stop_loss: Price | None = None
    take_profit: Price | None = None
    expires_us: Expiry | None = None

    def wish(self, actor: str, order_id: str) -> OrderWish:
        """What it asks for."""
        expires = self.expires_us
        return OrderWish(
            kind=OrderKind.CHANGE,
            ask=Ask(actor, self.reason),
            order_id=order_id,
            price=self.price,
            limit_price=self.limit_price,
            stop_loss=self.stop_loss,
            take_profit=self.take_profit,
            expires_ts_ns=expires * NS_PER_US if expires is not None else None,
        )


class StopsBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other stops for a position."""

    reason: Reason
    stop_loss: Price | None = None
    take_profit: Price | None = None

    def wish(self, actor: str, position_id: str) -> OrderWish:
        """What it asks for."""
        return OrderWish(
            kind=OrderKind.PROTECT,
            ask=Ask(actor, self.reason),
            position_id=position_id,
            stop_loss=self.stop_loss,
            take_profit=self.take_profit,
        )


class CloseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Close a position at market, or as many lots of it as are named."""

    reason: Reason
    quantity: Lots | None = None

    def wish(self, actor: str, position_id: str) -> OrderWish:
        """What it asks for."""
        return OrderWish(
            kind=OrderKind.CLOSE,
            ask=Ask(actor, self.reason),
            position_id=position_id,
            quantity=self.quantity or 0.0,
        )


class CloseByBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Close a position against an opposite one of the same symbol."""

    reason: Reason
    opposite_id: Name

    def wish(self, actor: str, position_id: str) -> OrderWish:
        """What it asks for."""
        return OrderWish(
            kind=OrderKind.CLOSE_BY,
            ask=Ask(actor, self.reason),
            position_id=position_id,
            opposite_id=self.opposite_id,
        )


class ClaimBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hand a foreign position to Plan2's care, to be closed after `horizon_s` (0 = never)."""

    reason: Reason
    horizon_s: Horizon = 0


class ReleaseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take a position away from Plan2's care."""

    reason: Reason
