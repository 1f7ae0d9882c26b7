"""Four eyes: who may propose, who may decide, and what is carried out."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from plan2.connectivity.identity.principal import Session, User, Via
from plan2.connectivity.identity.proposals import Denial, Proposal, State, content_hash
from plan2.connectivity.identity.rights import Role
from plan2.foundation.errors import InputError, StoreBusy
from plan2.foundation.events.people import ApprovalAsked, ApprovalDecided
from plan2.foundation.values import NS_PER_HOUR
from unit.credential_fixtures import CredentialStage
from unit.identity_fixtures import HOME, OTHER

KIND, PAYLOAD = "limit_override", {"limit": 5}


async def started() -> tuple[CredentialStage, User, User]:
    """A stage with two traders, ann and bob."""
    stage = CredentialStage()
    await stage.start()
    await stage.administrator()
    return stage, await stage.add("ann"), await stage.add("bob")


async def proposed(stage: CredentialStage, user: User) -> Proposal:
    """A proposal to raise a limit."""
    return await stage.approvals.propose(stage.session(user), KIND, PAYLOAD, "news")


async def approved(
    stage: CredentialStage, caller: Session, proposal: Proposal
) -> Proposal | Denial:
    """Agree to exactly what was shown."""
    return await stage.approvals.approve(
        caller, proposal.approval_id, proposal.content_hash, "fine"
    )


async def test_a_second_trader_s_agreement_carries_it_out() -> None:
    """Once; the facts say who asked and who agreed; the row keeps what came of it."""
    stage, ann, bob = await started()
    proposal = await proposed(stage, ann)
    assert (proposal.summary, proposal.state) == ("Raise the limit to 5.", State.OPEN)
    assert proposal.expires_ns - proposal.proposed_ns == 24 * NS_PER_HOUR
    decided = await approved(stage, stage.session(bob), proposal)
    assert isinstance(decided, Proposal)
    assert (decided.state, decided.outcome) == (State.APPROVED, "done: the limit is raised")
    assert await approved(stage, stage.session(bob), proposal) is Denial.ALREADY_DECIDED
    assert [each.approval_id for each in stage.deeds.done] == [proposal.approval_id]
    (asked,), (said,) = stage.written.of(ApprovalAsked), stage.written.of(ApprovalDecided)
    assert isinstance(asked, ApprovalAsked)
    assert isinstance(said, ApprovalDecided)
    assert (asked.proposed_by, said.decided_by) == (ann.user_id, bob.user_id)
    assert (asked.content_hash, said.outcome) == (proposal.content_hash, "approved")
    (kept,) = await stage.approvals.listed(HOME)
    assert kept.outcome == decided.outcome


async def the_same_person(stage: CredentialStage, ann: User, bob: User) -> Session:
    """Who proposed."""
    return stage.session(ann)


async def their_own_key(stage: CredentialStage, ann: User, bob: User) -> Session:
    """A program of who proposed."""
    return stage.session(ann, Via.KEY)


async def another_key(stage: CredentialStage, ann: User, bob: User) -> Session:
    """A program of another trader."""
    return stage.session(bob, Via.KEY)


async def this_machine(stage: CredentialStage, ann: User, bob: User) -> Session:
    """The key of this machine, which does not prove who uses it."""
    return stage.session(
        User(user_id="x", name="me", tenant_id=HOME, role=Role.TENANT_ADMIN), Via.LOCAL
    )


async def demoted_meanwhile(stage: CredentialStage, ann: User, bob: User) -> Session:
    """A trader's session that outlived the role."""
    session = stage.session(bob)
    await stage.book.change_role(HOME, bob.user_id, Role.ANALYST, by="root")
    return session


async def blocked_meanwhile(stage: CredentialStage, ann: User, bob: User) -> Session:
    """A trader's session that outlived the block."""
    session = stage.session(bob)
    await stage.book.set_blocked(HOME, bob.user_id, True, by="root")
    return session


async def an_analyst(stage: CredentialStage, ann: User, bob: User) -> Session:
    """Somebody without the right."""
    return stage.session(await stage.add("eve", Role.ANALYST))


async def without_proof(stage: CredentialStage, ann: User, bob: User) -> Session:
    """A second trader who has not proven anything for more than five minutes."""
    session = stage.session(bob)
    stage.later(301)
    return session


async def another_tenant_s(stage: CredentialStage, ann: User, bob: User) -> Session:
    """A trader of another tenant."""
    return stage.session(await stage.add("eve", tenant_id=OTHER))


async def of_a_demoted_proposer(stage: CredentialStage, ann: User, bob: User) -> Session:
    """A second trader, but who proposed it may not any more."""
    await stage.book.change_role(HOME, ann.user_id, Role.ANALYST, by="root")
    return stage.session(bob)


Deciding = Callable[[CredentialStage, User, User], Awaitable[Session]]


@pytest.mark.parametrize(
    ("deciding", "expected"),
    [
        (the_same_person, Denial.OWN_PROPOSAL),
        (their_own_key, Denial.NOT_A_PERSON),
        (another_key, Denial.NOT_A_PERSON),
        (this_machine, Denial.NOT_A_PERSON),
        (demoted_meanwhile, Denial.NO_RIGHT),
        (blocked_meanwhile, Denial.NO_RIGHT),
        (an_analyst, Denial.NO_RIGHT),
        (without_proof, Denial.NOT_PROVEN),
        (another_tenant_s, Denial.UNKNOWN),
        (of_a_demoted_proposer, Denial.PROPOSER_LOST_RIGHT),
    ],
)
async def test_who_may_not_decide(deciding: Deciding, expected: Denial) -> None:
    """R-082: neither approve nor refuse; the proposal stays open and nothing is carried out."""
    stage, ann, bob = await started()
    proposal = await proposed(stage, ann)
    caller = await deciding(stage, ann, bob)
    assert await approved(stage, caller, proposal) is expected
    refused = await stage.approvals.refuse(caller, proposal.approval_id, "no")
    assert refused is expected
    assert stage.deeds.done == []
    (kept,) = await stage.approvals.listed(HOME)
    assert kept.state is State.OPEN


async def test_agreement_is_to_what_was_shown() -> None:
    """Another hash, or a row that was changed underneath: refused."""
    stage, ann, bob = await started()
    proposal, caller = await proposed(stage, ann), stage.session(bob)
    other = content_hash(HOME, proposal.approval_id, KIND, '{"limit":6}')
    assert other != proposal.content_hash
    for shown in (other, "", proposal.content_hash.upper()):
        found = await stage.approvals.approve(caller, proposal.approval_id, shown, "")
        assert found is Denial.CONTENT_CHANGED
    stage.proposal_table.rows[HOME, proposal.approval_id] = msgspec.structs.replace(
        proposal, payload='{"limit":500}'
    )
    assert await approved(stage, caller, proposal) is Denial.CONTENT_CHANGED
    assert stage.deeds.done == []


async def test_a_race_of_agreement_and_refusal_has_one_outcome() -> None:
    """Ten answers at once: one decides, and it is carried out at most once."""
    stage, ann, bob = await started()
    root = stage.book.named(HOME, "root")
    assert root is not None
    proposal = await proposed(stage, ann)
    yes, no = stage.session(bob), stage.session(root.user)
    answers = await asyncio.gather(
        *(approved(stage, yes, proposal) for _ in range(5)),
        *(stage.approvals.refuse(no, proposal.approval_id, "no") for _ in range(5)),
    )
    assert sum(isinstance(each, Proposal) for each in answers) == 1
    assert len(stage.deeds.done) <= 1
    assert len(stage.written.of(ApprovalDecided)) == 1


async def test_only_the_proposer_takes_it_back() -> None:
    """Then nobody can approve it any more."""
    stage, ann, bob = await started()
    proposal = await proposed(stage, ann)
    theirs = await stage.approvals.withdraw(stage.session(bob), proposal.approval_id, "")
    assert theirs is Denial.NOT_YOURS
    mine = await stage.approvals.withdraw(stage.session(ann, Via.KEY), proposal.approval_id, "")
    assert isinstance(mine, Proposal)
    assert mine.state is State.WITHDRAWN
    assert await approved(stage, stage.session(bob), proposal) is Denial.ALREADY_DECIDED


async def test_a_day_later_it_is_over() -> None:
    """Open until the last nanosecond; then expired, as a fact, whoever asks first."""
    stage, ann, bob = await started()
    first, second = await proposed(stage, ann), await proposed(stage, ann)
    stage.clock.advance_to(first.expires_ns - 1)
    assert isinstance(await approved(stage, stage.session(bob), first), Proposal)
    stage.clock.advance_to(second.expires_ns)
    assert await approved(stage, stage.session(bob), second) is Denial.EXPIRED
    assert await stage.approvals.expire(HOME) == 0
    (kept,) = await stage.approvals.listed(HOME, State.EXPIRED)
    assert (kept.approval_id, kept.decided_by) == (second.approval_id, "")
    outcomes = [getattr(each, "outcome", "") for each in stage.written.of(ApprovalDecided)]
    assert outcomes == ["approved", "expired"]


async def test_a_failure_is_the_outcome() -> None:
    """It is told, and the same approval does not try again."""
    stage, ann, bob = await started()
    stage.deeds.failure = StoreBusy("The database is away.")
    proposal = await proposed(stage, ann)
    decided = await approved(stage, stage.session(bob), proposal)
    assert isinstance(decided, Proposal)
    assert decided.outcome == "failed: The database is away."
    stage.deeds.failure = None
    assert await approved(stage, stage.session(bob), proposal) is Denial.ALREADY_DECIDED
    assert stage.deeds.done == []


async def test_a_crash_while_it_is_carried_out_is_told_and_not_repeated() -> None:
    """Approved without an outcome at the start: it is marked, not run."""
    stage, ann, _ = await started()
    proposal = await proposed(stage, ann)
    stage.proposal_table.rows[HOME, proposal.approval_id] = msgspec.structs.replace(
        proposal, state=State.APPROVED
    )
    await stage.restart()
    (kept,) = await stage.approvals.listed(HOME)
    assert kept.outcome.startswith("failed: Plan2 stopped meanwhile")
    assert stage.deeds.done == []


@pytest.mark.parametrize("traders", [1, 2])
async def test_alone(traders: int) -> None:
    """The only one who may decide does so alone, with a fresh proof; of two nobody does."""
    stage = CredentialStage()
    await stage.start()
    root = (await stage.administrator()).user
    if traders == 2:
        bob = await stage.add("bob")
        # Blocking the only other one does not make anybody alone.
        await stage.book.set_blocked(HOME, bob.user_id, True, by="root")
    proposal = await proposed(stage, root)
    stale = await approved(stage, stage.session(root, proven=False), proposal)
    decided = await approved(stage, stage.session(root), proposal)
    if traders == 1:
        assert stale is Denial.NOT_PROVEN
        assert isinstance(decided, Proposal)
    else:
        assert decided is Denial.OWN_PROPOSAL
    key = await approved(stage, stage.session(root, Via.KEY), await proposed(stage, root))
    assert key is Denial.NOT_A_PERSON


async def test_alone_counts_who_may_decide_on_the_kind() -> None:
    """One administrator beside traders is alone with what only administrators decide."""
    stage, ann, _ = await started()
    root = stage.book.named(HOME, "root")
    assert root is not None
    caller = stage.session(root.user)
    proposal = await stage.approvals.propose(caller, "admins_only", PAYLOAD, "")
    assert await approved(stage, stage.session(ann), proposal) is Denial.NO_RIGHT
    assert isinstance(await approved(stage, caller, proposal), Proposal)
    await stage.add("second", Role.TENANT_ADMIN)
    proposal = await stage.approvals.propose(caller, "admins_only", PAYLOAD, "")
    assert await approved(stage, caller, proposal) is Denial.OWN_PROPOSAL


async def test_what_cannot_be_proposed() -> None:
    """Unknown kinds, unusable payloads, too much of it, roles without the right."""
    stage, ann, _ = await started()
    eve = stage.session(await stage.add("eve", Role.ANALYST))
    local = await this_machine(stage, ann, ann)
    trader = stage.session(ann)
    for caller, kind, payload in (
        (trader, "world_peace", PAYLOAD),
        (trader, KIND, {}),
        (trader, KIND, {"limit": "x" * 20_000}),
        (trader, KIND, {"limit": "\ud800"}),
        (eve, KIND, PAYLOAD),
        (local, KIND, PAYLOAD),
    ):
        with pytest.raises(InputError):
            await stage.approvals.propose(caller, kind, payload, "")
    assert stage.proposal_table.rows == {}


async def test_open_proposals_have_a_bound() -> None:
    """A hundred; deciding one makes room."""
    stage, ann, bob = await started()
    kept = [await proposed(stage, ann) for _ in range(100)]
    with pytest.raises(InputError, match="open already"):
        await proposed(stage, ann)
    await stage.approvals.refuse(stage.session(bob), kept[0].approval_id, "no")
    await proposed(stage, ann)


async def test_loading_again_leaves_what_is_under_way_alone() -> None:
    """A tenant that is resumed is loaded anew while an approval is being carried out."""
    stage, ann, bob = await started()
    proposal = await proposed(stage, ann)
    stage.deeds.gate = asyncio.Event()
    deciding = asyncio.create_task(approved(stage, stage.session(bob), proposal))
    await stage.deeds.begun.wait()
    assert await stage.approvals.load(HOME) == 0
    deciding.cancel()  # the caller goes away; what was approved goes on
    stage.deeds.gate.set()
    await asyncio.gather(*stage.approvals._under_way.values())
    (kept,) = await stage.approvals.listed(HOME)
    assert kept.outcome == "done: the limit is raised"
