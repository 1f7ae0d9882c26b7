"""People, sign-in tokens and sessions in the tenant's own schema (migration 0002)."""

from typing import Any

from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.sessions import SessionRow, User
from plan2.foundation.errors import require
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import TenantId

LIVE_SESSIONS = (
    "select s.session_id, s.secret_hash, s.created_ns, s.expires_ns, u.user_id, u.name, u.role "
    "from user_session s join app_user u using (user_id) "
    "where s.revoked_ns is null order by s.created_ns"
)


class PostgresIdentity:
    """Implements `SessionTable` and `UserTable` for one tenant."""

    def __init__(self, open_unit: OpenUnit, tenant: TenantId) -> None:
        self._unit = open_unit
        self._tenant = tenant

    async def load(self, now_ns: int) -> list[SessionRow]:
        """Every session that has neither ended nor been revoked; ended ones are removed."""
        async with self._unit(self._tenant) as uow:
            await uow.raw.execute("delete from user_session where expires_ns <= %s", (now_ns,))
            cursor = await uow.raw.execute(LIVE_SESSIONS)
            return [self._session(row) for row in await cursor.fetchall()]

    async def insert(self, row: SessionRow) -> None:
        """Keep a new session; durable when this returns."""
        async with self._unit(self._tenant) as uow:
            await uow.raw.execute(
                "insert into user_session (session_id, secret_hash, user_id, created_ns, "
                "expires_ns) values (%s, %s, %s, %s, %s)",
                (
                    row.session_id,
                    row.secret_hash,
                    row.user.user_id,
                    row.created_ns,
                    row.expires_ns,
                ),
            )

    async def revoke(self, session_id: str, at_ns: int) -> None:
        """End a session for good; unknown ids are harmless."""
        async with self._unit(self._tenant) as uow:
            await uow.raw.execute(
                "update user_session set revoked_ns = %s "
                "where session_id = %s and revoked_ns is null",
                (at_ns, session_id),
            )

    async def ensure_user(self, user: User) -> User:
        """Insert the user unless one with this id exists; returns what is stored."""
        async with self._unit(self._tenant) as uow:
            await uow.raw.execute(
                "insert into app_user (user_id, name, role) values (%s, %s, %s) "
                "on conflict do nothing",
                (user.user_id, user.name, str(user.role)),
            )
            cursor = await uow.raw.execute(
                "select user_id, name, role from app_user where user_id = %s", (user.user_id,)
            )
            row = await cursor.fetchone()
        require(row is not None, f"user {user.name} is neither new nor there")
        return self._user(row or ())

    async def insert_token(self, token_hash: bytes, user_id: str, expires_ns: int) -> None:
        """Keep a new token's hash; used ones are removed, and old ones when they were redeemed."""
        async with self._unit(self._tenant) as uow:
            await uow.raw.execute("delete from signin_token where used_ns is not null")
            await uow.raw.execute(
                "insert into signin_token (token_hash, user_id, expires_ns) values (%s, %s, %s)",
                (token_hash, user_id, expires_ns),
            )

    async def redeem_token(self, token_hash: bytes, now_ns: int) -> User | None:
        """Use up a live token atomically; None when it is unknown, used or too old."""
        async with self._unit(self._tenant) as uow:
            cursor = await uow.raw.execute(
                "update signin_token t set used_ns = %s from app_user u "
                "where t.user_id = u.user_id and t.token_hash = %s and t.used_ns is null "
                "and t.expires_ns > %s returning u.user_id, u.name, u.role",
                (now_ns, token_hash, now_ns),
            )
            row = await cursor.fetchone()
            await uow.raw.execute("delete from signin_token where expires_ns <= %s", (now_ns,))
        return self._user(row) if row is not None else None

    def _user(self, row: tuple[Any, ...]) -> User:  # text columns of one row
        return User(user_id=row[0], name=row[1], tenant_id=self._tenant, role=Role(row[2]))

    def _session(self, row: tuple[Any, ...]) -> SessionRow:  # values of several SQL types
        return SessionRow(
            session_id=row[0],
            secret_hash=bytes(row[1]),
            user=self._user(row[4:7]),
            created_ns=row[2],
            expires_ns=row[3],
        )
