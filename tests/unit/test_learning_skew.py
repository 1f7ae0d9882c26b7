"""Feature drift against its own null, and served vectors against a replay."""

import hashlib
import math

import numpy as np
import pytest
from model_fixtures import EURUSD, random_walk
from scipy.signal import lfilter

from plan2.foundation.values import NS_PER_DAY, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.learning.feature_drift import (
    benjamini_hochberg,
    feature_shifts,
    ks_of,
    psi_of,
)
from plan2.intelligence.learning.skew import EngineState, EngineStates, Served, measure_skew


def slow(rng: np.random.Generator, rows: int, count: int, rho: float = 0.99) -> np.ndarray:
    """AR(1) features of unit variance: float64[rows, count]."""
    shocks = rng.normal(0.0, math.sqrt(1 - rho * rho), (rows, count))
    shocks[0] /= math.sqrt(1 - rho * rho)
    return lfilter([1.0], [1.0, -rho], shocks, axis=0)


@pytest.mark.slow
def test_slow_features_are_no_drift():
    """ML-072: ρ = 0.99 without drift; at most 5 % of windows find any drifted feature of five."""
    rng, alarms, psi = np.random.default_rng(72), 0, []
    for _ in range(24):
        values = slow(rng, 22_000, 5)
        found = feature_shifts(tuple("abcde"), values[:20_000], values[20_000:], rng, draws=2_000)
        alarms += any(each.has_drifted for each in found)
        psi += [each.psi for each in found]

    assert alarms / 24 <= 0.05
    assert np.median(psi) > 0.1  # what a constant threshold would call drift, most of the time


def test_a_shifted_feature_is_found_and_named():
    """One of five moves by three standard deviations; a NaN share that changes counts too."""
    rng = np.random.default_rng(7)
    values = slow(rng, 22_000, 5, rho=0.9)
    window = values[20_000:].copy()
    window[:, 2] += 3.0
    window[:1_500, 4] = np.nan
    found = feature_shifts(("a", "b", "c", "d", "e"), values[:20_000], window, rng)

    assert [each.name for each in found if each.has_drifted] == ["c", "e"]


def test_psi_and_ks_by_hand():
    """Shares 50/50 against 60/40, and distribution functions that are 0.1 apart."""
    even, tilted = np.array([0.5, 0.5]), np.array([0.6, 0.4])

    assert psi_of(even, tilted) == pytest.approx(0.1 * math.log(1.2) - 0.1 * math.log(0.8))
    assert ks_of(even, tilted) == pytest.approx(0.1)


def test_benjamini_hochberg_by_hand():
    """The example of the paper: fifteen p-values, four discoveries at 5 %."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
         0.4262, 0.5719, 0.6528, 0.7590, 1.0000]  # fmt: skip

    assert benjamini_hochberg(np.array(p), 0.05).tolist() == [True] * 4 + [False] * 11


def state_at(ts_ns: int, snapshot: bytes) -> EngineState:
    """What the loop keeps of an engine."""
    return EngineState(
        ts_ns=ts_ns, ticks_at=1, instrument=EURUSD, bar_period_s=60, snapshot=snapshot
    )


@pytest.fixture(scope="module")
def day():
    """Half a day of ticks, the states kept at start and in the middle, and served vectors."""
    block = random_walk(11, 0.5)
    engine = FeatureEngine(default_plan(60), EURUSD)
    states, served = [], []
    rows = zip(block.ts_ns.tolist(), block.bid.tolist(), block.ask.tolist(), strict=True)
    for k, row in enumerate(rows):
        engine.step(*row)
        if k in {100, len(block) // 2}:
            states.append(state_at(row[0], engine.snapshot()))
        elif k % 97 == 0:
            digest = hashlib.sha256(engine.values.tobytes()).hexdigest()
            served.append(Served(*row, digest, f"decision-{k}"))
    return block, states, served


def ticks_of(block: TickBlock):
    """An archive of one block."""

    def read(start_ns: int, end_ns: int) -> TickBlock:
        first, stop = np.searchsorted(block.ts_ns, [start_ns, end_ns])
        return block.slice(int(first), int(stop))

    return read


def test_served_vectors_are_confirmed_bit_for_bit(day):
    """Nothing differs; what lies before the first state cannot be judged."""
    block, states, served = day
    found = measure_skew("EURUSD", served, states, ticks_of(block), default_plan)

    assert (found.mismatches, found.uncovered) == (0, 2)
    assert found.compared == len(served) - 2 > 100


def test_one_changed_tick_is_noticed(day):
    """A quote that is archived half a pip away; every vector after it differs until the next state.

    Exponential averages never forget, but the next kept state is the serving engine's own.
    """
    block, states, served = day
    bid = block.bid.copy()
    bid[len(block) // 4] += 5e-5
    changed = TickBlock(block.symbol, block.ts_ns, bid, block.ask)
    found = measure_skew("EURUSD", served, states, ticks_of(changed), default_plan)

    assert found.first_mismatch == f"decision-{97 * -(-(len(block) // 4) // 97)}"
    assert 0.2 * len(served) < found.mismatches < 0.3 * len(served)


def test_a_missing_tick_is_uncovered_and_skews_the_rest(day):
    """The archive lost ticks: said for the decision on one of them, and seen in the next."""
    block, states, served = day
    lost = 97 * 40
    keep = np.arange(len(block)) != lost
    thinned = TickBlock(block.symbol, *(c[keep] for c in (block.ts_ns, block.bid, block.ask)))
    found = measure_skew("EURUSD", served, states, ticks_of(thinned), default_plan)

    assert found.uncovered == 3
    assert found.mismatches > 10


def test_states_are_kept_for_some_days(tmp_path, day):
    """A file each, read back as it was; damaged ones are no states."""
    kept, state = EngineStates(tmp_path / "skew"), day[1][0]
    kept.save("EURUSD", state)
    (tmp_path / "skew" / f"EURUSD.{state.ts_ns + 5}.state").write_bytes(b"torn")

    assert kept.load("EURUSD", state.ts_ns + 10) == [state]
    assert kept.load("EURUSD", state.ts_ns) == []
    assert kept.symbols() == ("EURUSD",)
    later = state_at(state.ts_ns + 5 * NS_PER_DAY, b"")
    kept.save("EURUSD", later)
    assert kept.load("EURUSD", 2**62) == [later]
