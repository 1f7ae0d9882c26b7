"""The compiled stack machine that computes the columns of a feature set.

One call per tick, or one per block; both run the same `advance_set`, so live and batch agree to the
bit. Cost: a few nanoseconds a step of the formulas, whatever the lags.

Memory of a set, float64: [rows kept, newest row, ring of past rows]. A row is kept at each tick
that closes a bar, so `lag(x, k)` is x as it was k bar closes ago; a gap wipes it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.features.expressions import (
    COLUMNS,
    DEEPEST_STACK,
    FIRST_REQUESTED,
    MID,
    SIGMA,
    Formula,
    Op,
    columns_with,
)
from plan2.intelligence.features.kernels import entry, kernel
from plan2.intelligence.features.loop import SIGMA_COLUMN
from plan2.intelligence.features.step import CLOSED, GAP, IGNORED

HEAD_WORDS = 2
SIGMA_TERM, MID_TERM = COLUMNS[SIGMA], COLUMNS[MID]
# Plain numbers: compiled code takes them in as constants.
TERM, CONSTANT, ADD, SUBTRACT, MULTIPLY, DIVIDE = (int(op) for op in list(Op)[:6])
MINIMUM, MAXIMUM, NEGATE, ABSOLUTE, LOG, CLIP = (int(op) for op in list(Op)[6:])


class Program(NamedTuple):
    """Formulas as arrays.

    code: int64[m, 2], operation and its argument. ends: int64[columns], where each column's code
    stops. constants: float64[c]. leaves: int64[l, 3], term, lag, place of the term in a kept row.
    kept: int64[k], terms of a kept row. scratch: float64[l + DEEPEST_STACK + K], room to work in,
    then the features on request; so a program belongs to one engine.
    """

    code: Int64Array
    ends: Int64Array
    constants: Float64Array
    leaves: Int64Array
    kept: Int64Array
    scratch: Float64Array


def program_of(
    formulas: Sequence[Formula], peers: Sequence[str] = (), requested: int = 0
) -> Program:
    """Lay the formulas out for the kernel; `requested`: how many features on request there are."""
    columns = columns_with(peers)
    steps = [step for formula in formulas for step in formula.steps]
    lagged = sorted({columns[step.term] for step in steps if step.lag})
    leaves = sorted({(columns[step.term], step.lag) for step in steps if step.op is Op.TERM})
    values = sorted({step.value for step in steps if step.op is Op.CONSTANT})
    code = []
    for step in steps:
        argument = 0
        if step.op is Op.TERM:
            argument = leaves.index((columns[step.term], step.lag))
        elif step.op is Op.CONSTANT:
            argument = values.index(step.value)
        code.append((int(step.op), argument))
    places = [(term, lag, lagged.index(term) if lag else -1) for term, lag in leaves]
    return Program(
        code=np.array(code, np.int64),
        ends=np.cumsum([len(formula.steps) for formula in formulas], dtype=np.int64),
        constants=np.array([*values, 0.0]),
        leaves=np.array(places, np.int64),
        kept=np.array(lagged, np.int64),
        scratch=np.zeros(len(leaves) + DEEPEST_STACK + requested),
    )


def empty_memory(program: Program, longest_lag: int) -> Float64Array:
    """The memory of a set that has seen nothing."""
    return np.zeros(HEAD_WORDS + longest_lag * len(program.kept))


@kernel
def term_value(row: Float64Array, mid: float, term: int) -> float:
    """The value of a term of the catalogue at this tick; `row` begins as an engine's words do."""
    if term == MID_TERM:
        return mid
    return float(row[SIGMA_COLUMN] if term == SIGMA_TERM else row[term])


@kernel
def kept_value(memory: Float64Array, width: int, lag: int, place: int) -> float:
    """A term `lag` bar closes ago; NaN when that was not seen."""
    count = int(memory[0])
    if lag > count:
        return math.nan
    rows = (memory.shape[0] - HEAD_WORDS) // width
    slot = (int(memory[1]) - lag + 1 + rows) % rows
    return float(memory[HEAD_WORDS + slot * width + place])


@kernel
def keep_row(program: Program, row: Float64Array, mid: float, memory: Float64Array) -> None:
    """Remember the lagged terms at a bar's close."""
    width = program.kept.shape[0]
    rows = (memory.shape[0] - HEAD_WORDS) // width
    slot = (int(memory[1]) + 1) % rows
    memory[0] = min(memory[0] + 1, rows)
    memory[1] = slot
    first = program.leaves.shape[0] + DEEPEST_STACK
    for place in range(width):
        term = program.kept[place]
        if term >= FIRST_REQUESTED:
            value = program.scratch[first + term - FIRST_REQUESTED]
        else:
            value = term_value(row, mid, term)
        memory[HEAD_WORDS + slot * width + place] = value


@kernel
def lesser(a: float, b: float) -> float:
    """The smaller one; NaN when either is."""
    return a if a < b or math.isnan(a) else b


@kernel
def greater(a: float, b: float) -> float:
    """The larger one; NaN when either is."""
    return a if a > b or math.isnan(a) else b


@kernel
def combine(op: int, a: float, b: float) -> float:
    """The result of an operation on two values."""
    if op == ADD:
        return a + b
    if op == SUBTRACT:
        return a - b
    if op == MULTIPLY:
        return a * b
    if op == DIVIDE:
        return a / b if b != 0.0 else math.nan
    return lesser(a, b) if op == MINIMUM else greater(a, b)


@kernel
def change(op: int, a: float) -> float:
    """The result of an operation on one value."""
    if op == NEGATE:
        return -a
    if op == ABSOLUTE:
        return math.fabs(a)
    return math.log(a) if a > 0.0 else math.nan


@kernel
def run_column(
    program: Program, span: tuple[int, int], terms: Float64Array, stack: Float64Array
) -> float:
    """The value of one column, NaN where it is not finite; `terms` float64[l] of the leaves."""
    top = -1
    for position in range(span[0], span[1]):
        op, argument = program.code[position, 0], program.code[position, 1]
        if op == TERM:
            top += 1
            stack[top] = terms[argument]
        elif op == CONSTANT:
            top += 1
            stack[top] = program.constants[argument]
        elif op == CLIP:
            top -= 2
            stack[top] = lesser(greater(stack[top], stack[top + 1]), stack[top + 2])
        elif op in (NEGATE, ABSOLUTE, LOG):
            stack[top] = change(op, stack[top])
        else:
            top -= 1
            stack[top] = combine(op, stack[top], stack[top + 1])
    value = float(stack[0])
    return value if math.isfinite(value) else math.nan


@kernel
def advance_set(
    program: Program,
    row: Float64Array,
    mid: float,
    flags: int,
    memory: Float64Array,
    out: Float64Array,
) -> None:
    """Compute every column after a tick; remember it when it closed a bar, forget all at a gap.

    A tick that the engine ignored changes nothing.
    """
    if flags & IGNORED:
        return
    if flags & GAP:
        memory[:] = 0.0
    count = program.leaves.shape[0]
    terms, stack = program.scratch[:count], program.scratch[count:]
    width = program.kept.shape[0]
    for leaf in range(count):
        lag = program.leaves[leaf, 1]
        term = program.leaves[leaf, 0]
        if lag == 0 and term >= FIRST_REQUESTED:
            terms[leaf] = program.scratch[count + DEEPEST_STACK + term - FIRST_REQUESTED]
        elif lag == 0:
            terms[leaf] = term_value(row, mid, term)
        else:
            terms[leaf] = kept_value(memory, width, lag, program.leaves[leaf, 2])
    start = 0
    for column in range(program.ends.shape[0]):
        end = program.ends[column]
        out[column] = run_column(program, (start, end), terms, stack)
        start = end
    if flags & CLOSED and not flags & GAP and width > 0:
        keep_row(program, row, mid, memory)


@entry
def step_set(
    program: Program,
    words: Float64Array,
    mid_word: int,
    flags: int,
    memory: Float64Array,
    values: Float64Array,
) -> None:
    """One tick: `words` is the engine's whole state, `mid_word` where its mid lies."""
    advance_set(program, words, words[mid_word], flags, memory, values)


@entry
def run_set(
    program: Program,
    sample: tuple[Float64Array, Float64Array, Int64Array, Float64Array],
    memory: Float64Array,
    values: Float64Array,
    out: Float64Array,
) -> None:
    """A block of sampled rows; every bar close must be among them.

    `sample`: rows float64[n, ROW_WIDTH], their mid float64[n], flags int64[n], features on request
    float64[n, K]. `values` holds the columns after the tick before, and then those after the last
    row.
    """
    rows, mid, flags, requested = sample
    first = program.leaves.shape[0] + DEEPEST_STACK
    for index in range(rows.shape[0]):
        program.scratch[first:] = requested[index]
        advance_set(program, rows[index], mid[index], flags[index], memory, values)
        out[index, :] = values
