"""From ticks to samples: by the serving engine, in any pieces, over gaps."""

import itertools

import numpy as np
import pytest
from model_fixtures import EURUSD, random_walk, request

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_HOUR, NS_PER_SECOND, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.training.assemble import assemble
from plan2.intelligence.training.labels import Status
from plan2.intelligence.training.train import train

ASKED = request()
PLAN, RULES = ASKED.plan(), ASKED.rules()


@pytest.fixture(scope="module")
def block():
    """A day and a half with a hole of five hours in the middle."""
    ticks = random_walk(1, 1.5)
    ts_ns = ticks.ts_ns.copy()
    ts_ns[len(ts_ns) // 2 :] += 5 * NS_PER_HOUR
    return TickBlock(ticks.symbol, ts_ns, ticks.bid, ticks.ask)


@pytest.fixture(scope="module")
def whole(block):
    """Its samples, taken in one piece."""
    return assemble([block], EURUSD, PLAN, RULES)


@pytest.mark.parametrize("pieces", [2, 9])
def test_samples_do_not_depend_on_the_blocks(block, whole, pieces):
    """Every column is equal byte for byte, the hash of the ticks too."""
    bounds = np.linspace(0, len(block), pieces + 1).astype(int)
    blocks = [block.slice(a, b) for a, b in itertools.pairwise(bounds)]
    parts = assemble([block.slice(0, 0), *blocks], EURUSD, PLAN, RULES)

    assert parts.tick_hash == whole.tick_hash
    for name in ("bar_ts", "mid", "sequence", "is_reset", "event_bar", "values", "labels"):
        assert getattr(parts, name).tobytes() == getattr(whole, name).tobytes()


def test_events_carry_what_the_engine_showed_at_that_tick(block, whole):
    """Walked tick by tick to the third event: same features, sigma and mid."""
    label, bar = whole.labels[2], whole.event_bar[2]
    engine = FeatureEngine(PLAN, EURUSD)
    closed = -1
    for k in range(len(block)):
        row = (int(block.ts_ns[k]), float(block.bid[k]), float(block.ask[k]))
        closed += engine.step(*row)
        if closed == bar:
            break

    assert label["t0"] == block.ts_ns[k] == whole.bar_ts[bar]
    assert label["mid"] == (block.bid[k] + block.ask[k]) / 2
    assert label["sigma"] == engine.sigma
    assert np.array_equal(whole.values[2], engine.values, equal_nan=True)
    assert np.array_equal(whole.sequence[bar], engine.sequence_closed.astype(np.float32))


def test_nothing_is_an_event_while_warming_up(whole):
    """241 bars after the start and after the hole."""
    resets = np.flatnonzero(whole.is_reset)

    assert len(resets) == 2
    for start in resets:
        inside = (whole.event_bar >= start) & (whole.event_bar < start + 240)
        assert not inside.any()


def test_the_state_starts_anew_at_the_first_bar_after_the_hole(whole):
    """The bar that the hole closes still belongs to the time before it."""
    second = np.flatnonzero(whole.is_reset)[1]
    gaps = np.diff(whole.bar_ts)

    assert gaps[second - 2] > 5 * NS_PER_HOUR
    assert gaps[second - 1] < 120 * NS_PER_SECOND


def test_labels_never_reach_over_the_hole(block, whole):
    """An event whose horizon contains it is interrupted, not resolved."""
    hole = int(np.argmax(np.diff(block.ts_ns)))
    before, after = block.ts_ns[hole], block.ts_ns[hole + 1]
    resolved = whole.labels[whole.labels["status"] == Status.RESOLVED]

    assert not np.any((resolved["t0"] <= before) & (resolved["t1"] >= after))
    assert (whole.labels["status"] == Status.INTERRUPTED).sum() >= 1


def test_no_training_row_is_resolved_after_the_last_tick(block, whole):
    """What was still open at the end is counted as pending."""
    resolved = whole.labels[whole.labels["status"] == Status.RESOLVED]
    counts = whole.counts()

    assert resolved["t1"].max() <= block.ts_ns[-1]
    assert counts["pending"] >= 1
    assert counts["events"] == len(whole.labels) == len(whole.event_bar) == len(whole.values)


def test_a_symbol_without_contract_data_is_refused():
    """Its costs would be unknown."""
    with pytest.raises(InputError, match="no contract data for GBPUSD"):
        request(("EURUSD",)).instrument("GBPUSD")


def test_a_symbol_without_ticks_is_refused():
    """Before anything is trained."""
    with pytest.raises(InputError, match="no closed bar of EURUSD"):
        train(request(families=("xgboost",)), {"EURUSD": []}, lambda *_: None)


def test_the_embargo_covers_memory_and_horizon():
    """Four hours of feature memory, or the horizon where that is longer."""
    assert request().embargo_s() == 241 * 60
    assert request(horizon_minutes=300).embargo_s() == 300 * 60
