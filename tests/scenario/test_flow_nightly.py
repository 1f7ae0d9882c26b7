"""The nightly comparison as the running program does it: scheduler, child, database, logs."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flow_day import ACCOUNT, DAY, DAY_NS, TENANT, archive_day, traded, version_on_paper

from integration.postgres_fixture import make_data_dir
from plan2.foundation.clock import LiveClock, SimulatedClock
from plan2.foundation.config.load import Loaded, load
from plan2.foundation.database.migrate import Migrator
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InputError
from plan2.foundation.events.flows import LiveComparisonMade
from plan2.foundation.scheduler import Scheduler
from plan2.foundation.storage import Database, open_database
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, TenantId
from plan2.intelligence.flows.life import SEATED, FlowMove, FlowState, FlowVersion
from plan2.intelligence.flows.store import PostgresFlows
from plan2.intelligence.trading.stored import new_event
from plan2.wiring.live_comparison import ComparisonJob, compare_day

pytestmark = pytest.mark.slow
SLOW_MS = 8_000
ACME, BROKERED = TenantId("acme_two"), TenantId("brokered")
ACCOUNT_OF = {MAIN_TENANT: ACCOUNT, ACME: "paper-acme-two", BROKERED: "4711"}
LATENCY_MS = {MAIN_TENANT: 40, ACME: SLOW_MS, BROKERED: 40}


class Tenant:
    """One that is open, with the flow that it trades, and what was told of it."""

    def __init__(self, tenant_id: TenantId, seated: list[FlowVersion]) -> None:
        self.tenant_id = tenant_id
        self.told: list[LiveComparisonMade] = []
        self._seated = seated

    def seated(self) -> list[FlowVersion]:
        """What its registry says."""
        return self._seated

    def compared(self, event: LiveComparisonMade) -> None:
        """Keep it."""
        self.told.append(event)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that a database server may use."""
    made = make_data_dir()
    yield made
    shutil.rmtree(made)


async def day_of(database: Database, loaded: Loaded, tenant_id: TenantId) -> Tenant:
    """A tenant whose flow of the same name traded the day on an account of its own."""
    account = ACCOUNT_OF[tenant_id]
    version = version_on_paper(account)
    latency_ms = LATENCY_MS[tenant_id]
    sink = await traded(loaded.settings, version.flow(), latency_ms, identity=(TENANT, account))
    if tenant_id != MAIN_TENANT:
        admin = database.access.admin
        assert admin is not None
        migrator = Migrator(admin)
        await asyncio.to_thread(migrator.ensure_tenant, tenant_id, LiveClock().now_ns())
        migrator.close()
    await database.store.append(tenant_id, [new_event(each) for each in sink.facts])
    flows = PostgresFlows(database.uow, tenant_id)
    await flows.add(version)
    for before, to in (("draft", "backtested"), ("backtested", "paper")):
        await flows.write(
            FlowMove(
                name=version.name, version=1, before=FlowState(before), to=FlowState(to),
                account_id=account, by="user:anna", reason="because", evidence=("run",),
                is_override=False, at_ns=DAY_NS,
            )
        )  # fmt: skip
    return Tenant(tenant_id, [each for each in await flows.versions() if each.state in SEATED])


async def test_the_job_of_the_night_tells_each_tenant_of_its_own_trades(folder: Path) -> None:
    """Each has a flow `quick`: the main tenant's met the 40 ms of the replay, acme's 8 seconds.

    A tenant at a broker whose quotes nobody archives is left out, and keeps no other waiting.
    """
    loaded = load(None, {"PLAN2_DATA_DIR": str(folder)})
    archive_day(folder)
    async with open_database(loaded.settings) as database:
        tenants = [await day_of(database, loaded, each) for each in (MAIN_TENANT, BROKERED, ACME)]
        clock = SimulatedClock(DAY_NS + NS_PER_DAY + NS_PER_HOUR)
        scheduler = Scheduler(clock)
        for each in ComparisonJob(loaded, clock, lambda: tenants).jobs():
            scheduler.add(each)
        await scheduler.run_now("compare_flows")
        with pytest.raises(InputError, match="own broker of tenant brokered"):
            await compare_day(loaded, "quick", DAY, BROKERED)
        with pytest.raises(InputError, match="no tenant 'nobody'"):
            await compare_day(loaded, "quick", DAY, TenantId("nobody"))
    (state,) = scheduler.jobs()
    assert (state.name, state.when, state.result) == ("compare_flows", "50 0 * * *", "ok")
    main, brokered, acme = (each.told for each in tenants)
    assert brokered == []
    (calm,), (event,) = main, acme
    assert (calm.account_id, calm.causes) == (ACCOUNT, {})
    assert calm.live_net == calm.replay_net == event.replay_net
    assert (event.flow, event.version, event.account_id) == ("quick", 1, "paper-acme-two")
    assert (event.day, event.ts_ns) == (DAY.isoformat(), DAY_NS + NS_PER_DAY)
    assert event.live_trades > 40
    assert event.causes["latency"] > 20
    assert max(event.causes, key=lambda cause: event.causes[cause]) == "latency"
    assert all(part.cause and part.detail for part in event.differences)
    assert event.live_net != event.replay_net


async def test_nothing_is_told_of_a_tenant_that_was_closed_meanwhile(folder: Path) -> None:
    """Its log takes nothing any more while its child still works."""
    loaded = load(None, {"PLAN2_DATA_DIR": str(folder)})
    archive_day(folder)
    async with open_database(loaded.settings) as database:
        tenant = await day_of(database, loaded, MAIN_TENANT)
        asked = iter(([tenant], []))
        clock = SimulatedClock(DAY_NS + NS_PER_DAY + NS_PER_HOUR)
        await ComparisonJob(loaded, clock, lambda: next(asked)).compare()
    assert tenant.told == []
    assert list(asked) == []  # it was compared, and only then left out
