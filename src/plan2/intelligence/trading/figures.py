"""An account as plain numbers: what sizing and the risk gate look at, reservations included."""

import math
from collections.abc import Callable, Iterator

import msgspec

from plan2.dataflow.terminals.port import ApprovedOrder
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND, Side, Tick
from plan2.intelligence.decision.decide import Engagement
from plan2.intelligence.risk.guard import AccountGuard
from plan2.intelligence.risk.limits import AccountFigures
from plan2.intelligence.risk.shortfall import historical_shortfall
from plan2.intelligence.trading.orders import Order, OrderBook
from plan2.intelligence.trading.portfolio import Portfolio
from plan2.intelligence.trading.positions import PositionBook
from plan2.intelligence.trading.rates import Rates
from plan2.intelligence.trading.spread_of_risk import Holding, SizingVolatility, spread_of
from plan2.intelligence.trading.unknown_outcomes import is_blocked
from plan2.intelligence.trading.wishes import FLOW

NEVER_NS = -(10**18)


class Purpose(msgspec.Struct, frozen=True, kw_only=True):
    """What the figures are wanted for.

    Attributes:
        quantity: lots that an exit may close. changes: the working order that is to be changed.
        is_exit: whether the order only takes risk away; an errand of unknown outcome does not
            stand in its way, a trade of unknown outcome may. tickets: of the positions it is about.
        ts_ns: market time of the order, 0 = the quote's.
        leaving: positions of the symbol that are closed in the same breath, by id: a reversal. They
            count no more among the positions and bind no margin.
    """

    flow_id: str = FLOW
    quantity: float = 0.0
    is_exit: bool = False
    tickets: frozenset[str] = frozenset()
    changes: Order | None = None
    ts_ns: int = 0
    leaving: frozenset[str] = frozenset()


ENTRY = Purpose()


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """When the figures are wanted, and how the account stands to its broker then.

    `tick` is the quote acted on, `now_ns` the clock's time; `stress_move` stands in for a
    volatility that is not known.
    """

    tick: Tick
    now_ns: int
    cooldown_s: float
    link_up: bool
    books_agree: bool
    stress_move: float


class AccountBoard:
    """Counts what the limits are measured in.

    An approved order that adds risk reserves its share of exposure and positions from the moment of
    the decision, so that concurrent orders cannot pass a limit together; when it is over, or as far
    as it is filled, the reservation is given back.
    """

    def __init__(
        self,
        orders: OrderBook,
        portfolio: Portfolio,
        rates: Rates,
        instruments: dict[str, Instrument],
        guard: AccountGuard,
    ) -> None:
        self._orders = orders
        self._portfolio = portfolio
        self._positions: PositionBook = portfolio.book
        self._rates = rates
        self._instruments = instruments
        self._guard = guard
        self._placed_ns: list[int] = []
        self._last_entry_ns: dict[str, int] = {}
        self._last_close_ns: dict[str, int] = {}
        self._reserved: dict[str, tuple[str, float, Side]] = {}
        self._closed_trades = 0
        self.volatility = SizingVolatility()
        """By which volatility each symbol is sized."""
        self.volatility_now: dict[str, Callable[[], float]] = {}
        """What to ask for a symbol's volatility of a day; asked only when figures are wanted."""

    def note_order(self, symbol: str, ts_ns: int, *, is_entry: bool) -> None:
        """Remember an order for the rate and duplicate rules."""
        self._placed_ns.append(ts_ns)
        if is_entry:
            self._last_entry_ns[symbol] = ts_ns

    def note_close(self, symbol: str, ts_ns: int) -> None:
        """A position of the symbol was closed: the cool-down begins."""
        self._last_close_ns[symbol] = ts_ns
        self._closed_trades += 1

    def reserve(self, order: ApprovedOrder) -> None:
        """Count an order that adds risk as if it were filled."""
        self._reserved[order.order_id] = (order.symbol, order.quantity, order.side)

    def restore(self, order: Order) -> None:
        """Count an order of an earlier run again."""
        placed = order.placed
        self._reserved[placed.order_id] = (
            placed.symbol,
            placed.quantity,
            Side[placed.side.upper()],
        )

    def release(self, order_id: str) -> None:
        """Give a reservation back; harmless when there is none."""
        self._reserved.pop(order_id, None)

    def release_if_over(self, order_id: str) -> None:
        """Give an order's reservation back once it is over."""
        if order_id not in self._orders.open:
            self._reserved.pop(order_id, None)

    def since_entry_s(self, tick: Tick) -> float:
        """Seconds of market time since the symbol's last approved entry."""
        return self._since_entry_s(tick.symbol, tick.ts_ns)

    def orders_last_minute(self, ts_ns: int) -> int:
        """Orders placed in the minute before `ts_ns`."""
        horizon = ts_ns - 60 * NS_PER_SECOND
        self._placed_ns = [placed for placed in self._placed_ns if placed > horizon]
        return len(self._placed_ns)

    def engagement(self, tick: Tick, cooldown_s: float) -> Engagement:
        """What keeps the account from entering the tick's symbol; the figures say the same."""
        symbol = tick.symbol
        return Engagement(
            float(self._orders.in_flight(symbol)),
            float(self._held(symbol)),
            self._cooldown_left_s(symbol, tick.ts_ns, cooldown_s),
        )

    def figures(self, moment: Moment, purpose: Purpose) -> AccountFigures:
        """The account at a moment; NaN where a rate is missing."""
        symbol, ts_ns = moment.tick.symbol, purpose.ts_ns or moment.tick.ts_ns
        instrument = self._instruments[symbol]
        if symbol in self.volatility_now:
            self.volatility.note(symbol, moment.tick.ts_ns, self.volatility_now[symbol]())
        portfolio, marks = self._portfolio, self._portfolio.marks
        equity = float(portfolio.equity) if portfolio.is_valued else math.nan
        guard = self._guard.figures(symbol, purpose.flow_id, ts_ns)
        opening, held = self._waiting_entries(""), self._held(symbol)
        changed, gone = purpose.changes, purpose.leaving
        spread = spread_of(
            self._holdings(), self._instruments, self._rates, self.volatility, moment.stress_move
        )
        return AccountFigures(
            **msgspec.structs.asdict(guard),
            symbol_blocked=float(
                is_blocked(self._orders, symbol, purpose.tickets if purpose.is_exit else None)
            ),
            symbol_disputed=float(symbol in self._orders.disputed),
            link_up=float(moment.link_up),
            books_agree=float(moment.books_agree),
            equity=equity,
            day_start_equity=float(marks.day_start_equity),
            week_start_equity=float(marks.week_start_equity),
            peak_equity=float(marks.peak_equity),
            margin_free=equity
            - portfolio.margin(self._rates, gone)
            - self._reserved_margin(changed),
            positions=float(len(self._positions.open) + opening - len(gone)),
            positions_symbol=float(held - (changed is not None) - len(gone)),
            orders_pending_symbol=float(self._orders.in_flight(symbol)),
            exposure=portfolio.exposure(self._rates) + self._reserved_value(),
            orders_last_minute=float(self.orders_last_minute(ts_ns)),
            seconds_since_same=self._since_entry_s(symbol, ts_ns),
            cooldown_left_s=self._cooldown_left_s(symbol, ts_ns, moment.cooldown_s),
            tick_age_ms=max(0, moment.now_ns - moment.tick.ts_ns) / NS_PER_MS,
            quote_rate=self._rates.rate(instrument.quote),
            base_rate=self._rates.rate(instrument.base),
            position_quantity=purpose.quantity,
            reserved_value=self._value_of(changed) if changed is not None else 0.0,
            reserved_positions=float(changed is not None),
            volatility_day=self.volatility.of(symbol),
            volatility_sum=spread.volatility_sum,
            volatility_squares=spread.volatility_squares,
            base_exposure=spread.net_of(instrument.base),
            quote_exposure=spread.net_of(instrument.quote),
            shortfall_history=historical_shortfall(portfolio.daily_returns),
            live_trades=float(self._closed_trades),
        )

    def _holdings(self) -> Iterator[Holding]:
        """Positions, and what approved orders may still add to them."""
        for position in self._positions.open.values():
            yield position.symbol, position.side.value * position.quantity
        for order_id, (symbol, lots, side) in self._reserved.items():
            yield symbol, side.value * (lots - self._filled(order_id))

    def _held(self, symbol: str) -> int:
        return len(self._positions.of_symbol(symbol)) + self._waiting_entries(symbol)

    def _since_entry_s(self, symbol: str, ts_ns: int) -> float:
        return (ts_ns - self._last_entry_ns.get(symbol, NEVER_NS)) / NS_PER_SECOND

    def _cooldown_left_s(self, symbol: str, ts_ns: int, cooldown_s: float) -> float:
        since_close_ns = ts_ns - self._last_close_ns.get(symbol, NEVER_NS)
        return max(0, int(cooldown_s * NS_PER_SECOND) - since_close_ns) / NS_PER_SECOND

    def _waiting_entries(self, symbol: str) -> int:
        """Reserved orders of a symbol, or of all, that may still bring a position of their own."""
        if not self._reserved:
            return 0
        held = {position.decision_id for position in self._positions.open.values()}
        return sum(
            1
            for order_id, (reserved, _, _) in self._reserved.items()
            if symbol in {"", reserved} and self._decision_of(order_id) not in held
        )

    def _decision_of(self, order_id: str) -> str:
        order = self._orders.orders.get(order_id)
        return order.placed.decision_id if order is not None else order_id

    def _reserved_value(self) -> float:
        return sum(
            self._portfolio.notional(symbol, lots - self._filled(order_id), self._rates)
            for order_id, (symbol, lots, _) in self._reserved.items()
        )

    def _reserved_margin(self, changed: Order | None) -> float:
        """Margin that approved orders may still take; that under change asks for its own anew."""
        own = changed.placed.order_id if changed is not None else ""
        return sum(
            self._portfolio.margin_of(symbol, side, lots - self._filled(order_id), self._rates)
            for order_id, (symbol, lots, side) in self._reserved.items()
            if order_id != own and symbol in self._instruments
        )

    def _filled(self, order_id: str) -> float:
        order = self._orders.orders.get(order_id)
        return order.filled_quantity if order is not None else 0.0

    def _value_of(self, order: Order) -> float:
        return self._portfolio.notional(order.placed.symbol, order.rest, self._rates)
