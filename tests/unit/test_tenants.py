"""The life of tenants: every step breaks or crashes once, and what was begun comes to its end."""

import asyncio
from pathlib import Path

import pytest

from plan2.connectivity.identity.directory import Tenant, TenantState
from plan2.connectivity.identity.onboarding import STEPS
from plan2.connectivity.identity.tenant_requests import (
    TenantConflict,
    TenantExists,
    TenantUnknown,
)
from plan2.connectivity.identity.tenant_store import TenantWorkFailed
from plan2.connectivity.identity.tenant_work import Exports
from plan2.connectivity.identity.tenants import TENANTS_MAX, Tenants
from plan2.foundation.database.registry import Registered
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InputError, InvariantBroken
from plan2.foundation.events.tenancy import OnboardingStep
from plan2.foundation.values import TenantId
from unit.tenant_fixtures import NOON_NS, Crash, House, about

MAKING = (
    "register",
    "note:register",
    "migrate",
    "note:schema",
    "make_months",
    "note:partitions",
    "note:invitation",
    "note:settings",
    "note:ready",
    "lifecycle:served",
)
REMOVING = ("lifecycle:deleting", "export", "note:exported", "drop", "bury")


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A fresh installation."""
    return House(tmp_path)


async def made(house: House) -> Tenants:
    """A process with one tenant, acme, that is ready."""
    tenants = await house.open()
    await tenants.create(about("acme"), "Acme", "ann")
    return tenants


async def test_a_tenant_is_made_step_by_step(house: House) -> None:
    """Six steps in order, each with its event in the main log; then it is served."""
    tenants = await house.open()
    assert not tenants.directory.is_served("acme")
    link = await tenants.create(about("acme"), "Acme", "ann")
    assert link == "https://join/acme"
    assert tenants.directory.is_served("acme")
    assert tenants.directory.find("acme") == Tenant(
        tenant_id=TenantId("acme"),
        name="Acme",
        state=TenantState.READY,
        detail="",
        created_ns=NOON_NS,
    )
    assert house.told("OnboardingStep") == list(STEPS)
    assert house.told("TenantChanged") == ["created"]
    assert {(log, stream) for log, stream, _ in house.events} == {(MAIN_TENANT, "tenant:acme")}
    assert house.done == ["settle", "invite:ann"]


@pytest.mark.parametrize("where", MAKING)
async def test_a_crash_while_making_loses_nothing(house: House, where: str) -> None:
    """After a crash at any call the next start finishes what was begun, with every event."""
    tenants = await house.open()
    house.store.break_at[where] = Crash()
    with pytest.raises(Crash):
        await tenants.create(about("acme"), "Acme", "ann")
    house.store.break_at.clear()

    later = await house.open()
    if where == "register":  # nothing was written yet: to the next start it never happened
        assert later.directory.find("acme") is None
        await later.create(about("acme"), "Acme", "ann")
    elif where != "lifecycle:served":
        assert not later.directory.is_served("acme")
    await later.resume_unfinished()
    assert later.directory.is_served("acme")
    assert set(house.told("OnboardingStep")) == set(STEPS)
    assert house.store.rows["acme"].steps_done == STEPS


@pytest.mark.parametrize("where", ["migrate", "make_months", "note:settings"])
async def test_a_step_that_fails_is_told_and_taken_up(house: House, where: str) -> None:
    """The tenant is failed with the reason, and retry goes on from the step that failed."""
    tenants = await house.open()
    house.store.break_at[where] = TenantWorkFailed("the disk is full")
    with pytest.raises(TenantWorkFailed, match="disk is full"):
        await tenants.create(about("acme"), "Acme", "ann")
    failed = tenants.directory.find("acme")
    assert failed is not None
    assert (failed.state, failed.detail) == (TenantState.FAILED, "the disk is full")
    assert house.store.rows["acme"].detail == "the disk is full"
    assert not tenants.directory.is_served("acme")

    house.store.break_at.clear()
    registered = house.store.calls.count("register")
    await tenants.retry(about("acme"))
    assert tenants.directory.is_served("acme")
    assert house.store.calls.count("register") == registered, "done steps are not repeated"
    assert house.done.count("invite:ann") == 1


async def test_a_hook_that_fails_is_a_failed_step(house: House) -> None:
    """An invitation that cannot be made leaves the tenant failed; the event says which step."""
    tenants = await house.open()
    house.break_at["invite:ann"] = TenantWorkFailed("no mail")
    with pytest.raises(TenantWorkFailed):
        await tenants.create(about("acme"), "Acme", "ann")
    last = house.events[-1][2]
    assert isinstance(last, OnboardingStep)
    assert (last.step, last.outcome, last.detail) == ("invitation", "failed", "no mail")
    house.break_at.clear()
    assert await tenants.retry(about("acme")) == "https://join/acme"


async def test_the_caller_may_go_away(house: House) -> None:
    """A cancelled request does not stop the saga."""
    tenants = await house.open()
    request = asyncio.create_task(tenants.create(about("acme"), "Acme", "ann"))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await tenants.works.settled("acme")
    assert tenants.directory.is_served("acme")


async def test_suspending_is_at_once_and_durable(house: House) -> None:
    """Listeners have been told, and nobody is served, before the database is even asked."""
    seen: list[tuple[str, list[str]]] = []
    tenants = await made(house)
    house.store.calls.clear()
    tenants.directory.on_change(lambda t: seen.append((t.state.value, list(house.store.calls))))
    await tenants.suspend(about("acme", "unpaid"))
    assert seen == [("suspended", [])]
    assert not tenants.directory.is_served("acme")
    later = await house.open()
    found = later.directory.find("acme")
    assert found is not None
    assert (found.state, found.detail) == (TenantState.SUSPENDED, "unpaid")
    await later.resume(about("acme"))
    assert later.directory.is_served("acme")
    assert (await house.open()).directory.is_served("acme")
    assert house.told("TenantChanged") == ["created", "suspended", "resumed"]


async def test_a_suspension_holds_although_the_database_is_away(house: House) -> None:
    """Memory is closed first; the error says that it could not be written down."""
    tenants = await made(house)
    house.store.break_at["lifecycle:suspended"] = TenantWorkFailed("away")
    with pytest.raises(TenantWorkFailed, match="only until the next start"):
        await tenants.suspend(about("acme"))
    assert not tenants.directory.is_served("acme")


async def test_resuming_waits_for_the_database(house: House) -> None:
    """Nobody is let in before it is written down."""
    tenants = await made(house)
    await tenants.suspend(about("acme"))
    house.store.break_at["lifecycle:served"] = TenantWorkFailed("away")
    with pytest.raises(TenantWorkFailed):
        await tenants.resume(about("acme"))
    assert not tenants.directory.is_served("acme")


async def test_one_listener_that_fails_silences_no_other(house: House) -> None:
    """All are told, and the fault is not hidden."""
    tenants = await made(house)
    seen: list[str] = []

    def fail(_: Tenant) -> None:
        raise InvariantBroken("a fault of ours")

    tenants.directory.on_change(fail)
    tenants.directory.on_change(lambda tenant: seen.append(tenant.state.value))
    with pytest.raises(InvariantBroken):
        await tenants.suspend(about("acme"))
    assert seen == ["suspended"]
    assert not tenants.directory.is_served("acme")


async def test_deleting_exports_first_and_leaves_a_tombstone(house: House) -> None:
    """Closed at once; drained, exported, forgotten, dropped, buried, in this order."""
    tenants = await made(house)
    house.store.calls.clear()
    house.done.clear()
    tenants.delete(about("acme", "left"))
    assert not tenants.directory.is_served("acme")
    await tenants.works.settled("acme")
    assert house.store.calls == list(REMOVING)
    assert house.done == ["drain", "keys", "files"]
    gone = tenants.directory.find("acme")
    assert gone is not None
    assert (gone.state, gone.name, gone.detail) == (TenantState.DELETED, "", "left")
    assert [each.file for each in tenants.exports.of(TenantId("acme"))] == [
        "acme-20251125T120000Z.zip"
    ]
    assert house.told("TenantChanged") == ["created", "exported", "deleted"]
    with pytest.raises(TenantExists):
        await tenants.create(about("acme"), "Other", "eve")


@pytest.mark.parametrize("where", [*REMOVING, "drain", "keys", "files"])
async def test_a_crash_while_deleting_is_taken_up(house: House, where: str) -> None:
    """After a crash at any call the next start goes on; an export that is there is not repeated."""
    tenants = await made(house)
    house.store.break_at[where] = house.break_at[where] = Crash()
    tenants.delete(about("acme", "left"))
    task = tenants.works._under_way["acme"][1]
    with pytest.raises(Crash):
        await task
    house.store.break_at.clear()
    house.break_at.clear()

    later = await house.open()
    if where == "lifecycle:deleting":  # not written down: it was never deleted
        assert later.directory.is_served("acme")
        return
    assert not later.directory.is_served("acme")
    exports = house.store.calls.count("export")
    await later.resume_unfinished()
    found = later.directory.find("acme")
    assert found is not None
    assert found.state is TenantState.DELETED
    is_repeated = house.store.calls.count("export") > exports
    assert is_repeated == (where in {"drain", "export", "note:exported"})
    assert house.done[-2:] == ["keys", "files"]


async def test_a_deletion_that_fails_stays_closed(house: House) -> None:
    """It shows why, serves nobody, drops nothing, and retry ends it."""
    tenants = await made(house)
    house.store.break_at["export"] = TenantWorkFailed("no room")
    tenants.delete(about("acme"))
    await tenants.works.settled("acme")
    found = tenants.directory.find("acme")
    assert found is not None
    assert (found.state, found.detail) == (TenantState.FAILED, "no room")
    assert tenants.works.last_failure("acme") == "no room"
    assert "drop" not in house.store.calls
    house.store.break_at.clear()
    await tenants.retry(about("acme"))
    await tenants.works.settled("acme")
    gone = tenants.directory.find("acme")
    assert gone is not None
    assert gone.state is TenantState.DELETED


async def test_the_main_tenant_stays(house: House) -> None:
    """It can be neither suspended nor deleted; it can be exported."""
    tenants = await house.open()
    with pytest.raises(TenantConflict, match="installation's own"):
        await tenants.suspend(about(MAIN_TENANT))
    with pytest.raises(TenantConflict, match="installation's own"):
        tenants.delete(about(MAIN_TENANT))
    assert tenants.directory.is_served(MAIN_TENANT)
    tenants.export(about(MAIN_TENANT))
    work = tenants.works.on(MAIN_TENANT)
    assert work is not None
    assert work.kind == "export"
    await tenants.works.settled(MAIN_TENANT)
    assert len(tenants.exports.of(MAIN_TENANT)) == 1
    assert tenants.works.on(MAIN_TENANT) is None


async def test_what_does_not_fit_is_refused(house: House) -> None:
    """Unknown tenants, wrong states, odd ids and one too many: each says so, nothing changes."""
    tenants = await made(house)
    with pytest.raises(TenantUnknown):
        await tenants.suspend(about("nobody"))
    with pytest.raises(TenantConflict, match="not suspended"):
        await tenants.resume(about("acme"))
    with pytest.raises(TenantConflict, match="taken up"):
        await tenants.retry(about("acme"))
    with pytest.raises(InputError, match="Tenant id"):
        await tenants.create(about("Not-An-Id"), "x", "y")
    with pytest.raises(InputError, match="no export"):
        tenants.restore(about("acme"), "../acme.zip")
    tenants.export(about("acme"))
    with pytest.raises(TenantConflict, match="export is under way"):
        tenants.delete(about("acme"))
    assert tenants.directory.is_served("acme")
    await tenants.works.settled("acme")
    for n in range(TENANTS_MAX):
        tenants.directory.put(Registered(tenant_id=TenantId(f"t{n}"), name="", lifecycle="served"))
    with pytest.raises(InputError, match="as many as"):
        await tenants.create(about("more"), "x", "y")


async def test_a_tenant_with_broken_tables_is_refused_until_mended(house: House) -> None:
    """R-064: it is failed with the reason, the others are served, and retry serves it again."""
    await made(house)
    house.store.broken_migrations = {TenantId("acme"): "column x exists"}
    tenants = await house.open()
    found = tenants.directory.find("acme")
    assert found is not None
    assert (found.state, found.detail) == (TenantState.FAILED, "column x exists")
    assert tenants.directory.is_served(MAIN_TENANT)
    await tenants.retry(about("acme"))
    assert tenants.directory.is_served("acme")


async def test_a_suspension_during_a_migration_is_not_lost(house: House) -> None:
    """What the registry answers afterwards does not open a tenant that was just closed."""
    await made(house)
    house.store.broken_migrations = {TenantId("acme"): "x"}
    tenants = await house.open()
    retry = asyncio.create_task(tenants.retry(about("acme")))
    await asyncio.sleep(0)
    house.store.break_at["lifecycle:suspended"] = TenantWorkFailed("slow")
    with pytest.raises(TenantWorkFailed):
        await tenants.suspend(about("acme"))
    await retry
    assert not tenants.directory.is_served("acme")


def test_only_names_in_the_folder_are_found(tmp_path: Path) -> None:
    """A name with a path in it, another ending or no file: refused."""
    (tmp_path / "secret.zip").write_bytes(b"")
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "acme-1.zip").write_bytes(b"")
    (folder / "acme_b-1.zip").write_bytes(b"")
    exports = Exports(folder)
    assert exports.find("acme-1.zip") == folder / "acme-1.zip"
    assert [each.file for each in exports.of(TenantId("acme"))] == ["acme-1.zip"]
    for odd in ("../secret.zip", "acme-1.txt", "", ".", "other.zip", str(tmp_path / "secret.zip")):
        with pytest.raises(InputError):
            exports.find(odd)
