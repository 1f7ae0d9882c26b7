"""A flow of rules on archived ticks, as research runs it: compiled, ticks shared by processes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_DAY, Int64Array, TickBlock
from plan2.intelligence.backtest.feeds import Blocks
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.backtest.run_flow import RunOptions, run_flow
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.memory import period_ns, values_of, warm_up_of
from plan2.intelligence.flows.source import write_source
from plan2.intelligence.research.conditions import (
    changed_flow,
    changed_instrument,
    changed_ticks,
)
from plan2.intelligence.research.fast.bar_scores import BarScores, is_simple
from plan2.intelligence.research.ranges import Point
from plan2.intelligence.research.score import Score, score_of
from plan2.intelligence.research.subject import AS_WRITTEN, Conditions, QuoteColumns, Window
from plan2.intelligence.research.tick_columns import TickColumns

WARM_UP_FACTOR = 8
"""Exponential averages remember for ever; after so many times their length nothing of it is left
that could turn a decision."""


@dataclass(frozen=True, slots=True)
class FlowSubject:
    """Implements `Subject`. `cache`: where machine code is kept."""

    flow: Flow = field(hash=False)
    instrument: Instrument
    columns: TickColumns
    cache: Path | None = None

    @property
    def data_id(self) -> str:
        """The hash of the ticks."""
        return self.columns.data_id

    @property
    def window(self) -> Window:
        """From the first tick to just after the last."""
        times = self.columns.open().ts_ns
        return Window(int(times[0]), int(times[-1]) + 1)

    @property
    def point(self) -> float:
        """The unit of the last decimal."""
        return self.instrument.point

    @property
    def warm_up_ns(self) -> int:
        """Bars that the flow waits for and its indicators' lengths, several times over.

        Bars are counted without weekends, so two days are added for each five.
        """
        program = write_source(self.flow).program
        bars = warm_up_of(program, values_of(self.flow, self.instrument))
        needed = WARM_UP_FACTOR * max(bars, self.flow.policy.warm_up + 1)
        length = needed * max(period_ns(self.flow.source.bars), 1_000_000_000)
        return length + 2 * NS_PER_DAY * (1 + length // (5 * NS_PER_DAY))

    def quotes(self, window: Window) -> QuoteColumns:
        """The quotes of a window, as prices."""
        block = self._within(window)
        return QuoteColumns(block.ts_ns, block.bid, block.ask)

    def scores(self, points: Sequence[Point], window: Window) -> list[Score]:
        """Each point in short: over a table of bars where that is the same, else run whole."""
        quick: list[Score | None] = [None] * len(points)
        if is_simple(self.flow, self.instrument):
            quick = _fast(self, window).scores(points)
        return [
            score_of(self.run(point, window)) if score is None else score
            for point, score in zip(points, quick, strict=True)
        ]

    def run(
        self, point: Mapping[str, float], window: Window, conditions: Conditions = AS_WRITTEN
    ) -> BacktestRun:
        """One point run on the window.

        Raises:
            InputError: the point makes a flow that cannot be run, or the window has no ticks.
        """
        block = changed_ticks(self._within(window), self.point, conditions)
        if len(block) == 0:
            raise InputError(f"{block.symbol}: no ticks in the chosen time.")

        def read() -> Iterator[TickBlock]:
            yield block

        return run_flow(
            changed_flow(self.flow, point, conditions),
            Blocks(symbol=block.symbol, read=read, expected=len(block)),
            changed_instrument(self.instrument, conditions),
            RunOptions(folder=self.cache),
        )

    def whole_points(self, window: Window) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Times, bids and asks of a window, prices in points, int64[n] each."""
        block, scale = self._within(window), 10.0**self.instrument.digits
        bid, ask = (np.rint(side * scale).astype(np.int64) for side in (block.bid, block.ask))
        return np.asarray(block.ts_ns), bid, ask

    def _within(self, window: Window) -> TickBlock:
        block = self.columns.open()
        start, stop = np.searchsorted(block.ts_ns, (window.start_ns, window.end_ns))
        return block.slice(int(start), int(stop))


@lru_cache(maxsize=4)
def _fast(subject: FlowSubject, window: Window) -> BarScores:
    return BarScores(subject.flow, subject.instrument, subject.whole_points(window), subject.cache)
