"""The two compiled entry points: one tick from Python, or a whole block of ticks."""

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.features.kernels import entry
from plan2.intelligence.features.state import EngineRecords
from plan2.intelligence.features.step import CHANNELS, CLOSED, FEATURES, advance

SIGMA_COLUMN = FEATURES + 2 * CHANNELS
BAR_COLUMN = SIGMA_COLUMN + 1
ROW_WIDTH = BAR_COLUMN + 4
MARK_WIDTH = 4

Ticks = tuple[Int64Array, Float64Array, Float64Array]
Rows = tuple[Float64Array, Int64Array]


@entry
def step(records: EngineRecords, words: Float64Array, ts_ns: int, bid: float, ask: float) -> int:
    """Advance the engine in `records[0]` by one tick and return its flags.

    `words` is the same memory as a row of float64 words.
    """
    return advance(records[0], words, ts_ns, bid, ask)


@entry
def run_block(
    records: EngineRecords, words: Float64Array, ticks: Ticks, every_tick: bool, out: Rows
) -> int:
    """Advance through a block and copy the outputs at each bar close, or after each tick.

    ticks: (ts_ns int64[n], bid float64[n], ask float64[n]). out: (rows float64[m, ROW_WIDTH] =
    values | sequence | closed sequence | σ | closed bar's bid OHLC; marks int64[m, MARK_WIDTH] =
    index in the block, flags, closed bar's start, its ticks). Returns the rows written; `m` must
    be large enough.
    """
    ts_ns, bid, ask = ticks
    rows, marks = out
    state = records[0]
    written = 0
    for index in range(ts_ns.shape[0]):
        flags = advance(state, words, ts_ns[index], bid[index], ask[index])
        if every_tick or flags & CLOSED:
            for column in range(ROW_WIDTH):
                rows[written, column] = words[column]
            marks[written, 0] = index
            marks[written, 1] = flags
            marks[written, 2] = state.closed.start_ns
            marks[written, 3] = state.closed.ticks
            written += 1
    return written
