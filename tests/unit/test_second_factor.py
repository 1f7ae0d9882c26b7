"""Second factors: enrolment, codes that work once, backup codes, who must have one."""

import asyncio
import base64

import msgspec
import pyotp
import pytest

from plan2.connectivity.identity.principal import User, Via
from plan2.connectivity.identity.right_table import RIGHTS
from plan2.connectivity.identity.rights import Entrance, Role
from plan2.connectivity.identity.second_factor import NotConfirmed
from plan2.connectivity.identity.second_factor_duty import ENROLMENT_ROUTES
from plan2.foundation.events.people import CredentialChanged
from plan2.foundation.secrets.sealing import SealBroken
from plan2.foundation.values import NS_PER_SECOND
from unit.credential_fixtures import CredentialStage
from unit.identity_fixtures import HOME, OTHER


async def started() -> tuple[CredentialStage, User]:
    """A stage with a trader named ann, without a second factor."""
    stage = CredentialStage()
    await stage.start()
    return stage, await stage.add("ann")


def code_of(stage: CredentialStage, secret: str, steps: int = 0) -> str:
    """What an app shows now, or so many half minutes later, by another library."""
    return pyotp.TOTP(secret).at(stage.clock.now_ns() // NS_PER_SECOND + 30 * steps)


async def enrolled(stage: CredentialStage, user: User) -> tuple[str, tuple[str, ...]]:
    """Set a second factor up; its secret and backup codes, a step later."""
    begun = await stage.factors.begin(user)
    codes = await stage.factors.confirm(user, code_of(stage, begun.secret))
    assert not isinstance(codes, NotConfirmed)
    stage.later(30)
    return begun.secret, codes


async def test_the_code_that_confirms_is_used_up() -> None:
    """R-078: it lets nobody in; the next step's code does, once."""
    stage, ann = await started()
    begun = await stage.factors.begin(ann)
    code = code_of(stage, begun.secret)
    assert not stage.factors.is_needed(ann)
    assert len(await stage.factors.confirm(ann, code)) == 10
    assert stage.factors.is_needed(ann)
    assert not await stage.factors.check(ann, code)
    stage.later(30)
    code = code_of(stage, begun.secret)
    assert [await stage.factors.check(ann, code) for _ in range(3)] == [True, False, False]


async def test_nothing_is_in_force_before_the_first_code() -> None:
    """A wrong code, none begun, one older than 15 minutes, one that was begun anew."""
    stage, ann = await started()
    assert await stage.factors.confirm(ann, "123456") is NotConfirmed.NOTHING_BEGUN
    first = await stage.factors.begin(ann)
    wrong = f"{(int(code_of(stage, first.secret)) + 1) % 10**6:06}"
    assert await stage.factors.confirm(ann, wrong) is NotConfirmed.CODE_WRONG
    second = await stage.factors.begin(ann)
    assert second.secret != first.secret
    old = await stage.factors.confirm(ann, code_of(stage, first.secret))
    assert old is NotConfirmed.CODE_WRONG
    stage.later(15 * 60)
    late = await stage.factors.confirm(ann, code_of(stage, second.secret))
    assert late is NotConfirmed.NOTHING_BEGUN
    assert not stage.factors.has(HOME, ann.user_id)


async def test_the_old_factor_stays_until_the_new_one_is_confirmed() -> None:
    """Losing the new picture half way locks nobody out."""
    stage, ann = await started()
    old, _ = await enrolled(stage, ann)
    new = await stage.factors.begin(ann)
    assert await stage.factors.check(ann, code_of(stage, old))
    stage.later(30)
    await stage.factors.confirm(ann, code_of(stage, new.secret))
    stage.later(30)
    assert not await stage.factors.check(ann, code_of(stage, old))
    assert await stage.factors.check(ann, code_of(stage, new.secret))


async def test_a_backup_code_works_once() -> None:
    """R-080: second use and a race of ten: one success; then nine are left."""
    stage, ann = await started()
    _, codes = await enrolled(stage, ann)
    results = await asyncio.gather(*(stage.factors.check(ann, codes[0]) for _ in range(10)))
    assert sum(results) == 1
    assert not await stage.factors.check(ann, codes[0].lower())
    assert (await stage.factors.standing(ann)).codes_left == 9
    assert await stage.factors.check(ann, codes[1].replace("-", " ").lower())


async def test_new_backup_codes_void_the_old() -> None:
    """And the codes of one person open nothing for another, nor in another tenant."""
    stage, ann = await started()
    assert await stage.factors.renew_codes(ann) is None
    _, old = await enrolled(stage, ann)
    bob, twin = await stage.add("bob"), await stage.add("ann", tenant_id=OTHER)
    await enrolled(stage, bob)
    await enrolled(stage, twin)
    new = await stage.factors.renew_codes(ann)
    assert new is not None
    assert not await stage.factors.check(ann, old[2])
    assert not await stage.factors.check(bob, new[2])
    assert not await stage.factors.check(twin, new[2])
    assert await stage.factors.check(ann, new[2])


async def test_nothing_secret_is_in_the_tables() -> None:
    """Seed and codes, in any form an attacker would look for, are not in what is stored."""
    stage, ann = await started()
    secret, codes = await enrolled(stage, ann)
    stored = repr((stage.factor_table.seeds, stage.factor_table.codes)).encode()
    raw = base64.b32decode(secret)
    assert raw not in stage.factor_table.seeds[HOME, ann.user_id, True].sealed
    for needle in (secret, raw.hex(), *codes, *(code.replace("-", "") for code in codes)):
        assert needle.encode() not in stored


async def test_a_seed_opens_in_its_own_row_only() -> None:
    """R-098: two people's sealed seeds swapped: SealBroken, and nobody gets in."""
    stage, ann = await started()
    bob = await stage.add("bob")
    secret, _ = await enrolled(stage, ann)
    await enrolled(stage, bob)
    seeds = stage.factor_table.seeds
    a, b = (HOME, ann.user_id, True), (HOME, bob.user_id, True)
    seeds[a], seeds[b] = (
        msgspec.structs.replace(seeds[a], sealed=seeds[b].sealed),
        msgspec.structs.replace(seeds[b], sealed=seeds[a].sealed),
    )
    for user in (ann, bob):
        with pytest.raises(SealBroken):
            await stage.factors.check(user, code_of(stage, secret))


async def test_a_removed_factor_is_gone() -> None:
    """Neither code nor backup code, no second removal, and the facts name who did it."""
    stage, ann = await started()
    secret, codes = await enrolled(stage, ann)
    assert await stage.factors.remove(ann, "user:root")
    assert not await stage.factors.remove(ann, "user:root")
    assert not await stage.factors.check(ann, code_of(stage, secret))
    assert not await stage.factors.check(ann, codes[0])
    told = [
        (event.credential, event.change, event.by)
        for event in stage.written.of(CredentialChanged)
        if isinstance(event, CredentialChanged) and event.credential != "password"
    ]
    me = f"user:{ann.user_id}"
    assert told == [
        ("totp", "set", me),
        ("backup_codes", "set", me),
        ("totp", "removed", "user:root"),
    ]


async def test_factors_survive_a_restart() -> None:
    """Also which step was used last."""
    stage, ann = await started()
    secret, _ = await enrolled(stage, ann)
    code = code_of(stage, secret)
    assert await stage.factors.check(ann, code)
    await stage.restart()
    assert stage.factors.has(HOME, ann.user_id)
    assert not await stage.factors.check(ann, code)
    stage.factors.forget(HOME)
    assert not stage.factors.has(HOME, ann.user_id)


async def test_signing_in_asks_for_the_code() -> None:
    """Password alone, and a wrong code, are refused; two sign-ins with one code: one gets in."""
    stage, ann = await started()
    secret, codes = await enrolled(stage, ann)
    assert await stage.enter("ann") is None
    assert await stage.enter("ann", code="000000") is None
    code = code_of(stage, secret)
    opened = await asyncio.gather(stage.enter("ann", code=code), stage.enter("ann", code=code))
    assert sum(each is not None for each in opened) == 1
    assert await stage.enter("ann", code=codes[0]) is not None
    assert await stage.enter("nobody", code=code) is None
    assert not await stage.factors.check(None, code)


@pytest.mark.parametrize(
    ("role", "is_operator", "must"),
    [
        (Role.TENANT_ADMIN, False, True),
        (Role.PORTFOLIO_MANAGER, False, True),
        (Role.ANALYST, False, False),
        (Role.ANALYST, True, True),
        (Role.API_USER, False, False),
    ],
)
async def test_who_must_have_one(role: Role, is_operator: bool, must: bool) -> None:
    """R-081: those who can move money or rights, once they have a password; also after removal."""
    stage, _ = await started()
    user = await stage.add("eve", role)
    if is_operator:
        await stage.book.set_operator(HOME, user.user_id, True, by="test")
    session = stage.session(user)
    assert stage.duty.must_enrol(session) is must
    assert not stage.duty.must_enrol(stage.session(user, Via.KEY))
    assert not stage.duty.must_enrol(stage.session(user, Via.LOCAL))
    await enrolled(stage, user)
    assert not stage.duty.must_enrol(session)
    await stage.factors.remove(user, "test")
    assert stage.duty.must_enrol(session) is must
    await stage.book.set_password(HOME, user.user_id, "", by="test")
    assert not stage.duty.must_enrol(session)


async def test_without_one_every_other_route_is_closed() -> None:
    """Each route of the table that needs a session, except those for setting one up."""
    stage, ann = await started()
    session = stage.session(ann)
    needing = {key for key, rule in RIGHTS.items() if rule.entrance is Entrance.SESSION}
    assert needing > ENROLMENT_ROUTES
    for route in needing:
        assert stage.duty.forbids(session, *route) == (route not in ENROLMENT_ROUTES)
    await enrolled(stage, ann)
    assert not any(stage.duty.forbids(session, *route) for route in needing)


STEP_UP = [
    ("POST", "/api/v1/keys"),
    ("POST", "/api/v1/second-factor"),
    ("POST", "/api/v1/second-factor/backup-codes"),
    ("DELETE", "/api/v1/second-factor"),
    ("POST", "/api/v1/users"),
    ("PATCH", "/api/v1/users/{user_id}"),
    ("POST", "/api/v1/users/{user_id}/reset"),
    ("POST", "/api/v1/approvals/{approval_id}/approve"),
    ("POST", "/api/v1/approvals/{approval_id}/refuse"),
]


@pytest.mark.parametrize("route", STEP_UP)
def test_these_need_a_fresh_proof(route: tuple[str, str]) -> None:
    """R-081, table-driven: keys, people, second factors, approvals."""
    assert RIGHTS[route].step_up


async def test_a_race_of_fifty_has_one_winner_each_time() -> None:
    """R-078: two concurrent uses of one code, fifty times, in memory; PostgreSQL has its own."""
    stage, ann = await started()
    secret, _ = await enrolled(stage, ann)
    for _ in range(50):
        code = code_of(stage, secret)
        uses = [stage.factors.check(ann, code) for _ in range(2)]
        assert sum(await asyncio.gather(*uses)) == 1
        stage.later(30)
