"""What a backtest holds against the models behind a flow, as live trading does.

A situation that is unlike everything the models were trained on is not traded, nor is anything
entered around a scheduled economic event; of a size half is left once they are old, and from a
later age on they say nothing. What the learning loop finds out
while it trades (drift, a live calibration, news) exists live alone.
"""

import hashlib
from dataclasses import dataclass

import msgspec
import numpy as np

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.decision.schedule import NO_REST, NOTHING_SCHEDULED, Rest, Schedule
from plan2.intelligence.models.standing import SOUND, Age, Standing
from plan2.intelligence.regimes.similar import SituationIndex
from plan2.intelligence.regimes.watch import novelty_of

VETO, EVENT = 0.0, -1.0
"""What is left of a size: nothing, because of the situation or because of a scheduled event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """What to heed besides the forecasts.

    Attributes:
        age: of the models; None = they never grow old. index: the situations they know, None =
            nothing is known to be novel. veto_above: percentile from which on one is not traded.
        schedule: events around which nothing is entered. rest: how long around them.
    """

    age: Age | None = None
    index: SituationIndex | None = None
    veto_above: float = 1.0
    schedule: Schedule = NOTHING_SCHEDULED
    rest: Rest = NO_REST

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides what is held against the models; "" for nothing."""
        events = self.schedule.digest(self.rest)
        if self.age is None and self.index is None:
            return events
        digest = hashlib.sha256(msgspec.json.encode((self.age, self.veto_above)) + events.encode())
        if self.index is not None:
            digest.update(self.index.points.tobytes())
            digest.update(self.index.t0.tobytes())
        return digest.hexdigest()

    def share(self, values: Float64Array, ts_ns: int) -> float:
        """What is left of a size at a closed bar, 0 to 1; `values` of the whole catalogue."""
        if self.index is not None and not novelty_of(values, self.index) <= self.veto_above:
            return VETO
        return self.standing(ts_ns).size_factor

    def around_events(
        self, times: Int64Array, rows: Float64Array, shares: Float64Array
    ) -> tuple[Int64Array, Float64Array, Float64Array]:
        """The same rows, and one wherever a rest around an event begins or ends.

        `times` int64[m], when each of `rows` float64[m, k] was known, rising; `shares` float64[m].
        Within a rest the share is EVENT.
        """
        windows = self.schedule.windows(self.rest)
        if not windows:
            return times, rows, shares
        edges = np.array(windows, np.int64).ravel()
        moments = np.union1d(times, edges)
        newest = np.searchsorted(times, moments, side="right") - 1
        known = np.vstack([rows, np.full((1, rows.shape[1]), np.nan)])[newest]
        left = np.append(shares, 1.0)[newest]
        left[np.searchsorted(edges, moments, side="right") % 2 == 1] = EVENT
        return moments, known, left

    def standing(self, ts_ns: int) -> Standing:
        """How the models stand at a time, UTC ns."""
        return SOUND if self.age is None else self.age.standing(ts_ns)

    def is_over(self, ts_ns: int) -> bool:
        """Whether the models are too old to say anything."""
        return self.age is not None and self.age.is_over(ts_ns)


NO_DOUBTS = Doubts()
