"""The table of the twenty points of a faithful simulated terminal names tests that exist."""

import re

import pytest
from source_tree import ROOT

TEST = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)
ROW = re.compile(r"^\| (\d+) \| (.+) \| (`test_.+`) \|$", re.MULTILINE)
POINTS = range(1, 21)


def table() -> dict[int, list[str]]:
    """Names of tests by point, as docs/mt5.md has them."""
    text = (ROOT / "docs" / "mt5.md").read_text(encoding="utf-8")
    return {int(number): re.findall(r"`(\w+)`", tests) for number, _, tests in ROW.findall(text)}


def defined() -> set[str]:
    """Every test function of the suite."""
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for path in files for name in TEST.findall(path.read_text(encoding="utf-8"))}


def test_every_point_has_its_row() -> None:
    """Twenty, each once."""
    assert sorted(table()) == list(POINTS)


def test_the_tests_that_the_table_names_exist() -> None:
    """A test that was renamed is renamed in the table too."""
    named = {name for tests in table().values() for name in tests}
    assert named <= defined(), named - defined()


@pytest.mark.parametrize("point", POINTS)
def test_a_point_is_held_by_a_test_of_its_number(point: int) -> None:
    """Of the conformance suites, which a real terminal can be put behind."""
    files = (ROOT / "tests" / "contract").glob("test_mt5_*_conformance.py")
    texts = [path.read_text(encoding="utf-8") for path in files]
    assert any(f"def test_point_{point}_" in text for text in texts)
