"""The first person: one administrator per tenant, who signs in with a token printed at the start.

A token is 256 random bits, good once and for 15 minutes; only its hash is kept. A new one can be
printed at every start. Two browsers that race for one token: exactly one gets a session.
"""

from collections.abc import Callable
from typing import Final, Protocol

from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.sessions import Session, Sessions, User, hash_secret, new_secret
from plan2.foundation.clock import Clock
from plan2.foundation.events.system import UserAuthenticated
from plan2.foundation.ids import derived_id
from plan2.foundation.values import NS_PER_MINUTE

TOKEN_LIFE_NS: Final = 15 * NS_PER_MINUTE
ADMINISTRATOR: Final = "administrator"


class UserTable(Protocol):
    """Where people and sign-in tokens are kept."""

    async def ensure_user(self, user: User) -> User:
        """Insert the user unless one with this id exists; returns what is stored."""
        ...

    async def insert_token(self, token_hash: bytes, user_id: str, expires_ns: int) -> None:
        """Keep a new token's hash; tokens that have ended may be forgotten here."""
        ...

    async def redeem_token(self, token_hash: bytes, now_ns: int) -> User | None:
        """Use up a live token atomically; None when it is unknown, used or too old."""
        ...


class SignIn:
    """Issues and redeems sign-in tokens.

    Args:
        table: users and tokens. sessions: where a redeemed token leads.
        clock: wall time. record: stores `UserAuthenticated` of the tenant it is given.
        secret: source of tokens, for tests.
    """

    def __init__(
        self,
        table: UserTable,
        sessions: Sessions,
        clock: Clock,
        record: Callable[[str, UserAuthenticated], None],
        secret: Callable[[], str] = new_secret,
    ) -> None:
        self._table = table
        self._sessions = sessions
        self._clock = clock
        self._record = record
        self._secret = secret

    async def ensure_administrator(self, tenant_id: str) -> User:
        """The tenant's administrator, created when this is the first start."""
        return await self._table.ensure_user(
            User(
                user_id=derived_id("user", tenant_id, ADMINISTRATOR),
                name=ADMINISTRATOR,
                tenant_id=tenant_id,
                role=Role.TENANT_ADMIN,
            )
        )

    async def issue(self, user: User) -> str:
        """A new token for `user`; shown once, to be printed by the program that asked."""
        token = self._secret()
        expires_ns = self._clock.now_ns() + TOKEN_LIFE_NS
        await self._table.insert_token(hash_secret(token), user.user_id, expires_ns)
        return token

    async def redeem(self, token: str, ip_address: str) -> tuple[str, Session] | None:
        """Exchange a token for a session: the cookie and the session, or None when refused."""
        now_ns = self._clock.now_ns()
        user = await self._table.redeem_token(hash_secret(token), now_ns)
        if user is None:
            return None
        cookie, session = await self._sessions.open(user)
        self._record(
            user.tenant_id,
            UserAuthenticated(
                ts_ns=now_ns,
                user_id=user.user_id,
                session_id=session.session_id,
                ip_address=ip_address,
            ),
        )
        return cookie, session
