"""A session as it is stored, as it lives in memory, and where it survives a restart."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from plan2.connectivity.identity.principal import Session, User, Via
from plan2.foundation.values import TenantId


class Caller(msgspec.Struct, frozen=True):
    """Where a request comes from: network address and browser, as far as they are known.

    Both are personal data. They stay in memory and are never stored.
    """

    address: str = ""
    agent: str = ""


NOWHERE = Caller()


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is stored. Times UTC ns.

    Attributes:
        secret_hash: SHA-256 of the cookie; a family of tokens has none, and this opens nothing.
        via: cookie, or token for a family of access and refresh tokens.
        parent_id: the session that a family of tokens came from, and ends with; else "".
        proven_ns: when the person last gave a password, a code or a printed link.
        last_seen_ns: written now and then.
    """

    session_id: str
    secret_hash: bytes
    user: User
    created_ns: int
    expires_ns: int
    via: Via = Via.COOKIE
    parent_id: str = ""
    proven_ns: int = 0
    last_seen_ns: int = 0

    def session(self, csrf: str = "", expires_ns: int | None = None) -> Session:
        """What routes see of it: with the CSRF value of its cookie, or for a token's shorter life.

        Args:
            csrf: "" where no cookie was shown.
            expires_ns: when what was shown ends, UTC ns; None: with the session.
        """
        return Session(
            session_id=self.session_id,
            user=self.user,
            csrf=csrf,
            expires_ns=self.expires_ns if expires_ns is None else expires_ns,
            via=self.via,
            proven_ns=self.proven_ns,
        )


class Live:
    """A session in memory; `is_over` turns once, and whoever holds on to it sees that.

    Attributes:
        row: replaced, never changed, when something about it changes.
        shown: what routes see of a cookie's session, made when the cookie first comes.
        last_seen_ns: UTC ns.
        caller: where it was opened, or its token last shown; unknown after a restart.
    """

    __slots__ = ("caller", "is_over", "last_seen_ns", "row", "shown")

    def __init__(self, row: SessionRow, caller: Caller = NOWHERE) -> None:
        self.row = row
        self.caller = caller
        self.is_over = False
        self.last_seen_ns = row.last_seen_ns
        self.shown: Session | None = None

    def replace(self, row: SessionRow) -> None:
        """Go on as another row of the same session."""
        self.row = row
        self.shown = None


class SessionTable(Protocol):
    """Where sessions survive a restart."""

    async def load_sessions(self, tenant_id: TenantId, now_ns: int) -> list[SessionRow]:
        """Every session that has neither ended nor been revoked, of people who may sign in."""
        ...

    async def insert_session(self, row: SessionRow) -> None:
        """Keep a new session; durable when this returns."""
        ...

    async def renew_session(self, row: SessionRow) -> None:
        """Write the new cookie's hash and the time of the proof."""
        ...

    async def end_sessions(
        self, tenant_id: TenantId, session_ids: Iterable[str] | None, at_ns: int
    ) -> None:
        """End these sessions for good, or all of the tenant; unknown ids are harmless."""
        ...

    async def note_seen(self, tenant_id: TenantId, seen_ns: Mapping[str, int]) -> None:
        """Write when sessions were last seen."""
        ...


class LiveSessions:
    """The live sessions of all tenants, by cookie, by id and by tenant."""

    def __init__(self) -> None:
        self._by_hash: dict[bytes, Live] = {}
        self._by_id: dict[str, Live] = {}
        self._of_tenant: dict[str, dict[str, Live]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, live: Live) -> None:
        """Take in a session; one of tokens cannot be found by any cookie."""
        row = live.row
        if row.via is Via.COOKIE:
            self._by_hash[row.secret_hash] = live
        self._by_id[row.session_id] = live
        self._of_tenant.setdefault(row.user.tenant_id, {})[row.session_id] = live

    def drop(self, live: Live) -> None:
        """Let a session be over; harmless when it is."""
        row = live.row
        live.is_over = True
        if self._by_id.pop(row.session_id, None) is not None:
            self._by_hash.pop(row.secret_hash, None)
            del self._of_tenant[row.user.tenant_id][row.session_id]

    def swap(self, live: Live, row: SessionRow) -> None:
        """Let a session go on with another cookie."""
        self._by_hash.pop(live.row.secret_hash, None)
        live.replace(row)
        self._by_hash[row.secret_hash] = live

    def by_hash(self, secret_hash: bytes) -> Live | None:
        """The session of a cookie's hash."""
        return self._by_hash.get(secret_hash)

    def by_id(self, session_id: str) -> Live | None:
        """The session with this id."""
        return self._by_id.get(session_id)

    def of_tenant(self, tenant_id: str) -> list[Live]:
        """Every session of a tenant, oldest first."""
        return list(self._of_tenant.get(tenant_id, {}).values())

    def of_user(self, tenant_id: str, user_id: str) -> list[Live]:
        """Every session of a person, oldest first."""
        return [live for live in self.of_tenant(tenant_id) if live.row.user.user_id == user_id]

    def family_of(self, live: Live) -> list[Live]:
        """A session, and the families of tokens that came from it."""
        session_id = live.row.session_id
        children = self.of_tenant(live.row.user.tenant_id)
        return [live, *(each for each in children if each.row.parent_id == session_id)]

    def tenants(self) -> list[str]:
        """Tenants that have or had a session."""
        return list(self._of_tenant)
