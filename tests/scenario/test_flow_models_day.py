"""A flow on models trades a day on paper; at night the same models are asked again."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from flow_day import ACCOUNT, DAY, DAY_NS, Sink, changed, stored
from flow_models_day import CHANGE_NS, DRIFT_NS, EVENT_NS, Installation, version_on_paper

from integration.postgres_fixture import make_data_dir
from plan2.foundation.clock import LiveClock, SimulatedClock
from plan2.foundation.config.load import Loaded, load
from plan2.foundation.database.migrate import Migrator
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InputError
from plan2.foundation.events.base import Event
from plan2.foundation.events.flows import LiveComparisonMade
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.events.order import OrderExecuted, OrderPlaced
from plan2.foundation.scheduler import Scheduler
from plan2.foundation.storage import Database, open_database
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, TenantId
from plan2.intelligence.flows.life import SEATED, FlowMove, FlowState, FlowVersion
from plan2.intelligence.flows.store import PostgresFlows
from plan2.intelligence.trading.stored import new_event
from plan2.wiring.live_comparison import ComparisonJob, compared

pytest.importorskip("torch")
pytestmark = pytest.mark.slow
ACME = TenantId("acme_two")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data folder that a database server may use."""
    made = make_data_dir()
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def place(folder: Path) -> Installation:
    """Ticks, models, calendar."""
    return Installation(folder)


@pytest.fixture(scope="module")
def day(place: Installation) -> Sink:
    """What was traded."""
    return asyncio.run(place.traded())


def slipped(sink: Sink, number: int) -> Sink:
    """The same day, but one entry was filled half a pip worse."""
    entries = [
        each.event
        for each in sink.facts
        if isinstance(each.event, OrderExecuted) and not each.event.is_exit
    ]
    chosen = entries[number]

    def worse(event: Event) -> Event:
        if event != chosen or not isinstance(event, OrderExecuted):
            return event
        side = 1 if event.side == "buy" else -1
        price = round(event.executed_price + side * 0.00005, 5)
        return msgspec.structs.replace(event, executed_price=price)

    found = Sink()
    found.facts = changed(sink, worse)
    return found


def test_the_day_has_everything_that_a_replay_must_know(place: Installation, day: Sink) -> None:
    """Champion, canary and next champion decided; sizes were halved; around the event none was."""
    placed = [each.event for each in day.facts if isinstance(each.event, OrderPlaced)]
    entered = [each.ts_ns for each in placed if each.kind == "open"]
    decided = [each.event for each in day.facts if isinstance(each.event, DecisionMade)]
    first, second = place.champion.candidate_id, place.next.candidate_id
    by = [(each.ts_ns, each.record["candidate_id"]) for each in decided if each.record["order_id"]]
    assert len(entered) > 40
    assert {who for ts_ns, who in by if ts_ns < CHANGE_NS} == {first, second}
    assert {who for ts_ns, who in by if ts_ns > CHANGE_NS} == {second}
    near = [ts_ns for ts_ns in entered if abs(ts_ns - EVENT_NS) < 15 * NS_PER_MINUTE]
    assert near == []
    halved = {
        each.record["size"]["binding"]
        for each in decided
        if each.ts_ns > DRIFT_NS and each.record["size"]
    }
    assert "model" in halved


async def test_an_undisturbed_day_has_no_difference(place: Installation, day: Sink) -> None:
    """Each of the models that decided is asked again in its time, in the state that it was in."""
    found = (await compared(place.settings, version_on_paper(), await stored(day), DAY)).comparison
    assert (found.differences, found.causes) == ((), {})
    assert found.paired == found.live_trades == found.replay_trades > 40
    assert found.live_net == found.replay_net


async def test_models_that_are_no_longer_kept_are_named_for_each_trade(
    tmp_path: Path, place: Installation, day: Sink
) -> None:
    """Those of the second champion are gone: its trades say so, those of the first are equal."""
    with place.without(place.next, tmp_path):
        found = (
            await compared(place.settings, version_on_paper(), await stored(day), DAY)
        ).comparison
    said = [part for part in found.differences if part.cause == "models_gone"]
    assert found.causes["models_gone"] >= len(said) > 10  # the first hundred are kept
    assert all(place.next.model_ids[0] in part.detail for part in said)
    assert any(part.opened_us * 1000 < CHANGE_NS for part in said)  # in its turns as a canary
    assert found.paired > 10


async def test_a_day_without_kept_states_is_refused(tmp_path: Path, day: Sink) -> None:
    """No state, no forecast: that is said, instead of differences that are the replay's own."""
    place = Installation(tmp_path)
    with pytest.raises(InputError, match="its forecasts cannot be made again"):
        await compared(place.settings, version_on_paper(), await stored(day), DAY)


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


async def opened(database: Database, tenant_id: TenantId, account: str, day: Sink) -> Tenant:
    """A tenant whose flow traded the day."""
    version = version_on_paper(account)
    if tenant_id != MAIN_TENANT:
        admin = database.access.admin
        assert admin is not None
        migrator = Migrator(admin)
        await asyncio.to_thread(migrator.ensure_tenant, tenant_id, LiveClock().now_ns())
        migrator.close()
    await database.store.append(tenant_id, [new_event(each) for each in day.facts])
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


async def test_the_job_of_the_night_finds_one_slip_and_nothing_else(
    folder: Path, place: Installation, day: Sink
) -> None:
    """The main tenant's day was undisturbed; one entry of acme's was filled half a pip worse."""
    loaded: Loaded = load(None, {"PLAN2_DATA_DIR": str(folder)})
    acme_day = await place.traded("paper-acme-two", ACME)
    async with open_database(loaded.settings) as database:
        tenants = [
            await opened(database, MAIN_TENANT, ACCOUNT, day),
            await opened(database, ACME, "paper-acme-two", slipped(acme_day, 7)),
        ]
        clock = SimulatedClock(DAY_NS + NS_PER_DAY + NS_PER_HOUR)
        scheduler = Scheduler(clock)
        for each in ComparisonJob(loaded, clock, lambda: tenants).jobs():
            scheduler.add(each)
        await scheduler.run_now("compare_flows")
    (state,) = scheduler.jobs()
    assert (state.name, state.result) == ("compare_flows", "ok")
    (calm,), (event,) = (each.told for each in tenants)
    assert (calm.flow, calm.live_trades > 40, calm.causes) == ("reader", True, {})
    assert calm.paired == calm.replay_trades == calm.live_trades
    assert (event.paired, event.causes) == (calm.paired, {"slippage": 1})
    (part,) = event.differences
    assert "slippage +0.50" in part.detail
