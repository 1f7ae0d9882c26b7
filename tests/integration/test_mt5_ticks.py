"""Every tick exactly once: the engine's stream against the list of quotes that the market made."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mt5_world import Mt5World, mt5_world
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.port import LinkState
from plan2.dataflow.terminals.twin import faults as fault
from plan2.dataflow.terminals.twin.options import TwinOptions
from plan2.foundation.values import NS_PER_DAY, NS_PER_MS, NS_PER_SECOND, Tick
from simulated_world import TUESDAY_NS

FRIDAY_EVENING_NS = TUESDAY_NS + 3 * NS_PER_DAY + 13 * 3_600 * NS_PER_SECOND
"""2024-03-08 21:00 UTC, an hour before the week ends in New York."""


def told(ticks: list[Tick], symbol: str = "EURUSD") -> list[tuple[int, float, float]]:
    """What the engine told of a symbol; the package has no finer time than milliseconds."""
    return [(one.ts_ns, one.bid, one.ask) for one in ticks if one.symbol == symbol]


def quoted(
    venue: Mt5World, since_ns: int, symbol: str = "EURUSD"
) -> list[tuple[int, float, float]]:
    """What the market quoted after an instant."""
    found: list[tuple[int, float, float]] = []
    for block in venue.source.history(symbol, since_ns + 1, venue.clock.now_ns() + 1):
        times = block.ts_ns // NS_PER_MS * NS_PER_MS
        found += zip(times.tolist(), block.bid.tolist(), block.ask.tolist(), strict=True)
    return found


gaps_ms = st.lists(
    st.one_of(st.just(0), st.integers(0, 3), st.sampled_from([997, 999, 1_000, 1_001, 4_000])),
    min_size=1,
    max_size=60,
)


@settings(max_examples=40, deadline=None)
@given(
    gaps=gaps_ms,
    polls=st.lists(st.integers(1, 1_500), min_size=1, max_size=12),
    batch=st.integers(2, 9),
)
def test_bursts_at_any_boundary(gaps: list[int], polls: list[int], batch: int) -> None:
    """Many ticks of one millisecond, over full seconds, in tiny batches: none lost, none twice."""
    venue = mt5_world(tick_batch=batch)
    start_ns = venue.clock.now_ns()
    at_ns = start_ns
    for number, gap in enumerate(gaps):
        at_ns += gap * NS_PER_MS + (1 if gap == 0 else 0)
        price = 1.085 + (number // 2 % 3) * 1e-5  # equal neighbours on purpose
        venue.source.quote("EURUSD", at_ns, price, price + 8e-5)
    while venue.clock.now_ns() < at_ns:
        for pause in polls:
            venue.after(pause)
    venue.quote(1.09, 1.0901)  # a last quote whose time and price differ shows what came before
    venue.poll()

    assert told(venue.ticks) == quoted(venue, start_ns)


def test_ticks_of_a_millisecond_are_numbered() -> None:
    """`seq` is a tick's place in its millisecond, so that equal quotes stay apart."""
    venue = mt5_world()
    at_ns = venue.clock.now_ns() + 500 * NS_PER_MS
    for extra_ns in (0, 1, 2, NS_PER_MS):
        venue.source.quote("EURUSD", at_ns + extra_ns, 1.085, 1.0851)
    venue.after(600)

    assert [tick.seq for tick in venue.ticks] == [0, 1, 2, 0]


def test_a_second_with_more_ticks_than_a_batch() -> None:
    """The question grows until the second fits."""
    venue = mt5_world(tick_batch=16)
    start_ns = venue.clock.now_ns()
    for number in range(500):
        price = 1.08 + number * 1e-5
        venue.source.quote("EURUSD", start_ns + NS_PER_SECOND + number, price, price + 1e-4)
    venue.after(1_200)

    assert len(venue.ticks) == 500
    assert told(venue.ticks) == quoted(venue, start_ns)


def test_a_synthetic_day_of_two_symbols() -> None:
    """Half an hour of the synthetic market, polled now and then: each symbol complete, in order."""
    from plan2.dataflow.terminals.simulated.market import SyntheticMarket
    from plan2.dataflow.terminals.simulated.source import SyntheticSource

    venue = mt5_world()
    origin_ns = TUESDAY_NS
    source = SyntheticSource(SyntheticMarket(7, ("EURUSD", "USDJPY"), origin_ns))
    blocks = {
        symbol: list(source.history(symbol, origin_ns, origin_ns + 1800 * NS_PER_SECOND))
        for symbol in ("EURUSD", "USDJPY")
    }
    rows = sorted(
        (int(ts), symbol, float(bid), float(ask))
        for symbol, parts in blocks.items()
        for part in parts
        for ts, bid, ask in zip(part.ts_ns, part.bid, part.ask, strict=True)
    )
    for ts, symbol, bid, ask in rows:
        venue.source.quote(symbol, ts, bid, ask)
    generator = np.random.default_rng(1)
    while venue.clock.now_ns() < origin_ns + 1800 * NS_PER_SECOND:
        venue.after(int(generator.integers(20, 9_000)))

    assert len(rows) > 500
    for symbol in ("EURUSD", "USDJPY"):
        assert told(venue.ticks, symbol) == quoted(venue, origin_ns, symbol)


def test_what_lies_before_the_connection_is_not_told() -> None:
    """The stream begins at the present; the past is asked for with `history`."""
    venue = mt5_world()

    assert venue.ticks == []
    venue.quote(1.0852, 1.0853)
    assert told(venue.ticks) == [(venue.clock.now_ns(), 1.0852, 1.0853)]


def test_a_market_that_stands_still_gives_nothing() -> None:
    """Frozen quotes are not told again."""
    venue = mt5_world()
    venue.quote(1.0852, 1.0853)
    for _ in range(50):
        venue.after(200)

    assert len(venue.ticks) == 1


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.9])
def test_a_partial_answer_loses_nothing(keep: float) -> None:
    """The terminal gives only the newest rows: nothing is taken until the rest is there."""
    venue = mt5_world()
    start_ns = venue.clock.now_ns()
    venue.quote(1.0850, 1.0851)
    for number in range(20):
        at_ns = venue.clock.now_ns() + (number + 1) * 20 * NS_PER_MS
        venue.source.quote("EURUSD", at_ns, 1.086 + number * 1e-5, 1.0875)
    venue.world.faults.script("copy_ticks_from", *[fault.partial(keep)] * 3)
    for _ in range(8):
        venue.after(100)

    assert told(venue.ticks) == quoted(venue, start_ns)


def test_ticks_of_a_short_break_are_made_up_for() -> None:
    """The pipe breaks, the market goes on; after the reconnection all of it is told."""
    venue = mt5_world()
    start_ns = venue.clock.now_ns()
    venue.quote(1.0850, 1.0851)
    venue.world.break_pipe()
    for number in range(10):
        venue.quote(1.0860 + number * 1e-5, 1.0875, after_ms=3_000)
    assert [one.state for one in venue.links] == [LinkState.DOWN]

    venue.reconnect()
    venue.quote(1.0862, 1.0864)

    assert told(venue.ticks) == quoted(venue, start_ns)


def test_a_long_break_is_left_to_the_history() -> None:
    """Beyond `catch_up_s` the stream goes on at the present; `history` has the rest, complete."""
    venue = mt5_world(catch_up_s=60)
    venue.quote(1.0850, 1.0851)
    begin_ns = venue.clock.now_ns()
    venue.world.break_pipe()
    venue.poll()
    for number in range(100):
        venue.quote(1.0860 + number * 1e-5, 1.0875, after_ms=3_000)

    venue.reconnect()
    venue.quote(1.0900, 1.0901)

    assert told(venue.ticks)[1:] == [(venue.clock.now_ns(), 1.0900, 1.0901)]
    block = venue.engine.history("EURUSD", begin_ns, venue.clock.now_ns() + 1)
    assert block is not None
    assert len(block) == 102


def test_history_is_cut_to_the_nanosecond() -> None:
    """Start counts, end does not, also within the last second and over pieces of history."""
    venue = mt5_world()
    start_ns = venue.clock.now_ns()
    for _ in range(300):
        venue.quote(1.0850, 1.0851, after_ms=90_000)
    quotes = quoted(venue, start_ns)
    first, last = quotes[10][0], quotes[200][0]

    block = venue.engine.history("EURUSD", first, last)

    assert block is not None
    assert block.ts_ns.tolist() == [one[0] for one in quotes[10:200]]
    assert block.symbol == "EURUSD"
    assert block.ts_ns.flags.writeable


def test_a_cold_history_is_asked_for_until_two_answers_agree() -> None:
    """The first answers bring only part of the rows."""
    venue = mt5_world()
    start_ns = venue.clock.now_ns()
    for _ in range(100):
        venue.quote(1.0850, 1.0851, after_ms=1_000)
    venue.world.faults.script("copy_ticks_range", fault.partial(0.2), fault.partial(0.6))

    block = venue.engine.history("EURUSD", start_ns, venue.clock.now_ns() + 1)

    assert block is not None
    assert len(block) == 100


def test_a_failing_history_is_none_not_empty() -> None:
    """What could not be asked is no empty market."""
    venue = mt5_world()
    venue.world.faults.script("copy_ticks_range", fault.fails(-1))

    assert venue.engine.history("EURUSD", TUESDAY_NS, TUESDAY_NS + 1) is None
    assert venue.engine.history("GBPUSD", TUESDAY_NS, TUESDAY_NS + 1) is None


def test_a_weekend_and_the_change_of_summer_time() -> None:
    """Over the weekend of 2024-03-10 New York's clock moves; ticks keep their UTC times."""
    venue = mt5_world(start_ns=FRIDAY_EVENING_NS)
    start_ns = venue.clock.now_ns()
    venue.quote(1.0900, 1.0901, after_ms=59 * 60_000)
    for _ in range(48):
        venue.after(3_600_000)
    assert len(venue.ticks) == 1
    venue.quote(1.0950, 1.0951, after_ms=10 * 60_000)
    for _ in range(10):
        venue.quote(1.0951, 1.0952, after_ms=1_000)

    assert told(venue.ticks) == quoted(venue, start_ns)
    assert venue.links == []


def test_a_measured_clock_needs_no_configuration() -> None:
    """Nothing is told until quotes agree on the offset; then from the first quote on."""
    venue = mt5_world(server_clock="measured")
    start_ns = venue.clock.now_ns()
    assert venue.engine.positions() is None
    assert [one.state for one in venue.links] == [LinkState.DEGRADED]
    for number in range(12):
        venue.quote(1.0850 + number * 1e-5, 1.0875, after_ms=700)

    assert [one.state for one in venue.links] == [LinkState.DEGRADED, LinkState.UP]
    assert venue.engine.positions() == ()
    assert told(venue.ticks) == quoted(venue, start_ns)


def test_a_wrongly_configured_clock_is_noticed() -> None:
    """An hour off: the link is degraded and the reason says by how much."""
    venue = mt5_world(server_clock="UTC+3")
    for number in range(12):
        venue.quote(1.0850 + number * 1e-5, 1.0875, after_ms=700)

    assert [one.state for one in venue.links] == [LinkState.DEGRADED]
    assert "UTC+2" in venue.links[0].reason


def test_the_default_clock_is_the_common_one() -> None:
    """The New York close."""
    assert Mt5Options(symbols=("EURUSD",)).server_clock == TwinOptions().server_clock == "newyork+7"
