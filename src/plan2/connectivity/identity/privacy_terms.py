"""The words of the data map: legal bases, what erasure does, and the shape of an entry."""

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
