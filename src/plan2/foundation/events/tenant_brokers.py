"""Facts about the broker accounts of tenants other than the first."""

from plan2.foundation.events.base import Event


class TenantBrokerChanged(Event, frozen=True, kw_only=True, gc=False):
    """A broker account was bound, its terminal was met for the first time, or it was let go.

    The login is in no event; the account is named as Plan2 names it.
    """

    account_id: str
    change: str
    """`bound`, `met` or `unbound`."""
    mode: str
    """`demo`, `contest` or `real`."""
    reason: str
    by: str


class TerminalKeyChanged(Event, frozen=True, kw_only=True, gc=False):
    """A key that lets a terminal in was made or revoked from the page or by the API."""

    account_id: str
    key_id: str
    change: str
    """`made` or `revoked`."""
    by: str
