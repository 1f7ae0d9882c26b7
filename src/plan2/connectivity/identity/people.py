"""People as they are stored: a user with what only signing in looks at."""

import enum
import unicodedata
from typing import Final, Protocol

from plan2.connectivity.identity.masked import Masked
from plan2.connectivity.identity.principal import User
from plan2.foundation.values import TenantId

NAME_MAX: Final = 64


class Change(enum.StrEnum):
    """What happened to a person."""

    CREATED = "created"
    ROLE = "role"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    RENAMED = "renamed"
    OPERATOR = "operator"
    REMOVED = "removed"
    PASSWORD = "password"  # noqa: S105 - a name


ENDING: Final = frozenset(
    {Change.ROLE, Change.BLOCKED, Change.OPERATOR, Change.REMOVED, Change.PASSWORD}
)
"""After these the person has to sign in again."""


class Person(Masked, frozen=True, kw_only=True):
    """A user with what only signing in looks at.

    Attributes:
        password_hash: argon2id in its encoded form; "" while there is no password.
        is_blocked: may not sign in.
        created_ns, password_ns: since when, UTC ns; `password_ns` 0 without a password.
    """

    user: User
    password_hash: str = ""
    is_blocked: bool = False
    created_ns: int = 0
    password_ns: int = 0

    @property
    def is_erased(self) -> bool:
        """Whether nothing but the pseudonym is left; no name that somebody chose is enough."""
        return self.is_blocked and self.user.name == erased_name(self.user.user_id)


class UserTable(Protocol):
    """Where people are kept."""

    async def load_people(self, tenant_id: TenantId) -> list[Person]:
        """Everybody of a tenant."""
        ...

    async def insert_person(self, person: Person) -> bool:
        """Keep a new person; False when the id or the name is taken."""
        ...

    async def update_person(self, person: Person, ended_ns: int | None) -> None:
        """Write a person anew; with a time, end all their sessions as of it, all or nothing."""
        ...


def erased_name(user_id: str) -> str:
    """What stands for the name of somebody who was erased, as the data map's SQL writes it too."""
    return f"erased-{user_id}"


def name_key(name: str) -> str:
    """What two names have in common that people would take for the same."""
    return unicodedata.normalize("NFKC", name).casefold()


def fault_of_name(name: str) -> str:
    """Why a name cannot be used; "" when it can."""
    if not 1 <= len(name) <= NAME_MAX:
        return f"A name has 1 to {NAME_MAX} characters."
    if not name.isprintable() or name != name.strip():
        return "A name has printable characters only and no space at its ends."
    return ""
