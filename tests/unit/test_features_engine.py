"""How the engine behaves: bars, warm-up, gaps, refused ticks, snapshots, blocks."""

import math

import msgspec
import numpy as np
import pytest
from features_fixtures import EURUSD, MONDAY_NS, minute_starts, random_ticks

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_SECOND, Bar, TickBlock
from plan2.intelligence.features.catalog import TABULAR
from plan2.intelligence.features.engine import FeatureEngine, Snapshot
from plan2.intelligence.features.plan import FeaturePlan, default_plan

PLAN = default_plan()
WAITING = [feature.waits for feature in TABULAR]


def test_a_tick_of_the_next_minute_closes_the_bar() -> None:
    """The bar holds bid OHLC of its own ticks; the closing tick belongs to the next one."""
    engine = FeatureEngine(PLAN, EURUSD)
    quotes = [(1, 1.1000), (10, 1.1004), (20, 1.0997), (59, 1.1001)]
    closed = [engine.step(MONDAY_NS + s * NS_PER_SECOND, bid, bid + 1e-4) for s, bid in quotes]
    assert closed == [False] * 4
    assert engine.step(MONDAY_NS + 60 * NS_PER_SECOND, 1.2, 1.2001)
    assert engine.last_bar() == Bar("EURUSD", 60, MONDAY_NS, 1.1000, 1.1004, 1.0997, 1.1001, 4)


def test_no_bar_before_the_first_close() -> None:
    """Asking too early is an error of the caller."""
    with pytest.raises(InputError, match="no bar"):
        FeatureEngine(PLAN, EURUSD).last_bar()


def test_sampled_bars_equal_a_grouping_by_minute() -> None:
    """Bars out of a block are those that numpy makes of the same ticks."""
    block = random_ticks(4_000)
    rows = FeatureEngine(PLAN, EURUSD).step_block(block)
    starts = minute_starts(block)
    ends = starts[1:] - 1
    np.testing.assert_array_equal(
        rows.bar_ts_ns, block.ts_ns[ends] // NS_PER_MINUTE * NS_PER_MINUTE
    )
    np.testing.assert_array_equal(rows.bar_ohlc[:, 0], block.bid[starts[:-1]])
    np.testing.assert_array_equal(rows.bar_ohlc[:, 1], np.maximum.reduceat(block.bid, starts)[:-1])
    np.testing.assert_array_equal(rows.bar_ohlc[:, 3], block.bid[ends])
    np.testing.assert_array_equal(rows.bar_ticks, np.diff(starts))
    np.testing.assert_array_equal(rows.ts_ns, block.ts_ns[starts[1:]])
    assert [bar.ticks for bar in rows.bars] == np.diff(starts).tolist()


def test_values_are_nan_exactly_until_their_warmup() -> None:
    """Each feature is NaN below its declared number of closed bars and finite from it on."""
    block = random_ticks(6_000)
    rows = FeatureEngine(PLAN, EURUSD).step_block(block, "ticks")
    bars = np.cumsum(rows.closed)
    for place, warmup in enumerate(PLAN.warmups):
        column = rows.values[:, place]
        assert np.isnan(column[bars < warmup]).all(), PLAN.names[place]
        if not WAITING[place]:
            assert np.isfinite(column[bars >= warmup]).all(), PLAN.names[place]
    np.testing.assert_array_equal(rows.ready, bars >= PLAN.warmup_bars)
    np.testing.assert_array_equal(np.isnan(rows.sequence).any(axis=1), bars < 61)
    np.testing.assert_array_equal(np.isnan(rows.sigma), bars < 61)


def test_values_stay_within_their_declared_range() -> None:
    """Low and high of the catalogue hold on a random market."""
    rows = FeatureEngine(PLAN, EURUSD).step_block(random_ticks(20_000, seed=3), "ticks")
    for place, feature in enumerate(TABULAR):
        column = rows.values[:, place]
        known = column[np.isfinite(column)]
        assert feature.low - 1e-9 <= known.min(initial=0.0), feature.field
        assert known.max(initial=0.0) <= feature.high + 1e-9, feature.field
    assert np.nanmax(np.abs(rows.sequence)) <= 5.0


def test_closed_sequence_is_the_last_peek_of_the_bar() -> None:
    """What a recurrent model commits is what it peeked at with the bar's last tick."""
    rows = FeatureEngine(PLAN, EURUSD).step_block(random_ticks(3_000), "ticks")
    closing = np.flatnonzero(rows.closed & np.isfinite(rows.sequence[:, 0]))
    assert closing.size > 20
    np.testing.assert_array_equal(rows.sequence_closed[closing[1:]], rows.sequence[closing[1:] - 1])


def test_a_gap_closes_the_bar_and_starts_over() -> None:
    """After 31 silent minutes: flag, NaN again, and the same values as an engine begun there."""
    before, after = random_ticks(5_000), random_ticks(5_000, seed=9)
    later = TickBlock(
        "EURUSD", after.ts_ns + (before.ts_ns[-1] - after.ts_ns[0]) + 31 * NS_PER_MINUTE,
        after.bid, after.ask,
    )  # fmt: skip
    engine = FeatureEngine(PLAN, EURUSD)
    engine.step_block(before)
    assert engine.ready
    assert engine.step(int(later.ts_ns[0]), later.bid[0], later.ask[0])
    assert engine.gap_reset
    assert not engine.ready
    assert engine.last_bar().close == before.bid[-1]
    fresh = FeatureEngine(PLAN, EURUSD).step_block(later, "ticks")
    resumed = engine.step_block(later.slice(1, 5_000), "ticks")
    assert not resumed.gap_reset.any()
    independent = [place for place, waits in enumerate(WAITING) if not waits]
    np.testing.assert_array_equal(resumed.values[:, independent], fresh.values[1:, independent])
    np.testing.assert_array_equal(resumed.sequence, fresh.sequence[1:])


def test_thirty_minutes_are_not_a_gap() -> None:
    """Only a longer pause wipes the memory."""
    engine = FeatureEngine(PLAN, EURUSD)
    engine.step(MONDAY_NS, 1.1, 1.1001)
    engine.step(MONDAY_NS + 30 * NS_PER_MINUTE, 1.1, 1.1001)
    assert not engine.gap_reset
    engine.step(MONDAY_NS + 60 * NS_PER_MINUTE + 1, 1.1, 1.1001)
    assert engine.gap_reset


def test_hourly_bars_live_through_a_weekend() -> None:
    """Long bars would never warm up otherwise; four days without a tick are a gap for them."""
    engine = FeatureEngine(default_plan(3_600), EURUSD)
    engine.step(MONDAY_NS, 1.1, 1.1001)
    engine.step(MONDAY_NS + 50 * NS_PER_HOUR, 1.1, 1.1001)
    assert not engine.gap_reset


@pytest.mark.parametrize(
    ("after_s", "bid", "ask"),
    [
        (-1, 1.1, 1.1001),
        (1, math.nan, 1.1001),
        (1, 1.1, math.inf),
        (1, 0.0, 1.1001),
        (1, 1.1, -1.0),
        (1, 1e308, 1e308),
    ],
)
def test_what_cannot_be_a_tick_changes_nothing(after_s: int, bid: float, ask: float) -> None:
    """Ticks out of order and impossible prices are counted and otherwise forgotten."""
    block = random_ticks(5_000)
    touched, untouched = FeatureEngine(PLAN, EURUSD), FeatureEngine(PLAN, EURUSD)
    for engine in (touched, untouched):
        engine.step_block(block)
    assert not touched.step(int(block.ts_ns[-1]) + after_s * NS_PER_SECOND, bid, ask)
    assert touched.ignored_ticks == 1
    assert touched.ready
    next_ns = int(block.ts_ns[-1]) + 70 * NS_PER_SECOND
    for engine in (touched, untouched):
        assert engine.step(next_ns, 1.1, 1.1001)
    np.testing.assert_array_equal(touched.values, untouched.values)


def test_snapshot_continues_in_another_engine() -> None:
    """A restored engine goes on with the same bits and the same readiness."""
    block = random_ticks(6_000)
    first, second = FeatureEngine(PLAN, EURUSD), FeatureEngine(PLAN, EURUSD)
    first.step_block(block.slice(0, 5_500))
    second.restore(first.snapshot())
    assert second.ready
    assert second.last_bar() == first.last_bar()
    rest = block.slice(5_500, 6_000)
    expected, actual = first.step_block(rest, "ticks"), second.step_block(rest, "ticks")
    np.testing.assert_array_equal(
        np.ascontiguousarray(actual.values).view(np.uint64),
        np.ascontiguousarray(expected.values).view(np.uint64),
    )


def test_snapshot_that_does_not_fit_is_refused() -> None:
    """Another schema, another instrument, a changed byte, no snapshot at all: nothing is taken."""
    engine = FeatureEngine(PLAN, EURUSD)
    engine.step_block(random_ticks(500))
    taken = engine.snapshot()
    other_plan = FeatureEngine(default_plan(300), EURUSD)
    with pytest.raises(InputError, match="schema"):
        other_plan.restore(taken)
    gold = Instrument(symbol="XAUUSD", base="XAU", quote="USD", digits=2)
    with pytest.raises(InputError, match="XAUUSD"):
        FeatureEngine(PLAN, gold).restore(taken)
    parts = msgspec.msgpack.decode(taken, type=Snapshot)
    other_code = msgspec.structs.replace(parts, code="0" * 16)
    with pytest.raises(InputError, match="code 0000"):
        engine.restore(msgspec.msgpack.encode(other_code))
    broken = bytearray(parts.memory)
    broken[5_000] ^= 1
    changed = msgspec.structs.replace(parts, memory=bytes(broken))
    before = engine.snapshot()
    with pytest.raises(InputError, match="checksum"):
        engine.restore(msgspec.msgpack.encode(changed))
    with pytest.raises(InputError, match="cannot be read"):
        engine.restore(b"not a snapshot")
    assert engine.snapshot() == before


def test_a_block_of_another_symbol_is_refused() -> None:
    """An engine belongs to one symbol."""
    block = random_ticks(10)
    with pytest.raises(InputError, match="GBPUSD"):
        FeatureEngine(PLAN, EURUSD).step_block(
            TickBlock("GBPUSD", block.ts_ns, block.bid, block.ask)
        )


def test_an_empty_block_gives_no_rows() -> None:
    """Nothing in, nothing out, state unchanged."""
    engine = FeatureEngine(PLAN, EURUSD)
    engine.step_block(random_ticks(100))
    before = engine.snapshot()
    assert len(engine.step_block(random_ticks(10).slice(0, 0))) == 0
    assert engine.snapshot() == before


def test_read_only_columns_are_accepted() -> None:
    """Columns straight out of a Parquet reader cannot be written to."""
    block = random_ticks(300)
    for column in (block.ts_ns, block.bid, block.ask):
        column.flags.writeable = False
    assert len(FeatureEngine(PLAN, EURUSD).step_block(block)) > 0


def test_windows_can_be_scaled() -> None:
    """Names, warm-ups and the identity of the plan tell the scale."""
    plan = FeaturePlan(60, 1_800, window_scale=2)
    assert "rsi_mid_28" in plan.names
    assert "macd_histogram_24_52_18" in plan.names
    assert plan.warmup_bars == 2 * PLAN.warmup_bars
    assert plan.schema_id != PLAN.schema_id
