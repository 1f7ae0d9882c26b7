"""Where a stop should be: trailing, break-even and emergency stops as pure arithmetic.

A stop is only ever tightened, keeps the broker's least distance from the market, and lies on the
price grid. Distances are multiples of R, the initial risk: |open price − first stop|.
"""

import math
from collections.abc import Mapping, Sequence

from plan2.foundation.config.schema import Management
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Side, Tick
from plan2.intelligence.decision.policy import commission_per_unit
from plan2.intelligence.flows.flow import Partial
from plan2.intelligence.trading.positions import Position

ROUNDING = 1e-9
"""Prices are sums of binary fractions; a step that is short by this share is a step."""


def exit_price(position: Position, tick: Tick) -> float:
    """What closing the position gives now."""
    return tick.bid if position.side is Side.BUY else tick.ask


def initial_risk(position: Position) -> float:
    """R, in quote currency per unit; 0.0 when it never had a stop."""
    if not position.initial_stop:
        return 0.0
    return abs(position.open_price - position.initial_stop)


def tighter_stop(
    position: Position, tick: Tick, instrument: Instrument, quote_rate: float, rules: Management
) -> tuple[float, str] | None:
    """A better stop and why, or None when the present one is good enough or cannot be moved.

    `quote_rate`: account currency per unit of quote currency.
    """
    risk = initial_risk(position)
    if not risk > 0.0 or _is_frozen(position, tick, instrument):
        return None
    side, price = position.side, exit_price(position, tick)
    wanted: list[tuple[float, str]] = []
    if rules.trailing_distance_r > 0.0:
        wanted.append((price - side * rules.trailing_distance_r * risk, "trailing"))
    gained = side * (price - position.open_price)
    if rules.break_even_after_r > 0.0 and gained >= rules.break_even_after_r * risk:
        cost = _cost(position, instrument, quote_rate)
        wanted.append((position.open_price + side * cost, "break_even"))
    better = [
        (stop, why)
        for level, why in wanted
        if (stop := _allowed(side, level, price, instrument)) > 0.0
        and _is_worth_it(position, stop, why, rules.trailing_step_r * risk)
    ]
    return max(better, key=lambda item: side * item[0], default=None)


def flow_stop(
    position: Position, tick: Tick, instrument: Instrument, exits: Mapping[str, float]
) -> tuple[float, str] | None:
    """A better stop as a position's flow wants it, or None; `exits`: see `flow_exits`."""
    if _is_frozen(position, tick, instrument):
        return None
    side, price = position.side, exit_price(position, tick)
    wanted: list[tuple[float, str]] = []
    trailing = exits.get("trailing", 0.0)
    if trailing > 0.0:
        wanted.append((price - side * trailing, "trailing"))
    risk, after_r = initial_risk(position), exits.get("break_even_after_r", 0.0)
    gained = side * (price - position.open_price)
    if after_r > 0.0 and risk > 0.0 and gained >= after_r * risk * (1.0 - ROUNDING):
        offset = exits.get("break_even_offset", 0.0)
        wanted.append((position.open_price + side * offset, "break_even"))
    better = [
        (stop, why)
        for level, why in wanted
        if (stop := _allowed(side, level, price, instrument)) > 0.0
        and _is_worth_it(position, stop, why, exits.get("trailing_step", 0.0))
    ]
    return max(better, key=lambda item: side * item[0], default=None)


def partial_close(
    position: Position, tick: Tick, instrument: Instrument, partials: Sequence[Partial]
) -> float:
    """Lots to close now, because a share's profit is reached; 0.0 when none is due.

    Shares are of the position as it was opened. What was closed already, by whomever, counts.
    """
    risk = initial_risk(position)
    if not risk > 0.0:
        return 0.0
    gained = position.side * (exit_price(position, tick) - position.open_price)
    due = sum(
        instrument.round_volume_down(part.fraction * position.opened_quantity)
        for part in partials
        if gained >= part.at_r * risk * (1.0 - ROUNDING)
    )
    closed = position.opened_quantity - position.quantity
    lots = instrument.round_volume_down(due - closed)
    return lots if lots < position.quantity - instrument.volume_min / 2 else 0.0


def emergency_stop(
    position: Position, tick: Tick, instrument: Instrument, fraction: float
) -> float:
    """The first stop while it is on the right side of the market, else one `fraction` away."""
    price = exit_price(position, tick)
    level = position.initial_stop or price * (1.0 - position.side * fraction)
    if position.side * (price - level) <= 0.0:
        level = price * (1.0 - position.side * fraction)
    return _allowed(position.side, level, price, instrument)


def _allowed(side: Side, level: float, price: float, instrument: Instrument) -> float:
    """`level` moved away from the market as far as the broker demands, on the grid; 0.0 for NaN."""
    if not math.isfinite(level):
        return 0.0
    least = instrument.stops_level_points * instrument.point
    nearest = price - side * least
    return instrument.round_price(min(level, nearest) if side > 0 else max(level, nearest))


def _is_worth_it(position: Position, stop: float, why: str, step: float) -> bool:
    """Whether the stop gets tighter, when trailing by at least a step."""
    if not position.stop_loss:
        return True
    gain = position.side * (stop - position.stop_loss)
    least = step * (1.0 - ROUNDING) if why == "trailing" else 0.0
    return gain > 0.0 and gain >= least


def _cost(position: Position, instrument: Instrument, quote_rate: float) -> float:
    """Commission of both sides and the swap so far, quote currency per unit; NaN without rate."""
    if not quote_rate > 0.0:
        return math.nan
    swap = max(0.0, -float(position.swap))
    units = position.quantity * instrument.lot_units * quote_rate
    return commission_per_unit(instrument, quote_rate) + swap / units


def _is_frozen(position: Position, tick: Tick, instrument: Instrument) -> bool:
    """Whether a stop is so near that the broker lets nobody change them."""
    freeze = instrument.freeze_level_points * instrument.point
    if freeze <= 0.0:
        return False
    price = exit_price(position, tick)
    stops = (position.stop_loss, position.take_profit)
    return any(stop and abs(price - stop) <= freeze for stop in stops)
