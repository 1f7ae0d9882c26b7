"""Challengers that forecast beside the champion and never trade.

They run at bar close, off the tick path, on copies of the very features that the champion saw. One
that was just put here first walks over bars until its memory is warm.
"""

from collections.abc import Callable, Collection, Sequence

import msgspec

from plan2.foundation.events.learning import SampledForecast
from plan2.foundation.values import Tick
from plan2.intelligence.learning.notes import BarNote
from plan2.intelligence.models.calibration import logit_of
from plan2.intelligence.models.ensemble import Ensemble
from plan2.intelligence.models.forecast import Forecast

WARM_BARS = 240
"""Closed bars that recurrent members walk over before their forecasts count."""
CHAMPION, CHALLENGER = "champion", "challenger"

Worth = Callable[[Tick, Forecast], str]
"""Why acting on a forecast would not be worth it; empty when it would."""


class _Seat(msgspec.Struct):
    ensemble: Ensemble
    bars: int = 0


class Shadows:
    """The challengers of all symbols."""

    def __init__(self, warm_bars: int = WARM_BARS) -> None:
        self._warm_bars = warm_bars
        self._seats: dict[str, dict[str, _Seat]] = {}

    def put(self, candidate_id: str, ensembles: Sequence[Ensemble]) -> None:
        """Let a candidate forecast the symbols of its ensembles from the next bar on."""
        for ensemble in ensembles:
            self._seats.setdefault(ensemble.symbol, {})[candidate_id] = _Seat(ensemble)

    def keep(self, candidate_ids: Collection[str]) -> None:
        """Let go of all others."""
        for seats in self._seats.values():
            for candidate_id in [each for each in seats if each not in candidate_ids]:
                del seats[candidate_id]

    @property
    def candidate_ids(self) -> frozenset[str]:
        """Who forecasts somewhere."""
        return frozenset(each for seats in self._seats.values() for each in seats)

    def advance(self, note: BarNote) -> None:
        """Walk over a closed bar."""
        for seat in self._seats.get(note.symbol, {}).values():
            seat.ensemble.commit(note.moment)
            seat.bars += 1

    def forecasts(self, note: BarNote) -> list[tuple[str, Forecast]]:
        """What each warm challenger expects at the bar's closing tick."""
        return [
            (candidate_id, seat.ensemble.forecast(note.closing.ts_ns, note.moment))
            for candidate_id, seat in sorted(self._seats.get(note.symbol, {}).items())
            if seat.bars >= self._warm_bars
        ]


def sampled_forecast(
    candidate_id: str, role: str, forecast: Forecast, tick: Tick, worth: Worth
) -> SampledForecast:
    """A forecast as the outcome remembers it."""
    votes = {vote.model_id: vote.calibrated for vote in forecast.votes if not vote.abstained}
    logits = [logit_of(p) for p in votes.values()]
    is_known = not forecast.abstained and bool(logits)
    return SampledForecast(
        candidate_id=candidate_id,
        role=role,
        p_up=forecast.p_up,
        logit=sum(logits) / len(logits) if is_known else 0.0,
        votes=votes,
        side=(1 if forecast.p_up >= 0.5 else -1) if is_known else 0,
        abstained=forecast.abstained or worth(tick, forecast),
        calibration_id=forecast.calibration_id,
    )
