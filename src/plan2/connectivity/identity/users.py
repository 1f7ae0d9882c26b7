"""All people of all tenants in memory, and every change to them.

A change is durable first: one transaction that also ends the person's sessions where the change
takes rights away. Then memory follows, and whoever listens, without a pause in between. Events
about people never carry their names. One process owns the table.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from plan2.connectivity.identity.people import (
    ENDING,
    Change,
    Person,
    UserTable,
    erased_name,
    fault_of_name,
    name_key,
)
from plan2.connectivity.identity.principal import User
from plan2.connectivity.identity.rights import Role
from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError
from plan2.foundation.events.people import CredentialChanged, UserChanged
from plan2.foundation.events.recording import Record
from plan2.foundation.values import TenantId

PEOPLE_MAX: Final = 1_000
"""People of one tenant."""

Listener = Callable[[Person, Change], None]


class _Tenant(msgspec.Struct, eq=False):
    """The people of one tenant, by id and by comparable name; one change at a time."""

    by_id: dict[str, Person]
    by_name: dict[str, Person]
    changing: asyncio.Lock

    def keep(self, person: Person) -> None:
        old = self.by_id.get(person.user.user_id)
        if old is not None:
            self.by_name.pop(name_key(old.user.name), None)
        self.by_id[person.user.user_id] = person
        self.by_name[name_key(person.user.name)] = person


class UserBook:
    """Everybody who may sign in, of every tenant that is served.

    Args:
        table: durable storage. clock: wall time. record: takes events about people.
    """

    def __init__(self, table: UserTable, clock: Clock, record: Record) -> None:
        self._table = table
        self._clock = clock
        self._record = record
        self._tenants: dict[str, _Tenant] = {}
        self._listeners: list[Listener] = []

    async def load(self, tenants: Sequence[TenantId]) -> int:
        """Read the people of these tenants, anew where they were read before; the number found."""
        count = 0
        for tenant_id in tenants:
            tenant = self._tenants.setdefault(tenant_id, _Tenant({}, {}, asyncio.Lock()))
            async with tenant.changing:
                people = await self._table.load_people(tenant_id)
                tenant.by_id.clear()
                tenant.by_name.clear()
                for person in people:
                    tenant.keep(person)
            count += len(people)
        return count

    def drop_tenant(self, tenant_id: str) -> None:
        """Forget a tenant that is gone."""
        self._tenants.pop(tenant_id, None)

    def on_change(self, listener: Listener) -> None:
        """Call `listener`, synchronously, with everybody who changed, once that is durable."""
        self._listeners.append(listener)

    def find(self, tenant_id: str, user_id: str) -> Person | None:
        """A person by id, also a blocked one; None when the tenant has no such person."""
        tenant = self._tenants.get(tenant_id)
        return tenant.by_id.get(user_id) if tenant is not None else None

    def named(self, tenant_id: str, name: str) -> Person | None:
        """A person by name, whatever its case."""
        tenant = self._tenants.get(tenant_id)
        return tenant.by_name.get(name_key(name)) if tenant is not None else None

    def of_tenant(self, tenant_id: str) -> list[Person]:
        """Everybody of a tenant, by name."""
        tenant = self._tenants.get(tenant_id)
        return [] if tenant is None else [person for _, person in sorted(tenant.by_name.items())]

    async def ensure(self, user: User) -> Person:
        """The stored person with this id, made when there is none; an operator stays one.

        Somebody who was blocked or erased since gets no right back.
        """
        found = self.find(user.tenant_id, user.user_id)
        if found is None:
            return await self.create(user, by="system")
        if user.is_operator and not found.user.is_operator and not found.is_blocked:
            return await self.set_operator(user.tenant_id, user.user_id, True, by="system")
        return found

    async def create(self, user: User, *, by: str, password_hash: str = "") -> Person:
        """Add a person.

        Raises:
            InputError: the name is unusable or taken, or the tenant is unknown or full.
        """
        tenant = self._tenant(user.tenant_id)
        fault = fault_of_name(user.name)
        if fault:
            raise InputError(fault)
        now_ns = self._clock.now_ns()
        person = Person(
            user=user,
            password_hash=password_hash,
            created_ns=now_ns,
            password_ns=now_ns if password_hash else 0,
        )
        async with tenant.changing:
            if len(tenant.by_id) >= PEOPLE_MAX:
                raise InputError(f"Tenant {user.tenant_id} has {PEOPLE_MAX} people already.")
            is_free = name_key(user.name) not in tenant.by_name
            if not is_free or not await self._table.insert_person(person):
                raise InputError("This name or id is taken.", remedy="Choose another name.")
            self._follow(tenant, person, Change.CREATED, "", user.role, by)
        return person

    async def change_role(self, tenant_id: str, user_id: str, role: Role, *, by: str) -> Person:
        """Give a person another role; they have to sign in again.

        Raises:
            InputError: nobody has this id, or it is the tenant's last administrator.
        """

        def changed(old: Person) -> Person:
            return _with_user(old, msgspec.structs.replace(old.user, role=role))

        return await self._change(tenant_id, user_id, changed, Change.ROLE, by)

    async def set_blocked(self, tenant_id: str, user_id: str, blocked: bool, *, by: str) -> Person:
        """Keep a person out at once, or let them in again.

        Raises:
            InputError: nobody has this id, or it is the tenant's last administrator.
        """

        def changed(old: Person) -> Person:
            return msgspec.structs.replace(old, is_blocked=blocked)

        change = Change.BLOCKED if blocked else Change.UNBLOCKED
        return await self._change(tenant_id, user_id, changed, change, by)

    async def rename(self, tenant_id: str, user_id: str, name: str, *, by: str) -> Person:
        """Give a person another name; sessions go on under it.

        Raises:
            InputError: nobody has this id, or the name is unusable or taken.
        """
        fault = fault_of_name(name)
        if fault:
            raise InputError(fault)

        def changed(old: Person) -> Person:
            other = self.named(tenant_id, name)
            if other is not None and other.user.user_id != user_id:
                raise InputError("This name is taken.", remedy="Choose another name.")
            return _with_user(old, msgspec.structs.replace(old.user, name=name))

        return await self._change(tenant_id, user_id, changed, Change.RENAMED, by)

    async def set_password(
        self, tenant_id: str, user_id: str, password_hash: str, *, by: str
    ) -> Person:
        """Set a password's hash, or take it away with ""; every session of the person ends.

        Raises:
            InputError: nobody has this id.
        """

        def changed(old: Person) -> Person:
            now_ns = self._clock.now_ns() if password_hash else 0
            return msgspec.structs.replace(old, password_hash=password_hash, password_ns=now_ns)

        return await self._change(tenant_id, user_id, changed, Change.PASSWORD, by)

    async def rehash(self, person: Person, password_hash: str) -> None:
        """Keep the same password under newer parameters, unless the person changed meanwhile."""
        tenant = self._tenant(person.user.tenant_id)
        async with tenant.changing:
            if tenant.by_id.get(person.user.user_id) is person:
                newer = msgspec.structs.replace(person, password_hash=password_hash)
                await self._table.update_person(newer, None)
                tenant.keep(newer)

    async def set_operator(
        self, tenant_id: str, user_id: str, is_operator: bool, *, by: str
    ) -> Person:
        """Let a person run the installation, or no longer; they have to sign in again.

        Raises:
            InputError: nobody has this id.
        """

        def changed(old: Person) -> Person:
            return _with_user(old, msgspec.structs.replace(old.user, is_operator=is_operator))

        return await self._change(tenant_id, user_id, changed, Change.OPERATOR, by)

    async def forget(self, tenant_id: str, user_id: str, *, by: str) -> Person:
        """Keep nothing of a person but the pseudonym; they are blocked for good.

        Raises:
            InputError: nobody has this id, or it is the tenant's last administrator.
        """

        def changed(old: Person) -> Person:
            bare = msgspec.structs.replace(
                old.user, name=erased_name(old.user.user_id), is_operator=False
            )
            return Person(user=bare, is_blocked=True, created_ns=old.created_ns)

        return await self._change(tenant_id, user_id, changed, Change.REMOVED, by)

    async def _change(
        self,
        tenant_id: str,
        user_id: str,
        changed: Callable[[Person], Person],
        change: Change,
        by: str,
    ) -> Person:
        """Make one change, durable first; a change that changes nothing does nothing."""
        tenant = self._tenant(tenant_id)
        async with tenant.changing:
            old = tenant.by_id.get(user_id)
            if old is None:
                raise InputError(f"Tenant {tenant_id} has no user {user_id}.")
            new = changed(old)
            if new == old:
                return old
            _check_administrator(tenant, old, new)
            await self._table.update_person(new, self._clock.now_ns() if change in ENDING else None)
            old_value, new_value = _told(change, old, new)
            self._follow(tenant, new, change, old_value, new_value, by)
        return new

    def _follow(
        self, tenant: _Tenant, person: Person, change: Change, old: str, new: str, by: str
    ) -> None:
        """What comes after a change was stored: memory, listeners, the event."""
        tenant.keep(person)
        for listener in self._listeners:
            listener(person, change)
        user, ts_ns = person.user, self._clock.now_ns()
        event: UserChanged | CredentialChanged
        if change is Change.PASSWORD:
            event = CredentialChanged(
                ts_ns=ts_ns,
                user_id=user.user_id,
                credential="password",
                change="set" if person.password_hash else "removed",
                by=by,
            )
        else:
            event = UserChanged(
                ts_ns=ts_ns,
                user_id=user.user_id,
                change=str(change),
                old_value=old,
                new_value=new,
                by=by,
            )
        self._record(user.tenant_id, f"user:{user.user_id}", event, actor=by)

    def _tenant(self, tenant_id: str) -> _Tenant:
        tenant = self._tenants.get(tenant_id)
        if tenant is None:
            raise InputError(f"There is no tenant {tenant_id}.")
        return tenant


def _with_user(person: Person, user: User) -> Person:
    return msgspec.structs.replace(person, user=user)


def _told(change: Change, old: Person, new: Person) -> tuple[str, str]:
    """What the event says about before and after; names are nobody's business there."""
    if change is Change.ROLE:
        return old.user.role, new.user.role
    if change is Change.OPERATOR:
        return str(old.user.is_operator).lower(), str(new.user.is_operator).lower()
    return "", ""


def _check_administrator(tenant: _Tenant, old: Person, new: Person) -> None:
    """A tenant without an administrator could never get one again."""
    if not _administers(old) or _administers(new):
        return
    others = (each for each in tenant.by_id.values() if each is not old)
    if not any(_administers(each) for each in others):
        raise InputError(
            "This is the tenant's last administrator.",
            remedy="Make somebody else Tenant_Admin first.",
        )


def _administers(person: Person) -> bool:
    return person.user.role is Role.TENANT_ADMIN and not person.is_blocked
