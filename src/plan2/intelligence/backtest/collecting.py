"""What a run of the live pipeline leaves behind, gathered from the events that live trading writes.

The rows are those of the compiled account: the same times, prices and money for the same trades.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

import msgspec
import polars as pl

from plan2.dataflow.terminals.port import TerminalPosition
from plan2.dataflow.terminals.simulated.refusals import RETCODES, Refusal
from plan2.foundation.bus import Bus
from plan2.foundation.events.market import MarketDataReceived
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.events.order import (
    OrderExecuted,
    OrderPlaced,
    OrderRejected,
    PositionOpened,
)
from plan2.foundation.instrument import CENT, Instrument
from plan2.foundation.values import Side, Tick
from plan2.intelligence.backtest.run import EQUITY, ORDERS, TRADES
from plan2.intelligence.decision.record import Reason
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.positions import position_id_of

DONE: Final = 10_009
NO_QUOTES: Final = RETCODES[Refusal.NO_QUOTES]
NOT_A_NUMBER: Final = 0
"""Stands for a refusal that MetaTrader has no code for."""
ZERO: Final = Decimal(0)
Row = dict[str, Any]  # values of the columns of run.py


class Opened(msgspec.Struct):
    """An open position as its trades will name it; `spread` in price, of the fill's quote."""

    side: Side
    lots: float
    decided_ns: int
    open_ns: int
    open_price: float
    commission: Decimal = ZERO
    spread: float = 0.0
    worst: Decimal = ZERO
    best: Decimal = ZERO
    left: float = 0.0


class Collected:
    """Listens to one account of one symbol; `every_ns` is how often equity is sampled."""

    def __init__(
        self, bus: Bus, account: TradingAccount, instrument: Instrument, every_ns: int
    ) -> None:
        self.trades: list[Row] = []
        self.orders: list[Row] = []
        self.equity: list[Row] = []
        self.denials: dict[str, int] = {}
        self.rejects: dict[int, int] = {}
        self.ticks = 0
        self.max_drawdown = ZERO
        self.max_drawdown_fraction = 0.0
        self._account = account
        self._instrument = instrument
        self._every_ns = every_ns
        self._due_ns = 0
        self._placed: dict[str, tuple[Row, OrderPlaced]] = {}
        self._open: dict[str, Opened] = {}
        self._unspread: list[tuple[Opened, Row | None]] = []
        self._last: Tick | None = None
        bus.subscribe(OrderPlaced, self._on_placed)
        bus.subscribe(OrderExecuted, self._on_fill)
        bus.subscribe(OrderRejected, self._on_rejected)
        bus.subscribe(PositionOpened, self._on_opened)
        bus.subscribe(DecisionMade, self._on_decision)
        bus.subscribe(MarketDataReceived, self._on_tick)

    def finish(self, held: Iterable[TerminalPosition]) -> Decimal:
        """Close what is `held` as the broker values it, and return the end's balance.

        What is still on its way meets no quote any more.
        """
        balance = self._account.portfolio.balance
        if self._last is None:
            return balance
        for row, _ in self._placed.values():
            row.update(retcode=NO_QUOTES)
            self.rejects[NO_QUOTES] = self.rejects.get(NO_QUOTES, 0) + 1
        self._placed.clear()
        for position in held:
            name = position_id_of(self._account.identity.account_id, position.ticket)
            balance += self._close_at_end(self._open.pop(name), position, self._last)
        self._sample(self._last, balance if not self._open else None)
        return balance

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Trades, orders and equity, as `run.py` declares them."""
        trades = [{"trade": number, **row} for number, row in enumerate(self.trades, 1)]
        return (
            pl.DataFrame(trades, schema=TRADES),
            pl.DataFrame(self.orders, schema=ORDERS),
            pl.DataFrame(self.equity, schema=EQUITY),
        )

    # --- what happens -----------------------------------------------------------------------

    def _on_placed(self, event: OrderPlaced) -> None:
        if event.kind not in {"open", "close"}:
            return
        side = Side[event.side.upper()]
        row = self._order(event.ts_ns, event.kind, side, event.quantity, _reason_of(event))
        self._placed[event.order_id] = (row, event)

    def _on_rejected(self, event: OrderRejected) -> None:
        found = self._placed.pop(event.order_id, None)
        code = _code_of(event.reason)
        self.rejects[code] = self.rejects.get(code, 0) + 1
        if found is not None:
            found[0].update(retcode=code)

    def _on_decision(self, event: DecisionMade) -> None:
        if event.outcome == "denied":
            failed = next((c["rule"] for c in event.record["checks"] if not c["passed"]), "")
            self.denials[failed] = self.denials.get(failed, 0) + 1
        elif event.reason in {Reason.NOVEL_SITUATION, Reason.SCHEDULED_EVENT}:
            self.denials[event.reason] = self.denials.get(event.reason, 0) + 1

    def _on_fill(self, event: OrderExecuted) -> None:
        row, placed = self._placed.pop(event.order_id, (None, None))
        if row is None:
            side = Side[event.side.upper()]
            lots = event.executed_quantity
            row = self._order(event.ts_ns, event.reason, side, lots, event.reason)
        row.update(
            filled_ns=event.ts_ns,
            price=event.executed_price,
            filled_lots=event.executed_quantity,
            retcode=DONE,
        )
        if event.is_exit:
            self._on_exit(event, placed)
            return
        self._open[event.position_id] = opened = Opened(
            side=Side[event.side.upper()],
            lots=event.executed_quantity,
            left=event.executed_quantity,
            decided_ns=placed.ts_ns if placed is not None else event.ts_ns,
            open_ns=event.ts_ns,
            open_price=event.executed_price,
            commission=Decimal(event.commission),
        )
        self._unspread.append((opened, None))

    def _on_opened(self, event: PositionOpened) -> None:
        """The commission of an entry may be told with the position instead of with the fill."""
        opened = self._open.get(event.position_id)
        if opened is not None and not opened.commission:
            opened.commission = Decimal(event.commission)

    def _on_exit(self, event: OrderExecuted, placed: OrderPlaced | None) -> None:
        opened = self._open[event.position_id]
        reason = _reason_of(placed) if placed is not None else event.reason
        gross, swap = Decimal(event.profit), Decimal(event.swap)
        row = self._trade(opened, event.executed_quantity, event.ts_ns, event.executed_price)
        self._settle(row, opened, (gross, Decimal(event.commission), swap), reason)
        self._unspread.append((opened, row))
        if opened.left <= 1e-9:
            del self._open[event.position_id]

    def _on_tick(self, event: MarketDataReceived) -> None:
        tick, portfolio = event.tick, self._account.portfolio
        self._last = tick
        self.ticks += 1
        for opened, row in self._unspread:
            self._note_spread(opened, row, tick)
        self._unspread.clear()
        for opened in self._open.values():
            floating = self._profit(opened, opened.left, tick)
            opened.worst, opened.best = min(opened.worst, floating), max(opened.best, floating)
        fall = portfolio.marks.peak_equity - portfolio.equity
        self.max_drawdown = max(self.max_drawdown, fall)
        self.max_drawdown_fraction = max(self.max_drawdown_fraction, portfolio.drawdown)
        if tick.ts_ns >= self._due_ns:
            self._due_ns = (tick.ts_ns // self._every_ns + 1) * self._every_ns
            self._sample(tick, None)

    # --- rows ---------------------------------------------------------------------------------

    def _order(self, ts_ns: int, kind: str, side: Side, lots: float, reason: str) -> Row:
        row: Row = {
            "order": len(self.orders) + 1,
            "ts_ns": ts_ns,
            "kind": kind,
            "side": side.value,
            "lots": lots,
            "filled_ns": 0,
            "price": 0.0,
            "filled_lots": 0.0,
            "retcode": 0,
            "reason": reason,
        }
        self.orders.append(row)
        return row

    def _trade(self, opened: Opened, lots: float, ts_ns: int, price: float) -> Row:
        return {
            "side": opened.side.value,
            "lots": lots,
            "decided_ns": opened.decided_ns,
            "open_ns": opened.open_ns,
            "open_price": opened.open_price,
            "close_ns": ts_ns,
            "close_price": price,
        }

    def _settle(
        self, row: Row, opened: Opened, money: tuple[Decimal, Decimal, Decimal], reason: str
    ) -> Decimal:
        """Complete a trade's row with its money: profit, the exit's commission, swap."""
        gross, exit_commission, swap = money
        # Multiplied first: a third of a cent's tie is none any more.
        share = opened.commission * Decimal(repr(row["lots"])) / Decimal(repr(opened.left))
        entry_commission = share.quantize(CENT, rounding=ROUND_HALF_EVEN)
        opened.commission -= entry_commission
        opened.left = round(opened.left - row["lots"], 8)
        commission = entry_commission + exit_commission
        row.update(
            exit_reason=reason,
            gross=float(gross),
            commission=float(commission),
            swap=float(swap),
            net=float(gross + commission + swap),
            mae=float(min(opened.worst, gross)),
            mfe=float(max(opened.best, gross)),
            spread_cost=0.0,
            slippage_cost=0.0,
        )
        self.trades.append(row)
        return gross + exit_commission + swap

    def _close_at_end(self, opened: Opened, held: TerminalPosition, tick: Tick) -> Decimal:
        price = tick.bid if opened.side is Side.BUY else tick.ask
        commission = -self._instrument.commission(opened.left)
        side = opened.side.opposite
        order = self._order(tick.ts_ns, "close", side, opened.left, "end")
        order.update(filled_ns=tick.ts_ns, price=price, filled_lots=opened.left, retcode=DONE)
        row = self._trade(opened, opened.left, tick.ts_ns, price)
        earned = self._settle(row, opened, (held.profit, commission, held.swap), "end")
        self._note_spread(opened, row, tick)
        return earned

    def _note_spread(self, opened: Opened, row: Row | None, tick: Tick) -> None:
        """The quote of a fill is known once its tick is told: half of its spread is a cost."""
        spread = tick.ask - tick.bid
        if row is None:
            opened.spread = spread
            return
        rate = self._account.rates.rate(self._instrument.quote)
        units = row["lots"] * self._instrument.lot_units * rate
        row["spread_cost"] = -round(0.5 * (opened.spread + spread) * units, 2)

    def _profit(self, opened: Opened, lots: float, tick: Tick) -> Decimal:
        instrument = self._instrument
        price = tick.bid if opened.side is Side.BUY else tick.ask
        rate = self._account.rates.rate(instrument.quote)
        return instrument.profit(opened.side, lots, opened.open_price, price, rate)

    def _sample(self, tick: Tick, balance: Decimal | None) -> None:
        portfolio = self._account.portfolio
        net = sum(each.side.value * each.left for each in self._open.values())
        self.equity.append(
            {
                "ts_ns": tick.ts_ns,
                "balance": float(portfolio.balance if balance is None else balance),
                "equity": float(portfolio.equity if balance is None else balance),
                "lots": round(net, 8),
            }
        )


def _reason_of(placed: OrderPlaced) -> str:
    """Why a position was closed, as the compiled account names it."""
    words = {"time_exit": "time", "partial": "partial"}
    return words.get(placed.reason, "signal")


def _code_of(reason: str) -> int:
    """MetaTrader's code of a broker's word; 0 for one that it has none for."""
    known = {refusal.value for refusal in Refusal}
    return RETCODES[Refusal(reason)] if reason in known else NOT_A_NUMBER
