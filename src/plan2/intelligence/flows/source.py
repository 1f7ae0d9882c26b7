"""Writes the source of a flow's compiled code: bars, indicators, judgement, distances.

The text holds the structure of a flow and none of its numbers that are parameters, so that a
parameter sweep compiles once. Live ticks (`step`) and whole columns (`backtest/loop_source.py`)
are made of the very same lines.
"""

from dataclasses import dataclass
from typing import Final

from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.reading import Reader
from plan2.intelligence.flows.terms import Program, Term
from plan2.intelligence.flows.words import COUNTS, NUMBERS

PRICES: Final = {"mid": "0.5 * (bid + ask)", "bid": "bid", "ask": "ask"}
DISTANCES: Final = ("stop_loss", "take_profit", "trailing", "trailing_step", "break_even_offset")
"""Places in the array `o`, in price units; 0 = none."""

ENTRIES: Final = ("long", "short")
EXITS: Final = ("exit_long", "exit_short")

HEAD: Final = '''"""Written by plan2 from the structure of a flow; code {fingerprint}."""

import math

from numba import njit

from plan2.intelligence.flows.blocks import (
    directed, gains, highest_of, mean_of_first, mean_of_mean, past, rounded, share, span, weighted,
    window,
)
from plan2.intelligence.flows.words import CLOSED, EXIT_LONG, EXIT_SHORT, LONG, SHORT, WISHES
'''

STEP: Final = """
@njit(cache=True, error_model="numpy")
def step(s, w, c, r, o, ts_ns, bid_price, ask_price):
"""
TRACE: Final = """
@njit(cache=True, error_model="numpy")
def trace(s, w, c, r, o, ts, bids, asks, out):
"""
SHOWN: Final = """
@njit(cache=True, error_model="numpy")
def shown(s, w, c, out):
"""
CLOSE_BAR: Final = [
    "moment = end",
    "bars += 1",
    "open_, high, low, close = new_open, new_high, new_low, new_close",
]
EXTEND_BAR: Final = [
    "if ts_ns >= end:",
    "    end = (ts_ns // period + 1) * period",
    "    new_open = new_high = new_low = price",
    "elif price > new_high:",
    "    new_high = price",
    "elif price < new_low:",
    "    new_low = price",
    "new_close = price",
]
IS_OVER: Final = "if end != 0 and ts_ns >= end:"


def indented(lines: list[str]) -> list[str]:
    """One level deeper."""
    return [f"    {line}" for line in lines]


@dataclass(frozen=True, slots=True)
class FlowSource:
    """A flow that was understood, as lines of source by what they do.

    Attributes:
        program: memory, constants and blocks. shown: the flow's features that are numbers.
        see: makes a tick (`bid_points`, `ask_points`, `ts_ns`) the moment. price: what bars are of.
        follow: brings every indicator up to date with the bar closed last.
        judge: writes `signal`. measure: writes the distances of DISTANCES into `o`.
        is_ticks: every tick is a bar. on_ticks: judged on every tick, not only at a bar's end.
        measured: which of DISTANCES the flow has. uses_models: forecasts stand behind the flow.
    """

    program: Program
    shown: dict[str, Term]
    price: str
    follow: list[str]
    judge: list[str]
    measure: list[str]
    is_ticks: bool
    on_ticks: bool
    measured: frozenset[str]
    uses_models: bool

    @property
    def see(self) -> list[str]:
        """A tick becomes the moment; `price` is what bars are made of."""
        return [
            "moment = ts_ns",
            "bid = bid_points / scale",
            "ask = ask_points / scale",
            f"price = {self.price}",
        ]

    @property
    def tick_bar(self) -> list[str]:
        """A bar of this one tick."""
        return ["bars += 1", "open_ = high = low = close = price", *self.follow]

    @property
    def close_bar(self) -> list[str]:
        """The bar in progress is over; the moment is its end."""
        return [*CLOSE_BAR, *self.follow]

    @property
    def load(self) -> list[str]:
        """From the arrays into names."""
        return [
            *(f"{name} = s[{place}]" for place, name in enumerate(_names_s(self.program))),
            *(f"{name} = w[{place}]" for place, name in enumerate(_names_w(self.program))),
            *(f"c{place} = c[{place}]" for place in range(len(self.program.constants))),
        ]

    @property
    def save(self) -> list[str]:
        """From the names back into the arrays."""
        return [
            *(f"s[{place}] = {name}" for place, name in enumerate(_names_s(self.program))),
            *(f"w[{place}] = {name}" for place, name in enumerate(_names_w(self.program))),
        ]


def _names_s(program: Program) -> list[str]:
    return [*NUMBERS, *(f"s{place}" for place in range(len(NUMBERS), program.floats))]


def _names_w(program: Program) -> list[str]:
    return [*COUNTS, *(f"w{place}" for place in range(len(COUNTS), program.integers))]


def write_source(flow: Flow) -> FlowSource:
    """Read every expression of a flow.

    Raises:
        InputError: an expression cannot be used; the sentence says where.
    """
    reader = Reader(flow)
    conditions = {
        name: reader.condition(getattr(flow.policy, name), f"[policy] {name}")
        for name in (*ENTRIES, *EXITS)
    }
    distances = {
        name: reader.number(text, f"[exits] {name}")
        for name in DISTANCES
        if (text := getattr(flow.exits, name))
    }
    is_ticks = flow.source.bars == "tick"
    return FlowSource(
        program=reader.program,
        shown=reader.features,
        price=PRICES[flow.source.price],
        follow=[block.line for block in reader.program.blocks],
        judge=_judge(reader.program, conditions, flow),
        measure=[f"o[{DISTANCES.index(n)}] = {term.text}" for n, term in distances.items()],
        is_ticks=is_ticks,
        on_ticks=not is_ticks and flow.policy.on == "tick",
        measured=frozenset(distances),
        uses_models=flow.models.use,
    )


def _judge(program: Program, conditions: dict[str, Term], flow: Flow) -> list[str]:
    """Nothing before the warm-up; no entry too soon after the last one."""
    exits = [name for name in EXITS if getattr(flow.policy, name)]
    wishes = ["if bars - entered >= gap:", f"    signal |= {_bits(ENTRIES, conditions)}"]
    if exits:
        wishes.append(f"signal |= {_bits(exits, conditions)}")
    remembered = [f"s{slot} = {text}" for slot, text in program.before]
    return ["if bars > first:", *indented(wishes), *remembered]


def _bits(names: tuple[str, ...] | list[str], conditions: dict[str, Term]) -> str:
    return " | ".join(f"({name.upper()} if {conditions[name].text} else 0)" for name in names)


def step_text(source: FlowSource) -> str:
    """The source of the function that takes one live tick, prices in quote currency."""
    points = [f"{side}_points = rounded({side}_price * scale)" for side in ("bid", "ask")]
    lines = [*source.load, *points, *_tick(source), *source.save]
    return STEP + "\n".join(indented([*lines, "return signal"])) + "\n"


def shown_text(source: FlowSource) -> str:
    """The source of the function that writes the flow's own features into `out`."""
    lines = [f"out[{place}] = {term.text}" for place, term in enumerate(source.shown.values())]
    return SHOWN + "\n".join(indented([*source.load, *lines, "return 0"])) + "\n"


def trace_text(source: FlowSource) -> str:
    """The source of the function that writes the signal of each tick of columns in points."""
    tick = ["ts_ns = ts[row]", "bid_points = bids[row]", "ask_points = asks[row]"]
    tick += [*_tick(source), "out[row] = signal"]
    lines = [*source.load, "for row in range(ts.shape[0]):", *indented(tick), *source.save]
    return TRACE + "\n".join(indented([*lines, "return 0"])) + "\n"


def _tick(source: FlowSource) -> list[str]:
    """One tick without an account: `signal`, and the distances when there is a wish."""
    measure = ["if signal & WISHES:", *indented(source.measure)] if source.measure else []
    over = [IS_OVER, *indented([*source.close_bar, "signal = CLOSED"])]
    if source.is_ticks:
        steps = [*source.see, *source.tick_bar, "signal = CLOSED", *source.judge, *measure]
    elif source.on_ticks:
        steps = [*over, *source.see, *source.judge, *measure, *EXTEND_BAR]
    else:  # judgement and distances belong to the bar's end, before the tick that shows it
        steps = [*over, *indented([*source.judge, *measure]), *source.see, *EXTEND_BAR]
    return ["signal = 0", *steps]
