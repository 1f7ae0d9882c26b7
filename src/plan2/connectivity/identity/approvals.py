"""Four eyes: what one person proposes, another one decides on, within a day.

Proposer and approver differ as people: a key is its owner, and only a person who signed in decides.
The approver states the hash of what was shown; their rights, and the proposer's, are those of this
moment. An approved proposal is carried out once and never again, also after a crash in between.

Where only one person of a tenant may decide on a kind there are no four eyes: that person decides
alone, with a fresh proof of identity. Blocked people count, so that nobody gets alone by blocking
the others.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

from plan2.connectivity.identity.people import Person
from plan2.connectivity.identity.principal import Session, Via
from plan2.connectivity.identity.proposals import (
    ApprovalTable,
    Denial,
    Kind,
    Payload,
    Proposal,
    State,
    canonical,
    content_hash,
)
from plan2.connectivity.identity.sign_in import is_proven
from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError, Plan2Error
from plan2.foundation.events.people import ApprovalAsked, ApprovalDecided
from plan2.foundation.events.recording import Record
from plan2.foundation.ids import IdSource
from plan2.foundation.values import NS_PER_HOUR, TenantId

LIFE_NS: Final = 24 * NS_PER_HOUR
OPEN_MAX: Final = 100
"""Open proposals of a tenant."""
LISTED_MAX: Final = 200


class Traders(Protocol):
    """The people of tenants, as they are now."""

    def find(self, tenant_id: str, user_id: str) -> Person | None:
        """A person, blocked ones too."""
        ...

    def of_tenant(self, tenant_id: str) -> Sequence[Person]:
        """Everybody of a tenant."""
        ...


class Approvals:
    """All proposals of all tenants.

    Args:
        table: durable storage. people: rights. kinds: what may be proposed, by name.
        clock: wall time. ids: names of proposals. record: writes facts down.
    """

    def __init__(
        self,
        table: ApprovalTable,
        people: Traders,
        kinds: Mapping[str, Kind],
        clock: Clock,
        ids: IdSource,
        record: Record,
    ) -> None:
        self._table = table
        self._people = people
        self._kinds = kinds
        self._clock = clock
        self._ids = ids
        self._record = record
        self._proposing = asyncio.Lock()
        self._under_way: dict[str, asyncio.Task[Proposal]] = {}

    async def load(self, tenant_id: str) -> int:
        """Tell of each approved proposal whose end a crash left open that it is not repeated."""
        known = await self._table.listed(TenantId(tenant_id), State.APPROVED, LISTED_MAX)
        broken = [
            each for each in known if not each.outcome and each.approval_id not in self._under_way
        ]
        for each in broken:
            await self._table.set_outcome(
                TenantId(tenant_id),
                each.approval_id,
                "failed: Plan2 stopped meanwhile; see whether it took effect, or propose it anew",
            )
        return len(broken)

    async def listed(self, tenant_id: str, state: State | None = None) -> list[Proposal]:
        """The newest proposals, after those whose time is over were closed."""
        await self.expire(tenant_id)
        return await self._table.listed(TenantId(tenant_id), state, LISTED_MAX)

    async def propose(
        self, caller: Session, kind_name: str, payload: Payload, reason: str
    ) -> Proposal:
        """Ask for a second person's agreement.

        Raises:
            InputError: there is no such kind, the caller's role may not, the payload cannot be
                used, or too many proposals are open.
        """
        kind = self._kinds.get(kind_name)
        if kind is None:
            known = ", ".join(sorted(self._kinds)) or "none"
            raise InputError(f"There is no kind {kind_name!r} of approval; there are: {known}.")
        user = caller.user
        self._check_proposer(caller, kind, kind_name)
        text = canonical(payload)
        approval_id, now_ns = self._ids.next_id("approval"), self._clock.now_ns()
        proposal = Proposal(
            approval_id=approval_id,
            tenant_id=user.tenant_id,
            kind=kind_name,
            payload=text,
            summary=kind.summarise(user.tenant_id, payload),
            content_hash=content_hash(user.tenant_id, approval_id, kind_name, text),
            ask_reason=reason,
            proposed_by=user.user_id,
            proposed_ns=now_ns,
            expires_ns=now_ns + LIFE_NS,
        )
        async with self._proposing:
            waiting = await self.listed(user.tenant_id, State.OPEN)
            if len(waiting) >= OPEN_MAX:
                raise InputError(f"{OPEN_MAX} proposals are open already.", remedy="Decide some.")
            await self._table.insert(proposal)
        self._tell_asked(proposal, caller.actor)
        return proposal

    async def approve(
        self, caller: Session, approval_id: str, shown_hash: str, reason: str
    ) -> Proposal | Denial:
        """Agree to a proposal as it was shown, and have it carried out; returns when it is.

        Args:
            caller: the second person.
            approval_id: which proposal.
            shown_hash: the content's hash as the caller saw it.
            reason: why.
        """
        found = await self._open(caller.user.tenant_id, approval_id)
        if isinstance(found, Denial):
            return found
        denial = self.why_not(found, caller)
        if denial is not None:
            return denial
        if not self._is_unchanged(found, shown_hash):
            return Denial.CONTENT_CHANGED
        decided = await self._decide(found, State.APPROVED, caller, reason)
        if isinstance(decided, Denial):
            return decided
        # A caller that goes away must not stop what was approved.
        work = asyncio.create_task(self._carry_out(decided))
        self._under_way[approval_id] = work
        work.add_done_callback(lambda _: self._under_way.pop(approval_id))
        return await asyncio.shield(work)

    async def refuse(self, caller: Session, approval_id: str, reason: str) -> Proposal | Denial:
        """Say no to somebody's proposal."""
        found = await self._open(caller.user.tenant_id, approval_id)
        if isinstance(found, Denial):
            return found
        denial = self.why_not(found, caller)
        if denial is not None:
            return denial
        return await self._decide(found, State.REFUSED, caller, reason)

    async def withdraw(self, caller: Session, approval_id: str, reason: str) -> Proposal | Denial:
        """Take one's own proposal back."""
        found = await self._open(caller.user.tenant_id, approval_id)
        if isinstance(found, Denial):
            return found
        if found.proposed_by != caller.user.user_id:
            return Denial.NOT_YOURS
        return await self._decide(found, State.WITHDRAWN, caller, reason)

    async def expire(self, tenant_id: str) -> int:
        """Close the proposals of a tenant that nobody decided on in time; their number."""
        now_ns = self._clock.now_ns()
        closed = 0
        for each in await self._table.listed(TenantId(tenant_id), State.OPEN, OPEN_MAX):
            if each.expires_ns <= now_ns:
                closed += not isinstance(await self._decide(each, State.EXPIRED, None, ""), Denial)
        return closed

    def why_not(self, proposal: Proposal, caller: Session) -> Denial | None:
        """Why somebody may not decide on an open proposal; None when they may."""
        kind, user = self._kinds.get(proposal.kind), caller.user
        is_alone = kind is not None and self._may_decide_alone(user.tenant_id, kind)
        if caller.via is Via.KEY or (caller.via is Via.LOCAL and not is_alone):
            return Denial.NOT_A_PERSON
        is_person = caller.via is not Via.LOCAL
        if kind is None or (is_person and not self._has_right(user.tenant_id, user.user_id, kind)):
            return Denial.NO_RIGHT
        if user.user_id == proposal.proposed_by and not is_alone:
            return Denial.OWN_PROPOSAL
        if not is_alone and not self._has_right(user.tenant_id, proposal.proposed_by, kind):
            return Denial.PROPOSER_LOST_RIGHT
        if not is_proven(caller, self._clock.now_ns()):
            return Denial.NOT_PROVEN
        return None

    async def _open(self, tenant_id: str, approval_id: str) -> Proposal | Denial:
        found = await self._table.find(TenantId(tenant_id), approval_id)
        if found is None:
            return Denial.UNKNOWN
        if found.state is State.OPEN and found.expires_ns <= self._clock.now_ns():
            await self.expire(tenant_id)
            return Denial.EXPIRED
        return found if found.state is State.OPEN else Denial.ALREADY_DECIDED

    async def _decide(
        self, proposal: Proposal, state: State, caller: Session | None, reason: str
    ) -> Proposal | Denial:
        """Move an open proposal on; of two who try at once one succeeds."""
        decided = msgspec.structs.replace(
            proposal,
            state=state,
            decided_by=caller.user.user_id if caller is not None else "",
            decided_ns=self._clock.now_ns(),
            reason=reason,
        )
        if not await self._table.decide(decided):
            return Denial.ALREADY_DECIDED
        event = ApprovalDecided(
            ts_ns=self._clock.now_ns(),
            approval_id=proposal.approval_id,
            outcome=str(state),
            decided_by=decided.decided_by,
            reason=reason,
        )
        actor = caller.actor if caller is not None else "system"
        self._record(
            proposal.tenant_id, _stream(proposal), event, actor=actor,
            correlation_id=proposal.approval_id,
        )  # fmt: skip
        return decided

    async def _carry_out(self, proposal: Proposal) -> Proposal:
        try:
            outcome = f"done: {await self._kinds[proposal.kind].carry_out(proposal)}"
        except Plan2Error as error:
            outcome = f"failed: {error}"
        await self._table.set_outcome(TenantId(proposal.tenant_id), proposal.approval_id, outcome)
        return msgspec.structs.replace(proposal, outcome=outcome)

    def _check_proposer(self, caller: Session, kind: Kind, name: str) -> None:
        user = caller.user
        if caller.via is Via.LOCAL:
            if not self._may_decide_alone(user.tenant_id, kind):
                raise InputError(
                    "The key of this machine does not prove which person proposes.",
                    remedy="Sign in to the web page as a trader and propose it there.",
                )
        elif not self._has_right(user.tenant_id, user.user_id, kind):
            raise InputError(f"The role {user.role} may not propose {name}.")

    def _has_right(self, tenant_id: str, user_id: str, kind: Kind) -> bool:
        person = self._people.find(tenant_id, user_id)
        return person is not None and not person.is_blocked and person.user.role in kind.roles

    def _may_decide_alone(self, tenant_id: str, kind: Kind) -> bool:
        people = self._people.of_tenant(tenant_id)
        return sum(person.user.role in kind.roles for person in people) < 2

    @staticmethod
    def _is_unchanged(proposal: Proposal, shown_hash: str) -> bool:
        """Whether what was shown is what is stored, and what was proposed."""
        now = content_hash(
            proposal.tenant_id, proposal.approval_id, proposal.kind, proposal.payload
        )
        return shown_hash == proposal.content_hash == now

    def _tell_asked(self, proposal: Proposal, actor: str) -> None:
        event = ApprovalAsked(
            ts_ns=proposal.proposed_ns,
            approval_id=proposal.approval_id,
            kind=proposal.kind,
            summary=proposal.summary,
            content_hash=proposal.content_hash,
            proposed_by=proposal.proposed_by,
            expires_ns=proposal.expires_ns,
        )
        self._record(
            proposal.tenant_id, _stream(proposal), event, actor=actor,
            correlation_id=proposal.approval_id,
        )  # fmt: skip


def _stream(proposal: Proposal) -> str:
    return f"approval:{proposal.approval_id}"
