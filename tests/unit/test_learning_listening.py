"""Notes of closed bars as they are heard on the market's bus, and the shadow beside a champion."""

import numpy as np
import pytest
from learning_fixtures import MemoryLifecycle, candidate, forecast, notes_of, outcome
from model_fixtures import EURUSD, random_walk

from plan2.dataflow.quality import QualityGate
from plan2.foundation.bus import Bus
from plan2.foundation.events.market import BarClosed, MarketDataReceived
from plan2.foundation.values import Tick
from plan2.intelligence.events import ForecastMade
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.learning.contests import Contest
from plan2.intelligence.learning.evidence import watched_of
from plan2.intelligence.learning.listening import BarListener, Told
from plan2.intelligence.learning.shadow import sampled_forecast
from plan2.intelligence.models.forecast import Forecast, Vote
from plan2.intelligence.models.lifecycle import Alias, State
from plan2.intelligence.pipeline import Lane

PLAN = default_plan(60)


class Still:
    """Models in place; the listener asks only whether there are any."""


def said(ts_ns: int, p: float = 0.6, **changes) -> Forecast:
    """A forecast of two models, one of which abstained."""
    votes = (
        Vote(model_id="one", family="xgboost", raw=p, calibrated=p, weight=1.0),
        Vote(model_id="two", family="lstm", raw=0.5, calibrated=0.5, weight=0.0, abstained="no"),
    )
    parts = {
        "symbol": "EURUSD", "ts_ns": ts_ns, "p_up": p, "barrier": 0.001, "horizon_s": 7_200,
        "disagreement": 0.0, "standard_error": 0.0, "calibration_id": "c", "votes": votes,
    }  # fmt: skip
    return Forecast(**parts | changes)


@pytest.mark.parametrize("has_models", [True, False])
def test_the_listener_tells_what_belongs_together(has_models):
    """Tick by tick over the bus: the same notes as a walk over the engine, and the right forecast.

    Copies are taken at the close: the engine's own arrays have moved on when a note is read.
    """
    block = random_walk(21, 0.1)
    engine = FeatureEngine(PLAN, EURUSD)
    lane = Lane("EURUSD", QualityGate("EURUSD", 8.0), engine, Still() if has_models else None)
    told: list[Told] = []
    bus = Bus()
    BarListener({"EURUSD": lane}, told.append).listen(bus)
    for row in zip(block.ts_ns.tolist(), block.bid.tolist(), block.ask.tolist(), strict=True):
        closed = engine.step(*row)
        bus.publish(MarketDataReceived(ts_ns=row[0], tick=Tick("EURUSD", *row, 0)))
        if closed:
            bus.publish(BarClosed(ts_ns=row[0], bar=engine.last_bar()))
        if has_models:
            bus.publish(ForecastMade(ts_ns=row[0], forecast=said(row[0])))
    found, expected = [each.note() for each in told], notes_of(block, PLAN)

    assert len(found) == len(expected) > 100
    for one, other in zip(found, expected, strict=True):
        assert one.closing == other.closing
        assert all(map(np.array_equal, one.tape, other.tape))
        assert one.moment.values.tobytes() == other.moment.values.tobytes()
        assert one.moment.sequence_closed.tobytes() == other.moment.sequence_closed.tobytes()
        heard = None if one.forecast is None else one.forecast.ts_ns
        assert heard == (one.closing.ts_ns if has_models else None)


def test_an_abstention_is_remembered_with_its_reason():
    """The blend's logit is of the votes that counted; why nobody would act is kept."""
    tick = Tick("EURUSD", 5, 1.1, 1.1001, 0)
    acted = sampled_forecast("a", "champion", said(5), tick, lambda *_: "")
    left = sampled_forecast("a", "champion", said(5), tick, lambda *_: "cost_above_edge")
    silent = sampled_forecast(
        "a", "champion", said(5, 0.5, abstained="warming_up"), tick, lambda *_: ""
    )

    assert (acted.side, acted.abstained, acted.votes) == (1, "", {"one": 0.6})
    assert acted.logit == pytest.approx(np.log(0.6 / 0.4))
    assert (left.side, left.abstained) == (1, "cost_above_edge")
    assert (silent.side, silent.abstained) == (0, "warming_up")


def test_gates_are_told_for_which_side_the_evidence_speaks():
    """An e-value against a challenger is no evidence in its favour."""
    better, worse = Contest("new"), Contest("new")
    rng = np.random.default_rng(3)
    for k in range(400):
        side = int(rng.choice([-1, 1]))
        good = forecast("new", "challenger", 0.5 + side * rng.uniform(0.0, 0.2))
        bad = forecast("new", "challenger", 0.5 - side * rng.uniform(0.0, 0.2))
        coin = forecast("old", "champion", 0.5)
        better.update(outcome(k, side, ()), coin, good, 7_200)
        worse.update(outcome(k, side, ()), coin, bad, 7_200)
    up, down = watched_of(better, 0.4, 0), watched_of(worse, 0.4, 3)

    assert up.e_value > 20.0 == down.e_value + 20.0
    assert down.e_value_against > 20.0 == up.e_value_against + 20.0
    assert (up.latency_ms, down.skewed) == (0.4, 3)
    assert up.weeks == pytest.approx(400 * 2 / 24 / 7, rel=0.01)
    assert up.effective_labels == pytest.approx(400)


async def test_the_memory_life_cycle_keeps_the_contract():
    """The fake of these tests hands the alias over as the contract says."""
    life = MemoryLifecycle(candidate("old", State.CHAMPION), candidate("new", State.CANARY))

    assert life.holder("EURUSD", Alias.CHAMPION).candidate_id == "old"
    assert life.holder("GBPUSD", Alias.CHAMPION) is None
