"""The port through which everything beside trading writes facts into a tenant's log."""

from typing import Protocol

from plan2.foundation.events.base import Event


class Record(Protocol):
    """Takes a fact for a tenant's log; synchronous, cheap, stored soon after, never lost silently.

    Personal fields (`events/people.py: PERSONAL`) are sealed on the way.
    """

    def __call__(
        self,
        tenant_id: str,
        stream: str,
        event: Event,
        *,
        actor: str = "system",
        correlation_id: str = "",
    ) -> None:
        """Write down `event` in `stream` (such as `user:…`, `tenant:…`, `settings`)."""
        ...
