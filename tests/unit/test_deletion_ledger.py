"""Deleted tenants stay deleted: the list outside the database against an older backup."""

import copy
from pathlib import Path

import pytest
from tenant_fixtures import House

from plan2.connectivity.identity.deletion_ledger import Deletion, DeletionLedger, bury_again
from plan2.connectivity.identity.directory import TenantState
from plan2.connectivity.identity.tenant_requests import Request
from plan2.connectivity.identity.tenants import Tenants
from plan2.foundation.errors import InputError


class Office:
    """An installation with a ledger and a backup of its database from before a deletion."""

    def __init__(self, folder: Path) -> None:
        self.house, self.ledger = House(folder), DeletionLedger(folder, folder / "copy")

    async def make(self, tenants: Tenants, tenant: str = "acme") -> None:
        """A tenant with an administrator."""
        await tenants.create(Request(tenant_id=tenant, by="user:op"), "Acme Ltd", "ann")

    async def delete(self, tenants: Tenants) -> None:
        """Delete it, and write that down as the product's hook does."""
        self.house.clock.advance_to(self.house.clock.now_ns() + 1_000_000)
        self.ledger.add(Deletion(tenant="acme", deleted_us=self.house.clock.now_ns() // 1_000))
        tenants.delete(Request(tenant_id="acme", by="user:op"))
        await tenants.works.settled("acme")
        await tenants.close()


async def test_an_older_backup_brings_no_deleted_tenant_back(tmp_path: Path) -> None:
    """It is served to nobody from the first moment on, and removed again; others stay."""
    office = Office(tmp_path)
    tenants = await office.house.open()
    for tenant in ("acme", "beta"):
        await office.make(tenants, tenant)
    backup = copy.deepcopy(office.house.store)
    await office.delete(tenants)
    office.house.store = backup
    tenants = await office.house.open()
    assert tenants.directory.is_served("acme")
    assert bury_again(tenants.directory, office.ledger) == ["acme"]
    assert not tenants.directory.is_served("acme")
    await tenants.resume_unfinished()
    found = tenants.directory.find("acme")
    assert found is not None
    assert found.state is TenantState.DELETED
    assert tenants.directory.is_served("beta")
    assert bury_again(tenants.directory, office.ledger) == []
    await tenants.close()


async def test_who_came_after_the_deletion_stays(tmp_path: Path) -> None:
    """The id of a backup from before the tenant was made is free again; what is made lives."""
    office = Office(tmp_path)
    tenants = await office.house.open()
    empty = copy.deepcopy(office.house.store)
    await office.make(tenants)
    await office.delete(tenants)
    office.house.store = empty
    office.house.clock.advance_to(office.house.clock.now_ns() + 1_000_000)
    tenants = await office.house.open()
    await office.make(tenants)
    assert bury_again(tenants.directory, office.ledger) == []
    assert tenants.directory.is_served("acme")
    await tenants.close()


def test_the_list_survives_a_crash_and_tells_of_damage(tmp_path: Path) -> None:
    """The latest deletion counts; a torn line does not; a copy fills in; a broken line is told."""
    ledger = DeletionLedger(tmp_path, tmp_path / "copy")
    for at in (5, 9, 7):
        ledger.add(Deletion(tenant="acme", deleted_us=at))
    path = tmp_path / "deletions.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open("ab") as file:
        file.write(b'{"tenant":"be')
    assert ledger.latest() == {"acme": 9}
    path.unlink()
    assert ledger.latest() == {"acme": 9}
    path.write_bytes(b"{}\n")
    with pytest.raises(InputError, match="is damaged"):
        ledger.latest()
