"""Keys, settings and flags in a real database: what is stored, what a dump shows, who may what."""

from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from integration.postgres_fixture import Postgres
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.flags import Flags
from plan2.foundation.config.load import load
from plan2.foundation.config.overlay import Overlay
from plan2.foundation.config.overlay_changes import Author, Target
from plan2.foundation.config.overlay_keys import GLOBAL, TENANT, USER
from plan2.foundation.config.overlay_store import PostgresOverlay
from plan2.foundation.config.schema import Secrets
from plan2.foundation.events.tenancy import KeyRotated
from plan2.foundation.ids import RandomIds
from plan2.foundation.secrets.keys_opening import Keys, open_keys
from plan2.foundation.secrets.sealing import KeyGone, Place, SealBroken
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from unit.privacy_fixtures import Facts

TABLES = ("setting", "tenant_key", "subject_key", "erased_subject", "key_rotation")
ANN = Author(by="user:ann", reason="because", may_loosen=True)


def keys_of(database: Database, folder: Path) -> Keys:
    """Keys as a start of Plan2 opens them."""
    provider = open_keys(folder, Secrets(), clock=LiveClock(), ids=RandomIds(), environment={})
    return Keys(provider, database.uow, LiveClock(), RandomIds(), remember_s=3_600)


def about(tenant: TenantId, person: str) -> Place:
    """Where something of a person is kept."""
    return Place(tenant_id=tenant, table="app_user", column="name", row=person, subject=person)


async def everything_in(database: Database, tenant: TenantId) -> str:
    """All rows of our tables as text, bytes in hex, as a dump shows them."""
    async with database.uow(tenant) as uow:
        rows = [
            await uow.execute(f"select to_jsonb(each)::text from {table} each") for table in TABLES
        ]
        return "\n".join(row[0] for found in rows for row in found.all())


async def test_keys_survive_a_restart_and_no_dump_holds_one(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    """Sealed by one process, opened by the next; canaries and keys are in no row (R-029)."""
    first = keys_of(database, tmp_path)
    place = about(tenant, "u1")
    sealed = await first.sealer.seal(place, b"canary-of-a-seed")
    tenant_key = await first.tenants.current(tenant)
    person_key = await first.subjects.for_sealing(tenant, "u1")
    assert await keys_of(database, tmp_path).sealer.open(place, sealed) == b"canary-of-a-seed"
    shown = await everything_in(database, tenant)
    assert tenant_key.key_id in shown
    for secret in (tenant_key.reveal(), person_key.reveal(), b"canary-of-a-seed"):
        assert secret.hex() not in shown


async def test_swapped_between_tenants_a_value_does_not_open(
    postgres: Postgres, database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    """R-098 with two tenants of one database, values of people and of the tenants themselves."""
    keys, rival = keys_of(database, tmp_path), postgres.new_tenant()
    for person in ("u1", ""):
        mine, theirs = about(tenant, person), about(rival, person)
        sealed = [await keys.sealer.seal(place, b"secret") for place in (mine, theirs)]
        with pytest.raises(SealBroken):
            await keys.sealer.open(theirs, sealed[0])
        with pytest.raises(SealBroken):
            await keys.sealer.open(mine, sealed[1])


async def test_an_erased_person_has_no_row_and_gets_no_other(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    """Also by a process that still remembered the key, and by one that never saw it."""
    keys = keys_of(database, tmp_path)
    sealed = await keys.sealer.seal(about(tenant, "u1"), b"Ann")
    await keys.sealer.seal(about(tenant, "u2"), b"Ben")
    assert await keys.subjects.destroy(tenant, "u1")
    for each in (keys, keys_of(database, tmp_path)):
        with pytest.raises(KeyGone):
            await each.sealer.open(about(tenant, "u1"), sealed)
        with pytest.raises(KeyGone):
            await each.sealer.seal(about(tenant, "u1"), b"Ann")
    async with database.uow(tenant) as uow:
        left = (await uow.execute("select subject from subject_key")).scalars().all()
    assert left == ["u2"]
    with pytest.raises(sa.exc.ProgrammingError, match="permission"):
        async with database.uow(tenant) as uow:
            await uow.execute("delete from erased_subject")


async def test_both_keys_are_replaced_and_the_work_is_kept(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    """150 people; the rows name the new keys, the rotations are finished, everything opens."""
    keys, facts = keys_of(database, tmp_path), Facts()
    rotations = keys.rotations(facts)
    sealed = {
        f"u{number}": await keys.sealer.seal(about(tenant, f"u{number}"), b"x")
        for number in range(150)
    }
    done = await rotations.rotate_tenant(tenant, "user:ann")
    _, root = await rotations.rotate_root([tenant], "user:op")
    again = keys_of(database, tmp_path)  # a restart before anything was wrapped again
    await again.rotations(facts).carry_on(tenant)
    rows = await again.tenants.table.read(tenant)
    assert {row.wrapped.root_key for row in rows} == {root}
    assert await again.subjects.table.behind(tenant, done.new_key, "", 10) == []
    told = [event for event in facts.events if isinstance(event, KeyRotated)]
    assert {(event.level, event.rewrapped) for event in told} == {("tenant", 150), ("root", 2)}
    shown = await again.rotations(facts).shown(tenant)
    assert [each.finished_ns is None for each in shown] == [False, False]
    last = keys_of(database, tmp_path)
    for person, value in sealed.items():
        assert await last.sealer.open(about(tenant, person), value) == b"x"


async def test_a_deleted_tenant_s_keys_are_gone(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    """Rows and memory; nothing opens any more."""
    keys = keys_of(database, tmp_path)
    sealed = await keys.sealer.seal(about(tenant, "u1"), b"Ann")
    await keys.tenants.destroy(tenant)
    keys.subjects.forget(tenant)
    with pytest.raises(KeyGone):
        await keys.sealer.open(about(tenant, "u1"), sealed)
    async with database.uow(tenant) as uow:
        left = await uow.execute(
            "select (select count(*) from tenant_key) + (select count(*) from subject_key)"
        )
    assert left.scalar_one() == 0


async def test_settings_and_flags_are_kept_per_tenant(
    postgres: Postgres, database: Database, tenant: TenantId
) -> None:
    """Round trip through the table: values, locks, reasons; another tenant sees the global ones."""
    main, rival, facts = postgres.new_tenant(), postgres.new_tenant(), Facts()
    store = PostgresOverlay(database.uow)
    everyone = [main, tenant, rival]

    async def opened() -> tuple[Overlay, Flags]:
        overlay = Overlay(load(None, {}), store, facts, LiveClock(), main)
        flags = Flags(store, facts, LiveClock(), main)
        assert await overlay.load(everyone) == {}
        await flags.load(everyone)
        return overlay, flags

    overlay, flags = await opened()
    own = Target(scope=TENANT, key="risk.positions_max", tenant_id=tenant)
    person = Target(scope=USER, key="ui.theme", tenant_id=tenant, user_id="u1")
    await overlay.set(own, 2, ANN)
    await overlay.set(person, "dark", ANN)
    symbols = Target(scope=GLOBAL, key="risk.symbols_permitted")
    await overlay.set(symbols, ["EURUSD", "GBPUSD"], ANN, is_locked=True)
    await flags.switch("manual_trading", tenant, "", False, by="user:ann", reason="")
    await flags.switch("exploration", TenantId(""), "", False, by="user:op", reason="")
    overlay, flags = await opened()
    assert overlay.effective(tenant).risk.positions_max == 2
    assert overlay.effective(tenant, "u1").ui.theme == "dark"
    assert overlay.effective(rival).risk.symbols_permitted == ("EURUSD", "GBPUSD")
    assert overlay.effective(rival).risk.positions_max == 4
    entry = overlay.entry(own)
    assert entry is not None
    assert (entry.reason, entry.changed_by) == ("because", "user:ann")
    assert msgspec.json.encode(overlay.merged(rival)["risk.symbols_permitted"].locked_by) == (
        b'"global"'
    )
    assert [flags.is_on("manual_trading", each) for each in (tenant, rival)] == [False, True]
    assert not flags.is_on("exploration", rival)
    await overlay.unset(own, ANN)
    assert await overlay.forget_person(tenant, "u1") == 1
    overlay, _ = await opened()
    assert overlay.effective(tenant, "u1").ui.theme == "system"
    assert overlay.effective(tenant).risk.positions_max == 4
