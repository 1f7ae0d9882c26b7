"""Which broker account a tenant is bound to: one at a time, its name sealed with the tenant's key.

The password of the account is not here and nowhere else at Plan2's: it stays with the terminal that
the tenant runs, which comes in with a key of its own.
"""

import re
from typing import Any, Final, Literal, Protocol

import msgspec

from plan2.foundation.errors import InputError
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.secrets.sealing import Place, Sealer
from plan2.foundation.values import TenantId

TABLE: Final = "tenant_broker"
NAME: Final = re.compile(r"[a-z0-9]{1,16}")
LOGIN: Final = re.compile(r"[0-9]{1,19}")
SERVER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
Mode = Literal["demo", "contest", "real"]


class BrokerWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account that a tenant wants to trade.

    `name` is Plan2's word for it, never used for two accounts; `mode` says whose money it is, and a
    terminal with another one is turned away.
    """

    name: str
    login: str
    server: str
    mode: Mode

    def check(self) -> None:
        """Refuse what no account can be called.

        Raises:
            InputError: naming the member that cannot be used.
        """
        for member, pattern, words in (
            ("name", NAME, "1 to 16 of a-z and 0-9"),
            ("login", LOGIN, "the number of the MetaTrader 5 account"),
            ("server", SERVER, "the trade server as the terminal shows it"),
        ):
            if not pattern.fullmatch(getattr(self, member)):
                raise InputError(f"{member} = {getattr(self, member)!r}: expected is {words}.")


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's account at a broker; `account_id` is its name everywhere in Plan2, UTC ns."""

    account_id: str
    login: str
    server: str
    mode: Mode
    bound_by: str
    bound_ns: int


class BindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A binding as it is kept."""

    account_id: str
    mode: Mode
    sealed: bytes
    bound_by: str
    bound_ns: int


class _Named(msgspec.Struct, frozen=True):
    """What is sealed."""

    login: str
    server: str


class BindingTable(Protocol):
    """Where bindings are kept; durable when a method returns."""

    async def read(self, tenant: TenantId) -> BindingRow | None:
        """The tenant's only one."""
        ...

    async def insert(self, tenant: TenantId, row: BindingRow) -> bool:
        """Keep it; False when there is one already."""
        ...

    async def delete(self, tenant: TenantId) -> None:
        """Take it away."""
        ...


class Bindings:
    """Binds tenants to broker accounts.

    Args:
        table: where they are kept. sealer: seals the broker's names.
    """

    def __init__(self, table: BindingTable, sealer: Sealer) -> None:
        self._table = table
        self._sealer = sealer

    async def of(self, tenant: TenantId) -> Binding | None:
        """What a tenant is bound to.

        Raises:
            StoreBusy: the database does not answer. KeysUnavailable, SealBroken: it cannot be
                opened; the tenant is bound all the same.
        """
        row = await self._table.read(tenant)
        if row is None:
            return None
        opened = await self._sealer.open(_place(tenant, row.account_id), row.sealed)
        named = msgspec.json.decode(opened, type=_Named)
        return Binding(
            account_id=row.account_id,
            login=named.login,
            server=named.server,
            mode=row.mode,
            bound_by=row.bound_by,
            bound_ns=row.bound_ns,
        )

    async def bind(self, tenant: TenantId, wish: BrokerWish, by: str, now_ns: int) -> Binding:
        """Bind a tenant that is not bound yet.

        Raises:
            InputError: it is bound already. KeysUnavailable, StoreBusy: it is not bound.
        """
        wish.check()
        account_id = account_id_of(tenant, wish.name)
        plain = msgspec.json.encode(_Named(wish.login, wish.server))
        row = BindingRow(
            account_id=account_id,
            mode=wish.mode,
            sealed=await self._sealer.seal(_place(tenant, account_id), plain),
            bound_by=by,
            bound_ns=now_ns,
        )
        if not await self._table.insert(tenant, row):
            raise InputError(
                f"Tenant {tenant} is bound to a broker account already.",
                remedy="Unbind that one first; it has to be flat.",
            )
        return Binding(
            account_id=account_id,
            login=wish.login,
            server=wish.server,
            mode=wish.mode,
            bound_by=by,
            bound_ns=now_ns,
        )

    async def unbind(self, tenant: TenantId) -> None:
        """Forget the account; whether that may be, the caller has looked."""
        await self._table.delete(tenant)


def account_id_of(tenant: TenantId, name: str) -> str:
    """Plan2's name of a tenant's account; orders are named after it, so it holds the tenant's.

    No two tenants can come to the same one: what follows the last dash is the account's own name.
    """
    return f"{tenant.replace('_', '-')}-{name}"


def _place(tenant: TenantId, account_id: str) -> Place:
    return Place(tenant_id=tenant, table=TABLE, column="sealed", row=account_id)


class PostgresBindings:
    """Implements `BindingTable` (migration 0014)."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def read(self, tenant: TenantId) -> BindingRow | None:
        """See `BindingTable.read`."""
        async with self._unit(tenant) as uow:
            cursor = await uow.raw.execute(
                "select account_id, mode, sealed, bound_by, bound_ns from tenant_broker"
            )
            row: tuple[Any, ...] | None = await cursor.fetchone()  # values of several SQL types
        if row is None:
            return None
        return BindingRow(
            account_id=row[0], mode=row[1], sealed=bytes(row[2]), bound_by=row[3], bound_ns=row[4]
        )

    async def insert(self, tenant: TenantId, row: BindingRow) -> bool:
        """See `BindingTable.insert`."""
        async with self._unit(tenant) as uow:
            cursor = await uow.raw.execute(
                "insert into tenant_broker (account_id, mode, sealed, bound_by, bound_ns) "
                "values (%s, %s, %s, %s, %s) on conflict do nothing",
                msgspec.structs.astuple(row),
            )
            return cursor.rowcount == 1

    async def delete(self, tenant: TenantId) -> None:
        """See `BindingTable.delete`."""
        async with self._unit(tenant) as uow:
            await uow.raw.execute("delete from tenant_broker")
