"""Signing in with a password, proving it again, and changing it.

Whatever the reason, a refusal is one and the same answer after the same work: unknown tenant or
person, wrong password, no code, a blocked person, a suspended tenant, too many tries. Each of them
costs one password check and one look at the code. The events tell the reasons apart.
"""

import enum
from typing import Final, Protocol

import msgspec

from plan2.connectivity.identity.directory import TenantDirectory
from plan2.connectivity.identity.lockout import Account, Lockout
from plan2.connectivity.identity.masked import Masked
from plan2.connectivity.identity.passwords import LENGTH_MAX, Passwords
from plan2.connectivity.identity.people import Person
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.session_rows import Caller
from plan2.connectivity.identity.sessions import Sessions
from plan2.connectivity.identity.users import UserBook
from plan2.foundation.clock import Clock
from plan2.foundation.errors import StoreBusy, VersionConflict
from plan2.foundation.events.people import SignInRefused
from plan2.foundation.events.recording import Record
from plan2.foundation.events.system import UserAuthenticated
from plan2.foundation.values import NS_PER_MINUTE

PROOF_LASTS_NS: Final = 5 * NS_PER_MINUTE
"""How long a proof of identity is good for step-up."""

Opened = tuple[str, Session]
"""A new cookie and its session."""


class SecondFactor(Protocol):
    """Codes that people show beside their password."""

    def is_needed(self, user: User) -> bool:
        """Whether this person has a second factor."""
        ...

    async def check(self, user: User | None, code: str) -> bool:
        """Use up a code; None stands for nobody: False, after the same time."""
        ...


class Credentials(Masked, frozen=True, kw_only=True):
    """What somebody who signs in typed."""

    tenant: str
    name: str
    password: str
    code: str = ""


class Refusal(enum.StrEnum):
    """Why nobody was let in; for the log, never for the caller."""

    TENANT = "tenant"
    UNKNOWN = "unknown"
    PASSWORD = "password"  # noqa: S105 - a name
    BLOCKED = "blocked"
    CODE = "code"


class SignInParts(msgspec.Struct, frozen=True, kw_only=True):
    """What signing in is made of."""

    book: UserBook
    passwords: Passwords
    sessions: Sessions
    directory: TenantDirectory
    second_factor: SecondFactor
    lockout: Lockout
    clock: Clock
    record: Record


class PasswordSignIn:
    """The way in by tenant, name, password and, for those who have one, a code."""

    def __init__(self, parts: SignInParts) -> None:
        self._parts = parts

    async def enter(self, asked: Credentials, caller: Caller) -> Opened | None:
        """Open a session; None when refused, whyever.

        Raises:
            Busy: too many sign in at once. StoreBusy: the session cannot be stored now.
        """
        account = Account(asked.tenant, asked.name)
        may_try = self._parts.lockout.begin(account, caller.address)
        person = self._parts.book.named(asked.tenant, asked.name)
        refusal = await self._examine(asked, person, may_try=may_try)
        if not may_try:
            # Said only now: a wait must not be told from a wrong password by its speed.
            return None
        if refusal is not None or person is None:
            self._note_refusal(asked.tenant, person, refusal or Refusal.UNKNOWN, caller)
            return None
        self._parts.lockout.succeeded(account, caller.address)
        return await self._open(person, caller)

    async def prove(
        self, session: Session, password: str, code: str, caller: Caller
    ) -> Opened | None:
        """Prove again who one is: the session gets a new cookie.

        A code, where the person has a second factor, else the password; all that is given must be
        right. None when refused.

        Raises:
            Busy: too many sign in at once. StoreBusy: the new cookie cannot be stored now.
        """
        if self.needs_code(session.user) and not code:
            return None
        if not await self._is_right(session, password, code, caller):
            return None
        return await self._parts.sessions.prove(session.session_id)

    def fault_of(self, user: User, password: str) -> str:
        """Why a person cannot take this password; "" when they can."""
        return self._parts.passwords.fault_of(password, (user.name, user.tenant_id))

    async def change_password(
        self, session: Session, old: str, new: str, caller: Caller
    ) -> Opened | None:
        """Set a password that was found fit: every session ends and a new one begins.

        None when the old one is wrong. Who has none yet, or has a second factor, must have proven
        who they are just now: the new session is a proven one.
        """
        parts = self._parts
        person = parts.book.find(session.user.tenant_id, session.user.user_id)
        if person is None:
            return None
        if self.needs_proof(person.user) and not is_proven(session, parts.clock.now_ns()):
            return None
        if person.password_hash and not await self._is_right(session, old, "", caller):
            return None
        password_hash = await parts.passwords.hash(new)
        user = person.user
        person = await parts.book.set_password(
            user.tenant_id, user.user_id, password_hash, by=session.actor
        )
        return await self._open(person, caller)

    def has_password(self, user: User) -> bool:
        """Whether a person has set a password."""
        person = self._parts.book.find(user.tenant_id, user.user_id)
        return person is not None and bool(person.password_hash)

    def needs_code(self, user: User) -> bool:
        """Whether a password alone does not prove who a person is: they have a second factor."""
        return self._parts.second_factor.is_needed(user)

    def needs_proof(self, user: User) -> bool:
        """Whether a person's new password takes a fresh proof beside the old password."""
        return self.needs_code(user) or not self.has_password(user)

    async def _is_right(self, session: Session, password: str, code: str, caller: Caller) -> bool:
        """Whether the person of a session shows what only they have; wrong tries are counted."""
        parts = self._parts
        person = parts.book.find(session.user.tenant_id, session.user.user_id)
        if person is None or person.is_blocked:
            return False
        account = Account(session.user.tenant_id, person.user.user_id, "proof")
        if not parts.lockout.begin(account, caller.address):
            return False
        is_right = bool(password or code)
        if password:
            is_right = (await parts.passwords.check(person.password_hash, password)).is_right
        if code:
            is_right = await parts.second_factor.check(person.user if is_right else None, code)
        if is_right:
            parts.lockout.succeeded(account, caller.address)
        else:
            self._note_refusal(session.user.tenant_id, person, Refusal.PASSWORD, caller)
        return is_right

    async def _examine(
        self, asked: Credentials, person: Person | None, *, may_try: bool
    ) -> Refusal | None:
        """Why these credentials are no good; the same work whatever they are."""
        parts = self._parts
        is_served = parts.directory.is_served(asked.tenant)
        known = person.password_hash if person is not None else ""
        password = asked.password if len(asked.password) <= LENGTH_MAX else ""
        verdict = await parts.passwords.check(known, password)
        is_right = verdict.is_right and is_served and may_try
        wants_code = is_right and person is not None and parts.second_factor.is_needed(person.user)
        code_user = person.user if wants_code and person is not None else None
        has_code = await parts.second_factor.check(code_user, asked.code)
        if not is_served:
            return Refusal.TENANT
        if person is None:
            return Refusal.UNKNOWN
        if not verdict.is_right:
            return Refusal.PASSWORD
        if person.is_blocked:
            return Refusal.BLOCKED
        if wants_code and not has_code:
            return Refusal.CODE
        if verdict.is_outdated and may_try:
            await self._rehash(person, password)
        return None

    async def _rehash(self, person: Person, password: str) -> None:
        try:
            newer = await self._parts.passwords.hash(password)
            await self._parts.book.rehash(person, newer)
        except StoreBusy:
            return  # the old hash is still good; the next time will do

    async def _open(self, person: Person, caller: Caller) -> Opened | None:
        """A session, unless the person or the tenant changed while the password was checked."""
        parts, user = self._parts, person.user
        now = parts.book.find(user.tenant_id, user.user_id)
        if now is None or now.is_blocked or now.user != user:
            return None
        if not parts.directory.is_served(user.tenant_id):
            return None
        try:
            cookie, session = await parts.sessions.open(user, caller)
        except VersionConflict:
            return None
        parts.record(
            user.tenant_id,
            f"user:{user.user_id}",
            UserAuthenticated(
                ts_ns=parts.clock.now_ns(),
                user_id=user.user_id,
                session_id=session.session_id,
                ip_address=caller.address,
            ),
            actor=session.actor,
        )
        return cookie, session

    def _note_refusal(
        self, tenant_id: str, person: Person | None, refusal: Refusal, caller: Caller
    ) -> None:
        """Write it into the tenant's log, if there is such a tenant."""
        if self._parts.directory.find(tenant_id) is None:
            return
        user_id = person.user.user_id if person is not None else ""
        refused = SignInRefused(
            ts_ns=self._parts.clock.now_ns(),
            user_id=user_id,
            reason=str(refusal),
            ip_address=caller.address,
        )
        stream = f"user:{user_id}" if user_id else "sign-in"
        self._parts.record(tenant_id, stream, refused)


def is_proven(session: Session, now_ns: int) -> bool:
    """Whether somebody proved who they are within the last five minutes."""
    return now_ns - session.proven_ns <= PROOF_LASTS_NS
