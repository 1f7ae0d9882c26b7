"""The root key in Vault's Transit, against a server of its endpoints: up, down, slow, closed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sealing_fixtures import KeyRoom
from vault_fixtures import TOKEN, FakeTransit, transit

from plan2.foundation.secret import Secret
from plan2.foundation.secrets.keys import Wrapped
from plan2.foundation.secrets.sealing import KeysUnavailable, Place, SealBroken
from plan2.foundation.secrets.vault import VaultKeys, VaultPlace
from plan2.foundation.values import TenantId

KEY = b"thirty-two bytes of a tenant key"
ACME = TenantId("acme")
PASSWORD = Place(tenant_id=ACME, table="account", column="password", row="live")


@pytest.fixture
async def vault() -> AsyncIterator[tuple[VaultKeys, FakeTransit]]:
    """A provider and the server that it talks to."""
    with transit() as (fake, url):
        keys = VaultKeys(VaultPlace(url=url, timeout_s=0.3), lambda: Secret(TOKEN))
        yield keys, fake
        keys.close()


async def test_wrap_unwrap_rotate_rewrap(vault: tuple[VaultKeys, FakeTransit]) -> None:
    """All six endpoints; the key is made at first; old versions still open; bindings hold."""
    keys, fake = vault
    wrapped = await keys.wrap(KEY, b"acme")
    assert wrapped.root_key == "transit/plan2:v1"
    assert await keys.unwrap(wrapped, b"acme") == KEY
    assert await keys.rotate() == await keys.current() == "transit/plan2:v2"
    assert await keys.unwrap(wrapped, b"acme") == KEY
    renewed = await keys.rewrap(wrapped, b"acme")
    assert renewed.root_key == "transit/plan2:v2"
    assert await keys.unwrap(renewed, b"acme") == KEY
    with pytest.raises(SealBroken, match="somebody else"):
        await keys.unwrap(wrapped, b"rival")
    told = await keys.describe()
    assert (told.kind, told.keys) == ("vault", ("transit/plan2:v1", "transit/plan2:v2"))
    assert {each.partition(" ")[2] for each in fake.asked} == {
        "keys",
        "encrypt",
        "decrypt",
        "rewrap",
    }
    assert TOKEN not in repr(told) + repr(vars(keys))


async def test_a_changed_wrapped_key_is_refused(vault: tuple[VaultKeys, FakeTransit]) -> None:
    """Vault says so, and so do we."""
    keys, _ = vault
    wrapped = await keys.wrap(KEY, b"acme")
    for blob in (b"vault:v1:AAAA", b"vault:v9:" + wrapped.blob[9:], b"\xff", b""):
        with pytest.raises(SealBroken):
            await keys.unwrap(Wrapped("transit/plan2:v1", blob), b"acme")


@pytest.mark.parametrize("fault", ["sealed", "forbidden", "nonsense", "slow", "gone"])
async def test_every_way_of_not_answering_is_one_error(fault: str) -> None:
    """KeysUnavailable with a reason that does not quote what was sent."""
    with transit() as (fake, url):
        keys = VaultKeys(VaultPlace(url=url, timeout_s=0.3), lambda: Secret(TOKEN))
        wrapped = await keys.wrap(KEY, b"acme")
        fake.fault = fault
        if fault == "slow":
            fake.may_answer.clear()
        if fault == "gone":
            keys = VaultKeys(
                VaultPlace(url="http://127.0.0.1:9", timeout_s=0.3), lambda: Secret("")
            )
        for call in (
            keys.unwrap(wrapped, b"acme"),
            keys.wrap(KEY, b"acme"),
            keys.rewrap(wrapped, b"acme"),
            keys.current(),
            keys.rotate(),
            keys.describe(),
        ):
            with pytest.raises(KeysUnavailable) as caught:
                await call
            assert TOKEN not in str(caught.value)
            assert wrapped.blob.decode() not in str(caught.value)
        keys.close()


async def test_a_vault_that_hangs_does_not_stop_the_loop(
    vault: tuple[VaultKeys, FakeTransit],
) -> None:
    """Other work of the loop and of its threads goes on while calls wait."""
    keys, fake = vault
    wrapped = await keys.wrap(KEY, b"acme")
    fake.may_answer.clear()
    waiting = [asyncio.ensure_future(keys.unwrap(wrapped, b"acme")) for _ in range(4)]
    done = await asyncio.gather(*(asyncio.to_thread(int, "7") for _ in range(8)))
    assert done == [7] * 8
    assert not any(each.done() for each in waiting)
    fake.may_answer.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(each == KEY or isinstance(each, KeysUnavailable) for each in answers)


async def test_trading_goes_on_while_keys_are_remembered(
    vault: tuple[VaultKeys, FakeTransit],
) -> None:
    """R-101 from end to end: down for less than the hour, then beyond it, then back."""
    keys, fake = vault
    room = KeyRoom(keys)
    sealed = await room.sealer.seal(PASSWORD, b"hunter2")
    fake.fault = "sealed"
    room.wait_s(3_000)
    assert await room.sealer.open(PASSWORD, sealed) == b"hunter2"
    assert room.tenants.is_available(ACME)
    room.wait_s(600)
    assert not room.tenants.is_available(ACME)
    with pytest.raises(KeysUnavailable):
        await room.sealer.seal(PASSWORD, b"hunter3")
    fake.fault = ""
    room.wait_s(1)
    assert await room.tenants.refresh(ACME)
    assert await room.sealer.open(PASSWORD, sealed) == b"hunter2"
    assert b"hunter" not in fake.heard


async def test_a_renewed_token_counts_at_once() -> None:
    """The token is read for each call."""
    with transit() as (_, url):
        tokens = [Secret("expired")]
        keys = VaultKeys(VaultPlace(url=url, timeout_s=0.3), lambda: tokens[-1])
        with pytest.raises(KeysUnavailable, match="does not let us"):
            await keys.current()
        tokens.append(Secret(TOKEN))
        assert await keys.current() == "transit/plan2:v1"
        keys.close()
