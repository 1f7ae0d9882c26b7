"""CSV that no spreadsheet runs, and that comes back as it was."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan2.foundation.safe_csv import NUMBER, plain, safe

ATTACKS = (
    "=1+1",
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "'=1",
    '=HYPERLINK("x")',
)
DANGEROUS = tuple("=+-@\t\r\n＝＋－＠")


def through_a_file(row: list[str]) -> list[str]:
    """The cells of a row as whoever imports it gets them."""
    target = io.StringIO()
    csv.writer(target).writerow([safe(value) for value in row])
    (found,) = csv.reader(io.StringIO(target.getvalue(), newline=""))
    return found


@pytest.mark.parametrize("text", ATTACKS)
def test_no_cell_begins_like_a_formula(text: str) -> None:
    """It begins with an apostrophe, and is itself again when read back."""
    assert safe(text) == "'" + text
    assert through_a_file([text]) == ["'" + text]


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=5))
def test_any_row_comes_back(row: list[str]) -> None:
    """Re-imported it equals the source; what begins like a formula is a plain number."""
    found = through_a_file(row)
    assert [plain(cell) for cell in found] == row
    for cell in found:
        assert not cell.startswith(DANGEROUS) or NUMBER.fullmatch(cell)


def test_figures_stay_figures() -> None:
    """A loss is no formula."""
    assert [safe(value) for value in (-5.25, "-5.25", 1e-07, None, True, 0, "+3")] == [
        "-5.25", "-5.25", "1e-07", "", "true", "0", "+3",
    ]  # fmt: skip
