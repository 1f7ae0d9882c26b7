"""Rows of text, the shape that every kind of report file is brought into."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SAVE_AGAIN: Final = (
    "Save it again in the terminal: Toolbox > History > right click > Report > Open XML or HTML."
)
"""What to do with a file that cannot be read."""


@dataclass(frozen=True, slots=True)
class Row:
    """One visible row; hidden cells and empty cells are left out.

    Attributes:
        number: the row of the sheet, or the n-th table row of the page, counted from 1.
        cells: text by column, counted from 0; a cell over several columns stands in its first.
    """

    number: int
    cells: Mapping[int, str]

    @property
    def first(self) -> str:
        """The leftmost text, or an empty one."""
        return self.cells[min(self.cells)] if self.cells else ""
