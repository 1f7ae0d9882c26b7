"""docs/security_promises.md: every number of the specification stands there, every test exists."""

import re

from source_tree import ROOT

TEXT = (ROOT / "docs" / "security_promises.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([\d, –]+) \|", re.MULTILINE)
NUMBERS = {*range(19, 30), *range(50, 107)}
PLACE = re.compile(
    r"(unit|property|contract|integration|scenario): ((?:test_\w+(?: \([^)]*\))?(?:, )?)+)"
)


def test_every_number_has_its_row() -> None:
    """Each exactly once: a promise that is forgotten is not kept for long."""
    told = [int(number) for cell in ROW.findall(TEXT) for number in re.findall(r"\d+", cell)]
    assert sorted(told) == sorted(NUMBERS)


def test_every_test_that_is_named_exists() -> None:
    """By its folder and name, so that a test that moves takes its row along."""
    named = [
        ROOT / "tests" / kind / f"{name}.py"
        for kind, names in PLACE.findall(TEXT)
        for name in re.findall(r"test_\w+", names)
    ]
    assert len(named) > 80
    assert [str(path) for path in named if not path.is_file()] == []
    benchmarks = re.findall(r"`(benchmarks/\w+\.py)`", TEXT)
    assert [each for each in benchmarks if not (ROOT / each).is_file()] == []
