"""How far the price must go for a forecast to come true: one formula for labels and for serving."""

import math


def barrier_width(sigma: float, sigmas: float, horizon_bars: float) -> float:
    """Distance of both barriers from the mid price, in the unit of `sigma` (quote currency).

    Formula: sigmas · sigma · √(horizon in bars), the standard deviation of a random walk over the
    horizon, scaled. `sigma` is the streaming standard deviation of one bar's change; NaN in gives
    NaN out, which means "not known yet".
    """
    return sigmas * sigma * math.sqrt(horizon_bars)
