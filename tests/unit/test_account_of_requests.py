"""What requests that change something tell about it: hashes of before and after."""

from hashlib import sha256
from pathlib import Path

from plan2.connectivity.identity.principal import Via
from plan2.connectivity.identity.rights import Role
from plan2.foundation.events.people import ActionTaken
from unit.callers_fixtures import Calling, caller
from unit.whole_stage import WholeStage

BOSS = Calling(via=Via.COOKIE, role=Role.TENANT_ADMIN, is_operator=True)
NOTHING = ""


def digest(content: bytes) -> str:
    """As the account of requests has it."""
    return sha256(content).hexdigest()


def taken(stage: WholeStage) -> list[ActionTaken]:
    """The account of requests."""
    return [event for event in stage.written.of(ActionTaken) if isinstance(event, ActionTaken)]


async def test_changes_about_people(tmp_path: Path) -> None:
    """The role that was is the one that the next change finds; a name leaves no hash behind."""
    stage = await WholeStage.open(tmp_path)
    ann = await stage.credentials.add("ann", Role.ANALYST)
    async with await caller(stage, BOSS) as client:
        path = f"/api/v1/users/{ann.user_id}"
        for change in ({"role": "Portfolio_Manager"}, {"blocked": True}, {"name": "anna"}):
            assert (await client.patch(path, json=change)).status_code == 200
        assert (await client.patch(path, json={})).status_code == 422
        assert (
            await client.post("/api/v1/users", json={"name": "bob", "role": "Analyst"})
        ).is_success
    role, blocked, renamed, refused, invited = taken(stage)
    assert role.before == digest(f'["{ann.user_id}","Analyst",false,false]'.encode())
    assert (
        role.after
        == blocked.before
        == digest(f'["{ann.user_id}","Portfolio_Manager",false,false]'.encode())
    )
    assert blocked.after == renamed.before == renamed.after
    assert (refused.before, refused.after) == (NOTHING, NOTHING)
    assert invited.before == NOTHING
    assert len(invited.after) == 64


async def test_changes_of_limits_and_flags(tmp_path: Path) -> None:
    """A limit of the tenant and a flag: nothing before, then what was set, then the next."""
    stage = await WholeStage.open(tmp_path)
    async with await caller(stage, BOSS) as client:
        limit = "/api/v1/settings/tenant/risk.positions_max"
        for value in (3, 2):
            told = await client.put(limit, json={"value": value, "reason": "less"})
            assert told.status_code == 200, told.text
        for is_on in (True, False):
            flag = "/api/v1/flags/tenant/exploration"
            assert (await client.put(flag, json={"is_on": is_on})).status_code == 200
    first, second, on, off = taken(stage)
    assert first.after == second.before != second.after
    assert (on.before, on.after) == (NOTHING, digest(b"true"))
    assert (off.before, off.after) == (digest(b"true"), digest(b"false"))


async def test_answers_to_proposals(tmp_path: Path) -> None:
    """Open before, decided after."""
    stage = await WholeStage.open(tmp_path)
    boss = stage.credentials.session(await stage.operator())
    asked = await stage.credentials.approvals.propose(boss, "limit_override", {"limit": 1}, "why")
    async with await stage.signed_in() as client:
        path = f"/api/v1/approvals/{asked.approval_id}/withdraw"
        told = await client.post(path, json={"reason": "no"})
        assert told.status_code == 200, told.text
    [withdrawn] = taken(stage)
    assert (withdrawn.before, withdrawn.after) == (digest(b"open"), digest(b"withdrawn"))
