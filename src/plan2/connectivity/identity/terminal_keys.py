"""Keys that let a terminal on another machine in, each for one account of one tenant.

A key is 256 random bits, shown once and kept as its hash. The command line makes and revokes keys
in a process of its own, so the server reads the table anew each second: a new key works and a
revoked one ends at the latest then. However many guess, the database is asked twice a second at
most. While it does not answer, the keys that were read last remain in force.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from plan2.connectivity.identity.sessions import hash_secret, new_secret
from plan2.foundation.clock import Clock
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InputError, StoreBusy
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.ids import IdSource
from plan2.foundation.values import TenantId

READ_EVERY_S: Final = 1.0
READ_PAUSE_S: Final = 0.5
"""Least time between two reads, however many secrets are tried."""
LABEL_MAX: Final = 100
ACCOUNT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
OF_TENANT: Final = "."
"""Between a tenant's id and the secret, in the keys of tenants other than the main one."""


def shown_key(tenant_id: str, secret: str) -> str:
    """A key as its holder gets it."""
    return secret if tenant_id == MAIN_TENANT else f"{tenant_id}{OF_TENANT}{secret}"


def split_key(shown: str) -> tuple[str, str]:
    """Whose key it says to be, and its secret."""
    tenant_id, dot, secret = shown.partition(OF_TENANT)
    return (tenant_id, secret) if dot else (MAIN_TENANT, shown)


class TerminalKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret; times UTC nanoseconds, `revoked_ns` None while it is good."""

    key_id: str
    account_id: str
    label: str
    created_ns: int
    revoked_ns: int | None = None


class KeyTable(Protocol):
    """Where keys are kept."""

    async def read(self) -> list[tuple[bytes, TerminalKey]]:
        """Every key with its hash, oldest first, revoked ones too."""
        ...

    async def insert(self, secret_hash: bytes, key: TerminalKey) -> None:
        """Keep a new key; durable when this returns."""
        ...

    async def revoke(self, key_id: str, at_ns: int) -> bool:
        """Revoke a key for good; False when there is no such key that is good."""
        ...


class TerminalKeys:
    """The keys of one tenant.

    Args:
        table: where they are kept. clock: wall time. ids: names of keys.
        secret: source of secrets, for tests.
    """

    def __init__(
        self,
        table: KeyTable,
        clock: Clock,
        ids: IdSource,
        secret: Callable[[], str] = new_secret,
    ) -> None:
        self._table = table
        self._clock = clock
        self._ids = ids
        self._secret = secret
        self._good: dict[bytes, TerminalKey] = {}
        self._read_s = -READ_PAUSE_S
        self._reading = asyncio.Lock()

    async def create(self, account_id: str, label: str) -> tuple[str, TerminalKey]:
        """A new key; returns the secret, which is shown only here, and the key.

        Raises:
            InputError: the account's name or the label cannot be used.
        """
        if not ACCOUNT.fullmatch(account_id):
            raise InputError(
                f"{account_id!r} is no account: 1 to 80 of a-z, 0-9 and - are expected.",
                remedy="Use the name that terminal.account has in the server's configuration.",
            )
        if len(label) > LABEL_MAX or not label.isprintable():
            raise InputError(f"The label must be printable and of at most {LABEL_MAX} characters.")
        secret = self._secret()
        key = TerminalKey(
            key_id=self._ids.next_id("terminal_key")[:12],
            account_id=account_id,
            label=label,
            created_ns=self._clock.now_ns(),
        )
        await self._table.insert(hash_secret(secret), key)
        return secret, key

    async def every(self) -> list[TerminalKey]:
        """Every key, oldest first, revoked ones too."""
        return [key for _, key in await self._table.read()]

    async def revoke(self, key_id: str) -> None:
        """Revoke a key for good.

        Raises:
            InputError: there is no such key, or it was revoked before.
        """
        if not await self._table.revoke(key_id, self._clock.now_ns()):
            raise InputError(
                f"There is no key {key_id} to revoke.",
                remedy="`plan2 terminal-keys list` shows the keys that are good.",
            )

    async def find(self, secret: str) -> TerminalKey | None:
        """The key of a secret, or None.

        Raises:
            StoreBusy: the secret is not known yet, and the database cannot be asked now.
        """
        secret_hash = hash_secret(secret)
        if secret_hash not in self._good:
            await self._read_anew()  # it may have been made a moment ago
        return self._good.get(secret_hash)

    async def refresh(self) -> None:
        """Read the table anew.

        Raises:
            StoreBusy: the database cannot be asked now; what was read last remains in force.
        """
        await self._read_anew()

    def is_good(self, key_id: str) -> bool:
        """Whether a key was not revoked, as last read."""
        return any(key.key_id == key_id for key in self._good.values())

    async def run(self, on_read: Callable[[], None]) -> None:
        """Read the table each second until cancelled; tells `on_read` each time."""
        while True:
            try:
                await self._read_anew()
            except StoreBusy:
                pass  # what was read last remains in force
            else:
                on_read()
            await asyncio.sleep(READ_EVERY_S)

    async def _read_anew(self) -> None:
        """Read the table, unless a read has begun since; all who wait share one read."""
        loop = asyncio.get_running_loop()
        asked_s = loop.time()
        async with self._reading:
            if self._read_s > asked_s:
                return
            await asyncio.sleep(max(0.0, self._read_s + READ_PAUSE_S - asked_s))
            self._read_s = loop.time()
            rows = await self._table.read()
            self._good = {hash_: key for hash_, key in rows if key.revoked_ns is None}


class PostgresTerminalKeys:
    """The table `terminal_key` of one tenant (migration 0003)."""

    def __init__(self, open_unit: OpenUnit, tenant: TenantId) -> None:
        self._unit = open_unit
        self._tenant = tenant

    async def read(self) -> list[tuple[bytes, TerminalKey]]:
        """Every key with its hash, oldest first, revoked ones too."""
        async with self._unit(self._tenant) as uow:
            cursor = await uow.raw.execute(
                "select secret_hash, key_id, account_id, label, created_ns, revoked_ns "
                "from terminal_key order by created_ns, key_id"
            )
            return [(bytes(row[0]), _key(row[1:])) for row in await cursor.fetchall()]

    async def insert(self, secret_hash: bytes, key: TerminalKey) -> None:
        """Keep a new key; durable when this returns."""
        async with self._unit(self._tenant) as uow:
            await uow.raw.execute(
                "insert into terminal_key (secret_hash, key_id, account_id, label, created_ns) "
                "values (%s, %s, %s, %s, %s)",
                (secret_hash, key.key_id, key.account_id, key.label, key.created_ns),
            )

    async def revoke(self, key_id: str, at_ns: int) -> bool:
        """Revoke a key for good; False when there is no such key that is good."""
        async with self._unit(self._tenant) as uow:
            cursor = await uow.raw.execute(
                "update terminal_key set revoked_ns = %s where key_id = %s and revoked_ns is null",
                (at_ns, key_id),
            )
            return cursor.rowcount == 1


def _key(row: tuple[Any, ...]) -> TerminalKey:  # values of several SQL types
    return TerminalKey(
        key_id=row[0], account_id=row[1], label=row[2], created_ns=row[3], revoked_ns=row[4]
    )
