"""Where in a flow's text an error lies, so that it can be shown there."""

import re
from typing import Final

TOML_PLACE: Final = re.compile(r"\(at line (\d+)")
KEY_PLACE: Final = re.compile(r"`\$\.?([\w.]*)[^`]*`")
TABLE_PLACE: Final = re.compile(r"\[(\w+)\] (\w+)")


def line_of(text: str, message: str) -> int:
    """The line, from 1, that an error's message is about; 0 when it does not say.

    Known are TOML's own errors, errors of a key (`$.policy.kind`) and of an expression
    (`[policy] long`).
    """
    found = TOML_PLACE.search(message)
    if found:
        return int(found.group(1))
    found = TABLE_PLACE.search(message)
    if found:
        return _line(text, found.group(1), found.group(2))
    found = KEY_PLACE.search(message)
    if found and found.group(1):
        table, _, key = found.group(1).rpartition(".")
        return _line(text, table, key)
    return 0


def _line(text: str, table: str, key: str) -> int:
    """Where a key is set, or its table begins when it is not set."""
    now, begins = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[([\w.-]+)\]", line)
        if head:
            now = head.group(1)
            if now in {table, key}:
                begins = number
        elif now == table and re.match(rf"\s*{re.escape(key)}\s*=", line):
            return number
    return begins
