"""How a champion stands: how much of a size it is worth, and whether real money may follow it."""

from typing import Final

import msgspec

from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.models.lifecycle import Candidate

UNPROVEN: Final = "UNPROVEN"
"""Flag of a candidate that serves without having passed the gate of validation."""
OLD_FACTOR: Final = 0.5
"""What is left of a size when a champion is past its expiry (ML-079)."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the decisions on a symbol heed besides the forecast.

    `size_factor`: share of a size, in [0, 1]. `is_proven`: whether it passed validation.
    `candidate_id`: whose standing it is, "" = nobody's. `words`: why it is not sound, or "".
    """

    candidate_id: str = ""
    size_factor: float = 1.0
    is_proven: bool = True
    words: str = ""


SOUND: Final = Standing()
"""Nothing is held against the models."""


class Expiry(msgspec.Struct, frozen=True, kw_only=True):
    """When a champion is old, and when it is too old; days since it was trained."""

    days: int
    suspend_days: int

    def is_old(self, trained_ns: int, now_ns: int) -> bool:
        """Whether only half of a size is left."""
        return now_ns - trained_ns >= self.days * NS_PER_DAY

    def is_over(self, trained_ns: int, now_ns: int) -> bool:
        """Whether a champion is too old to serve."""
        return now_ns - trained_ns >= self.suspend_days * NS_PER_DAY


class Age(msgspec.Struct, frozen=True, kw_only=True):
    """When models were trained, UTC ns, and what follows from it."""

    trained_ns: int
    expiry: Expiry

    def standing(self, now_ns: int) -> Standing:
        """How they stand by their age alone."""
        is_old = self.expiry.is_old(self.trained_ns, now_ns)
        return Standing(size_factor=OLD_FACTOR) if is_old else SOUND

    def is_over(self, now_ns: int) -> bool:
        """Whether they are too old to serve."""
        return self.expiry.is_over(self.trained_ns, now_ns)


def age_days(candidate: Candidate, now_ns: int) -> float:
    """Days since a candidate was trained."""
    return (now_ns - candidate.created_ns) / NS_PER_DAY


def standing_of(candidate: Candidate, expiry: Expiry, now_ns: int) -> Standing:
    """How a champion stands now."""
    is_old = expiry.is_old(candidate.created_ns, now_ns)
    is_proven = UNPROVEN not in candidate.flags
    words = []
    if not is_proven:
        words.append("unproven: it has not passed the gate of validation")
    if is_old:
        words.append(
            f"{age_days(candidate, now_ns):.0f} days old: half the size, "
            f"suspended at {expiry.suspend_days} days"
        )
    return Standing(
        candidate_id=candidate.candidate_id,
        size_factor=OLD_FACTOR if is_old else 1.0,
        is_proven=is_proven,
        words="; ".join(words),
    )


def stranded(candidate_id: str) -> Standing:
    """How models stand that go on because the champion's cannot be loaded."""
    return Standing(
        candidate_id=candidate_id,
        is_proven=False,
        words="not the champion, whose models cannot be loaded",
    )


def scaled(standing: Standing, drift: float) -> Standing:
    """The standing with what the learning loop holds against the champion: `drift` in [0, 1]."""
    if drift >= standing.size_factor:
        return standing
    words = f"drifting: sizes ×{drift:g}"
    return msgspec.structs.replace(
        standing,
        size_factor=drift,
        words="; ".join(filter(None, (standing.words, words))),
    )
