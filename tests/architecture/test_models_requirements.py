"""docs/models_requirements.md: every requirement has its row, and the tests that it names exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "models_requirements.md").read_text("utf-8")
ROW = re.compile(r"^\| ([0-9][0-9, –]*) \| .+ \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"(unit|property|integration|scenario|architecture): ((?:test_\w+(?:, )?)+)")


def numbers(cell: str) -> list[int]:
    """The requirements of a row: one, some, or from one to another."""
    found = []
    for part in cell.split(","):
        first, _, last = part.strip().partition("–")
        found += range(int(first), int(last or first) + 1)
    return found


def test_every_requirement_has_one_row() -> None:
    """ML-001 to ML-099, in order."""
    found = [number for cell, _ in ROW.findall(TEXT) for number in numbers(cell)]
    assert found == list(range(1, 100))


def test_the_tests_that_rows_name_exist() -> None:
    """In the folder that they are said to be in; a row without a test is measured."""
    for cell, held in ROW.findall(TEXT):
        named = NAMED.findall(held)
        assert named or "measured: `benchmarks/" in held, cell
        for folder, names in named:
            for name in names.rstrip(", ").split(", "):
                assert (ROOT / "tests" / folder / f"{name}.py").is_file(), (
                    f"{cell}: {folder}/{name}"
                )
