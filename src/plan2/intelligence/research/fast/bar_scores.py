"""Scores points over a table of bars where that gives what the full engine gives."""

import hashlib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Float64Array, Int64Array, Side
from plan2.intelligence.backtest.account.compiled import account_fingerprint
from plan2.intelligence.backtest.account.terms import open_account
from plan2.intelligence.features.kernels import machine_code
from plan2.intelligence.flows.flow import Flow, FlowRisk, with_parameters
from plan2.intelligence.flows.memory import bars_before, constants_of, new_memory, values_of
from plan2.intelligence.flows.modules import flows_fingerprint, load_module
from plan2.intelligence.flows.source import FlowSource, write_source
from plan2.intelligence.flows.words import COUNTS
from plan2.intelligence.research.fast.bar_account import (
    BALANCE,
    BUSY,
    DEPOSIT,
    DRAWDOWN,
    GAINS,
    GAVE_UP,
    GROSS,
    LOSSES,
    NET,
    OUT,
    PEAK,
    STATE,
    TRADES,
    WINS,
    walk,
)
from plan2.intelligence.research.fast.bar_columns import BarColumns
from plan2.intelligence.research.fast.bar_loop import loop_source
from plan2.intelligence.research.fast.bar_table import BarTable, bar_table
from plan2.intelligence.research.score import Score

GUARD_FACTOR: Final = 1.05
"""How much nearer to a margin call than it really is the loop gives up."""
TWICE: Final = 2
"""So many margins an entry must find free, else the loop gives up: the engine may shrink it."""
AT_ONCE: Final = 64
"""Points that are worked on together."""
FIRST: Final = COUNTS.index("first")
CODE: Final = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
).hexdigest()[:16]
"""Machine code that was made of other sources of this package is not used again."""


def is_simple(flow: Flow, instrument: Instrument) -> bool:
    """Whether all that such a flow can feel is in a table of bars.

    It is judged at the end of bars, has fixed lots, one position, no exits by distance or time, no
    limits, no chance in its fills, and an account in the currency of the quotes.
    """
    exits, risk, fills = flow.exits, flow.risk, flow.execution
    source = write_source(flow)
    return (
        not source.is_ticks
        and not source.on_ticks
        and not source.measured
        and not source.program.outer
        and not exits.time_s
        and not exits.partial
        and flow.size.risk_fraction == 0.0
        and instrument.is_tradable_volume(flow.size.lots)
        and risk == FlowRisk()
        and fills.slippage == "fixed"
        and fills.slippage_points.is_integer()
        and fills.reject_fraction == fills.partial_fraction == fills.latency_spread_ms == 0.0
        and fills.close_at_end
        and flow.account.currency == instrument.quote
    )


class BarScores:
    """Points of one flow on one window.

    Args:
        flow: one that `is_simple`.
        ticks: ts_ns, bid and ask of the window, int64[n], prices in points.
        cache: where machine code is kept.
    """

    def __init__(
        self,
        flow: Flow,
        instrument: Instrument,
        ticks: tuple[Int64Array, Int64Array, Int64Array],
        cache: Path | None,
    ) -> None:
        self._flow, self._instrument = flow, instrument
        self._source: FlowSource = write_source(flow)
        self._table: BarTable = bar_table(flow, instrument, *ticks)
        self._terms, self._swaps = self._contract(len(ticks[0]))
        loops = loop_source(self._source, f"{flows_fingerprint()} {account_fingerprint()} {CODE}")
        module: Any = load_module(loops.text, cache)  # made at run time: nothing knows its types
        table = self._table
        self._columns = BarColumns(flow, instrument, self._source, loops, table, module.follow)
        self._memory = new_memory(flow, self._source, instrument)
        self._signals = np.zeros(table.prices.shape[1], np.int8)
        rows = np.zeros(len(loops.slots), np.int64)
        self._judge = machine_code(module.judge, *self._judged(self._memory.c, rows))
        self._walk = machine_code(walk, *self._walked(*(each[0] for each in self._books(1))))

    def score(self, point: Mapping[str, float]) -> Score | None:
        """`scores` of one point."""
        return self.scores([point])[0]

    def scores(self, points: Sequence[Mapping[str, float]]) -> list[Score | None]:
        """Points in short, in order; None where only the full engine knows.

        Raises:
            InputError: a point makes a flow that cannot be run.
        """
        size = min(AT_ONCE, self._columns.points)
        found: list[Score | None] = []
        for start in range(0, len(points), size):
            found += self._some(points[start : start + size])
        return found

    def _some(self, points: Sequence[Mapping[str, float]]) -> list[Score | None]:
        """As many points as find room for their columns at the same time.

        First all numbers, then all loops: each finds its own code and data near.
        """
        asked = [self._asked(point) for point in points]
        states, outs, days = self._books(len(points))
        for place, (constants, rows, first) in enumerate(asked):
            self._memory.w[FIRST] = first
            self._judge(*self._judged(constants, rows))
            self._walk(*self._walked(states[place], outs[place], days[place]))
        changes = np.diff(days, axis=1, prepend=self._terms[DEPOSIT]) / 100.0
        pairs = zip(outs.tolist(), changes.tolist(), strict=True)
        return [None if out[GAVE_UP] else _score(out, daily) for out, daily in pairs]

    def _asked(self, point: Mapping[str, float]) -> tuple[Float64Array, Int64Array, int]:
        """Constants, places of the columns, and the bars before the first signal."""
        flow = with_parameters(self._flow, dict(point))
        program, values = self._source.program, values_of(flow, self._instrument)
        constants = constants_of(flow.name, program, values)
        rows = self._columns.rows(flow, values, constants.tolist())
        return constants, rows, bars_before(flow, program, values)

    def _judged(self, constants: Float64Array, rows: Int64Array) -> tuple[Any, ...]:
        memory, table = self._memory, self._table
        return (
            memory.s, memory.w, constants, table.prices, table.ends, self._columns.columns, rows,
            self._signals,
        )  # fmt: skip

    def _walked(self, state: Int64Array, out: Int64Array, daily: Int64Array) -> tuple[Any, ...]:
        table, policy = self._table, self._flow.policy
        return (
            self._signals, policy.entry_gap, int(policy.reverse), table.fills, table.reach,
            table.days, self._swaps, table.last, self._terms, state, out, daily,
        )  # fmt: skip

    def _books(self, count: int) -> tuple[Int64Array, Int64Array, Int64Array]:
        """State, figures and days of so many accounts before their first bar."""
        state, out = np.zeros((count, len(STATE)), np.int64), np.zeros((count, len(OUT)), np.int64)
        state[:, (BALANCE, PEAK)] = self._terms[DEPOSIT]
        state[:, BUSY] = -1
        return state, out, np.empty((count, self._table.days.shape[1]), np.int64)

    def _contract(self, ticks: int) -> tuple[Int64Array, Int64Array]:
        """`terms` and `swaps` of the loop, from the account that the full engine would open."""
        account = open_account(self._flow, self._instrument)[0]
        terms = account["terms"]
        lots = int(self._flow.size.lots / self._instrument.volume_step + 1e-9)
        margin = self._margin()
        point = Fraction(1000 * lots * int(terms["money_up"]), int(terms["money_down"]))
        level = max(self._flow.account.margin_call_level, self._flow.account.stop_out_level)
        fee = _divided(lots * int(terms["commission_up"]), int(terms["commission_down"]))
        values = (
            lots, terms["money_up"], terms["money_down"], fee,
            int(self._flow.execution.slippage_points), account["balance"], TWICE * margin + fee,
            round(margin * level * GUARD_FACTOR), int(terms["fills_at_signal"]), ticks,
            point.numerator if point.denominator == 1 else 0,
        )  # fmt: skip
        nights = self._table.nights
        swaps = np.zeros((2, len(nights) + 1), np.int64)
        if terms["has_swap"]:
            for side, name in enumerate(("swap_long", "swap_short")):
                cents = [
                    _divided(int(terms[name]) * lots * int(count), int(terms["swap_down"]))
                    for count in nights
                ]
                swaps[side, 1:] = np.cumsum(cents)
        return np.asarray([int(value) for value in values], np.int64), swaps

    def _margin(self) -> int:
        """Cents that an entry binds at most, whatever the price; quotes are in its currency."""
        account, lots = self._flow.account, self._flow.size.lots
        instrument = msgspec.structs.replace(self._instrument, leverage=account.leverage)
        is_own = instrument.base == account.currency
        rate = 1.0 if is_own else self._table.highest_bid * instrument.point
        value = lots * instrument.lot_units * rate
        bound = max(instrument.margin_of(side, lots, value, 1.0) for side in Side)
        return int(bound * 100.0 * GUARD_FACTOR) + 1


def _score(out: list[int], daily: list[float]) -> Score:
    """A row of `bar_account.OUT` and the change of each day as a score."""
    return Score(
        trades=out[TRADES],
        wins=out[WINS],
        net=out[NET] / 100.0,
        gross=out[GROSS] / 100.0,
        gains=out[GAINS] / 100.0,
        losses=out[LOSSES] / 100.0,
        max_drawdown=out[DRAWDOWN] / 100.0,
        daily=tuple(daily),
    )


def _divided(amount: int, whole: int) -> int:
    """As `money.divided`: to the nearest, halves to the even one."""
    return round(Fraction(amount, whole))
