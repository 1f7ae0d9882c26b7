"""Challengers that forecast beside the champion and never trade.

They run at bar close, off the tick path, on copies of the very features that the champion saw.
"""

from collections import deque
from collections.abc import Callable, Collection, Sequence

import numpy as np

from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.events.learning import SampledForecast
from plan2.foundation.values import NS_PER_MS, Tick
from plan2.intelligence.learning.notes import BarNote
from plan2.intelligence.models.calibration import logit_of
from plan2.intelligence.models.ensemble import Ensemble
from plan2.intelligence.models.forecast import Forecast

CHAMPION, CHALLENGER = "champion", "challenger"
TIMED = 1_000
"""Forecasts whose time is remembered."""

Worth = Callable[[Tick, Forecast], str]
"""Why acting on a forecast would not be worth it; empty when it would."""


class Shadows:
    """The challengers of all symbols."""

    def __init__(self) -> None:
        self._seats: dict[str, dict[str, Ensemble]] = {}
        self._took_ns: dict[str, deque[int]] = {}

    def put(self, candidate_id: str, ensembles: Sequence[Ensemble]) -> None:
        """Let a candidate forecast the symbols of its warm ensembles from the next bar on."""
        self._took_ns[candidate_id] = deque(maxlen=TIMED)
        for ensemble in ensembles:
            self._seats.setdefault(ensemble.symbol, {})[candidate_id] = ensemble

    def keep(self, candidate_ids: Collection[str]) -> None:
        """Let go of all others."""
        for candidate_id in self.candidate_ids - set(candidate_ids):
            del self._took_ns[candidate_id]
            for seats in self._seats.values():
                seats.pop(candidate_id, None)

    @property
    def candidate_ids(self) -> frozenset[str]:
        """Who forecasts somewhere."""
        return frozenset(self._took_ns)

    def latency_ms(self, candidate_id: str) -> float:
        """99 % of a candidate's bars and forecasts took no longer; infinite before the first."""
        took_ns = self._took_ns.get(candidate_id)
        return float(np.quantile(took_ns, 0.99)) / NS_PER_MS if took_ns else float("inf")

    def advance(self, note: BarNote) -> list[tuple[str, Forecast]]:
        """Walk over a closed bar; what each challenger expects at its closing tick."""
        found = []
        for candidate_id, ensemble in sorted(self._seats.get(note.symbol, {}).items()):
            started = stopwatch_ns()
            ensemble.commit(note.moment)
            found.append((candidate_id, ensemble.forecast(note.closing.ts_ns, note.moment)))
            self._took_ns[candidate_id].append(stopwatch_ns() - started)
        return found


def sampled_forecast(
    candidate_id: str, role: str, forecast: Forecast, tick: Tick, worth: Worth
) -> SampledForecast:
    """A forecast as the outcome remembers it."""
    votes = {vote.model_id: vote.calibrated for vote in forecast.votes if not vote.abstained}
    weighed = [vote.weight * logit_of(vote.calibrated) for vote in forecast.votes]
    is_known = not forecast.abstained and bool(votes)
    return SampledForecast(
        candidate_id=candidate_id,
        role=role,
        p_up=forecast.p_up,
        logit=sum(weighed) if is_known else 0.0,
        votes=votes,
        side=(1 if forecast.p_up >= 0.5 else -1) if is_known else 0,
        abstained=forecast.abstained or worth(tick, forecast),
        calibration_id=forecast.calibration_id,
    )
