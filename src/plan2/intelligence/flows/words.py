"""The words of a flow's expressions that stand for a value, and the memory of the bar behind them.

A decision at the end of a bar sees the world as it was then: `bid` and `ask` are the bar's last
quote and the time is the bar's end. On ticks they are the tick's, while the bar words and all
indicators stay those of the bar closed last.
"""

from dataclasses import dataclass
from typing import Final

TIME, END, BARS, PERIOD, FIRST, CURSOR, ENTERED, GAP, REVERSE, POSITIONS = range(10)
"""Places in `w`: time of the moment and end of the bar in progress (UTC ns, 0 = none yet); bars
closed; length of a bar (ns); bars before the first signal; rows of outer values taken; the bar of
the last entry, bars between entries, whether entries reverse, most positions."""

INTEGERS: Final = 10
BID, ASK, OPEN, HIGH, LOW, CLOSE, NEW_OPEN, NEW_HIGH, NEW_LOW, NEW_CLOSE, SCALE, LOTS, RISK = range(13)
"""Places in `s`: the quote of the moment, the bar closed last, the bar in progress; points in one
unit of price; lots of an entry or the share of equity that it risks."""

FLOATS: Final = 13

FORECASTS: Final = ("p_up", "p_up_lcb", "barrier")
"""Columns that the ensemble gives; known where `[models] use = true`."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word: the generated text that reads it and one line for the table in docs/flows.md."""

    text: str
    meaning: str


WORDS: Final[dict[str, Word]] = {
    "open": Word(f"s[{OPEN}]", "first price of the bar"),
    "high": Word(f"s[{HIGH}]", "highest price of the bar"),
    "low": Word(f"s[{LOW}]", "lowest price of the bar"),
    "close": Word(f"s[{CLOSE}]", "last price of the bar"),
    "bid": Word(f"s[{BID}]", "bid of the moment"),
    "ask": Word(f"s[{ASK}]", "ask of the moment"),
    "mid": Word(f"(0.5 * (s[{BID}] + s[{ASK}]))", "half-way between bid and ask"),
    "spread": Word(f"(s[{ASK}] - s[{BID}])", "ask − bid, in price"),
    "hour": Word(f"float(w[{TIME}] // 3600000000000 % 24)", "hour, 0–23 UTC"),
    "minute": Word(f"float(w[{TIME}] // 60000000000 % 60)", "minute, 0–59"),
    "weekday": Word(f"float((w[{TIME}] // 86400000000000 + 3) % 7)", "0 = Monday … 6 = Sunday"),
}

INSTRUMENT_WORDS: Final = {
    "pip": "one pip in price: ten points with 3 or 5 decimals, else one",
    "point": "one point in price: the last decimal",
}
