"""How the package reads its arguments: strictly, and not always the way Python does.

Rules read from the machine code of package 5.0.6231: positional parses accept what C conversions
accept and turn a wrong type into SystemError; keywords and request fields are tested for exact
types and refused with code -2 and a text that names the first bad one.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final, SupportsFloat, SupportsIndex

from plan2.dataflow.terminals.twin.errors import (
    UNNAMED,
    WRONG_COUNT,
    invalid,
    invalid_arguments,
    system_error,
)

SYMBOL_MAX: Final = 29
GROUP_MAX: Final = 1997
PATH_MAX: Final = 257
SECRET_MAX: Final = 253
INT32_MAX: Final = 2**31 - 1
UINT32_MAX: Final = 2**32 - 1
UINT64_MAX: Final = 2**64 - 1
ORDINALS: Final = ("1st", "2nd", "3rd")

Arguments = tuple[Any, ...]  # Any: a caller may pass anything; each reader below narrows it
Keywords = Mapping[str, Any]  # Any: the same


def expect_count(args: Arguments, *counts: int) -> None:
    """Refuse a call with another number of unnamed arguments."""
    if len(args) not in counts:
        raise invalid_arguments(WRONG_COUNT)


def expect_named(args: Arguments) -> None:
    """Refuse a call with unnamed arguments."""
    if args:
        raise invalid_arguments(UNNAMED)


def utf16_units(text: str) -> int:
    """How long the terminal finds a text."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def symbol_of(value: object) -> str:
    """An unnamed symbol of at most 29 characters."""
    if not isinstance(value, str) or utf16_units(value) > SYMBOL_MAX:
        raise invalid_arguments()
    return value


def named_text(keywords: Keywords, name: str, longest: int) -> str | None:
    """A text keyword, None when it is not there."""
    if name not in keywords:
        return None
    value = keywords[name]
    if not isinstance(value, str) or utf16_units(value) > longest:
        raise invalid(name)
    return value


def named_number(function: str, keywords: Keywords, name: str) -> int | None:
    """An unsigned keyword (a ticket, a login), None when it is not there."""
    if name not in keywords:
        return None
    value = keywords[name]
    if not isinstance(value, int):
        raise invalid(name)
    return unsigned(function, value, UINT64_MAX)


def unnamed_text(args: Arguments, place: int, longest: int) -> str:
    """The text at a place of initialize, login or symbols_get."""
    value = args[place]
    if not isinstance(value, str) or utf16_units(value) > longest:
        raise invalid_arguments(f"Invalid {ORDINALS[place]} unnamed argument")
    return value


def unsigned(function: str, value: int, most: int) -> int:
    """The value when it fits an unsigned C number; else what an OverflowError becomes."""
    if not 0 <= value <= most:
        raise system_error(function, OverflowError("int does not fit the C type"))
    return int(value)


def c_int(function: str, value: SupportsIndex) -> int:
    """Format `i`: anything with `__index__` that fits 32 bits."""
    try:
        number = value.__index__()
    except (AttributeError, TypeError):
        cause = TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer")
        raise system_error(function, cause) from None
    if not -INT32_MAX - 1 <= number <= INT32_MAX:
        raise system_error(function, OverflowError("signed integer is out of range"))
    return number


def c_unsigned_long(function: str, value: object) -> int:
    """Format `k`: a Python int, cut to the 32 bits of a Windows long without a word."""
    if not isinstance(value, int):
        cause = TypeError(f"an integer is required (got type {type(value).__name__})")
        raise system_error(function, cause)
    return value & UINT32_MAX


def c_double(function: str, value: SupportsFloat | SupportsIndex) -> float:
    """Format `d`: anything that converts to float; texts do not."""
    if isinstance(value, str | bytes):
        raise system_error(function, TypeError("must be real number, not str"))
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise system_error(function, error) from None


def date_s(function: str, value: object) -> int:
    """A date as whole seconds of the server's wall clock.

    A datetime goes through `timestamp()`, so a naive one is read in the zone of this machine; then
    it is cut to whole seconds. The real package never transmits a 0 and asks for a time that nobody
    set; the twin refuses it so that the mistake shows.
    """
    if isinstance(value, dt.datetime):
        value = value.timestamp()
    if not isinstance(value, int | float):
        raise invalid_arguments()
    try:
        seconds = int(value)
    except (ValueError, OverflowError) as error:
        raise system_error(function, error) from None
    if abs(seconds) > INT32_MAX:
        raise system_error(function, OverflowError("Python int too large to convert to C long"))
    if seconds == 0:
        raise invalid_arguments()
    return seconds


def group_matches(group: str, name: str) -> bool:
    """The package's own filter of positions, orders, deals by symbol.

    Masks are parted by commas or spaces and compared with upper and lower case as given; `*` stands
    for anything, without one the mask must be the whole name; a matching `!mask` ends the search,
    so a group of such masks alone lets nothing through.
    """
    is_in = False
    for mask in re.split(r"[,\s]+", group):
        if mask.startswith("!") and _fits(mask[1:], name):
            return False
        is_in = is_in or (bool(mask) and not mask.startswith("!") and _fits(mask, name))
    return is_in


def _fits(mask: str, name: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, mask.split("*"))), name) is not None
