"""How far the price may run away from an exit on its way, where the broker's execution is instant.

An entry is better requoted; an exit that is requoted in a fast market leaves the risk open. But a
point is not worth the same everywhere: 500 of them are half a percent of EURUSD, a hundredth of a
percent of a coin at 60,000 dollars with two decimals, and a quarter of a share of 20 dollars, which
nobody means to give away. So shares of the price bound it on both sides.
"""

from typing import Final

from plan2.foundation.instrument import Instrument

SLIP_POINTS: Final = 500
SLIP_FRACTION: Final = 0.003
"""Of the price: as much is allowed where it is more than those points."""
SLIP_MAX_FRACTION: Final = 0.01
"""Of the price: no more is allowed where it is less than those points."""
SLIP_MIN_POINTS: Final = 20
"""As much as an entry may, in any case."""


def exit_deviation(instrument: Instrument, price: float) -> int:
    """Points that an exit at a price may slip."""
    if not price > 0.0:
        return SLIP_POINTS
    one_percent = instrument.points(price * SLIP_MAX_FRACTION)
    usual = max(SLIP_POINTS, instrument.points(price * SLIP_FRACTION))
    return max(SLIP_MIN_POINTS, int(min(usual, one_percent)))
