"""The compiled step of features on request; one tick and a block run the same `advance_requested`.

Cost a tick: tens of nanoseconds of arithmetic; cross-symbol values once a bar, events once a
minute.
"""

import math
from typing import NamedTuple

import numpy as np

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.features.kernels import entry, kernel
from plan2.intelligence.features.loop import Ticks
from plan2.intelligence.features.market_hours import MINUTE_NS
from plan2.intelligence.features.requested import (
    DAY_MIN,
    FIRST_CROSS,
    FIRST_EVENT,
    FIRST_PEER,
    PEER_BARS,
    STALE_BARS,
    WINDOW,
)
from plan2.intelligence.features.step import is_usable
from plan2.intelligence.features.surroundings import (
    BASE,
    DOLLAR,
    QUOTE,
    EventTable,
    note_close,
)

CCI_BARS = 20
CCI_SCALE = 0.015
CORRELATION_DECAY = 0.5 ** (1.0 / 60.0)
LEAST_RETURNS = 90
STRENGTH_BARS = 60
DAY_NS = 86_400_000_000_000
LOOK_AHEAD_NS = 14 * DAY_NS
"""Something must be scheduled within two weeks, or the calendar does not reach that far."""

PERIOD_NS, GAP_NS, OWN, HAS_EVENTS = range(4)
"""What is asked for, int64[4]; OWN: the symbol's row on the board, -1 without one."""

NEW_BAR, NEW_MINUTE = 1, 2
PRICES, WHOLE = 5, 8
LAST_NS, STARTED, PERIOD, MINUTE, BARS, HELD, HEAD, CHANGED_NS = range(8)
BID, ASK, HIGH, LOW, TYPICAL = range(5)
CCI, SINCE_GAP, UNCHANGED, CROSSED = range(4)


Parts = tuple[Int64Array, Int64Array, Float64Array]
"""What is asked for, int64[8] and float64[m] of memory."""


class Memory(NamedTuple):
    """All that is remembered: int64[8], float64[5], typical prices float64[19], values."""

    whole: Int64Array
    prices: Float64Array
    typical: Float64Array
    values: Float64Array


class Peers(NamedTuple):
    """The board's closes, what counts in strengths float64[3, S], peers' rows, room to work in."""

    closes: Float64Array
    weights: Float64Array
    rows: Int64Array
    window: Float64Array


@kernel
def cci_of(memory: Memory) -> float:
    """Lambert's CCI of 19 closed bars and the bar so far; NaN before, 0 where nothing moved."""
    if memory.whole[HELD] < CCI_BARS - 1:
        return math.nan
    # Measured from the typical price of now: differences keep their digits.
    now, mean = memory.prices[TYPICAL], 0.0
    for k in range(CCI_BARS - 1):
        mean += (memory.typical[k] - now) / CCI_BARS
    deviation = math.fabs(mean)
    for k in range(CCI_BARS - 1):
        deviation += math.fabs(memory.typical[k] - now - mean)
    if deviation == 0.0:
        return 0.0
    return float(-mean / (CCI_SCALE * deviation / CCI_BARS))


@kernel
def open_bar(memory: Memory, period: int, mid: float, is_gap: bool) -> None:
    """Commit the bar that ended, or forget all after a gap; then begin the next one."""
    whole = memory.whole
    if is_gap:
        whole[BARS] = whole[HELD] = whole[HEAD] = 0
    elif whole[STARTED]:
        memory.typical[whole[HEAD]] = memory.prices[TYPICAL]
        whole[HEAD] = (whole[HEAD] + 1) % (CCI_BARS - 1)
        whole[HELD] = min(whole[HELD] + 1, CCI_BARS - 1)
        whole[BARS] += 1
    whole[PERIOD] = period
    memory.prices[HIGH] = memory.prices[LOW] = mid


@kernel
def take_quote(memory: Memory, ts_ns: int, bid: float, ask: float, is_fresh: bool) -> None:
    """The values that follow the symbol's own quotes."""
    whole, prices, values = memory.whole, memory.prices, memory.values
    mid = 0.5 * (bid + ask)
    prices[HIGH] = max(prices[HIGH], mid)
    prices[LOW] = min(prices[LOW], mid)
    prices[TYPICAL] = (prices[HIGH] + prices[LOW] + mid) / 3.0
    if is_fresh or bid != prices[BID] or ask != prices[ASK]:
        whole[CHANGED_NS] = ts_ns
    prices[BID], prices[ASK] = bid, ask
    values[CCI] = cci_of(memory)
    values[SINCE_GAP] = whole[BARS]
    values[UNCHANGED] = (ts_ns - whole[CHANGED_NS]) * 1e-9
    values[CROSSED] = 1.0 if ask <= bid else 0.0


@kernel
def fill_window(peers: Peers, newest: int) -> None:
    """Closes as of the bars `newest`, `newest` − 1, …; NaN where none is known or it is stale."""
    for row in range(peers.closes.shape[0]):
        count = int(peers.closes[row, 0, 0])
        held = peers.closes[row, 1 : count + 1]
        at = np.searchsorted(held[:, 0], newest, side="right") - 1
        for back in range(WINDOW + 1):
            while at >= 0 and held[at, 0] > newest - back:
                at -= 1
            is_known = at >= 0 and newest - back - held[at, 0] <= STALE_BARS
            peers.window[row, back] = held[at, 1] if is_known else math.nan


@kernel
def log_return(peers: Peers, row: int, back: int, bars: int) -> float:
    """Log return of a symbol over so many bars until `back` bars ago."""
    return math.log(peers.window[row, back] / peers.window[row, back + bars])


@kernel
def strength(peers: Peers, currency: int, back: int, bars: int) -> float:
    """Move of a currency against all others; NaN when no pair has it or one is not known."""
    total, used = 0.0, 0
    for row in range(peers.weights.shape[1]):
        if peers.weights[currency, row] != 0.0:
            total += peers.weights[currency, row] * log_return(peers, row, back, bars)
            used += 1
    return total if used > 0 else math.nan


@kernel
def dollar_correlation(peers: Peers, own: int) -> float:
    """EW correlation, half-life 60 bars, of the symbol's and the dollar's returns of one bar."""
    count, weight = 0, 1.0
    total = sum_x = sum_y = xx = yy = xy = 0.0
    for back in range(WINDOW):
        x, y = log_return(peers, own, back, 1), strength(peers, DOLLAR, back, 1)
        if not math.isnan(x + y):
            total += weight
            sum_x += weight * x
            sum_y += weight * y
            xx += weight * x * x
            yy += weight * y * y
            xy += weight * x * y
            count += 1
        weight *= CORRELATION_DECAY
    if count < LEAST_RETURNS:
        return math.nan
    spread = (xx - sum_x * sum_x / total) * (yy - sum_y * sum_y / total)
    if spread <= 0.0:
        return math.nan
    return min(1.0, max(-1.0, (xy - sum_x * sum_y / total) / math.sqrt(spread)))


@kernel
def write_cross(peers: Peers, own: int, newest: int, values: Float64Array) -> None:
    """Every cross-symbol value, from closes of bars up to `newest`."""
    fill_window(peers, newest)
    base = strength(peers, BASE, 0, STRENGTH_BARS)
    quote = strength(peers, QUOTE, 0, STRENGTH_BARS)
    values[FIRST_CROSS] = base
    values[FIRST_CROSS + 1] = quote
    values[FIRST_CROSS + 2] = base - quote
    values[FIRST_CROSS + 3] = dollar_correlation(peers, own)
    place = FIRST_PEER
    for row in peers.rows:
        for bars in PEER_BARS:
            values[place] = log_return(peers, row, 0, bars)
            place += 1


@kernel
def write_events(events: EventTable, now_ns: int, values: Float64Array) -> None:
    """Distances to events as they were known at the start of this minute."""
    following = np.searchsorted(events.at, now_ns, side="right")
    ahead, within = math.nan, 0
    for k in range(following, events.at.shape[0]):
        if events.at[k] > now_ns + LOOK_AHEAD_NS:
            break
        if events.known_from[k] <= now_ns < events.known_until[k]:
            if math.isnan(ahead):
                ahead = (events.at[k] - now_ns) / MINUTE_NS
            within += 1 if events.at[k] <= now_ns + DAY_NS else 0
    behind = math.nan if math.isnan(ahead) else DAY_MIN
    for k in range(following - 1, -1, -1):
        if events.at[k] < now_ns - DAY_NS or math.isnan(ahead):
            break
        if events.known_from[k] <= now_ns < events.known_until[k]:
            behind = (now_ns - events.at[k]) / MINUTE_NS
            break
    values[FIRST_EVENT] = ahead if math.isnan(ahead) else min(ahead, DAY_MIN)
    values[FIRST_EVENT + 1] = behind
    values[FIRST_EVENT + 2] = math.nan if math.isnan(ahead) else within
    last = np.searchsorted(events.released, now_ns, side="right") - 1
    is_fresh = last >= 0 and events.released[last] > now_ns - DAY_NS
    values[FIRST_EVENT + 3] = events.surprise[last] if is_fresh else math.nan


@kernel
def memory_of(parts: Parts) -> Memory:
    """The memory of a state."""
    state, end = parts[2], PRICES + CCI_BARS - 1
    return Memory(parts[1], state[:PRICES], state[PRICES:end], state[end:])


@kernel
def advance_own(
    asked: Int64Array,
    memory: Memory,
    closes: Float64Array,
    ts_ns: int,
    bid: float,
    ask: float,
) -> int:
    """Take one tick of the symbol; what the engine ignores is ignored here.

    Returns NEW_BAR and NEW_MINUTE where `look_around` has something to do.
    """
    whole = memory.whole
    if not is_usable(whole[LAST_NS], ts_ns, bid, ask):
        return 0
    period, minute = ts_ns // asked[PERIOD_NS], ts_ns // MINUTE_NS
    mid = 0.5 * (bid + ask)
    is_gap = whole[STARTED] != 0 and ts_ns - whole[LAST_NS] > asked[GAP_NS]
    is_fresh = whole[STARTED] == 0 or is_gap
    is_new = is_fresh or period != whole[PERIOD]
    is_minute = is_fresh or minute != whole[MINUTE]
    if is_new:
        open_bar(memory, period, mid, is_gap)
    take_quote(memory, ts_ns, bid, ask, is_fresh)
    if asked[OWN] >= 0:
        note_close(closes, asked[OWN], period, mid)
    whole[MINUTE] = minute
    whole[LAST_NS] = ts_ns
    whole[STARTED] = 1
    is_across = is_new and asked[OWN] >= 0
    return (NEW_BAR if is_across else 0) | (NEW_MINUTE if is_minute and asked[HAS_EVENTS] else 0)


@kernel
def look_around(
    asked: Int64Array, memory: Memory, peers: Peers, events: EventTable, news: int
) -> None:
    """Cross-symbol values of a new bar, events of a new minute."""
    if news & NEW_BAR:
        write_cross(peers, asked[OWN], memory.whole[PERIOD] - 2, memory.values)
    if news & NEW_MINUTE:
        write_events(events, memory.whole[MINUTE] * MINUTE_NS, memory.values)


@entry
def step_own(parts: Parts, closes: Float64Array, ts_ns: int, bid: float, ask: float) -> int:
    """One tick from Python; the answer says whether `step_around` must follow."""
    return advance_own(parts[0], memory_of(parts), closes, ts_ns, bid, ask)


@entry
def step_around(parts: Parts, peers: Peers, events: EventTable, news: int) -> None:
    """What a tick that began a bar or a minute brings from beyond the symbol."""
    look_around(parts[0], memory_of(parts), peers, events, news)


@entry
def run_requested(
    parts: Parts,
    peers: Peers,
    events: EventTable,
    ticks: Ticks,
    out: tuple[Int64Array, Float64Array],
) -> None:
    """A block of ticks; `out`: numbers of ticks, and float64[n, K] for the values after them."""
    ts_ns, bid, ask = ticks
    rows, values = out
    memory = memory_of(parts)
    written = 0
    for k in range(ts_ns.shape[0]):
        news = advance_own(parts[0], memory, peers.closes, ts_ns[k], bid[k], ask[k])
        if news:
            look_around(parts[0], memory, peers, events, news)
        if written < rows.shape[0] and rows[written] == k:
            values[written, :] = memory.values
            written += 1
