"""The latest state of the market, which all share, and of an account; fed by the bus.

The handler of a tick keeps a reference, widens the forming bar and marks the symbol as changed;
nothing is encoded, formatted or sent there. Everything is bounded: one quote per symbol, the last
5,000 minute bars, the last 1,000 forecasts, and as many orders as the stream can replay.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from plan2.foundation.bus import Bus
from plan2.foundation.clock import Clock
from plan2.foundation.events.account import EquityRecorded, TradingStateChanged
from plan2.foundation.events.market import FeedStateChanged, MarketDataReceived
from plan2.foundation.events.order import (
    OrderExecuted,
    PositionClaimed,
    PositionClosed,
    PositionOpened,
    PositionProtected,
)
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_DAY, Bar, Tick
from plan2.intelligence.events import BrokerViewChanged, ForecastMade
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.trading.stored import PositionEvent
from plan2.interface.books import Books
from plan2.interface.candles import Candles
from plan2.interface.changes import Changes
from plan2.interface.items import ForecastRow, QuoteRow
from plan2.interface.screen import to_us

FORECASTS_KEPT: Final = 1_000
WAITING: Final = "waiting"
FRESH: Final = "fresh"


class SymbolView:
    """What is known of one symbol now."""

    __slots__ = (
        "candles",
        "day_end_ns",
        "forecasts",
        "instrument",
        "reference",
        "state",
        "tick",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.candles = Candles(instrument.symbol)
        self.forecasts: deque[Forecast] = deque(maxlen=FORECASTS_KEPT)
        self.tick: Tick | None = None
        self.state = WAITING
        self.reference: float | None = None
        self.day_end_ns = 0

    def start_day(self, tick: Tick) -> None:
        """Take the last known price as what the new UTC day is compared with."""
        start_ns = tick.ts_ns - tick.ts_ns % NS_PER_DAY
        known = self.candles.close_before(start_ns)
        self.reference = self.tick.bid if self.tick is not None else known
        self.day_end_ns = start_ns + NS_PER_DAY

    def quote(self) -> QuoteRow | None:
        """The last quote as a stream row; None before the first."""
        tick = self.tick
        if tick is None:
            return None
        reference = self.reference
        return QuoteRow(
            symbol=tick.symbol,
            ts_us=to_us(tick.ts_ns),
            bid=tick.bid,
            ask=tick.ask,
            spread_points=round(self.instrument.points(tick.ask - tick.bid), 2),
            change_fraction=None if reference is None else round(tick.bid / reference - 1, 8),
            state=self.state,
        )


class MarketView:
    """The latest state of every symbol; all tenants see the same.

    Attributes:
        ticks: symbols with a new quote. forecasts: symbols with a new forecast.
        feeds: symbols whose feed is in another state.

    Args:
        instruments: every symbol that is shown.
        clock: market time.
    """

    def __init__(self, instruments: Mapping[str, Instrument], clock: Clock) -> None:
        self.clock = clock
        self.ticks = Changes()
        self.forecasts = Changes()
        self.feeds = Changes()
        self._views = {symbol: SymbolView(item) for symbol, item in instruments.items()}

    def subscribe(self, bus: Bus) -> None:
        """Listen to everything that is shown; part of the wiring."""
        bus.subscribe(MarketDataReceived, self.on_tick)
        bus.subscribe(FeedStateChanged, self.on_feed_state)
        bus.subscribe(ForecastMade, self.on_forecast)

    def take_contract(self, instrument: Instrument) -> None:
        """Show what the broker has changed of a symbol."""
        self._views[instrument.symbol].instrument = instrument

    def seed_bars(self, symbol: str, bars: Iterable[Bar]) -> None:
        """Take over minute bars from the archive, oldest first, before the first quote."""
        self._views[symbol].candles.seed(bars)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that is shown, in the configured order."""
        return tuple(self._views)

    def view(self, symbol: str) -> SymbolView | None:
        """What is known of a symbol; None when it is not shown."""
        return self._views.get(symbol)

    def on_tick(self, event: MarketDataReceived) -> None:
        """A quote; this is on the tick's way."""
        tick = event.tick
        view = self._views.get(tick.symbol)
        if view is None:
            return
        ts_ns = tick.ts_ns
        if ts_ns >= view.day_end_ns:
            view.start_day(tick)
        view.tick = tick
        if view.state != FRESH:
            view.state = FRESH
            self.feeds.mark(tick.symbol)
        view.candles.on_tick(tick)
        self.ticks.mark(tick.symbol)

    def on_forecast(self, event: ForecastMade) -> None:
        """A forecast; this is on the tick's way."""
        forecast = event.forecast
        view = self._views.get(forecast.symbol)
        if view is not None:
            view.forecasts.append(forecast)
            self.forecasts.mark(forecast.symbol)

    def on_feed_state(self, event: FeedStateChanged) -> None:
        """A symbol's feed became fresh, stale or closed."""
        view = self._views.get(event.symbol)
        if view is not None:
            view.state = event.state
            self.ticks.mark(event.symbol)
            self.feeds.mark(event.symbol)

    def forecast_row(self, symbol: str) -> ForecastRow | None:
        """A symbol's last forecast as a stream row; None before the first."""
        view = self._views[symbol]
        if not view.forecasts:
            return None
        last = view.forecasts[-1]
        return ForecastRow(
            symbol=symbol,
            ts_us=to_us(last.ts_ns),
            p_up=last.p_up,
            disagreement=last.disagreement,
            abstained=last.abstained,
            votes=tuple((vote.family, vote.calibrated, vote.weight) for vote in last.votes),
        )


class LiveView:
    """The market, and one tenant's account.

    Attributes:
        booked: position ids that opened, closed or changed; "" for the account alone.
        compared: marked when what only the broker has is not what it was.

    Args:
        market: what all share.
        books: the account.
    """

    def __init__(self, market: MarketView, books: Books) -> None:
        self.market = market
        self.books = books
        self.booked = Changes()
        self.compared = Changes()

    def subscribe(self, bus: Bus) -> None:
        """Listen to what happens to the account; part of the wiring."""
        bus.subscribe(PositionOpened, self._on_booked)
        bus.subscribe(PositionClosed, self._on_booked)
        bus.subscribe(PositionProtected, self._on_booked)
        bus.subscribe(PositionClaimed, self._on_booked)
        bus.subscribe(OrderExecuted, self._on_booked)
        bus.subscribe(EquityRecorded, self._on_account)
        bus.subscribe(TradingStateChanged, self._on_account)
        bus.subscribe(BrokerViewChanged, self._on_compared)

    def _on_booked(self, event: PositionEvent) -> None:
        self.booked.mark(event.position_id)

    def _on_compared(self, _event: BrokerViewChanged) -> None:
        self.compared.mark("")

    def _on_account(self, _event: EquityRecorded | TradingStateChanged) -> None:
        self.booked.mark("")
