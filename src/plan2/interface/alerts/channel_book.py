"""The channels of a tenant that leave the process: mailboxes and webhooks, sealed where they lie.

An address is sealed with its owner's key, so that erasing the person erases it; a webhook's URL and
secret with the tenant's. Telegram and the web app need no entry here.
"""

import secrets
from collections.abc import Sequence
from typing import Final, Literal, Protocol

import msgspec

from plan2.foundation.errors import InputError
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.secret import Secret
from plan2.foundation.secrets.sealing import Place, Sealer
from plan2.foundation.values import TenantId
from plan2.interface.alerts.mail import checked_address
from plan2.interface.alerts.outbound import checked_url
from plan2.interface.alerts.webhook import Endpoint

CHANNELS_MAX: Final = 50
SECRET_BYTES: Final = 32
TABLE: Final = "alert_channel"
OutWay = Literal["email", "webhook"]


class ChannelRow(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as it is kept; `user_id` is whose mailbox it is, or who added the webhook."""

    name: str
    way: OutWay
    user_id: str
    target: bytes
    secret: bytes | None
    created_ns: int


class ChannelTable(Protocol):
    """Where channels are kept; durable when a method returns."""

    async def all(self, tenant: TenantId) -> Sequence[ChannelRow]:
        """Every channel by name."""
        ...

    async def add(self, tenant: TenantId, row: ChannelRow) -> None:
        """Keep a new one."""
        ...

    async def remove(self, tenant: TenantId, name: str) -> None:
        """Take one away."""
        ...


class ChannelBook:
    """The channels of one tenant.

    Attributes:
        rows: by name.
    """

    def __init__(self, tenant_id: TenantId, table: ChannelTable, sealer: Sealer) -> None:
        self._tenant = tenant_id
        self._table = table
        self._sealer = sealer
        self.rows: dict[str, ChannelRow] = {}

    async def load(self) -> None:
        """Read what is kept."""
        self.rows = {row.name: row for row in await self._table.all(self._tenant)}

    async def add(
        self, name: str, way: OutWay, target: str, user_id: str, now_ns: int
    ) -> tuple[ChannelRow, str]:
        """Keep a new channel; the row, and the secret of a webhook, which is shown this once.

        Raises:
            InputError: the name is taken, there are too many, or no such address can be.
            KeysUnavailable: nothing can be sealed now. StoreBusy: the database does not answer.
        """
        if name in self.rows:
            raise InputError(f"There is a channel {name!r} already.", remedy="Name it otherwise.")
        if len(self.rows) >= CHANNELS_MAX:
            raise InputError(f"A tenant has at most {CHANNELS_MAX} channels.")
        checked = checked_address(target) if way == "email" else checked_url(target)
        draft = ChannelRow(
            name=name, way=way, user_id=user_id, target=b"", secret=None, created_ns=now_ns
        )
        key = secrets.token_urlsafe(SECRET_BYTES) if way == "webhook" else ""
        sealed = await self._sealer.seal(self._place(draft, "target"), checked.encode())
        own = await self._sealer.seal(self._place(draft, "secret"), key.encode()) if key else None
        row = msgspec.structs.replace(draft, target=sealed, secret=own)
        await self._table.add(self._tenant, row)
        self.rows[name] = row
        return row, key

    async def remove(self, name: str) -> None:
        """Take a channel away; the caller has looked whether it is there."""
        await self._table.remove(self._tenant, name)
        del self.rows[name]

    def forget(self, user_id: str) -> None:
        """A person is being erased: their mailboxes are gone."""
        mine = [row for row in self.rows.values() if row.way == "email" and row.user_id == user_id]
        for row in mine:
            del self.rows[row.name]

    async def address(self, row: ChannelRow) -> str:
        """The mail address of a mailbox."""
        return (await self._sealer.open(self._place(row, "target"), row.target)).decode()

    async def endpoint(self, row: ChannelRow) -> Endpoint:
        """Where a webhook goes and what signs it."""
        key = await self._sealer.open(self._place(row, "secret"), row.secret or b"")
        return Endpoint(url=Secret(await self.address(row)), key=Secret(key.decode()))

    def _place(self, row: ChannelRow, column: str) -> Place:
        subject = row.user_id if row.way == "email" else ""
        return Place(
            tenant_id=self._tenant, table=TABLE, column=column, row=row.name, subject=subject
        )


class PostgresChannels:
    """Implements `ChannelTable` (migration 0013)."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def all(self, tenant: TenantId) -> Sequence[ChannelRow]:
        """See `ChannelTable.all`."""
        async with self._unit(tenant) as uow:
            cursor = await uow.raw.execute(
                "select name, way, user_id, target, secret, created_ns from alert_channel "
                "order by name"
            )
            rows = await cursor.fetchall()
        return [
            ChannelRow(
                name=row[0],
                way=row[1],
                user_id=row[2],
                target=bytes(row[3]),
                secret=bytes(row[4]) if row[4] is not None else None,
                created_ns=row[5],
            )
            for row in rows
        ]

    async def add(self, tenant: TenantId, row: ChannelRow) -> None:
        """See `ChannelTable.add`."""
        async with self._unit(tenant) as uow:
            await uow.raw.execute(
                "insert into alert_channel (name, way, user_id, target, secret, created_ns) "
                "values (%s, %s, %s, %s, %s, %s)",
                msgspec.structs.astuple(row),
            )

    async def remove(self, tenant: TenantId, name: str) -> None:
        """See `ChannelTable.remove`."""
        async with self._unit(tenant) as uow:
            await uow.raw.execute("delete from alert_channel where name = %s", (name,))
