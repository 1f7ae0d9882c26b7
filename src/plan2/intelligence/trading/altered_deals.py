"""Deals that the broker told differently than they are booked, and what a person made of it.

Such a deal forbids new risk until the broker tells it as before, or a person has looked: arming the
account again with a reason says so, as for every halt. What was looked at then does not halt again,
also after a restart; should the broker tell it in yet another way, it does.
"""

from typing import Final

from plan2.foundation.events.account import TradingStateChanged
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import ReconciliationDifference
from plan2.intelligence.risk.switch import Scope
from plan2.intelligence.trading.summary import SETTLED
from plan2.intelligence.trading.switching import PERSON

ALTERED: Final = "deal_altered"
HALTED: Final = "halted"
SEEN_KEPT: Final = 1_000
"""Deals remembered as looked at; a broker corrects a deal within days, not years."""


class AlteredDeals:
    """Folded from events; `unseen` and `seen` give what the broker tells, in words, by fill."""

    def __init__(self) -> None:
        self.unseen: dict[str, str] = {}
        self.seen: dict[str, str] = {}

    def apply(self, event: Event) -> None:
        """Fold one event; those about other things are ignored."""
        if isinstance(event, ReconciliationDifference):
            if event.kind == ALTERED:
                self._hear(event)
        elif isinstance(event, TradingStateChanged):
            is_account = event.scope == Scope.ACCOUNT and event.new_state == "armed"
            if is_account and event.actor.startswith(PERSON):
                self.seen |= self.unseen
                self.unseen.clear()
        while len(self.seen) > SEEN_KEPT:
            del self.seen[next(iter(self.seen))]

    def _hear(self, event: ReconciliationDifference) -> None:
        fill_id, _, words = event.theirs.partition(": ")
        if event.action == HALTED:
            self.unseen[fill_id] = words
            self.seen.pop(fill_id, None)
        elif event.action == SETTLED:
            self.unseen.pop(fill_id, None)
