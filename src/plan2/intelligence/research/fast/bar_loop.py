"""Writes the loop that scores one point over a table of bars.

The flow's own lines are the ones of the full engine (`flows/source.py`); of the account only what
such a flow can feel is here, in the same integers: cents, points, steps. Where the account might do
something else (a stop-out, a quote that comes too late) the loop gives up and says so.
"""

from typing import Final

from plan2.intelligence.flows.source import HEAD, FlowSource, indented
from plan2.intelligence.research.fast.bar_table import PRICES

IMPORTS: Final = """
from plan2.intelligence.research.fast.bar_account import (
    BUSY, GAVE_UP, HIGH, LOW, SIDE, book, finish,
)
from plan2.intelligence.research.fast.bar_table import (
    HIGH_ASK, HIGH_BID, LOW_ASK, LOW_BID, NEXT_ROW,
)
"""

START: Final = """
@njit(cache=True, nogil=True, error_model="numpy")
def over_bars(s, w, c, r, prices, cells, reach, days, swaps, last, terms, state, out, daily):
"""

HELD: Final = """
if held_side > 0:
    worst = min(worst, reach[LOW_BID, bar])
    best = max(best, reach[HIGH_BID, bar])
elif held_side < 0:
    worst = max(worst, reach[HIGH_ASK, bar])
    best = min(best, reach[LOW_ASK, bar])
"""

ACT: Final = """
if signal != same and signal & WISHES and busy <= cells[NEXT_ROW, bar]:
    leaves = held_side > 0 and signal & EXIT_LONG != 0
    leaves = leaves or (held_side < 0 and signal & EXIT_SHORT != 0)
    wants_long = signal & LONG != 0 and signal & EXIT_LONG == 0
    wants_short = signal & SHORT != 0 and signal & EXIT_SHORT == 0
    want = 0 if wants_long == wants_short else (1 if wants_long else -1)
    held = 0 if leaves else held_side * want
    if held > 0 or (held < 0 and reverse == 0):
        want = 0
    elif held < 0:
        leaves = True
    if want != 0:
        entered = bars
    if leaves or want != 0:
        state[LOW], state[HIGH] = worst, best
        if not book(bar, leaves, want, cells, days, swaps, terms, state, out, daily):
            out[GAVE_UP] = 1
            return 0
        held_side, busy, worst, best = state[SIDE], state[BUSY], state[LOW], state[HIGH]
        same = LONG if held_side > 0 else (SHORT if held_side < 0 else 0)
"""
"""What a position went through and what is asked for; side, extremes and the row of the newest fill
are names here and in `state` there, because a loop is faster on registers. A signal that asks for
the side that is held, `same`, changes nothing."""


def over_bars_text(source: FlowSource, fingerprint: str) -> str:
    """The source of `over_bars`, a whole module.

    `over_bars(s, w, c, r, prices, cells, reach, days, swaps, last, terms, state, out, daily)`:
    memory of the flow, a `BarTable`, `swaps` int64[2, k + 1] (cents of a long and a short until
    each rollover), and what it writes: `state` int64[9], `out` int64[8], `daily` int64[d] (equity
    in cents at the end of each day).
    """
    bar = [
        *(f"{name} = prices[{place}, bar]" for place, name in enumerate(PRICES)),
        "moment = cells[0, bar]",
        "bars += 1",
        *source.follow,
        *HELD.strip().splitlines(),
        "signal = 0",
        *source.judge,
        *ACT.strip().splitlines(),
    ]
    lines = [
        *source.load,
        "held_side, busy, worst, best = state[SIDE], state[BUSY], state[LOW], state[HIGH]",
        "same = 0",
        "for bar in range(prices.shape[1]):",
        *indented(bar),
        "state[LOW], state[HIGH] = worst, best",
        "finish(days, swaps, last, terms, state, out, daily)",
        "return 0",
    ]
    return (
        HEAD.format(fingerprint=fingerprint) + IMPORTS + START + "\n".join(indented(lines)) + "\n"
    )
