"""What features on request know beside the symbol's own ticks: other symbols' closes, and events.

Both are tables that a query at time t reads point in time: closes of bars that ended at least one
bar ago, events in the version that was known at that minute. So a table that already holds what
comes later (in training) and one that grows (live) give the same values.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND, Float64Array, Int64Array, TickBlock
from plan2.intelligence.features.kernels import entry, kernel

LIVE_CLOSES = 4_096
BASE, QUOTE, DOLLAR = range(3)
DOLLARS = "USD"


@kernel
def note_close(closes: Float64Array, row: int, period: int, mid: float) -> None:
    """Take a mid in; a full row forgets its older half, a bar that is over does not change."""
    held = closes[row]
    count = int(held[0, 0])
    if count > 0 and period <= held[count, 0]:
        if period == held[count, 0]:
            held[count, 1] = mid
        return
    size = held.shape[0] - 1
    if count == size:
        half = size // 2
        for k in range(1, half + 1):
            held[k, 0] = held[size - half + k, 0]
            held[k, 1] = held[size - half + k, 1]
        count = half
    held[count + 1, 0] = period
    held[count + 1, 1] = mid
    held[0, 0] = count + 1


@entry
def note_closes(
    closes: Float64Array,
    row: int,
    period_ns: int,
    ticks: tuple[Int64Array, Float64Array, Float64Array],
) -> None:
    """Take the ticks of a block in, oldest first."""
    ts_ns, bid, ask = ticks
    for k in range(ts_ns.shape[0]):
        if bid[k] > 0.0 and ask[k] > 0.0 and bid[k] + ask[k] < np.inf:
            note_close(closes, row, ts_ns[k] // period_ns, 0.5 * (bid[k] + ask[k]))


class PeerBoard:
    """The closes of all symbols that a set looks at; every engine adds those of its own symbol.

    Attributes:
        symbols: the rows, sorted.
        closes: float64[S, 1 + C, 2], for each symbol its bars since the epoch, rising, and the mid
            at their end; the first pair of a row says how many are filled. The newest close may be
            of a bar in progress.
    """

    def __init__(
        self, symbols: Iterable[str], bar_period_s: int, capacity: int = LIVE_CLOSES
    ) -> None:
        self.symbols = tuple(sorted(set(symbols)))
        self.closes: Float64Array = np.zeros((len(self.symbols), 1 + capacity, 2))
        self._period_ns = bar_period_s * NS_PER_SECOND

    def take(self, block: TickBlock) -> None:
        """Add ticks of a symbol, oldest first; others than the board's are not looked at."""
        if block.symbol in self.symbols:
            ticks = (
                np.require(block.ts_ns, np.int64, ["C", "W"]),
                np.require(block.bid, np.float64, ["C", "W"]),
                np.require(block.ask, np.float64, ["C", "W"]),
            )
            row = self.symbols.index(block.symbol)
            note_closes(self.closes, row, self._period_ns, ticks)

    def digest(self, symbol: str) -> str:
        """SHA-256 of all closes of a symbol that are kept."""
        held = self.closes[self.symbols.index(symbol)]
        return hashlib.sha256(held[1 : 1 + int(held[0, 0])].tobytes()).hexdigest()


class EventTable(NamedTuple):
    """Scheduled events of high impact for one symbol, UTC ns.

    at, known_from, known_until: int64[n], when an event is scheduled, and while that was known to
    be so; sorted by `at`. released int64[m], surprise float64[m]: published figures against what
    was expected, in usual deviations of that figure until then.
    """

    at: Int64Array
    known_from: Int64Array
    known_until: Int64Array
    released: Int64Array
    surprise: Float64Array


class Calendar(Protocol):
    """Where events come from."""

    def table(self, currencies: tuple[str, ...]) -> EventTable:
        """The events of these currencies."""


NO_TIMES: Int64Array = np.empty(0, np.int64)
NO_EVENTS = EventTable(NO_TIMES, NO_TIMES, NO_TIMES, NO_TIMES, np.empty(0))


@dataclass(frozen=True)
class Surroundings:
    """What engines may look at; without a calendar or a board those features are NaN."""

    calendar: Calendar | None = None
    board: PeerBoard | None = None

    def events(self, instrument: Instrument) -> EventTable:
        """What is scheduled for the currencies of an instrument."""
        if self.calendar is None:
            return NO_EVENTS
        return self.calendar.table((instrument.base, instrument.quote))

    def sources(self, instruments: Iterable[Instrument]) -> dict[str, str]:
        """What engines of these instruments look at, by name → SHA-256 of its values.

        `closes SYMBOL` for each symbol of the board, `events BASE QUOTE` for each pair.
        """
        found: dict[str, str] = {}
        if self.board is not None:
            found |= {f"closes {each}": self.board.digest(each) for each in self.board.symbols}
        if self.calendar is not None:
            for each in instruments:
                table = b"".join(column.tobytes() for column in self.events(each))
                name = f"events {each.base} {each.quote}"
                found[name] = hashlib.sha256(table).hexdigest()
        return dict(sorted(found.items()))


def currencies_of(symbol: str) -> tuple[str, str] | None:
    """The two currencies of a pair by its name, as EURUSD or EURUSD.r; None for other symbols."""
    codes = symbol[:6]
    rest = symbol[6:7]
    is_pair = len(codes) == 6 and codes.isalpha() and codes.isupper() and not rest.isalnum()
    return (codes[:3], codes[3:]) if is_pair else None


def strength_weights(
    symbols: Sequence[str], pairs: Sequence[str], own: tuple[str, str]
) -> Float64Array:
    """What each symbol's log return counts in a currency's strength, float64[3, S].

    Rows: the base and the quote currency of `own`, the dollar; zeros where a currency occurs in no
    pair. Strengths solve r(XY) = s(X) − s(Y) over `pairs` by least squares with the smallest norm,
    so that they add up to zero.
    """
    known = {symbol: found for symbol in pairs if (found := currencies_of(symbol)) is not None}
    names = sorted({code for found in known.values() for code in found})
    weights = np.zeros((3, len(symbols)))
    if not known:
        return weights
    relations = np.zeros((len(known), len(names)))
    for number, found in enumerate(known.values()):
        relations[number, names.index(found[0])] = 1.0
        relations[number, names.index(found[1])] = -1.0
    solved = np.linalg.pinv(relations)
    for row, code in enumerate((*own, DOLLARS)):
        if code in names:
            for number, symbol in enumerate(known):
                weights[row, symbols.index(symbol)] = solved[names.index(code), number]
    return weights
