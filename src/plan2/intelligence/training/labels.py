"""Labels: what became of a bet that started at an event, at prices we would really have got.

Proposition of an event at t0: within the horizon the mid price rises by the barrier before it falls
by as much; if it does neither, the sign of its change decides. Beside it stands the net result of
each side as a trade. Barriers come from the state at t0 only, so nothing after t0 can move them. An
event that the data do not resolve stays pending, and pending events are never training rows; live
outcomes are computed by this same function.
"""

import enum
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from numba import njit

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import (
    NS_PER_DAY,
    NS_PER_HOUR,
    NS_PER_MS,
    NS_PER_SECOND,
    Float64Array,
    Int64Array,
)
from plan2.intelligence.models.barrier import barrier_width

LABEL_VERSION = 1
LONG, SHORT = 0, 1

LabelRows = npt.NDArray[np.void]
"""Structured array of `LABEL`."""

Row: TypeAlias = Any  # one record of `LABEL`; numba refuses an unknown name when it compiles

LABEL = np.dtype(
    [
        ("t0", np.int64),  # time of the event, UTC ns
        ("t1", np.int64),  # time at which everything about it was known, UTC ns
        ("status", np.int8),
        ("side", np.int8),  # the proposition: +1 up, -1 down, 0 unchanged at the horizon
        ("mid", np.float64),  # at t0; this and all that follow in quote currency per base unit
        ("spread", np.float64),
        ("sigma", np.float64),  # standard deviation of one bar's change, from the state at t0
        ("barrier", np.float64),
        ("cost", np.float64),  # known at t0: spread + commission + slippage
        ("commission", np.float64),
        ("slippage", np.float64),
        ("spread_in", np.float64),  # half the spread at the entry tick
        # the rest for [LONG, SHORT]; net is gross less every cost component
        ("gross", np.float64, (2,)),
        ("spread_out", np.float64, (2,)),
        ("swap", np.float64, (2,)),
        ("net", np.float64, (2,)),
        ("late", np.float64, (2,)),  # net result when the entry comes one tick later
        ("mae", np.float64, (2,)),
        ("mfe", np.float64, (2,)),
        ("hold_s", np.float64, (2,)),
    ]
)


class Status(enum.IntEnum):
    """How far an event has got."""

    PENDING = 0
    RESOLVED = 1
    UNTRADEABLE = 2
    """The barrier is less than the required multiple of the cost known at t0."""
    INTERRUPTED = 3
    """The feed had a hole inside the horizon."""


class LabelRules(msgspec.Struct, frozen=True, kw_only=True):
    """What an event's label means; part of a model's manifest."""

    horizon_s: int = 7_200
    bar_period_s: int = 60
    barrier_sigmas: float = 0.75
    latency_ms: int = 100
    cost_multiple_min: float = 3.0
    gap_s: int = 1_800
    rollover_hour_utc: int = 22
    version: int = LABEL_VERSION

    @property
    def horizon_bars(self) -> float:
        """The horizon in bars."""
        return self.horizon_s / self.bar_period_s


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """Costs besides the spread, in quote currency per unit of the base; positive is paid.

    Commission and slippage are for the round trip, swaps per night; `triple_weekday` books three
    nights (0 = Sunday, as MetaTrader counts).
    """

    commission: float = 0.0
    slippage: float = 0.0
    swap_long: float = 0.0
    swap_short: float = 0.0
    triple_weekday: int = 3


class Tape(NamedTuple):
    """Ticks as columns: UTC ns and quote currency, in time order."""

    ts_ns: Int64Array
    bid: Float64Array
    ask: Float64Array


class _Terms(NamedTuple):
    horizon_ns: int
    latency_ns: int
    gap_ns: int
    rollover_ns: int
    triple_weekday: int
    swap: tuple[float, float]


_NOT_YET = -1
_HOLE = -2
_PENDING, _RESOLVED, _INTERRUPTED = int(Status.PENDING), int(Status.RESOLVED), int(Status(3))


def costs_of(instrument: Instrument, mid: float, account_currency: str = "USD") -> Costs:
    """Costs of a symbol in its quote currency, from the broker's contract data.

    The commission is in account currency; it is converted at `mid` when the account's currency is
    the base, and for crosses taken as if the base were worth one unit of it, which overstates the
    cost of bases that are worth more.
    """
    commission = 2.0 * float(instrument.commission_per_lot) / instrument.lot_units
    if instrument.quote != account_currency:
        commission *= mid
    return Costs(
        commission=commission,
        swap_long=-instrument.swap_long_points * instrument.point,
        swap_short=-instrument.swap_short_points * instrument.point,
        triple_weekday=instrument.swap_rollover3days,
    )


def open_events(tape: Tape, sigma: Float64Array, rules: LabelRules) -> LabelRows:
    """Pending rows, one for each tick given; the barrier follows from that moment alone.

    Args:
        tape: the ticks at which the events happened, not the whole history.
        sigma: float64[n], streaming standard deviation of one bar's change, quote currency.
        rules: what the label means.
    """
    rows = np.zeros(len(tape.ts_ns), LABEL)
    rows["t0"] = tape.ts_ns
    rows["t1"] = tape.ts_ns
    rows["mid"] = (tape.bid + tape.ask) * 0.5
    rows["spread"] = tape.ask - tape.bid
    rows["sigma"] = sigma
    rows["barrier"] = sigma * barrier_width(1.0, rules.barrier_sigmas, rules.horizon_bars)
    return rows


def resolve(rows: LabelRows, tape: Tape, rules: LabelRules, costs: Costs) -> None:
    """Resolve, in place, every pending row that the tape allows; the others stay pending.

    The tape must contain the ticks of the pending rows and all that followed.
    """
    pending = rows["status"] == Status.PENDING
    for name, amount in (("commission", costs.commission), ("slippage", costs.slippage)):
        rows[name][pending] = amount
    rows["cost"][pending] = rows["spread"][pending] + costs.commission + costs.slippage
    worth = rows["barrier"] >= rules.cost_multiple_min * rows["cost"]
    rows["status"][pending & ~worth] = Status.UNTRADEABLE
    terms = _Terms(
        rules.horizon_s * NS_PER_SECOND,
        rules.latency_ms * NS_PER_MS,
        rules.gap_s * NS_PER_SECOND,
        rules.rollover_hour_utc * NS_PER_HOUR,
        costs.triple_weekday,
        (costs.swap_long, costs.swap_short),
    )
    first = np.searchsorted(tape.ts_ns, rows["t0"], side="right") - 1
    _resolve_rows(rows, first, tape, terms)


@njit(cache=True)
def _resolve_rows(rows: LabelRows, first_ticks: Int64Array, tape: Tape, terms: _Terms) -> None:
    for k in range(rows.shape[0]):
        row = rows[k]
        if row.status != _PENDING:
            continue
        first = first_ticks[k]
        entry = _entry(tape, first, row.t0 + terms.latency_ns, terms.gap_ns)
        end, side = _proposition(tape, first, row, terms)
        long_end = _exit(tape, entry, row, terms, 1.0)
        short_end = _exit(tape, entry, row, terms, -1.0)
        earliest = min(entry, end, long_end, short_end)
        if earliest == _HOLE:
            row.status = _INTERRUPTED
        elif earliest != _NOT_YET:
            row.status = _RESOLVED
            row.side = side
            row.t1 = tape.ts_ns[max(end, long_end, short_end)]
            row.spread_in = 0.5 * (tape.ask[entry] - tape.bid[entry])
            _settle(row, tape, entry, long_end, terms, LONG)
            _settle(row, tape, entry, short_end, terms, SHORT)
            # Both trades end after their entry, so there is a next tick.
            row.late[LONG] = _net(row, tape, entry + 1, long_end, terms, LONG)
            row.late[SHORT] = _net(row, tape, entry + 1, short_end, terms, SHORT)


@njit(cache=True)
def _entry(tape: Tape, first: int, ts_ns: int, gap_ns: int) -> int:
    """The first tick at or after `ts_ns`."""
    for j in range(first, tape.ts_ns.shape[0]):
        if j > first and tape.ts_ns[j] - tape.ts_ns[j - 1] > gap_ns:
            return _HOLE
        if tape.ts_ns[j] >= ts_ns:
            return j
    return _NOT_YET


@njit(cache=True)
def _proposition(tape: Tape, first: int, row: Row, terms: _Terms) -> tuple[int, int]:
    """The tick that decides the proposition, and how it decides it."""
    for j in range(first + 1, tape.ts_ns.shape[0]):
        if tape.ts_ns[j] - tape.ts_ns[j - 1] > terms.gap_ns:
            return _HOLE, 0
        move = (tape.bid[j] + tape.ask[j]) * 0.5 - row.mid
        if abs(move) >= row.barrier or tape.ts_ns[j] >= row.t0 + terms.horizon_ns:
            return j, int(np.sign(move))
    return _NOT_YET, 0


@njit(cache=True)
def _exit(tape: Tape, entry: int, row: Row, terms: _Terms, sign: float) -> int:
    """The tick at which a trade of this sign ends.

    Stop and target rest at the broker, a barrier away from the mid at t0, and are judged on the
    price we would get. So a spread that opens wide stops a trade even if the mid moved its way.
    """
    if entry < 0:
        return entry
    for j in range(entry + 1, tape.ts_ns.shape[0]):
        if tape.ts_ns[j] - tape.ts_ns[j - 1] > terms.gap_ns:
            return _HOLE
        executable = tape.bid[j] if sign > 0 else tape.ask[j]
        is_touched = abs(executable - row.mid) >= row.barrier
        if is_touched or tape.ts_ns[j] >= row.t0 + terms.horizon_ns:
            return j
    return _NOT_YET


@njit(cache=True)
def _settle(row: Row, tape: Tape, entry: int, end: int, terms: _Terms, side: int) -> None:
    """Write the result of a trade and what it was made of."""
    sign = 1.0 if side == LONG else -1.0
    row.gross[side] = sign * (_mid(tape, end) - _mid(tape, entry))
    row.spread_out[side] = 0.5 * (tape.ask[end] - tape.bid[end])
    row.swap[side] = _swap(tape, entry, end, terms, side)
    costs = row.spread_in + row.spread_out[side] + row.commission + row.slippage + row.swap[side]
    row.net[side] = row.gross[side] - costs
    row.hold_s[side] = (tape.ts_ns[end] - tape.ts_ns[entry]) * 1e-9
    row.mae[side], row.mfe[side] = _excursions(tape, entry, end, sign)


@njit(cache=True)
def _net(row: Row, tape: Tape, entry: int, end: int, terms: _Terms, side: int) -> float:
    """Net result of a trade of this side between two ticks; at the same tick it pays the spread."""
    moved = tape.bid[end] - tape.ask[entry] if side == LONG else tape.bid[entry] - tape.ask[end]
    return float(moved - row.commission - row.slippage - _swap(tape, entry, end, terms, side))


@njit(cache=True)
def _mid(tape: Tape, tick: int) -> float:
    return float(0.5 * (tape.bid[tick] + tape.ask[tick]))


@njit(cache=True)
def _swap(tape: Tape, entry: int, end: int, terms: _Terms, side: int) -> float:
    """Swap of the nights between two ticks."""
    nights = _nights(tape.ts_ns[entry], tape.ts_ns[end], terms.rollover_ns, terms.triple_weekday)
    return nights * terms.swap[side]


@njit(cache=True)
def _excursions(tape: Tape, entry: int, end: int, sign: float) -> tuple[float, float]:
    """Worst and best open result from entry to exit, at executable prices."""
    opened = tape.ask[entry] if sign > 0 else tape.bid[entry]
    worst = np.inf
    best = -np.inf
    for j in range(entry, end + 1):
        closed = tape.bid[j] if sign > 0 else tape.ask[j]
        worst = min(worst, sign * (closed - opened))
        best = max(best, sign * (closed - opened))
    return worst, best


@njit(cache=True)
def _nights(start_ns: int, end_ns: int, rollover_ns: int, triple_weekday: int) -> int:
    """Nights booked between two times; the epoch's first day was a Thursday (4)."""
    nights = 0
    first = (start_ns - rollover_ns) // NS_PER_DAY + 1
    last = (end_ns - rollover_ns) // NS_PER_DAY
    for day in range(first, last + 1):
        weekday = (day + 4) % 7
        if weekday == triple_weekday:
            nights += 3
        elif 0 < weekday < 6:
            nights += 1
    return nights
