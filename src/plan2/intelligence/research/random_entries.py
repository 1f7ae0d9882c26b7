"""Whether the entries know anything: the same trades begun at random times.

A random trade keeps side, size, time of day and holding time of a real one and takes another day.
If random days do as well, what earned was the exit, the hour or the trend, not the entry.
"""

from typing import Final

import msgspec
import numpy as np
import polars as pl

from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, Float64Array, Int64Array
from plan2.intelligence.research.resampling import Quantiles, quantiles_of
from plan2.intelligence.research.subject import QuoteColumns

REPETITIONS: Final = 1_000
TRADES_MIN: Final = 10
WAIT_NS: Final = NS_PER_HOUR
"""A quote later than this after the drawn time is another session; the day is drawn again."""
ROUNDS: Final = 30
_CELLS_AT_ONCE: Final = 1_000_000


class EntryTest(msgspec.Struct, frozen=True, kw_only=True):
    """Real entries against random ones; moves in points times lots, spread paid.

    `p_value`: the chance of a result this good with random entries.
    """

    p_value: float
    actual: float
    random: Quantiles
    repetitions: int
    trades: int


def entry_significance(
    trades: pl.DataFrame,
    quotes: QuoteColumns,
    point: float,
    seed: int,
    repetitions: int = REPETITIONS,
) -> EntryTest | None:
    """Compare the moves that the trades caught with those of random days.

    Args:
        trades: a frame `TRADES`.
        quotes: of the same window.
        point: of the symbol, in quote currency.
        seed: of the draws.
        repetitions: how many sets of random trades.

    Returns:
        The test; None with fewer than `TRADES_MIN` trades or no full day to draw from.
    """
    days = np.unique(quotes.ts_ns[:: max(1, len(quotes.ts_ns) // 100_000)] // NS_PER_DAY)
    if len(trades) < TRADES_MIN or len(days) < 2:
        return None
    side = trades["side"].to_numpy().astype(np.float64) * trades["lots"].to_numpy()
    moves = trades["close_price"].to_numpy() - trades["open_price"].to_numpy()
    actual = float((side * moves).sum()) / point
    draw = _Draw(trades, quotes, days)
    rng = np.random.default_rng(seed)
    portion = max(1, _CELLS_AT_ONCE // len(trades))
    sums = np.concatenate(
        [
            draw.sums(min(portion, repetitions - start), rng) / point
            for start in range(0, repetitions, portion)
        ]
    )
    better = int((sums >= actual - 1e-9 * abs(actual)).sum())
    return EntryTest(
        p_value=(better + 1) / (repetitions + 1),
        actual=actual,
        random=quantiles_of(sums),
        repetitions=repetitions,
        trades=len(trades),
    )


class _Draw:
    """Random trades with the sides, sizes, times of day and holding times of real ones."""

    def __init__(self, trades: pl.DataFrame, quotes: QuoteColumns, days: Int64Array) -> None:
        self._opened = trades["open_ns"].to_numpy()
        self._time_of_day = self._opened % NS_PER_DAY
        self._held = trades["close_ns"].to_numpy() - self._opened
        self._side = trades["side"].to_numpy().astype(np.int64)
        self._lots = trades["lots"].to_numpy()
        self._quotes = quotes
        self._days = days

    def sums(self, rows: int, rng: np.random.Generator) -> Float64Array:
        """Moves of `rows` sets of random trades in price units times lots, float64[rows]."""
        entry = self._entries(rows, rng)
        quotes = self._quotes
        leaves = quotes.ts_ns[entry] + self._held
        closing = np.minimum(np.searchsorted(quotes.ts_ns, leaves), len(quotes.ts_ns) - 1)
        is_long = self._side > 0
        gain = np.where(
            is_long,
            quotes.bid[closing] - quotes.ask[entry],
            quotes.bid[entry] - quotes.ask[closing],
        )
        return np.asarray((gain * self._lots).sum(axis=1))

    def _entries(self, rows: int, rng: np.random.Generator) -> Int64Array:
        """Rows of quotes at which random trades begin, int64[rows, trades].

        A day without a quote at that time, or too near to the end, is drawn again; what never
        finds one begins when it really did.
        """
        ts_ns = self._quotes.ts_ns
        real = np.searchsorted(ts_ns, self._opened)
        found = np.tile(np.minimum(real, len(ts_ns) - 1), (rows, 1))
        open_cells = np.ones(found.shape, np.bool_)
        for _ in range(ROUNDS):
            places = np.nonzero(open_cells)
            if len(places[0]) == 0:
                break
            days = self._days[rng.integers(0, len(self._days), len(places[0]))]
            wanted = days * NS_PER_DAY + self._time_of_day[places[1]]
            at = np.searchsorted(ts_ns, wanted)
            inside = at < len(ts_ns)
            seen = ts_ns[np.minimum(at, len(ts_ns) - 1)]
            fits = inside & (seen - wanted <= WAIT_NS)
            fits &= seen + self._held[places[1]] <= ts_ns[-1]
            chosen = (places[0][fits], places[1][fits])
            found[chosen] = at[fits]
            open_cells[chosen] = False
        return found
