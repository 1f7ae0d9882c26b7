"""What a symbol is and every rounding rule that belongs to it."""

import enum
import functools
import math
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Final

import msgspec

from plan2.foundation.errors import require
from plan2.foundation.values import Side

CENT = Decimal("0.01")
MEASURED: Final = frozenset(
    {"margin_rate_long", "margin_rate_short", "margin_initial", "tick_value", "commission_per_lot"}
)
"""Contract data that are measured, through quotes or deals, and so never quite the same."""
MEASURED_BLUR: Final = 0.02
"""Of these, values that are nearer to each other than this are the same."""
NATURE: Final = frozenset({"symbol", "base", "quote", "digits", "contract_size", "tick_size"})
"""What a symbol is: with another one of these, lots and prices mean something else."""
IN_PASSING: Final = frozenset(
    {"swap_long_points", "swap_short_points", "swap_rollover3days", "description"}
)
"""What brokers change every day and no order is checked against."""


class MarginMode(enum.StrEnum):
    """What the margin of a symbol is a share of; MetaTrader's calculation modes fall into these."""

    LEVERAGE = "leverage"
    """Value / leverage · rate: FOREX, CFDLEVERAGE."""
    VALUE = "value"
    """Value · rate, whatever the account's leverage: CFD, CFDINDEX, FOREX_NO_LEVERAGE, shares."""
    LOT = "lot"
    """Lots · initial margin · rate, whatever the price: FUTURES, or a symbol with such a figure."""


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """Contract data of one symbol, in MetaTrader's terms.

    Attributes:
        digits: decimals of a price. point: 10**-digits.
        base: currency or metal that is traded; the symbol itself for an index, a share, a future.
        contract_size: units of the base in one lot.
        tick_value: what a lot gains by one `tick_size` of the price, quote currency, where the
            broker says so instead of by the contract size (futures, bonds); 0 = by the contract
            size. tick_size: that step of the price.
        volume_min, volume_step, volume_max: lots.
        stops_level_points: least distance of stops and pending prices from the market, points.
        swap_long_points, swap_short_points: credited (+) or charged (-) per lot and night, points.
        swap_rollover3days: weekday that books three nights (0 = Sunday … 3 = Wednesday).
        commission_per_lot: account currency, per lot and side. leverage: of the account.
        margin_mode: what the margin is a share of. margin_rate_long, margin_rate_short: the
            broker's own factors for buys and sells, above 0. margin_initial: quote currency per
            lot, for the mode LOT.
    """

    symbol: str
    base: str
    quote: str
    digits: int
    contract_size: float = 100_000.0
    volume_min: float = 0.01
    volume_step: float = 0.01
    volume_max: float = 100.0
    stops_level_points: int = 0
    freeze_level_points: int = 0
    swap_long_points: float = 0.0
    swap_short_points: float = 0.0
    swap_rollover3days: int = 3
    commission_per_lot: Decimal = Decimal("3.50")
    leverage: float = 30.0
    description: str = ""
    margin_mode: MarginMode = MarginMode.LEVERAGE
    margin_rate_long: float = 1.0
    margin_rate_short: float = 1.0
    margin_initial: float = 0.0
    tick_size: float = 0.0
    tick_value: float = 0.0

    @property
    def lot_units(self) -> float:
        """What a lot gains when its price rises by one, quote currency: the value of a unit move.

        The contract size, or a tick's value by its size; times the price it is what a lot is worth.
        """
        if self.tick_value > 0.0:
            return _ticks_worth(self.tick_value, self.tick_size)[1]
        return self.contract_size

    @property
    def point(self) -> float:
        """The unit of the last decimal."""
        return float(10.0**-self.digits)

    @property
    def pip(self) -> float:
        """Ten points for 3- and 5-digit symbols, else one point."""
        return self.point * 10 if self.digits in {3, 5} else self.point

    def round_price(self, price: float) -> float:
        """Nearest price on the grid; halves go to the even neighbour as Python rounds."""
        return round(price, self.digits)

    def points(self, price_difference: float) -> float:
        """A price difference in points."""
        return price_difference * 10.0**self.digits

    def whole_points(self, distance: float) -> float:
        """A distance of 0 or more in whole points, in price; halves go up."""
        scale = 10.0**self.digits
        return math.floor(distance * scale + 0.5) / scale

    def round_volume_down(self, lots: float) -> float:
        """Largest tradable volume not above `lots`; 0.0 when even the minimum is too much."""
        steps = math.floor(min(lots, self.volume_max) / self.volume_step + 1e-9)
        volume = round(steps * self.volume_step, 8)
        return volume if volume >= self.volume_min - 1e-12 else 0.0

    def is_tradable_volume(self, lots: float) -> bool:
        """Whether the broker would accept this volume."""
        steps = lots / self.volume_step
        on_grid = abs(steps - round(steps)) < 1e-6
        return on_grid and self.volume_min - 1e-12 <= lots <= self.volume_max + 1e-12

    def profit(
        self, side: Side, lots: float, opened: float, closed: float, quote_rate: float
    ) -> Decimal:
        """Gross profit in account currency, rounded to the cent.

        Formula: side · (closed − opened) · lots · contract size · rate; of a symbol with a tick
        value, which MetaTrader's futures have, · tick value / tick size instead of the contract
        size (MQL5 reference, ENUM_SYMBOL_CALC_MODE).
        `quote_rate`: account currency per unit of quote currency.
        """
        require(quote_rate > 0, f"{self.symbol}: no rate from {self.quote} to account currency")
        move = side.value * (Decimal(repr(closed)) - _exact(opened))
        return self._worth(move, lots, quote_rate)

    def swap(self, side: Side, lots: float, nights: int, quote_rate: float) -> Decimal:
        """What so many nights bring, account currency, rounded to the cent; negative = a charge.

        Formula (MetaTrader swap mode POINTS): points · point · nights as a move of the price.
        """
        points = self.swap_long_points if side is Side.BUY else self.swap_short_points
        move = Decimal(repr(points)).scaleb(-self.digits) * nights
        return self._worth(move, lots, quote_rate)

    def commission(self, lots: float) -> Decimal:
        """What one side costs, in account currency, as a positive amount."""
        return (self.commission_per_lot * Decimal(repr(lots))).quantize(CENT)

    def margin(self, side: Side, lots: float, base_rate: float, quote_rate: float) -> Decimal:
        """Margin that an entry binds, account currency; the rates are what a unit is worth in it.

        Formulas: MQL5 reference, ENUM_SYMBOL_CALC_MODE (`MarginMode` says which is which). The
        price is in `base_rate`: an index or a share is its own base.
        """
        if self.margin_mode is MarginMode.LOT:
            amount = lots * self.margin_initial * quote_rate
        else:
            amount = lots * self.lot_units / self._divisor * base_rate
        return Decimal(repr(amount * self.margin_rate(side))).quantize(CENT)

    def margin_of(self, side: Side, lots: float, value: float, quote_rate: float) -> float:
        """As `margin` to the float, of lots whose value in account currency is known."""
        if self.margin_mode is MarginMode.LOT:
            return lots * self.margin_initial * quote_rate * self.margin_rate(side)
        return value / self._divisor * self.margin_rate(side)

    def lots_within(
        self, side: Side, margin_free: float, lot_value: float, quote_rate: float
    ) -> float:
        """Lots that a free margin carries, where one is worth `lot_value` in account currency."""
        if self.margin_mode is MarginMode.LOT:
            return margin_free / self.margin_of(side, 1.0, lot_value, quote_rate)
        return margin_free * self._divisor / lot_value / self.margin_rate(side)

    def margin_rate(self, side: Side) -> float:
        """The broker's own factor for this side."""
        return self.margin_rate_long if side is Side.BUY else self.margin_rate_short

    def _worth(self, move: Decimal, lots: float, quote_rate: float) -> Decimal:
        """What a move of the price is worth, account currency, rounded to the cent."""
        units = _exact(lots) * _exact(self.tick_value or self.contract_size)
        amount = move * units * _exact(quote_rate)
        if self.tick_value > 0.0:  # at the end, so that only the quotient is rounded
            amount /= _exact(self.tick_size)
        return amount.quantize(CENT, rounding=ROUND_HALF_EVEN)

    @property
    def _divisor(self) -> float:
        """What the value is divided by: 1.0 where the account's leverage does not count."""
        return self.leverage if self.margin_mode is MarginMode.LEVERAGE else 1.0


class EarlierContract(msgspec.Struct, frozen=True, kw_only=True):
    """Contract data that held until a time, UTC nanoseconds."""

    until_ns: int
    instrument: Instrument


def changed_terms(told: Instrument, known: Instrument) -> frozenset[str]:
    """Names of the contract data that are no longer what they were."""
    return frozenset(
        name
        for name in Instrument.__struct_fields__
        if not _is_same(name, getattr(told, name), getattr(known, name))
    )


def _is_same(name: str, told: object, known: object) -> bool:
    if name not in MEASURED:
        return told == known
    return math.isclose(float(str(told)), float(str(known)), rel_tol=MEASURED_BLUR)


@functools.lru_cache(maxsize=4_096)
def _exact(value: float) -> Decimal:
    """The number as it is written; kept, because a position's own are asked for on every tick."""
    return Decimal(repr(value))


@functools.lru_cache(maxsize=1_024)
def _ticks_worth(tick_value: float, tick_size: float) -> tuple[Fraction, float]:
    """What a price higher by one is worth, exactly and as a float; asked for on every tick."""
    units = Fraction(_exact(tick_value)) / Fraction(_exact(tick_size))
    return units, float(units)


def exact_units(instrument: Instrument) -> Fraction:
    """As `lot_units`, of the decimals that the broker wrote, for arithmetic without loss."""
    if instrument.tick_value > 0.0:
        return _ticks_worth(instrument.tick_value, instrument.tick_size)[0]
    return Fraction(_exact(instrument.contract_size))


def stop_price(instrument: Instrument, side: Side, entry: float, distance: float) -> float:
    """A protective price `distance` away on the losing side of `entry`, on the price grid."""
    return instrument.round_price(entry - side.value * distance)
