"""Scores points over a table of bars where that gives what the full engine gives."""

import hashlib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Int64Array
from plan2.intelligence.backtest.account.compiled import account_fingerprint
from plan2.intelligence.backtest.account.terms import open_account
from plan2.intelligence.features.kernels import machine_code
from plan2.intelligence.flows.flow import Flow, FlowRisk, with_parameters
from plan2.intelligence.flows.memory import new_memory
from plan2.intelligence.flows.modules import flows_fingerprint, load_module
from plan2.intelligence.flows.source import FlowSource, write_source
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
)
from plan2.intelligence.research.fast.bar_loop import over_bars_text
from plan2.intelligence.research.fast.bar_table import BarTable, bar_table
from plan2.intelligence.research.score import Score

GUARD_FACTOR: Final = 1.05
"""How much nearer to a margin call than it really is the loop gives up."""
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
        text = over_bars_text(self._source, f"{flows_fingerprint()} {account_fingerprint()} {CODE}")
        module: Any = load_module(text, cache)  # made at run time: nothing knows its types
        self._over_bars = machine_code(module.over_bars, *self._arguments(flow))

    def score(self, point: Mapping[str, float]) -> Score | None:
        """A point in short; None where only the full engine knows.

        Raises:
            InputError: the point makes a flow that cannot be run.
        """
        arguments = self._arguments(with_parameters(self._flow, dict(point)))
        self._over_bars(*arguments)
        out, daily = arguments[-2].tolist(), arguments[-1]
        if out[GAVE_UP]:
            return None
        changes = np.diff(daily, prepend=self._terms[DEPOSIT]) / 100.0
        return Score(
            trades=out[TRADES],
            wins=out[WINS],
            net=out[NET] / 100.0,
            gross=out[GROSS] / 100.0,
            gains=out[GAINS] / 100.0,
            losses=out[LOSSES] / 100.0,
            max_drawdown=out[DRAWDOWN] / 100.0,
            daily=tuple(changes.tolist()),
        )

    def _arguments(self, flow: Flow) -> tuple[Any, ...]:  # arrays of several types
        memory = new_memory(flow, self._source, self._instrument)
        state, out = np.zeros(len(STATE), np.int64), np.zeros(len(OUT), np.int64)
        state[BALANCE] = state[PEAK] = self._terms[DEPOSIT]
        state[BUSY] = -1
        table = self._table
        daily = np.empty(table.days.shape[1], np.int64)
        return (
            memory.s, memory.w, memory.c, memory.r, table.prices, table.cells, table.reach,
            table.days, self._swaps, table.last, self._terms, state, out, daily,
        )  # fmt: skip

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
            int(self._flow.execution.slippage_points), account["balance"], margin + fee,
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
        """Cents that an entry binds at most, whatever the price."""
        instrument = self._instrument
        units = self._flow.size.lots * instrument.contract_size / self._flow.account.leverage
        is_own = instrument.base == self._flow.account.currency
        rate = 1.0 if is_own else self._table.highest_bid * instrument.point
        return int(units * rate * 100.0 * GUARD_FACTOR) + 1


def _divided(amount: int, whole: int) -> int:
    """As `money.divided`: to the nearest, halves to the even one."""
    return round(Fraction(amount, whole))
