"""Check that the log is what it was: recompute every hash from the stored columns.

A changed, inserted, removed or moved event breaks the chain at its place. What a chain alone
cannot show is a log that was cut at its end or recomputed as a whole; for that the signed
checkpoints outside the database are held against it (`Witness`).
"""

from collections.abc import Callable, Sequence

import msgspec

from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.eventstore.checkpoints import Checkpoint, check_checkpoints
from plan2.foundation.eventstore.merkle import Frontier, leaf_hash
from plan2.foundation.eventstore.record import GENESIS, StoredEvent, chain_hash
from plan2.foundation.eventstore.store import select
from plan2.foundation.values import TenantId

PAGE = 2_000


class Break(msgspec.Struct, frozen=True):
    """The first place where the chain does not hold, and how."""

    position: int
    reason: str


class ChainReport(msgspec.Struct, frozen=True):
    """The result of a check.

    Attributes:
        events: how many events were read, the broken one included.
        head_hash: hex of the last hash that was right, "" when there is none.
        broken: None when the chain is whole.
        root_hash: hex of the Merkle root of what was right; "" when no witness was asked.
        checkpoints: how many signed checkpoints agreed.
    """

    tenant: str
    events: int
    last_position: int
    head_hash: str
    broken: Break | None
    root_hash: str = ""
    checkpoints: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether every event is what was written."""
        return self.broken is None


class Boundary(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log in the database begins: what comes before was archived and removed.

    Attributes:
        position, at_us, hash: of the last archived event; all zero for a whole log.
        frontier: the Merkle tree up to it.
    """

    position: int = 0
    at_us: int = 0
    hash: bytes = GENESIS
    frontier: Frontier = msgspec.field(default_factory=Frontier)


WHOLE = Boundary()


class Witness:
    """Holds a log, event by event, against its signed checkpoints."""

    def __init__(
        self,
        tenant: TenantId | str,
        checkpoints: Sequence[Checkpoint],
        public_key: str,
        boundary: Boundary = WHOLE,
    ) -> None:
        self.agreed = 0
        self._frontier = boundary.frontier.copy()
        self._expected = {each.size: each for each in checkpoints}
        self._last = checkpoints[-1].size if checkpoints else 0
        self._flaw = check_checkpoints(checkpoints, public_key, tenant)

    @property
    def root_hash(self) -> str:
        """Hex of the Merkle root of what was seen."""
        return self._frontier.root().hex()

    def see(self, event: StoredEvent) -> str:
        """Take in the next event; what is wrong with the log up to it, "" when nothing is."""
        self._frontier.append(leaf_hash(event.hash))
        signed = self._expected.get(self._frontier.size)
        if signed is None:
            return ""
        if (signed.head_hash, signed.root_hash) != (event.hash.hex(), self.root_hash):
            return "the log up to it is not what was signed: it was written anew"
        self.agreed += 1
        return ""

    def end(self) -> Break | None:
        """What is wrong once the whole log was seen."""
        if self._last > self._frontier.size:
            found = self._frontier.size
            return Break(found + 1, f"{self._last} events were signed, the log ends at {found}")
        return Break(0, self._flaw) if self._flaw else None


class ChainWalk:
    """Checks events one after the other, wherever they come from."""

    def __init__(
        self, tenant: TenantId, witness: Witness | None = None, boundary: Boundary = WHOLE
    ) -> None:
        self.tenant = tenant
        self.read = 0
        self.position, self.at_us, self.hash = boundary.position, boundary.at_us, boundary.hash
        self._witness = witness

    def step(self, event: StoredEvent) -> Break | None:
        """Take the next event; where and why it does not fit, None when it does."""
        self.read += 1
        reason = self._fault(event)
        if not reason and self._witness is not None:
            reason = self._witness.see(event)
        if reason:
            return Break(event.position, reason)
        self.position, self.at_us, self.hash = event.position, event.at_us, event.hash
        return None

    def report(self, broken: Break | None) -> ChainReport:
        """What was found; without a fault of the chain the witness has the last word."""
        witness = self._witness
        if broken is None and witness is not None:
            broken = witness.end()
        return ChainReport(
            tenant=self.tenant,
            events=self.read,
            last_position=self.position,
            head_hash=self.hash.hex(),
            broken=broken,
            root_hash=witness.root_hash if witness else "",
            checkpoints=witness.agreed if witness else 0,
        )

    def _fault(self, event: StoredEvent) -> str:
        if event.position != self.position + 1:
            return "events are missing before it"
        if event.prev_hash != self.hash:
            return "it does not follow the event before it"
        if event.at_us <= self.at_us and event.position > 1:
            return "it was recorded before the event it follows"
        if event.hash != chain_hash(self.tenant, event):
            return "its content is not what was written"
        return ""


async def verify_chain(
    uow: UnitOfWork,
    progress: Callable[[int], None] = lambda _: None,
    *,
    witness: Witness | None = None,
    boundary: Boundary = WHOLE,
) -> ChainReport:
    """Walk the whole log of the unit's tenant and stop at the first break.

    Args:
        uow: an open transaction; the log is read as it was when the check began.
        progress: told the number of events after each page.
        witness: the signed checkpoints to hold it against.
        boundary: where the log begins, when older months were archived.
    """
    # One statement, so that both come from the same moment while others go on appending.
    row = await (
        await uow.raw.execute(
            "select h.pos, h.hash, (select coalesce(max(e.pos), 0) from event e) from log_head h"
        )
    ).fetchone()
    head_position, head_hash, end = row or (0, GENESIS, 0)
    walk = ChainWalk(uow.tenant, witness, boundary)
    while True:
        page = await select(
            uow.raw,
            "where pos > %s and pos <= %s order by pos limit %s",
            (walk.position, head_position, PAGE),
        )
        for event in page:
            if broken := walk.step(event):
                return walk.report(broken)
        progress(walk.read)
        if len(page) < PAGE:
            break
    if end > head_position and end > boundary.position:
        added = Break(head_position + 1, f"the log should end at {head_position}, not at {end}")
        return walk.report(added)
    if (walk.position, walk.hash) != (head_position, head_hash):
        return walk.report(Break(walk.position + 1, f"the log should end at {head_position}"))
    return walk.report(None)
