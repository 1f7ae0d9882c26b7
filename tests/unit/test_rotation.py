"""Replacing keys while everything goes on: nothing becomes unreadable, a crash changes nothing."""

import asyncio

import msgspec
import pytest
from overlay_fixtures import Facts
from sealing_fixtures import KeyRoom

from plan2.foundation.events.tenancy import KeyRotated
from plan2.foundation.ids import SeededIds
from plan2.foundation.secrets.keys import Wrapped
from plan2.foundation.secrets.rotation import KeyRotations
from plan2.foundation.secrets.rotation_table import Rotation
from plan2.foundation.secrets.sealing import KeyGone, KeysUnavailable, Place
from plan2.foundation.values import TenantId

ACME, RIVAL = TenantId("acme"), TenantId("rival")
PASSWORD = Place(tenant_id=ACME, table="account", column="password", row="live")
PEOPLE = [f"u{number:03}" for number in range(250)]


class MemoryRotations:
    """The table `key_rotation` in a dictionary; `crash_after` more writes fail."""

    def __init__(self) -> None:
        self.rows: dict[tuple[TenantId, str], Rotation] = {}
        self.crash_after = 1_000_000

    async def insert(self, tenant: TenantId, rotation: Rotation) -> None:
        """Keep a new one."""
        self._count()
        self.rows[(tenant, rotation.rotation_id)] = rotation

    async def update(self, tenant: TenantId, rotation: Rotation) -> None:
        """Keep how far it has come."""
        self._count()
        self.rows[(tenant, rotation.rotation_id)] = rotation

    async def read(self, tenant: TenantId, limit: int) -> list[Rotation]:
        """Unfinished ones first."""
        found = [each for (whose, _), each in self.rows.items() if whose == tenant]
        return sorted(found, key=lambda each: each.finished_ns is not None)[:limit]

    def _count(self) -> None:
        self.crash_after -= 1
        if self.crash_after < 0:
            raise KeysUnavailable("the process was killed here")


class RotationRoom(KeyRoom):
    """Keys, their rotations, and what was written down."""

    def restart(self) -> None:
        """Forget what is in memory, keep what is stored."""
        super().restart()
        self.facts = getattr(self, "facts", Facts())
        self.rotation_table = getattr(self, "rotation_table", MemoryRotations())
        self.rotations = KeyRotations(
            self.tenants,
            self.subjects,
            self.rotation_table,
            self.facts,
            self.clock,
            SeededIds(f"rotation {len(self.rotation_table.rows)}"),
        )

    def told(self) -> list[KeyRotated]:
        """The facts so far."""
        return [event for _, _, event, _ in self.facts.events if isinstance(event, KeyRotated)]


def about(person: str) -> Place:
    """Where something of a person is kept."""
    return Place(tenant_id=ACME, table="app_user", column="name", row=person, subject=person)


async def filled() -> tuple[RotationRoom, dict[str, bytes], bytes]:
    """250 people with something sealed, and a value of the tenant."""
    room = RotationRoom()
    sealed = {person: await room.sealer.seal(about(person), person.encode()) for person in PEOPLE}
    return room, sealed, await room.sealer.seal(PASSWORD, b"hunter2")


async def all_open(room: RotationRoom, sealed: dict[str, bytes], password: bytes) -> None:
    """Everything that was sealed opens, with and without what is in memory."""
    for _ in range(2):
        assert await room.sealer.open(PASSWORD, password) == b"hunter2"
        for person, value in sealed.items():
            assert await room.sealer.open(about(person), value) == person.encode()
        room.restart()


async def test_a_tenant_gets_a_new_key() -> None:
    """New values name the new key; old ones open; 250 people are wrapped again; one fact."""
    room, sealed, password = await filled()
    rotation = await room.rotations.rotate_tenant(ACME, "user:ann")
    assert (await room.tenants.current(ACME)).key_id == rotation.new_key
    await room.rotations.carry_on(ACME)
    assert {row.tenant_key for row in room.subject_table.rows.values()} == {rotation.new_key}
    (fact,) = room.told()
    assert (fact.level, fact.old_key, fact.new_key, fact.rewrapped, fact.by) == (
        "tenant",
        rotation.old_key,
        rotation.new_key,
        250,
        "user:ann",
    )
    await all_open(room, sealed, password)
    await room.rotations.carry_on(ACME)
    assert len(room.told()) == 1


async def test_a_new_root_key_wraps_every_tenant_s_key() -> None:
    """Also both versions of a tenant that has two; a tenant that was not named follows later."""
    room, sealed, password = await filled()
    await room.rotations.rotate_tenant(ACME, "user:ann")
    await room.sealer.seal(msgspec.structs.replace(PASSWORD, tenant_id=RIVAL), b"x")
    old, new = await room.rotations.rotate_root([ACME], "user:op")
    await room.rotations.carry_on(ACME)
    assert {row.wrapped.root_key for row in room.tenant_table.rows[ACME]} == {new}
    assert {row.wrapped.root_key for row in room.tenant_table.rows[RIVAL]} == {old}
    room.restart()
    await room.rotations.carry_on(RIVAL)
    assert {row.wrapped.root_key for row in room.tenant_table.rows[RIVAL]} == {new}
    assert [
        (fact.level, fact.rewrapped, fact.by) for fact in room.told() if fact.level == "root"
    ] == [
        ("root", 2, "user:op"),
        ("root", 1, "system"),
    ]
    await all_open(room, sealed, password)


@pytest.mark.parametrize("writes", range(5))
async def test_a_crash_anywhere_is_carried_on(writes: int) -> None:
    """Killed after the n-th write of a rotation: everything opens, and the next start finishes."""
    room, sealed, password = await filled()
    room.rotation_table.crash_after = writes

    async def rotate() -> None:
        await room.rotations.rotate_tenant(ACME, "user:ann")
        await room.rotations.carry_on(ACME)

    with pytest.raises(KeysUnavailable, match="killed"):
        await rotate()
    room.rotation_table.crash_after = 1_000_000
    room.restart()
    await room.rotations.carry_on(ACME)
    current = (await room.tenants.current(ACME)).key_id
    assert {row.tenant_key for row in room.subject_table.rows.values()} == {current}
    assert all(each.finished_ns is not None for each in room.rotation_table.rows.values())
    assert room.told()
    await all_open(room, sealed, password)


async def test_under_load_nothing_is_unreadable_for_a_moment() -> None:
    """Sealing, opening and erasing go on while both keys are replaced."""
    room, sealed, _ = await filled()
    more: dict[str, bytes] = {}
    erased = set(PEOPLE[::10])

    async def seal_and_open() -> None:
        for number, person in enumerate(PEOPLE):
            if person not in erased:
                assert await room.sealer.open(about(person), sealed[person]) == person.encode()
            fresh = f"new{number:03}"
            more[fresh] = await room.sealer.seal(about(fresh), fresh.encode())
            await asyncio.sleep(0)

    async def erase() -> None:
        for person in erased:
            await room.subjects.destroy(ACME, person)
            await asyncio.sleep(0)

    async def rotate() -> None:
        for _ in range(3):
            await room.rotations.rotate_tenant(ACME, "user:ann")
            await room.rotations.rotate_root([ACME], "user:op")
            await asyncio.sleep(0)
            await room.rotations.carry_on(ACME)

    await asyncio.gather(seal_and_open(), erase(), rotate())
    await room.rotations.carry_on(ACME)
    current = (await room.tenants.current(ACME)).key_id
    assert {row.tenant_key for row in room.subject_table.rows.values()} == {current}
    for person, value in {**sealed, **more}.items():
        if person in erased:
            with pytest.raises(KeyGone):
                await room.sealer.open(about(person), value)
        else:
            assert await room.sealer.open(about(person), value) == person.encode()


async def test_one_broken_row_does_not_stop_the_others() -> None:
    """It stays as it is and is logged; 249 people are wrapped again."""
    room, _, _ = await filled()
    place = (ACME, PEOPLE[7])
    broken = msgspec.structs.replace(room.subject_table.rows[place], wrapped=b"\x01" + b"x" * 60)
    room.subject_table.rows[place] = broken
    await room.rotations.rotate_tenant(ACME, "user:ann")
    await room.rotations.carry_on(ACME)
    assert room.told()[0].rewrapped == 249
    assert room.subject_table.rows[place] == broken


async def test_the_background_work_finishes_what_was_begun() -> None:
    """`run` is woken by a rotation."""
    room, sealed, password = await filled()
    work = asyncio.create_task(room.rotations.run())
    rotation = await room.rotations.rotate_tenant(ACME, "user:ann")
    async with asyncio.timeout(10):
        await room.facts.arrived.wait()
    work.cancel()
    assert {row.tenant_key for row in room.subject_table.rows.values()} == {rotation.new_key}
    await all_open(room, sealed, password)


async def test_a_tenant_whose_key_is_damaged_does_not_stop_the_others() -> None:
    """It is logged; the background work goes on with who comes next."""
    room, _, _ = await filled()
    await room.tenants.current(RIVAL)
    (row,) = room.tenant_table.rows[ACME]
    torn = Wrapped(row.wrapped.root_key, row.wrapped.blob[:-1] + b"?")
    room.tenant_table.rows[ACME] = [msgspec.structs.replace(row, wrapped=torn)]
    work = asyncio.create_task(room.rotations.run())
    await room.rotations.rotate_root([ACME, RIVAL], "user:ann")
    async with asyncio.timeout(10):
        await room.facts.arrived.wait()
    work.cancel()
    current = await room.provider.current()
    assert [each.wrapped.root_key for each in room.tenant_table.rows[RIVAL]] == [current]


async def test_without_the_provider_nothing_is_begun() -> None:
    """No new version, no note, no fact."""
    room, _, _ = await filled()
    before = list(room.tenant_table.rows[ACME])
    room.provider.is_away = True
    with pytest.raises(KeysUnavailable):
        await room.rotations.rotate_tenant(ACME, "user:ann")
    assert (room.tenant_table.rows[ACME], room.rotation_table.rows, room.told()) == (before, {}, [])
