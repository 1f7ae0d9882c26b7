"""Ranges of parameters as people write them."""

import itertools

import numpy as np
import pytest

from plan2.foundation.errors import InputError
from plan2.intelligence.research.heat_map import heat_map
from plan2.intelligence.research.neighbours import cliff_of
from plan2.intelligence.research.ranges import (
    grid,
    parse_range,
    parse_ranges,
    random_points,
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("fast=5:50:15", (5.0, 20.0, 35.0, 50.0)),
        ("fast=5:9", (5.0, 6.0, 7.0, 8.0, 9.0)),
        ("stop=0.1:0.5:0.2", (0.1, 0.3, 0.5)),
        ("fast=5:12:5", (5.0, 10.0)),
        ("n=30, 10,10", (30.0, 10.0)),
        ("n=7", (7.0,)),
        ("slow=log(1,1000,4)", (1.0, 10.0, 100.0, 1000.0)),
        ("x=-2:2:2", (-2.0, 0.0, 2.0)),
    ],
)
def test_steps_lists_and_logarithms(text: str, values: tuple[float, ...]) -> None:
    """Steps lists and logarithms."""
    assert parse_range(text).values == pytest.approx(values)


def test_a_range_without_steps_takes_anything_between() -> None:
    """A range without steps takes anything between."""
    each = parse_range("stop=0.5:2.0")
    assert not each.values
    assert (each.at(0.0), each.at(0.5)) == (0.5, 1.25)
    logarithmic = parse_range("slow=log(20,200)")
    assert logarithmic.is_whole
    assert logarithmic.at(0.5) == 63.0  # √(20·200) = 63.2, whole because both ends are


@pytest.mark.parametrize(
    "text",
    ["fast", "fast=", "fast=9:5:1", "fast=5:9:0", "fast=5:9:-1", "slow=log(0,5)", "Fast=1:2",
     "fast=__import__('os')", "slow=log(5,5)", "fast=1:2:3:4", "slow=log(1,9,1)"],
)  # fmt: skip
def test_what_is_no_range_is_refused(text: str) -> None:
    """What is no range is refused."""
    with pytest.raises(InputError):
        parse_range(text)


def test_a_grid_is_every_combination_and_needs_steps() -> None:
    """A grid is every combination and needs steps."""
    points = grid(parse_ranges(["a=1:2:1", "b=5,6,7"]))
    expected = [{"a": float(a), "b": float(b)} for a, b in itertools.product((1, 2), (5, 6, 7))]
    assert points == expected
    with pytest.raises(InputError, match="needs steps"):
        grid(parse_ranges(["a=0.0:1.0"]))
    with pytest.raises(InputError, match="at most"):
        grid(parse_ranges(["a=1:1000", "b=1:1000"]))
    with pytest.raises(InputError, match="twice"):
        parse_ranges(["a=1:2", "a=3:4"])


def test_draws_repeat_with_their_seed_and_stay_inside() -> None:
    """Draws repeat with their seed and stay inside."""
    ranges = parse_ranges(["a=0.5:2.5", "b=log(1.0,100.0)", "n=3,9"])
    first = list(itertools.islice(random_points(ranges, 7), 400))
    assert first == list(itertools.islice(random_points(ranges, 7), 400))
    assert first != list(itertools.islice(random_points(ranges, 8), 400))
    assert {point["n"] for point in first} == {3.0, 9.0}
    assert all(0.5 <= point["a"] < 2.5 and 1.0 <= point["b"] < 100.0 for point in first)
    # Even in the logarithm: half of the draws lie below the geometric mean, 10.
    below = np.mean([point["b"] < 10.0 for point in first])
    assert 0.4 < below < 0.6


def test_a_heat_map_keeps_the_best_of_the_other_parameters() -> None:
    """A heat map keeps the best of the other parameters."""
    x, y = parse_ranges(["x=1:3:1", "y=10,20"])
    trials = [
        ({"x": 1.0, "y": 10.0, "z": 1.0}, 0.5),
        ({"x": 1.0, "y": 10.0, "z": 2.0}, 0.7),
        ({"x": 3.0, "y": 20.0, "z": 1.0}, -1.0),
        ({"x": 2.0, "y": 20.0, "z": 1.0}, None),
    ]
    found = heat_map(x, y, trials)
    assert (found.xs, found.ys) == ((1.0, 2.0, 3.0), (10.0, 20.0))
    assert found.cells == ((0.7, None, None), (None, None, -1.0))


def test_a_plateau_is_no_cliff_and_a_needle_is_one() -> None:
    """A plateau is no cliff and a needle is one."""
    ranges = parse_ranges(["x=1:5:1", "y=1:5:1"])
    places = grid(ranges)
    best = {"x": 3.0, "y": 3.0}
    plateau = [(point, 2.0) for point in places]
    assert cliff_of(best, plateau, ranges) == 0.0
    needle = [(point, 2.0 if point == best else 0.0) for point in places]
    assert cliff_of(best, needle, ranges) == 1.0
    # Eight neighbours: four earn 1.5 and four 0.5, on average 1.0, half of the best.
    slope = [
        (point, 2.0 if point == best else (1.5 if point["x"] == 3 or point["y"] == 3 else 0.5))
        for point in places
    ]
    assert cliff_of(best, slope, ranges) == pytest.approx(0.5)
    assert cliff_of(best, [(best, 2.0)], ranges) is None
    assert cliff_of(best, [(point, -1.0) for point in places], ranges) is None
