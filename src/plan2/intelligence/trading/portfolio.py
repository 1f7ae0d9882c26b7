"""Money of an account: balance, equity, margin, starts of day and week, peak; to the cent."""

import math
from collections import deque
from collections.abc import Collection, Mapping
from decimal import Decimal

import msgspec

from plan2.foundation.events.account import BalanceAdjusted, EquityRecorded
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND, Side, Tick
from plan2.intelligence.trading.broker_day import next_day_start_ns, next_week_start_ns
from plan2.intelligence.trading.payments import after_payment, is_payment
from plan2.intelligence.trading.positions import Position, PositionBook
from plan2.intelligence.trading.rates import Rates

EQUITY_EVERY_NS = 300 * NS_PER_SECOND
"""Market time between two recorded equity figures."""
DAYS_REMEMBERED = 250
PROFITS_KEPT = 64
"""Beyond one for each open position; more are of closed ones."""


class Marks(msgspec.Struct):
    """Equity figures that outlive a restart; account currency.

    Losses, which are shares, are measured from the first three; the day's profit, which is money,
    from `day_capital`: the day's first equity and what was paid in or out since.
    """

    day_start_equity: Decimal
    week_start_equity: Decimal
    peak_equity: Decimal
    day_capital: Decimal
    day_end_ns: int = 0
    week_end_ns: int = 0

    def record_due_ns(self, ts_ns: int) -> int:
        """When they are to be written down again: every five minutes, and once a day has begun."""
        due_ns = ts_ns + EQUITY_EVERY_NS
        return min(due_ns, self.day_end_ns) if ts_ns < self.day_end_ns else due_ns


class Portfolio:
    """Values the open positions of one account at the last quotes.

    A long is worth what the bid gives, a short what the ask costs.
    """

    def __init__(
        self, start_balance: Decimal, book: PositionBook, instruments: dict[str, Instrument]
    ) -> None:
        self.marks = Marks(start_balance, start_balance, start_balance, start_balance)
        self._start_balance = start_balance
        self.book = book
        self._instruments = instruments
        self._exit_prices: dict[str, tuple[float, float]] = {}
        self._profits: dict[str, tuple[tuple[Side, float, float, float, float], Decimal]] = {}
        self._equity = start_balance
        self._adjusted = book.adjusted
        self.daily_returns: deque[float] = deque(maxlen=DAYS_REMEMBERED)
        """Change of equity over each broker day, a fraction of its start; oldest first."""
        self.is_valued = False
        """Whether equity is known: every open position has had a quote since the start."""
        self.day_loss = 0.0
        """Fall of equity since the broker's midnight, as a fraction of it; negative = gain."""
        self.week_loss = 0.0
        """The same since the broker's week began."""
        self.drawdown = 0.0
        """Fall of equity from its peak, as a fraction of it."""

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """What can be valued, by symbol."""
        return self._instruments

    @property
    def balance(self) -> Decimal:
        """Start balance and everything realised since, account currency."""
        return self._start_balance + self.book.realised

    @property
    def equity(self) -> Decimal:
        """Balance and the open positions' profit at the last `mark`, account currency."""
        return self._equity

    @property
    def day_profit(self) -> Decimal:
        """Change of equity since the broker's midnight without payments, account currency."""
        return self._equity - self.marks.day_capital

    def take_contract(self, instrument: Instrument) -> None:
        """Go by what the broker has changed of a symbol; the next quote values by it."""
        self._instruments[instrument.symbol] = instrument
        self._profits.clear()

    def mark(self, tick: Tick, rates: Rates) -> None:
        """Take in a quote: value open positions, roll the broker's day and week, lift the peak.

        While an open position has no quote yet, as after a restart, equity is not known, and the
        starts and the peak stay what they were: a half-valued account is no measure.
        """
        self._exit_prices[tick.symbol] = (tick.bid, tick.ask)
        floating = self._floating(rates)
        if floating is None:
            self.is_valued = False
            return
        equity = self.balance + floating
        is_new_day = tick.ts_ns >= self.marks.day_end_ns
        if equity == self._equity and self.is_valued and not is_new_day:
            return
        self.is_valued = True
        self._equity = equity
        if is_new_day:
            self._end_day(equity)
            self.marks.day_end_ns = next_day_start_ns(tick.ts_ns)
            self.marks.day_start_equity = self.marks.day_capital = equity
            if tick.ts_ns >= self.marks.week_end_ns:
                self.marks.week_end_ns = next_week_start_ns(tick.ts_ns)
                self.marks.week_start_equity = equity
        self.marks.peak_equity = max(self.marks.peak_equity, equity)
        self._measure()

    def pay(self, event: BalanceAdjusted) -> None:
        """Keep the loss measures what they were when money is paid in or out."""
        if not is_payment(event):
            return
        amount, marks = Decimal(event.amount), self.marks
        marks.day_start_equity = after_payment(marks.day_start_equity, event)
        marks.week_start_equity = after_payment(marks.week_start_equity, event)
        marks.peak_equity = after_payment(marks.peak_equity, event)
        marks.day_capital += amount
        self._adjusted += amount  # the day's start has it now
        self._equity = Decimal(event.equity) + amount
        self._measure()

    def restore_marks(self, event: EquityRecorded) -> None:
        """Take the starts and the peak from a stored figure, and the last known equity."""
        start = Decimal(event.day_start_equity)
        if event.day_end_ns != self.marks.day_end_ns:
            self._end_day(start)
        self.marks = Marks(
            day_start_equity=start,
            week_start_equity=Decimal(event.week_start_equity or event.day_start_equity),
            peak_equity=Decimal(event.peak_equity),
            day_capital=Decimal(event.day_capital or event.day_start_equity),
            day_end_ns=event.day_end_ns,
            week_end_ns=event.week_end_ns,
        )
        self._equity = Decimal(event.equity)

    def _measure(self) -> None:
        self.day_loss = _fall(self.marks.day_start_equity, self._equity)
        self.week_loss = _fall(self.marks.week_start_equity, self._equity)
        self.drawdown = _fall(self.marks.peak_equity, self._equity)

    def _end_day(self, equity: Decimal) -> None:
        """Remember the day's result; what was paid in or out is none."""
        paid_in, start = self.book.adjusted - self._adjusted, self.marks.day_start_equity
        self._adjusted = self.book.adjusted
        if self.marks.day_end_ns and start > 0:
            self.daily_returns.append(float((equity - paid_in - start) / start))

    def floating_of(self, position: Position, rates: Rates) -> Decimal:
        """Profit of one position if it were closed now; 0 while no quote or rate is known."""
        return self._profit_of(position, rates) or Decimal(0)

    def _floating(self, rates: Rates) -> Decimal | None:
        """Profit of all open positions if they were closed now; None while one is not known."""
        total = Decimal(0)
        for position in self.book.open.values():
            profit = self._profit_of(position, rates)
            if profit is None:
                return None
            total += profit
        return total

    def _profit_of(self, position: Position, rates: Rates) -> Decimal | None:
        """As `floating_of`, but None while no quote or rate is known of a watched symbol."""
        instrument = self._instruments.get(position.symbol)
        if instrument is None:
            return Decimal(0)  # foreign, without quotes here; the exposure rule refuses new risk
        prices = self._exit_prices.get(position.symbol)
        rate = rates.rate(instrument.quote)
        if prices is None or not rate > 0:
            return None
        price = prices[0] if position.side is Side.BUY else prices[1]
        return self._profit(instrument, position, price, rate)

    def _profit(
        self, instrument: Instrument, position: Position, price: float, rate: float
    ) -> Decimal:
        """Worked out once for each price: the account asks for it on every tick, its flow too."""
        asked = (position.side, position.quantity, position.open_price, price, rate)
        known = self._profits.get(position.position_id)
        if known is not None and known[0] == asked:
            return known[1]
        if len(self._profits) > len(self.book.open) + PROFITS_KEPT:
            self._profits.clear()
        profit = instrument.profit(*asked)
        self._profits[position.position_id] = (asked, profit)
        return profit

    def exposure(self, rates: Rates) -> float:
        """Gross notional of open positions, account currency; NaN when a rate is missing."""
        return math.fsum(
            self.notional(position.symbol, position.quantity, rates)
            for position in self.book.open.values()
        )

    def notional(self, symbol: str, lots: float, rates: Rates) -> float:
        """Value of `lots` in account currency; NaN for a symbol that is not watched."""
        instrument = self._instruments.get(symbol)
        if instrument is None:
            return math.nan
        return lots * instrument.lot_units * rates.rate(instrument.base)

    def margin(self, rates: Rates, leaving: Collection[str] = ()) -> float:
        """Margin of open positions, account currency; 0.0 without positions.

        Those `leaving`, by id, are about to be closed and bind nothing.
        """
        total = sum(
            self.margin_of(position.symbol, position.side, position.quantity, rates)
            for position in self.book.open.values()
            if position.symbol in self._instruments and position.position_id not in leaving
        )
        return 0.0 if math.isnan(total) else total

    def margin_of(self, symbol: str, side: Side, lots: float, rates: Rates) -> float:
        """What lots of a watched symbol bind, account currency; NaN when a rate is missing."""
        instrument = self._instruments[symbol]
        value = self.notional(symbol, lots, rates)
        return instrument.margin_of(side, lots, value, rates.rate(instrument.quote))


def _fall(start: Decimal, now: Decimal) -> float:
    """From `start` to `now` as a fraction of `start`.

    Less than nothing out of nothing is a loss of everything; an account that was emptied and lost
    nothing before has lost nothing.
    """
    if start > 0:
        return float((start - now) / start)
    return 1.0 if now < start else 0.0
