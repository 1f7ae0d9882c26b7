"""Rotations of keys as they are kept: what was replaced by what, how far it has come."""

from typing import Any, Final, Literal, Protocol

import msgspec

from plan2.foundation.secrets.key_tables import OpenUnit
from plan2.foundation.values import TenantId

Level = Literal["root", "tenant"]
COLUMNS: Final = (
    "rotation_id, level, old_key, new_key, rewrapped, started_by, started_ns, finished_ns"
)


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """One replacement of a key, in one tenant.

    Attributes:
        rewrapped: keys that were wrapped again so far. finished_ns: UTC; None while it goes on.
    """

    rotation_id: str
    level: Level
    old_key: str
    new_key: str
    rewrapped: int
    started_by: str
    started_ns: int
    finished_ns: int | None


class RotationTable(Protocol):
    """Keeps rotations; durable when a method returns."""

    async def insert(self, tenant: TenantId, rotation: Rotation) -> None:
        """Keep a new one."""
        ...

    async def update(self, tenant: TenantId, rotation: Rotation) -> None:
        """Keep how far it has come."""
        ...

    async def read(self, tenant: TenantId, limit: int) -> list[Rotation]:
        """Unfinished ones, then the newest."""
        ...


class PostgresRotations:
    """The table `key_rotation` of each tenant (migration 0007)."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def insert(self, tenant: TenantId, rotation: Rotation) -> None:
        """See `RotationTable.insert`."""
        async with self._unit(tenant) as uow:
            await uow.raw.execute(
                f"insert into key_rotation ({COLUMNS}) "  # noqa: S608 - our own columns
                "values (%s, %s, %s, %s, %s, %s, %s, %s)",
                msgspec.structs.astuple(rotation),
            )

    async def update(self, tenant: TenantId, rotation: Rotation) -> None:
        """See `RotationTable.update`."""
        async with self._unit(tenant) as uow:
            await uow.raw.execute(
                "update key_rotation set rewrapped = %s, finished_ns = %s where rotation_id = %s",
                (rotation.rewrapped, rotation.finished_ns, rotation.rotation_id),
            )

    async def read(self, tenant: TenantId, limit: int) -> list[Rotation]:
        """See `RotationTable.read`."""
        async with self._unit(tenant) as uow:
            cursor = await uow.raw.execute(
                f"select {COLUMNS} from key_rotation "  # noqa: S608 - our own columns
                "order by finished_ns is not null, started_ns desc, rotation_id limit %s",
                (limit,),
            )
            return [_rotation(row) for row in await cursor.fetchall()]


def _rotation(row: tuple[Any, ...]) -> Rotation:  # values of several SQL types
    return Rotation(
        rotation_id=row[0],
        level=row[1],
        old_key=row[2],
        new_key=row[3],
        rewrapped=row[4],
        started_by=row[5],
        started_ns=row[6],
        finished_ns=row[7],
    )
