"""What the gates of the life cycle are told about candidates that are being watched."""

from collections.abc import Callable

from plan2.intelligence.learning.contests import Contest, Standing
from plan2.intelligence.learning.loop import LearningLoop
from plan2.intelligence.models.gates import Watched

DAYS_PER_WEEK = 7.0


class LoopEvidence:
    """Implements `gates.Evidence`; before the loop is there, nobody has been watched.

    Args:
        skew: served vectors that a replay did not confirm, by the newest measurement.
    """

    def __init__(self, skew: Callable[[], int]) -> None:
        self._skew = skew
        self.loop: LearningLoop | None = None

    def of(self, candidate_id: str) -> Watched | None:
        """See `gates.Evidence`."""
        if self.loop is None:
            return None
        contest = self.loop.ledger.contests.get(candidate_id)
        if contest is None:
            return None
        return watched_of(contest, self.loop.shadows.latency_ms(candidate_id), self._skew())


def watched_of(contest: Contest, latency_ms: float, skewed: int) -> Watched:
    """A contest as the gates read it: an e-value counts for the side that it speaks for."""
    standing: Standing = contest.standing
    in_favour = standing.mean_difference > 0.0
    return Watched(
        weeks=standing.days / DAYS_PER_WEEK,
        effective_labels=standing.labels_effective,
        e_value=standing.e_value if in_favour else 0.0,
        e_value_against=0.0 if in_favour else standing.e_value,
        skewed=skewed,
        latency_ms=latency_ms,
    )
