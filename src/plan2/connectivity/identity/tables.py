"""People, sign-in links and sessions in the schema of each tenant (migrations 0002 and 0004)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import psycopg

from plan2.connectivity.identity.people import Person, name_key
from plan2.connectivity.identity.principal import User, Via
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.session_rows import SessionRow
from plan2.foundation.errors import StoreBusy
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import TenantId

USER_COLUMNS: Final = "u.user_id, u.name, u.role, u.is_operator"
PEOPLE: Final = (
    f"select {USER_COLUMNS}, u.password_hash, u.is_blocked, u.created_ns, u.password_ns "  # noqa: S608 - constants
    "from app_user u"
)
LIVE_SESSIONS: Final = (
    f"select {USER_COLUMNS}, s.session_id, s.secret_hash, s.created_ns, s.expires_ns, s.via, "  # noqa: S608 - constants
    "s.parent_id, s.proven_ns, s.last_seen_ns from user_session s join app_user u using (user_id) "
    "where s.revoked_ns is null and not u.is_blocked order by s.created_ns"
)


class PostgresIdentity:
    """Implements `UserTable`, `SessionTable` and `LinkTable` for every tenant."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def load_people(self, tenant_id: TenantId) -> list[Person]:
        """Everybody of a tenant."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(PEOPLE)
            return [_person(tenant_id, row) for row in await cursor.fetchall()]

    async def insert_person(self, person: Person) -> bool:
        """Keep a new person; False when the id or the name is taken."""
        user = person.user
        async with self._unit(TenantId(user.tenant_id)) as uow:
            cursor = await uow.raw.execute(
                "insert into app_user (user_id, name, name_key, role, is_operator, password_hash, "
                "is_blocked, created_ns, password_ns) values (%s, %s, %s, %s, %s, %s, %s, %s, %s) "
                "on conflict do nothing",
                (
                    user.user_id,
                    user.name,
                    name_key(user.name),
                    str(user.role),
                    user.is_operator,
                    person.password_hash,
                    person.is_blocked,
                    person.created_ns,
                    person.password_ns,
                ),
            )
            return cursor.rowcount == 1

    async def update_person(self, person: Person, ended_ns: int | None) -> None:
        """Write a person anew; with a time, end all their sessions as of it, all or nothing."""
        user = person.user
        async with self._unit(TenantId(user.tenant_id)) as uow:
            await uow.raw.execute(
                "update app_user set name = %s, name_key = %s, role = %s, is_operator = %s, "
                "password_hash = %s, is_blocked = %s, password_ns = %s where user_id = %s",
                (
                    user.name,
                    name_key(user.name),
                    str(user.role),
                    user.is_operator,
                    person.password_hash,
                    person.is_blocked,
                    person.password_ns,
                    user.user_id,
                ),
            )
            if ended_ns is not None:
                await uow.raw.execute(
                    "update user_session set revoked_ns = %s "
                    "where user_id = %s and revoked_ns is null",
                    (ended_ns, user.user_id),
                )
                await uow.raw.execute(
                    "delete from signin_token where user_id = %s", (user.user_id,)
                )

    async def insert_link(
        self, tenant_id: TenantId, token_hash: bytes, user_id: str, expires_ns: int
    ) -> None:
        """Keep a new token's hash; used ones are removed, and old ones when they were redeemed."""
        async with self._unit(tenant_id) as uow:
            await uow.raw.execute("delete from signin_token where used_ns is not null")
            await uow.raw.execute(
                "insert into signin_token (token_hash, user_id, expires_ns) values (%s, %s, %s)",
                (token_hash, user_id, expires_ns),
            )

    async def redeem_link(self, tenant_id: TenantId, token_hash: bytes, now_ns: int) -> str | None:
        """Use up a live token atomically: whose it is; None when unknown, used or too old."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(
                "update signin_token set used_ns = %s where token_hash = %s "
                "and used_ns is null and expires_ns > %s returning user_id",
                (now_ns, token_hash, now_ns),
            )
            row = await cursor.fetchone()
            await uow.raw.execute("delete from signin_token where expires_ns <= %s", (now_ns,))
        return str(row[0]) if row is not None else None

    async def load_sessions(self, tenant_id: TenantId, now_ns: int) -> list[SessionRow]:
        """Every session that has neither ended nor been revoked; those that have are removed."""
        async with self._unit(tenant_id) as uow:
            await uow.raw.execute(
                "delete from user_session where expires_ns <= %s or revoked_ns is not null",
                (now_ns,),
            )
            cursor = await uow.raw.execute(LIVE_SESSIONS)
            return [_session(tenant_id, row) for row in await cursor.fetchall()]

    async def insert_session(self, row: SessionRow) -> None:
        """Keep a new session; durable when this returns."""
        async with self._unit(TenantId(row.user.tenant_id)) as uow:
            await uow.raw.execute(
                "insert into user_session (session_id, secret_hash, user_id, created_ns, "
                "expires_ns, via, parent_id, proven_ns, last_seen_ns) "
                "values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    row.session_id,
                    row.secret_hash,
                    row.user.user_id,
                    row.created_ns,
                    row.expires_ns,
                    str(row.via),
                    row.parent_id,
                    row.proven_ns,
                    row.last_seen_ns,
                ),
            )

    async def renew_session(self, row: SessionRow) -> None:
        """Write the new cookie's hash and the time of the proof."""
        async with self._unit(TenantId(row.user.tenant_id)) as uow:
            await uow.raw.execute(
                "update user_session set secret_hash = %s, proven_ns = %s where session_id = %s",
                (row.secret_hash, row.proven_ns, row.session_id),
            )

    async def end_sessions(
        self, tenant_id: TenantId, session_ids: Iterable[str] | None, at_ns: int
    ) -> None:
        """End these sessions for good, or all of the tenant; unknown ids are harmless.

        Raises:
            StoreBusy: the tenant's tables are being removed or restored.
        """
        ids = None if session_ids is None else list(session_ids)
        try:
            async with self._unit(tenant_id) as uow:
                await uow.raw.execute(
                    "update user_session set revoked_ns = %s where revoked_ns is null "
                    "and (%s::text[] is null or session_id = any(%s::text[]))",
                    (at_ns, ids, ids),
                )
        except psycopg.errors.UndefinedTable:
            raise StoreBusy(f"Tenant {tenant_id} has no tables at the moment.") from None

    async def note_seen(self, tenant_id: TenantId, seen_ns: Mapping[str, int]) -> None:
        """Write when sessions were last seen."""
        async with self._unit(tenant_id) as uow:
            await uow.raw.execute(
                "update user_session s set last_seen_ns = seen.at_ns "
                "from unnest(%s::text[], %s::bigint[]) as seen (session_id, at_ns) "
                "where s.session_id = seen.session_id",
                (list(seen_ns), list(seen_ns.values())),
            )


def _person(tenant_id: TenantId, row: tuple[Any, ...]) -> Person:  # values of several SQL types
    return Person(
        user=_user(tenant_id, row),
        password_hash=row[4],
        is_blocked=row[5],
        created_ns=row[6],
        password_ns=row[7],
    )


def _user(tenant_id: TenantId, row: tuple[Any, ...]) -> User:  # `USER_COLUMNS` and more
    return User(
        user_id=row[0], name=row[1], tenant_id=tenant_id, role=Role(row[2]), is_operator=row[3]
    )


def _session(tenant_id: TenantId, row: tuple[Any, ...]) -> SessionRow:  # as `LIVE_SESSIONS`
    return SessionRow(
        session_id=row[4],
        secret_hash=bytes(row[5]),
        user=_user(tenant_id, row),
        created_ns=row[6],
        expires_ns=row[7],
        via=Via(row[8]),
        parent_id=row[9],
        proven_ns=row[10],
        last_seen_ns=row[11],
    )
