"""The synthetic market has the scale, the shape and the regularities that its document promises."""

import numpy as np
import pytest

from plan2.dataflow.terminals.simulated import calendar
from plan2.dataflow.terminals.simulated.instruments import SYMBOLS, instruments
from plan2.dataflow.terminals.simulated.market import FIRST_INSTANT_NS, SyntheticMarket
from plan2.dataflow.terminals.simulated.news import news_between
from plan2.dataflow.terminals.simulated.source import SyntheticSource
from plan2.dataflow.terminals.simulated.streams import exponential, normal, stream, uniform
from plan2.dataflow.tick_merge import join_ticks
from plan2.foundation.errors import ConfigError, InputError
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, TickBlock

DAYS = 30
SEED = 20_260
START_NS = FIRST_INSTANT_NS - DAYS * NS_PER_DAY
OPEN_DAYS = DAYS * 5 / 7


@pytest.fixture(scope="module")
def month() -> dict[str, TickBlock]:
    """Thirty days of the four usual symbols and a cross."""
    symbols = ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD", "EURGBP")
    return SyntheticMarket(SEED, symbols, START_NS).generate(FIRST_INSTANT_NS)


def mids_at(block: TickBlock, times: np.ndarray) -> np.ndarray:
    """Last mid at or before each time."""
    rows = np.searchsorted(block.ts_ns, times, side="right") - 1
    return ((block.bid + block.ask) / 2)[np.maximum(rows, 0)]


def annual_volatility(block: TickBlock, minutes: int) -> float:
    """Yearly standard deviation of the log mid by returns over so many minutes."""
    times = np.arange(block.ts_ns[0], block.ts_ns[-1], minutes * NS_PER_MINUTE)
    moves = np.diff(np.log(mids_at(block, times)))
    return float(np.sqrt((moves**2).sum() / OPEN_DAYS * 252))


def test_prices_lie_on_the_grid_and_never_cross(month: dict[str, TickBlock]) -> None:
    """Every price is the nearest float to its decimals; the ask is at least a point higher."""
    for symbol, block in month.items():
        instrument = instruments((symbol,))[symbol]
        for prices in (block.bid[::500], block.ask[::500]):
            assert [instrument.round_price(p) for p in prices.tolist()] == prices.tolist()
        assert instrument.points(float((block.ask - block.bid).min())) >= 1 - 1e-6
        assert (np.diff(block.ts_ns) >= 0).all()


def test_no_tick_while_the_market_is_closed(month: dict[str, TickBlock]) -> None:
    """All ticks lie in the FX week, and every hour of it has some."""
    hours = np.unique(month["EURUSD"].ts_ns // NS_PER_HOUR)
    span = range(START_NS // NS_PER_HOUR, FIRST_INSTANT_NS // NS_PER_HOUR)
    assert hours.tolist() == [hour for hour in span if calendar.is_open(hour * NS_PER_HOUR)]


def test_scale_of_ticks_volatility_and_spread(month: dict[str, TickBlock]) -> None:
    """EURUSD: 30-60 thousand ticks a day, 6-8.5 % a year, a median spread of 0.5-1.0 pip."""
    block = month["EURUSD"]
    assert 30_000 < len(block) / OPEN_DAYS < 60_000
    assert 0.06 < annual_volatility(block, 5) < 0.085
    assert 0.06 < annual_volatility(block, 60) < 0.095
    assert 0.5 <= np.median(block.ask - block.bid) * 1e4 <= 1.0
    for other in month.values():
        assert 12_000 < len(other) / OPEN_DAYS < 60_000


def test_london_is_busier_than_the_night(month: dict[str, TickBlock]) -> None:
    """About one tick a second while London and New York work, far fewer after New York's close."""
    hour_of_day = month["EURUSD"].ts_ns // NS_PER_HOUR % 24
    per_second = np.bincount(hour_of_day, minlength=24) / OPEN_DAYS / 3600
    assert 0.7 < per_second[8:17].mean() < 1.2
    assert per_second[22:24].mean() < 0.25


def test_spread_widens_at_rollover(month: dict[str, TickBlock]) -> None:
    """The first minutes after 17:00 New York cost several times the usual spread."""
    block = month["EURUSD"]
    spread = block.ask - block.bid
    minute_of_day = block.ts_ns // NS_PER_MINUTE % 1440
    at_rollover = spread[(minute_of_day >= 22 * 60) & (minute_of_day < 22 * 60 + 3)]
    assert np.median(at_rollover) > 3 * np.median(spread)


@pytest.mark.parametrize(
    ("currency", "symbol", "direction"),
    [("USD", "EURUSD", -1), ("USD", "USDJPY", 1), ("EUR", "EURUSD", 1), ("JPY", "USDJPY", -1)],
)
def test_news_move_the_price_and_the_spread(
    month: dict[str, TickBlock], currency: str, symbol: str, direction: int
) -> None:
    """A good release lifts its currency within the minute; the spread is wider after each."""
    block = month[symbol]
    spread = block.ask - block.bid
    released = news_between(SEED, START_NS, FIRST_INSTANT_NS)
    events = [event for event in released if event.currency == currency]
    times = np.array([event.ts_ns for event in events])
    force = np.array([event.impact * event.surprise for event in events])
    moves = mids_at(block, times + NS_PER_MINUTE) - mids_at(block, times - 1)
    assert len(events) >= 5
    assert direction * np.corrcoef(force, moves)[0, 1] > 0.55
    for ts_ns in times.tolist():
        first, last = np.searchsorted(block.ts_ns, (ts_ns, ts_ns + NS_PER_MINUTE))
        assert np.median(spread[first:last]) > 1.5 * np.median(spread)


@pytest.mark.parametrize("symbol", ["GBPUSD", "EURGBP"])
def test_weekends_gap(month: dict[str, TickBlock], symbol: str) -> None:
    """Over the weekends a price jumps by a part of a day's range; the dollar is not all of it."""
    block = month[symbol]
    breaks = np.flatnonzero(np.diff(block.ts_ns) > 40 * NS_PER_HOUR)
    assert len(breaks) == 4
    mid = (block.bid + block.ask) / 2
    gaps = np.abs(np.diff(np.log(mid)))[breaks]
    daily = 0.08 / np.sqrt(252)
    assert 0.1 * daily < np.median(gaps) < 1.5 * daily


def test_dollar_pairs_move_together_and_crosses_follow(month: dict[str, TickBlock]) -> None:
    """EUR and GBP gain together on the dollar, USDJPY falls with them; EURGBP is their ratio."""
    times = np.arange(START_NS + NS_PER_DAY, FIRST_INSTANT_NS, 5 * NS_PER_MINUTE)
    mids = {symbol: mids_at(block, times) for symbol, block in month.items()}
    moves = {symbol: np.diff(np.log(mid)) for symbol, mid in mids.items()}
    assert 0.25 < np.corrcoef(moves["EURUSD"], moves["GBPUSD"])[0, 1] < 0.7
    assert -0.7 < np.corrcoef(moves["EURUSD"], moves["USDJPY"])[0, 1] < -0.2
    distance = np.abs(mids["EURGBP"] - mids["EURUSD"] / mids["GBPUSD"])
    assert np.median(distance) < 0.6e-4
    assert distance.max() < 40e-4


def test_every_symbol_on_offer_can_be_made() -> None:
    """All eleven symbols produce ticks near their documented price."""
    made = SyntheticMarket(1, SYMBOLS, FIRST_INSTANT_NS).generate(FIRST_INSTANT_NS + NS_PER_HOUR)
    for symbol, block in made.items():
        assert len(block) > 300, symbol
    assert abs(made["EURJPY"].bid[0] / (1.0855 * 150.20) - 1) < 0.01


def test_a_symbol_does_not_depend_on_its_company() -> None:
    """EURUSD alone, in another place or beside a cross is the same EURUSD."""
    alone, among = (
        SyntheticMarket(5, symbols, START_NS).generate(START_NS + 2 * NS_PER_DAY)["EURUSD"]
        for symbols in (("EURUSD",), ("EURJPY", "XAUUSD", "EURUSD"))
    )
    assert alone.ts_ns.tobytes() == among.ts_ns.tobytes()
    assert alone.bid.tobytes() == among.bid.tobytes()


def test_unknown_symbols_and_states_are_refused() -> None:
    """A wrong name says which names there are; foreign bytes are not a state."""
    with pytest.raises(ConfigError, match="EURUSD, GBPUSD"):
        SyntheticMarket(1, ("EURUSDm",), START_NS)
    with pytest.raises(InputError):
        SyntheticMarket.resumed(b"nonsense")


def test_stream_is_splitmix64() -> None:
    """The first words for seed 1234567, as published with the reference implementation."""
    state = np.array([1_234_567], dtype=np.uint64)
    words = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    for word in words:
        assert uniform(state) == ((word >> 11) + 0.5) * 2.0**-53


def test_distributions_of_the_streams() -> None:
    """Mean and variance: uniform ½, 1/12; exponential 1, 1; normal 0, 1 (four standard errors)."""
    draw = stream("a test", 1)
    for function, mean, variance in ((uniform, 0.5, 1 / 12), (exponential, 1, 1), (normal, 0, 1)):
        values = np.array([function(draw) for _ in range(20_000)])
        assert abs(values.mean() - mean) < 4 * np.sqrt(variance / 20_000)
        assert abs(values.var() / variance - 1) < 0.1


def test_history_after_a_restart_is_the_same_from_the_hour_it_was_left_in() -> None:
    """A resumed source draws it from its state, a new one from the origin: the same ticks."""
    symbols = ("EURUSD", "USDJPY")
    monday_ns = FIRST_INSTANT_NS - NS_PER_DAY
    left_ns = monday_ns + 9 * NS_PER_HOUR + 20 * NS_PER_MINUTE
    played = SyntheticMarket(7, symbols, monday_ns)
    played.generate(left_ns)
    resumed = SyntheticSource(SyntheticMarket(7, symbols, monday_ns), played.state())
    fresh = SyntheticSource(SyntheticMarket(7, symbols, monday_ns))
    for symbol in symbols:
        for start_ns in (left_ns, left_ns - 5 * NS_PER_MINUTE, left_ns - 3 * NS_PER_HOUR):
            span = (symbol, start_ns, left_ns + 2 * NS_PER_HOUR)
            ours = join_ticks(symbol, list(resumed.history(*span)))
            theirs = join_ticks(symbol, list(fresh.history(*span)))
            assert len(ours) > 0
            assert ours.ts_ns.tolist() == theirs.ts_ns.tolist()
            assert ours.bid.tolist() == theirs.bid.tolist()
