"""The nightly comparison as the running program does it: scheduler, child, database, log."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flow_day import ACCOUNT, DAY, DAY_NS, archive_day, traded, version_on_paper

from integration.postgres_fixture import make_data_dir
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.load import load
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.events.flows import LiveComparisonMade
from plan2.foundation.scheduler import Scheduler
from plan2.foundation.storage import open_database
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR
from plan2.intelligence.flows.life import SEATED, FlowMove, FlowState
from plan2.intelligence.flows.store import PostgresFlows
from plan2.intelligence.trading.stored import new_event
from plan2.wiring.live_comparison import ComparisonJob

pytestmark = pytest.mark.slow
SLOW_MS = 8_000


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that a database server may use."""
    made = make_data_dir()
    yield made
    shutil.rmtree(made)


async def test_the_job_of_the_night_writes_down_why_trades_differ(folder: Path) -> None:
    """A day with eight seconds on the way to the broker; the replay knows 40 ms: latency."""
    loaded = load(None, {"PLAN2_DATA_DIR": str(folder)})
    archive_day(folder)
    version = version_on_paper()
    sink = await traded(loaded.settings, version.flow(), latency_ms=SLOW_MS)
    made: list[LiveComparisonMade] = []
    async with open_database(loaded.settings) as database:
        await database.store.append(MAIN_TENANT, [new_event(each) for each in sink.facts])
        flows = PostgresFlows(database.uow, MAIN_TENANT)
        await flows.add(version)
        for before, to in (("draft", "backtested"), ("backtested", "paper")):
            await flows.write(
                FlowMove(
                    name=version.name, version=1, before=FlowState(before), to=FlowState(to),
                    account_id=ACCOUNT, by="user:anna", reason="because", evidence=("run",),
                    is_override=False, at_ns=DAY_NS,
                )
            )  # fmt: skip
        seated = [each for each in await flows.versions() if each.state in SEATED]
        clock = SimulatedClock(DAY_NS + NS_PER_DAY + NS_PER_HOUR)
        job = ComparisonJob(loaded, SimpleNamespace(clock=clock), lambda: seated, made.append)  # type: ignore[arg-type]
        scheduler = Scheduler(clock)
        for each in job.jobs(loaded.settings.flows.compare_at):
            scheduler.add(each)
        await scheduler.run_now("compare_flows")
    (state,) = scheduler.jobs()
    assert (state.name, state.when, state.result) == ("compare_flows", "50 0 * * *", "ok")
    (event,) = made
    assert (event.flow, event.version, event.account_id) == ("quick", 1, ACCOUNT)
    assert (event.day, event.ts_ns) == (DAY.isoformat(), DAY_NS + NS_PER_DAY)
    assert event.live_trades > 40
    assert event.causes["latency"] > 20
    assert max(event.causes, key=lambda cause: event.causes[cause]) == "latency"
    assert all(part.cause and part.detail for part in event.differences)
    assert event.live_net != event.replay_net
