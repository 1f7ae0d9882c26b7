"""Other symbols and events on their way from archive and calendar to lanes and training."""

import asyncio
import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from click.testing import CliRunner
from features_fixtures import random_ticks
from model_fixtures import MONDAY_NS, random_walk

from plan2.commands.models import command as models
from plan2.commands.training_order import Order
from plan2.commands.training_run import carry_out
from plan2.dataflow.archive import END_OF_TIME_NS, TickArchive
from plan2.dataflow.economic_calendar import HIGH, Stated
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.load import load
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_HOUR, Float64Array, TenantId, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.features.shelf import Shelf
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training.data_set_text import lines_of
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.warm_state import WarmState
from plan2.wiring.assembly import Floor, build_lanes
from plan2.wiring.calendar_watch import CalendarWatch
from plan2.wiring.data_sets import BuildOrder, assembled, build
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.markets import Market
from plan2.wiring.recovery import warm_up
from plan2.wiring.surroundings import Span, archived_surroundings, calendar_of

SET = """
[set]
name = "majors"
peers = ["GBPUSD", "USDJPY"]
include = ["cross", "events"]
[features]
lead = "of(GBPUSD, return_5) - lag(of(USDJPY, return_1), 3)"
"""
SYMBOLS = ("EURUSD", "GBPUSD", "USDJPY")
WHOLE = Span(0, END_OF_TIME_NS)


@pytest.fixture
def blocks() -> list[TickBlock]:
    """Three walks of four hours."""
    found = []
    for seed, symbol in enumerate(SYMBOLS, 1):
        walk = random_ticks(3_600, seed)
        found.append(TickBlock(symbol, walk.ts_ns, walk.bid, walk.ask))
    return found


@pytest.fixture
def settings(tmp_path: Path, blocks: list[TickBlock]) -> Settings:
    """A data folder with the set, the ticks, and an event every hour."""
    Shelf(tmp_path, TenantId("default")).add(SET, "test")
    for block in blocks:
        TickArchive(tmp_path / "archive").merge(block)
    start_ns = int(blocks[0].ts_ns[0])
    told = [
        Stated(at_ns=start_ns + k * NS_PER_HOUR, currency="USD", name=f"e{k}", impact=HIGH)
        for k in range(30)
    ]
    calendar_of(tmp_path).add(told, start_ns, is_record=True)
    said = {"PLAN2_DATA_DIR": str(tmp_path), "PLAN2_MODELS__FEATURE_SET": "majors"}
    return load(None, said).settings


def walked(settings: Settings, folder: Path, block: TickBlock) -> Float64Array:
    """Rows at closes by an engine that walks through the archive."""
    plan = plan_of(settings)
    around = archived_surroundings(folder, plan, [block.symbol], WHOLE)
    contract = instruments([block.symbol])[block.symbol]
    return FeatureEngine(plan, contract, around).step_block(block).values


def test_lanes_side_by_side_serve_what_the_archive_gives(
    settings: Settings, tmp_path: Path, blocks: list[TickBlock]
) -> None:
    """Ticks of three symbols in order of time through `build_lanes`, to the bit."""
    lanes = build_lanes(settings, instruments(SYMBOLS), {})
    ticks = sorted(
        (ts_ns, block.symbol, bid, ask)
        for block in blocks
        for ts_ns, bid, ask in zip(
            block.ts_ns.tolist(), block.bid.tolist(), block.ask.tolist(), strict=True
        )
    )
    served: dict[str, list[Float64Array]] = {symbol: [] for symbol in SYMBOLS}
    for ts_ns, symbol, bid, ask in ticks:
        engine = lanes[symbol].engine
        if engine.step(ts_ns, bid, ask):
            served[symbol].append(engine.values.copy())
    for block in blocks:
        expected = walked(settings, tmp_path, block)
        np.testing.assert_array_equal(
            np.array(served[block.symbol]).view(np.uint64),
            np.ascontiguousarray(expected).view(np.uint64),
        )
        assert np.isfinite(expected[-1, :6]).all()


def test_data_sets_are_built_with_them(settings: Settings, tmp_path: Path) -> None:
    """By the very set, calendar and closes of the archive."""
    plan: FeaturePlan = plan_of(settings)
    request = TrainRequest(
        symbols=("EURUSD",),
        instruments=instruments(["EURUSD"]),
        ts_ns=0,
        feature_set=plan.feature_set,
    )
    order = BuildOrder(name="x", start_ns=0, end_ns=END_OF_TIME_NS)
    (samples,) = assembled(tmp_path, order, request, lambda _: None)
    late = samples.values[len(samples.values) // 2 :]
    assert len(late) > 3
    assert np.isfinite(late[:, plan.names.index("strength_gap_60")]).all()
    assert np.isfinite(late[:, plan.names.index("minutes_to_event")]).all()


def test_a_data_set_names_what_its_features_looked_at(
    settings: Settings, tmp_path: Path, blocks: list[TickBlock]
) -> None:
    """Closes of each symbol hashed by hand from its ticks; events that change change their hash."""
    request = TrainRequest(
        symbols=("EURUSD",),
        instruments=instruments(["EURUSD"]),
        ts_ns=0,
        feature_set=plan_of(settings).feature_set,
    )
    order = BuildOrder(name="x", start_ns=0, end_ns=END_OF_TIME_NS)
    manifest = build(tmp_path, order, request, lambda _: None)
    expected = {}
    for block in blocks:
        minute = block.ts_ns // (60 * 10**9)
        last = np.append(np.flatnonzero(np.diff(minute)), len(minute) - 1)
        mid = 0.5 * (block.bid[last] + block.ask[last])
        closes = np.column_stack([minute[last].astype(np.float64), mid])
        expected[f"closes {block.symbol}"] = hashlib.sha256(closes.tobytes()).hexdigest()
    events = manifest.sources["events EUR USD"]
    assert manifest.sources == {**expected, "events EUR USD": events}
    assert any(line.startswith("looked at   closes GBPUSD: ") for line in lines_of(manifest))
    soon = Stated(at_ns=int(blocks[0].ts_ns[9]), currency="EUR", name="new", impact=HIGH)
    calendar_of(tmp_path).add([soon], 0, is_record=True)
    again = build(
        tmp_path, BuildOrder(name="y", start_ns=0, end_ns=END_OF_TIME_NS), request, lambda _: None
    )
    assert again.sources["closes GBPUSD"] == expected["closes GBPUSD"]
    assert again.sources["events EUR USD"] != events


@pytest.mark.slow
@pytest.mark.parametrize("dataset", ["", "kept"])
def test_a_model_names_what_its_features_looked_at(
    settings: Settings, tmp_path: Path, dataset: str
) -> None:
    """Trained from the archive or from a data set: the same sources in its manifest and card."""
    for seed, symbol in enumerate(SYMBOLS, 1):
        TickArchive(tmp_path / "archive").merge(random_walk(seed, 6.0, symbol))
    order = BuildOrder(name="kept", start_ns=MONDAY_NS, end_ns=END_OF_TIME_NS)
    request = TrainRequest(
        symbols=("EURUSD",),
        instruments=instruments(["EURUSD"]),
        ts_ns=0,
        feature_set=plan_of(settings).feature_set,
    )
    kept = build(tmp_path, order, request, lambda _: None)
    asked = Order(
        folder=tmp_path,
        symbols=("EURUSD",),
        families=("logistic",),
        start_ns=MONDAY_NS,
        end_ns=END_OF_TIME_NS,
        seed=1,
        horizon_minutes=120,
        bar_period_s=60,
        features="majors",
        dataset=dataset,
    )
    (model_id,) = carry_out(asked, lambda *_: None).model_ids
    manifest = Registry(tmp_path / "models").show(model_id)
    assert set(kept.sources) == {*(f"closes {each}" for each in SYMBOLS), "events EUR USD"}
    assert manifest.provenance.sources == kept.sources
    shown = CliRunner().invoke(models, ["show", model_id, "--data-dir", str(tmp_path)])
    assert f"closes GBPUSD: {kept.sources['closes GBPUSD'][:12]}" in shown.output


def test_a_peer_that_is_nowhere_is_named(settings: Settings, tmp_path: Path) -> None:
    """In an archive and among the symbols of a market."""
    plan = plan_of(settings)
    with pytest.raises(InputError, match="GBPUSD"):
        archived_surroundings(tmp_path / "empty", plan, ["EURUSD"], WHOLE)
    with pytest.raises(InputError, match="GBPUSD"):
        build_lanes(settings, instruments(["EURUSD"]), {})


class History:
    """A terminal that tells the history of some blocks, and no more."""

    def __init__(self, blocks: list[TickBlock]) -> None:
        self._blocks = {block.symbol: block for block in blocks}

    async def history(self, symbol: str, start_ns: int, end_ns: int) -> TickBlock:
        """The ticks of a span."""
        block = self._blocks[symbol]
        first, last = np.searchsorted(block.ts_ns, [start_ns, end_ns])
        return block.slice(int(first), int(last))


def test_a_start_fills_the_board_before_the_lanes_warm_up(
    settings: Settings, tmp_path: Path, blocks: list[TickBlock]
) -> None:
    """Lanes warm up one after another; each knows the others' closes all the same."""
    lanes = build_lanes(settings, instruments(SYMBOLS), {})
    now_ns = int(min(block.ts_ns[-1] for block in blocks)) + 1
    market = SimpleNamespace(clock=SimulatedClock(now_ns), is_paper=True, terminal=History(blocks))
    floor = SimpleNamespace(lanes=lanes)
    kept = WarmState(tmp_path / "warm")
    asyncio.run(warm_up(cast("Floor", floor), cast("Market", market), kept, lambda _: None))
    block = blocks[0].slice(0, int(np.searchsorted(blocks[0].ts_ns, now_ns)))
    plan, contract = plan_of(settings), instruments(["EURUSD"])["EURUSD"]
    around = archived_surroundings(tmp_path, plan, SYMBOLS, WHOLE)
    alone = FeatureEngine(plan, contract, around)
    alone.step_block(block)
    np.testing.assert_array_equal(lanes["EURUSD"].engine.values, alone.values)
    assert np.isfinite(lanes["EURUSD"].engine.values[:4]).all()


def test_a_running_market_reads_a_calendar_that_was_imported(
    settings: Settings, tmp_path: Path, blocks: list[TickBlock]
) -> None:
    """The chore hands it to every lane."""
    lanes = build_lanes(settings, instruments(SYMBOLS), {})
    floor = cast("Floor", SimpleNamespace(lanes=lanes))
    market = SimpleNamespace(home=tmp_path, instruments=instruments(SYMBOLS))
    watch = CalendarWatch(floor, settings, cast("Market", market))
    assert [job.name for job in watch.jobs()] == ["read_calendar"]
    start_ns = int(blocks[0].ts_ns[0])
    soon = Stated(at_ns=start_ns + NS_PER_HOUR // 2, currency="EUR", name="new", impact=HIGH)
    calendar_of(tmp_path).add([soon], start_ns - NS_PER_HOUR, is_record=False)
    asyncio.run(watch.read())
    engine = lanes["EURUSD"].engine
    engine.step(start_ns // NS_PER_HOUR * NS_PER_HOUR + NS_PER_HOUR // 60, 1.1, 1.1001)
    whole = archived_surroundings(tmp_path, plan_of(settings), ["EURUSD"], WHOLE)
    again = FeatureEngine(plan_of(settings), instruments(["EURUSD"])["EURUSD"], whole)
    again.step(start_ns // NS_PER_HOUR * NS_PER_HOUR + NS_PER_HOUR // 60, 1.1, 1.1001)
    at = plan_of(settings).names.index("events_next_day")
    assert engine.values[at] == again.values[at] == 25  # one an hour for a day, and the new one
