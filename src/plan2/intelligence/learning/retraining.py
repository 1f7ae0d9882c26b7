"""When a new candidate is asked for: by schedule, by new labels, or because of drift.

One request per slot (the symbols that are trained together), never while one runs, and never two
within the pause: a drift that a new model does not cure must not burn the machine.
"""

import msgspec

from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR
from plan2.intelligence.learning.triggers import RESPONSES, Signal


class RetrainingRules(msgspec.Struct, frozen=True, kw_only=True):
    """How often; a number of labels of 0 switches that cause off."""

    every_days: float = 7.0
    labels_new: float = 500.0
    pause_hours: float = 24.0


class Retraining:
    """The state of one slot."""

    def __init__(self, slot: str, rules: RetrainingRules, since_ns: int) -> None:
        self.slot = slot
        self.labels_new = 0.0
        self.is_running = False
        self._rules = rules
        self._asked_ns = since_ns
        self._was_asked = False
        self._drift: Signal | None = None

    def count(self, labels_effective: float) -> None:
        """Add new resolved labels."""
        self.labels_new += labels_effective

    def on_signal(self, signal: Signal) -> None:
        """A signal rose; only those whose response says so ask for a candidate."""
        if RESPONSES[signal].retrains:
            self._drift = signal

    def cause(self, now_ns: int) -> str:
        """Why a candidate should be asked for now; empty when it should not."""
        if self.is_running:
            return ""
        if self._was_asked and now_ns - self._asked_ns < self._rules.pause_hours * NS_PER_HOUR:
            return ""
        if self._drift is not None:
            return str(self._drift)
        if now_ns - self._asked_ns >= self._rules.every_days * NS_PER_DAY:
            return str(Signal.SCHEDULE)
        if 0.0 < self._rules.labels_new <= self.labels_new:
            return "new_labels"
        return ""

    def asked(self, now_ns: int) -> None:
        """A candidate was asked for: everything is counted anew."""
        self._asked_ns, self._was_asked = now_ns, True
        self._drift, self.labels_new = None, 0.0
