"""Formulas over features as they stand now: the same steps that the compiled kernel runs.

The kernel of `features/program.py` works tick by tick; an alert looks a few times a second, so the
steps are run here in Python over the engine's own memory. What `lag` needs is kept from bar close
to bar close, from the first time somebody asks.
"""

import math
from collections import deque
from typing import Final

from plan2.foundation.values import Float64Array
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.expressions import COLUMNS, MID, SIGMA, Formula, Op, read_formula
from plan2.intelligence.features.loop import SIGMA_COLUMN

FORMULAS_MAX: Final = 1_000
"""Formulas of a symbol that are kept in understood form."""
Row = tuple[Float64Array, float]
"""An engine's outputs and the mid, at one moment."""


class LiveFormulas:
    """The formulas of one symbol.

    Args:
        engine: computes the features.
    """

    def __init__(self, engine: FeatureEngine) -> None:
        self._engine = engine
        self._known: dict[str, Formula] = {}
        self._past: deque[Row] = deque(maxlen=1)
        self._closed_ns = engine.closed_ns
        self._bars = self._count()

    def value(self, text: str, mid: float) -> float:
        """A formula after the last tick; NaN where a term is not known.

        Raises:
            InputError: it is no formula.
        """
        formula = self._known.get(text)
        if formula is None:
            formula = read_formula(text)
            if len(self._known) < FORMULAS_MAX:
                self._known[text] = formula
            if formula.longest_lag > (self._past.maxlen or 0):
                self._past = deque(self._past, maxlen=formula.longest_lag)
        self._forget_after_gap()
        return _run(formula, (self._engine.words, mid), self._past)

    def look(self, mid: float) -> None:
        """Keep the outputs if a bar was closed since the last look; a gap wipes what was kept."""
        engine = self._engine
        self._forget_after_gap()
        if engine.closed_ns == self._closed_ns:
            return
        self._closed_ns = engine.closed_ns
        if self._known:
            self._past.append((engine.words[: SIGMA_COLUMN + 1].copy(), mid))

    def _forget_after_gap(self) -> None:
        """Forget what was kept before a gap; the bar that it ended is not kept either."""
        before, self._bars = self._bars, self._count()
        if self._bars < before:
            self._past.clear()
            self._closed_ns = self._engine.closed_ns

    def _count(self) -> int:
        """Bars since the start or the last gap."""
        return int(self._engine.records["memory"]["history"]["count"][0])


def _run(formula: Formula, now: Row, past: "deque[Row]") -> float:
    stack: list[float] = []
    for step in formula.steps:
        match step.op:
            case Op.TERM:
                known = step.lag <= len(past)
                row = now if step.lag == 0 else past[-step.lag] if known else None
                stack.append(_term(row, step.term) if row is not None else math.nan)
            case Op.CONSTANT:
                stack.append(step.value)
            case Op.NEGATE | Op.ABSOLUTE | Op.LOG:
                stack.append(_unary(step.op, stack.pop()))
            case Op.CLIP:
                high, low, value = stack.pop(), stack.pop(), stack.pop()
                stack.append(_least(_most(value, low), high))
            case _:
                right, left = stack.pop(), stack.pop()
                stack.append(_binary(step.op, left, right))
    value = stack.pop()
    return value if math.isfinite(value) else math.nan


def _term(row: Row, name: str) -> float:
    words, mid = row
    if name == MID:
        return mid
    return float(words[SIGMA_COLUMN if name == SIGMA else COLUMNS[name]])


def _unary(op: Op, value: float) -> float:
    if op is Op.NEGATE:
        return -value
    if op is Op.ABSOLUTE:
        return abs(value)
    return math.log(value) if value > 0.0 else math.nan


def _binary(op: Op, left: float, right: float) -> float:
    match op:
        case Op.ADD:
            return left + right
        case Op.SUBTRACT:
            return left - right
        case Op.MULTIPLY:
            return left * right
        case Op.DIVIDE:
            return left / right if right != 0.0 else math.nan
        case Op.MINIMUM:
            return _least(left, right)
        case _:
            return _most(left, right)


def _least(left: float, right: float) -> float:
    return math.nan if math.isnan(left + right) else min(left, right)


def _most(left: float, right: float) -> float:
    return math.nan if math.isnan(left + right) else max(left, right)
