"""How the figure of a condition is had, and how it is said."""

import math
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from plan2.foundation.values import NS_PER_MINUTE, NS_PER_SECOND, Tick
from plan2.intelligence.alerts.conditions import (
    RANKS,
    AnyCondition,
    Bounds,
    Component,
    Feature,
    Forecast,
    Happened,
    Health,
    Move,
    Price,
    Profit,
    Risk,
    Silence,
    bounds_of,
)

UNITS: Final[Mapping[str, str]] = {
    "feed_age_s": "s",
    "loop_lag_ms": "ms",
    "latency_p99_ms": "ms",
    "edge_pips": "pips",
}
FIGURES: Final[Mapping[str, str]] = {
    "feed_age_s": "age of the last quote of",
    "loop_lag_ms": "lateness of the event loop",
    "latency_p99_ms": "p99 of",
}
TESTS: Final[Mapping[str, str]] = {
    "above": "above",
    "below": "below",
    "crosses_above": "crossed above",
    "crosses_below": "crossed below",
    "crosses": "crossed",
}


class Readings(Protocol):
    """What conditions look at; every figure is NaN while it is not known."""

    def now_ns(self) -> int:
        """Market time, UTC ns."""
        ...

    def tick(self, symbol: str) -> Tick | None:
        """The last quote."""
        ...

    def bid_before(self, symbol: str, ts_ns: int) -> float:
        """The bid at a market time, to the minute."""
        ...

    def formula(self, symbol: str, text: str) -> float:
        """A feature or formula after the last tick."""
        ...

    def forecast(self, symbol: str, figure: str) -> float:
        """A figure of the last forecast: `p_up`, `edge_pips`, `disagreement`."""
        ...

    def risk(self, figure: str) -> float:
        """A figure of the account's risk, percent."""
        ...

    def profit(self, of: str, symbol: str) -> float:
        """Profit of the day or of what is open, money."""
        ...

    def health(self, figure: str, of: str) -> float:
        """A figure of the process, in the unit of its name."""
        ...

    def statuses(self) -> Mapping[str, str]:
        """The state of every part of the process, by name."""
        ...

    def heard_ns(self, what: str, of: str) -> int | None:
        """When a tick or decision (market time) or heartbeat (wall time) last came."""
        ...

    def is_open(self, symbol: str) -> bool:
        """Whether the market of a symbol, or of any symbol if empty, is open."""
        ...


class Sighting(msgspec.Struct, frozen=True):
    """A look at a condition: the figure (NaN = unknown), and a phrase that says it."""

    value: float
    words: str


def sighting_of(condition: AnyCondition, readings: Readings, wall_ns: int) -> Sighting:
    """Look at a condition now; `wall_ns` is the wall clock, UTC."""
    match condition:
        case Component():
            return _part(condition, readings)
        case Silence():
            return _silence(condition, readings, wall_ns)
        case Happened():
            return Sighting(math.nan, f"waits for {condition.event}")
        case _:
            value = _figure(condition, readings)
            return Sighting(value, f"{title_of(condition)} is {shown(value, condition)}")


def value_of(condition: AnyCondition, readings: Readings, wall_ns: int) -> float:
    """The figure alone, for the many looks that lead to nothing; NaN = unknown."""
    if isinstance(condition, Component | Silence):
        return sighting_of(condition, readings, wall_ns).value
    return _figure(condition, readings)


def title_of(condition: AnyCondition) -> str:
    """What figure a condition looks at, in words."""
    match condition:
        case Price() | Move() | Feature() | Forecast():
            return _of_a_symbol(condition)
        case Risk():
            return condition.figure.replace("_", " ")
        case Profit():
            place = f" in {condition.symbol}" if condition.symbol else ""
            return "profit of the day" if condition.of == "day" else f"open profit{place}"
        case Health():
            return " ".join(filter(None, (FIGURES[condition.figure], condition.of)))
        case Component():
            return f"part {condition.name}" if condition.name else "any part"
        case Silence():
            return " ".join(filter(None, (f"silence of {condition.what}", condition.of)))
        case Happened():
            return condition.event


def _of_a_symbol(condition: Price | Move | Feature | Forecast) -> str:
    match condition:
        case Price():
            return f"{condition.symbol} {condition.side}"
        case Move():
            return f"{condition.symbol} move in {condition.window_minutes} min"
        case Feature():
            return f"{condition.symbol} {condition.formula}"
        case Forecast():
            return f"{condition.symbol} forecast {condition.figure.replace('_', ' ')}"


def threshold_words(condition: AnyCondition) -> str:
    """The threshold in words, such as `above 1.095`."""
    bounds: Bounds = bounds_of(condition)
    match condition:
        case Component():
            return f"{condition.status} or worse"
        case Silence():
            return f"longer than {condition.seconds:g} s"
        case Happened():
            found = ", ".join(f"{name} = {value}" for name, value in condition.where.items())
            return f"with {found}" if found else "came"
        case _:
            return f"{TESTS[bounds.test]} {shown(bounds.level, condition)}"


def shown(value: float, condition: AnyCondition) -> str:
    """A figure with its unit."""
    if math.isnan(value):
        return "not known yet"
    if isinstance(condition, Move | Risk):
        return f"{value:.6g} %"
    figure = getattr(condition, "figure", "")
    return " ".join(filter(None, (f"{value:.8g}", UNITS.get(figure, ""))))


def _figure(condition: AnyCondition, readings: Readings) -> float:
    match condition:
        case Price(symbol=symbol, side=side):
            tick = readings.tick(symbol)
            return math.nan if tick is None else float(getattr(tick, side))
        case Move():
            return _move(condition, readings)
        case Feature(symbol=symbol, formula=formula):
            return readings.formula(symbol, formula)
        case Forecast(symbol=symbol, figure=figure):
            return readings.forecast(symbol, figure)
        case Risk(figure=figure):
            return readings.risk(figure)
        case Profit(of=of, symbol=symbol):
            return readings.profit(of, symbol)
        case Health(figure=figure, of=of):
            return readings.health(figure, of)
        case _:
            return math.nan


def _move(condition: Move, readings: Readings) -> float:
    tick = readings.tick(condition.symbol)
    if tick is None:
        return math.nan
    began = readings.bid_before(
        condition.symbol, tick.ts_ns - condition.window_minutes * NS_PER_MINUTE
    )
    moved = 100.0 * (tick.bid / began - 1.0)
    return abs(moved) if condition.direction == "either" else moved


def _part(condition: Component, readings: Readings) -> Sighting:
    """The worst of the parts that are meant; NaN when there is none of that name."""
    found = {
        name: status for name, status in readings.statuses().items() if condition.name in {"", name}
    }
    if not found:
        return Sighting(math.nan, f"there is no part {condition.name}")
    name = max(found, key=lambda each: RANKS.get(found[each], 0.0))
    return Sighting(RANKS.get(found[name], 0.0), f"{name} is {found[name]}")


def _silence(condition: Silence, readings: Readings, wall_ns: int) -> Sighting:
    heard_ns = readings.heard_ns(condition.what, condition.of)
    is_market = condition.what != "heartbeat"
    if heard_ns is None or (is_market and not readings.is_open(condition.of)):
        return Sighting(math.nan, f"{title_of(condition)}: nothing is expected now")
    now_ns = readings.now_ns() if is_market else wall_ns
    silent_s = max(0.0, (now_ns - heard_ns) / NS_PER_SECOND)
    return Sighting(silent_s, f"no {condition.what} {condition.of} for {silent_s:.0f} s")
