"""Binds the compiled hours to time, news and the other symbols: the dollar, majors and crosses.

A major's log price is its own path plus its response to the dollar; a cross is the product or the
ratio of two majors, so the three never drift apart.
"""

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from plan2.dataflow.terminals.simulated import calendar
from plan2.dataflow.terminals.simulated.activity import daily_volatility, hour_profile
from plan2.dataflow.terminals.simulated.instruments import SymbolSheet
from plan2.dataflow.terminals.simulated.news import NewsEvent, news_between
from plan2.dataflow.terminals.simulated.paths import (
    ANCHOR,
    DRIFT,
    DRIFT_KEPT,
    LEVEL,
    LOG_VOLATILITY,
    MINUTES,
    SECONDS,
    STATE_SIZE,
    VOLATILITY_SD,
    HourGiven,
    PathParams,
    bend,
    dollar_hour,
    empty_hour,
    symbol_hour,
)
from plan2.dataflow.terminals.simulated.streams import normal, stream
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MINUTE, Float64Array

DOLLAR_ANNUAL_VOLATILITY = 0.046
DOLLAR_SESSIONS = (0.4, 0.9, 1.0)
DRIFT_PER_SD = 0.0072
"""Latent drift per second, in units of volatility per √second, at a bent reading of one."""
NEWS_JUMP = 0.12
"""Log jump of a release per unit of impact and surprise, in daily volatilities."""
GAP = 0.30
"""Standard deviation of the weekend gap in daily volatilities."""
JUMP = 0.15
"""Standard deviation of an unscheduled jump in daily volatilities."""
CROSS_VOLATILITY = 0.08
WEEKEND_MINUTES = 48 * 60
SECONDS_PER_DAY = 86_400.0


class Dollar:
    """The log strength of the US dollar, second by second; starts at zero."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._path = np.empty(SECONDS)
        self.state = np.zeros(2)
        self.state[1] = VOLATILITY_SD * normal(stream(seed, "USD", "start"))

    def draw(self, hour_ns: int) -> Float64Array:
        """float64[3600] of one open hour; overwritten by the next call."""
        draw = stream(self._seed, "USD", hour_ns // NS_PER_HOUR)
        daily = daily_volatility(DOLLAR_ANNUAL_VOLATILITY)
        if not calendar.is_open(hour_ns - 1):
            self.state[0] += GAP * daily * normal(draw)
        events = _news_for(self._seed, hour_ns, ("USD",))
        given = HourGiven(
            anchor=self._path,
            profile=hour_profile(DOLLAR_SESSIONS, hour_ns, events),
            jumps=_jumps(events, hour_ns, {"USD": daily}),
        )
        dollar_hour(draw, self.state, daily / math.sqrt(SECONDS_PER_DAY), given, self._path)
        return self._path


class _HasPath(Protocol):
    """A symbol whose drawn hour others may read."""

    @property
    def log_mid(self) -> Float64Array: ...

    def planted_drift(self, others: "Mapping[str, _HasPath]") -> Float64Array: ...


class SymbolPath:
    """One symbol's quotes, hour by hour; `state` is what an hour leaves to the next."""

    def __init__(
        self, sheet: SymbolSheet, seed: int, strength: float, others: Mapping[str, SymbolSheet]
    ) -> None:
        self.instrument = sheet.instrument
        self.drawn = empty_hour()
        self.state = np.zeros(STATE_SIZE)
        self._model = sheet.model
        self._seed = seed
        self._params = _params(sheet, strength)
        symbol = self.instrument.symbol
        self.state[DRIFT] = normal(stream(seed, symbol, "drift"))
        self.state[LOG_VOLATILITY] = VOLATILITY_SD * normal(stream(seed, symbol, "volatility"))
        if self._model.legs:
            first, second = (math.log(others[leg].model.price) for leg in self._model.legs)
            self.state[ANCHOR] = first + self._model.leg_sign * second
        else:
            self.state[LEVEL] = math.log(self._model.price)

    @property
    def log_mid(self) -> Float64Array:
        """float64[3600]: log of the mid before each second of the hour drawn last."""
        return self.drawn.path

    def planted_drift(self, others: Mapping[str, _HasPath]) -> Float64Array:
        """float64[60]: planted log drift per second at each minute of the hour drawn last."""
        if self._model.legs:
            first, second = (others[leg].planted_drift(others) for leg in self._model.legs)
            return first + self._model.leg_sign * second
        readings = np.array([bend(z) for z in self.drawn.drift.tolist()])
        return self._params.drift_per_sd * self._params.volatility * readings

    def draw(self, hour_ns: int, dollar: Float64Array, others: Mapping[str, _HasPath]) -> None:
        """Draw one open hour; for a cross, its legs have drawn theirs already."""
        draw = stream(self._seed, self.instrument.symbol, hour_ns // NS_PER_HOUR)
        daily = daily_volatility(self._model.annual_volatility)
        if not calendar.is_open(hour_ns - 1):
            self._reopen(daily * normal(draw), normal(draw))
        events = _news_for(self._seed, hour_ns, (self.instrument.base, self.instrument.quote))
        sizes = {self.instrument.base: daily, self.instrument.quote: -daily, "USD": 0.0}
        given = HourGiven(
            anchor=self._anchor(dollar, others),
            profile=hour_profile(self._model.sessions, hour_ns, events),
            jumps=_jumps(events, hour_ns, sizes),
        )
        symbol_hour(draw, self.state, self._params, given, self.drawn)

    def _anchor(self, dollar: Float64Array, others: Mapping[str, _HasPath]) -> Float64Array:
        if not self._model.legs:
            return self._model.usd_loading * dollar
        first, second = (others[leg].log_mid for leg in self._model.legs)
        return first + self._model.leg_sign * second

    def _reopen(self, gap: float, drift_noise: float) -> None:
        """A weekend passed: the price gaps and the latent drift has aged by as many minutes."""
        kept = DRIFT_KEPT**WEEKEND_MINUTES
        self.state[LEVEL] += GAP * gap
        self.state[DRIFT] = kept * self.state[DRIFT] + math.sqrt(1.0 - kept * kept) * drift_noise


def _params(sheet: SymbolSheet, strength: float) -> PathParams:
    """A cross has no diffusion, drift or jumps of its own."""
    model = sheet.model
    shared = (
        model.usd_loading * daily_volatility(DOLLAR_ANNUAL_VOLATILITY) / math.sqrt(SECONDS_PER_DAY)
    )
    annual = CROSS_VOLATILITY if model.legs else model.annual_volatility
    volatility = daily_volatility(annual) / math.sqrt(SECONDS_PER_DAY)
    own = 0.0 if model.legs else math.sqrt(volatility**2 - shared**2)
    return PathParams(
        volatility=volatility,
        own_volatility=own,
        drift_per_sd=0.0 if model.legs else strength * DRIFT_PER_SD,
        jump=JUMP * daily_volatility(model.annual_volatility),
        ticks_per_s=model.ticks_per_s,
        spread_points=model.spread_points,
        points_per_unit=10.0**sheet.instrument.digits,
    )


def _news_for(seed: int, hour_ns: int, currencies: tuple[str, ...]) -> tuple[NewsEvent, ...]:
    """Releases that touch an hour: from an hour before it to the minute after it."""
    start, end = hour_ns - NS_PER_HOUR, hour_ns + NS_PER_HOUR + NS_PER_MINUTE
    return tuple(e for e in news_between(seed, start, end) if e.currency in currencies)


def _jumps(events: tuple[NewsEvent, ...], hour_ns: int, sizes: Mapping[str, float]) -> Float64Array:
    """float64[60]: log jumps at the start of each minute; sizes: daily volatility by currency."""
    jumps = np.zeros(MINUTES)
    for event in events:
        minute = (event.ts_ns - hour_ns) // NS_PER_MINUTE
        if 0 <= minute < MINUTES:
            jumps[minute] += NEWS_JUMP * event.impact * event.surprise * sizes[event.currency]
    return jumps
