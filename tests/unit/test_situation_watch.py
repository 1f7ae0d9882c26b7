"""The novelty of the present: from a data set to the veto, once a bar, replayed from the record."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from model_fixtures import EURUSD, MONDAY_NS, random_walk, request
from trading_fixtures import EURUSD as ACCOUNT_EURUSD
from trading_fixtures import RULES, Desk, figures, forecast, scene, tick

from plan2.dataflow.quality import QualityGate
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.decision.decide import Situation, decide, engagement_of
from plan2.intelligence.decision.explain import replay
from plan2.intelligence.decision.record import DecisionRecord, Outcome, Reason
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.pipeline import Lane
from plan2.intelligence.regimes.embedding import regime_columns
from plan2.intelligence.regimes.watch import CATALOGUE_NAMES
from plan2.intelligence.training.assemble import assemble
from plan2.intelligence.training.data_sets import Terms
from plan2.wiring.data_sets import data_sets_of
from plan2.wiring.situations import LaneSituations, equip

ASKED = request()
TICKS = random_walk(4, 5.0)


@pytest.fixture
def lane(tmp_path: Path) -> Lane:
    """A lane that has seen the ticks, equipped with a data set of the same market."""
    samples = assemble([random_walk(5, 6.0)], EURUSD, ASKED.plan(), ASKED.rules())
    terms = Terms(ASKED.plan(), ASKED.rules(), "ticks", 0, MONDAY_NS + 9 * NS_PER_DAY)
    data_sets_of(tmp_path).write("known", [samples], terms, 1)
    engine = FeatureEngine(ASKED.plan(), EURUSD)
    found = Lane("EURUSD", QualityGate("EURUSD", 8.0), engine, None)
    assert found.situations.novelty() == 0.0
    equip({"EURUSD": found}, tmp_path)
    engine.step_block(TICKS)
    return found


def test_the_same_market_is_usual_and_is_asked_once_a_bar(lane: Lane) -> None:
    """A fresh walk of the same kind stays below the veto; within a bar the answer stands."""
    first = lane.situations.novelty()
    assert 0.0 < first <= 0.99
    last_ns, bid, ask = int(TICKS.ts_ns[-1]), float(TICKS.bid[-1]), float(TICKS.ask[-1])
    assert not lane.engine.step(last_ns + 1, bid + 0.05, ask + 0.05)
    assert lane.situations.novelty() == first
    for minute in range(1, 4):
        ts_ns = last_ns + minute * 60 * 10**9
        closed = lane.engine.step(ts_ns, bid + 0.05 * minute, ask + 0.06 * minute)
        lane.forecast(ts_ns, closed)
    assert lane.situations.novelty() > 0.99  # jumps of hundreds of deviations


def test_drifted_features_make_a_situation_count_as_twice_as_rare(lane: Lane) -> None:
    """ML-072: one in ten becomes one in twenty; what is known to be certain stays so."""
    as_it_is = lane.situations.novelty()
    lane.situations.is_widened = True
    assert 1.0 - lane.situations.novelty() == pytest.approx((1.0 - as_it_is) / 2.0)


def test_a_stored_decision_can_be_compared(lane: Lane) -> None:
    """By the names and values of its record, at its own time; a symbol without past is refused."""
    asked = LaneSituations({"EURUSD": lane})
    named = (ASKED.plan().names, lane.engine.values.copy())
    found = asked.similar("EURUSD", named, MONDAY_NS + 60 * NS_PER_DAY, 1)
    assert found.n >= 10
    assert found.n_eff <= found.n
    assert found.nearest[0].distance <= found.nearest[-1].distance
    with pytest.raises(InputError, match="no data set of GBPUSD"):
        asked.similar("GBPUSD", named, MONDAY_NS, 1)
    regime = regime_columns(lane.engine.catalogue_values[None, :], CATALOGUE_NAMES)
    assert regime.shape == (1, 32)


@pytest.mark.parametrize(("novelty", "reason"), [(0.99, None), (0.991, True), (np.nan, True)])
def test_what_was_never_seen_is_not_traded(novelty: float, reason: bool | None) -> None:
    """Above the percentile, or unknown after being asked: a veto with a reason of its own."""
    account = figures(novelty=novelty)
    decision = decide(
        Situation(
            tick=tick(),
            instrument=ACCOUNT_EURUSD,
            ready=True,
            forecast=forecast(0.60),
            quote_rate=1.0,
            since_entry_s=1e6,
            engagement=lambda: engagement_of(account),
            figures=lambda: account,
        ),
        RULES,
    )
    assert (decision.reason is Reason.NOVEL_SITUATION) is bool(reason)
    assert (decision.outcome is Outcome.TRADED) is not bool(reason)


def test_a_veto_replays_from_its_record() -> None:
    """The record holds the figure, so taking it again needs no index."""
    desk = Desk().arm()
    strange = msgspec.structs.replace(scene(tick(), forecast(0.60)), novelty=lambda: 0.995)
    assert desk.account.on_tick(strange).reason is Reason.NOVEL_SITUATION
    kept = [item.event for item in desk.sink.facts if type(item.event).__name__ == "DecisionMade"]
    record = msgspec.convert(json.loads(msgspec.json.encode(kept[-1].record)), DecisionRecord)
    assert record.risk_inputs["novelty"] == 0.995
    assert "never seen" in record.sentence
    assert replay(record, ACCOUNT_EURUSD, lambda known: known.forecast).differences == ()
