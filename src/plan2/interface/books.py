"""The account's books as screens see them: positions with floating profit, figures, limits.

Nothing is computed that level 4 has not computed already; this is only how it is shown.
"""

import math
from collections.abc import Collection
from decimal import Decimal
from typing import Protocol

from plan2.foundation.instrument import CENT
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.orders import Order
from plan2.intelligence.trading.positions import Position
from plan2.interface.broker_items import BrokerItem, item_of
from plan2.interface.items import AccountInfo, AccountRow, LimitItem
from plan2.interface.order_items import OrderItem, PositionItem
from plan2.interface.risk_items import RiskInfo
from plan2.interface.risk_view import risk_of
from plan2.interface.scenario_view import StressBook, stress_book_of
from plan2.interface.screen import number_or_none, to_us


class Books(Protocol):
    """One account, now."""

    def trading_state(self) -> str:
        """armed, paused or halted."""
        ...

    def positions(self) -> list[PositionItem]:
        """Open positions, oldest first."""
        ...

    def position(self, position_id: str) -> PositionItem | None:
        """An open position, or None when it is closed or unknown."""
        ...

    def ids_of(self, symbols: Collection[str]) -> set[str]:
        """Open positions whose worth depends on a quote of one of these symbols."""
        ...

    def open_orders(self) -> list[OrderItem]:
        """Orders of which more is to be heard, oldest first: under way, working or unknown."""
        ...

    def broker(self) -> BrokerItem:
        """What only the broker has: orders that are not ours, and which of ours it lacks."""
        ...

    def rate(self, currency: str) -> float | None:
        """Account currency per unit of a currency; None while no quote tells."""
        ...

    def row(self) -> AccountRow:
        """The account's figures for the stream."""
        ...

    def info(self) -> AccountInfo:
        """The account's figures and limits."""
        ...

    def risk(self) -> RiskInfo:
        """Every limit with its use, exposure by currency and symbol."""
        ...

    def stress(self) -> StressBook:
        """The open positions and limits from which stress is computed."""
        ...


class AccountBooks:
    """The books of one `TradingAccount`."""

    def __init__(self, account: TradingAccount) -> None:
        self._account = account

    def trading_state(self) -> str:
        """armed, paused or halted."""
        return self._account.state.word

    def positions(self) -> list[PositionItem]:
        """Open positions, oldest first."""
        return [self._item(position) for position in self._account.positions.open.values()]

    def position(self, position_id: str) -> PositionItem | None:
        """An open position, or None."""
        found = self._account.positions.open.get(position_id)
        return self._item(found) if found is not None else None

    def ids_of(self, symbols: Collection[str]) -> set[str]:
        """Open positions of these symbols; a rate moves others too little to redraw them."""
        positions = self._account.positions.open.values()
        return {position.position_id for position in positions if position.symbol in symbols}

    def open_orders(self) -> list[OrderItem]:
        """Orders of which more is to be heard, oldest first."""
        return [_order_item(order) for order in self._account.orders.open.values()]

    def broker(self) -> BrokerItem:
        """What only the broker has."""
        return item_of(self._account.identity.account_id, self._account.broker)

    def rate(self, currency: str) -> float | None:
        """Account currency per unit of a currency, or None."""
        return number_or_none(self._account.rates.rate(currency))

    def row(self) -> AccountRow:
        """The account's figures for the stream."""
        portfolio = self._account.portfolio
        return AccountRow(
            balance=_money(portfolio.balance),
            equity=_money(portfolio.equity),
            margin=_money(Decimal(repr(portfolio.margin(self._account.rates)))),
            day_pnl=_money(portfolio.day_profit),
            drawdown=_fall(portfolio.marks.peak_equity, portfolio.equity),
            trading_state=self.trading_state(),
        )

    def info(self) -> AccountInfo:
        """The account's figures and limits."""
        row = self.row()
        return AccountInfo(
            account_id=self._account.identity.account_id,
            balance=row.balance,
            equity=row.equity,
            margin=row.margin,
            day_pnl=row.day_pnl,
            drawdown=row.drawdown,
            open_positions=len(self._account.positions.open),
            trading_state=row.trading_state,
            limits=self._limits(row.drawdown),
        )

    def risk(self) -> RiskInfo:
        """Every limit with its use, exposure by currency and symbol."""
        return risk_of(self._account)

    def stress(self) -> StressBook:
        """The open positions and limits from which stress is computed."""
        return stress_book_of(self._account)

    def _limits(self, drawdown: float) -> tuple[LimitItem, ...]:
        portfolio, risk = self._account.portfolio, self._account.rules.risk
        exposure = portfolio.exposure(self._account.rates)
        share = exposure / float(portfolio.equity) if portfolio.equity > 0 else math.inf
        day_loss = _fall(portfolio.marks.day_start_equity, portfolio.equity)
        week_loss = _fall(portfolio.marks.week_start_equity, portfolio.equity)
        used = (
            ("daily_loss", day_loss, risk.daily_loss_max_fraction),
            ("weekly_loss", week_loss, risk.weekly_loss_max_fraction),
            ("drawdown", drawdown, risk.drawdown_max_fraction),
            ("exposure", share, risk.exposure_max_fraction),
            ("positions", len(self._account.positions.open), risk.positions_max),
        )
        return tuple(
            LimitItem(rule=rule, value=float(value) if math.isfinite(value) else limit, limit=limit)
            for rule, value, limit in used
        )

    def _item(self, position: Position) -> PositionItem:
        floating = self._account.portfolio.floating_of(position, self._account.rates)
        return PositionItem(
            position_id=position.position_id,
            symbol=position.symbol,
            direction=position.side.name.lower(),
            quantity=position.quantity,
            open_price=position.open_price,
            close_price=None,
            stop_loss=position.stop_loss,
            take_profit=position.take_profit,
            opened_us=to_us(position.opened_ts_ns),
            closed_us=None,
            profit=_money(position.profit + floating),
            commission=_money(position.commission),
            swap=_money(position.swap),
            reason=None,
            decision_id=position.decision_id,
            is_managed=position.is_managed,
            expires_us=to_us(position.expires_ts_ns),
            flow_id=position.flow_id,
        )


def _order_item(order: Order) -> OrderItem:
    """An order as its events folded it; the read models fold the same events to the same item."""
    placed = order.placed
    return OrderItem(
        order_id=placed.order_id,
        decision_id=placed.decision_id,
        ts_us=to_us(placed.ts_ns),
        symbol=placed.symbol,
        side=placed.side,
        kind=order.kind.value,
        quantity=placed.quantity,
        state=order.state.value,
        price=order.price or None,
        stop_loss=order.stop_loss or None,
        take_profit=order.take_profit or None,
        filled_price=order.filled_price or None,
        filled_quantity=order.filled_quantity,
        reason=order.reason or None,
        trigger=placed.trigger,
        limit_price=order.limit_price or None,
        expires_us=to_us(order.expires_ts_ns),
        position_id=placed.position_id,
        target_ticket=placed.target_ticket,
        ticket=order.ticket,
        flow_id=placed.flow_id,
        decided_by=placed.decided_by,
        why=placed.reason,
    )


def _money(amount: Decimal) -> str:
    return str(amount.quantize(CENT))


def _fall(start: Decimal, now: Decimal) -> float:
    """What fraction of `start` is lost; 0 for a gain."""
    return max(0.0, float((start - now) / start)) if start > 0 else 0.0
