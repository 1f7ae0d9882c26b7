"""The words of a flow's expressions that stand for a value, and the memory of the bar behind them.

A decision at the end of a bar sees the world as it was then: `bid` and `ask` are the bar's last
quote and the time is the bar's end. On ticks they are the tick's, while the bar words and all
indicators stay those of the bar closed last.
"""

from dataclasses import dataclass
from typing import Final

NUMBERS: Final = (
    "bid", "ask", "open_", "high", "low", "close",
    "new_open", "new_high", "new_low", "new_close", "scale", "lots", "risk",
)  # fmt: skip
"""Names of the first places in `s`: the quote of the moment, the bar closed last, the bar in
progress; points in one unit of price; lots of an entry, or the share of equity that it risks."""

COUNTS: Final = (
    "moment", "end", "bars", "period", "first", "cursor", "entered", "gap", "reverse", "positions",
)  # fmt: skip
"""Names of the first places in `w`: time of the moment and end of the bar in progress (UTC ns, 0 =
none yet); bars closed; length of a bar (ns); bars before the first signal; rows of outer values
taken; the bar of the last entry, bars between entries, whether entries reverse, most positions."""

LONG, SHORT, EXIT_LONG, EXIT_SHORT, CLOSED = 1, 2, 4, 8, 16
"""Bits of a signal; CLOSED: this tick ended a bar."""

WISHES: Final = LONG | SHORT | EXIT_LONG | EXIT_SHORT

FORECASTS: Final = ("p_up", "p_up_lcb", "p_down_lcb", "barrier")
"""Columns that the ensemble gives; known where `[models] use = true`."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word: the generated text that reads it and one line for the table in docs/flows.md."""

    text: str
    meaning: str


WORDS: Final[dict[str, Word]] = {
    "open": Word("open_", "first price of the bar"),
    "high": Word("high", "highest price of the bar"),
    "low": Word("low", "lowest price of the bar"),
    "close": Word("close", "last price of the bar"),
    "bid": Word("bid", "bid of the moment"),
    "ask": Word("ask", "ask of the moment"),
    "mid": Word("(0.5 * (bid + ask))", "half-way between bid and ask"),
    "spread": Word("(ask - bid)", "ask − bid, in price"),
    "hour": Word("float(moment // 3600000000000 % 24)", "hour, 0–23 UTC"),
    "minute": Word("float(moment // 60000000000 % 60)", "minute, 0–59"),
    "weekday": Word("float((moment // 86400000000000 + 3) % 7)", "0 = Monday … 6 = Sunday"),
}

INSTRUMENT_WORDS: Final = {
    "pip": "one pip in price: ten points with 3 or 5 decimals, else one",
    "point": "one point in price: the last decimal",
}
