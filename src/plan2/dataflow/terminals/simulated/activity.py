"""How busy the market is, minute by minute: sessions, rollover and scheduled news.

Everything here is a pure function of time, symbol and seed; `hour_profile` turns it into the rows
that the compiled price paths read. Formulas: docs/simulated_market.md, section 2.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from plan2.dataflow.terminals.simulated import calendar
from plan2.dataflow.terminals.simulated.news import NewsEvent
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, Float64Array

MINUTES = 60
QUIET = 0.15
"""Activity while none of the three cities works."""
SESSIONS = ((9.0, 18.0), (8.0, 17.0), (8.0, 17.0))
"""Working hours of Tokyo, London and New York, local time; they fade in and out over an hour."""
RAMP_H = 1.0
NEWS_FADE_MIN = 8.0
NEWS_SPREAD_FADE_MIN = 1.5
NEWS_MEMORY_MIN = 60
"""Effects of a release are nil after this many minutes."""
ROLLOVER_SPREAD = 5.0
ROLLOVER_FADE_MIN = 6.0
OPENING_SPREAD = 4.0
OPENING_FADE_MIN = 12.0

VOLATILITY_ROW, RATE_ROW, SPREAD_ROW = 0, 1, 2


def mean_activity(weights: tuple[float, float, float]) -> float:
    """Average of `activity` over a day; a ramp inside a session takes half of its width twice."""
    shares = ((end - start - RAMP_H) / 24.0 for start, end in SESSIONS)
    return QUIET + sum(weight * share for weight, share in zip(weights, shares, strict=True))


def activity(weights: tuple[float, float, float], hour_ns: int) -> Float64Array:
    """float64[60]: quiet level plus the sessions at work, for each minute of a UTC hour."""
    at_work = _sessions_at_work(hour_ns)
    total = np.full(MINUTES, QUIET)
    for weight, presence in zip(weights, at_work, strict=True):
        if presence is not None:
            total += weight * presence
    return total


@lru_cache(maxsize=4)
def _sessions_at_work(hour_ns: int) -> tuple[Float64Array | None, ...]:
    """How much of each city is at work in each minute, 0..1; None = nobody all hour long."""
    hours = hour_ns % NS_PER_DAY / NS_PER_HOUR + (np.arange(MINUTES) + 0.5) / MINUTES
    offsets = (
        calendar.TOKYO_OFFSET_H,
        calendar.london_offset_h(hour_ns),
        calendar.new_york_offset_h(hour_ns),
    )
    present = []
    for offset, (start, end) in zip(offsets, SESSIONS, strict=True):
        local = (hours + offset) % 24.0
        inside = np.clip(np.minimum(local - start, end - local) / RAMP_H, 0.0, 1.0)
        present.append(inside if inside.any() else None)
    return tuple(present)


def hour_profile(
    weights: tuple[float, float, float], hour_ns: int, events: Sequence[NewsEvent]
) -> Float64Array:
    """float64[3, 60]: multipliers of volatility, quote rate and spread for each minute of an hour.

    Volatility is relative to the symbol's mean over a day, so that its variance has mean one;
    rate is relative to activity 1; spread to the usual spread. `events`: releases that matter to
    the symbol, from an hour before to one minute after the hour.
    """
    busy = activity(weights, hour_ns)
    profile = np.empty((3, MINUTES))
    profile[VOLATILITY_ROW] = np.sqrt(busy / mean_activity(weights))
    profile[RATE_ROW] = busy
    profile[SPREAD_ROW] = np.where(busy < 0.5, 1.0 + 0.5 * (0.5 - busy), 1.0)
    profile[SPREAD_ROW] *= _turn_of_day_spread(hour_ns)
    for event in events:
        _add_release(profile, event, (event.ts_ns - hour_ns) // NS_PER_MINUTE)
    return profile


def _add_release(profile: Float64Array, event: NewsEvent, minute: int) -> None:
    """Raise all three rows after a release, and the spread already in the minute before it."""
    since = np.arange(MINUTES) - minute
    after = np.where(since >= 0, np.exp(-since / NEWS_FADE_MIN), 0.0)
    wide = np.where(since >= -1, np.exp(-np.maximum(since, 0) / NEWS_SPREAD_FADE_MIN), 0.0)
    profile[VOLATILITY_ROW] *= 1.0 + 0.5 * event.impact * after
    profile[RATE_ROW] *= 1.0 + 0.5 * event.impact * after
    profile[SPREAD_ROW] *= 1.0 + 1.2 * event.impact * wide


def _turn_of_day_spread(hour_ns: int) -> Float64Array:
    """float64[60]: wide around 17:00 New York, wider still when the week opens."""
    local = hour_ns + calendar.new_york_offset_h(hour_ns) * NS_PER_HOUR
    hour = local // NS_PER_HOUR % 24
    minutes = np.arange(MINUTES, dtype=np.float64)
    if hour == calendar.CLOSE_HOUR - 1:
        return 1.0 + ROLLOVER_SPREAD * np.where(minutes >= 58.0, 0.5, 0.0)
    if hour != calendar.CLOSE_HOUR:
        return np.ones(MINUTES)
    if calendar.is_open(hour_ns - 1):
        return 1.0 + ROLLOVER_SPREAD * np.exp(-minutes / ROLLOVER_FADE_MIN)
    return 1.0 + (ROLLOVER_SPREAD + OPENING_SPREAD) * np.exp(-minutes / OPENING_FADE_MIN)


def daily_volatility(annual_volatility: float) -> float:
    """Standard deviation of a trading day's log return: annual / √252."""
    return annual_volatility / math.sqrt(252.0)
