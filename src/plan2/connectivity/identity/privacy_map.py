"""The data map: where data about people is kept, why, for how long, and what erasure does to it.

Every table of a tenant is named here, either with its personal columns or as one without any; a
test holds the map against the database and the events. `subject` finds a person's rows.
"""

import enum
from typing import Final

import msgspec

BY_USER: Final = "user_id = %(subject)s"
CONTRACT: Final = "Art. 6(1)(b) GDPR: the contract with the person or their employer"
SECURITY: Final = "Art. 6(1)(f) GDPR: security of the system"
LAW: Final = "Art. 6(1)(c), 17(3)(b) GDPR: records that RTS 6 and RTS 24 demand for five years"
PROOF: Final = "Art. 7(1), 17(3)(e) GDPR: proof that consent was given"


class Fate(enum.StrEnum):
    """What erasure does."""

    REMOVED = "removed"
    REPLACED = "pseudonymised"
    SHREDDED = "shredded"
    """The key that it is sealed with is destroyed."""
    KEPT = "kept"


class TableMap(msgspec.Struct, frozen=True, kw_only=True):
    """A table with data about people.

    Attributes:
        table: its name in the tenant's schema.
        subject: SQL that finds the rows of `%(subject)s`.
        personal: columns about the person. secret: columns that are never handed out.
        plain: its other columns.
        category, purpose, basis, retention: what the law asks about it.
        fate: what erasure does. replaced: what an `update` sets where it pseudonymises.
    """

    table: str
    subject: str = BY_USER
    personal: tuple[str, ...]
    secret: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    category: str
    purpose: str
    basis: str
    retention: str
    fate: Fate
    replaced: str = ""

    @property
    def erasure(self) -> str:
        """The SQL that erases a person's rows; "" where they are kept."""
        if self.fate is Fate.REMOVED:
            return f"delete from {self.table} where {self.subject}"  # noqa: S608 - our own words
        if self.fate is Fate.REPLACED:
            return f"update {self.table} set {self.replaced} where {self.subject}"  # noqa: S608
        return ""


class EventMap(msgspec.Struct, frozen=True, kw_only=True):
    """A field of stored events with data about people."""

    event: str
    field: str
    category: str
    purpose: str
    basis: str
    retention: str
    fate: Fate = Fate.SHREDDED


ABOUT_A_JOB: Final = (
    "job_id", "kind", "parameters", "state", "started_ns", "ended_ns", "fraction", "message",
    "result", "failure", "log", "log_dropped",
)  # fmt: skip

TABLES: Final[tuple[TableMap, ...]] = (
    TableMap(
        table="refresh_token",
        subject="session_id in (select session_id from user_session where user_id = %(subject)s)",
        personal=("session_id", "issued_ns", "used_ns"),
        secret=("token_hash", "salt"),
        category="sessions",
        purpose="staying signed in",
        basis=CONTRACT,
        retention="until the session ends",
        fate=Fate.REMOVED,
    ),
    TableMap(
        table="user_session",
        personal=(
            "session_id",
            "user_id",
            "created_ns",
            "expires_ns",
            "revoked_ns",
            "via",
            "parent_id",
            "proven_ns",
            "last_seen_ns",
        ),
        secret=("secret_hash",),
        category="sessions",
        purpose="staying signed in",
        basis=CONTRACT,
        retention="until the session ends, 30 days at most",
        fate=Fate.REMOVED,
    ),
    TableMap(
        table="signin_token",
        personal=("user_id", "expires_ns", "used_ns"),
        secret=("token_hash",),
        category="credentials",
        purpose="signing in by link",
        basis=CONTRACT,
        retention="minutes",
        fate=Fate.REMOVED,
    ),
    TableMap(
        table="second_factor",
        personal=("factor_id", "user_id", "begun_ns", "confirmed_ns"),
        secret=("seed",),
        plain=("last_step",),
        category="credentials",
        purpose="second factor",
        basis=SECURITY,
        retention="until it is removed",
        fate=Fate.REMOVED,
    ),
    TableMap(
        table="backup_code",
        personal=("user_id", "used_ns"),
        secret=("code_hash",),
        category="credentials",
        purpose="second factor",
        basis=SECURITY,
        retention="until new ones are made",
        fate=Fate.REMOVED,
    ),
    TableMap(
        table="invitation",
        personal=("user_id", "purpose", "expires_ns", "used_ns"),
        secret=("token_hash",),
        category="credentials",
        purpose="joining, setting a new password",
        basis=CONTRACT,
        retention="days",
        fate=Fate.REMOVED,
    ),
    TableMap(
        table="api_key",
        personal=(
            "key_id",
            "user_id",
            "label",
            "networks",
            "created_ns",
            "created_by",
            "expires_ns",
            "last_used_ns",
            "revoked_ns",
            "revoked_reason",
        ),
        secret=("secret_hash",),
        plain=("environment", "role", "scopes"),
        category="credentials",
        purpose="access of the person's programs",
        basis=CONTRACT,
        retention="as long as the log, so that what a key did can be told",
        fate=Fate.REPLACED,
        replaced="label = '', networks = '{}', revoked_reason = 'erased', "
        "revoked_ns = coalesce(revoked_ns, %(now_ns)s)",
    ),
    TableMap(
        table="kept_answer",
        personal=("user_id", "headers", "body"),
        secret=("key_hash", "fingerprint"),
        plain=("claimed_ns", "status", "is_whole"),
        category="requests",
        purpose="answering a repeated request as the first one",
        basis=CONTRACT,
        retention="a day",
        fate=Fate.REMOVED,
    ),
    TableMap(
        table="setting",
        subject="scope = 'user' and subject = %(subject)s",
        personal=("subject", "key", "value", "changed_ns", "changed_by", "reason"),
        plain=("scope", "is_locked"),
        category="preferences",
        purpose="the person's own settings",
        basis=CONTRACT,
        retention="until they are changed",
        fate=Fate.REMOVED,
    ),
    TableMap(
        table="approval",
        subject="proposed_by in (%(subject)s, %(actor)s) or decided_by in (%(subject)s, %(actor)s)",
        personal=(
            "proposed_by",
            "decided_by",
            "ask_reason",
            "reason",
            "proposed_ns",
            "decided_ns",
            "summary",
            "payload",
        ),
        plain=("approval_id", "kind", "content_hash", "expires_ns", "state", "outcome"),
        category="decisions of people",
        purpose="four eyes over limits and going live",
        basis=LAW,
        retention="as long as the log",
        fate=Fate.KEPT,
    ),
    TableMap(
        table="job",
        subject="asked_by in (%(subject)s, %(actor)s)",
        personal=("asked_by", "asked_ns"),
        plain=ABOUT_A_JOB,
        category="actions of people",
        purpose="long work that somebody asked for, and what came of it",
        basis=LAW,
        retention="the newest 500 of a tenant",
        fate=Fate.KEPT,
    ),
    TableMap(
        table="candidate_move",
        subject="actor in (%(subject)s, %(actor)s)",
        personal=("actor", "reason", "at_ns"),
        plain=(
            *("move_id", "home", "candidate_id", "from_state", "to_state"),
            *("evidence", "is_override"),
        ),
        category="decisions of people",
        purpose="which models may trade, and who let them",
        basis=LAW,
        retention="as long as the log",
        fate=Fate.KEPT,
    ),
    TableMap(
        table="candidate_seat",
        subject="actor in (%(subject)s, %(actor)s)",
        personal=("actor", "reason", "at_ns"),
        plain=(
            *("seat_id", "home", "symbol", "alias"),
            *("candidate_id", "before", "is_rollback"),
        ),
        category="decisions of people",
        purpose="which models traded when, and who put them there",
        basis=LAW,
        retention="as long as the log",
        fate=Fate.KEPT,
    ),
    TableMap(
        table="consent",
        personal=("user_id", "purpose", "version", "is_given", "at_ns", "actor"),
        plain=("consent_id",),
        category="consent",
        purpose="proof of consent",
        basis=PROOF,
        retention="as long as the log",
        fate=Fate.KEPT,
    ),
    TableMap(
        table="app_user",
        personal=(
            "user_id",
            "name",
            "name_key",
            "role",
            "is_operator",
            "is_blocked",
            "created_at",
            "created_ns",
            "password_ns",
        ),
        secret=("password_hash",),
        category="identity",
        purpose="signing in, showing who did what",
        basis=CONTRACT,
        retention="until erasure",
        fate=Fate.REPLACED,
        replaced="name = 'erased-' || user_id, name_key = 'erased-' || user_id, "
        "password_hash = '', is_blocked = true, is_operator = false",
    ),
)
"""Tables with data about people, in the order in which erasure goes through them."""

EVENTS: Final[tuple[EventMap, ...]] = (
    EventMap(
        event="UserAuthenticated",
        field="ip_address",
        category="connection",
        purpose="finding stolen credentials",
        basis=SECURITY,
        retention="7 years, unreadable after erasure",
    ),
    EventMap(
        event="SignInRefused",
        field="ip_address",
        category="connection",
        purpose="finding attacks",
        basis=SECURITY,
        retention="7 years, unreadable after erasure",
    ),
    EventMap(
        event="ActionTaken",
        field="ip_address",
        category="connection",
        purpose="the audit trail: from where something was done",
        basis=SECURITY,
        retention="7 years, unreadable after erasure",
    ),
    EventMap(
        event="UserInvited",
        field="name",
        category="identity",
        purpose="the audit trail: who was let in",
        basis=SECURITY,
        retention="7 years, unreadable after erasure",
    ),
    EventMap(
        event="KeyIssued",
        field="label",
        category="credentials",
        purpose="the audit trail: which program got a key",
        basis=SECURITY,
        retention="7 years, unreadable after erasure",
    ),
)
"""Sealed fields of events; the same as `PERSONAL` in `foundation/events/people.py`."""

KEPT_IN_EVENTS: Final = (
    "orders, fills, decisions and switches that the person made, under the pseudonym",
    LAW,
    "7 years",
)
