"""One-time links with which a person sets a password: to join, or after losing the old one.

A link is shown once, to the administrator who hands it over; its token names the tenant and holds
256 random bits, of which only the hash is kept. It is good once and for 48 hours, and a new link
for the same person puts an end to the one before.
"""

import enum
import re
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from plan2.connectivity.identity.masked import Masked
from plan2.connectivity.identity.passwords import Passwords
from plan2.connectivity.identity.people import Person
from plan2.connectivity.identity.sessions import hash_secret
from plan2.connectivity.identity.users import UserBook
from plan2.foundation.clock import Clock
from plan2.foundation.events.people import UserInvited
from plan2.foundation.events.recording import Record
from plan2.foundation.values import NS_PER_HOUR, TenantId

LIFE_NS: Final = 48 * NS_PER_HOUR
TOKEN_MAX: Final = 128
TOKEN: Final = re.compile(r"([a-z0-9_]{1,48})\.([A-Za-z0-9_-]{43})")


class Purpose(enum.StrEnum):
    """What a link is for."""

    JOIN = "join"
    RESET = "reset"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link as it is kept; `expires_ns` is UTC ns."""

    token_hash: bytes
    user_id: str
    purpose: Purpose
    expires_ns: int


class Invitation(Masked, frozen=True, kw_only=True):
    """A new link; the token is shown only here. `expires_ns` is UTC ns."""

    person: Person
    token: str
    purpose: Purpose
    expires_ns: int


class NotJoined(msgspec.Struct, frozen=True):
    """Why nobody joined: the link is no good (`fault` is ""), or the password is not."""

    fault: str


class InvitationTable(Protocol):
    """Where links are kept."""

    async def put(self, tenant_id: TenantId, link: Link) -> None:
        """Keep a new link in the place of all others for the same person."""
        ...

    async def find(self, tenant_id: TenantId, token_hash: bytes, now_ns: int) -> Link | None:
        """A link that is still good."""
        ...

    async def use(self, tenant_id: TenantId, token_hash: bytes, now_ns: int) -> bool:
        """Use a link up; False when it is no good any more."""
        ...

    async def invited(self, tenant_id: TenantId, now_ns: int) -> set[str]:
        """Everybody with a link that is still good."""
        ...


class Invitations:
    """Makes links and takes them in.

    Args:
        book: people. passwords: what a password must be, and its hash. table: durable storage.
        clock: wall time. record: writes facts down. secret: 256 random bits, URL-safe.
    """

    def __init__(
        self,
        book: UserBook,
        passwords: Passwords,
        table: InvitationTable,
        clock: Clock,
        record: Record,
        secret: Callable[[], str],
    ) -> None:
        self._book = book
        self._passwords = passwords
        self._table = table
        self._clock = clock
        self._record = record
        self._secret = secret

    async def make(self, person: Person, purpose: Purpose, by: str) -> Invitation:
        """A link for somebody who is in the book; `by` is who asked for it, such as `user:…`."""
        user, now_ns = person.user, self._clock.now_ns()
        secret = self._secret()
        link = Link(
            token_hash=hash_secret(secret),
            user_id=user.user_id,
            purpose=purpose,
            expires_ns=now_ns + LIFE_NS,
        )
        await self._table.put(TenantId(user.tenant_id), link)
        event = UserInvited(
            ts_ns=now_ns,
            user_id=user.user_id,
            name=user.name,
            role=str(user.role),
            purpose=str(purpose),
            by=by,
        )
        self._record(user.tenant_id, f"user:{user.user_id}", event, actor=by)
        return Invitation(
            person=person,
            token=f"{user.tenant_id}.{secret}",
            purpose=purpose,
            expires_ns=link.expires_ns,
        )

    async def look(self, token: str) -> Person | None:
        """Who a token is for; None when it is no good. Looking uses nothing up."""
        found = await self._find(token)
        return found[0] if found is not None else None

    async def join(self, token: str, password: str, name: str = "") -> Person | NotJoined:
        """Set the password of whom the token is for, once; every session of theirs ends.

        Args:
            token: as in the link.
            password: the new one.
            name: another name for somebody who joins; "" keeps the one that was given.

        Raises:
            InputError: the name is unusable or taken; the link stays good.
            StoreBusy: the database or the threads for passwords are busy.
        """
        found = await self._find(token)
        if found is None:
            return NotJoined("")
        person, link = found
        user = person.user
        fault = self._passwords.fault_of(password, (name, user.name, user.tenant_id))
        if fault:
            return NotJoined(fault)
        hashed = await self._passwords.hash(password)
        me = f"user:{user.user_id}"
        if name and link.purpose is Purpose.JOIN:
            await self._book.rename(user.tenant_id, user.user_id, name, by=me)
        now_ns = self._clock.now_ns()
        if not await self._table.use(TenantId(user.tenant_id), link.token_hash, now_ns):
            return NotJoined("")
        return await self._book.set_password(user.tenant_id, user.user_id, hashed, by=me)

    async def waiting(self, tenant_id: str) -> set[str]:
        """Everybody of a tenant with a link that is still good."""
        return await self._table.invited(TenantId(tenant_id), self._clock.now_ns())

    async def _find(self, token: str) -> tuple[Person, Link] | None:
        parts = TOKEN.fullmatch(token)
        # A tenant that the book does not know has no tables to ask.
        if parts is None or not self._book.of_tenant(parts[1]):
            return None
        tenant_id, hash_ = TenantId(parts[1]), hash_secret(parts[2])
        link = await self._table.find(tenant_id, hash_, self._clock.now_ns())
        person = self._book.find(tenant_id, link.user_id) if link is not None else None
        if link is None or person is None or person.is_blocked:
            return None
        return person, link
