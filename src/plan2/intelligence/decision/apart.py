"""The shared market's quote beside that of an account at another broker, and how far they differ.

Nothing is ever translated from one broker to the other: what is too far apart is refused
(`decide_apart`).
"""

import math
from typing import Final

import msgspec

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, Tick


class Tolerance(msgspec.Struct, frozen=True, kw_only=True):
    """How far two brokers' quotes may be from each other; at a limit is still within it.

    Attributes:
        age_max_ms: of either quote, by the clock.
        gap_max_spreads: between the mids, in means of both spreads (never less than a point).
        spread_max_ratio: own spread over the shared market's (never less than a point).
    """

    age_max_ms: float = 1_000.0
    gap_max_spreads: float = 1.0
    spread_max_ratio: float = 2.0


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """What an account at another broker compares before it follows a forecast.

    `market` is the shared market's quote, `now_ns` the clock's time, `terms` why a lot or a price
    of the symbol does not mean the same at both brokers (empty when it does).
    """

    market: Tick
    now_ns: int
    terms: str
    tolerance: Tolerance

    def age_ms(self, tick: Tick) -> float:
        """How far a quote's time is from the clock's, in either direction, milliseconds."""
        return abs(self.now_ns - tick.ts_ns) / NS_PER_MS

    def gap_spreads(self, own: Tick, instrument: Instrument) -> float:
        """Distance of the mids in means of both spreads."""
        return gap_in_spreads(own, self.market, instrument)

    def spread_ratio(self, own: Tick, instrument: Instrument) -> float:
        """The account's spread over the shared market's."""
        return _spread(own) / max(_spread(self.market), instrument.point)


SAME: Final = ("base", "quote", "digits", "contract_size")
"""Terms that must be equal: limits in points, sizes in lots and rates are meant in them."""
TICK_BLUR: Final = 0.02
"""Values of a tick that are nearer than this are the same, measured through other quotes."""
COMMISSION_MAX_RATIO: Final = 2
"""Own commission per lot over the shared market's: models learned what is worth that cost."""


def terms_apart(shared: Instrument, own: Instrument) -> str:
    """Why a symbol is not the same thing at both brokers; empty when it is."""
    different = [
        f"{name} {getattr(own, name)} instead of {getattr(shared, name)}"
        for name in SAME
        if getattr(own, name) != getattr(shared, name)
    ]
    if not math.isclose(own.lot_units, shared.lot_units, rel_tol=TICK_BLUR) and not different:
        different.append(
            f"a price that rises by 1 brings a lot {own.lot_units:g} instead of "
            f"{shared.lot_units:g} {shared.quote}"
        )
    if own.commission_per_lot > COMMISSION_MAX_RATIO * shared.commission_per_lot:
        different.append(
            f"commission {own.commission_per_lot} per lot, more than {COMMISSION_MAX_RATIO} times "
            f"{shared.commission_per_lot}"
        )
    return ", ".join(different)


def gap_in_spreads(own: Tick, market: Tick, instrument: Instrument) -> float:
    """Distance of two quotes' mids in means of their spreads, which count as a point at least."""
    mean = (_spread(own) + _spread(market)) / 2.0
    return abs(own.mid - market.mid) / max(mean, instrument.point)


def _spread(tick: Tick) -> float:
    return tick.ask - tick.bid
