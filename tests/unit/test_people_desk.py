"""Inviting, changing and resetting people, and the one-time links they join with."""

import asyncio

import pytest

from plan2.connectivity.identity.invitations import Invitation, NotJoined, Purpose
from plan2.connectivity.identity.people import Person, erased_name
from plan2.connectivity.identity.people_desk import NoSuchUser, OnlyOperators, State, Wanted
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.second_factor import NotConfirmed
from plan2.connectivity.identity.sessions import hash_secret
from plan2.foundation.errors import InputError
from plan2.foundation.events.people import UserChanged, UserInvited
from plan2.foundation.values import NS_PER_HOUR
from unit.credential_fixtures import CredentialStage
from unit.identity_fixtures import HOME, OTHER, PASSWORD
from unit.test_second_factor import enrolled

NEW = "eleven quiet lamps in the fog"


async def started() -> tuple[CredentialStage, Session]:
    """A stage with an administrator."""
    stage = CredentialStage()
    await stage.start()
    return stage, await stage.administrator()


async def invited(
    stage: CredentialStage, root: Session, name: str = "ann", role: Role = Role.ANALYST
) -> Invitation:
    """An invitation for somebody with a password to come."""
    made = await stage.people.invite(root, name, role)
    assert isinstance(made, Invitation)
    return made


async def test_an_invitation_leads_to_a_sign_in() -> None:
    """Invited, not able to sign in, joins with the link, signs in, is active."""
    stage, root = await started()
    made = await invited(stage, root)
    assert (made.purpose, made.expires_ns - stage.clock.now_ns()) == ("join", 48 * NS_PER_HOUR)
    (ann, _) = await stage.people.listed(HOME)
    assert (ann.state, ann.person.user.role) == (State.INVITED, Role.ANALYST)
    assert await stage.enter("ann", NEW) is None
    assert await stage.invitations.look(made.token) is not None
    joined = await stage.invitations.join(made.token, NEW)
    assert isinstance(joined, Person)
    assert await stage.enter("ann", NEW) is not None
    (ann, _) = await stage.people.listed(HOME)
    assert (ann.state, ann.has_second_factor) == (State.ACTIVE, False)


async def test_a_name_that_looks_erased_protects_nobody() -> None:
    """Somebody who joins under such a name can be blocked like everybody else."""
    stage, root = await started()
    made = await invited(stage, root)
    user_id = made.person.user.user_id
    for name in ("erased-me", erased_name(user_id)):
        await stage.people.change(root, user_id, Wanted(name=name))
        await stage.people.reset(root, user_id, second_factor=False)
    assert (await stage.people.change(root, user_id, Wanted(is_blocked=True))).is_blocked


async def test_an_invitation_shows_no_token() -> None:
    """Wherever it is printed."""
    stage, root = await started()
    made = await invited(stage, root)
    assert made.token not in repr(made)


async def test_a_link_is_good_once() -> None:
    """Second use, and a race of ten: one password is set."""
    stage, root = await started()
    token = (await invited(stage, root)).token
    results = await asyncio.gather(
        *(stage.invitations.join(token, f"{NEW} {number}") for number in range(10))
    )
    assert sum(isinstance(each, Person) for each in results) == 1
    assert await stage.invitations.join(token, NEW) == NotJoined("")
    assert await stage.invitations.look(token) is None


async def test_a_link_ends_after_48_hours() -> None:
    """Good until the last nanosecond."""
    stage, root = await started()
    first = await invited(stage, root)
    stage.clock.advance_to(first.expires_ns - 1)
    assert await stage.invitations.look(first.token) is not None
    stage.clock.advance_to(first.expires_ns)
    assert await stage.invitations.join(first.token, NEW) == NotJoined("")


async def test_only_the_hash_of_a_link_is_kept() -> None:
    """Neither the table nor the facts hold the token; the name goes into a sealed field."""
    stage, root = await started()
    made = await invited(stage, root)
    tenant, _, secret = made.token.partition(".")
    assert tenant == HOME
    assert (HOME, hash_secret(secret)) in stage.link_table.links
    assert secret not in repr((stage.link_table.links, stage.written.events))
    (event,) = stage.written.of(UserInvited)
    assert isinstance(event, UserInvited)
    assert (event.name, event.purpose, event.by) == ("ann", "join", root.actor)


@pytest.mark.parametrize(
    "change", ["", "main", "main.", "other.{}", "nowhere.{}", "main.{}x", "Main.{}", "main.{}\n"]
)
async def test_another_token_is_none(change: str) -> None:
    """Nobody is shown, nobody joins, and no table of an unknown tenant is asked."""
    stage, root = await started()
    await stage.administrator(OTHER)
    secret = (await invited(stage, root)).token.partition(".")[2]
    token = change.format(secret)
    assert await stage.invitations.look(token) is None
    assert await stage.invitations.join(token, NEW) == NotJoined("")


@pytest.mark.parametrize("password", ["short", "passwordpassword", "ann" * 6, "x" * 129])
async def test_a_password_that_is_none_leaves_the_link_good(password: str) -> None:
    """The reason is told, and the next try may succeed."""
    stage, root = await started()
    token = (await invited(stage, root)).token
    refused = await stage.invitations.join(token, password)
    assert isinstance(refused, NotJoined)
    assert refused.fault
    assert isinstance(await stage.invitations.join(token, NEW), Person)


async def test_who_joins_may_choose_another_name() -> None:
    """A free one; a taken one is refused and leaves the link good; a reset renames nobody."""
    stage, root = await started()
    token = (await invited(stage, root)).token
    with pytest.raises(InputError, match="taken"):
        await stage.invitations.join(token, NEW, "ROOT")
    joined = await stage.invitations.join(token, NEW, "Ann Miller")
    assert isinstance(joined, Person)
    assert joined.user.name == "Ann Miller"
    made = await stage.people.reset(root, joined.user.user_id, second_factor=False)
    again = await stage.invitations.join(made.token, f"{NEW} 2", "Somebody")
    assert isinstance(again, Person)
    assert again.user.name == "Ann Miller"


async def test_a_reset_ends_sessions_only_when_it_is_used() -> None:
    """The old password is good until then; afterwards it is not, and sessions are over."""
    stage, root = await started()
    ann = await stage.add("ann")
    opened = await stage.enter("ann")
    assert opened is not None
    first = await stage.people.reset(root, ann.user_id, second_factor=False)
    second = await stage.people.reset(root, ann.user_id, second_factor=False)
    assert await stage.enter("ann") is not None
    assert await stage.invitations.join(first.token, NEW) == NotJoined("")
    assert isinstance(await stage.invitations.join(second.token, NEW), Person)
    assert stage.sessions.find(opened[0]) is None
    assert await stage.enter("ann") is None
    assert await stage.enter("ann", NEW) is not None
    assert second.purpose is Purpose.RESET


async def test_a_reset_may_take_a_lost_second_factor_away() -> None:
    """Only when it is said; then at once."""
    stage, root = await started()
    ann = await stage.add("ann")
    await enrolled(stage, ann)
    await stage.people.reset(root, ann.user_id, second_factor=False)
    assert stage.factors.has(HOME, ann.user_id)
    await stage.people.reset(root, ann.user_id, second_factor=True)
    assert not stage.factors.has(HOME, ann.user_id)
    assert await stage.factors.confirm(ann, "123456") is NotConfirmed.NOTHING_BEGUN


async def test_a_blocked_person_s_link_is_dead() -> None:
    """And nobody gets a new one while blocked."""
    stage, root = await started()
    made = await invited(stage, root)
    ann = made.person.user
    await stage.people.change(root, ann.user_id, Wanted(is_blocked=True))
    assert await stage.invitations.join(made.token, NEW) == NotJoined("")
    with pytest.raises(InputError, match="blocked"):
        await stage.people.reset(root, ann.user_id, second_factor=False)
    (seen, _) = await stage.people.listed(HOME)
    assert seen.state is State.BLOCKED


async def test_a_program_gets_no_link() -> None:
    """It signs in with keys only."""
    stage, root = await started()
    bot = await stage.people.invite(root, "bot", Role.API_USER)
    assert isinstance(bot, Person)
    assert stage.link_table.links == {}
    with pytest.raises(InputError, match="no password"):
        await stage.people.reset(root, bot.user.user_id, second_factor=False)


async def test_every_change_is_a_fact_and_takes_effect() -> None:
    """Role, name, blocked, unblocked, operator; the actor is named; roles end sessions."""
    stage, root = await started()
    ann = await stage.add("ann")
    await stage.book.set_operator(HOME, root.user.user_id, True, by="test")
    boss = stage.session(root.user)
    opened = await stage.enter("ann")
    assert opened is not None
    before = len(stage.written.of(UserChanged))
    for wanted in (
        Wanted(role=Role.ANALYST),
        Wanted(name="Ann M"),
        Wanted(is_blocked=True),
        Wanted(is_blocked=False),
        Wanted(is_operator=True),
    ):
        await stage.people.change(boss, ann.user_id, wanted)
    told = [
        (event.change, event.by)
        for event in stage.written.of(UserChanged)[before:]
        if isinstance(event, UserChanged)
    ]
    kinds = ["role", "renamed", "blocked", "unblocked", "operator"]
    assert told == [(kind, boss.actor) for kind in kinds]
    assert stage.sessions.find(opened[0]) is None
    assert (await stage.enter("Ann M")) is not None


@pytest.mark.parametrize("wanted", [Wanted(), Wanted(name="x", role=Role.ANALYST)])
async def test_one_change_at_a_time(wanted: Wanted) -> None:
    """None or two in one request would leave half of them done when one is refused."""
    stage, root = await started()
    ann = await stage.add("ann")
    with pytest.raises(InputError, match="One change"):
        await stage.people.change(root, ann.user_id, wanted)


@pytest.mark.parametrize("wanted", [Wanted(role=Role.ANALYST), Wanted(is_blocked=True)])
async def test_the_last_administrator_stays(wanted: Wanted) -> None:
    """Neither demoted nor blocked, until there is another one."""
    stage, root = await started()
    with pytest.raises(InputError, match="last administrator"):
        await stage.people.change(root, root.user.user_id, wanted)
    await stage.add("second", Role.TENANT_ADMIN)
    await stage.people.change(root, root.user.user_id, wanted)


async def test_nobody_but_an_operator_touches_an_operator() -> None:
    """Not their role, not their password: that would be a way to stand above all tenants."""
    stage, root = await started()
    ann = await stage.add("ann")
    with pytest.raises(OnlyOperators):
        await stage.people.change(root, ann.user_id, Wanted(is_operator=True))
    await stage.book.set_operator(HOME, ann.user_id, True, by="test")
    for wanted in (Wanted(role=Role.ANALYST), Wanted(name="x"), Wanted(is_operator=False)):
        with pytest.raises(OnlyOperators):
            await stage.people.change(root, ann.user_id, wanted)
    with pytest.raises(OnlyOperators):
        await stage.people.reset(root, ann.user_id, second_factor=True)
    assert await stage.enter("ann", PASSWORD) is not None


async def test_other_tenants_people_do_not_exist() -> None:
    """The same refusal as for an id that nobody has."""
    stage, root = await started()
    stranger = await stage.add("eve", tenant_id=OTHER)
    refusals = []
    for user_id in (stranger.user_id, "0" * 32):
        with pytest.raises(NoSuchUser) as caught:
            await stage.people.change(root, user_id, Wanted(name="x"))
        refusals.append(str(caught.value).replace(user_id, "…"))
        with pytest.raises(NoSuchUser):
            await stage.people.reset(root, user_id, second_factor=False)
    assert refusals[0] == refusals[1]
    assert [each.user.name for each in stage.people.people(HOME)] == ["root"]
