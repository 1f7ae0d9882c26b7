"""What is planted in a simulated market, at the events of a data set: the most that can be known.

The market is drawn again from its seed. Where the ticks are the same to the bit, its latent drift
at an event is known, and betting on the drift's sign is the best that anybody could do who sees no
outcome. A model that is right more often than that knows more than there is to know: a leak.
"""

from typing import NamedTuple

import numpy as np

from plan2.dataflow.terminals.simulated.instruments import SYMBOLS
from plan2.dataflow.terminals.simulated.market import SyntheticMarket
from plan2.dataflow.terminals.simulated.origin import Origin
from plan2.foundation.values import (
    NS_PER_HOUR,
    NS_PER_MINUTE,
    Float64Array,
    Int64Array,
    TickBlock,
)
from plan2.intelligence.training.dataset import Dataset, SymbolSamples

SAME_MIN = 0.99
"""Share of the events whose quote the market drawn again must have had."""


class Event(NamedTuple):
    """Events of a symbol: times in UTC ns, int64[n] rising, and the mids there, float64[n]."""

    ts_ns: Int64Array
    mid: Float64Array


def planted_sides(dataset: Dataset, origin: Origin) -> Float64Array | None:
    """The sign of the planted drift at each row, float64[n]: +1, −1, or 0 where none is planted.

    None when the ticks are not those of this market, of which nothing is known then.
    """
    sides = np.zeros(len(dataset))
    same = 0
    for code, samples in enumerate(dataset.series):
        mine = np.flatnonzero(dataset.symbol == code)
        if len(mine) == 0:
            continue
        if samples.symbol not in SYMBOLS:
            return None
        sides[mine], found = _drawn_again(samples, _events(samples, dataset.event[mine]), origin)
        same += found
    return sides if same >= SAME_MIN * len(dataset) else None


def _events(samples: SymbolSamples, events: Int64Array) -> Event:
    bars = samples.event_bar[events]
    return Event(samples.bar_ts[bars], samples.mid[bars])


def _drawn_again(samples: SymbolSamples, events: Event, origin: Origin) -> tuple[Float64Array, int]:
    """The drift's sign at a symbol's events, and at how many the quote is the same."""
    market = SyntheticMarket(origin.seed, (samples.symbol,), origin.start_ns, origin.strength)
    minutes, drifts = [np.empty(0, np.int64)], [np.empty(0)]
    same = 0
    # The minute after the last event is needed too.
    for hour in market.hours(int(events.ts_ns[-1]) + NS_PER_HOUR):
        hour_ns = (market.position_ns - 1) // NS_PER_HOUR * NS_PER_HOUR
        minutes.append(hour_ns + np.arange(60) * NS_PER_MINUTE)
        drifts.append(market.planted_drift(samples.symbol))
        same += _same_quotes(hour[samples.symbol], events)
    starts = np.concatenate(minutes)
    # What the drift becomes depends on the shock of the minute in progress, which a model sees.
    following = np.searchsorted(starts, events.ts_ns, side="right")
    sides = np.sign(np.concatenate(drifts)[np.minimum(following, len(starts) - 1)])
    return sides, same


def _same_quotes(block: TickBlock, events: Event) -> int:
    """How many of the events within a block have a tick of their time and mid in it."""
    if len(block) == 0:
        return 0
    first, last = np.searchsorted(events.ts_ns, [block.ts_ns[0], block.ts_ns[-1] + 1])
    asked = events.ts_ns[first:last]
    mids = (block.bid + block.ask) * 0.5
    at = np.searchsorted(block.ts_ns, asked)
    return int(((block.ts_ns[at] == asked) & (mids[at] == events.mid[first:last])).sum())
