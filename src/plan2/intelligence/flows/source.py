"""Writes the source of a flow's compiled functions: indicators, judgement, distances, one tick.

The text holds the structure of a flow and none of its numbers that are parameters, so that a
parameter sweep compiles once. Live ticks (`step`) and whole columns (`backtest/loop_source.py`)
use the same generated functions.
"""

from dataclasses import dataclass
from typing import Final

from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.reading import Reader
from plan2.intelligence.flows.terms import Program, Term

PRICES: Final = {"mid": "0.5 * (s[BID] + s[ASK])", "bid": "s[BID]", "ask": "s[ASK]"}
DISTANCES: Final = ("stop_loss", "take_profit", "trailing", "trailing_step", "break_even_offset")
"""Places in the array `o`, in price units; 0 = none."""

CONDITIONS: Final = ("long", "short", "exit_long", "exit_short")

HEAD: Final = '''"""Written by plan2 from the structure of a flow; code {fingerprint}."""

import math

from numba import njit

from plan2.intelligence.features.kernels import kernel
from plan2.intelligence.flows.blocks import (
    directed, gains, highest_of, mean_of_first, mean_of_mean, past, share, span, weighted, window,
)
from plan2.intelligence.flows.moment import (
    CLOSED, EXIT_LONG, EXIT_SHORT, LONG, SHORT, WISHES,
    close_bar, extend_bar, is_warm, see, take_outer, tick_bar,
)
from plan2.intelligence.flows.words import ASK, BID, END, SCALE
'''

STEP_OF_TICKS: Final = '''
@njit(cache=True, error_model="numpy")
def step(s, w, c, o, ts_ns, bid, ask):
    see(s, w, ts_ns, rounded(bid * s[SCALE]), rounded(ask * s[SCALE]))
    tick_bar(s, w, price(s))
    follow(s, w, c)
    signal = judge(s, w, c)
    if signal:
        measure(s, w, c, o)
    return signal | CLOSED
'''

STEP_OF_BARS: Final = '''
@njit(cache=True, error_model="numpy")
def step(s, w, c, o, ts_ns, bid, ask):
    signal = 0
    if w[END] != 0 and ts_ns >= w[END]:
        close_bar(s, w)
        follow(s, w, c)
        signal = CLOSED{judge_bar}
    see(s, w, ts_ns, rounded(bid * s[SCALE]), rounded(ask * s[SCALE])){judge_tick}
    if signal & WISHES:
        measure(s, w, c, o)
    extend_bar(s, w, ts_ns, price(s))
    return signal
'''


@dataclass(frozen=True, slots=True)
class FlowSource:
    """A flow that was understood.

    Attributes:
        text: of the functions `price`, `follow`, `judge`, `measure` and `shown`.
        program: memory, constants and blocks. shown: names of the features that `shown` writes.
        is_ticks: every tick is a bar. on_ticks: judged on every tick, not only at a bar's end.
        measured: which of DISTANCES the flow has.
    """

    text: str
    program: Program
    shown: tuple[str, ...]
    is_ticks: bool
    on_ticks: bool
    measured: frozenset[str]

    @property
    def step_text(self) -> str:
        """The source of the function that takes one live tick."""
        if self.is_ticks:
            return STEP_OF_TICKS
        judge = "judge(s, w, c)"
        return STEP_OF_BARS.format(
            judge_bar="" if self.on_ticks else f" | {judge}",
            judge_tick=f"\n    signal |= {judge}" if self.on_ticks else "",
        )


def write_source(flow: Flow) -> FlowSource:
    """Read every expression of a flow.

    Raises:
        InputError: an expression cannot be used; the sentence says where.
    """
    reader = Reader(flow)
    conditions = [reader.condition(getattr(flow.policy, n), f"[policy] {n}") for n in CONDITIONS]
    distances = {
        name: reader.number(text, f"[exits] {name}")
        for name in DISTANCES
        if (text := getattr(flow.exits, name))
    }
    is_ticks = flow.source.bars == "tick"
    parts = [
        _price(flow),
        _follow(reader.program),
        _judge(reader.program, conditions),
        _measure(distances),
        _shown(reader.features),
    ]
    return FlowSource(
        text="\n\n".join(parts),
        program=reader.program,
        shown=tuple(reader.features),
        is_ticks=is_ticks,
        on_ticks=not is_ticks and flow.policy.on == "tick",
        measured=frozenset(distances),
    )


def _function(head: str, lines: list[str]) -> str:
    return "\n".join(["@kernel", f"def {head}:", *(f"    {line}" for line in lines)])


def _price(flow: Flow) -> str:
    body = _function("price(s)", [f"return {PRICES[flow.source.price]}"])
    return body + "\n\n\n" + _function("rounded(x)", ["return int(math.floor(x + 0.5))"])


def _follow(program: Program) -> str:
    return _function("follow(s, w, c)", [block.call for block in program.blocks] or ["pass"])


def _judge(program: Program, conditions: list[Term]) -> str:
    lines = [f"{n} = {term.text}" for n, term in zip(CONDITIONS, conditions, strict=True)]
    lines += [f"s[{slot}] = {text}" for slot, text in program.before]
    bits = ((n, n.upper()) for n in CONDITIONS)
    signal = " | ".join(f"({bit} if {name} else 0)" for name, bit in bits)
    lines.append(f"return {signal} if is_warm(w) else 0")
    return _function("judge(s, w, c)", lines)


def _measure(distances: dict[str, Term]) -> str:
    lines = [f"o[{DISTANCES.index(name)}] = {term.text}" for name, term in distances.items()]
    return _function("measure(s, w, c, o)", lines or ["pass"])


def _shown(features: dict[str, Term]) -> str:
    lines = [f"out[{place}] = {term.text}" for place, term in enumerate(features.values())]
    body = _function("_shown(s, w, c, out)", lines or ["pass"]).removeprefix("@kernel\n")
    return '@njit(error_model="numpy")\n' + body.replace("def _shown", "def shown")
