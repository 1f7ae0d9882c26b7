"""A canary: a challenger that decides for a tenth of the time, so that its trades are real.

Market time is cut into stretches of one horizon. Of every ten in a row one is the canary's, drawn
by a hash of candidate, symbol and place, so that it is fixed before and falls on all hours alike;
in it the canary alone decides, with its own standing, under all limits of the account. ADR 9 says
why time is shared and not size.
"""

from typing import Final

from plan2.foundation.ids import derived_id
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.models.ensemble import Ensemble
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.models.members import Reading
from plan2.intelligence.models.standing import Standing

ONE_IN: Final = 10
"""One stretch of so many is the canary's: a tenth of the risk budget (specification, ml.md §8)."""


class Canary:
    """A challenger's turns at one symbol.

    Attributes:
        candidate_id: who. ensemble: its warm models, this symbol's own. standing: how it stands.
        is_on: whether it decided at the last tick. champion_said: what the champion would have
            said at that tick, asked only when it closed a bar.
    """

    __slots__ = (
        "_stretch", "_stretch_ns", "candidate_id", "champion_said", "ensemble", "is_on", "standing",
    )  # fmt: skip

    def __init__(self, candidate_id: str, ensemble: Ensemble, standing: Standing) -> None:
        self.candidate_id = candidate_id
        self.ensemble = ensemble
        self.standing = standing
        self.is_on = False
        self.champion_said: Forecast | None = None
        self._stretch_ns = ensemble.horizon_s * NS_PER_SECOND
        self._stretch = -1

    def forecast(
        self, champion: Ensemble, ts_ns: int, reading: Reading, *, bar_closed: bool
    ) -> Forecast:
        """What whoever has the turn expects; learning still hears the champion at every bar."""
        stretch = ts_ns // self._stretch_ns
        if stretch != self._stretch:
            self._stretch = stretch
            self.is_on = is_turn(self.candidate_id, self.ensemble.symbol, stretch)
        self.champion_said = None
        if not self.is_on:
            return champion.forecast(ts_ns, reading)
        if bar_closed:
            self.champion_said = champion.forecast(ts_ns, reading)
        return self.ensemble.forecast(ts_ns, reading)


def is_turn(candidate_id: str, symbol: str, stretch: int) -> bool:
    """Whether a stretch of market time, counted from 1970 in horizons, is the canary's."""
    group, place = divmod(stretch, ONE_IN)
    drawn = int(derived_id("canary", candidate_id, symbol, group)[:12], 16) % ONE_IN
    return drawn == place
