"""Ranges of parameters as a person writes them, and the points they make.

`fast=5:50:5` are the numbers from 5 to 50 in steps of 5, `stop=0.5:2` everything between (and
`fast=5:9` every whole number, because both ends are written whole), `slow=log(20,200)` is even in
the logarithm, `slow=log(20,200,8)` takes eight of them, `n=5,10,20` is a list.
"""

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from plan2.foundation.errors import InputError

POINTS_MAX: Final = 100_000
"""More points than a sweep is meant for; a random or guided search takes as many as it is told."""
_NUMBER: Final = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_STEPS: Final = re.compile(rf"({_NUMBER}):({_NUMBER})(?::({_NUMBER}))?")
_LOG: Final = re.compile(rf"log\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*(?:,\s*(\d+)\s*)?\)")
_LIST: Final = re.compile(rf"{_NUMBER}(?:\s*,\s*{_NUMBER})*")

Point = dict[str, float]
"""One value for each parameter that varies."""


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """The values that a parameter may take.

    Attributes:
        values: those of a list or of steps; empty = anything from `low` to `high`.
        is_whole: whole numbers only. is_log: even in the logarithm.
    """

    name: str
    low: float
    high: float
    values: tuple[float, ...] = ()
    is_whole: bool = False
    is_log: bool = False

    def at(self, share: float) -> float:
        """The value this far along, 0 to 1 (1 excluded)."""
        if self.values:
            return self.values[int(share * len(self.values))]
        if self.is_log:
            value = math.exp(math.log(self.low) + share * math.log(self.high / self.low))
        else:
            value = self.low + share * (self.high - self.low)
        return float(round(value)) if self.is_whole else value


def parse_range(text: str) -> Range:
    """The range that `name=…` writes.

    Raises:
        InputError: it is none of the forms, its ends are not in order, or it has too many values.
    """
    name, equals, body = (part.strip() for part in text.partition("="))
    if not equals or not re.fullmatch(r"[a-z][a-z0-9_]{0,47}", name):
        raise _strange(text)
    if match := _STEPS.fullmatch(body):
        return _steps(text, name, match)
    if match := _LOG.fullmatch(body):
        return _log(text, name, match)
    if not _LIST.fullmatch(body):
        raise _strange(text)
    values = tuple(dict.fromkeys(float(part) for part in body.split(",")))
    return Range(
        name=name,
        low=min(values),
        high=max(values),
        values=values,
        is_whole=all(value.is_integer() for value in values),
    )


def parse_ranges(texts: Sequence[str]) -> tuple[Range, ...]:
    """All ranges of a request.

    Raises:
        InputError: as `parse_range`, there is none, or a name comes twice.
    """
    found = tuple(parse_range(text) for text in texts)
    if not found:
        raise InputError("No parameter varies.", remedy="Give ranges such as fast=5:50:5.")
    names = [each.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"The parameter {twice} is given twice; give one range for it.")
    return found


def grid(ranges: Sequence[Range]) -> list[Point]:
    """Every combination, the last parameter varying fastest.

    Raises:
        InputError: a range has no steps, or there are more than `POINTS_MAX` combinations.
    """
    for each in ranges:
        if not each.values:
            raise InputError(
                f"A grid needs steps; {each.name} may be anything from {each.low:g} to "
                f"{each.high:g}.",
                remedy=f"Write {each.name}=FROM:TO:STEP or log(FROM,TO,COUNT), or take "
                "another method.",
            )
    count = math.prod(len(each.values) for each in ranges)
    if count > POINTS_MAX:
        raise InputError(
            f"The grid has {count:,} points; at most {POINTS_MAX:,} are allowed.",
            remedy="Take larger steps, or the method random or tpe.",
        )
    names = [each.name for each in ranges]
    combined = itertools.product(*(each.values for each in ranges))
    return [dict(zip(names, values, strict=True)) for values in combined]


def random_points(ranges: Sequence[Range], seed: int) -> Iterator[Point]:
    """Independent uniform draws without end; the same seed gives the same points."""
    rng = np.random.default_rng(seed)
    while True:
        yield {each.name: each.at(float(rng.random())) for each in ranges}


def _steps(text: str, name: str, match: re.Match[str]) -> Range:
    low, high = float(match[1]), float(match[2])
    is_whole = all("." not in part and "e" not in part.lower() for part in match.groups() if part)
    step = float(match[3]) if match[3] else (1.0 if is_whole else 0.0)
    if low > high or step < 0.0 or (match[3] and step == 0.0):
        raise _strange(text)
    if step == 0.0:
        return Range(name=name, low=low, high=high)
    count = math.floor((high - low) / step + 1e-9) + 1
    if count > POINTS_MAX:
        raise InputError(f"{text} are {count:,} values; at most {POINTS_MAX:,} are allowed.")
    values = tuple(round(low + number * step, 12) for number in range(count))
    return Range(name=name, low=low, high=values[-1], values=values, is_whole=is_whole)


def _log(text: str, name: str, match: re.Match[str]) -> Range:
    low, high = float(match[1]), float(match[2])
    if not 0.0 < low < high:
        raise _strange(text)
    is_whole = low.is_integer() and high.is_integer() and "." not in match[1] + match[2]
    values: tuple[float, ...] = ()
    if match[3]:
        count = int(match[3])
        if not 2 <= count <= 1_000:
            raise InputError(f"{text}: between 2 and 1,000 values; found {count}.")
        spaced = np.geomspace(low, high, count)
        values = tuple(dict.fromkeys((np.round(spaced) if is_whole else spaced).tolist()))
    return Range(name=name, low=low, high=high, values=values, is_whole=is_whole, is_log=True)


def _strange(text: str) -> InputError:
    return InputError(
        f"{text!r} is not a range.",
        remedy="Write name=FROM:TO:STEP, name=FROM:TO, name=log(FROM,TO) or name=5,10,20, "
        "with the smaller number first.",
    )
