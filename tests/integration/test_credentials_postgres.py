"""Second factors, keys, links and approvals in a real database, of two tenants."""

import asyncio
import base64
from collections.abc import AsyncIterator

import pyotp
import pytest
import sqlalchemy as sa

from integration.postgres_fixture import Postgres
from plan2.connectivity.identity.api_key_desk import KeyWish
from plan2.connectivity.identity.api_key_table import PostgresApiKeys
from plan2.connectivity.identity.approval_table import PostgresApprovals
from plan2.connectivity.identity.invitation_table import PostgresInvitations
from plan2.connectivity.identity.invitations import Invitation, NotJoined
from plan2.connectivity.identity.people import Person
from plan2.connectivity.identity.principal import User
from plan2.connectivity.identity.proposals import Denial, Proposal, State
from plan2.connectivity.identity.rights import Role, Scope
from plan2.connectivity.identity.second_factor import NotConfirmed
from plan2.connectivity.identity.second_factor_table import PostgresFactors
from plan2.connectivity.identity.tables import PostgresIdentity
from plan2.foundation.secrets.sealing import SealBroken
from plan2.foundation.storage import Database
from plan2.foundation.values import NS_PER_SECOND, TenantId
from unit.credential_fixtures import CredentialStage
from unit.identity_fixtures import FakeDirectory, IdentityTables

NEW = "eleven quiet lamps in the fog"
TABLES = ("second_factor", "backup_code", "api_key", "invitation", "approval")


class StoredStage(CredentialStage):
    """All of this area on tables in PostgreSQL; the first tenant is home."""

    def __init__(self, database: Database, home: TenantId, other: TenantId) -> None:
        self.home, self.other = home, other
        self.tenants = (home, other)
        self.database = database
        super().__init__()

    def wire(self) -> None:
        """As the stage does, with tables that last."""
        uow = self.database.uow
        self.tables = PostgresIdentity(uow)  # type: ignore[assignment]  # the same port
        self.factor_table = PostgresFactors(uow)  # type: ignore[assignment]
        self.key_table = PostgresApiKeys(uow)  # type: ignore[assignment]
        self.link_table = PostgresInvitations(uow)  # type: ignore[assignment]
        self.proposal_table = PostgresApprovals(uow)  # type: ignore[assignment]
        self.directory = FakeDirectory(self.home, self.other)
        super().wire()
        self.keys._table = IdentityTables()

    async def member(self, name: str, role: Role = Role.PORTFOLIO_MANAGER) -> User:
        """Somebody of the home tenant."""
        return await self.add(name, role, self.home)

    async def enrolled(self, user: User) -> tuple[str, tuple[str, ...]]:
        """Set a second factor up; its secret and backup codes, a step later."""
        begun = await self.factors.begin(user)
        codes = await self.factors.confirm(user, self.code(begun.secret))
        assert not isinstance(codes, NotConfirmed)
        self.later(30)
        return begun.secret, codes

    def code(self, secret: str) -> str:
        """What an app shows now."""
        return pyotp.TOTP(secret).at(self.clock.now_ns() // NS_PER_SECOND)

    async def dump(self, table: str) -> str:
        """Every value of a table as text, bytes in hex."""
        async with self.database.uow(self.home) as uow:
            rows = (await uow.execute(f"select * from {table}")).all()
        return repr([[v.hex() if isinstance(v, bytes) else v for v in row] for row in rows])


@pytest.fixture
async def stage(
    postgres: Postgres, database: Database, tenant: TenantId
) -> AsyncIterator[StoredStage]:
    """A started stage."""
    made = StoredStage(database, tenant, postgres.new_tenant())
    await made.start()
    yield made
    made.passwords.close()


async def test_a_code_works_once_in_a_race(stage: StoredStage) -> None:
    """R-078: two concurrent sign-ins with one code, fifty times: one success each."""
    ann = await stage.member("ann")
    secret, _ = await stage.enrolled(ann)
    for _ in range(50):
        code = stage.code(secret)
        uses = [stage.factors.check(ann, code) for _ in range(2)]
        assert sum(await asyncio.gather(*uses)) == 1
        stage.later(30)


async def test_an_enrolment_has_one_winner(stage: StoredStage) -> None:
    """Five confirmations at once: one set of backup codes; the code is used up by it."""
    ann = await stage.member("ann")
    begun = await stage.factors.begin(ann)
    code = stage.code(begun.secret)
    tries = [stage.factors.confirm(ann, code) for _ in range(5)]
    results = await asyncio.gather(*tries)
    assert sum(not isinstance(each, NotConfirmed) for each in results) == 1
    assert not await stage.factors.check(ann, code)
    assert (await stage.factors.standing(ann)).codes_left == 10


async def test_backup_codes_are_used_up_replaced_and_removed(stage: StoredStage) -> None:
    """R-080: a race of two has one success; the used one stays used after a restart."""
    ann = await stage.member("ann")
    _, codes = await stage.enrolled(ann)
    assert sum(await asyncio.gather(*(stage.factors.check(ann, codes[0]) for _ in range(2)))) == 1
    await stage.restart()
    assert stage.factors.has(stage.home, ann.user_id)
    assert not await stage.factors.check(ann, codes[0])
    assert (await stage.factors.standing(ann)).codes_left == 9
    renewed = await stage.factors.renew_codes(ann)
    assert renewed is not None
    assert not await stage.factors.check(ann, codes[1])
    assert await stage.factors.check(ann, renewed[0])
    assert await stage.factors.remove(ann, "user:root")
    assert not await stage.factors.check(ann, renewed[1])
    assert await stage.factors.renew_codes(ann) is None
    await stage.enrolled(ann)


async def test_a_new_factor_takes_the_place_of_the_old(stage: StoredStage) -> None:
    """One in force per person, one waiting; beginning again replaces the one that waits."""
    ann = await stage.member("ann")
    old, _ = await stage.enrolled(ann)
    await stage.factors.begin(ann)
    new, _ = await stage.enrolled(ann)
    assert not await stage.factors.check(ann, stage.code(old))
    assert await stage.factors.check(ann, stage.code(new))
    async with stage.database.uow(stage.home) as uow:
        assert (await uow.execute("select count(*) from second_factor")).scalar_one() == 1


async def test_a_dump_holds_no_usable_secret(stage: StoredStage) -> None:
    """R-080, R-085, R-098: seeds, backup codes, keys and links are not in any of the tables."""
    ann = await stage.member("ann")
    root = stage.session(await stage.member("root", Role.TENANT_ADMIN))
    secret, codes = await stage.enrolled(ann)
    wish = KeyWish(label="bot", scopes=frozenset({Scope.READ}), days=1)
    shown, _ = await stage.desk.create(wish, stage.session(ann))
    made = await stage.people.invite(root, "eve", Role.ANALYST)
    assert isinstance(made, Invitation)
    dump = "".join([await stage.dump(table) for table in TABLES])
    seed = base64.b32decode(secret)
    needles = [secret, seed.hex(), shown[-43:], made.token[-43:]]
    needles += [*codes, *(code.replace("-", "") for code in codes)]
    needles += [each.encode().hex() for each in needles]
    assert "bot" in dump
    assert [each for each in needles if each in dump] == []


async def test_a_sealed_seed_opens_in_its_own_row_only(stage: StoredStage) -> None:
    """R-098: swapped between two rows of the database, neither opens."""
    ann, bob = await stage.member("ann"), await stage.member("bob")
    secret, _ = await stage.enrolled(ann)
    await stage.enrolled(bob)
    async with stage.database.uow(stage.home) as uow:
        await uow.execute(
            "update second_factor set seed = other.seed from second_factor other "
            "where other.factor_id <> second_factor.factor_id"
        )
    for user in (ann, bob):
        with pytest.raises(SealBroken):
            await stage.factors.check(user, stage.code(secret))


async def test_keys_survive_a_restart_with_all_they_are(stage: StoredStage) -> None:
    """Scopes, networks, last use; a revoked one stays revoked; a blocked owner's key ends."""
    ann = await stage.member("ann")
    await stage.member("root", Role.TENANT_ADMIN)
    wish = KeyWish(
        label="bot",
        scopes=frozenset({Scope.READ, Scope.TRADE}),
        days=30,
        networks=("10.0.0.0/8", "2001:db8::/32"),
    )
    shown, key = await stage.desk.create(wish, stage.session(ann))
    second, gone = await stage.desk.create(wish, stage.session(ann))
    await stage.desk.revoke(gone, "revoked", "user:root")
    assert stage.api_keys.find(shown, "10.0.0.1") is not None
    await stage.desk.write()
    before = {each.key_id: each for each in stage.api_keys.of_tenant(stage.home)}
    await stage.restart()
    after = {each.key_id: each for each in stage.api_keys.of_tenant(stage.home)}
    assert before == after
    assert after[key.key_id].last_used_ns == stage.clock.now_ns()
    assert stage.api_keys.find(shown, "10.0.0.1") is not None
    assert stage.api_keys.find(shown, "11.0.0.1") is None
    assert stage.api_keys.find(second, "10.0.0.1") is None
    await stage.book.set_blocked(stage.home, ann.user_id, True, by="root")
    await stage.desk.write()
    await stage.restart()
    assert stage.api_keys.get(stage.home, key.key_id).revoked_reason == "blocked"  # type: ignore[union-attr]


async def test_a_link_is_good_once_in_a_race(stage: StoredStage) -> None:
    """Five passwords at once: one is set; a new link voids the old one."""
    root = stage.session(await stage.member("root", Role.TENANT_ADMIN))
    made = await stage.people.invite(root, "eve", Role.ANALYST)
    assert isinstance(made, Invitation)
    assert await stage.invitations.waiting(stage.home) == {made.person.user.user_id}
    results = await asyncio.gather(
        *(stage.invitations.join(made.token, f"{NEW} {number}") for number in range(5))
    )
    assert sum(isinstance(each, Person) for each in results) == 1
    assert await stage.invitations.waiting(stage.home) == set()
    eve = made.person.user.user_id
    first = await stage.people.reset(root, eve, second_factor=False)
    second = await stage.people.reset(root, eve, second_factor=False)
    assert await stage.invitations.join(first.token, NEW) == NotJoined("")
    assert isinstance(await stage.invitations.join(second.token, NEW), Person)
    other = f"{stage.other}.{second.token.partition('.')[2]}"
    assert await stage.invitations.look(other) is None


async def test_an_approval_is_decided_once(stage: StoredStage) -> None:
    """R-082: ten answers at once: one decides; what was proposed comes back as it was."""
    ann, bob = await stage.member("ann"), await stage.member("bob")
    proposal = await stage.approvals.propose(
        stage.session(ann),
        "limit_override",
        {
            "limit": 5,
        },
        "né",
    )
    await stage.restart()
    (kept,) = await stage.approvals.listed(stage.home, State.OPEN)
    assert kept == proposal
    caller = stage.session(bob)
    answers = await asyncio.gather(
        *(
            stage.approvals.approve(caller, kept.approval_id, kept.content_hash, "")
            for _ in range(5)
        ),
        *(stage.approvals.refuse(caller, kept.approval_id, "no") for _ in range(5)),
    )
    assert sum(isinstance(each, Proposal) for each in answers) == 1
    assert sum(each is Denial.ALREADY_DECIDED for each in answers) == 9
    assert len(stage.deeds.done) <= 1
    assert await stage.approvals.listed(stage.home, State.OPEN) == []


@pytest.mark.parametrize("table", TABLES)
async def test_another_tenant_sees_no_row(stage: StoredStage, table: str) -> None:
    """Forced row security, also when the other tenant's schema is named outright."""
    ann = await stage.member("ann")
    root = stage.session(await stage.member("root", Role.TENANT_ADMIN))
    await stage.enrolled(ann)
    wish = KeyWish(label="bot", scopes=frozenset({Scope.READ}), days=1)
    await stage.desk.create(wish, stage.session(ann))
    await stage.people.invite(root, "eve", Role.ANALYST)
    await stage.approvals.propose(stage.session(ann), "limit_override", {"limit": 5}, "")
    question = sa.text(f"select count(*) from t_{stage.home}.{table}")
    async with stage.database.uow(stage.home) as uow:
        assert (await uow.execute(question)).scalar_one() > 0
    async with stage.database.uow(stage.other) as uow:
        assert (await uow.execute(question)).scalar_one() == 0
