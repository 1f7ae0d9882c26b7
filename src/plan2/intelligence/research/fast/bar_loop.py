"""Writes the two loops over bars that a point of a sweep needs of its flow.

`follow` brings one running indicator along all bars: many points share it. `judge` says what each
bar's end asks for. Their lines are the ones of the full engine (`flows/source.py`); what the
account makes of the signals is `bar_account.walk`, the same for every flow.
"""

import re
from dataclasses import dataclass
from typing import Final

from plan2.intelligence.flows.source import HEAD, FlowSource, indented
from plan2.intelligence.flows.terms import Block
from plan2.intelligence.research.fast.bar_table import PRICES

FOLLOW: Final = """
@njit(cache=True, error_model="numpy", _nrt=False)
def follow(block, s, w, c, r, prices, ends, columns, rows):
"""
JUDGE: Final = """
@njit(cache=True, error_model="numpy", _nrt=False)
def judge(s, w, c, prices, ends, columns, rows, signals):
"""
SLOT: Final = re.compile(r"\bs(\d+)\b")
CONSTANT: Final = re.compile(r"\bc(\d+)\b")


@dataclass(frozen=True, slots=True)
class LoopSource:
    """The source of both loops, a whole module, and what its indicators stand on.

    Attributes:
        slots: places in `s` that are kept as columns, in the order of `rows`.
        constants: for each block, the places in `c` that it reads itself.
    """

    text: str
    slots: tuple[int, ...]
    constants: tuple[tuple[int, ...], ...]


def loop_source(source: FlowSource, fingerprint: str) -> LoopSource:
    """Write `follow` and `judge` of a flow.

    `follow(block, s, w, c, r, prices, ends, columns, rows)` writes the columns of one block;
    `judge(s, w, c, prices, ends, columns, rows, signals)` the signal of each bar, int8[n].
    `columns`: float64[m, n]; `rows`: int64, where the column of each of `slots` lies. An entry that
    comes too soon after another one is left to the account.
    """
    blocks = source.program.blocks
    own = {slot for block in blocks for slot in range(block.at, block.at + block.floats)}
    read = {int(slot) for line in source.judge for slot in SLOT.findall(line)}
    read.update(slot for block in blocks for slot in _others(block))
    slots = tuple(sorted(read & own))
    text = [
        HEAD.format(fingerprint=fingerprint),
        FOLLOW,
        *_lines([*source.load, *_follow(source, slots), "return 0"]),
        JUDGE,
        *_lines([*source.load, *_judge(source, slots), "return 0"]),
    ]
    constants = tuple(
        tuple(sorted({int(place) for place in CONSTANT.findall(block.line)})) for block in blocks
    )
    return LoopSource("".join(text), slots, constants)


def _lines(lines: list[str]) -> list[str]:
    return [f"{line}\n" for line in indented(lines)]


def _follow(source: FlowSource, slots: tuple[int, ...]) -> list[str]:
    """One loop for each block, of which one is run."""
    lines = []
    for number, block in enumerate(source.program.blocks):
        mine = range(block.at, block.at + block.floats)
        bar = [
            *_bar(),
            *(f"s{slot} = {_cell(slots, slot)}" for slot in _others(block)),
            block.line,
            *(f"{_cell(slots, slot)} = s{slot}" for slot in slots if slot in mine),
        ]
        lines += [f"if block == {number}:", *indented(_over_bars(bar))]
    return lines


def _others(block: Block) -> list[int]:
    """Slots of other blocks that a block reads."""
    mine = range(block.at, block.at + block.floats)
    return sorted({int(slot) for slot in SLOT.findall(block.line)} - set(mine))


def _judge(source: FlowSource, slots: tuple[int, ...]) -> list[str]:
    judged = "\n".join(source.judge)
    read = [slot for slot in slots if any(slot == int(s) for s in SLOT.findall(judged))]
    bar = [
        *_bar(),
        *(f"s{slot} = column{slot}[bar]" for slot in read),
        "bars = bar + 1",
        "signal = 0",
        *source.judge,
        "signals[bar] = signal",
    ]
    columns = [f"column{slot} = columns[rows[{slots.index(slot)}]]" for slot in read]
    return ["entered, gap = -1, 0", *columns, *_over_bars(bar)]


def _bar() -> list[str]:
    """The bar becomes the moment; the compiler drops what nobody reads."""
    return [
        *(f"{name} = prices[{at}, bar]" for at, name in enumerate(PRICES)),
        "moment = ends[bar]",
    ]


def _over_bars(bar: list[str]) -> list[str]:
    return ["for bar in range(prices.shape[1]):", *indented(bar)]


def _cell(slots: tuple[int, ...], slot: int) -> str:
    return f"columns[rows[{slots.index(slot)}], bar]"
