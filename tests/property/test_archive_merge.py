"""Merging ticks and storing prices, against plain models of what they mean."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plan2.dataflow.price_grid import Rounding, to_points, to_prices
from plan2.dataflow.tick_merge import join_ticks, merge_ticks
from plan2.foundation.values import TickBlock

Row = tuple[int, float, float]
quotes = st.tuples(st.integers(0, 6), st.sampled_from([1.0, 1.5]), st.sampled_from([2.0, 2.5]))
sorted_rows = st.lists(quotes, max_size=25).map(lambda rows: sorted(rows, key=lambda row: row[0]))


def block(rows: list[Row]) -> TickBlock:
    """Rows of (time, bid, ask) as columns."""
    ts_ns = np.array([row[0] for row in rows], np.int64)
    return TickBlock("X", ts_ns, np.array([r[1] for r in rows]), np.array([r[2] for r in rows]))


def rows_of(ticks: TickBlock) -> list[Row]:
    """The inverse of `block`."""
    return list(zip(ticks.ts_ns.tolist(), ticks.bid.tolist(), ticks.ask.tolist(), strict=True))


def is_subsequence(part: list[Row], whole: list[Row]) -> bool:
    """Whether `part` can be made from `whole` by leaving rows out."""
    rest = iter(whole)
    return all(row in rest for row in part)


@given(sorted_rows, sorted_rows.filter(len))
def test_a_merge_is_the_union_of_multisets(stored: list[Row], given_rows: list[Row]) -> None:
    """Of n and m equal ticks max(n, m) remain; order of time and of the stored ticks is kept."""
    merged, result = merge_ticks(block(stored), block(given_rows))
    found = rows_of(merged)

    assert Counter(found) == Counter(stored) | Counter(given_rows)
    assert [row[0] for row in found] == sorted(row[0] for row in found)
    assert is_subsequence(stored, found)
    assert result.added == len(found) - len(stored)
    assert result.added + result.duplicates == len(given_rows)


@given(sorted_rows, sorted_rows.filter(len))
def test_merging_again_changes_nothing(stored: list[Row], given_rows: list[Row]) -> None:
    """The second merge of the same ticks adds none and gives the same rows."""
    once, _ = merge_ticks(block(stored), block(given_rows))
    twice, result = merge_ticks(once, block(given_rows))

    assert rows_of(twice) == rows_of(once)
    assert (result.added, result.interleaved) == (0, 0)


@given(st.lists(sorted_rows, max_size=4))
def test_joining_keeps_every_row(parts: list[list[Row]]) -> None:
    """Joined blocks are the rows one after the other."""
    joined = join_ticks("X", [block(part) for part in parts])

    assert rows_of(joined) == [row for part in parts for row in part]


decimals = st.integers(0, 7).flatmap(
    lambda digits: st.lists(
        st.integers(1, 10**9).map(lambda points: float(f"{points}e-{digits}")), min_size=1
    )
)


@given(decimals)
def test_prices_read_from_decimals_lie_on_a_grid(prices: list[float]) -> None:
    """Python's own reading of decimal text is the independent source of the floats."""
    column = np.array(prices)
    found = to_points(column, column)

    assert found is not None
    assert to_prices(found.bid, found.grid).tobytes() == column.tobytes()


@given(st.lists(st.integers(1, 10**8), min_size=1), st.integers(0, 6))
def test_metatrader_prices_lie_on_a_grid(points: list[int], digits: int) -> None:
    """Prices made as MT5 makes them, whole part plus rest, come back bit for bit."""
    scale = 10**digits
    column = np.array([float(p // scale) + (p % scale) / float(scale) for p in points])
    found = to_points(column, column)

    assert found is not None
    assert to_prices(found.ask, found.grid).tobytes() == column.tobytes()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=0), min_size=1))
def test_what_is_put_on_a_grid_comes_back(prices: list[float]) -> None:
    """Any float either comes back bit for bit or is honestly not on a grid."""
    column = np.array(prices)
    found = to_points(column, column)

    assert found is None or to_prices(found.bid, found.grid).tobytes() == column.tobytes()


def test_the_metatrader_rounding_is_tried() -> None:
    """1.0695 as MT5 gave it in EURUSD bars is not the float nearest to the decimal."""
    column = np.array([1.0695000000000001])
    found = to_points(column, column)

    assert found is not None
    assert found.grid == (4, Rounding.MT5)
