"""The life of a candidate: what a training run brings, on its way to serving and out of it.

    DRAFT → TRAINED → VALIDATED → SHADOW → CANARY → CHAMPION → RETIRED      (SUSPENDED, REJECTED)

A candidate is the set of models that forecast together; models are immutable, a candidate only
changes its state. Aliases say who serves a symbol: the champion, the challenger that is being
watched beside it, and the last good champion that a rollback returns to.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

from plan2.foundation.errors import InputError


class State(enum.StrEnum):
    """How far a candidate has come."""

    DRAFT = "draft"
    TRAINED = "trained"
    VALIDATED = "validated"
    SHADOW = "shadow"
    CANARY = "canary"
    CHAMPION = "champion"
    RETIRED = "retired"
    SUSPENDED = "suspended"
    REJECTED = "rejected"


class Alias(enum.StrEnum):
    """A movable name for the candidate that has a part at a symbol."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"
    LAST_GOOD = "last_good"


_ENDS: Final = frozenset({State.REJECTED, State.RETIRED})
TRANSITIONS: Final[Mapping[State, frozenset[State]]] = {
    State.DRAFT: frozenset({State.TRAINED, State.REJECTED}),
    # The first candidate of a symbol has no champion to be watched beside.
    State.TRAINED: frozenset({State.VALIDATED, State.CHAMPION, State.REJECTED}),
    State.VALIDATED: frozenset({State.SHADOW, State.CHAMPION, *_ENDS}),
    State.SHADOW: frozenset({State.CANARY, State.SUSPENDED, *_ENDS}),
    State.CANARY: frozenset({State.CHAMPION, State.SHADOW, State.SUSPENDED, *_ENDS}),
    State.CHAMPION: frozenset({State.RETIRED, State.SUSPENDED}),
    State.RETIRED: frozenset({State.CHAMPION}),  # a rollback to the last good one
    State.SUSPENDED: frozenset({State.SHADOW, State.RETIRED}),
    State.REJECTED: frozenset(),
}
"""Where each state may go; anything else is refused, by the database too."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Models that forecast together, and how far they have come.

    `metrics` are the ensemble's, of out-of-sample forecasts (`training.report.metrics_of`);
    `created_ns`, `since_ns` (of the state): UTC. `parent`: the champion that it would follow.
    """

    candidate_id: str
    symbols: tuple[str, ...]
    model_ids: tuple[str, ...]
    schema_id: str
    state: State
    created_ns: int
    since_ns: int
    verdict: str
    flags: tuple[str, ...]
    metrics: dict[str, float]
    parent: str = ""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to change a candidate's state: who wants it, why, and on what evidence."""

    candidate_id: str
    to: State
    by: str
    reason: str
    evidence: tuple[str, ...] = ()


class IllegalTransition(InputError):
    """A candidate cannot go from its state to the wanted one."""


class Lifecycle(Protocol):
    """Candidates and aliases of the installation; reads are from memory."""

    def candidates(self) -> Sequence[Candidate]:
        """All of them, newest first."""
        ...

    def candidate(self, candidate_id: str) -> Candidate | None:
        """One of them."""
        ...

    def holder(self, symbol: str, alias: Alias) -> Candidate | None:
        """Who holds an alias at a symbol."""
        ...

    async def move(self, move: Move) -> Candidate:
        """Change a candidate's state, with the aliases that follow from it, durably.

        Raises:
            IllegalTransition: the state does not lead there.
            InputError: there is no such candidate, or a gate of the state is not passed.
        """
        ...
