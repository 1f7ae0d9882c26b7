# ruff: noqa: D102 - the protocols that the fakes implement say what their methods do
"""A `Sealer` for tests: real AES-256-GCM under keys in a dictionary, nothing durable.

Below it the parts of the product's own sealer, with tables in dictionaries.
"""

import hashlib

import msgspec

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.ids import SeededIds
from plan2.foundation.secrets.envelope import DataKey, RandomBytes, bytes_of, key_id_of
from plan2.foundation.secrets.envelope_sealer import EnvelopeSealer
from plan2.foundation.secrets.key_tables import SubjectKeyRow, TenantKeyRow
from plan2.foundation.secrets.keys import KeyProvider, LocalKeys, RootKeys, Wrapped
from plan2.foundation.secrets.sealing import KeyGone, KeysUnavailable, Place, SealBroken
from plan2.foundation.secrets.subject_keys import SubjectKeys
from plan2.foundation.secrets.tenant_keys import TenantKeys
from plan2.foundation.values import NS_PER_SECOND, TenantId


class MemorySealer:
    """Seals as the product does; `destroy` erases a subject, `is_away` plays a lost provider."""

    def __init__(self) -> None:
        self.keys: dict[tuple[str, str], DataKey] = {}
        self.destroyed: set[tuple[str, str]] = set()
        self.is_away = False
        self._bytes = counted_bytes("sealer")

    async def seal(self, place: Place, plain: bytes) -> bytes:
        """See `Sealer.seal`."""
        return self._key(place).seal(plain, bytes_of(place), self._bytes)

    async def open(self, place: Place, sealed: bytes) -> bytes:
        """See `Sealer.open`."""
        key = self._key(place)
        if key.key_id != key_id_of(sealed):
            raise SealBroken("sealed by another key")
        return key.open(sealed, bytes_of(place))

    async def destroy(self, tenant: TenantId, subject: str) -> bool:
        """Erase a subject; whether there was a key."""
        self.destroyed.add((tenant, subject))
        return self.keys.pop((tenant, subject), None) is not None

    def _key(self, place: Place) -> DataKey:
        if self.is_away:
            raise KeysUnavailable("the provider is away")
        owner = (place.tenant_id, place.subject)
        if owner in self.destroyed:
            raise KeyGone(f"{place.subject} was erased")
        if owner not in self.keys:
            self.keys[owner] = DataKey(self._bytes(16).hex(), self._bytes(32))
        return self.keys[owner]


class MemoryTenantKeys:
    """The table `tenant_key` in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[TenantId, list[TenantKeyRow]] = {}

    async def read(self, tenant: TenantId) -> list[TenantKeyRow]:
        return list(self.rows.get(tenant, []))

    async def insert(self, tenant: TenantId, row: TenantKeyRow) -> bool:
        rows = self.rows.setdefault(tenant, [])
        if any(each.version == row.version for each in rows):
            return False
        rows.append(row)
        return True

    async def rewrap(self, tenant: TenantId, version: int, wrapped: Wrapped) -> None:
        self.rows[tenant] = [
            msgspec.structs.replace(row, wrapped=wrapped) if row.version == version else row
            for row in self.rows[tenant]
        ]

    async def delete(self, tenant: TenantId) -> None:
        self.rows.pop(tenant, None)


class MemorySubjectKeys:
    """The tables `subject_key` and `erased_subject` in dictionaries."""

    def __init__(self) -> None:
        self.rows: dict[tuple[TenantId, str], SubjectKeyRow] = {}
        self.erased: set[tuple[TenantId, str]] = set()

    async def read(self, tenant: TenantId, subject: str) -> SubjectKeyRow | None:
        return self.rows.get((tenant, subject))

    async def insert(self, tenant: TenantId, row: SubjectKeyRow) -> bool:
        place = (tenant, row.subject)
        if place in self.rows or place in self.erased:
            return False
        self.rows[place] = row
        return True

    async def erase(self, tenant: TenantId, subject: str, at_ns: int) -> bool:
        self.erased.add((tenant, subject))
        return self.rows.pop((tenant, subject), None) is not None

    async def behind(
        self, tenant: TenantId, tenant_key: str, after: str, limit: int
    ) -> list[SubjectKeyRow]:
        rows = sorted(
            (row for (whose, _), row in self.rows.items() if whose == tenant),
            key=lambda row: row.subject,
        )
        return [row for row in rows if row.tenant_key != tenant_key and row.subject > after][:limit]

    async def rewrap(self, tenant: TenantId, old: SubjectKeyRow, new: SubjectKeyRow) -> bool:
        place = (tenant, old.subject)
        if self.rows.get(place) != old:
            return False
        self.rows[place] = new
        return True

    async def count(self, tenant: TenantId) -> int:
        return sum(1 for whose, _ in self.rows if whose == tenant)


class MemoryRoots:
    """A `RootStore` in memory."""

    kind, place, protection = "memory", "here", "none"

    def __init__(self) -> None:
        self.kept: RootKeys | None = None

    def read(self) -> RootKeys | None:
        return self.kept

    def write(self, keys: RootKeys) -> None:
        self.kept = keys


class FaultyProvider(LocalKeys):
    """A provider of the root key that tests can take away."""

    def __init__(self) -> None:
        super().__init__(MemoryRoots(), SimulatedClock(), SeededIds("root"), counted_bytes())
        self.is_away = False
        self.asked = 0

    async def unwrap(self, wrapped: Wrapped, bound_to: bytes) -> bytes:
        self.asked += 1
        if self.is_away:
            raise KeysUnavailable("the provider is away")
        return await super().unwrap(wrapped, bound_to)

    async def wrap(self, key: bytes, bound_to: bytes) -> Wrapped:
        if self.is_away:
            raise KeysUnavailable("the provider is away")
        return await super().wrap(key, bound_to)


def counted_bytes(seed: str = "bytes") -> RandomBytes:
    """Bytes that differ each time, the same in each run."""
    ids = SeededIds(seed)
    return lambda length: hashlib.shake_256(ids.next_id("bytes").encode()).digest(length)


class KeyRoom:
    """Tenant keys, people's keys and the sealer around fakes; one hour is remembered."""

    def __init__(self, provider: KeyProvider | None = None) -> None:
        self.clock = SimulatedClock(1_000 * NS_PER_SECOND)
        self.provider = provider or FaultyProvider()
        self.tenant_table = MemoryTenantKeys()
        self.subject_table = MemorySubjectKeys()
        self.restart()

    def restart(self) -> None:
        """Forget what is in memory, keep what is stored."""
        random = counted_bytes()
        ids = SeededIds(f"ids {self.clock.now_ns()}")
        self.tenants = TenantKeys(
            self.provider, self.tenant_table, self.clock, ids, random, remember_s=3_600
        )
        self.subjects = SubjectKeys(self.tenants, self.subject_table, self.clock, ids, random)
        self.sealer = EnvelopeSealer(self.tenants, self.subjects, random)

    def wait_s(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.advance_to(self.clock.now_ns() + seconds * NS_PER_SECOND)
