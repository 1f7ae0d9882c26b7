"""Access tokens: what they say, how long they live, which keys sign them, what ends them."""

from collections.abc import Awaitable, Callable

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plan2.connectivity.identity.directory import TenantState
from plan2.connectivity.identity.principal import Session, Via
from plan2.connectivity.identity.refresh import Grant
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.signing_keys import SIGNS_FOR_NS, SigningKeyRow, SigningKeys
from plan2.connectivity.identity.tokens import REMEMBERED_MAX
from plan2.foundation.events.people import SessionEnded
from plan2.foundation.events.tenancy import KeyRotated
from plan2.foundation.ids import SeededIds
from plan2.foundation.secrets.sealing import KeysUnavailable
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND
from unit.identity_fixtures import (
    HERE,
    HOME,
    OTHER,
    PASSWORD,
    IdentityStage,
    PlacedSealer,
    Written,
)
from unit.token_attacks import unb64


async def granted(stage: IdentityStage, name: str = "anna") -> tuple[Session, Grant]:
    """A person who signed in and asked for tokens; another administrator is there too."""
    await stage.start()
    await stage.add("boss", Role.TENANT_ADMIN)
    await stage.add(name)
    return await again(stage, name)


async def again(stage: IdentityStage, name: str = "anna") -> tuple[Session, Grant]:
    """Another session of somebody, and its tokens."""
    opened = await stage.enter(name)
    assert opened is not None
    grant = await stage.refresh.begin(opened[1], HERE)
    assert grant is not None
    return opened[1], grant


async def test_another_library_reads_our_tokens() -> None:
    """PyJWT verifies signature, audience and issuer; the claims are those of RFC 9068."""
    stage = IdentityStage()
    session, grant = await granted(stage)
    header = jwt.get_unverified_header(grant.access_token)
    assert header == {"alg": "EdDSA", "typ": "at+jwt", "kid": stage.keys.current_id}
    public = stage.keys._keys[header["kid"]].public
    claims = jwt.decode(
        grant.access_token,
        public,
        algorithms=["EdDSA"],
        audience="plan2-api",
        issuer="plan2",
        options={"verify_exp": False},
    )
    assert claims["sub"] == session.user.user_id
    assert claims["tid"] == HOME
    assert claims["sid"] == grant.session.session_id
    assert claims["exp"] - claims["iat"] == 900
    assert not {"role", "roles", "scope"} & set(claims)


async def test_a_token_shows_the_session_it_belongs_to() -> None:
    """The person as they are now, no CSRF value, the proof of the session it came from."""
    stage = IdentityStage()
    parent, grant = await granted(stage)
    found = stage.tokens.find(grant.access_token, "198.51.100.1")
    assert found is not None
    assert (found.user, found.via, found.csrf) == (parent.user, Via.TOKEN, "")
    assert found.proven_ns == parent.proven_ns
    assert found.expires_ns == grant.access_expires_ns
    await stage.book.rename(HOME, parent.user.user_id, "Anna B", by="test")
    renamed = stage.tokens.find(grant.access_token, "")
    assert renamed is not None
    assert renamed.user.name == "Anna B"


async def test_a_token_lives_fifteen_minutes() -> None:
    """Good until the last nanosecond, cold and remembered alike."""
    stage = IdentityStage()
    _, grant = await granted(stage)
    stage.clock.advance_to(grant.access_expires_ns - 1)
    assert stage.tokens.find(grant.access_token, "") is not None
    stage.clock.advance_to(grant.access_expires_ns)
    assert stage.tokens.find(grant.access_token, "") is None
    assert stage.tokens.find(grant.access_token, "") is None


async def test_remembered_tokens_are_bounded() -> None:
    """The one that was found first makes room, and is found again when it comes again."""
    stage = IdentityStage()
    _, grant = await granted(stage)
    stage.tokens._good.clear()
    for _ in range(3):
        token, _ = stage.tokens.issue(grant.session)
        assert stage.tokens.find(token, "") is not None
    stage.tokens._good.update(
        {
            index.to_bytes(32, "big"): next(iter(stage.tokens._good.values()))
            for index in range(REMEMBERED_MAX)
        }
    )
    size = len(stage.tokens._good)
    assert stage.tokens.find(grant.access_token, "") is not None
    assert len(stage.tokens._good) == size


async def test_a_cookie_session_has_no_tokens_and_a_token_no_children() -> None:
    """A token that names a browser's session is refused; tokens cannot beget tokens."""
    stage = IdentityStage()
    session, grant = await granted(stage)
    forged, _ = stage.tokens.issue(session)
    assert stage.tokens.find(forged, "") is None
    found = stage.tokens.find(grant.access_token, "")
    assert found is not None
    assert await stage.refresh.begin(found, HERE) is None


Act = Callable[[IdentityStage, Session, Grant], Awaitable[object]]


async def _sign_out(stage: IdentityStage, session: Session, grant: Grant) -> None:
    await stage.sessions.revoke(session.session_id)


async def _end_family(stage: IdentityStage, session: Session, grant: Grant) -> None:
    await stage.sessions.revoke(grant.session.session_id, "revoked")


async def _end_all(stage: IdentityStage, session: Session, grant: Grant) -> None:
    await stage.sessions.end_user(HOME, session.user.user_id, "revoked", "user:boss")


async def _new_password(stage: IdentityStage, session: Session, grant: Grant) -> None:
    opened = await stage.sign_in.change_password(session, PASSWORD, "another long sentence", HERE)
    assert opened is not None


async def _reset_password(stage: IdentityStage, session: Session, grant: Grant) -> None:
    await stage.book.set_password(HOME, session.user.user_id, "", by="user:boss")


async def _demote(stage: IdentityStage, session: Session, grant: Grant) -> None:
    await stage.book.change_role(HOME, session.user.user_id, Role.ANALYST, by="user:boss")


async def _block(stage: IdentityStage, session: Session, grant: Grant) -> None:
    await stage.book.set_blocked(HOME, session.user.user_id, True, by="user:boss")


async def _forget(stage: IdentityStage, session: Session, grant: Grant) -> None:
    await stage.book.forget(HOME, session.user.user_id, by="user:boss")


async def _operate(stage: IdentityStage, session: Session, grant: Grant) -> None:
    await stage.book.set_operator(HOME, session.user.user_id, True, by="user:boss")


async def _suspend(stage: IdentityStage, session: Session, grant: Grant) -> None:
    stage.directory.set(HOME, TenantState.SUSPENDED)


async def _delete(stage: IdentityStage, session: Session, grant: Grant) -> None:
    stage.directory.set(HOME, TenantState.DELETED)


async def _steal(stage: IdentityStage, session: Session, grant: Grant) -> None:
    assert await stage.refresh.renew(grant.refresh_token) is not None
    stage.later(11)
    assert await stage.refresh.renew(grant.refresh_token) is None


async def _give_back(stage: IdentityStage, session: Session, grant: Grant) -> None:
    await stage.refresh.revoke(grant.refresh_token)


async def _retire_keys(stage: IdentityStage, session: Session, grant: Grant) -> None:
    await stage.keys.renew("user:boss", at_once=True)


ENDINGS: dict[str, Act] = {
    "signing out": _sign_out,
    "revoking the family": _end_family,
    "revoking all sessions": _end_all,
    "a new password": _new_password,
    "a password taken away": _reset_password,
    "another role": _demote,
    "being blocked": _block,
    "being erased": _forget,
    "other operator rights": _operate,
    "the tenant's suspension": _suspend,
    "the tenant's end": _delete,
    "a stolen refresh token": _steal,
    "giving the refresh token back": _give_back,
    "a key that somebody saw": _retire_keys,
}


@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.parametrize("is_warm", [True, False])
async def test_what_ends_tokens_at_once(name: str, is_warm: bool) -> None:
    """R-072: no time passes, and neither a remembered nor a new token of the session is good."""
    stage = IdentityStage()
    session, grant = await granted(stage)
    await stage.add("carl", tenant_id=OTHER)
    opened = await stage.enter("carl", tenant=OTHER)
    assert opened is not None
    if is_warm:
        assert stage.tokens.find(grant.access_token, "") is not None
    await ENDINGS[name](stage, session, grant)
    assert stage.tokens.find(grant.access_token, "") is None
    assert stage.sessions.find(opened[0]) is not None  # nobody else is touched
    if name != "a key that somebody saw":
        assert await stage.refresh.renew(grant.refresh_token) is None
        assert not stage.sessions.is_live(grant.session.session_id)
        await stage.restart()
        assert not stage.sessions.is_live(grant.session.session_id)


async def test_a_stolen_family_is_written_down() -> None:
    """The event names the family and the reason; the browser's own session goes on."""
    stage = IdentityStage()
    session, grant = await granted(stage)
    await _steal(stage, session, grant)
    [ended] = [each for each in stage.written.of(SessionEnded) if isinstance(each, SessionEnded)]
    assert (ended.session_id, ended.reason) == (grant.session.session_id, "stolen")
    assert stage.sessions.is_live(session.session_id)


async def test_keys_are_replaced_with_an_overlap() -> None:
    """R-070: within 90 days; tokens of the old key are good until they end, then never again."""
    stage = IdentityStage()
    assert 2 * NS_PER_DAY < SIGNS_FOR_NS <= 90 * NS_PER_DAY
    await granted(stage)
    old_id = stage.keys.current_id
    assert not await stage.keys.renew()
    stage.clock.advance_to(stage.clock.now_ns() + SIGNS_FOR_NS - NS_PER_SECOND)
    _, grant = await again(stage)
    stage.later(1)
    assert await stage.keys.renew("user:boss")
    assert stage.keys.current_id != old_id
    assert stage.tokens.find(grant.access_token, "") is not None
    [rotated] = [each for each in stage.written.of(KeyRotated) if each.old_key]  # type: ignore[attr-defined]
    assert isinstance(rotated, KeyRotated)
    assert (rotated.old_key, rotated.new_key) == (old_id, stage.keys.current_id)
    assert stage.keys.is_good(old_id)
    stage.later(3_600)
    assert not stage.keys.is_good(old_id)
    assert not stage.keys.is_signed(old_id, b"x", bytes(64))
    await stage.restart()
    assert not stage.keys.is_good(old_id)
    assert stage.keys.is_good(stage.keys.current_id)


async def test_a_restart_keeps_tokens_good() -> None:
    """Keys and families survive; the same token is found by the next process."""
    stage = IdentityStage()
    _, grant = await granted(stage)
    key_id = stage.keys.current_id
    await stage.restart()
    assert stage.keys.current_id == key_id
    found = stage.tokens.find(grant.access_token, "")
    assert found is not None
    assert await stage.refresh.renew(grant.refresh_token) is not None


async def test_a_private_key_is_never_stored_open() -> None:
    """What is stored is sealed for its own row: moved to another row it does not open."""
    stage = IdentityStage()
    await stage.start()
    private = stage.keys._keys[stage.keys.current_id].private.private_bytes_raw()
    [row] = stage.tables.keys.values()
    assert private not in row.sealed
    stage.tables.keys = {"0" * 16: type(row)(key_id="0" * 16, sealed=row.sealed, created_ns=1)}
    await stage.restart()
    assert not stage.keys.is_good("0" * 16)
    assert stage.keys.is_good(stage.keys.current_id)


async def test_without_keys_no_token_is_good_and_none_can_be_had() -> None:
    """While the key provider is away: refused, not signed with nothing; later all is well."""
    stage = IdentityStage()
    keys = SigningKeys(stage.tables, PlacedSealer(), stage.clock, SeededIds("x"), Written(), HOME)
    with pytest.raises(KeysUnavailable):
        keys.sign(b"x")
    assert not keys.is_signed("0" * 16, b"x", bytes(64))
    _, grant = await granted(stage)
    stage.sealer.is_away = True
    await stage.restart()
    assert stage.tokens.find(grant.access_token, "") is None
    stage.sealer.is_away = False
    await stage.keys.load()
    assert stage.tokens.find(grant.access_token, "") is not None


async def test_signatures_are_those_of_rfc_8037() -> None:
    """Appendix A.4: key, signing input and signature as published."""
    stage = await IdentityStage().start()
    raw = unb64("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
    row = SigningKeyRow(key_id="f" * 16, sealed=b"", created_ns=1)
    stage.keys._take(Ed25519PrivateKey.from_private_bytes(raw), row)
    signed = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    published = unb64(
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )
    assert stage.keys.sign(signed) == published
    assert stage.keys.is_signed("f" * 16, signed, published)
    assert not stage.keys.is_signed("f" * 16, signed + b"x", published)
