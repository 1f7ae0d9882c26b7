"""The first person: one administrator of the installation, who signs in with a printed address.

A token is 256 random bits, good once and for 15 minutes; only its hash is kept. A new one can be
printed at every start, also when the person has a password by now. Two browsers that race for one
token: exactly one gets a session.
"""

from typing import Final, Protocol

from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.session_rows import Caller
from plan2.connectivity.identity.sessions import Sessions, hash_secret, new_secret
from plan2.connectivity.identity.users import UserBook
from plan2.foundation.clock import Clock
from plan2.foundation.errors import VersionConflict
from plan2.foundation.events.recording import Record
from plan2.foundation.events.system import UserAuthenticated
from plan2.foundation.ids import derived_id
from plan2.foundation.values import NS_PER_MINUTE, TenantId

TOKEN_LIFE_NS: Final = 15 * NS_PER_MINUTE
ADMINISTRATOR: Final = "administrator"


class LinkTable(Protocol):
    """Where the hashes of printed tokens are kept."""

    async def insert_link(
        self, tenant_id: TenantId, token_hash: bytes, user_id: str, expires_ns: int
    ) -> None:
        """Keep a new token's hash; tokens that have ended may be forgotten here."""
        ...

    async def redeem_link(self, tenant_id: TenantId, token_hash: bytes, now_ns: int) -> str | None:
        """Use up a live token atomically: whose it is; None when unknown, used or too old."""
        ...


class SignIn:
    """Issues and redeems sign-in tokens of the tenant that runs the installation.

    Args:
        table: tokens. book: people. sessions: where a redeemed token leads.
        clock: wall time. record: takes `UserAuthenticated`.
        home: the tenant.
    """

    def __init__(
        self,
        table: LinkTable,
        book: UserBook,
        sessions: Sessions,
        clock: Clock,
        record: Record,
        home: TenantId,
    ) -> None:
        self._table = table
        self._book = book
        self._sessions = sessions
        self._clock = clock
        self._record = record
        self._home = home

    async def ensure_administrator(self) -> User:
        """The administrator, created when this is the first start; also an operator."""
        user = User(
            user_id=derived_id("user", self._home, ADMINISTRATOR),
            name=ADMINISTRATOR,
            tenant_id=self._home,
            role=Role.TENANT_ADMIN,
            is_operator=True,
        )
        return (await self._book.ensure(user)).user

    async def issue(self, user: User) -> str:
        """A new token for `user`; shown once, to be printed by the program that asked."""
        token = new_secret()
        expires_ns = self._clock.now_ns() + TOKEN_LIFE_NS
        await self._table.insert_link(self._home, hash_secret(token), user.user_id, expires_ns)
        return token

    async def redeem(self, token: str, caller: Caller) -> tuple[str, Session] | None:
        """Exchange a token for a session: the cookie and the session, or None when refused."""
        now_ns = self._clock.now_ns()
        user_id = await self._table.redeem_link(self._home, hash_secret(token), now_ns)
        person = self._book.find(self._home, user_id) if user_id is not None else None
        if person is None or person.is_blocked:
            return None
        try:
            cookie, session = await self._sessions.open(person.user, caller)
        except VersionConflict:
            return None
        user = session.user
        event = UserAuthenticated(
            ts_ns=now_ns,
            user_id=user.user_id,
            session_id=session.session_id,
            ip_address=caller.address,
        )
        self._record(user.tenant_id, f"user:{user.user_id}", event, actor=session.actor)
        return cookie, session
