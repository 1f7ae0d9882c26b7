"""Seeded misfortunes on the way to and from the broker, for tests of the order path.

Each order draws its fate when it is submitted, so the same seed and the same orders meet the same
misfortunes. All chances are 0 unless a test asks for them.
"""

import msgspec
import numpy as np

from plan2.foundation.values import NS_PER_MS


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """How often each misfortune befalls an order; fractions of 1.

    Attributes:
        lost_order: it never reaches the broker; the answer is UNKNOWN.
        lost_reply: it is executed, but the answer is UNKNOWN.
        duplicate_reply: every answer arrives twice.
        delay: it arrives `delay_ms` later.
        partial_fill: an entry is filled for half of its lots, rounded down to a tradable volume.
    """

    seed: int = 0
    lost_order: float = 0.0
    lost_reply: float = 0.0
    duplicate_reply: float = 0.0
    delay: float = 0.0
    delay_ms: int = 2_000
    partial_fill: float = 0.0


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What will happen to one order."""

    is_lost: bool = False
    is_reply_lost: bool = False
    is_reply_double: bool = False
    is_partial: bool = False
    delay_ns: int = 0


class FaultDraw:
    """Deals out fates, one per order, from a seeded generator."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._generator = np.random.default_rng(faults.seed)

    def next_fate(self) -> Fate:
        """The fate of the next order; always five draws, so that no chance shifts another."""
        faults = self._faults
        lost, reply, double, late, part = self._generator.random(5).tolist()
        return Fate(
            is_lost=lost < faults.lost_order,
            is_reply_lost=reply < faults.lost_reply,
            is_reply_double=double < faults.duplicate_reply,
            is_partial=part < faults.partial_fill,
            delay_ns=faults.delay_ms * NS_PER_MS if late < faults.delay else 0,
        )
