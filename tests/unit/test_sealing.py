"""Sealing: AES-256-GCM by published vectors, bound to its place, keys that can be destroyed."""

import asyncio
import copy
import logging
import pickle
from pathlib import Path

import msgspec
import pytest
from sealing_fixtures import FaultyProvider, KeyRoom, MemorySealer, counted_bytes

from plan2.foundation.secrets import tenant_keys
from plan2.foundation.secrets.envelope import DataKey, bytes_of, framed, key_id_of
from plan2.foundation.secrets.key_tables import TenantKeyRow
from plan2.foundation.secrets.sealing import KeyGone, KeysUnavailable, Place, SealBroken
from plan2.foundation.values import TenantId

ACME, RIVAL = TenantId("acme"), TenantId("rival")
SEED = Place(tenant_id=ACME, table="second_factor", column="seed", row="u1", subject="u1")
PASSWORD = Place(tenant_id=ACME, table="account", column="password", row="live")

# The Galois/Counter Mode of Operation (McGrew, Viega), appendix B, test cases 13 to 16.
KEY = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
TEXT = (
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
)
CIPHER = (
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
)
NONCE = "cafebabefacedbaddecaf888"
BOUND = "feedfacedeadbeeffeedfacedeadbeefabaddad2"
VECTORS = [
    ("00" * 32, "00" * 12, "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
    (
        "00" * 32,
        "00" * 12,
        "00" * 16,
        "",
        "cea7403d4d606b6e074ec5d3baf39d18",
        "d0d1c8a799996bf0265b98b5d48ab919",
    ),
    (KEY, NONCE, TEXT, "", CIPHER, "b094dac5d93471bdec1a502270e3cc6c"),
    (KEY, NONCE, TEXT[:120], BOUND, CIPHER[:120], "76fc6ece0f4e1768cddf8853bb2d551b"),
]


@pytest.mark.parametrize(("key", "nonce", "plain", "bound", "cipher", "tag"), VECTORS)
def test_published_vectors(
    key: str, nonce: str, plain: str, bound: str, cipher: str, tag: str
) -> None:
    """Cases 13 to 16 of the GCM specification, both ways, and not with one bit changed."""
    data_key = DataKey("00" * 16, bytes.fromhex(key))
    encrypted = bytes.fromhex(cipher + tag)
    at, binding = bytes.fromhex(nonce), bytes.fromhex(bound)
    assert data_key.encrypt(at, bytes.fromhex(plain), binding) == encrypted
    assert data_key.decrypt(at, encrypted, binding) == bytes.fromhex(plain)
    with pytest.raises(SealBroken):
        data_key.decrypt(at, encrypted[:-1] + bytes([encrypted[-1] ^ 1]), binding)


def test_wycheproof_vectors() -> None:
    """R-099: 66 cases of AES-256-GCM with 96-bit nonces, both ways; invalid ones are refused."""
    text = (Path(__file__).parent / "vectors" / "wycheproof_aes_gcm.txt").read_text("utf-8")
    cases = [line.split(" ") for line in text.splitlines() if not line.startswith("#")]
    results = []
    for _, result, *fields in cases:
        key, nonce, bound, plain, sealed = (bytes.fromhex(each.strip("-")) for each in fields)
        data_key = DataKey("00" * 16, key)
        results.append(result)
        if result == "valid":
            assert data_key.decrypt(nonce, sealed, bound) == plain
            assert data_key.encrypt(nonce, plain, bound) == sealed
        else:
            with pytest.raises(SealBroken):
                data_key.decrypt(nonce, sealed, bound)
    assert (results.count("valid"), results.count("invalid")) == (39, 27)


def test_a_place_has_one_spelling() -> None:
    """Parts that run into each other differ: each has its length in front (by hand)."""
    assert framed("ab", "c") == b"\x00\x00\x00\x02ab\x00\x00\x00\x01c"
    assert framed("a", "bc") != framed("ab", "c")
    assert bytes_of(SEED) != bytes_of(msgspec.structs.replace(SEED, row="u1", subject=""))


async def test_what_is_sealed_opens_and_says_nothing() -> None:
    """A round trip; the bytes name their key and hold no plain text; two seals differ."""
    room = KeyRoom()
    sealed = await room.sealer.seal(SEED, b"JBSWY3DPEHPK3PXP")
    assert await room.sealer.open(SEED, sealed) == b"JBSWY3DPEHPK3PXP"
    assert b"JBSWY3DPEHPK3PXP" not in sealed
    assert sealed != await room.sealer.seal(SEED, b"JBSWY3DPEHPK3PXP")
    assert len(sealed) == 1 + 16 + 12 + 16 + 16
    room.restart()
    assert await room.sealer.open(SEED, sealed) == b"JBSWY3DPEHPK3PXP"
    assert key_id_of(sealed) == room.subject_table.rows[(ACME, "u1")].key_id


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"row": "u2"},
        {"column": "codes"},
        {"table": "app_user"},
        {"subject": "u2"},
        {"subject": ""},
        {"tenant_id": RIVAL},
    ],
)
async def test_a_value_opens_only_in_its_own_place(elsewhere: dict[str, str]) -> None:
    """Swapped between rows, columns, tables, people or tenants it is refused, both ways."""
    room = KeyRoom()
    other = msgspec.structs.replace(SEED, **elsewhere)
    mine, theirs = await room.sealer.seal(SEED, b"mine"), await room.sealer.seal(other, b"theirs")
    with pytest.raises(SealBroken):
        await room.sealer.open(other, mine)
    with pytest.raises(SealBroken):
        await room.sealer.open(SEED, theirs)


async def test_every_changed_byte_is_noticed() -> None:
    """Format, key id, nonce, text and tag: one bit anywhere, or a missing end, does not open."""
    room = KeyRoom()
    sealed = await room.sealer.seal(PASSWORD, b"hunter2")
    for place in range(len(sealed)):
        changed = bytes(each ^ (1 if at == place else 0) for at, each in enumerate(sealed))
        with pytest.raises(SealBroken):
            await room.sealer.open(PASSWORD, changed)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            await room.sealer.open(PASSWORD, sealed[:length])


async def test_an_erased_person_stays_erased() -> None:
    """Nothing opens, nothing is sealed, not after a restart either; others are not touched."""
    room = KeyRoom()
    other = msgspec.structs.replace(SEED, row="u2", subject="u2")
    mine, theirs = await room.sealer.seal(SEED, b"mine"), await room.sealer.seal(other, b"theirs")
    assert await room.subjects.destroy(ACME, "u1")
    assert not await room.subjects.destroy(ACME, "u1")
    for _ in range(2):
        with pytest.raises(KeyGone):
            await room.sealer.open(SEED, mine)
        with pytest.raises(KeyGone):
            await room.sealer.seal(SEED, b"again")
        assert await room.sealer.open(other, theirs) == b"theirs"
        room.restart()


async def test_a_person_may_be_erased_before_they_had_a_key() -> None:
    """Erasing is a promise about the future too."""
    room = KeyRoom()
    await room.subjects.destroy(ACME, "u1")
    with pytest.raises(KeyGone):
        await room.sealer.seal(SEED, b"mine")


async def test_a_deleted_tenant_has_no_keys() -> None:
    """Its values and those of its people are gone, and no new key is made for it."""
    room = KeyRoom()
    mine, seed = await room.sealer.seal(PASSWORD, b"mine"), await room.sealer.seal(SEED, b"seed")
    elsewhere = msgspec.structs.replace(PASSWORD, tenant_id=RIVAL)
    theirs = await room.sealer.seal(elsewhere, b"theirs")
    await room.tenants.destroy(ACME)
    room.subjects.forget(ACME)
    for place, sealed in ((PASSWORD, mine), (SEED, seed)):
        with pytest.raises(KeyGone):
            await room.sealer.open(place, sealed)
    with pytest.raises(KeyGone):
        await room.sealer.seal(PASSWORD, b"again")
    assert ACME not in room.tenant_table.rows
    assert await room.sealer.open(elsewhere, theirs) == b"theirs"
    await room.tenants.refresh(ACME)  # a new tenant of that name has a new key
    with pytest.raises(SealBroken):
        await room.sealer.open(PASSWORD, mine)


async def test_asking_again_in_the_background_makes_no_key_for_a_deleted_tenant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is deleted while the one before it in the round is asked for."""
    room = KeyRoom()
    await room.sealer.seal(PASSWORD, b"mine")
    monkeypatch.setattr(room.tenants, "known", lambda: (RIVAL, ACME))
    read = room.tenant_table.read

    async def reading(tenant: TenantId) -> list[TenantKeyRow]:
        if tenant == RIVAL and ACME in room.tenant_table.rows:
            await room.tenants.destroy(ACME)
        return await read(tenant)

    monkeypatch.setattr(room.tenant_table, "read", reading)
    monkeypatch.setattr(tenant_keys, "REFRESHES", 3_600_000)
    task = asyncio.create_task(room.tenants.run())
    await asyncio.sleep(0.05)
    task.cancel()
    assert ACME not in room.tenant_table.rows
    with pytest.raises(KeyGone):
        await room.sealer.seal(PASSWORD, b"again")


async def test_a_tenant_that_comes_back_from_an_export_has_its_keys_again() -> None:
    """Its rows are there again, still wrapped by the root key; it is admitted anew."""
    room = KeyRoom()
    sealed = await room.sealer.seal(PASSWORD, b"mine")
    exported = list(room.tenant_table.rows[ACME])
    await room.tenants.destroy(ACME)
    room.tenant_table.rows[ACME] = exported
    with pytest.raises(KeyGone):
        await room.sealer.open(PASSWORD, sealed)
    assert await room.tenants.refresh(ACME)
    assert await room.sealer.open(PASSWORD, sealed) == b"mine"


async def test_no_stored_row_holds_a_key() -> None:
    """What the tables keep is wrapped: neither the tenant's nor the person's key is in it."""
    room = KeyRoom()
    await room.sealer.seal(SEED, b"seed")
    kept = repr(room.tenant_table.rows) + repr(room.subject_table.rows)
    for key in (await room.tenants.current(ACME), await room.subjects.for_sealing(ACME, "u1")):
        assert repr(key.reveal())[2:-1] not in kept
        assert key.reveal().hex() not in kept


def test_a_key_never_shows_itself() -> None:
    """Neither printed, formatted, logged, copied nor pickled."""
    key = DataKey("ab" * 16, b"canary-canary-canary-canary-0123")
    shown = (
        f"{key} {key!r} {[key]} {logging.makeLogRecord({'msg': '%s', 'args': (key,)}).getMessage()}"
    )
    assert "canary" not in shown
    assert "***" in shown
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            copied(key)


class TestTheProviderIsAway:
    """R-101: what is remembered works until its time is over, then everything is refused."""

    @staticmethod
    async def a_room() -> tuple[KeyRoom, FaultyProvider, bytes]:
        """A room whose keys were loaded, and a sealed value."""
        provider = FaultyProvider()
        room = KeyRoom(provider)
        return room, provider, await room.sealer.seal(PASSWORD, b"mine")

    async def test_it_goes_on_while_keys_are_remembered(self) -> None:
        """Sealing and opening need no provider; the health says until when."""
        room, provider, sealed = await self.a_room()
        provider.is_away = True
        room.wait_s(3_599)
        assert await room.sealer.open(PASSWORD, sealed) == b"mine"
        assert await room.sealer.seal(PASSWORD, b"more")
        assert room.tenants.is_available(ACME)
        assert not await room.tenants.refresh(ACME)
        assert room.tenants.health().status == "degraded"
        assert "1 s" in room.tenants.health().detail

    async def test_then_everything_is_refused_and_nothing_is_written_in_clear(self) -> None:
        """After the time there are no keys; when the provider is back all is as before."""
        room, provider, sealed = await self.a_room()
        provider.is_away = True
        room.wait_s(3_600)
        assert not room.tenants.is_available(ACME)
        for _ in range(2):
            with pytest.raises(KeysUnavailable):
                await room.sealer.open(PASSWORD, sealed)
            with pytest.raises(KeysUnavailable):
                await room.sealer.seal(PASSWORD, b"more")
        assert room.tenants.health().status == "down"
        provider.is_away = False
        room.wait_s(1)
        assert await room.sealer.open(PASSWORD, sealed) == b"mine"
        assert room.tenants.health().status == "ok"

    async def test_people_s_keys_live_no_longer_than_their_tenant_s(self) -> None:
        """A remembered person's key is refused too."""
        room, provider, _ = await self.a_room()
        seed = await room.sealer.seal(SEED, b"seed")
        provider.is_away = True
        room.wait_s(3_600)
        with pytest.raises(KeysUnavailable):
            await room.sealer.open(SEED, seed)

    async def test_an_absent_provider_is_not_asked_each_time(self) -> None:
        """One question a second and tenant, however many values want a key."""
        room, provider, sealed = await self.a_room()
        provider.is_away = True
        room.wait_s(3_600)
        before = provider.asked
        for _ in range(50):
            with pytest.raises(KeysUnavailable):
                await room.sealer.open(PASSWORD, sealed)
        assert provider.asked - before == 1

    async def test_asking_in_time_prolongs(self) -> None:
        """A refresh every quarter keeps keys for a whole hour after the last answer."""
        room, provider, sealed = await self.a_room()
        room.wait_s(3_000)
        assert await room.tenants.refresh(ACME)
        provider.is_away = True
        room.wait_s(3_000)
        assert await room.sealer.open(PASSWORD, sealed) == b"mine"


async def test_a_tenant_key_that_was_tampered_with_is_noticed() -> None:
    """One bit in its row: refused, shown in the health, and the other tenants go on."""
    room = KeyRoom()
    sealed = await room.sealer.seal(PASSWORD, b"mine")
    (row,) = room.tenant_table.rows[ACME]
    blob = row.wrapped.blob[:-1] + bytes([row.wrapped.blob[-1] ^ 1])
    wrapped = msgspec.structs.replace(row.wrapped, blob=blob)
    room.tenant_table.rows[ACME] = [msgspec.structs.replace(row, wrapped=wrapped)]
    room.restart()
    assert not await room.tenants.refresh(ACME)
    assert await room.tenants.refresh(RIVAL)
    with pytest.raises((SealBroken, KeysUnavailable)):
        await room.sealer.open(PASSWORD, sealed)
    assert room.tenants.health().status == "down"
    assert "1 tenants" in room.tenants.health().detail


async def test_the_fake_behaves_like_the_product() -> None:
    """`MemorySealer` refuses what the product refuses."""
    fake = MemorySealer()
    sealed = await fake.seal(SEED, b"seed")
    assert await fake.open(SEED, sealed) == b"seed"
    with pytest.raises(SealBroken):
        await fake.open(msgspec.structs.replace(SEED, row="u2"), sealed)
    assert await fake.destroy(ACME, "u1")
    with pytest.raises(KeyGone):
        await fake.open(SEED, sealed)
    fake.is_away = True
    with pytest.raises(KeysUnavailable):
        await fake.seal(PASSWORD, b"x")


def test_sealing_is_cheap() -> None:
    """The nonce is new each time: 1,000 values, 1,000 nonces."""
    key = DataKey("ab" * 16, bytes(32))
    random = counted_bytes()
    assert len({key.seal(b"x", b"here", random)[17:29] for _ in range(1_000)}) == 1_000
