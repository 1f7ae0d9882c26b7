"""Proofs for people: that one event is in the log that a signed checkpoint speaks of."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from plan2.foundation.eventstore.audit_file import EventLine, line_of_event
from plan2.foundation.eventstore.checkpoints import Checkpoint, CheckpointFile
from plan2.foundation.eventstore.log_reading import event_at
from plan2.foundation.eventstore.log_tree import LogTree, hashes_file, stored_hashes
from plan2.foundation.eventstore.merkle import leaf_hash
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import TenantId


class InclusionProof(msgspec.Struct, frozen=True, kw_only=True):
    """That a leaf is in the tree of a checkpoint; hashes in hex, the path from the leaf upwards.

    The leaf's data is the event's chain hash; its index is the position minus one. `tenant`,
    `head_hash` and `previous` are what else the signature covers (`checkpoints.signed_text`).
    """

    size: int
    root_hash: str
    leaf_hash: str
    path: list[str]
    signed_us: int
    signature: str
    tenant: str
    head_hash: str
    previous: str


class Proven(msgspec.Struct, frozen=True):
    """An event and its proof."""

    event: EventLine
    proof: InclusionProof


class Prover:
    """Makes proofs against the newest checkpoint of a tenant.

    Args:
        open_unit: opens a unit of work of a tenant.
        checkpoints: where a tenant's checkpoints are.
        archive: the folder of archived months (`retention.py`).
    """

    def __init__(
        self,
        open_unit: OpenUnit,
        checkpoints: Callable[[TenantId], CheckpointFile],
        archive: Path | None = None,
    ) -> None:
        self._unit = open_unit
        self._archive = archive
        self._checkpoints = checkpoints
        self._trees: dict[TenantId, LogTree] = {}

    async def prove(self, tenant: TenantId, position: int) -> Proven | None:
        """An event with its proof; None when no checkpoint covers it yet, or it is not there."""
        newest = self._checkpoints(tenant).newest()
        if not newest or newest[0].size < position:
            return None
        async with self._unit(tenant) as uow:
            event = await event_at(uow, position)
        if event is None:
            return None
        proof = await self.proof_of(tenant, position, event.hash, newest[0])
        return Proven(line_of_event(event), proof)

    async def proof_of(
        self, tenant: TenantId, position: int, chain_hash: bytes, signed: Checkpoint
    ) -> InclusionProof:
        """The proof that the event with this chain hash is in a checkpoint's tree."""
        tree = self._trees.get(tenant)
        if tree is None:
            archived = hashes_file(self._archive, tenant) if self._archive else None
            tree = LogTree(stored_hashes(self._unit, tenant, archived))
            self._trees[tenant] = tree
        path = await tree.inclusion(position - 1, signed.size)
        return InclusionProof(
            size=signed.size,
            root_hash=signed.root_hash,
            leaf_hash=leaf_hash(chain_hash).hex(),
            path=[step.hex() for step in path],
            signed_us=signed.at_us,
            signature=signed.signature,
            tenant=signed.tenant,
            head_hash=signed.head_hash,
            previous=signed.previous,
        )
