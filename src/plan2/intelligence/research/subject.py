"""What is researched: a flow on its data, run under other numbers, times and conditions.

Everything in this package works on this port, so it holds for compiled flows, Python policies and
whatever else leaves a `BacktestRun` behind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.research.ranges import Point
from plan2.intelligence.research.score import Score


class Window(msgspec.Struct, frozen=True):
    """Quotes from `start_ns` to before `end_ns`, UTC."""

    start_ns: int
    end_ns: int


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """How a run differs from the flow as it is written.

    Attributes:
        cost_factor: of the spread, the commission, and swap where it costs.
        slippage_points: added to the flow's own. latency_ms: in place of it; None = its own.
        noise_points: standard deviation of what is added to each quote, bid and ask alike.
        seed: of the noise and, when not 0, of the broker's chance.
    """

    cost_factor: float = 1.0
    slippage_points: float = 0.0
    latency_ms: float | None = None
    noise_points: float = 0.0
    seed: int = 0


AS_WRITTEN = Conditions()


@dataclass(frozen=True, slots=True)
class QuoteColumns:
    """Quotes in time order: int64[n] UTC ns and float64[n] prices; may be memory-mapped."""

    ts_ns: Int64Array
    bid: Float64Array
    ask: Float64Array


class Subject(Protocol):
    """A flow on its data; it is sent to worker processes, so it pickles small."""

    @property
    def flow(self) -> Flow:
        """The flow as it is written."""
        ...

    @property
    def data_id(self) -> str:
        """The hash of the quotes."""
        ...

    @property
    def window(self) -> Window:
        """All quotes there are."""
        ...

    @property
    def point(self) -> float:
        """The unit of the symbol's last decimal, in quote currency."""
        ...

    @property
    def warm_up_ns(self) -> int:
        """How long the flow needs before its decisions do not depend on where it began."""
        ...

    def quotes(self, window: Window) -> QuoteColumns:
        """The quotes of a window."""
        ...

    def scores(self, points: Sequence[Point], window: Window) -> list[Score]:
        """Each point run on the window as the flow is written otherwise; the fast way."""
        ...

    def run(
        self, point: Mapping[str, float], window: Window, conditions: Conditions = AS_WRITTEN
    ) -> BacktestRun:
        """One point run on the window, with everything that it leaves behind."""
        ...
