"""The Merkle tree of a tenant's log: proofs on demand, with few of its nodes kept in memory.

Leaf i is event i + 1; its data is the event's chain hash, so a leaf speaks for the whole event and
for everything before it. Roots of whole chunks are remembered (32 bytes per 1,024 events); what is
in between is read again when it is asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from plan2.foundation.errors import InvariantBroken
from plan2.foundation.eventstore.merkle import (
    HASH_BYTES,
    Frontier,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    root_of,
    split_of,
)
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import TenantId

CHUNK: Final = 1_024

ChainHashes = Callable[[int, int], Awaitable[Sequence[bytes]]]
"""Chain hashes of the events at positions start < position ≤ end, in order."""


class LogTree:
    """Computes subtree roots and proofs of one log; its events must never change."""

    def __init__(self, chain_hashes: ChainHashes) -> None:
        self._read = chain_hashes
        self._chunks: dict[tuple[int, int], bytes] = {}

    async def root(self, size: int) -> bytes:
        """The root of the tree of the first `size` events."""
        return await self._root_of(0, size) if size else Frontier().root()

    async def inclusion(self, index: int, size: int) -> list[bytes]:
        """Proof that leaf `index` (from 0) is in the tree of `size` leaves.

        Raises:
            InputError: there is no such leaf.
        """
        return [await self._root_of(*one) for one in inclusion_ranges(index, size)]

    async def consistency(self, first: int, second: int) -> list[bytes]:
        """Proof that the tree of `second` leaves begins with that of `first`.

        Raises:
            InputError: the sizes are not 0 < first ≤ second.
        """
        return [await self._root_of(*one) for one in consistency_ranges(first, second)]

    async def _root_of(self, start: int, end: int) -> bytes:
        """The root over leaves start ≤ i < end; `start` is where a subtree of the log starts."""
        if end - start < CHUNK:
            return root_of(await self._leaves(start, end))
        known = self._chunks.get((start, end))
        if known is not None:
            return known
        if end - start == CHUNK:
            found = root_of(await self._leaves(start, end))
        else:
            middle = start + split_of(end - start)
            found = node_hash(await self._root_of(start, middle), await self._root_of(middle, end))
        if (end - start).bit_count() == 1:
            self._chunks[start, end] = found
        return found

    async def _leaves(self, start: int, end: int) -> list[bytes]:
        hashes = await self._read(start, end)
        if len(hashes) != end - start:
            raise InvariantBroken(
                f"events {start + 1} to {end} should be {end - start}, found {len(hashes)}",
                remedy="Run `plan2 audit verify`; archived months need their files.",
            )
        return [leaf_hash(each) for each in hashes]


def stored_hashes(
    open_unit: OpenUnit, tenant: TenantId, archived: Path | None = None
) -> ChainHashes:
    """Reads chain hashes of a tenant's events: of archived months from their file.

    Args:
        open_unit: opens a unit of work of the tenant.
        tenant: whose log.
        archived: the file that `retention.py` keeps the hashes of archived events in.
    """

    async def read(start: int, end: int) -> Sequence[bytes]:
        older = await asyncio.to_thread(_from_file, archived, start, end) if archived else []
        if len(older) == end - start:
            return older
        async with open_unit(tenant) as uow:
            cursor = await uow.raw.execute(
                "select hash from event where pos > %s and pos <= %s order by pos",
                (start + len(older), end),
            )
            return [*older, *(row[0] for row in await cursor.fetchall())]

    return read


def hashes_file(archive: Path, tenant: TenantId) -> Path:
    """The file with the chain hashes of a tenant's archived events, 32 bytes each, from event 1."""
    return archive / tenant / "chain_hashes.bin"


def _from_file(path: Path, start: int, end: int) -> list[bytes]:
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(start * HASH_BYTES)
        data = file.read((end - start) * HASH_BYTES)
    return [data[place : place + HASH_BYTES] for place in range(0, len(data), HASH_BYTES)]
