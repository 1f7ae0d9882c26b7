"""Refresh tokens: each is good once, and using one twice ends the whole family.

A family is a session of its own (`via` token), so it is listed, revoked and ended like any other,
and it never lives longer than 30 days. A token is `p2r_<session>_<256 random bits>`; only its
SHA-256 is kept. What follows a token is derived from the token itself and a stored salt: whoever
shows the same token again within ten seconds, before its successor was used, gets the same
successor and not an accusation (two tabs, a lost answer). The table alone reveals no token.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Final, Protocol

from plan2.connectivity.identity.masked import Masked
from plan2.connectivity.identity.principal import Session, Via
from plan2.connectivity.identity.session_rows import NOWHERE, Caller, Live
from plan2.connectivity.identity.sessions import Sessions, hash_secret, new_secret
from plan2.connectivity.identity.tokens import Tokens
from plan2.foundation.clock import Clock
from plan2.foundation.values import NS_PER_SECOND, TenantId

SAME_AGAIN_NS: Final = 10 * NS_PER_SECOND
FORM: Final = re.compile(r"p2r_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")


class RefreshRow(Masked, frozen=True, kw_only=True):
    """A refresh token as it is stored; `used_ns` 0 while it is good. Times UTC ns."""

    token_hash: bytes
    session_id: str
    issued_ns: int
    used_ns: int = 0
    salt: str = ""


class Use(Masked, frozen=True, kw_only=True):
    """How a token is to be used: when, with which salt, and what then follows."""

    token_hash: bytes
    used_ns: int
    salt: str
    successor_hash: bytes


class RefreshTable(Protocol):
    """Where refresh tokens are kept."""

    async def insert_refresh(self, tenant_id: TenantId, row: RefreshRow) -> None:
        """Keep the first token of a family."""
        ...

    async def use_refresh(self, tenant_id: TenantId, use: Use) -> RefreshRow | None:
        """Use a token up and keep its successor, in one step, unless it was used before.

        Returns the token as it was before; None when there is no such token.
        """
        ...

    async def is_unused(self, tenant_id: TenantId, token_hash: bytes) -> bool:
        """Whether a token is there and good."""
        ...


class Grant(Masked, frozen=True, kw_only=True):
    """An access token and the refresh token for the next one. Times UTC ns."""

    access_token: str
    access_expires_ns: int
    refresh_token: str
    session: Session


class Refresh:
    """Gives out and renews families of tokens.

    Args:
        table: durable storage. tokens: makes access tokens. sessions: families live here.
        clock: wall time. secret: source of tokens and salts, for tests.
    """

    def __init__(
        self,
        table: RefreshTable,
        tokens: Tokens,
        sessions: Sessions,
        clock: Clock,
        secret: Callable[[], str] = new_secret,
    ) -> None:
        self._table = table
        self._tokens = tokens
        self._sessions = sessions
        self._clock = clock
        self._secret = secret

    async def begin(self, parent: Session, caller: Caller = NOWHERE) -> Grant | None:
        """A new family for whoever has this session; None where there is no cookie behind it.

        Raises:
            StoreBusy: it cannot be stored now. VersionConflict: the session ended meanwhile.
        """
        if parent.via is not Via.COOKIE:
            return None
        secret, session = await self._sessions.open(parent.user, caller, parent=parent)
        row = RefreshRow(
            token_hash=hash_secret(secret),
            session_id=session.session_id,
            issued_ns=self._clock.now_ns(),
        )
        await self._table.insert_refresh(TenantId(session.user.tenant_id), row)
        return self._grant(session, secret)

    async def renew(self, shown: str, caller: Caller = NOWHERE) -> Grant | None:
        """The next tokens of a family; None when refused.

        Raises:
            StoreBusy: the database does not answer; the token is still good.
        """
        found = self._find(shown)
        if found is None:
            return None
        live, secret = found
        tenant_id, now_ns = TenantId(live.row.user.tenant_id), self._clock.now_ns()
        salt = self._secret()
        use = Use(
            token_hash=hash_secret(secret),
            used_ns=now_ns,
            salt=salt,
            successor_hash=hash_secret(successor_of(secret, salt)),
        )
        before = await self._table.use_refresh(tenant_id, use)
        if before is None or before.session_id != live.row.session_id:
            return None
        successor = successor_of(secret, before.salt or salt)
        if before.used_ns and not await self._is_same_again(tenant_id, before, successor):
            await self._sessions.revoke(live.row.session_id, "stolen", "system")
            return None
        if live.is_over:
            return None
        live.last_seen_ns, live.caller = now_ns, caller
        return self._grant(live.row.session(), successor)

    async def revoke(self, shown: str) -> None:
        """End the family of a token; one that is unknown changes nothing (RFC 7009)."""
        found = self._find(shown)
        if found is None:
            return
        live, secret = found
        tenant_id = TenantId(live.row.user.tenant_id)
        if await self._table.is_unused(tenant_id, hash_secret(secret)):
            await self._sessions.revoke(live.row.session_id)

    async def _is_same_again(self, tenant_id: TenantId, before: RefreshRow, successor: str) -> bool:
        """Whether somebody only repeats what they did a moment ago."""
        if self._clock.now_ns() - before.used_ns > SAME_AGAIN_NS:
            return False
        return await self._table.is_unused(tenant_id, hash_secret(successor))

    def _find(self, shown: str) -> tuple[Live, str] | None:
        """The family that a token names, if it lives, and the token's secret part."""
        match = FORM.fullmatch(shown)
        live = self._sessions.live(match[1]) if match is not None else None
        if match is None or live is None or live.row.via is not Via.TOKEN:
            return None
        return live, match[2]

    def _grant(self, session: Session, secret: str) -> Grant:
        access, expires_ns = self._tokens.issue(session)
        return Grant(
            access_token=access,
            access_expires_ns=expires_ns,
            refresh_token=f"p2r_{session.session_id}_{secret}",
            session=session,
        )


def successor_of(secret: str, salt: str) -> str:
    """What follows a token: 256 bits that only who has the token and the salt can know."""
    made = hashlib.blake2b(
        salt.encode(), digest_size=32, key=secret.encode(), person=b"plan2-refresh"
    )
    return base64.urlsafe_b64encode(made.digest()).rstrip(b"=").decode()
