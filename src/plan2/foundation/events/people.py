"""Facts about people, their keys and what they did; `*_id` are pseudonyms.

Personal data (names, addresses, where somebody sat) is named in `PERSONAL` and is sealed with the
subject's key before an event is stored; whoever erases the subject destroys that key.
"""

from typing import Final

from plan2.foundation.events.base import Event


class UserInvited(Event, frozen=True, kw_only=True, gc=False):
    """A link was made with which a person may join, or set a new password."""

    user_id: str
    name: str
    role: str
    purpose: str
    """`join` or `reset`."""
    by: str


class UserChanged(Event, frozen=True, kw_only=True, gc=False):
    """A person was added, got another role, was blocked or let in again."""

    user_id: str
    change: str
    """`created`, `role`, `blocked`, `unblocked`, `renamed`, `operator` or `removed`."""
    old_value: str
    new_value: str
    by: str


class CredentialChanged(Event, frozen=True, kw_only=True, gc=False):
    """A password, second factor or backup codes were set, used up or taken away."""

    user_id: str
    credential: str
    """`password`, `totp`, `backup_codes` or `telegram`: a paired chat."""
    change: str
    """`set`, `used`, `removed` or `failed`."""
    by: str


class SignInRefused(Event, frozen=True, kw_only=True, gc=False):
    """Somebody could not sign in; `user_id` is empty when there is no such person."""

    user_id: str
    reason: str
    ip_address: str


class SessionEnded(Event, frozen=True, kw_only=True, gc=False):
    """A session was ended before its time."""

    user_id: str
    session_id: str
    reason: str
    """`signed_out`, `revoked`, `stolen`, `password`, `role`, `blocked` or `suspended`."""
    by: str


class KeyIssued(Event, frozen=True, kw_only=True, gc=False):
    """A program got a key."""

    key_id: str
    user_id: str
    label: str
    scopes: tuple[str, ...]
    expires_ns: int
    by: str


class KeyRevoked(Event, frozen=True, kw_only=True, gc=False):
    """A program's key ended."""

    key_id: str
    user_id: str
    reason: str
    by: str


class ActionTaken(Event, frozen=True, kw_only=True, gc=False):
    """One request that could change something: who, from where, what, and how it ended.

    `before` and `after` are SHA-256 in hex of what was changed, "" where that does not apply.
    """

    user_id: str
    role: str
    via: str
    session_id: str
    ip_address: str
    request_id: str
    action: str
    """Method and path template."""
    target: str
    """The path's values, such as an order's id."""
    status: int
    code: str
    """The problem's code, "" when it was done."""
    before: str
    after: str


class ApprovalAsked(Event, frozen=True, kw_only=True, gc=False):
    """Something that needs a second person was proposed."""

    approval_id: str
    kind: str
    summary: str
    content_hash: str
    proposed_by: str
    expires_ns: int


class ApprovalDecided(Event, frozen=True, kw_only=True, gc=False):
    """A second person agreed or refused, or nobody did in time."""

    approval_id: str
    outcome: str
    """`approved`, `refused`, `withdrawn` or `expired`."""
    decided_by: str
    reason: str


class ConsentGiven(Event, frozen=True, kw_only=True, gc=False):
    """A person agreed to a use of their data."""

    user_id: str
    purpose: str
    version: int


class ConsentWithdrawn(Event, frozen=True, kw_only=True, gc=False):
    """A person no longer agrees."""

    user_id: str
    purpose: str
    version: int


class SubjectExported(Event, frozen=True, kw_only=True, gc=False):
    """All data about a person was handed out."""

    subject_id: str
    sha256: str
    by: str


class SubjectErased(Event, frozen=True, kw_only=True, gc=False):
    """A person's key was destroyed; what is kept in spite of that is named with its reason."""

    subject_id: str
    kept: tuple[str, ...]
    by: str


PERSONAL: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "UserAuthenticated": ("user_id", ("ip_address",)),
    "UserInvited": ("user_id", ("name",)),
    "SignInRefused": ("user_id", ("ip_address",)),
    "ActionTaken": ("user_id", ("ip_address",)),
    "KeyIssued": ("user_id", ("label",)),
}
"""Event name → the field that names the subject, and the fields that are sealed with its key."""
