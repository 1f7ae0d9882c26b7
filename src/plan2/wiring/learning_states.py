"""Keeps the exact state of the serving lanes: at each start, each day, and each change of models.

Nightly replays start from them: of features (`intelligence.learning.skew`) and of the trades of
flows that read forecasts (`wiring.served_again`).
"""

from plan2.foundation.values import NS_PER_DAY, Tick
from plan2.intelligence.lane_state import serving_of, state_of
from plan2.intelligence.learning.skew import EngineStates
from plan2.intelligence.models.serving import Serving
from plan2.intelligence.pipeline import Pipeline


class StateKeeper:
    """Looks at every closed bar and after every change of who serves.

    Kept is the first state of each day and of each run, and each one from which others serve.
    """

    def __init__(self, states: EngineStates, pipeline: Pipeline) -> None:
        self._states = states
        self._pipeline = pipeline
        self._day: dict[str, int] = {}
        self._served: dict[str, Serving] = {}

    def on_bar(self, closing: Tick) -> None:
        """A bar closed; the engine may be some ticks further by now."""
        symbol = closing.symbol
        day = closing.ts_ns // NS_PER_DAY
        if self._day.get(symbol) != day:
            self._day[symbol] = day
            self._keep(symbol)

    def look(self) -> None:
        """Who serves may have changed; before the first bar of a run nothing is kept yet."""
        for symbol, before in self._served.items():
            if serving_of(self._pipeline.lanes[symbol]) != before:
                self._keep(symbol)

    def _keep(self, symbol: str) -> None:
        lane = self._pipeline.lanes[symbol]
        self._served[symbol] = serving_of(lane)
        self._states.save(symbol, state_of(lane, self._pipeline.last_ticks[symbol]))
