"""Where keys for programs are made, revoked and written down."""

import asyncio
import ipaddress
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from plan2.connectivity.identity.api_keys import (
    SCOPES_OF,
    ApiKey,
    ApiKeys,
    KeyOwners,
    StoredKey,
    outranked,
)
from plan2.connectivity.identity.people import Change, Person
from plan2.connectivity.identity.principal import Session, Via
from plan2.connectivity.identity.rights import Role, Scope
from plan2.connectivity.identity.room import Room, no_limit
from plan2.connectivity.identity.sessions import hash_secret
from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError, StoreBusy
from plan2.foundation.events.people import KeyIssued, KeyRevoked
from plan2.foundation.events.recording import Record
from plan2.foundation.ids import IdSource
from plan2.foundation.values import NS_PER_DAY, TenantId

LIFE_MAX_DAYS: Final = 365
LIVE_PER_LABEL: Final = 2
"""Two, so that a program can be given a new key before the old one is revoked."""
LIVE_PER_TENANT: Final = 500
ENDED_REMEMBERED: Final = 1_000
NETWORKS_MAX: Final = 20
LABEL_MAX: Final = 64
ID_DIGITS: Final = 12
WRITE_EVERY_S: Final = 5.0


class TooManyKeys(InputError):
    """There are as many live keys as there may be."""

    code = "too_many_keys"


class KeyWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a new key should be; `user_id` is "" for the caller's own."""

    label: str
    scopes: frozenset[Scope]
    days: int
    networks: tuple[str, ...] = ()
    user_id: str = ""


class KeyTable(Protocol):
    """Where keys are kept."""

    async def load(self, tenant_id: TenantId, limit: int) -> list[StoredKey]:
        """A tenant's keys, those that live first; at most so many."""
        ...

    async def insert(self, stored: StoredKey) -> None:
        """Keep a new key; durable when this returns."""
        ...

    async def end(self, key: ApiKey) -> None:
        """Keep that a key was revoked, when and why."""
        ...

    async def write_uses(self, tenant_id: TenantId, used_ns: dict[str, int]) -> None:
        """Keep when keys were last used, UTC ns."""
        ...


class Mint(msgspec.Struct, frozen=True):
    """What new keys are made of.

    Attributes:
        environment: a word in the key that tells live from simulated: up to 8 of a-z, 0-9.
        ids: the public part.
        secret: 256 random bits, URL-safe.
        room: refuses when the tenant has as many keys as its quota allows.
    """

    environment: str
    ids: IdSource
    secret: Callable[[], str]
    room: Room = no_limit


class ApiKeyDesk:
    """Makes and ends keys of all tenants.

    Args:
        keys: those in force. owners: people, as in `keys`. table: durable storage.
        clock: wall time. record: writes facts down. mint: what new keys are made of.
    """

    def __init__(
        self,
        keys: ApiKeys,
        owners: KeyOwners,
        table: KeyTable,
        clock: Clock,
        record: Record,
        mint: Mint,
    ) -> None:
        self.keys = keys
        self._owners = owners
        self._table = table
        self._clock = clock
        self._record = record
        self._mint = mint
        self._making = asyncio.Lock()
        self._ended: dict[str, ApiKey] = {}
        self._used: dict[str, ApiKey] = {}

    async def load(self, tenant_id: str) -> int:
        """Take over a tenant's keys, after its people; ends those that outlived their owner."""
        loaded = await self._table.load(TenantId(tenant_id), LIVE_PER_TENANT + ENDED_REMEMBERED)
        taken = self.keys.known()
        for stored in loaded:
            if stored.key.key_id in taken:  # a copy of another tenant's: it opens nothing
                continue
            self.keys.keep(stored)
            owner = self._owners.find(tenant_id, stored.key.user_id)
            if stored.key.revoked_ns is None and not _may_own(stored.key, owner):
                self._end(stored.key, "owner", "system")
        return len(loaded)

    def forget(self, tenant_id: str) -> None:
        """A tenant is gone, and with it the table where ends and uses would be written."""
        self.keys.drop(self.keys.of_tenant(tenant_id))
        for unwritten in (self._ended, self._used):
            for key in [each for each in unwritten.values() if each.tenant_id == tenant_id]:
                del unwritten[key.key_id]

    async def create(self, wish: KeyWish, caller: Session) -> tuple[str, ApiKey]:
        """A new key; returns it whole, which is shown only here, and what is kept of it.

        Args:
            wish: what it should be.
            caller: who makes it.

        Raises:
            InputError: the wish goes beyond what may be. TooManyKeys: revoke one first.
        """
        tenant_id = caller.user.tenant_id
        owner = self._owner(wish, caller)
        _check(wish, owner)
        now_ns = self._clock.now_ns()
        async with self._making:
            self._check_room(tenant_id, owner, wish.label, now_ns)
            self._mint.room(tenant_id, "keys")
            key = ApiKey(
                key_id=self._new_id(),
                tenant_id=tenant_id,
                environment=self._mint.environment,
                user_id=owner.user.user_id,
                role=owner.user.role,
                label=wish.label,
                scopes=wish.scopes,
                networks=tuple(str(ipaddress.ip_network(each)) for each in wish.networks),
                created_ns=now_ns,
                created_by=caller.actor,
                expires_ns=now_ns + wish.days * NS_PER_DAY,
            )
            shown = self._mint.secret()
            stored = StoredKey(key=key, secret_hash=hash_secret(shown))
            await self._table.insert(stored)
            self.keys.keep(stored)
        self._tell_issued(key)
        return f"{key.prefix}_{shown}", key

    async def revoke(self, key: ApiKey, reason: str, by: str) -> ApiKey:
        """End a key: in memory at once, so that it is dead even if the table is slow."""
        if key.revoked_ns is not None:
            return key
        ended = self._end(key, reason, by)
        await self._table.end(ended)
        self._ended.pop(key.key_id, None)
        return ended

    def on_person(self, person: Person, change: Change) -> None:
        """End the keys of somebody who was blocked, removed or demoted."""
        if change not in {Change.BLOCKED, Change.REMOVED, Change.ROLE}:
            return
        for key in self.keys.of_tenant(person.user.tenant_id):
            is_theirs = key.user_id == person.user.user_id and key.revoked_ns is None
            if is_theirs and not _may_own(key, person):
                self._end(key, str(change), "system")

    async def write(self) -> None:
        """Write down what only memory knows; what cannot be written now waits for the next time."""
        self._used |= {key.key_id: key for key in self.keys.take_uses()}
        try:
            for key in list(self._ended.values()):
                await self._table.end(key)
                self._ended.pop(key.key_id, None)
            for tenant_id in {key.tenant_id for key in self._used.values()}:
                used = {k: v for k, v in self._used.items() if v.tenant_id == tenant_id}
                await self._table.write_uses(
                    TenantId(tenant_id), {k: v.last_used_ns or 0 for k, v in used.items()}
                )
                for key_id, key in used.items():
                    if self._used.get(key_id) is key:
                        del self._used[key_id]
        except StoreBusy:
            return

    async def run(self) -> None:
        """Write every few seconds until cancelled."""
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self.write()

    def _owner(self, wish: KeyWish, caller: Session) -> Person:
        """Whose key it will be: the caller's own, a program's, or as this machine's user says."""
        me = caller.user
        user_id = wish.user_id or me.user_id
        found = self._owners.find(me.tenant_id, user_id)
        if found is None:
            raise InputError(
                f"Tenant {me.tenant_id} has no user {user_id}.",
                remedy="Name one of those that `plan2 user list` shows.",
            )
        is_program = me.role is Role.TENANT_ADMIN and found.user.role is Role.API_USER
        if user_id != me.user_id and not is_program and caller.via is not Via.LOCAL:
            raise InputError(
                "A key can be made for oneself, and by an administrator for a user of the role "
                f"{Role.API_USER}; {found.user.name} is {found.user.role}.",
            )
        return found

    def _check_room(self, tenant_id: str, owner: Person, label: str, now_ns: int) -> None:
        known = self.keys.of_tenant(tenant_id)
        live = [key for key in known if key.revoked_ns is None and key.expires_ns > now_ns]
        same = [key for key in live if key.user_id == owner.user.user_id and key.label == label]
        if len(same) >= LIVE_PER_LABEL:
            ids = ", ".join(key.key_id for key in same)
            raise TooManyKeys(
                f"{owner.user.name} has {LIVE_PER_LABEL} keys named {label!r} already: {ids}.",
                remedy="Revoke one of them, or choose another label.",
            )
        if len(live) >= LIVE_PER_TENANT:
            raise TooManyKeys(
                f"Tenant {tenant_id} has {LIVE_PER_TENANT} keys already.", remedy="Revoke some."
            )
        ended = [key for key in known if key.revoked_ns is not None or key.expires_ns <= now_ns]
        self.keys.drop(ended[ENDED_REMEMBERED:])

    def _new_id(self) -> str:
        taken = self.keys.known()
        found = self._mint.ids.next_id("api_key")[:ID_DIGITS]
        while found in taken:
            found = self._mint.ids.next_id("api_key")[:ID_DIGITS]
        return found

    def _end(self, key: ApiKey, reason: str, by: str) -> ApiKey:
        ended = self._ended[key.key_id] = self.keys.end(key, reason)
        event = KeyRevoked(
            ts_ns=self._clock.now_ns(),
            key_id=key.key_id,
            user_id=key.user_id,
            reason=reason,
            by=by,
        )
        self._record(key.tenant_id, f"user:{key.user_id}", event, actor=by)
        return ended

    def _tell_issued(self, key: ApiKey) -> None:
        event = KeyIssued(
            ts_ns=key.created_ns,
            key_id=key.key_id,
            user_id=key.user_id,
            label=key.label,
            scopes=tuple(sorted(key.scopes)),
            expires_ns=key.expires_ns,
            by=key.created_by,
        )
        self._record(key.tenant_id, f"user:{key.user_id}", event, actor=key.created_by)


def _may_own(key: ApiKey, owner: Person | None) -> bool:
    return owner is not None and not owner.is_blocked and not outranked(key, owner.user.role)


def _check(wish: KeyWish, owner: Person) -> None:
    """Refuse what no key may be.

    Raises:
        InputError: it says which part, and what is allowed.
    """
    name, role = owner.user.name, owner.user.role
    if owner.is_blocked:
        raise InputError(f"{name} is blocked and gets no key.")
    if not 1 <= len(wish.label) <= LABEL_MAX or not wish.label.isprintable():
        raise InputError(f"A key's label has 1 to {LABEL_MAX} printable characters.")
    too_far = wish.scopes - SCOPES_OF[role]
    if too_far or not wish.scopes:
        found = ", ".join(sorted(too_far)) or "nothing"
        allowed = ", ".join(sorted(SCOPES_OF[role]))
        raise InputError(f"A key of {name} ({role}) may be allowed {allowed}; asked was {found}.")
    if not 1 <= wish.days <= LIFE_MAX_DAYS:
        raise InputError(f"A key lives 1 to {LIFE_MAX_DAYS} days; asked were {wish.days}.")
    if len(wish.networks) > NETWORKS_MAX:
        raise InputError(f"A key names {NETWORKS_MAX} networks at most.")
    for network in wish.networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise InputError(
                f"{network!r} is no network: {error}.", remedy="Write it as 10.0.0.0/8 or ::1/128."
            ) from None
