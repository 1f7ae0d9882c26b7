"""Proposals in the tenant's own schema (migration 0005)."""

from typing import Any, Final

from plan2.connectivity.identity.proposals import Proposal, State
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import TenantId

SELECT: Final = (
    "select approval_id, kind, payload, summary, content_hash, ask_reason, proposed_by, "
    "proposed_ns, expires_ns, state, decided_by, decided_ns, reason, outcome from approval "
)
FIND: Final = SELECT + "where approval_id = %s"
LIST: Final = SELECT + "where state = %s or %s = '' order by proposed_ns desc, approval_id limit %s"
INSERT: Final = (
    "insert into approval (approval_id, kind, payload, summary, content_hash, ask_reason, "
    "proposed_by, proposed_ns, expires_ns, state) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


class PostgresApprovals:
    """Implements `ApprovalTable`."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def insert(self, proposal: Proposal) -> None:
        """Keep a new proposal; durable when this returns."""
        values = (
            proposal.approval_id,
            proposal.kind,
            proposal.payload,
            proposal.summary,
            proposal.content_hash,
            proposal.ask_reason,
            proposal.proposed_by,
            proposal.proposed_ns,
            proposal.expires_ns,
            str(proposal.state),
        )
        async with self._unit(TenantId(proposal.tenant_id)) as uow:
            await uow.raw.execute(INSERT, values)

    async def find(self, tenant_id: TenantId, approval_id: str) -> Proposal | None:
        """A proposal of a tenant."""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(FIND, (approval_id,))
            row = await cursor.fetchone()
        return _proposal(tenant_id, row) if row is not None else None

    async def listed(self, tenant_id: TenantId, state: State | None, limit: int) -> list[Proposal]:
        """The newest proposals, of one state or of all."""
        wanted = str(state) if state is not None else ""
        async with self._unit(tenant_id) as uow:
            cursor = await uow.raw.execute(LIST, (wanted, wanted, limit))
            return [_proposal(tenant_id, row) for row in await cursor.fetchall()]

    async def decide(self, decided: Proposal) -> bool:
        """Move an open proposal to its new state; False when it was not open any more."""
        async with self._unit(TenantId(decided.tenant_id)) as uow:
            cursor = await uow.raw.execute(
                "update approval set state = %s, decided_by = %s, decided_ns = %s, reason = %s "
                "where approval_id = %s and state = 'open'",
                (
                    str(decided.state),
                    decided.decided_by,
                    decided.decided_ns,
                    decided.reason,
                    decided.approval_id,
                ),
            )
            return cursor.rowcount == 1

    async def set_outcome(self, tenant_id: TenantId, approval_id: str, outcome: str) -> None:
        """Keep what came of an approved proposal."""
        async with self._unit(tenant_id) as uow:
            await uow.raw.execute(
                "update approval set outcome = %s where approval_id = %s and state = 'approved'",
                (outcome, approval_id),
            )


def _proposal(tenant_id: TenantId, row: tuple[Any, ...]) -> Proposal:  # values of several SQL types
    return Proposal(
        approval_id=row[0],
        tenant_id=tenant_id,
        kind=row[1],
        payload=row[2],
        summary=row[3],
        content_hash=row[4],
        ask_reason=row[5],
        proposed_by=row[6],
        proposed_ns=row[7],
        expires_ns=row[8],
        state=State(row[9]),
        decided_by=row[10],
        decided_ns=row[11],
        reason=row[12],
        outcome=row[13],
    )
