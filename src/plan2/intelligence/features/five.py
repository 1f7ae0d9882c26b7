"""Five named indicators of every tick in one compiled call: RSI, MACD, SMA, EMA, Bollinger.

Parameters 14, 12/26/9, 20, 20 and 20/2 over ticks, not bars. Unlike the bar indicators they have
values from the first tick on: averages start as the first price (RSI's gains and losses as zero),
windows use what they hold. `five_next` can be called from other compiled loops.
"""

import math
from typing import Annotated

import numpy as np
import numpy.typing as npt

from plan2.foundation.values import Float64Array
from plan2.intelligence.features.kernels import (
    entry,
    kernel,
    machine_code,
    population_variance,
    rsi_of,
)
from plan2.intelligence.features.records import Fixed, record_dtype

WINDOW = 20
NAMES = ("rsi", "macd", "signal", "sma", "ema", "upper", "middle", "lower")
ALPHA_RSI, ALPHA_FAST, ALPHA_SLOW, ALPHA_SIGNAL, ALPHA_EMA = 1 / 14, 2 / 13, 2 / 27, 2 / 10, 2 / 21
DEVIATIONS = 2.0


class FiveState:
    """The eight outputs, then the memory."""

    rsi: float
    macd: float
    signal: float
    sma: float
    ema: float
    upper: float
    middle: float
    lower: float
    count: int
    last: float
    gain: float
    loss: float
    fast: float
    slow: float
    slot: int
    anchor: float
    total: float
    squares: float
    ring: Annotated[Float64Array, Fixed((WINDOW,))]


FIVE_DTYPE = record_dtype(FiveState, 1)


@kernel
def push_price(state: FiveState, price: float) -> None:
    """Keep the sums of deviations from an anchor; each time the ring is full they start afresh."""
    slot = state.slot
    leaving = state.ring[slot] - state.anchor
    state.ring[slot] = price
    state.slot = slot + 1
    if state.slot < WINDOW:
        deviation = price - state.anchor
        state.total += deviation
        state.squares += deviation * deviation
        if state.count > WINDOW:
            state.total -= leaving
            state.squares -= leaving * leaving
        return
    state.slot = 0
    state.anchor = price
    state.total = 0.0
    state.squares = 0.0
    for held in state.ring:
        state.total += held - price
        state.squares += (held - price) * (held - price)


@kernel
def five_next(state: FiveState, price: float) -> None:
    """Bring all five up to date with one price."""
    if state.count == 0:
        state.last = price
        state.fast = price
        state.slow = price
        state.ema = price
        state.anchor = price
    change = price - state.last
    state.last = price
    state.gain += ALPHA_RSI * (max(change, 0.0) - state.gain)
    state.loss += ALPHA_RSI * (max(-change, 0.0) - state.loss)
    state.rsi = rsi_of(state.gain, state.loss)
    state.fast += ALPHA_FAST * (price - state.fast)
    state.slow += ALPHA_SLOW * (price - state.slow)
    state.macd = state.fast - state.slow
    state.signal += ALPHA_SIGNAL * (state.macd - state.signal)
    state.ema += ALPHA_EMA * (price - state.ema)
    state.count += 1
    push_price(state, price)
    held = min(WINDOW, state.count)
    reach = DEVIATIONS * math.sqrt(population_variance(state.total, state.squares, held))
    state.sma = state.anchor + state.total / held
    state.middle = state.sma
    state.upper = state.sma + reach
    state.lower = state.sma - reach


@entry
def five_step(records: npt.NDArray[np.void], price: float) -> None:
    """One price from Python."""
    five_next(records[0], price)


@entry
def five_run(records: npt.NDArray[np.void], prices: Float64Array) -> None:
    """A column of prices in one call."""
    state = records[0]
    for index in range(prices.shape[0]):
        five_next(state, prices[index])


class FiveIndicators:
    """The five indicators of one price series.

    Attributes:
        values: float64[8] in the order of `NAMES`, overwritten by each update.
    """

    def __init__(self) -> None:
        self._records = np.zeros(1, FIVE_DTYPE)
        self.values: Float64Array = self._records.view(np.float64)[: len(NAMES)]
        self._step = machine_code(five_step, self._records, 0.0)

    def update(self, price: float) -> None:
        """Take one price; finite and positive is the caller's promise."""
        self._step(self._records, price)

    def run(self, prices: Float64Array) -> None:
        """Take a column of prices, float64[n]."""
        five_run(self._records, np.require(prices, np.float64, ["C", "W"]))
