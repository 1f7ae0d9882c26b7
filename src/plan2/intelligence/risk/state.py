"""The trading switch of an account: armed, paused or halted; it starts halted."""

import enum


class TradingState(enum.IntEnum):
    """What the account may do; the numbers go into decision records."""

    ARMED = 0
    """New positions may be opened."""
    PAUSED = 1
    """No new positions; open ones are managed."""
    HALTED = 2
    """No new positions; only a named person resumes."""

    @property
    def word(self) -> str:
        """Lower-case name for screens and events."""
        return self.name.lower()
