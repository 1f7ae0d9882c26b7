"""Listens on the market's bus and makes a note of every closed bar; cheap, nothing is computed.

Per tick it appends to a list; at a bar close it copies three small arrays. Whoever takes the notes
does so off the tick path.
"""

from collections.abc import Callable, Mapping

import numpy as np

from plan2.foundation.bus import Bus
from plan2.foundation.events.market import BarClosed, MarketDataReceived
from plan2.foundation.values import Tick
from plan2.intelligence.events import ForecastMade
from plan2.intelligence.learning.notes import BarNote, Moment, moment_of
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.pipeline import Lane
from plan2.intelligence.training.labels import Tape


class Told:
    """A closed bar as it was heard; `note` does the work."""

    __slots__ = ("forecast", "moment", "ticks")

    def __init__(self, ticks: list[Tick], moment: Moment) -> None:
        self.ticks = ticks
        self.moment = moment
        self.forecast: Forecast | None = None

    def note(self) -> BarNote:
        """The note for the loop."""
        closing = self.ticks[-1]
        tape = Tape(
            np.array([tick.ts_ns for tick in self.ticks], np.int64),
            np.array([tick.bid for tick in self.ticks]),
            np.array([tick.ask for tick in self.ticks]),
        )
        return BarNote(closing.symbol, tape, closing, self.moment, self.forecast)


class BarListener:
    """Hears ticks, closed bars and forecasts, in this order, and delivers what belongs together."""

    def __init__(self, lanes: Mapping[str, Lane], deliver: Callable[[Told], None]) -> None:
        self._lanes = lanes
        self._deliver = deliver
        self._ticks: dict[str, list[Tick]] = {symbol: [] for symbol in lanes}
        self._closed: dict[str, Told] = {}

    def listen(self, bus: Bus) -> None:
        """Subscribe; the bus must not be sealed yet."""
        bus.subscribe(MarketDataReceived, self.on_tick)
        bus.subscribe(BarClosed, self.on_bar)
        bus.subscribe(ForecastMade, self.on_forecast)

    def on_tick(self, event: MarketDataReceived) -> None:
        """A quote that was accepted."""
        self._ticks[event.tick.symbol].append(event.tick)

    def on_bar(self, event: BarClosed) -> None:
        """The last tick closed a bar; its forecast comes next where there are models."""
        symbol = event.bar.symbol
        lane = self._lanes[symbol]
        ticks, self._ticks[symbol] = self._ticks[symbol], []
        told = Told(ticks, moment_of(lane.engine))
        if lane.ensemble is None:
            self._deliver(told)
        else:
            self._closed[symbol] = told

    def on_forecast(self, event: ForecastMade) -> None:
        """The forecast at some tick; the champion's at the one that closed a bar is kept."""
        symbol = event.forecast.symbol
        told = self._closed.pop(symbol, None)
        if told is not None:
            told.forecast = self._lanes[symbol].champions(event.forecast)
            self._deliver(told)
