"""Sessions: a random cookie, kept only as its hash, that ends at a fixed time or when revoked.

All live sessions of all tenants are loaded at the start and held in memory; the table makes them
survive a restart. So checking a request costs one hash and one look-up, and an unknown cookie
never reaches the database. A session ends in memory first: from then on nothing that belongs to it
is good, neither cookie nor token nor stream. One process owns the table.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Final

import msgspec

from plan2.connectivity.identity.directory import Tenant, TenantState
from plan2.connectivity.identity.people import ENDING, Change, Person
from plan2.connectivity.identity.principal import Session, User, Via
from plan2.connectivity.identity.session_rows import (
    NOWHERE,
    Caller,
    Live,
    LiveSessions,
    SessionRow,
    SessionTable,
)
from plan2.foundation.clock import Clock
from plan2.foundation.errors import StoreBusy, VersionConflict
from plan2.foundation.events.people import SessionEnded
from plan2.foundation.events.recording import Record
from plan2.foundation.ids import IdSource
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, TenantId

OF_PERSON_MAX: Final = 50
OF_TENANT_MAX: Final = 2_000
"""Live sessions; the one that ends first makes room for the next."""
TOKEN_LIFE_NS: Final = 30 * NS_PER_DAY
"""How long a family of tokens lives at most, however often it is renewed."""
WRITE_EVERY_S: Final = 1.0
SEEN_EVERY: Final = 60
"""Every how many rounds the last uses are written."""

REASON_OF: Final = {
    Change.ROLE: "role",
    Change.OPERATOR: "role",
    Change.BLOCKED: "blocked",
    Change.REMOVED: "blocked",
    Change.PASSWORD: "password",
}


def new_secret() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """SHA-256 of a random secret; enough for 256 random bits, which nobody can guess."""
    return hashlib.sha256(secret.encode()).digest()


def csrf_of(secret: str) -> str:
    """The CSRF value that belongs to a cookie; it tells nothing about the cookie (BLAKE2b)."""
    return hashlib.blake2b(secret.encode(), digest_size=24, person=b"plan2-csrf").hexdigest()


def is_csrf(session: Session, shown: str) -> bool:
    """Whether `shown` is the session's CSRF value; the comparison takes constant time."""
    return hmac.compare_digest(session.csrf.encode(), shown.encode())


class Sessions:
    """All live sessions of all tenants.

    Args:
        table: durable storage. clock: wall time. ids: public session ids.
        hours: how long a cookie's session lasts; use does not prolong it.
        record: takes `SessionEnded`. secret: source of cookies, for tests.
    """

    def __init__(
        self,
        table: SessionTable,
        clock: Clock,
        ids: IdSource,
        hours: int,
        record: Record,
        secret: Callable[[], str] = new_secret,
    ) -> None:
        self._table = table
        self._clock = clock
        self._ids = ids
        self._life_ns = hours * NS_PER_HOUR
        self._record = record
        self._secret = secret
        self._live = LiveSessions()
        self._ended_tenants: set[str] = set()
        self._seen_until_ns = 0

    async def load(self, tenants: Sequence[TenantId], suspended: Sequence[TenantId] = ()) -> int:
        """Take over the sessions of earlier runs, also of a tenant made later; how many live now.

        Sessions of `suspended` tenants end, should a crash have kept that from being written.
        """
        now_ns = self._clock.now_ns()
        self._ended_tenants.update(suspended)
        await self._write_ends(now_ns)
        for tenant_id in tenants:
            for row in await self._table.load_sessions(tenant_id, now_ns):
                if self._live.by_id(row.session_id) is None:
                    self._live.add(Live(row))
        return len(self._live)

    async def open(
        self,
        user: User,
        caller: Caller = NOWHERE,
        *,
        parent: Session | None = None,
    ) -> tuple[str, Session]:
        """Start a session; returns the cookie, which is shown only here, and the session.

        With a parent it is a family of tokens, which ends with the parent; it has no cookie.

        Raises:
            VersionConflict: the person or tenant lost the right to one meanwhile.
            StoreBusy: it cannot be stored now.
        """
        now_ns = self._clock.now_ns()
        secret = self._secret()
        row = SessionRow(
            session_id=self._ids.next_id("session"),
            secret_hash=hash_secret(secret),
            user=user,
            created_ns=now_ns,
            expires_ns=now_ns + (self._life_ns if parent is None else TOKEN_LIFE_NS),
            via=Via.COOKIE if parent is None else Via.TOKEN,
            parent_id="" if parent is None else parent.session_id,
            proven_ns=now_ns if parent is None else parent.proven_ns,
            last_seen_ns=now_ns,
        )
        await self._make_room(user, now_ns)
        live = Live(row, caller)
        # In memory before it is stored: a suspension that comes meanwhile must find it.
        self._live.add(live)
        with ExitStack() as unfinished:  # a cancelled caller too must leave nothing behind
            unfinished.callback(self._live.drop, live)
            await self._table.insert_session(row)
            unfinished.pop_all()
        await self._refuse_if_over(live)
        return secret, row.session(csrf_of(secret) if parent is None else "")

    def find(self, secret: str) -> Session | None:
        """The live session of a cookie, or None.

        The look-up is by hash, so its timing tells nothing about how near a guess was.
        """
        if not secret:
            return None
        live = self._live.by_hash(hash_secret(secret))
        if live is None:
            return None
        now_ns = self._clock.now_ns()
        if live.row.expires_ns <= now_ns:
            return None
        live.last_seen_ns = now_ns
        if live.shown is None:
            live.shown = live.row.session(csrf_of(secret))
        return live.shown

    def live(self, session_id: str) -> Live | None:
        """The session with this id while it is neither over nor too old."""
        live = self._live.by_id(session_id)
        if live is None or live.row.expires_ns <= self._clock.now_ns():
            return None
        return live

    def now_ns(self) -> int:
        """The wall time that sessions live by, UTC ns."""
        return self._clock.now_ns()

    def is_live(self, session_id: str) -> bool:
        """Whether a session has neither ended nor been revoked; open streams ask every second."""
        return self.live(session_id) is not None

    def list_of(self, tenant_id: str, user_id: str) -> list[Live]:
        """A person's sessions, oldest first."""
        now_ns = self._clock.now_ns()
        mine = self._live.of_user(tenant_id, user_id)
        return [live for live in mine if live.row.expires_ns > now_ns]

    async def prove(self, session_id: str) -> tuple[str, Session] | None:
        """Note that the person proved who they are; the session goes on with a new cookie.

        None when it is over, or has no cookie.
        """
        live = self.live(session_id)
        if live is None or live.row.via is not Via.COOKIE:
            return None
        secret = self._secret()
        row = msgspec.structs.replace(
            live.row, secret_hash=hash_secret(secret), proven_ns=self._clock.now_ns()
        )
        await self._table.renew_session(row)
        if live.is_over:
            return None
        self._live.swap(live, msgspec.structs.replace(row, user=live.row.user))
        return secret, live.row.session(csrf_of(secret))

    async def revoke(self, session_id: str, reason: str = "signed_out", by: str = "") -> None:
        """End a session now, and the tokens that came from it; unknown ids are harmless."""
        live = self._live.by_id(session_id)
        if live is not None:
            await self._end(self._live.family_of(live), reason, by)

    async def end_user(
        self, tenant_id: str, user_id: str, reason: str, by: str, *, keeps: str = ""
    ) -> int:
        """End every session of a person but one; how many ended."""
        mine = self._live.of_user(tenant_id, user_id)
        ending = [live for live in mine if live.row.session_id != keeps]
        await self._end(ending, reason, by)
        return len(ending)

    def on_person(self, person: Person, change: Change) -> None:
        """Follow a change of a person, which the table has already taken."""
        user = person.user
        for live in self._live.of_user(user.tenant_id, user.user_id):
            if change in ENDING:
                self._over(live, REASON_OF[change], f"user:{user.user_id}")
            else:
                live.replace(msgspec.structs.replace(live.row, user=user))

    def on_tenant(self, tenant: Tenant) -> None:
        """End everything of a tenant that is not served any more."""
        if tenant.state is TenantState.READY:
            return
        for live in self._live.of_tenant(tenant.tenant_id):
            if tenant.state is TenantState.SUSPENDED:
                self._over(live, "suspended", "system")
            else:
                self._live.drop(live)
        if tenant.state is TenantState.SUSPENDED:
            self._ended_tenants.add(tenant.tenant_id)
        else:
            self._ended_tenants.discard(tenant.tenant_id)  # its tables are going, or gone

    async def run(self) -> None:
        """Write ends of suspended tenants and last uses until cancelled."""
        rounds = 0
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            rounds += 1
            try:
                await self.write(seen=rounds % SEEN_EVERY == 0)
            except StoreBusy:
                continue  # nothing is forgotten; the next round tries again

    async def write(self, *, seen: bool) -> None:
        """Write what is only in memory so far, and forget sessions that are too old.

        Raises:
            StoreBusy: not all could be written; what is left is tried again.
        """
        now_ns = self._clock.now_ns()
        await self._write_ends(now_ns)
        if not seen:
            return
        for tenant_id in self._live.tenants():
            self._forget_old(tenant_id, now_ns)
            used = {
                live.row.session_id: live.last_seen_ns
                for live in self._live.of_tenant(tenant_id)
                if live.last_seen_ns > self._seen_until_ns
            }
            if used:
                await self._table.note_seen(TenantId(tenant_id), used)
        self._seen_until_ns = now_ns

    async def _write_ends(self, now_ns: int) -> None:
        busy: StoreBusy | None = None
        for tenant_id in sorted(self._ended_tenants):
            try:
                await self._table.end_sessions(TenantId(tenant_id), None, now_ns)
            except StoreBusy as error:  # one whose tables are going or coming keeps nobody waiting
                busy = error
            else:
                self._ended_tenants.discard(tenant_id)
        if busy is not None:
            raise busy

    async def _end(self, ending: Iterable[Live], reason: str, by: str) -> None:
        """In memory first, so that they are dead even if the table is slow."""
        ids: dict[str, list[str]] = {}
        for live in ending:
            if not live.is_over:
                self._over(live, reason, by or f"user:{live.row.user.user_id}")
            ids.setdefault(live.row.user.tenant_id, []).append(live.row.session_id)
        for tenant_id, session_ids in ids.items():
            await self._table.end_sessions(TenantId(tenant_id), session_ids, self._clock.now_ns())

    def _over(self, live: Live, reason: str, by: str) -> None:
        self._live.drop(live)
        user = live.row.user
        ended = SessionEnded(
            ts_ns=self._clock.now_ns(),
            user_id=user.user_id,
            session_id=live.row.session_id,
            reason=reason,
            by=by,
        )
        self._record(user.tenant_id, f"user:{user.user_id}", ended, actor=by)

    async def _refuse_if_over(self, live: Live) -> None:
        """A session that ended while it was being stored must not come back with a restart."""
        if live.is_over:
            row = live.row
            await self._table.end_sessions(
                TenantId(row.user.tenant_id), [row.session_id], self._clock.now_ns()
            )
            raise VersionConflict("The right to sign in ended meanwhile.")

    async def _make_room(self, user: User, now_ns: int) -> None:
        self._forget_old(user.tenant_id, now_ns)
        mine = self._live.of_user(user.tenant_id, user.user_id)
        everybody = self._live.of_tenant(user.tenant_id)
        for found, most in ((mine, OF_PERSON_MAX), (everybody, OF_TENANT_MAX)):
            if len(found) >= most:
                first = min(found, key=lambda live: live.row.expires_ns)
                await self.revoke(first.row.session_id, "revoked", "system")

    def _forget_old(self, tenant_id: str, now_ns: int) -> None:
        for live in self._live.of_tenant(tenant_id):
            if live.row.expires_ns <= now_ns:
                self._live.drop(live)
