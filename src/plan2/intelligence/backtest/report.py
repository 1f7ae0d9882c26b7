"""What a run earned and why: counted from the same events that live trading writes."""

from collections import Counter
from decimal import Decimal

import msgspec

from plan2.foundation.bus import Bus
from plan2.foundation.events.account import EquityRecorded
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.events.order import OrderExecuted, OrderRejected, PositionClosed

TRADES_KEPT = 10_000


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One closed position; money in account currency as decimal strings."""

    symbol: str
    direction: str
    quantity: float
    open_price: float
    close_price: float
    closed_us: int
    net: str
    reason: str
    decision_id: str


class BacktestReport(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a run; money in account currency as decimal strings.

    `max_drawdown_fraction` is measured on recorded equity (every five minutes of market time).
    `verdict` says what the numbers are able to show.
    """

    symbols: tuple[str, ...]
    first_us: int
    last_us: int
    ticks: int
    seconds: float
    ticks_per_second: float
    decisions_kept: int
    decisions_digest: str
    outcomes: dict[str, int]
    orders_rejected: int
    trades: int
    wins: int
    win_rate: float | None
    net: str
    gross: str
    commission: str
    swap: str
    start_balance: str
    end_balance: str
    end_equity: str
    max_drawdown_fraction: float
    verdict: str
    trade_list: tuple[Trade, ...]


class Tally:
    """Counts a run from the events on its bus."""

    def __init__(self, bus: Bus) -> None:
        self.trades: list[Trade] = []
        self.outcomes: Counter[str] = Counter()
        self.rejected = 0
        self.gross = self.commission = self.swap = Decimal(0)
        self.wins = 0
        self.max_drawdown = 0.0
        self._peak = Decimal(0)
        bus.subscribe(DecisionMade, self._on_decision)
        bus.subscribe(OrderExecuted, self._on_fill)
        bus.subscribe(OrderRejected, self._on_rejected)
        bus.subscribe(PositionClosed, self._on_closed)
        bus.subscribe(EquityRecorded, self._on_equity)

    @property
    def net(self) -> Decimal:
        """Everything realised, costs included."""
        return self.gross + self.commission + self.swap

    def _on_decision(self, event: DecisionMade) -> None:
        self.outcomes[f"{event.outcome}:{event.reason}"] += 1

    def _on_rejected(self, _: OrderRejected) -> None:
        self.rejected += 1

    def _on_fill(self, event: OrderExecuted) -> None:
        self.gross += Decimal(event.profit)
        self.commission += Decimal(event.commission)
        self.swap += Decimal(event.swap)

    def _on_closed(self, event: PositionClosed) -> None:
        net = Decimal(event.profit) + Decimal(event.commission) + Decimal(event.swap)
        self.wins += net > 0
        trade = Trade(
            symbol=event.symbol,
            direction=event.direction,
            quantity=event.quantity,
            open_price=event.open_price,
            close_price=event.close_price,
            closed_us=event.ts_ns // 1000,
            net=str(net),
            reason=event.reason,
            decision_id=event.decision_id,
        )
        if len(self.trades) < TRADES_KEPT:
            self.trades.append(trade)

    def _on_equity(self, event: EquityRecorded) -> None:
        equity = Decimal(event.equity)
        self._peak = max(self._peak, equity)
        if self._peak > 0:
            self.max_drawdown = max(self.max_drawdown, float((self._peak - equity) / self._peak))


TRADES_NEEDED = 617
"""Independent trades needed to tell a 55 % hit rate from chance (one-sided 5 %, power 80 %)."""


def verdict_of(trades: int) -> str:
    """What this many trades can show at all."""
    if trades == 0:
        return "No trades: nothing can be said about profit."
    if trades < TRADES_NEEDED:
        return (
            f"Insufficient evidence: {trades} trades; about {TRADES_NEEDED} independent ones are "
            "needed to tell a 55 % hit rate from chance."
        )
    return f"{trades} trades: see the confidence intervals of the models before believing it."
