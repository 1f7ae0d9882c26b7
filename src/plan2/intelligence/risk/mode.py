"""What kind of money an account holds; what is not known counts as real."""

import enum
from typing import Final


class AccountMode(enum.IntEnum):
    """Kinds of accounts; the numbers go into decision records."""

    SIMULATED = 0
    REPLAY = 1
    DEMO = 2
    CONTEST = 3
    REAL = 4

    @property
    def word(self) -> str:
        """Lower-case name for people and events."""
        return self.name.lower()


NEVER_ARMED: Final = -1.0
"""Stands for the mode of an account that was never armed for any."""

SELF_ARMING: Final = frozenset({AccountMode.SIMULATED, AccountMode.REPLAY})
"""Accounts without anybody's money: they need no mode to be named."""

_WORDS: Final = {mode.word: mode for mode in AccountMode} | {"backtest": AccountMode.REPLAY}


def mode_of(word: str) -> AccountMode:
    """The mode that a terminal's word names; REAL for a word that nobody knows."""
    return _WORDS.get(word.lower(), AccountMode.REAL)


def armed_mode_of(word: str) -> float:
    """The number of the mode that an account was armed for; NEVER_ARMED for an unknown word."""
    mode = _WORDS.get(word.lower())
    return float(mode) if mode is not None else NEVER_ARMED
