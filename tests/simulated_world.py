"""Helpers for tests of the simulated terminal: a broker to feed by hand, orders, a listener."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from plan2.dataflow.terminals.port import (
    ApprovedOrder,
    Deal,
    OrderKind,
    OrderUpdate,
    Trigger,
    UpdateKind,
)
from plan2.dataflow.terminals.simulated.account_file import AccountFile
from plan2.dataflow.terminals.simulated.broker import BrokerOptions, PaperBroker
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.rules import AccountRules
from plan2.foundation.values import NS_PER_MS, Side, Tick

TUESDAY_NS = 1_709_625_600_000_000_000
"""2024-03-05 08:00 UTC, a Tuesday in London hours."""
LATENCY_NS = 40 * NS_PER_MS


def order(symbol: str = "EURUSD", side: Side = Side.BUY, **changes: Any) -> ApprovedOrder:
    """An OPEN of 0.10 lots without stops; the token follows the order id unless given."""
    order_id = changes.pop("order_id", "order-1")
    base = ApprovedOrder(
        order_id=order_id,
        decision_id="decision",
        account_id="paper",
        symbol=symbol,
        kind=OrderKind.OPEN,
        side=side,
        quantity=0.10,
        price=0.0,
        stop_loss=0.0,
        take_profit=0.0,
        token=f"token-{order_id}",
        magic=7,
        ts_ns=TUESDAY_NS,
    )
    return msgspec.structs.replace(base, **changes)


def closing(symbol: str, side: Side, ticket: str, **changes: Any) -> ApprovedOrder:
    """A CLOSE of a position of the other side."""
    changes.setdefault("order_id", f"close-{ticket}")
    return order(symbol, side, kind=OrderKind.CLOSE, position_ticket=ticket, **changes)


def pending(
    symbol: str, side: Side, trigger: Trigger, price: float, **changes: Any
) -> ApprovedOrder:
    """A PENDING order of 0.10 lots."""
    changes.setdefault("order_id", "pending-1")
    return order(symbol, side, kind=OrderKind.PENDING, trigger=trigger, price=price, **changes)


def protecting(ticket: str, stop_loss: float, take_profit: float, **changes: Any) -> ApprovedOrder:
    """A PROTECT of a EURUSD position."""
    changes.setdefault("order_id", f"protect-{ticket}")
    stops = {"stop_loss": stop_loss, "take_profit": take_profit}
    return order(kind=OrderKind.PROTECT, position_ticket=ticket, **stops, **changes)


def cancelling(ticket: str, **changes: Any) -> ApprovedOrder:
    """A CANCEL of a EURUSD order."""
    changes.setdefault("order_id", f"cancel-{ticket}")
    return order(kind=OrderKind.CANCEL, order_ticket=ticket, **changes)


def changing(ticket: str, price: float, **changes: Any) -> ApprovedOrder:
    """A CHANGE of a EURUSD order: price, and whatever else is named; the rest becomes 0."""
    changes.setdefault("order_id", f"change-{ticket}")
    return order(kind=OrderKind.CHANGE, order_ticket=ticket, price=price, **changes)


@dataclass
class Desk:
    """A broker in memory and everything it said; `quote` moves the market by hand."""

    broker: PaperBroker
    updates: list[OrderUpdate] = field(default_factory=list)
    now_ns: int = TUESDAY_NS

    def quote(self, symbol: str, bid: float, ask: float, after_ns: int = LATENCY_NS) -> None:
        """A quote `after_ns` later than the last one."""
        self.now_ns += after_ns
        self.broker.on_tick(Tick(symbol, self.now_ns, bid, ask))

    def submit(self, wanted: ApprovedOrder) -> None:
        """Send an order now."""
        self.broker.submit(msgspec.structs.replace(wanted, ts_ns=self.now_ns))

    def kinds(self) -> list[UpdateKind]:
        """What was said, in order."""
        return [update.kind for update in self.updates]

    def reasons(self) -> list[str]:
        """The reasons of the refusals, in order."""
        return [u.reason for u in self.updates if u.kind is UpdateKind.REJECTED]

    def deals(self) -> list[Deal]:
        """The deals that were told, in order."""
        return [update.deal for update in self.updates if update.deal is not None]

    def told(self) -> list[tuple[str, UpdateKind, str]]:
        """Order id, kind and reason of everything that was said."""
        return [(u.order_id, u.kind, u.reason) for u in self.updates]

    def balance(self) -> Decimal:
        """The account's balance."""
        return self.broker.account().balance


def desk(
    symbols: tuple[str, ...] = ("EURUSD", "USDJPY"),
    is_session: Callable[[int], bool] = lambda _: True,
    contract: dict[str, Any] | None = None,
    file: AccountFile | None = None,
    **options: Any,
) -> Desk:
    """A broker, in memory without a `file`; `contract` changes the contract data of every symbol.

    `options`: fields of `BrokerOptions` and of `AccountRules`, mixed.
    """
    names = AccountRules.__struct_fields__
    rules = AccountRules(**{name: options.pop(name) for name in names if name in options})
    known = {
        name: msgspec.structs.replace(one, **(contract or {}))
        for name, one in instruments(symbols).items()
    }
    made = Desk(PaperBroker(known, BrokerOptions(rules=rules, **options), file, is_session))
    made.broker.connect(made.updates.append)
    return made
