"""A flow trades a recorded day on paper; at night it is replayed and every difference named."""

import msgspec
import pytest
from flow_day import DAY, archive_day, stored, traded, version_on_paper

from plan2.dataflow.terminals.simulated.faults import Faults
from plan2.dataflow.terminals.simulated.refusals import Refusal
from plan2.foundation.config.schema import Settings
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderExecuted
from plan2.intelligence.flows.life import FlowVersion
from plan2.wiring.live_comparison import FlowDay, compared


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Those of an installation whose archive holds the day."""
    return archive_day(tmp_path_factory.mktemp("installation"))


@pytest.fixture(scope="module")
def version() -> FlowVersion:
    """The flow on paper."""
    return version_on_paper()


async def night(
    settings: Settings, version: FlowVersion, latency_ms: int = 40, faults: Faults | None = None
) -> FlowDay:
    """The day traded, stored and compared."""
    sink = await traded(settings, version.flow(), latency_ms, faults)
    return await compared(settings, version, await stored(sink), DAY)


async def test_an_undisturbed_day_has_no_difference(settings, version) -> None:
    """Parts, stops, targets and reversals: the replay trades what was traded, to the cent."""
    found = (await night(settings, version)).comparison
    assert found.live_trades > 40
    assert (found.paired, found.causes) == (found.live_trades, {})
    assert (found.replay_trades, found.replay_net) == (found.live_trades, found.live_net)


async def test_a_recorded_day_decides_and_orders_the_same_again(settings, version) -> None:
    """Decision records and orders with their ids, whoever plays the ticks."""
    first, second = [await traded(settings, version.flow()) for _ in range(2)]
    kinds = {type(each.event).__name__ for each in first.facts}
    assert {"DecisionMade", "OrderPlaced", "OrderExecuted", "PositionClosed"} <= kinds
    assert [each.event for each in first.facts] == [each.event for each in second.facts]


async def test_a_slow_way_to_the_broker_is_latency(settings, version) -> None:
    """Eight seconds instead of 40 ms: filled a quote or two later, and so named."""
    causes = (await night(settings, version, latency_ms=8_000)).comparison.causes
    assert causes["latency"] > 20
    assert max(causes, key=lambda cause: causes[cause]) == "latency"


async def test_a_refused_entry_or_exit_is_a_reject(settings, version) -> None:
    """A fifth of the requests meets a requote."""
    faults = Faults(seed=3, rejected=0.2, rejections=(Refusal.REQUOTE,))
    found = (await night(settings, version, faults=faults)).comparison
    assert found.causes["reject"] >= 3
    details = {part.detail for part in found.differences if part.cause == "reject"}
    assert "the broker refused the entry: requote" in details


async def test_worse_fills_are_slippage(settings, version) -> None:
    """The broker takes half a pip more of every entry than it quoted: 0.50 pips a trade."""

    def worse(event: Event) -> Event:
        if not isinstance(event, OrderExecuted) or event.is_exit:
            return event
        side = 1 if event.side == "buy" else -1
        price = round(event.executed_price + side * 0.00005, 5)
        return msgspec.structs.replace(event, executed_price=price)

    sink = await traded(settings, version.flow())
    found = (await compared(settings, version, await stored(sink, worse), DAY)).comparison
    assert found.causes == {"slippage": found.live_trades}
    assert all("slippage +0.50" in part.detail for part in found.differences)
