"""One code path: live, batch, chunks and restored snapshots give the same bits; no look-ahead."""

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.features.sampled import SampledFeatures

PLAN = default_plan()
EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)
REAL_TICKS = 100_000
Bits = npt.NDArray[np.uint64]


def synthetic(count: int, seed: int) -> TickBlock:
    """A random walk with irregular waits, some of them longer than a gap."""
    rng = np.random.default_rng(seed)
    waits = 1 + rng.exponential(3_000.0, count).astype(np.int64)
    waits[rng.integers(0, count, 2)] = 40 * 60_000
    bid = np.round(1.1 + np.cumsum(rng.normal(0.0, 2e-5, count)), 5)
    ts_ns = 1_704_704_400_000_000_000 + np.cumsum(waits) * NS_PER_MS
    return TickBlock("EURUSD", ts_ns, bid, np.round(bid + 5e-5, 5))


def bits(rows: SampledFeatures) -> Bits:
    """Every output of a sample as raw words."""
    parts = (rows.values, rows.sequence, rows.sequence_closed, rows.sigma[:, None], rows.bar_ohlc)
    return np.ascontiguousarray(np.hstack(parts)).view(np.uint64)


@pytest.fixture(scope="module")
def real(shared_data: Path) -> TickBlock:
    """A hundred thousand recorded ticks."""
    table = pl.read_parquet(shared_data / "ticks" / "oanda_eurusd_2014-05-01_09.parquet")
    table = table.head(REAL_TICKS)
    ts_ns = table["time_utc"].dt.timestamp("ns").to_numpy()
    return TickBlock("EURUSD", ts_ns, table["bid"].to_numpy(), table["ask"].to_numpy())


def live(block: TickBlock) -> tuple[Bits, list[bool]]:
    """Values after each single step, as words, and which steps closed a bar."""
    engine = FeatureEngine(PLAN, EURUSD)
    out = np.empty((len(block), engine.values.shape[0] + 33))
    closed = []
    columns = zip(block.ts_ns.tolist(), block.bid.tolist(), block.ask.tolist(), strict=True)
    for row, (ts_ns, bid, ask) in enumerate(columns):
        closed.append(engine.step(ts_ns, bid, ask))
        out[row] = np.concatenate(
            (engine.values, engine.sequence, engine.sequence_closed, [engine.sigma])
        )
    return out.view(np.uint64), closed


def test_live_equals_batch_on_real_ticks(real: TickBlock) -> None:
    """100,000 recorded ticks one by one and as one block: not one bit differs."""
    batch = FeatureEngine(PLAN, EURUSD).step_block(real, "ticks")
    single, closed = live(real)
    np.testing.assert_array_equal(single, bits(batch)[:, : single.shape[1]])
    np.testing.assert_array_equal(closed, batch.closed)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, REAL_TICKS), min_size=1, max_size=8, unique=True))
def test_chunks_and_snapshots_equal_batch_on_real_ticks(real: TickBlock, cuts: list[int]) -> None:
    """Any cuts; at each cut the engine is thrown away and restored from its snapshot."""
    whole = FeatureEngine(PLAN, EURUSD).step_block(real)
    edges = [0, *sorted(cuts), len(real)]
    engine = FeatureEngine(PLAN, EURUSD)
    pieces = []
    for start, stop in itertools.pairwise(edges):
        pieces.append(bits(engine.step_block(real.slice(start, stop))))
        successor = FeatureEngine(PLAN, EURUSD)
        successor.restore(engine.snapshot())
        engine = successor
    np.testing.assert_array_equal(np.concatenate(pieces), bits(whole))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 2_999), min_size=1, max_size=6))
def test_chunks_equal_batch_on_synthetic_ticks(seed: int, cuts: list[int]) -> None:
    """The same with gaps, sampled at every tick."""
    block = synthetic(3_000, seed)
    whole = FeatureEngine(PLAN, EURUSD).step_block(block, "ticks")
    edges = [0, *sorted(set(cuts)), len(block)]
    engine = FeatureEngine(PLAN, EURUSD)
    pieces = [
        bits(engine.step_block(block.slice(start, stop), "ticks"))
        for start, stop in itertools.pairwise(edges)
    ]
    np.testing.assert_array_equal(np.concatenate(pieces), bits(whole))
    assert whole.gap_reset.sum() >= 1


def test_ticks_after_t_do_not_change_features_until_t() -> None:
    """200 random moments: perturb the next tick and all later ones, rows up to t stay the same."""
    rng = np.random.default_rng(5)
    block = synthetic(6_000, 11)
    reference = bits(FeatureEngine(PLAN, EURUSD).step_block(block, "ticks"))
    for moment in rng.integers(0, len(block) - 1, 200):
        later = slice(moment + 1, None)
        ts_ns, bid, ask = block.ts_ns.copy(), block.bid.copy(), block.ask.copy()
        ts_ns[later] += int(rng.integers(1, 10**12))
        bid[later] *= rng.uniform(0.9, 1.1)
        ask[later] = bid[later] * rng.uniform(1.0, 1.001)
        rows = FeatureEngine(PLAN, EURUSD).step_block(TickBlock("EURUSD", ts_ns, bid, ask), "ticks")
        changed = bits(rows)
        np.testing.assert_array_equal(changed[: moment + 1], reference[: moment + 1])
        assert not np.array_equal(changed[moment + 1], reference[moment + 1])
