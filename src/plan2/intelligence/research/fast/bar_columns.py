"""Running indicators along all bars, each made once for as many points as share its numbers."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Int64Array
from plan2.intelligence.features.kernels import machine_code
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.memory import FlowMemory, new_memory
from plan2.intelligence.flows.source import FlowSource
from plan2.intelligence.flows.terms import Values
from plan2.intelligence.research.fast.bar_loop import LoopSource
from plan2.intelligence.research.fast.bar_table import BarTable

BYTES: Final = 64 * 1024 * 1024
"""Memory for columns; the ones that nobody asked for the longest time make room."""

Key = tuple[Any, ...]  # numbers, and the keys of the blocks that a block follows


class BarColumns:
    """The columns of one flow over one table of bars.

    Attributes:
        columns: float64[m, n], m columns at most.
        points: that find room for all their columns at the same time.

    Args:
        follow: the compiled loop of `bar_loop`, untyped as numba is.
    """

    def __init__(
        self,
        flow: Flow,
        instrument: Instrument,
        source: FlowSource,
        loops: LoopSource,
        table: BarTable,
        follow: Callable[..., object],
    ) -> None:
        self._instrument = instrument
        self._source = source
        self._blocks = source.program.blocks
        self._loops = loops
        self._table = table
        slots = loops.slots
        self._mine = [
            [slots.index(s) for s in range(b.at, b.at + b.floats) if s in slots]
            for b in self._blocks
        ]
        bars = max(1, table.prices.shape[1])
        self.columns = np.empty((max(len(slots), BYTES // (8 * bars)) + 1, bars))
        self.points = len(self.columns) // max(1, len(slots))
        self._rows: OrderedDict[Key, list[int]] = OrderedDict()
        self._free = list(range(len(self.columns)))
        example = self._arguments(0, new_memory(flow, source, instrument), self._no_rows())
        self._follow: Callable[..., Any] = machine_code(follow, *example)

    def rows(self, flow: Flow, values: Values, constants: list[float]) -> Int64Array:
        """Where the columns of a point lie, int64[slots]; makes those that nobody asked for yet.

        Raises:
            InputError: the point makes a flow that cannot be run.
        """
        keys = self._keys(values, constants)
        known = self._rows
        for key in keys:
            if key in known:
                known.move_to_end(key)
        rows, memory = self._no_rows(), None
        for block, key in enumerate(keys):
            found = known.get(key)
            if found is None:
                memory = memory or new_memory(flow, self._source, self._instrument)
                found = self._room(len(self._mine[block]))
                rows[self._mine[block]] = found
                self._follow(*self._arguments(block, memory, rows))
                known[key] = found
            for place, row in zip(self._mine[block], found, strict=True):
                rows[place] = row
        return rows

    def _no_rows(self) -> Int64Array:
        return np.zeros(len(self._loops.slots), np.int64)

    def _keys(self, values: Values, constants: list[float]) -> list[Key]:
        """Of each block: what its column depends on beside the bars."""
        keys: list[Key] = []
        for number, block in enumerate(self._blocks):
            length = 0 if block.window is None else block.window.length(values)
            own = [constants[place] for place in self._loops.constants[number]]
            keys.append((number, length, *own, *(keys[index] for index in sorted(block.inputs))))
        return keys

    def _room(self, count: int) -> list[int]:
        while len(self._free) < count:
            self._free += self._rows.popitem(last=False)[1]
        taken, self._free = self._free[:count], self._free[count:]
        return taken

    def _arguments(self, block: int, memory: FlowMemory, rows: Int64Array) -> tuple[Any, ...]:
        return (
            block, memory.s, memory.w, memory.c, memory.r, self._table.prices, self._table.ends,
            self.columns, rows,
        )  # fmt: skip
