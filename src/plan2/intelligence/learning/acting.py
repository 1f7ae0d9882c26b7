"""Carries out what the loop concluded: moves of candidates, rollbacks, requests for new ones."""

from collections.abc import Callable

from plan2.foundation.errors import InputError, ModelMismatch
from plan2.foundation.events.base import Event
from plan2.foundation.events.learning import PromotionJudged
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.learning.contests import Judgement, Standing, evidence_of, judge
from plan2.intelligence.learning.loop import LearningLoop
from plan2.intelligence.models.lifecycle import Alias, Candidate, Lifecycle, Move, State

ACTOR = "learning"
WATCHED = (State.SHADOW, State.CANARY)

Retrain = Callable[[str], bool]
"""Asks for a candidate because of a cause; false when a training runs already."""


class Actor:
    """Acts between bars, never on the tick path.

    Args:
        loop: what concluded. lifecycle: where candidates are moved. record: stores a fact.
        retrain: asks for a new candidate. skew: served vectors not confirmed by a replay so far.
    """

    def __init__(
        self,
        loop: LearningLoop,
        lifecycle: Lifecycle,
        record: Callable[[Event], None],
        retrain: Retrain,
        skew: Callable[[], int] = lambda: 0,
    ) -> None:
        self._loop = loop
        self._lifecycle = lifecycle
        self._record = record
        self._retrain = retrain
        self._skew = skew
        self._told: dict[str, tuple[str, int]] = {}
        self.refused: dict[str, str] = {}

    async def act(self) -> None:
        """Suspend what must go, judge the contests, ask for a candidate when one is due."""
        for symbol, reason in list(self._loop.suspend.items()):
            await self._suspend(symbol, reason)
            del self._loop.suspend[symbol]
        for candidate in self._lifecycle.candidates():
            if candidate.state in WATCHED:
                await self._judge(candidate)
            elif candidate.state is State.VALIDATED and self._may_be_watched(candidate):
                await self._move(candidate, State.SHADOW, "validated, and nobody is watched", ())
        cause = self._loop.retraining_cause()
        if cause and self._retrain(cause):
            self._loop.asked_for_candidate(cause)

    def _may_be_watched(self, candidate: Candidate) -> bool:
        """Whether all its symbols have a champion and no challenger yet."""
        return all(
            self._lifecycle.holder(symbol, Alias.CHAMPION) is not None
            and self._lifecycle.holder(symbol, Alias.CHALLENGER) is None
            for symbol in candidate.symbols
        )

    async def _suspend(self, symbol: str, reason: str) -> None:
        """Take the champion out and go back to the last good one, where there is one."""
        champion = self._lifecycle.holder(symbol, Alias.CHAMPION)
        if champion is None:
            return
        last_good = self._lifecycle.holder(symbol, Alias.LAST_GOOD)
        await self._move(champion, State.SUSPENDED, reason, ())
        if last_good is not None and last_good.candidate_id != champion.candidate_id:
            await self._move(last_good, State.CHAMPION, f"rollback: {reason}", ())

    async def _judge(self, candidate: Candidate) -> None:
        contest = self._loop.ledger.contests.get(candidate.candidate_id)
        if contest is None:
            return
        standing = contest.standing
        judgement = judge(standing, candidate.state, self._skew())
        moved = False
        if judgement.to is not None:
            evidence = evidence_of(standing)
            moved = await self._move(candidate, judgement.to, judgement.reason, evidence)
        self._tell(standing, judgement, moved=moved)

    async def _move(
        self, candidate: Candidate, to: State, reason: str, evidence: tuple[str, ...]
    ) -> bool:
        """Whether the registry did it; why not, a gate or models that cannot serve, is kept."""
        move = Move(
            candidate_id=candidate.candidate_id, to=to, by=ACTOR, reason=reason, evidence=evidence
        )
        try:
            await self._lifecycle.move(move)
        except (InputError, ModelMismatch) as error:
            self.refused[candidate.candidate_id] = str(error)
            return False
        self.refused.pop(candidate.candidate_id, None)
        return True

    def _tell(self, standing: Standing, judgement: Judgement, *, moved: bool) -> None:
        """Store a judgement when it moves somebody, when it changes, and otherwise once a day."""
        day = self._loop.now_ns // NS_PER_DAY
        if not moved and self._told.get(standing.candidate_id) == (judgement.verdict, day):
            return
        self._told[standing.candidate_id] = (judgement.verdict, day)
        self._record(
            PromotionJudged(
                ts_ns=self._loop.now_ns,
                candidate_id=standing.candidate_id,
                champion_id=",".join(standing.champion_ids),
                pairs=standing.pairs,
                e_value=standing.e_value,
                mean_difference=standing.mean_difference,
                days=standing.days,
                labels_effective=standing.labels_effective,
                verdict=judgement.verdict,
                moved_to=judgement.to.value if moved and judgement.to is not None else "",
                reason=self.refused.get(standing.candidate_id, judgement.reason),
            )
        )
