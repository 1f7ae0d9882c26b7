"""Columns of a feature set: live, batch, chunks and snapshots give the same bits; no look-ahead."""

import itertools

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.feature_set import parse_set
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.features.sampled import SampledFeatures

TEXT = """
[set]
name = "parity"
include = ["cost", "bar_activity"]

[features]
level = "log(mid / lag(mid, 3))"
shock = "clip(spread_z_60 - lag(max(spread_z_60, tick_gap), 2), -5, 5)"
both = "min(abs(-tick_gap), lag(tick_gap, 7)) * 2 + bar_progress / tick_interval"
"""
PLAN = default_plan(60, parse_set(TEXT, "test"))
EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)
Bits = npt.NDArray[np.uint64]


def ticks(count: int, seed: int) -> TickBlock:
    """A random walk with gaps, repeated times, and ticks that the engine must ignore."""
    rng = np.random.default_rng(seed)
    waits = rng.exponential(20_000.0, count).astype(np.int64)
    waits[rng.integers(0, count, 2)] = 40 * 60_000
    ts_ns = 1_704_704_400_000_000_000 + np.cumsum(waits) * NS_PER_MS
    ts_ns[rng.integers(1, count, 5)] -= 3_600 * 10**9
    bid = np.round(1.1 + np.cumsum(rng.normal(0.0, 2e-5, count)), 5)
    ask = np.round(bid + 5e-5, 5)
    bid[rng.integers(0, count, 5)] = np.nan
    return TickBlock("EURUSD", ts_ns, bid, ask)


def bits(rows: SampledFeatures) -> Bits:
    """Every column as raw words."""
    return np.ascontiguousarray(rows.values).view(np.uint64)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 899), min_size=1, max_size=6))
def test_live_chunks_and_snapshots_equal_batch(seed: int, cuts: list[int]) -> None:
    """Any cuts, a fresh engine restored at each; and one tick at a time."""
    block = ticks(900, seed)
    whole = FeatureEngine(PLAN, EURUSD).step_block(block, "ticks")
    at_closes = FeatureEngine(PLAN, EURUSD).step_block(block)
    np.testing.assert_array_equal(bits(at_closes), bits(whole)[whole.closed])
    engine, single = FeatureEngine(PLAN, EURUSD), FeatureEngine(PLAN, EURUSD)
    pieces = []
    for start, stop in itertools.pairwise([0, *sorted(set(cuts)), len(block)]):
        part = block.slice(start, stop)
        pieces.append(bits(engine.step_block(part)))
        for row in zip(part.ts_ns.tolist(), part.bid.tolist(), part.ask.tolist(), strict=True):
            single.step(*row)
        np.testing.assert_array_equal(single.values.view(np.uint64), bits(whole)[stop - 1])
        np.testing.assert_array_equal(engine.values.view(np.uint64), bits(whole)[stop - 1])
        assert engine.ready == single.ready
        successor = FeatureEngine(PLAN, EURUSD)
        successor.restore(engine.snapshot())
        np.testing.assert_array_equal(successor.values.view(np.uint64), bits(whole)[stop - 1])
        engine = successor
    np.testing.assert_array_equal(np.concatenate(pieces), bits(at_closes))


def test_ticks_after_t_do_not_change_columns_until_t() -> None:
    """60 random moments: perturb all later ticks, rows up to t stay the same, later ones do not."""
    rng = np.random.default_rng(5)
    block = ticks(1_500, 11)
    reference = bits(FeatureEngine(PLAN, EURUSD).step_block(block, "ticks"))
    for moment in rng.integers(0, len(block) - 1, 60):
        bid, ask = block.bid.copy(), block.ask.copy()
        bid[moment + 1 :] = ask[moment + 1 :] = 1.3
        changed = FeatureEngine(PLAN, EURUSD).step_block(
            TickBlock("EURUSD", block.ts_ns, bid, ask), "ticks"
        )
        np.testing.assert_array_equal(bits(changed)[: moment + 1], reference[: moment + 1])
        assert not np.array_equal(bits(changed)[moment + 1 :], reference[moment + 1 :])
