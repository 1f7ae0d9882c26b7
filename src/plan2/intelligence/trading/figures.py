"""An account as plain numbers: what sizing and the risk gate look at, reservations included."""

from plan2.dataflow.terminals.port import ApprovedOrder
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND, Tick
from plan2.intelligence.risk.limits import AccountFigures
from plan2.intelligence.trading.orders import OrderBook
from plan2.intelligence.trading.portfolio import Portfolio
from plan2.intelligence.trading.positions import PositionBook
from plan2.intelligence.trading.rates import Rates

NEVER_NS = -(10**18)


class AccountBoard:
    """Counts what the limits are measured in.

    An approved order that adds risk reserves its share of exposure and positions from the moment of
    the decision, so that concurrent orders cannot pass a limit together; `release` gives it back
    when the order is over.
    """

    def __init__(
        self,
        orders: OrderBook,
        positions: PositionBook,
        portfolio: Portfolio,
        rates: Rates,
        instruments: dict[str, Instrument],
    ) -> None:
        self._orders = orders
        self._positions = positions
        self._portfolio = portfolio
        self._rates = rates
        self._instruments = instruments
        self._placed_ns: list[int] = []
        self._last_entry_ns: dict[str, int] = {}
        self._last_close_ns: dict[str, int] = {}
        self._reserved: dict[str, float] = {}

    def note_order(self, symbol: str, ts_ns: int, *, is_entry: bool) -> None:
        """Remember an order for the rate and duplicate rules."""
        self._placed_ns.append(ts_ns)
        if is_entry:
            self._last_entry_ns[symbol] = ts_ns

    def note_close(self, symbol: str, ts_ns: int) -> None:
        """A position of the symbol was closed: the cool-down begins."""
        self._last_close_ns[symbol] = ts_ns

    def reserve(self, order: ApprovedOrder) -> None:
        """Count an order that adds risk as if it were filled."""
        self._reserved[order.order_id] = self._portfolio.notional(
            order.symbol, order.quantity, self._rates
        )

    def release(self, order_id: str) -> None:
        """Give a reservation back; harmless when there is none."""
        self._reserved.pop(order_id, None)

    def release_finished(self) -> None:
        """Give back the reservations of orders that are over."""
        for order_id in [key for key in self._reserved if key not in self._orders.open]:
            del self._reserved[order_id]

    def since_entry_s(self, tick: Tick) -> float:
        """Seconds of market time since the symbol's last approved entry."""
        return (tick.ts_ns - self._last_entry_ns.get(tick.symbol, NEVER_NS)) / NS_PER_SECOND

    def orders_last_minute(self, ts_ns: int) -> int:
        """Orders placed in the minute before `ts_ns`."""
        horizon = ts_ns - 60 * NS_PER_SECOND
        self._placed_ns = [placed for placed in self._placed_ns if placed > horizon]
        return len(self._placed_ns)

    def figures(
        self, tick: Tick, now_ns: int, cooldown_s: float, trading_state: float, quantity: float
    ) -> AccountFigures:
        """The account at this tick; `quantity` is that of the position an order closes, lots."""
        symbol, ts_ns = tick.symbol, tick.ts_ns
        instrument = self._instruments[symbol]
        portfolio, marks = self._portfolio, self._portfolio.marks
        equity = float(portfolio.equity)
        since_close = ts_ns - self._last_close_ns.get(symbol, NEVER_NS)
        opening = sum(1 for key in self._orders.open if key in self._reserved)
        return AccountFigures(
            trading_state=trading_state,
            symbol_blocked=float(self._orders.is_blocked(symbol)),
            equity=equity,
            day_start_equity=float(marks.day_start_equity),
            peak_equity=float(marks.peak_equity),
            margin_free=equity - portfolio.margin(self._rates),
            positions=float(len(self._positions.open) + opening),
            positions_symbol=float(len(self._positions.of_symbol(symbol))),
            orders_pending_symbol=float(self._orders.pending(symbol)),
            exposure=portfolio.exposure(self._rates) + sum(self._reserved.values(), 0.0),
            orders_last_minute=float(self.orders_last_minute(ts_ns)),
            seconds_since_same=self.since_entry_s(tick),
            cooldown_left_s=max(0, int(cooldown_s * NS_PER_SECOND) - since_close) / NS_PER_SECOND,
            tick_age_ms=max(0, now_ns - ts_ns) / NS_PER_MS,
            quote_rate=self._rates.rate(instrument.quote),
            base_rate=self._rates.rate(instrument.base),
            position_quantity=quantity,
        )
