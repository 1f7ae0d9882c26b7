"""A compiled flow as the policy of an account: one tick in, one signal out, and why."""

import re
from collections.abc import Callable
from typing import Final

import numpy as np

from plan2.foundation.values import Float64Array, Tick
from plan2.intelligence.flows.compiled import CompiledFlow
from plan2.intelligence.flows.forecasts import forecast_row
from plan2.intelligence.flows.policy import NO_SIGNAL, Signal
from plan2.intelligence.flows.words import EXIT_LONG, EXIT_SHORT, FORECASTS, LONG, SHORT, WISHES
from plan2.intelligence.models.forecast import Forecast

SIGNS: Final = {">=": "≥", "<=": "≤", "!=": "≠", "==": "="}
NO_BAR: Final = -1
Read = Callable[[tuple[float, ...], Float64Array], float]
NAME: Final = re.compile(r"[a-z][a-z0-9_]*(?!\w*\()")


class CompiledPolicy:
    """See `FlowPolicy`.

    Args:
        compiled: the flow. names: of the features that `step` is given, in order.
        bar_ns: bars of the feature engine; what comes from outside is known when one closes.
        uncertainty_weight: of the standard error in `p_up_lcb` and `p_down_lcb`.
    """

    def __init__(
        self,
        compiled: CompiledFlow,
        names: tuple[str, ...],
        bar_ns: int,
        uncertainty_weight: float,
    ) -> None:
        self._compiled = compiled
        self._weight = uncertainty_weight
        self._bar_ns = bar_ns
        self._bar = NO_BAR
        self._row = np.full(len(compiled.outer), np.nan)
        self._readers = [_reader(name, names) for name in compiled.outer]
        self._bits = 0
        self._exits = b""
        self._signal = NO_SIGNAL

    @property
    def bars(self) -> int:
        """See `FlowPolicy.bars`."""
        return self._compiled.bars

    def step(self, tick: Tick, forecast: Forecast | None, features: Float64Array) -> Signal:
        """See `FlowPolicy.step`."""
        if self._readers and self._is_new_bar(tick.ts_ns):
            said = forecast_row(forecast, self._weight)
            for column, read in enumerate(self._readers):
                self._row[column] = read(said, features)
            self._compiled.know(self._row)
        bits = self._compiled.step(tick.ts_ns, tick.bid, tick.ask)
        if not bits & WISHES:
            return NO_SIGNAL
        exits = self._compiled.exits
        if bits != self._bits or exits != self._exits:  # a rule that holds says so on every tick
            self._bits, self._exits = bits, exits
            self._signal = Signal(
                entry=side_of(bits),
                exit_long=bool(bits & EXIT_LONG),
                exit_short=bool(bits & EXIT_SHORT),
                **self._compiled.distances,
            )
        return self._signal

    def why(self) -> str:
        """The conditions that hold, with the values of the flow's own features in them."""
        policy, bits = self._compiled.flow.policy, self._bits
        conditions = (
            (LONG, policy.long),
            (SHORT, policy.short),
            (EXIT_LONG, policy.exit_long),
            (EXIT_SHORT, policy.exit_short),
        )
        shown = self._compiled.show()
        return "; ".join(with_values(text, shown) for bit, text in conditions if bits & bit)

    def _is_new_bar(self, ts_ns: int) -> bool:
        """Whether this tick closed a bar of the feature engine; the first one closes none."""
        bar, before = ts_ns // self._bar_ns, self._bar
        self._bar = bar
        return bar != before != NO_BAR


def _reader(name: str, names: tuple[str, ...]) -> Read:
    """How an outer column is read from a row of forecasts and from features."""
    if name in FORECASTS:
        place = FORECASTS.index(name)
        return lambda said, _: said[place]
    column = names.index(name)
    return lambda _, features: float(features[column])


def side_of(bits: int) -> int:
    """The side that a signal wants to enter: +1, −1, or 0 for neither, both, or one it leaves."""
    wants_long = bool(bits & LONG) and not bits & EXIT_LONG
    wants_short = bool(bits & SHORT) and not bits & EXIT_SHORT
    return int(wants_long) - int(wants_short)


def with_values(text: str, shown: dict[str, float]) -> str:
    """A condition as a person reads it: `quick 1.10021 ≥ calm 1.10018`."""

    def value(match: re.Match[str]) -> str:
        name = match.group()
        return f"{name} {shown[name]:.8g}" if name in shown else name

    read = NAME.sub(value, text)
    for sign, word in SIGNS.items():
        read = read.replace(sign, word)
    return " ".join(read.split())
