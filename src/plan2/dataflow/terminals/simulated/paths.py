"""Compiled price paths of the synthetic market, one hour at a time.

An hour is drawn from its own random stream and the state that the hour before left behind, always
as a whole; so a path does not depend on how it is asked for. Model: docs/simulated_market.md.
"""

import math
from typing import NamedTuple

import numpy as np

from plan2.dataflow.terminals.simulated.activity import RATE_ROW, SPREAD_ROW, VOLATILITY_ROW
from plan2.dataflow.terminals.simulated.streams import (
    StreamState,
    compiled,
    exponential,
    normal,
    uniform,
)
from plan2.foundation.values import Float64Array, Int64Array

SECONDS = 3600
MINUTES = 60
QUOTES_MAX = 20_000
"""The most quotes of one symbol in one hour; further ones of that hour are not published."""

LEVEL, DRIFT, LOG_VOLATILITY, ANCHOR = 0, 1, 2, 3
SHOCK, SINCE_S, EXCITATION, SPREAD_NOISE = 4, 5, 6, 7
BID, ASK = 8, 9
STATE_SIZE = 10
"""Places in a symbol's state: own log price, latent drift (standard normal), log volatility, last
shared component; standardised shock of the running minute, seconds since the last move, extra
quote intensity, spread noise; last quote in points."""

DRIFT_KEPT = 0.5 ** (1.0 / 90.0)
"""Of the latent drift, per minute: half-life 90 minutes."""
DRIFT_FROM_SHOCKS = 0.5
"""Correlation of the drift's news with the price shock of the same minute: momentum."""
TILT = 0.04
"""By how much the share of up-ticks leaves one half per unit of latent drift."""
VOLATILITY_SD = 0.25
VOLATILITY_KEPT = 0.5 ** (1.0 / 720.0)
"""Log volatility per minute: half-life 12 hours."""
BRANCHING = 0.33
"""Share of quotes that are set off by earlier ones (Hawkes process, exponential kernel)."""
EXCITATION_FADE = 1.5
"""Per second."""
JUMP_CHANCE = 1.0 / 2880.0
"""Of an unscheduled jump, per minute."""
RESPREAD_CHANCE = 0.08


class PathParams(NamedTuple):
    """Constants of one symbol; volatilities per square root of a second.

    own_volatility is that of the part not shared with others; drift_per_sd the drift per second in
    units of volatility at a reading of 1; jump the typical unscheduled jump (log).
    """

    volatility: float
    own_volatility: float
    drift_per_sd: float
    jump: float
    ticks_per_s: float
    spread_points: float
    points_per_unit: float


class HourGiven(NamedTuple):
    """What an hour gets from outside.

    anchor: float64[3600] shared log component at each second. profile: float64[3, 60] multipliers.
    jumps: float64[60] log jumps at the start of each minute.
    """

    anchor: Float64Array
    profile: Float64Array
    jumps: Float64Array


class HourDrawn(NamedTuple):
    """Buffers that an hour fills.

    millisecond, bid, ask: int64[QUOTES_MAX], time since the hour's start and quotes in points;
    quotes: int64[1], how many there are. drift: float64[60] latent drift at each minute's start.
    path: float64[3600] log mid when each second begins.
    """

    millisecond: Int64Array
    bid: Int64Array
    ask: Int64Array
    quotes: Int64Array
    drift: Float64Array
    path: Float64Array


def empty_hour() -> HourDrawn:
    """Fresh buffers."""
    return HourDrawn(
        millisecond=np.empty(QUOTES_MAX, np.int64),
        bid=np.empty(QUOTES_MAX, np.int64),
        ask=np.empty(QUOTES_MAX, np.int64),
        quotes=np.zeros(1, np.int64),
        drift=np.empty(MINUTES),
        path=np.empty(SECONDS),
    )


@compiled
def bend(drift: float) -> float:
    """z·|z|/√3: weak readings mean almost nothing; the mean square stays one."""
    return drift * abs(drift) / math.sqrt(3.0)


@compiled
def dollar_hour(
    draw: StreamState, state: Float64Array, volatility: float, given: HourGiven, out: Float64Array
) -> None:
    """Fill out[3600] with the log strength of the US dollar; state: level, log volatility."""
    for minute in range(MINUTES):
        swing = math.exp(state[1] - VOLATILITY_SD * VOLATILITY_SD)
        step = volatility * given.profile[VOLATILITY_ROW, minute] * swing
        state[0] += given.jumps[minute]
        for second in range(minute * 60, minute * 60 + 60):
            state[0] += step * normal(draw)
            out[second] = state[0]
        state[1] = next_log_volatility(draw, state[1])


@compiled
def symbol_hour(
    draw: StreamState, state: Float64Array, params: PathParams, given: HourGiven, out: HourDrawn
) -> None:
    """Draw one hour of quotes of one symbol."""
    out.quotes[0] = 0
    for minute in range(MINUTES):
        out.drift[minute] = state[DRIFT]
        state[LEVEL] += given.jumps[minute]
        _draw_minute(draw, state, params, given, out, minute)
        _end_minute(draw, state, params)


@compiled
def _draw_minute(
    draw: StreamState,
    state: Float64Array,
    params: PathParams,
    given: HourGiven,
    out: HourDrawn,
    minute: int,
) -> None:
    """Quote arrivals by thinning (Ogata 1981), each with a price move and perhaps a new quote.

    Only scalars and two small arrays go into the functions called per quote: handing on a tuple
    of arrays would cost more than all the arithmetic.
    """
    now, second, end = minute * 60.0, minute * 60, minute * 60.0 + 60.0
    swing = math.exp(state[LOG_VOLATILITY] - VOLATILITY_SD * VOLATILITY_SD)
    swing *= given.profile[VOLATILITY_ROW, minute]
    spread = params.spread_points * given.profile[SPREAD_ROW, minute]
    steady = params.ticks_per_s * given.profile[RATE_ROW, minute] * (1.0 - BRANCHING)
    count = out.quotes[0]
    while True:
        now, is_quote = _next_arrival(draw, state, steady, now, end)
        second = _hold_price(state, out.path, second, now)
        if now >= end:
            break
        if is_quote:
            _move(draw, state, params, swing, given.anchor[int(now)])
            if _has_new_quote(draw, state, params.points_per_unit, spread) and count < QUOTES_MAX:
                out.millisecond[count] = int(now * 1000.0)
                out.bid[count] = int(state[BID])
                out.ask[count] = int(state[ASK])
                count += 1
    out.quotes[0] = count


@compiled
def _next_arrival(
    draw: StreamState, state: Float64Array, steady: float, now: float, end: float
) -> tuple[float, bool]:
    """The next candidate of the thinning, or the end of the minute; whether a quote arrives."""
    bound = steady + state[EXCITATION]
    wait = exponential(draw) / bound
    is_over = now + wait >= end
    if is_over:
        wait = end - now
    state[SINCE_S] += wait
    state[EXCITATION] *= math.exp(-EXCITATION_FADE * wait)
    if is_over:
        return end, False
    if uniform(draw) * bound > steady + state[EXCITATION]:
        return now + wait, False
    state[EXCITATION] += EXCITATION_FADE * BRANCHING
    return now + wait, True


@compiled
def _hold_price(state: Float64Array, path: Float64Array, second: int, now: float) -> int:
    """Note the unchanged log mid for every second that begins up to `now`; returns the next."""
    while second <= now and second < SECONDS:
        path[second] = state[ANCHOR] + state[LEVEL]
        second += 1
    return second


@compiled
def _move(
    draw: StreamState, state: Float64Array, params: PathParams, swing: float, anchor: float
) -> None:
    """One price move: diffusion of mean zero but uneven sign, latent drift, shared component."""
    drift = state[DRIFT]
    up = 0.5 + TILT * min(max(drift, -2.5), 2.5)
    size = math.sqrt(exponential(draw))
    if uniform(draw) < up:
        shock = size * math.sqrt((1.0 - up) / up)
    else:
        shock = -size * math.sqrt(up / (1.0 - up))
    elapsed = state[SINCE_S]
    diffusion = params.own_volatility * swing * math.sqrt(elapsed) * shock
    trend = params.drift_per_sd * params.volatility * swing * bend(drift) * elapsed
    shared = anchor - state[ANCHOR]
    state[LEVEL] += diffusion + trend
    state[ANCHOR] = anchor
    state[SHOCK] += (diffusion + shared) / (params.volatility * swing * math.sqrt(60.0))
    state[SINCE_S] = 0.0


@compiled
def _has_new_quote(
    draw: StreamState, state: Float64Array, points_per_unit: float, spread: float
) -> bool:
    """Put the price on the grid; whether that differs from the last quote."""
    mid = math.exp(state[ANCHOR] + state[LEVEL]) * points_per_unit
    if uniform(draw) < RESPREAD_CHANCE:
        state[SPREAD_NOISE] = min(exponential(draw), 4.0)
    width = max(1.0, math.floor(spread * (0.8 + 0.25 * state[SPREAD_NOISE]) + 0.5))
    bid = math.floor(mid - 0.5 * width + 0.5)
    is_new = bool(bid != state[BID] or bid + width != state[ASK])
    state[BID] = bid
    state[ASK] = bid + width
    return is_new


@compiled
def _end_minute(draw: StreamState, state: Float64Array, params: PathParams) -> None:
    """Carry drift and volatility one minute on; once in days, jump."""
    shock = min(max(state[SHOCK], -4.0), 4.0)
    own = math.sqrt(1.0 - DRIFT_FROM_SHOCKS * DRIFT_FROM_SHOCKS) * normal(draw)
    news = DRIFT_FROM_SHOCKS * shock + own
    state[DRIFT] = DRIFT_KEPT * state[DRIFT] + math.sqrt(1.0 - DRIFT_KEPT * DRIFT_KEPT) * news
    state[SHOCK] = 0.0
    state[LOG_VOLATILITY] = next_log_volatility(draw, state[LOG_VOLATILITY])
    if uniform(draw) < JUMP_CHANCE:
        state[LEVEL] += params.jump * normal(draw)


@compiled
def next_log_volatility(draw: StreamState, value: float) -> float:
    """One minute of the log-volatility's Ornstein-Uhlenbeck process, exact."""
    noise = VOLATILITY_SD * math.sqrt(1.0 - VOLATILITY_KEPT * VOLATILITY_KEPT)
    return VOLATILITY_KEPT * value + noise * normal(draw)
