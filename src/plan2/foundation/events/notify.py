"""Facts about telling people: what was handed over on which way, and what could not be.

Neither carries an address or the words of the message; `user_id` is a pseudonym.
"""

from plan2.foundation.events.base import Event


class NotifyUser(Event, frozen=True, kw_only=True, gc=False):
    """The order to tell a person something was carried out: their provider has the message."""

    notification_id: str
    """The same for every person and channel that is told the same thing."""
    user_id: str
    channel: str
    kind: str
    severity: str
    attempts: int


class NotificationFailed(Event, frozen=True, kw_only=True, gc=False):
    """A message could not be handed over; told at the first failure and when it is given up."""

    notification_id: str
    user_id: str
    channel: str
    kind: str
    severity: str
    reason: str
    attempts: int
    is_final: bool
