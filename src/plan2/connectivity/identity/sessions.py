"""Sessions: a random cookie, kept only as its hash, that ends at a fixed time or when revoked.

All live sessions are loaded at the start and held in memory; the table makes them survive a
restart. So checking a request costs one hash and one look-up, and an unknown cookie never
reaches the database. One process owns the table.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from plan2.connectivity.identity.rights import Role
from plan2.foundation.clock import Clock
from plan2.foundation.ids import IdSource
from plan2.foundation.values import NS_PER_HOUR

SESSIONS_MAX: Final = 1_000
"""Live sessions of a process; the one that ends first makes room for the next."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person or program of one tenant."""

    user_id: str
    name: str
    tenant_id: str
    role: Role


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is stored; `secret_hash` is the SHA-256 of the cookie. Times UTC ns."""

    session_id: str
    secret_hash: bytes
    user: User
    created_ns: int
    expires_ns: int


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A live session as routes see it; `csrf` is derived from the cookie and never stored."""

    session_id: str
    user: User
    csrf: str
    expires_ns: int


class SessionTable(Protocol):
    """Where sessions survive a restart."""

    async def load(self, now_ns: int) -> list[SessionRow]:
        """Every session that has neither ended nor been revoked."""
        ...

    async def insert(self, row: SessionRow) -> None:
        """Keep a new session; durable when this returns."""
        ...

    async def revoke(self, session_id: str, at_ns: int) -> None:
        """End a session for good; unknown ids are harmless."""
        ...


def new_secret() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """SHA-256 of a random secret; enough for 256 random bits, which nobody can guess."""
    return hashlib.sha256(secret.encode()).digest()


def csrf_of(secret: str) -> str:
    """The CSRF value that belongs to a cookie; it tells nothing about the cookie (BLAKE2b)."""
    return hashlib.blake2b(secret.encode(), digest_size=24, person=b"plan2-csrf").hexdigest()


class Sessions:
    """All live sessions.

    Args:
        table: durable storage. clock: wall time. ids: public session ids.
        hours: how long a session lasts; use does not prolong it.
        secret: source of cookies, for tests.
    """

    def __init__(
        self,
        table: SessionTable,
        clock: Clock,
        ids: IdSource,
        hours: int,
        secret: Callable[[], str] = new_secret,
    ) -> None:
        self._table = table
        self._clock = clock
        self._ids = ids
        self._life_ns = hours * NS_PER_HOUR
        self._secret = secret
        self._rows: dict[bytes, SessionRow] = {}
        self._shown: dict[bytes, Session] = {}
        self._hash_of: dict[str, bytes] = {}

    async def load(self) -> int:
        """Take over the sessions of earlier runs; the number found."""
        for row in await self._table.load(self._clock.now_ns()):
            self._keep(row)
        return len(self._rows)

    async def open(self, user: User) -> tuple[str, Session]:
        """Start a session; returns the cookie, which is shown only here, and the session."""
        now_ns = self._clock.now_ns()
        secret = self._secret()
        row = SessionRow(
            session_id=self._ids.next_id("session"),
            secret_hash=hash_secret(secret),
            user=user,
            created_ns=now_ns,
            expires_ns=now_ns + self._life_ns,
        )
        self._forget_ended(now_ns)
        if len(self._rows) >= SESSIONS_MAX:
            first = min(self._rows.values(), key=lambda kept: kept.expires_ns)
            await self.revoke(first.session_id)
        await self._table.insert(row)
        self._keep(row)
        return secret, _session(row, secret)

    def find(self, secret: str) -> Session | None:
        """The live session of a cookie, or None.

        The look-up is by hash, so its timing tells nothing about how near a guess was.
        """
        if not secret:
            return None
        secret_hash = hash_secret(secret)
        session = self._shown.get(secret_hash) or self._show(secret, secret_hash)
        if session is None or session.expires_ns <= self._clock.now_ns():
            return None
        return session

    def now_ns(self) -> int:
        """The wall time that sessions live by, UTC ns."""
        return self._clock.now_ns()

    def is_live(self, session_id: str) -> bool:
        """Whether a session has neither ended nor been revoked; open streams ask every second."""
        secret_hash = self._hash_of.get(session_id)
        if secret_hash is None:
            return False
        return self._rows[secret_hash].expires_ns > self._clock.now_ns()

    async def revoke(self, session_id: str) -> None:
        """End a session now: in memory first, so that it is dead even if the table is slow."""
        secret_hash = self._hash_of.get(session_id)
        if secret_hash is not None:
            self._drop(secret_hash)
        await self._table.revoke(session_id, self._clock.now_ns())

    def _show(self, secret: str, secret_hash: bytes) -> Session | None:
        """The session as routes see it, remembered until it ends."""
        row = self._rows.get(secret_hash)
        if row is None:
            return None
        self._shown[secret_hash] = _session(row, secret)
        return self._shown[secret_hash]

    def _drop(self, secret_hash: bytes) -> None:
        row = self._rows.pop(secret_hash)
        self._hash_of.pop(row.session_id, None)
        self._shown.pop(secret_hash, None)

    def _keep(self, row: SessionRow) -> None:
        self._rows[row.secret_hash] = row
        self._hash_of[row.session_id] = row.secret_hash

    def _forget_ended(self, now_ns: int) -> None:
        for row in [row for row in self._rows.values() if row.expires_ns <= now_ns]:
            self._drop(row.secret_hash)


def _session(row: SessionRow, secret: str) -> Session:
    return Session(
        session_id=row.session_id,
        user=row.user,
        csrf=csrf_of(secret),
        expires_ns=row.expires_ns,
    )


def is_csrf(session: Session, shown: str) -> bool:
    """Whether `shown` is the session's CSRF value; the comparison takes constant time."""
    return hmac.compare_digest(session.csrf.encode(), shown.encode())
