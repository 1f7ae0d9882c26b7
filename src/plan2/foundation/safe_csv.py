"""CSV that a spreadsheet shows and never runs: text that could be a formula is marked as text.

A cell that begins with = + - @, a tab, a line break, the full-width forms of those signs, or an
apostrophe gets an apostrophe in front, which `plain` takes away again. A plain number is left as it
is: -5.25 is no formula.
"""

import re
from typing import Final

TRIGGERS: Final = "=+-@\t\r\n'＝＋－＠"
NUMBER: Final = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?")


def safe(value: object) -> str:
    """A cell that no spreadsheet takes for a formula; None is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if text[:1] and text[0] in TRIGGERS and not NUMBER.fullmatch(text):
        return "'" + text
    return text


def plain(cell: str) -> str:
    """What was given to `safe`, as text."""
    return cell.removeprefix("'")
