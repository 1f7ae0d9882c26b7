"""The twin's ticks and bars: against hand arithmetic, and the same however they are asked for."""

import datetime as dt

import numpy as np
import pytest
from twin_fixtures import EURUSD, SERVER_SHIFT_S, TUESDAY_NS, ground

from plan2.dataflow.sources import RecordedSource
from plan2.dataflow.terminals.twin import constants
from plan2.dataflow.terminals.twin.columns import bar_start
from plan2.dataflow.terminals.twin.module import build
from plan2.dataflow.terminals.twin.opening import open_world
from plan2.dataflow.terminals.twin.options import TwinOptions
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND, TickBlock

START_S = TUESDAY_NS // NS_PER_SECOND + SERVER_SHIFT_S


def test_bars_of_a_minute_by_hand() -> None:
    """Bid prices, number of ticks, smallest spread in points; the last bar is forming."""
    here = ground()
    for bid, ask, after_s in (
        (1.08520, 1.08530, 20), (1.08490, 1.08495, 20), (1.08600, 1.08610, 25), (1.08590, 1.086, 1),
    ):  # fmt: skip
        here.quote(bid, ask, after_s=after_s)

    bars = here.mt5.copy_rates_from_pos(EURUSD, 1, 0, 10)

    assert bars.tolist() == [
        (START_S, 1.08500, 1.08520, 1.08490, 1.08490, 3, 5, 0),
        (START_S + 60, 1.08600, 1.08600, 1.08590, 1.08590, 2, 10, 0),
    ]
    here.quote(1.08700, 1.08710, after_s=1)
    assert here.mt5.copy_rates_from_pos(EURUSD, 1, 0, 1)["close"].tolist() == [1.08700]


def test_ways_to_ask_for_bars() -> None:
    """From a date backwards, from a place backwards, between two dates inclusive; gaps stay."""
    here = ground()
    for _ in range(4):
        here.quote(1.085, 1.0851, after_s=60)
    here.quote(1.085, 1.0851, after_s=120)
    minute = [START_S + 60 * place for place in (0, 1, 2, 3, 4, 6)]

    def times(rows: np.ndarray) -> list[int]:
        found: list[int] = rows["time"].tolist()
        return found

    assert times(here.mt5.copy_rates_from_pos(EURUSD, 1, 0, 100)) == minute
    assert times(here.mt5.copy_rates_from_pos(EURUSD, 1, 2, 2)) == minute[2:4]
    assert times(here.mt5.copy_rates_from(EURUSD, 1, minute[3] + 59, 2)) == minute[2:4]
    assert times(here.mt5.copy_rates_from(EURUSD, 1, minute[3], 2)) == minute[2:4]
    assert times(here.mt5.copy_rates_range(EURUSD, 1, minute[1], minute[3])) == minute[1:4]
    assert times(here.mt5.copy_rates_range(EURUSD, 5, START_S, START_S + 600)) == [
        START_S,
        START_S + 300,
    ]
    assert here.mt5.copy_rates_from_pos(EURUSD, 7, 0, 1) is None, "there is no M7"


def test_no_more_bars_than_the_chart_holds() -> None:
    """`terminal_info().maxbars` cuts every answer."""
    here = ground(maxbars=2)
    for _ in range(4):
        here.quote(1.085, 1.0851, after_s=60)

    assert here.mt5.terminal_info().maxbars == 2
    assert len(here.mt5.copy_rates_from_pos(EURUSD, 1, 0, 100)) == 2
    assert len(here.mt5.copy_rates_range(EURUSD, 1, 1, 2**31 - 1)) == 2


@pytest.mark.parametrize(
    ("timeframe", "start"),
    [
        (constants.TIMEFRAME_M15, "2024-03-06T13:45:00"),
        (constants.TIMEFRAME_H4, "2024-03-06T12:00:00"),
        (constants.TIMEFRAME_D1, "2024-03-06T00:00:00"),
        (constants.TIMEFRAME_W1, "2024-03-03T00:00:00"),  # a Sunday
        (constants.TIMEFRAME_MN1, "2024-03-01T00:00:00"),
    ],
)
def test_where_longer_bars_begin(timeframe: int, start: str) -> None:
    """Of the bar that holds Wednesday 2024-03-06 13:59:59 on the server's clock."""
    moment = dt.datetime(2024, 3, 6, 13, 59, 59, tzinfo=dt.UTC)
    wanted = dt.datetime.fromisoformat(start).replace(tzinfo=dt.UTC)

    begins = bar_start(np.array([int(moment.timestamp())]), timeframe)

    assert begins.tolist() == [int(wanted.timestamp())]


def test_ticks_go_forward_and_stop_at_the_count() -> None:
    """From the start on, oldest first; trades there are none in currencies."""
    here = ground()
    for _ in range(9):
        here.quote(1.085, 1.0851)
    mt5 = here.mt5

    rows = mt5.copy_ticks_from(EURUSD, START_S + 3, 4, mt5.COPY_TICKS_ALL)

    assert (rows["time"] - START_S).tolist() == [3, 4, 5, 6]
    assert len(mt5.copy_ticks_from(EURUSD, START_S, 99, mt5.COPY_TICKS_INFO)) == 10
    assert len(mt5.copy_ticks_from(EURUSD, START_S, 99, mt5.COPY_TICKS_TRADE)) == 0
    assert mt5.copy_ticks_from(EURUSD, START_S, 0, mt5.COPY_TICKS_ALL) is None
    assert len(mt5.copy_ticks_range(EURUSD, START_S + 2, START_S + 4, -1)) == 3
    assert len(mt5.copy_ticks_from(EURUSD, 1, 99, -1)) == 10, "from the very beginning of time"
    assert len(mt5.copy_ticks_range(EURUSD, 1, 2**31 - 1, -1)) == 10


def test_ticks_of_one_millisecond_are_all_there() -> None:
    """Several may share a time; flags tell what changed."""
    here = ground()
    here.quote(1.0851, 1.0852)
    here.quote(1.0851, 1.0853, after_s=0)
    here.quote(1.0850, 1.0853, after_s=0)

    rows = here.mt5.copy_ticks_from(EURUSD, START_S + 1, 10, -1)

    assert rows["time_msc"].tolist() == [(START_S + 1) * 1_000] * 3
    assert (rows["flags"] & 6).tolist() == [6, 4, 2]
    assert here.mt5.symbol_info_tick(EURUSD).ask == 1.0853


def test_a_quote_of_the_same_instant_after_a_call_is_not_lost() -> None:
    """The market is read again from the very last instant, without repeating."""
    here = ground()
    here.quote(1.0851, 1.0852)
    assert here.mt5.symbol_info_tick(EURUSD).bid == 1.0851
    here.quote(1.0861, 1.0862, after_s=0)

    assert here.mt5.symbol_info_tick(EURUSD).bid == 1.0861
    assert len(here.mt5.copy_ticks_from(EURUSD, START_S, 10, -1)) == 3


def test_the_synthetic_market_is_the_same_from_memory_and_from_the_source() -> None:
    """What was played while the terminal ran is what another terminal finds in its history."""
    options = TwinOptions(symbols=("EURUSD",), history_days=1, selected=("EURUSD",))
    clock = SimulatedClock(TUESDAY_NS)
    played = build(open_world(options, clock))
    played.initialize()
    clock.advance_to(TUESDAY_NS + 2 * NS_PER_HOUR)
    lived = played.copy_ticks_range("EURUSD", START_S - 3_600, START_S + 7_200, -1)
    source = played.twin_world.market._source
    block = TickBlock("EURUSD", *_columns(source.history("EURUSD", *_span(START_S))))

    assert len(lived) == len(block) > 1_000
    assert lived["bid"].tolist() == block.bid.tolist()
    assert (lived["time_msc"] // 1_000).tolist() == (
        block.ts_ns // NS_PER_SECOND + SERVER_SHIFT_S
    ).tolist()


def test_bars_grow_as_if_they_were_built_at_once() -> None:
    """Asking every few minutes gives the bars that one question at the end gives."""
    options = TwinOptions(symbols=("EURUSD",), history_days=1, selected=("EURUSD",))
    clock = SimulatedClock(TUESDAY_NS)
    often = build(open_world(options, clock))
    often.initialize()
    for _ in range(7):
        clock.advance_to(clock.now_ns() + 433 * NS_PER_SECOND)
        often.copy_rates_from_pos("EURUSD", 1, 0, 5)
    once = build(open_world(options, clock, often.twin_world.market._source))
    once.initialize()

    wanted = once.copy_rates_from_pos("EURUSD", 1, 0, 500)
    assert often.copy_rates_from_pos("EURUSD", 1, 0, 500).tolist() == wanted.tolist()
    assert len(wanted) == 500


def test_recorded_ticks_can_be_played() -> None:
    """A recording is a market like any other; when it ends, the last quote stands."""
    times = TUESDAY_NS + np.arange(100) * NS_PER_SECOND
    recorded = TickBlock("EURUSD", times, np.full(100, 1.1), np.full(100, 1.1001))

    def read(symbol: str, start_ns: int, end_ns: int) -> TickBlock:
        first, last = np.searchsorted(times, (start_ns, end_ns))
        return recorded.slice(int(first), int(last))

    source = RecordedSource(("EURUSD",), read, TUESDAY_NS, TUESDAY_NS + NS_PER_DAY)
    clock = SimulatedClock(TUESDAY_NS)
    options = TwinOptions(symbols=("EURUSD",), selected=("EURUSD",))
    mt5 = build(open_world(options, clock, source))
    mt5.initialize()
    clock.advance_to(TUESDAY_NS + 49 * NS_PER_SECOND)
    assert len(mt5.copy_ticks_from("EURUSD", START_S, 1_000, -1)) == 50

    clock.advance_to(TUESDAY_NS + 2 * NS_PER_DAY)
    assert len(mt5.copy_ticks_from("EURUSD", START_S, 1_000, -1)) == 100
    assert mt5.symbol_info_tick("EURUSD").time == START_S + 99


def _span(start_s: int) -> tuple[int, int]:
    """From an hour before a server time to two hours and one nanosecond after, UTC."""
    utc_ns = (start_s - SERVER_SHIFT_S) * NS_PER_SECOND
    return utc_ns - NS_PER_HOUR, utc_ns + 2 * NS_PER_HOUR + 1


def _columns(parts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    blocks = list(parts)
    names = ("ts_ns", "bid", "ask")
    return tuple(np.concatenate([getattr(one, name) for one in blocks]) for name in names)
