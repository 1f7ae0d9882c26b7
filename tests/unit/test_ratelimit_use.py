"""Quotas: what is used, what is refused, and what is written down about it."""

from pathlib import Path

import pytest

from plan2.connectivity.ratelimit.quota import COUNTS, RATES
from plan2.connectivity.ratelimit.storage import StorageMeter, StorageWatch, folder_bytes
from plan2.connectivity.ratelimit.use import SlidingCount
from plan2.foundation.config.schema import Quota
from plan2.foundation.errors import StoreBusy
from plan2.foundation.health import Status
from plan2.foundation.values import NS_PER_SECOND
from unit.ratelimit_fixtures import Limits, caller

READ = ("GET", "/api/v1/account")


def test_the_report_names_every_quota() -> None:
    """Use, limit and unit of each; None where nobody has measured."""
    limits = Limits()
    limits.usage.follow("users", lambda tenant: 2.0 if tenant == "alpha" else 0.0)
    limits.limiter.join(caller())
    limits.passing(caller(), *READ, 4)

    report = {line.quota: line for line in limits.usage.report("alpha")}
    assert list(report) == [*RATES, *COUNTS] == list(Quota.__struct_fields__)
    assert (report["users"].used, report["users"].limit) == (2.0, 3.0)
    assert report["sockets"].used == 1.0
    assert report["requests_per_second"].used == 4.0
    assert report["storage_mb"].used is None
    assert report["orders_per_minute"].unit == "1/min"
    assert [line.used for line in limits.usage.report("beta")][:3] == [0.0, 0.0, 0.0]


def test_room_is_asked_before_something_is_added() -> None:
    """Two of three users: room for one; with three there is none, and the refusal is told."""
    limits = Limits()
    users = {"alpha": 2.0}
    limits.usage.follow("users", users.get)
    assert limits.usage.room("alpha", "users") is None
    users["alpha"] = 3.0

    full = limits.usage.room("alpha", "users")
    assert full is not None
    assert (full.used, full.limit) == (3.0, 3.0)
    assert "users" in full.message
    assert limits.usage.room("beta", "users") is None
    [(tenant, stream, event)] = limits.recorded
    assert (tenant, stream) == ("alpha", "tenant:alpha")
    assert (event.quota, event.value, event.limit, event.refused) == ("users", 3.0, 3.0, 1)


def test_refusals_are_written_once_a_minute_with_their_number() -> None:
    """The first at once, the others with the next event; none is lost, none written twice."""
    limits = Limits()
    limits.passing(caller(), *READ, 1_010)
    assert [event.refused for _, _, event in limits.recorded] == [1]

    limits.wait(59.0)
    limits.notices.flush()
    assert len(limits.recorded) == 1
    limits.wait(1.0)
    limits.notices.flush()
    limits.notices.flush()
    assert [event.refused for _, _, event in limits.recorded] == [1, 999]
    last = limits.recorded[-1][2]
    assert (last.quota, last.limit, last.subject) == ("requests_per_second", 10.0, "ann")
    assert limits.notices.refused("alpha", "requests_per_second").total == 1_000
    assert limits.notices.totals() == {("requests_per_second",): 1_000.0}


def test_each_quota_of_each_tenant_is_told_on_its_own() -> None:
    """One noisy tenant does not hide another's refusals."""
    limits = Limits()
    limits.passing(caller("alpha"), *READ, 20)
    limits.passing(caller("beta"), *READ, 20)
    limits.passing(caller("beta"), "POST", "/api/v1/orders", 20)
    told = [(tenant, event.quota) for tenant, _, event in limits.recorded]
    assert told == [
        ("alpha", "requests_per_second"),
        ("beta", "requests_per_second"),
        ("beta", "orders_per_minute"),
    ]


def test_a_tenant_that_is_gone_is_forgotten() -> None:
    """Counts and refusals."""
    limits = Limits()
    limits.passing(caller(), *READ, 20)
    limits.usage.forget("alpha")
    line = limits.usage.report("alpha")[0]
    assert (line.used, line.refused) == (0.0, 0)


def test_the_sliding_count_by_hand() -> None:
    """Four in the first second; a quarter into the next, three of them still count."""
    count = SlidingCount(NS_PER_SECOND)
    for at in (0, 100, 200, 999_999_999):
        count.add(at)
    assert count.value(999_999_999) == 4
    assert count.value(NS_PER_SECOND + NS_PER_SECOND // 4) == pytest.approx(3.0)
    count.add(NS_PER_SECOND + NS_PER_SECOND // 2)
    assert count.value(NS_PER_SECOND + NS_PER_SECOND // 2) == pytest.approx(3.0)
    assert count.value(5 * NS_PER_SECOND) == 0.0


async def test_storage_is_database_and_files(tmp_path: Path) -> None:
    """3 MiB stored and 1 MiB in files; a tenant that cannot be asked keeps its last figure."""
    (tmp_path / "alpha" / "deep").mkdir(parents=True)
    (tmp_path / "alpha" / "deep" / "ticks").write_bytes(bytes(1 << 20))
    (tmp_path / "alpha" / "link").symlink_to(tmp_path / "alpha" / "deep" / "ticks")
    stored: dict[str, int | None] = {"alpha": 3 << 20, "beta": 1 << 20}

    async def in_database(tenant_id: str) -> int:
        found = stored[tenant_id]
        if found is None:
            raise StoreBusy("The database is away.")
        return found

    meter = StorageMeter(lambda: list(stored), in_database, lambda who: [tmp_path / who])
    assert meter.used_mb("alpha") is None
    await meter.measure()
    assert (meter.used_mb("alpha"), meter.used_mb("beta")) == (4.0, 1.0)
    stored["alpha"] = None
    del stored["beta"]
    await meter.measure()
    assert (meter.used_mb("alpha"), meter.used_mb("beta")) == (4.0, None)
    assert folder_bytes(tmp_path / "nowhere") == 0


async def test_too_much_storage_is_told_and_refuses_nothing() -> None:
    """Above its quota a tenant is named in health and once in the log, until it is below again."""
    limits = Limits()
    limits.quotas["alpha"] = Quota(storage_mb=2)
    stored = {"alpha": 3 << 20, "beta": 1 << 20}

    async def in_database(tenant_id: str) -> int:
        return stored[tenant_id]

    watch = StorageWatch(
        StorageMeter(lambda: list(stored), in_database, lambda _: []), limits.usage
    )
    assert watch.check().status is Status.OK
    await watch.measure()
    await watch.measure()
    assert watch.check().status is Status.DEGRADED
    assert "alpha takes 3 of 2 MB" in watch.check().detail
    [(tenant, _, event)] = limits.recorded
    assert (tenant, event.quota, event.value, event.limit, event.refused) == (
        "alpha", "storage_mb", 3.0, 2.0, 0,
    )  # fmt: skip
    stored["alpha"] = 1 << 20
    await watch.measure()
    assert watch.check().status is Status.OK
    stored["alpha"] = 4 << 20
    await watch.measure()
    assert len(limits.recorded) == 2
