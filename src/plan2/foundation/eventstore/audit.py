"""Check that the log is what it was: recompute every hash from the stored columns.

A changed, inserted, removed or moved event breaks the chain at its place. What a chain alone
cannot show is a log that was cut at its end or recomputed as a whole; for that its head must be
noted down outside the database, which `ChainReport` makes possible.
"""

from collections.abc import Callable

import msgspec

from plan2.foundation.database.unit_of_work import UnitOfWork
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
    """

    tenant: str
    events: int
    last_position: int
    head_hash: str
    broken: Break | None

    @property
    def is_whole(self) -> bool:
        """Whether every event is what was written."""
        return self.broken is None


async def verify_chain(
    uow: UnitOfWork, progress: Callable[[int], None] = lambda _: None
) -> ChainReport:
    """Walk the whole log of the unit's tenant and stop at the first break.

    Args:
        uow: an open transaction; the log is read as it was when the check began.
        progress: told the number of events after each page.
    """
    # One statement, so that both come from the same moment while others go on appending.
    row = await (
        await uow.raw.execute(
            "select h.pos, h.hash, (select coalesce(max(e.pos), 0) from event e) from log_head h"
        )
    ).fetchone()
    head_position, head_hash, end = row or (0, GENESIS, 0)
    last: StoredEvent | None = None
    read = 0
    while True:
        page = await select(
            uow.raw,
            "where pos > %s and pos <= %s order by pos limit %s",
            (last.position if last else 0, head_position, PAGE),
        )
        for event in page:
            read += 1
            if reason := fault(uow.tenant, event, last):
                return _report(uow.tenant, read, last, Break(event.position, reason))
            last = event
        progress(read)
        if len(page) < PAGE:
            break
    if end > head_position:
        added = Break(head_position + 1, f"the log should end at {head_position}, not at {end}")
        return _report(uow.tenant, read, last, added)
    if (last.position if last else 0, last.hash if last else GENESIS) != (head_position, head_hash):
        missing = Break(last.position + 1 if last else 1, f"the log should end at {head_position}")
        return _report(uow.tenant, read, last, missing)
    return _report(uow.tenant, read, last, None)


def fault(tenant: TenantId, event: StoredEvent, last: StoredEvent | None) -> str:
    """What is wrong with an event that follows `last`; "" when nothing is."""
    if event.position != (last.position + 1 if last else 1):
        return "events are missing before it"
    if event.prev_hash != (last.hash if last else GENESIS):
        return "it does not follow the event before it"
    if last is not None and event.at_us <= last.at_us:
        return "it was recorded before the event it follows"
    if event.hash != chain_hash(tenant, event):
        return "its content is not what was written"
    return ""


def _report(
    tenant: TenantId, read: int, last: StoredEvent | None, broken: Break | None
) -> ChainReport:
    return ChainReport(
        tenant=tenant,
        events=read,
        last_position=last.position if last else 0,
        head_hash=last.hash.hex() if last else "",
        broken=broken,
    )
