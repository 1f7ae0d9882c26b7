"""Numbers, times and tickets as MetaTrader prints them in English reports.

Thousands are separated by spaces of several kinds, decimals by a point. Times are the broker's
server clock without a zone; they are kept as the text they are, which sorts as they do.
"""

import re
from decimal import Decimal
from typing import Final

TIME: Final = re.compile(r"\d{4}\.\d{2}\.\d{2} \d{2}:\d{2}(:\d{2})?")
NUMBER: Final = re.compile(r"[+-]?(\d{1,3}([ ']\d{3})+|\d+)(\.\d+)?")
ZERO: Final = Decimal(0)


def is_time(text: str) -> bool:
    """Whether `text` is a time as reports print it, with or without seconds."""
    return TIME.fullmatch(text) is not None


def number(text: str) -> Decimal | None:
    """The number that `text` is, None when it is none."""
    plain = text.replace("\u2212", "-").replace("- ", "-").strip()
    if NUMBER.fullmatch(plain) is None:
        return None
    return Decimal(plain.replace(" ", "").replace("'", ""))


def leading_number(text: str) -> Decimal | None:
    """The number before a bracket or a slash: `681.30 (2)`, `5 (20.00%)`, `1.00 / 1.00`."""
    return number(re.split(r"[(/]", text, maxsplit=1)[0].strip())


def decimals(value: Decimal) -> int:
    """How many digits `value` has after the point."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
