"""Bars from ticks against a slow and obvious model, and against each other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plan2.dataflow.bar_series import BarSeries, aggregate, join_bars
from plan2.dataflow.bars import BarBuilder, build_bars
from plan2.dataflow.server_clock import ServerClock
from plan2.foundation.values import NS_PER_SECOND, Tick, TickBlock

steps = st.tuples(st.integers(0, 90), st.integers(1, 9), st.integers(0, 3))


@st.composite
def blocks(draw: st.DrawFn) -> TickBlock:
    """Ticks at whole seconds, several of them at the same time, prices 1 to 12."""
    drawn = draw(st.lists(steps, min_size=1, max_size=40))
    start_s = draw(st.integers(0, 10**9))
    seconds = start_s + np.cumsum([step[0] for step in drawn])
    bid = np.array([float(step[1]) for step in drawn])
    return TickBlock("X", seconds * NS_PER_SECOND, bid, bid + [step[2] for step in drawn])


def slow_bars(block: TickBlock, period_s: int) -> list[tuple[float, ...]]:
    """Start in ns, OHLC of bid, OHLC of ask, count; one dictionary entry a bar."""
    groups: dict[int, list[tuple[float, float]]] = {}
    for ts_ns, bid, ask in zip(block.ts_ns, block.bid, block.ask, strict=True):
        start = int(ts_ns) - int(ts_ns) % (period_s * NS_PER_SECOND)
        groups.setdefault(start, []).append((float(bid), float(ask)))
    bars = []
    for start, quotes in groups.items():
        sides = [[quote[side] for quote in quotes] for side in (0, 1)]
        ohlc = [f(side) for side in sides for f in (lambda x: x[0], max, min, lambda x: x[-1])]
        bars.append((start, *ohlc, len(quotes)))
    return bars


def rows(series: BarSeries) -> list[tuple[float, ...]]:
    """The bars in the form of `slow_bars`."""
    return list(
        zip(series.ts_ns.tolist(), *series.prices.tolist(), series.ticks.tolist(), strict=True)
    )


@given(blocks(), st.sampled_from([1, 7, 60, 3_600]))
def test_bars_equal_the_slow_model(block: TickBlock, period_s: int) -> None:
    """Every bar of both sides equals the one made by hand."""
    assert rows(build_bars(block, period_s)) == slow_bars(block, period_s)


@given(blocks(), st.data())
def test_bars_of_pieces_join_to_the_bars_of_the_whole(
    block: TickBlock, data: st.DataObject
) -> None:
    """Where the ticks are cut does not matter."""
    cut = data.draw(st.integers(0, len(block)))
    parts = [build_bars(block.slice(0, cut), 60), build_bars(block.slice(cut, len(block)), 60)]

    assert rows(join_bars(parts)) == rows(build_bars(block, 60))


@given(blocks())
def test_larger_bars_from_smaller_ones(block: TickBlock) -> None:
    """Fifteen-minute bars of minute bars are the fifteen-minute bars of the ticks."""
    small = build_bars(block, 60)

    assert rows(aggregate(small, 900, ServerClock.parse("UTC"))) == rows(build_bars(block, 900))


@given(blocks())
def test_streaming_bars_equal_bars_of_columns(block: TickBlock) -> None:
    """Tick by tick gives the same bid bars as all at once."""
    builder = BarBuilder("X", 60)
    columns = zip(block.ts_ns.tolist(), block.bid.tolist(), block.ask.tolist(), strict=True)
    streamed = [builder.update(Tick("X", *tick)) for tick in columns]
    streamed.append(builder.current())
    found = [
        (bar.ts_ns, bar.open, bar.high, bar.low, bar.close, bar.ticks) for bar in streamed if bar
    ]

    assert found == [(*bar[:5], bar[9]) for bar in slow_bars(block, 60)]
