"""The trading states: armed, paused, reduce-only or halted; every switch starts somewhere here."""

import enum
from collections.abc import Iterable
from typing import Final


class TradingState(enum.IntEnum):
    """What may be traded; the numbers go into decision records and never change their meaning."""

    ARMED = 0
    """New positions may be opened."""
    PAUSED = 1
    """No new positions; open ones are managed, working entry orders stay."""
    HALTED = 2
    """No new positions, working entry orders withdrawn; only a named person resumes."""
    REDUCE_ONLY = 3
    """No new positions, working entry orders withdrawn; open positions are managed."""

    @property
    def word(self) -> str:
        """Lower-case name for screens and events."""
        return self.name.lower()

    @property
    def withdraws(self) -> bool:
        """Whether entry orders that work at the broker are taken back."""
        return self in WITHDRAWING_STATES


WITHDRAWING_STATES: Final = frozenset({TradingState.REDUCE_ONLY, TradingState.HALTED})

STRICTNESS: Final = (
    TradingState.ARMED,
    TradingState.PAUSED,
    TradingState.REDUCE_ONLY,
    TradingState.HALTED,
)
"""From the mildest to the strictest."""

_RANK: Final = {state: rank for rank, state in enumerate(STRICTNESS)}


def rank_of(state: TradingState) -> int:
    """How strict a state is; 0 = armed."""
    return _RANK[state]


def strictest(states: Iterable[TradingState]) -> TradingState:
    """The state that counts when several switches bear on the same order."""
    return max(states, key=rank_of, default=TradingState.ARMED)
