# ruff: noqa: D102 - the protocols that the fakes implement say what their methods do
"""An account as routes see it: figures that tests set by hand, and a control that notes down."""

from collections.abc import Sequence
from decimal import Decimal

from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.risk.stress import Holding
from plan2.intelligence.risk.switch import Switches
from plan2.intelligence.trading.control import AccountSwitches, Selector
from plan2.interface.broker_items import BrokerItem, ForeignOrderItem
from plan2.interface.items import AccountInfo, AccountRow, LimitItem
from plan2.interface.order_items import OrderItem, PositionItem
from plan2.interface.risk_items import RiskInfo
from plan2.interface.scenario_view import StressBook


class FakeBooks:
    """An account whose figures tests set by hand."""

    def __init__(self) -> None:
        self.state = "halted"
        self.open: dict[str, PositionItem] = {}
        self.open_order_items: list[OrderItem] = []
        self.foreign_orders: tuple[ForeignOrderItem, ...] = ()
        self.missing: tuple[str, ...] = ()
        self.equity = Decimal("10000.00")
        self.holdings: tuple[Holding, ...] = ()
        self.limits: tuple[LimitItem, ...] = ()

    def trading_state(self) -> str:
        return self.state

    def positions(self) -> list[PositionItem]:
        return list(self.open.values())

    def position(self, position_id: str) -> PositionItem | None:
        return self.open.get(position_id)

    def ids_of(self, symbols: Sequence[str]) -> set[str]:
        return {item.position_id for item in self.open.values() if item.symbol in symbols}

    def open_orders(self) -> list[OrderItem]:
        return self.open_order_items

    def broker(self) -> BrokerItem:
        return BrokerItem(
            account_id="paper-1", foreign_orders=self.foreign_orders, missing=self.missing
        )

    def rate(self, currency: str) -> float | None:
        return {"USD": 1.0}.get(currency)

    def row(self) -> AccountRow:
        return AccountRow("10000.00", str(self.equity), "0.00", "0.00", 0.0, self.state)

    def info(self) -> AccountInfo:
        row = self.row()
        return AccountInfo(
            account_id="paper-1",
            balance=row.balance,
            equity=row.equity,
            margin=row.margin,
            day_pnl=row.day_pnl,
            drawdown=row.drawdown,
            open_positions=len(self.open),
            trading_state=self.state,
            limits=self.limits,
        )

    def risk(self) -> RiskInfo:
        return RiskInfo(
            account_id="paper-1",
            market_us=0,
            trading_state=self.state,
            holds="",
            equity=str(self.equity),
            limits=[],
            currencies=[],
            currency_limit=5.0,
            symbols=[],
        )

    def stress(self) -> StressBook:
        return StressBook(
            account_id="paper-1",
            currency="USD",
            market_us=0,
            equity=float(self.equity),
            move=0.02,
            holdings=self.holdings,
            marks={"daily_loss": (float(self.equity), 0.03)},
        )


class FakeControl:
    """Writes down what it was told, and moves the switch."""

    def __init__(self, books: FakeBooks) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.selectors: list[Selector | None] = []
        self.more: list[str | bool] = []
        self.failure: Exception | None = None
        self._books = books

    async def set_state(
        self, state: str, actor: str, reason: str, selector: Selector | None = None, mode: str = ""
    ) -> None:
        if self.failure is not None:
            raise self.failure
        self.calls.append((state, actor, reason))
        self.selectors.append(selector)
        self.more.append(mode)
        self._books.state = state

    async def kill(
        self,
        actor: str,
        reason: str,
        selector: Selector | None = None,
        *,
        closes_foreign: bool = False,
    ) -> None:
        self.calls.append(("kill", actor, reason))
        self.selectors.append(selector)
        self.more.append(closes_foreign)
        self._books.state = "halted"

    async def accept_broker_view(self, account_id: str, actor: str, reason: str) -> tuple[str, ...]:
        self.calls.append(("accept", actor, reason))
        return ("paper-1:42",) if account_id in {"", "paper-1"} else ()

    def overview(self) -> tuple[AccountSwitches, ...]:
        return (
            AccountSwitches(
                account_id="paper-1",
                state=TradingState[self._books.state.upper()],
                mode="simulated",
                armed_mode="",
                needs_mode=False,
                holds="",
                switches=Switches().all(),
                kills=(),
            ),
        )
