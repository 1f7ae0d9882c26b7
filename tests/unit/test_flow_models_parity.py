"""A flow on models that were really trained: the compiled loop and the pipeline trade the same.

Forecasts, the veto of situations nobody has seen, the age of the models and the families that a
flow names; also a champion of more families, of which live picks those that the flow names.
"""

import msgspec
import numpy as np
import polars as pl
import pytest
from model_fixtures import request, small_report

from plan2.dataflow.economic_calendar import HIGH, Entry
from plan2.foundation.config.schema import Settings
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, TickBlock
from plan2.intelligence.backtest.doubts import NO_DOUBTS, Doubts
from plan2.intelligence.backtest.feeds import Blocks
from plan2.intelligence.backtest.outside import Outside
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.backtest.run_flow import Outer, RunOptions, run_flow
from plan2.intelligence.decision.schedule import Schedule, rest_of
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.flows.flow import Flow, parse_flow
from plan2.intelligence.flows.source import write_source
from plan2.intelligence.models.ensemble import Ensemble
from plan2.intelligence.models.members import LoadedModel
from plan2.intelligence.models.standing import Age, Expiry
from plan2.intelligence.regimes.similar import SituationIndex, build_index
from plan2.intelligence.training.assemble import assemble
from plan2.wiring.flow_backtest import PipelineRun, run_pipeline
from unit.trading_fixtures import EURUSD

START_NS = 1_709_596_800_000_000_000
"""2024-03-05 00:00 UTC, a Tuesday."""
FLOW = """\
name = "reader"
[source]
symbol = "EURUSD"
[parameters]
edge = 0.0
[models]
use = true
[policy]
on = "{on}"
long = "p_up > 0.5 + edge"
short = "p_up < 0.5 - edge"
[exits]
stop_loss = "3 * barrier"
time_s = 1200
[size]
lots = 0.03
"""
Models = tuple[LoadedModel, ...]
pytestmark = pytest.mark.slow


def market(seed: int = 4, count: int = 5_400, wild: float = 5.0) -> TickBlock:
    """Eighteen hours of quotes twelve seconds apart; the last third is `wild` times as wild."""
    rng = np.random.default_rng(seed)
    ts_ns = START_NS + np.cumsum(rng.integers(100, 24_000, count)) * 1_000_000
    is_calm = np.arange(count) < 2 * count // 3
    scale = np.where(is_calm, 7.0, 7.0 * wild)
    mid = 110_000 + np.cumsum(rng.normal(0.0, scale)).round().astype(np.int64)
    spread = np.where(is_calm, 1.0, wild).astype(np.int64) * rng.integers(4, 8, count)
    return TickBlock("EURUSD", ts_ns, mid / 1e5, (mid + spread) / 1e5)


@pytest.fixture(scope="module")
def block() -> TickBlock:
    """The ticks of every run."""
    return market()


@pytest.fixture(scope="module")
def models() -> Models:
    """Boosted trees and a logistic regression, trained here."""
    report = small_report(("xgboost", "logistic"))
    return tuple(LoadedModel(each.manifest, each.content) for each in report.models)


@pytest.fixture(scope="module")
def index() -> SituationIndex:
    """The situations of two calm days of the same market."""
    plan, rules = default_plan(), request().rules()
    calm = market(9, 14_000, wild=1.0)
    return build_index(assemble([calm], EURUSD, plan, rules), plan.names, rules.horizon_s)


def of(models: Models, *families: str) -> Ensemble:
    """A fresh ensemble of these families, or of all."""
    chosen = [m for m in models if not families or m.manifest.family in families]
    return Ensemble("EURUSD", [each.member() for each in chosen])


def compiled(flow: Flow, block: TickBlock, ensemble: Ensemble, doubts: Doubts) -> BacktestRun:
    """The flow by the compiled loop."""
    feed = Blocks("EURUSD", lambda: iter([block.slice(0, 2_000), block.slice(2_000, len(block))]))
    engine = FeatureEngine(default_plan(), EURUSD)
    names = tuple(write_source(flow).program.outer)
    weight = Settings().decision.uncertainty_weight
    outer: Outer = Outside(names, engine, ensemble, weight, doubts).collect(feed)
    return run_flow(flow, feed, EURUSD, RunOptions(outer=outer))


def piped(flow: Flow, block: TickBlock, ensemble: Ensemble, doubts: Doubts) -> BacktestRun:
    """The flow by the code that trades."""

    def read(_: str, start_ns: int, end_ns: int) -> TickBlock:
        begin, end = np.searchsorted(block.ts_ns, [start_ns, end_ns])
        return block.slice(int(begin), int(end))

    return run_pipeline(
        PipelineRun(
            flow=flow,
            instrument=EURUSD,
            settings=Settings(),
            read=read,
            start_ns=int(block.ts_ns[0]),
            end_ns=int(block.ts_ns[-1]) + 1,
            data_id="market",
            ensemble=ensemble,
            doubts=doubts,
        )
    )


def test_the_veto_of_what_was_never_seen_is_the_same(
    models: Models, index: SituationIndex, block: TickBlock
) -> None:
    """Asked on every tick, the wild third is vetoed alike; without the veto it is traded."""
    flow = parse_flow(FLOW.format(on="tick"))
    doubts = Doubts(index=index, veto_above=Settings().decision.novelty_veto_percentile)
    quick, slow = compiled(flow, block, of(models), doubts), piped(flow, block, of(models), doubts)
    assert quick.trades.height > 10
    assert slow.log_digest == quick.log_digest
    assert quick.denials["novel_situation"] > 0
    assert slow.denials["novel_situation"] > 0
    free = compiled(flow, block, of(models), NO_DOUBTS)
    wild_ns = int(block.ts_ns[2 * len(block) // 3]) + NS_PER_HOUR
    in_the_wild = [(run.trades["open_ns"] > wild_ns).sum() for run in (quick, free)]
    assert in_the_wild[0] < in_the_wild[1] / 2
    assert free.run_id != quick.run_id


def test_the_veto_around_scheduled_events_is_the_same(models: Models, block: TickBlock) -> None:
    """To the tick: rests that begin between two ticks, overlap, or were told of in the middle."""
    flow = parse_flow(FLOW.format(on="tick"))
    told = [(3.01, 0.0), (3.2, 0.0), (7.503, 7.4), (12.0, 12.1)]
    schedule = Schedule(
        Entry(
            at_ns=START_NS + int(hour * NS_PER_HOUR),
            currency="USD",
            name="CPI",
            impact=HIGH,
            known_from_ns=START_NS + int(known * NS_PER_HOUR),
        )
        for hour, known in told
    )
    rest = rest_of(Settings().decision)
    doubts = Doubts(schedule=schedule, rest=rest)
    quick, slow = compiled(flow, block, of(models), doubts), piped(flow, block, of(models), doubts)
    assert slow.log_digest == quick.log_digest
    assert quick.denials["scheduled_event"] > 0
    assert slow.denials["scheduled_event"] > 0
    free = compiled(flow, block, of(models), NO_DOUBTS)
    assert free.run_id != quick.run_id
    for run, is_free in ((quick, False), (free, True)):
        entered = run.orders.filter(pl.col("kind") == "open")["ts_ns"].to_list()
        assert any(schedule.near(ts_ns, rest) for ts_ns in entered) is is_free


def test_models_grow_old_within_a_run(models: Models, block: TickBlock) -> None:
    """Old after twelve hours: half of 0.03 lots, rounded down to a step, is 0.01."""
    flow, old_ns = parse_flow(FLOW.format(on="bar")), START_NS + 12 * NS_PER_HOUR
    expiry = Expiry(days=30, suspend_days=45)
    doubts = Doubts(age=Age(trained_ns=old_ns - 30 * NS_PER_DAY, expiry=expiry))
    quick = compiled(flow, block, of(models), doubts)
    assert piped(flow, block, of(models), doubts).log_digest == quick.log_digest
    opened = quick.orders.filter(pl.col("kind") == "open")
    young = opened.filter(pl.col("ts_ns") < old_ns)
    aged = opened.filter(pl.col("ts_ns") > old_ns + NS_PER_MINUTE)
    assert (set(young["lots"]), set(aged["lots"])) == ({0.03}, {0.01})


def test_models_that_are_too_old_say_nothing(models: Models, block: TickBlock) -> None:
    """Suspended after twelve hours: no entry from then on."""
    flow, over_ns = parse_flow(FLOW.format(on="bar")), START_NS + 12 * NS_PER_HOUR
    expiry = Expiry(days=45, suspend_days=45)
    doubts = Doubts(age=Age(trained_ns=over_ns - 45 * NS_PER_DAY, expiry=expiry))
    quick = compiled(flow, block, of(models), doubts)
    assert piped(flow, block, of(models), doubts).log_digest == quick.log_digest
    opened = quick.orders.filter(pl.col("kind") == "open")
    assert over_ns - NS_PER_HOUR < opened["ts_ns"].max() < over_ns + NS_PER_MINUTE


def test_a_flow_hears_the_families_that_it_names_and_no_other(
    models: Models, block: TickBlock
) -> None:
    """Live has the whole champion and picks; a backtest loads those alone: the same trades."""
    flow = parse_flow(FLOW.format(on="bar"))
    models_part = msgspec.structs.replace(flow.models, families=("logistic",))
    named = msgspec.structs.replace(flow, models=models_part)
    alone = compiled(named, block, of(models, "logistic"), NO_DOUBTS)
    assert piped(named, block, of(models), NO_DOUBTS).log_digest == alone.log_digest
    assert compiled(flow, block, of(models), NO_DOUBTS).log_digest != alone.log_digest
    assert of(models).among(("cnn",)) is None
