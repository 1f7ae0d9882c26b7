"""Keys for programs: what they may be, when they let in, and what ends them."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan2.connectivity.identity.api_key_desk import KeyWish, TooManyKeys
from plan2.connectivity.identity.api_keys import SHAPE, ApiKey
from plan2.connectivity.identity.directory import TenantState
from plan2.connectivity.identity.principal import User, Via
from plan2.connectivity.identity.rights import Role, Scope
from plan2.foundation.errors import InputError, StoreBusy
from plan2.foundation.events.people import KeyIssued, KeyRevoked
from plan2.foundation.values import NS_PER_DAY
from unit.credential_fixtures import CredentialStage
from unit.identity_fixtures import HOME, OTHER

HERE = "192.0.2.7"
READ_AND_TRADE = frozenset({Scope.READ, Scope.TRADE})


def wish(label: str = "bot", *scopes: Scope, days: int = 90, **more: object) -> KeyWish:
    """A wish for a key that may look, unless said otherwise."""
    chosen = frozenset(scopes or {Scope.READ})
    return KeyWish(label=label, scopes=chosen, days=days, **more)  # type: ignore[arg-type]  # by name


async def started(role: Role = Role.PORTFOLIO_MANAGER) -> tuple[CredentialStage, User]:
    """A stage with an administrator and somebody named ann."""
    stage = CredentialStage()
    await stage.start()
    await stage.add("root", Role.TENANT_ADMIN)
    return stage, await stage.add("ann", role)


async def made(
    stage: CredentialStage, user: User, asked: KeyWish | None = None
) -> tuple[str, ApiKey]:
    """A key of somebody's own."""
    return await stage.desk.create(asked or wish(), stage.session(user))


async def test_a_key_lets_its_program_in() -> None:
    """As its owner, in the role of programs, with its scopes and no proof of identity."""
    stage, ann = await started()
    shown, key = await made(stage, ann, wish("bot", Scope.READ, Scope.TRADE))
    session = stage.api_keys.find(shown, HERE)
    assert session is not None
    assert (session.via, session.user.role) == (Via.KEY, Role.API_USER)
    assert (session.user.user_id, session.user.tenant_id) == (ann.user_id, HOME)
    assert session.scopes == READ_AND_TRADE
    assert (session.session_id, session.proven_ns, session.csrf) == (key.key_id, 0, "")
    assert session.actor == f"user:{ann.user_id}"
    assert not session.user.is_operator
    assert stage.api_keys.is_live(key.key_id)


async def test_only_the_hash_is_kept() -> None:
    """R-085: 256 bits, SHA-256 of them, the prefix shown; the facts hold no secret."""
    stage, ann = await started()
    shown, key = await made(stage, ann)
    found = SHAPE.fullmatch(shown)
    assert found is not None
    secret = found[3]
    assert (found[1], found[2], len(secret)) == ("test", key.key_id, 43)
    kept = stage.key_table.rows[key.key_id]
    assert kept.secret_hash == hashlib.sha256(secret.encode()).digest()
    assert secret not in repr((stage.key_table.rows, stage.written.events, key))
    assert shown.startswith(key.prefix)
    (issued,) = stage.written.of(KeyIssued)
    assert isinstance(issued, KeyIssued)
    assert (issued.key_id, issued.label, issued.scopes) == (key.key_id, "bot", ("read",))


@pytest.mark.parametrize(
    ("role", "scopes", "is_allowed"),
    [
        (Role.ANALYST, {Scope.READ}, True),
        (Role.ANALYST, {Scope.TRADE}, False),
        (Role.ANALYST, {Scope.READ, Scope.TRADE}, False),
        (Role.PORTFOLIO_MANAGER, {Scope.READ, Scope.TRADE}, True),
        (Role.PORTFOLIO_MANAGER, {Scope.ADMIN}, False),
        (Role.TENANT_ADMIN, {Scope.TRADE}, True),
        (Role.TENANT_ADMIN, {Scope.READ, Scope.ADMIN}, False),
        (Role.TENANT_ADMIN, set(), False),
    ],
)
async def test_scopes_stay_within_the_owner_s_rights(
    role: Role, scopes: set[Scope], is_allowed: bool
) -> None:
    """R-085: an Analyst's key may only look; nobody's key administers; an empty one is none."""
    stage, ann = await started(role)
    asked = KeyWish(label="bot", scopes=frozenset(scopes), days=1)
    if is_allowed:
        await made(stage, ann, asked)
    else:
        with pytest.raises(InputError, match="may be allowed"):
            await made(stage, ann, asked)
        assert stage.key_table.rows == {}


@pytest.mark.parametrize(
    "asked",
    [
        wish(""),
        wish("x" * 65),
        wish("a\nb"),
        wish(days=0),
        wish(days=366),
        wish(networks=("10.0.0.1/8",)),
        wish(networks=("example.com",)),
        wish(networks=("10.0.0.0/8",) * 21),
        wish(user_id="nobody"),
    ],
)
async def test_what_no_key_may_be_is_refused(asked: KeyWish) -> None:
    """A label to know it by, a year at most, networks that are some, an owner that exists."""
    stage, ann = await started()
    with pytest.raises(InputError):
        await made(stage, ann, asked)
    assert stage.key_table.rows == {}


async def test_whose_key_it_may_be() -> None:
    """Administrators make keys for programs; nobody makes one in another person's name."""
    stage, ann = await started()
    root = stage.book.named(HOME, "root")
    bot = await stage.add("bot", Role.API_USER)
    assert root is not None
    _, key = await made(stage, root.user, wish(user_id=bot.user_id))
    assert key.user_id == bot.user_id
    assert key.created_by == f"user:{root.user.user_id}"
    for caller, owner in ((root.user, ann), (ann, bot), (ann, root.user)):
        with pytest.raises(InputError, match="for oneself"):
            await made(stage, caller, wish(user_id=owner.user_id))
    stranger = await stage.add("eve", tenant_id=OTHER)
    with pytest.raises(InputError, match="has no user"):
        await made(stage, root.user, wish(user_id=stranger.user_id))
    local = stage.session(
        User(user_id="x", name="me", tenant_id=HOME, role=Role.TENANT_ADMIN), Via.LOCAL
    )
    _, mine = await stage.desk.create(wish(user_id=ann.user_id), local)
    assert (mine.user_id, mine.created_by) == (ann.user_id, "user:me")


async def test_two_keys_of_one_label_for_rotation() -> None:
    """R-085: a third is refused, also in a race; revoking or expiring one makes room."""
    stage, ann = await started()
    results = await asyncio.gather(
        *(made(stage, ann, wish(days=1)) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(each, TooManyKeys) for each in results) == 3
    await made(stage, ann, wish("other"))
    first, second = [key for key in stage.api_keys.of_tenant(HOME) if key.label == "bot"]
    await stage.desk.revoke(first, "revoked", "user:x")
    await made(stage, ann, wish(days=300))
    with pytest.raises(TooManyKeys, match=second.key_id):
        await made(stage, ann)
    stage.later(24 * 3600)
    await made(stage, ann)


async def blocked(stage: CredentialStage, user: User) -> None:
    """The owner is blocked."""
    await stage.book.set_blocked(HOME, user.user_id, True, by="root")


async def demoted(stage: CredentialStage, user: User) -> None:
    """The owner gets a lower role."""
    await stage.book.change_role(HOME, user.user_id, Role.ANALYST, by="root")


async def forgotten(stage: CredentialStage, user: User) -> None:
    """The owner is erased."""
    await stage.book.forget(HOME, user.user_id, by="root")


@pytest.mark.parametrize("happens", [blocked, demoted, forgotten])
async def test_a_key_ends_for_good_with_its_owner_s_rights(
    happens: Callable[[CredentialStage, User], Awaitable[None]],
) -> None:
    """At once, with a fact; it does not come back with the rights, nor with a restart."""
    stage, ann = await started()
    shown, key = await made(stage, ann)
    await happens(stage, ann)
    assert stage.api_keys.find(shown, HERE) is None
    assert not stage.api_keys.is_live(key.key_id)
    assert len(stage.written.of(KeyRevoked)) == 1
    if happens is not forgotten:
        await stage.book.set_blocked(HOME, ann.user_id, False, by="root")
        await stage.book.change_role(HOME, ann.user_id, Role.PORTFOLIO_MANAGER, by="root")
        assert stage.api_keys.find(shown, HERE) is None
    await stage.desk.write()
    assert stage.key_table.rows[key.key_id].key.revoked_ns is not None
    await stage.restart()
    assert stage.api_keys.find(shown, HERE) is None


async def test_a_crash_before_the_write_revives_no_key() -> None:
    """The owner was blocked, the process died: the next start ends the key by itself."""
    stage, ann = await started()
    shown, key = await made(stage, ann)
    await blocked(stage, ann)
    assert stage.key_table.rows[key.key_id].key.revoked_ns is None
    await stage.restart()
    assert stage.api_keys.find(shown, HERE) is None
    await stage.book.set_blocked(HOME, ann.user_id, False, by="root")
    assert stage.api_keys.find(shown, HERE) is None


async def test_a_higher_role_keeps_the_key() -> None:
    """With the scopes it was made with."""
    stage, ann = await started(Role.ANALYST)
    shown, _ = await made(stage, ann)
    await stage.book.change_role(HOME, ann.user_id, Role.TENANT_ADMIN, by="root")
    session = stage.api_keys.find(shown, HERE)
    assert session is not None
    assert session.scopes == {Scope.READ}


async def test_a_suspended_tenant_s_keys_rest() -> None:
    """Nobody gets in while it is not served; afterwards the key works again."""
    stage, ann = await started()
    shown, key = await made(stage, ann)
    stage.directory.set(HOME, TenantState.SUSPENDED)
    assert stage.api_keys.find(shown, HERE) is None
    assert "not served" in stage.api_keys.why_dead(key)
    stage.directory.set(HOME, TenantState.READY)
    assert stage.api_keys.find(shown, HERE) is not None


async def test_revoked_and_expired_keys_are_dead() -> None:
    """Revoked: from memory first, even while the table cannot be written. Expired: to the ns."""
    stage, ann = await started()
    shown, key = await made(stage, ann, wish(days=2))
    other, _ = await made(stage, ann, wish(days=1))
    stage.clock.advance_to(key.created_ns + NS_PER_DAY - 1)
    assert stage.api_keys.find(other, HERE) is not None
    stage.clock.advance_to(key.created_ns + NS_PER_DAY)
    assert stage.api_keys.find(other, HERE) is None
    stage.key_table.failure = StoreBusy("away")
    with pytest.raises(StoreBusy):
        await stage.desk.revoke(key, "revoked", "user:root")
    assert stage.api_keys.find(shown, HERE) is None
    stage.key_table.failure = None
    await stage.desk.write()
    assert stage.key_table.rows[key.key_id].key.revoked_reason == "revoked"
    (event,) = stage.written.of(KeyRevoked)
    assert isinstance(event, KeyRevoked)
    assert (event.key_id, event.by) == (key.key_id, "user:root")


async def test_a_changed_key_is_no_key() -> None:
    """Another secret, environment or id, a shorter or longer one, nonsense: nobody, no error."""
    stage, ann = await started()
    shown, key = await made(stage, ann)
    _, _, key_id, secret = shown.split("_", 3)
    wrong = ("A" if secret[0] != "A" else "B") + secret[1:]
    for bad in (
        f"p2_test_{key_id}_{wrong}",
        f"p2_live_{key_id}_{secret}",
        f"p2_test_{'0' * 12}_{secret}",
        shown[:-1],
        shown + "A",
        shown + "\n",
        shown.upper(),
        key.prefix,
        "",
    ):
        assert stage.api_keys.find(bad, HERE) is None
    assert stage.api_keys.find(shown, HERE) is not None


@given(shown=st.text(max_size=120), address=st.text(max_size=40))
def test_anything_may_be_shown(shown: str, address: str) -> None:
    """Whatever is shown from wherever is nobody, and never an exception."""
    api_keys = CredentialStage().api_keys
    assert api_keys.find(shown, address) is None
    assert api_keys.find(f"p2_test_{'0' * 12}_{shown}", address) is None


@pytest.mark.parametrize(
    ("address", "is_let_in"),
    [
        ("10.1.2.3", True),
        ("11.0.0.1", False),
        ("::ffff:10.9.9.9", True),
        ("::ffff:11.0.0.1", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("10.1.2.3.4", False),
        ("localhost", False),
    ],
)
async def test_a_key_may_be_bound_to_networks(address: str, is_let_in: bool) -> None:
    """IPv4, IPv6, and IPv4 as IPv6 writes it; an address that is none is nowhere."""
    stage, ann = await started()
    shown, _ = await made(stage, ann, wish(networks=("10.0.0.0/8", "2001:db8::/32")))
    assert (stage.api_keys.find(shown, address) is not None) is is_let_in


async def test_the_last_use_is_kept_and_written_lazily() -> None:
    """Shown at once, written by `write`, not lost while the table is away or by a restart."""
    stage, ann = await started()
    shown, key = await made(stage, ann)
    assert stage.api_keys.of_tenant(HOME)[0].last_used_ns is None
    stage.later(60)
    used_ns = stage.clock.now_ns()
    assert stage.api_keys.find(shown, HERE) is not None
    assert stage.api_keys.of_tenant(HOME)[0].last_used_ns == used_ns
    stage.key_table.failure = StoreBusy("away")
    await stage.desk.write()
    assert stage.key_table.rows[key.key_id].key.last_used_ns is None
    stage.key_table.failure = None
    await stage.desk.write()
    assert stage.key_table.rows[key.key_id].key.last_used_ns == used_ns
    await stage.restart()
    assert stage.api_keys.of_tenant(HOME)[0].last_used_ns == used_ns
    assert stage.api_keys.find(shown, HERE) is not None


async def test_another_tenant_sees_nothing_of_a_key() -> None:
    """Not by id, not in its list; a tenant that is gone takes its keys along."""
    stage, ann = await started()
    shown, key = await made(stage, ann)
    assert stage.api_keys.get(OTHER, key.key_id) is None
    assert stage.api_keys.get(HOME, key.key_id) == key
    assert stage.api_keys.of_tenant(OTHER) == []
    stage.desk.forget(HOME)
    assert stage.api_keys.find(shown, HERE) is None
    assert not stage.api_keys.is_live(key.key_id)
