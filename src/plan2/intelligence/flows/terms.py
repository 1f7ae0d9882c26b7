"""What the expressions of a flow become: terms of generated source over shared building blocks.

A term is a piece of Python text that only our own reader writes. Whatever depends on numbers alone
is a constant: it is computed before a run and read from the array `c`, so that other parameters
need no other machine code. Memory lies in the arrays `s` and `w` between two calls and in names
such as `s13` and `w10` within one. Equal blocks are made once, however often a flow names them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from plan2.foundation.errors import InputError

Values = Mapping[str, float]
"""The parameters of a run by name, with `pip` and `point` of its instrument."""

Number = Callable[[Values], float]
LONGEST_WINDOW = 100_000
MOST_BLOCKS = 256


@dataclass(frozen=True, slots=True)
class Term:
    """A value within the generated source.

    Attributes:
        text: Python text of it. said: what the user wrote, for messages.
        number: how it is computed before a run, for constants only.
        is_condition: true or false instead of a number.
        blocks: indices of the building blocks that it reads.
    """

    text: str
    said: str
    number: Number | None = None
    is_condition: bool = False
    blocks: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Window:
    """A whole number of bars that is known before a run: `number` of a user's argument."""

    number: Number
    said: str

    def length(self, values: Values) -> int:
        """Its value.

        Raises:
            InputError: it is not a whole number from 1 to LONGEST_WINDOW.
        """
        found = self.number(values)
        if found != int(found) or not 1 <= found <= LONGEST_WINDOW:
            raise InputError(
                f"{self.said} must be a whole number of bars from 1 to {LONGEST_WINDOW:,}; "
                f"found {found:g}."
            )
        return int(found)


@dataclass(frozen=True, slots=True)
class Block:
    """One building block: a call, its memory, and how many bars it needs.

    Attributes:
        line: of the generated source that brings it up to date.
        at, floats: its place in `s`. on, integers: its place in `w`.
        window: bars it looks back; its ring has `window + ring_extra` values when `has_ring`.
        start: what its floats begin with; NaN where not said.
        inputs: blocks that it follows.
    """

    line: str
    at: int
    floats: int
    on: int
    window: Window | None
    has_ring: bool
    warm_extra: int
    start: tuple[float, ...]
    inputs: frozenset[int]


@dataclass(slots=True)
class Program:
    """Everything the expressions of one flow need; grows while they are read.

    Attributes:
        floats, integers: how much of `s` and `w` is taken; the first ones belong to the bar.
        constants: in the order of `c`. before: pairs (slot, text) kept after each judgement.
        outer: names of columns that come from outside (catalogue features, forecasts).
    """

    floats: int
    integers: int
    constants: list[Number] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    before: list[tuple[int, str]] = field(default_factory=list)
    outer: dict[str, int] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    _known: dict[str, int] = field(default_factory=dict)

    def constant(self, number: Number, key: str) -> str:
        """The text that reads a number known before a run; equal keys share a place."""
        place = self._known.setdefault(f"c {key}", len(self.constants))
        if place == len(self.constants):
            self.constants.append(number)
        return f"c{place}"

    def slot(self) -> int:
        """A float of its own."""
        self.floats += 1
        return self.floats - 1

    def column(self, name: str) -> int:
        """The slot of a value that comes from outside, by name."""
        if name not in self.outer:
            self.outer[name] = self.slot()
        return self.outer[name]

    def block(  # noqa: PLR0913 - a block is described once, here
        self,
        kernel: str,
        source: Term,
        *extra: str,
        window: Window | None = None,
        has_ring: bool = False,
        counted: bool = False,
        floats: int = 1,
        warm_extra: int = -1,
        start: tuple[float, ...] = (),
    ) -> tuple[int, frozenset[int]]:
        """Where the first float of a block lies, and the indices to hand on; made if it is new.

        `counted`: it has [count, N] in `w`; `has_ring`: [count, slot, ring, N].
        """
        key = " ".join(["b", kernel, source.text, *extra, window.said if window else ""])
        index = self._known.setdefault(key, len(self.blocks))
        if index < len(self.blocks):
            return self.blocks[index].at, frozenset({index})
        if index == MOST_BLOCKS:
            raise InputError(f"a flow has at most {MOST_BLOCKS} running indicators.")
        at, on = self.floats, self.integers
        integers = 4 if has_ring else 2 if counted else 0
        own = [f"s{at + place}" for place in range(floats)]
        own += [f"w{on + place}" for place in range(integers // 2)]
        fixed = [f"w{on + place}" for place in range(integers // 2, integers)]
        ring = ["r", *fixed] if has_ring else fixed
        arguments = ", ".join([*own, *ring, source.text, *extra])
        self.floats += floats
        self.integers += integers
        self.blocks.append(
            Block(
                f"{', '.join(own)} = {kernel}({arguments})",
                at,
                floats,
                on,
                window,
                has_ring,
                warm_extra,
                start,
                source.blocks,
            )
        )
        return at, frozenset({index})
