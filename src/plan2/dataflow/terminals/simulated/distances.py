"""Prices and their least distances: the grid, the stops level and the freeze level.

Distances are in points. A long is closed at the bid, so its stops are measured from the bid; a
short's from the ask. With a stops level of 0 a price must still lie a point away.
"""

from plan2.dataflow.terminals.port import Trigger
from plan2.dataflow.terminals.simulated.book import Position
from plan2.dataflow.terminals.simulated.orders import BrokerOrder, opening_price
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Side, Tick

POINT_TOLERANCE = 1e-6
GRID_TOLERANCE = 1e-4

Stops = tuple[float, float]
"""Stop-loss and take-profit, 0.0 = none."""


def is_on_grid(price: float, instrument: Instrument) -> bool:
    """Whether a price is a whole number of points."""
    points = instrument.points(price)
    return abs(points - round(points)) < GRID_TOLERANCE


def has_valid_stops(side: Side, stops: Stops, instrument: Instrument, tick: Tick) -> bool:
    """Whether both stops of a position opened or held now lie where they may."""
    market = tick.bid if side is Side.BUY else tick.ask
    return are_stops_valid(side, stops, instrument, market)


def are_stops_valid(side: Side, stops: Stops, instrument: Instrument, price: float) -> bool:
    """Whether both stops are on the grid and far enough on their side of `price`."""
    stop_loss, take_profit = stops
    least = _least(instrument)
    loss = side * instrument.points(price - stop_loss)
    gain = side * instrument.points(take_profit - price)
    is_far = (not stop_loss or loss >= least) and (not take_profit or gain >= least)
    return is_far and all(is_on_grid(stop, instrument) for stop in stops)


def is_pending_price_valid(
    side: Side, trigger: Trigger, prices: tuple[float, float], instrument: Instrument, tick: Tick
) -> bool:
    """Whether price and limit price lie far enough on their side of the market.

    A limit lies on the good side, a stop on the bad one; the limit of a stop-limit lies on the good
    side of its stop.
    """
    price, limit_price = prices
    least = _least(instrument)
    beyond = side * instrument.points(price - opening_price(side, tick))
    if trigger is Trigger.LIMIT:
        return -beyond >= least
    if trigger is Trigger.STOP:
        return beyond >= least
    return beyond >= least and side * instrument.points(price - limit_price) >= least


def is_order_frozen(order: BrokerOrder, instrument: Instrument, tick: Tick) -> bool:
    """Whether a working order is about to be reached, so that it must be left alone."""
    away = abs(instrument.points(opening_price(order.side, tick) - order.level))
    return _is_within_freeze(away, instrument)


def is_position_frozen(position: Position, instrument: Instrument, tick: Tick) -> bool:
    """Whether a stop of a position is about to be reached."""
    market = tick.bid if position.side is Side.BUY else tick.ask
    stops = [stop for stop in (position.stop_loss, position.take_profit) if stop]
    away = (abs(instrument.points(market - stop)) for stop in stops)
    return any(_is_within_freeze(points, instrument) for points in away)


def _is_within_freeze(points: float, instrument: Instrument) -> bool:
    level = instrument.freeze_level_points
    return level > 0 and points <= level + POINT_TOLERANCE


def _least(instrument: Instrument) -> float:
    return max(instrument.stops_level_points, 1) - POINT_TOLERANCE
