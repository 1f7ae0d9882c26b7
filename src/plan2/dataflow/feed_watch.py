"""Watches every symbol's feed: fresh, stale while its market is open, or closed; alarms when stale.

A change is announced on the bus; the health check names the symbols that are stale. Entries are
refused on an old quote by the risk gate in any case: this is what people see.
"""

import asyncio
from collections.abc import Mapping

from plan2.dataflow.quality import Freshness, QualityGate
from plan2.foundation.bus import Bus
from plan2.foundation.clock import Clock
from plan2.foundation.events.market import FeedStateChanged
from plan2.foundation.health import Health, Status

LOOK_EVERY_S = 0.5


class FeedWatch:
    """One watch over all feeds.

    Args:
        gates: the quality gate of each symbol; it knows the last good quote and the trading week.
        stale_after_ms: age of the last quote from which an open market's feed is stale.
    """

    def __init__(
        self,
        gates: Mapping[str, QualityGate],
        bus: Bus,
        clock: Clock,
        stale_after_ms: int,
    ) -> None:
        self._gates = gates
        self._bus = bus
        self._clock = clock
        self._stale_after_ms = stale_after_ms
        self._states: dict[str, Freshness] = {}

    async def run(self) -> None:
        """Look twice a second, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Compare every feed with the clock and announce what changed."""
        now_ns = self._clock.now_ns()
        for symbol, gate in self._gates.items():
            state = gate.freshness(now_ns, self._stale_after_ms)
            if state is self._states.get(symbol):
                continue
            self._states[symbol] = state
            age_ms = gate.age_ms(now_ns) or 0
            self._bus.publish(
                FeedStateChanged(ts_ns=now_ns, symbol=symbol, state=state.value, age_ms=age_ms)
            )

    def check(self) -> Health:
        """DEGRADED while a feed of an open market is stale."""
        stale = [name for name, state in self._states.items() if state is Freshness.STALE]
        metrics = {"stale": float(len(stale)), "feeds": float(len(self._gates))}
        if stale:
            text = f"No fresh quote of {', '.join(stale)}; entries are refused until one comes."
            return Health(Status.DEGRADED, text, metrics)
        return Health(Status.OK, "", metrics)
