"""A flow that takes one tick after the other, as live and paper accounts do."""

from pathlib import Path
from typing import Any

import numpy as np

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Float64Array
from plan2.intelligence.features.kernels import machine_code
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.memory import new_memory
from plan2.intelligence.flows.modules import flows_fingerprint, load_module
from plan2.intelligence.flows.source import (
    DISTANCES,
    HEAD,
    shown_text,
    step_text,
    write_source,
)
from plan2.intelligence.flows.words import COUNTS


class CompiledFlow:
    """A flow of rules on one instrument.

    Compiling takes seconds the first time a structure is seen, less than one afterwards: make it
    before trading begins.

    Attributes:
        outer: names of the columns that `know` takes, in order; features of the catalogue and
            forecasts. shown: names of the flow's own features. warm_up: bars before a signal.

    Args:
        folder: where machine code is kept; None keeps none.

    Raises:
        InputError: an expression or a parameter cannot be used.
    """

    def __init__(self, flow: Flow, instrument: Instrument, folder: Path | None = None) -> None:
        source = write_source(flow)
        self.flow = flow
        self.source = source
        self.outer = tuple(source.program.outer)
        self.shown = tuple(source.shown)
        self._memory = memory = new_memory(flow, source, instrument)
        self._shown_values = np.zeros(len(source.shown))
        head = HEAD.format(fingerprint=flows_fingerprint())
        text = f"{head}\n{step_text(source)}\n{shown_text(source)}"
        module: Any = load_module(text, folder)  # made at run time: nothing knows its types
        arrays = (memory.s, memory.w, memory.c)
        self._step = machine_code(module.step, *arrays, memory.r, memory.o, 0, 0.0, 0.0)
        self._show = machine_code(module.shown, *arrays, self._shown_values)

    @property
    def warm_up(self) -> int:
        """Bars that must be closed before the first signal."""
        return int(self._memory.w[COUNTS.index("first")]) + 1

    @property
    def bars(self) -> int:
        """Bars closed so far."""
        return self._memory.bars

    def step(self, ts_ns: int, bid: float, ask: float) -> int:
        """Take one tick; returns bits of `words.py`: LONG, SHORT, EXIT_LONG, EXIT_SHORT, CLOSED.

        Without a wish the distances stay those of the signal before.
        """
        memory = self._memory
        signal: int = self._step(memory.s, memory.w, memory.c, memory.r, memory.o, ts_ns, bid, ask)
        return signal

    def know(self, row: Float64Array) -> None:
        """Take outer values, float64[len(outer)], known from the next `step` on."""
        self._memory.s[self._memory.outer] = row

    def entered(self) -> None:
        """An entry was sent: `entry_gap` counts from the bar closed last."""
        self._memory.w[COUNTS.index("entered")] = self._memory.bars

    @property
    def exits(self) -> bytes:
        """`distances` as bytes, to see at once whether they are what they were."""
        return self._memory.o.tobytes()

    @property
    def distances(self) -> dict[str, float]:
        """Distances of the newest signal in price units, by the names of `[exits]`; 0 = none."""
        return dict(zip(DISTANCES, self._memory.o.tolist(), strict=True))

    def show(self) -> dict[str, float]:
        """The flow's own features as they are now, for explanations."""
        memory = self._memory
        self._show(memory.s, memory.w, memory.c, self._shown_values)
        return dict(zip(self.shown, self._shown_values.tolist(), strict=True))
