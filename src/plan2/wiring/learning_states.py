"""Keeps the exact state of the serving feature engines, at each start and each day of the market.

A nightly replay starts from them (`intelligence.learning.skew`).
"""

from plan2.foundation.values import NS_PER_DAY, Tick
from plan2.intelligence.learning.skew import EngineState, EngineStates
from plan2.intelligence.pipeline import Pipeline


class StateKeeper:
    """Looks at every closed bar, and keeps the first state of each day and of each run."""

    def __init__(self, states: EngineStates, pipeline: Pipeline) -> None:
        self._states = states
        self._pipeline = pipeline
        self._day: dict[str, int] = {}

    def on_bar(self, closing: Tick) -> None:
        """A bar closed; the engine may be some ticks further by now."""
        symbol = closing.symbol
        day = closing.ts_ns // NS_PER_DAY
        if self._day.get(symbol) == day:
            return
        self._day[symbol] = day
        last = self._pipeline.last_ticks[symbol]
        lane = self._pipeline.lanes[symbol]
        self._states.save(
            symbol,
            EngineState(
                ts_ns=last.ts_ns,
                ticks_at=last.seq + 1,
                instrument=lane.engine.instrument,
                bar_period_s=lane.engine.plan.bar_period_s,
                snapshot=lane.engine.snapshot(),
            ),
        )
