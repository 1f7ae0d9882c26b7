"""The memory of one run of a compiled flow: arrays made from its program and its numbers."""

import math
from dataclasses import dataclass

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND, Float64Array, Int64Array
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.source import DISTANCES, FlowSource
from plan2.intelligence.flows.terms import Block, Program, Values
from plan2.intelligence.flows.words import COUNTS, NUMBERS

UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LARGEST_MEMORY = 4_000_000
"""Floats that one flow may hold: 32 MB."""


@dataclass(frozen=True, slots=True)
class FlowMemory:
    """Everything that changes while a flow runs, and the numbers that it runs with.

    s: float64, w: int64, the places of `words.py` first. c: constants. r: rings. o: float64[5], the
    distances of the newest signal. outer: int64, slots in `s` of values that come from outside.
    """

    s: Float64Array
    w: Int64Array
    c: Float64Array
    r: Float64Array
    o: Float64Array
    outer: Int64Array

    @property
    def bars(self) -> int:
        """Bars closed so far."""
        return int(self.w[COUNTS.index("bars")])


def values_of(flow: Flow, instrument: Instrument) -> dict[str, float]:
    """The numbers that expressions may name."""
    return {**flow.parameters, "pip": instrument.pip, "point": instrument.point}


def period_ns(bars: str) -> int:
    """Length of a bar such as `15m` in nanoseconds; 0 for `tick`."""
    return 0 if bars == "tick" else int(bars[:-1]) * UNITS_S[bars[-1]] * NS_PER_SECOND


def warm_up_of(program: Program, values: Values) -> int:
    """Bars until every running indicator of a flow is defined.

    Raises:
        InputError: a window is not a whole number of bars.
    """
    defined: list[int] = []
    for block in program.blocks:
        before = max((defined[index] for index in block.inputs), default=1)
        own = 0 if block.window is None else block.window.length(values) + block.warm_extra
        defined.append(before + own)
    return max(defined, default=1)


def constants_of(name: str, program: Program, values: Values) -> Float64Array:
    """The numbers that the flow `name` runs with, float64, in the order of `c`.

    Raises:
        InputError: a parameter makes a window, or a constant, that cannot be used.
    """
    for window in program.windows:
        window.length(values)
    constants = [number(values) for number in program.constants]
    if not all(map(math.isfinite, constants)):
        raise InputError(f"{name}: its parameters give a number that is not finite.")
    rings = sum(_ring_length(block, values) for block in program.blocks)
    if rings > LARGEST_MEMORY:
        raise InputError(f"{name}: its windows hold {rings:,} values; at most {LARGEST_MEMORY:,}.")
    return np.array(constants, np.float64)


def bars_before(flow: Flow, program: Program, values: Values) -> int:
    """Bars that end before the first signal: the flow's own wish, or its longest indicator."""
    return max(flow.policy.warm_up, warm_up_of(program, values) - 1)


def new_memory(flow: Flow, source: FlowSource, instrument: Instrument) -> FlowMemory:
    """Memory before the first tick.

    Raises:
        InputError: a parameter makes a window, or a constant, that cannot be used.
    """
    program, values = source.program, values_of(flow, instrument)
    constants = constants_of(flow.name, program, values)
    rings = sum(_ring_length(block, values) for block in program.blocks)
    s = np.full(program.floats, np.nan)
    w = np.zeros(program.integers, np.int64)
    place = 0
    for block in program.blocks:
        s[block.at : block.at + len(block.start)] = block.start
        place += _start_ring(block, values, w, place)
    _set_policy(flow, instrument, s, w, bars_before(flow, program, values))
    outer = np.array(list(program.outer.values()), np.int64)
    return FlowMemory(s, w, constants, np.zeros(rings), np.zeros(len(DISTANCES)), outer)


def _ring_length(block: Block, values: Values) -> int:
    return block.window.length(values) if block.has_ring and block.window is not None else 0


def _start_ring(block: Block, values: Values, w: Int64Array, place: int) -> int:
    """Write how long a block's window is and where its ring lies; returns what the ring takes."""
    if block.window is None:
        return 0
    length = block.window.length(values)
    if not block.has_ring:
        w[block.on + 1] = length
        return 0
    w[block.on + 2] = place
    w[block.on + 3] = length
    return length


def _set_policy(
    flow: Flow, instrument: Instrument, s: Float64Array, w: Int64Array, first: int
) -> None:
    s[: len(NUMBERS)] = 0.0
    s[NUMBERS.index("scale")] = 10.0**instrument.digits
    s[NUMBERS.index("lots")] = flow.size.lots
    s[NUMBERS.index("risk")] = flow.size.risk_fraction
    counts = {
        "period": period_ns(flow.source.bars),
        "first": first,
        "gap": flow.policy.entry_gap,
        "entered": -(2**40),
        "reverse": int(flow.policy.reverse),
        "positions": flow.risk.positions_max,
    }
    for name, value in counts.items():
        w[COUNTS.index(name)] = value
