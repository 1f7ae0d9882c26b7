"""The synthetic market is one path, however it is asked for, saved and resumed."""

import hashlib
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plan2.dataflow.sources import MergedTicks, merge, sequence_numbers
from plan2.dataflow.terminals.simulated.market import FIRST_INSTANT_NS, SyntheticMarket
from plan2.dataflow.terminals.simulated.source import SyntheticSource
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, TickBlock

SYMBOLS = ("EURUSD", "EURJPY")
FRIDAY_NS = FIRST_INSTANT_NS + 3 * NS_PER_DAY + 10 * NS_PER_HOUR
"""Friday 2024-03-08 18:00 UTC, four hours before the week closes."""
SPAN_NS = 60 * NS_PER_HOUR
"""To Monday morning, over a weekend with a change of the clock."""


def digest(blocks: dict[str, TickBlock]) -> str:
    """All bytes of all columns."""
    total = hashlib.sha256()
    for symbol in sorted(blocks):
        block = blocks[symbol]
        for column in (block.ts_ns, block.bid, block.ask):
            total.update(np.ascontiguousarray(column).tobytes())
    return total.hexdigest()


def joined(parts: list[dict[str, TickBlock]]) -> dict[str, TickBlock]:
    """Consecutive pieces as one."""
    return {
        symbol: TickBlock(
            symbol,
            np.concatenate([part[symbol].ts_ns for part in parts]),
            np.concatenate([part[symbol].bid for part in parts]),
            np.concatenate([part[symbol].ask for part in parts]),
        )
        for symbol in SYMBOLS
    }


@cache
def whole() -> str:
    """The digest of one undivided request."""
    return digest(SyntheticMarket(3, SYMBOLS, FRIDAY_NS).generate(FRIDAY_NS + SPAN_NS))


cuts = st.lists(st.integers(0, SPAN_NS), max_size=6).map(sorted)


@given(cuts)
@settings(max_examples=40, deadline=None)
def test_chunking_does_not_matter(stops: list[int]) -> None:
    """Any sequence of requests gives the bytes of one request."""
    market = SyntheticMarket(3, SYMBOLS, FRIDAY_NS)
    parts = [market.generate(FRIDAY_NS + stop) for stop in [*stops, SPAN_NS]]
    assert digest(joined(parts)) == whole()


@given(cuts)
@settings(max_examples=40, deadline=None)
def test_saving_and_resuming_does_not_matter(stops: list[int]) -> None:
    """A market that is saved and resumed at every stop goes on with the same bytes."""
    market = SyntheticMarket(3, SYMBOLS, FRIDAY_NS)
    parts = []
    for stop in [*stops, SPAN_NS]:
        parts.append(market.generate(FRIDAY_NS + stop))
        market = SyntheticMarket.resumed(market.state())
    assert digest(joined(parts)) == whole()


def test_seeds_make_markets() -> None:
    """The same seed twice is the same market, another seed another one."""
    again, other = (
        digest(SyntheticMarket(seed, SYMBOLS, FRIDAY_NS).generate(FRIDAY_NS + SPAN_NS))
        for seed in (3, 4)
    )
    assert again == whole()
    assert other != whole()


def as_rows(blocks: list[MergedTicks]) -> list[tuple[str, int, float, float, int]]:
    """Every tick as a plain tuple."""
    return [
        (tick.symbol, tick.ts_ns, tick.bid, tick.ask, tick.seq)
        for block in blocks
        for tick in block.ticks(0, len(block))
    ]


@given(st.integers(0, 3 * NS_PER_HOUR), st.integers(0, 3 * NS_PER_HOUR))
@settings(max_examples=20, deadline=None)
def test_a_source_started_anywhere_continues_the_same_stream(first: int, second: int) -> None:
    """Starting late, or again from an earlier instant, gives the same ticks from there on."""
    origin = FIRST_INSTANT_NS
    end = origin + 4 * NS_PER_HOUR
    source = SyntheticSource(SyntheticMarket(8, SYMBOLS, origin))

    def heard(start: int) -> list[tuple[str, int, float, float, int]]:
        blocks = []
        for block in source.blocks(start):
            if len(block) and block.ts_ns[0] >= end:
                return [row for row in as_rows(blocks) if row[1] < end]
            blocks.append(block)
        raise AssertionError("the synthetic market never ends")

    everything = heard(origin)
    for start in (origin + first, origin + second):
        assert heard(start) == [row for row in everything if row[1] >= start]


times = st.lists(st.integers(0, 20), max_size=30).map(sorted)


@given(times, times)
def test_merging_is_total_and_stable(left: list[int], right: list[int]) -> None:
    """By time, then by the symbol's place, then in the order given; nothing is lost."""
    blocks = [
        TickBlock(name, np.array(ts, np.int64), np.arange(len(ts)) + 1.0, np.arange(len(ts)) + 2.0)
        for name, ts in (("B", left), ("A", right))
    ]
    merged = merge(blocks)
    found = [(tick.ts_ns, tick.symbol, tick.bid) for tick in merged.ticks(0, len(merged))]
    rows = [(ts, place, number + 1.0) for place, ts_list in enumerate((left, right))
            for number, ts in enumerate(ts_list)]  # fmt: skip
    assert found == [(ts, "BA"[place], bid) for ts, place, bid in sorted(rows)]


@given(times)
def test_sequence_numbers_count_within_an_instant(ts: list[int]) -> None:
    """The n-th tick of an instant has number n − 1."""
    seen: dict[int, int] = {}
    expected = []
    for instant in ts:
        expected.append(seen.get(instant, 0))
        seen[instant] = expected[-1] + 1
    assert sequence_numbers(np.array(ts, np.int64)).tolist() == expected
