"""Writes the one compiled call with which a Python policy moves on: account, bars and features.

Arguments cost more than the arithmetic, so everything is reached through one address: `k` holds the
row of the next tick, how many there are, and the addresses of the arrays. A call runs until the
policy must be asked: at the next tick, or at the end of the next bar.
"""

from typing import Final

from plan2.intelligence.flows.source import DISTANCES, EXTEND_BAR, IS_OVER, FlowSource, indented

ROW, TICKS, RINGS, S, W, C, R, O, ACCOUNTS, TS, BIDS, ASKS = range(12)  # noqa: E741 - as in `o`
"""Places in `k`."""

PLACES: Final = 12
ENDED, MAY_ENTER, DRAIN, LAST = 1, 2, 4, 8
"""Bits of the status: a bar ended, an entry may be sent, the account's output must be drained, the
block is used up. The last two are rare, so one comparison tells them from the others."""

IMPORTS: Final = """
from numba import carray

from plan2.intelligence.backtest.account.codes import DRAIN as IS_FULL
from plan2.intelligence.backtest.account.quotes import quote
from plan2.intelligence.backtest.addresses import account_at, floats_at, integers_at
from plan2.intelligence.backtest.turn_source import DRAIN, ENDED, LAST, MAY_ENTER
"""
QUOTE: Final = [
    "if quote(account, ts_ns, bid_points, ask_points) & IS_FULL:",
    "    status |= DRAIN",
]
TICK: Final = ["ts_ns = ts[row]", "bid_points = bids[row]", "ask_points = asks[row]"]


def turn_text(source: FlowSource, *, every_tick: bool, fills_at_signal: bool) -> str:
    """The source of `turn(address)`.

    It returns (status, moment, bid, ask, side, features). `every_tick`: return after each tick, not
    only at the end of a bar.
    """
    over = [IS_OVER, *indented([*source.close_bar, *source.measure, "status = ENDED"])]
    if source.is_ticks:
        bar = [*source.see, *source.tick_bar, *source.measure, "status |= ENDED"]
        steps = [*QUOTE, *bar, "row += 1", "break"]
    elif every_tick:
        tick = [*source.see, *source.measure, *EXTEND_BAR]
        steps = [*over, *QUOTE, *tick, "row += 1", "break"]
    elif fills_at_signal:  # asked before the tick that showed the bar to be over
        stop = indented(["end = 0", "break"])
        steps = [*over, *stop, *QUOTE, *source.see, *EXTEND_BAR, "row += 1", *_stop()]
    else:
        steps = [*over, *QUOTE, *source.see, *EXTEND_BAR, "row += 1", *_stop()]
    shown = source.shown.values()
    lines = [
        *_arrays(source),
        *source.load,
        "price = 0.0",
        "status = 0",
        "row = k[0]",
        "while row < k[1]:",
        *indented([*TICK, *steps]),
        "k[0] = row",
        *source.save,
        "if bars > first and bars - entered >= gap:",
        "    status |= MAY_ENTER",
        "side = (account.aim > 0) - (account.aim < 0)",
        "if row >= k[1]:",
        "    status |= LAST",
        f"return status, moment, bid, ask, side, ({''.join(f'{t.text}, ' for t in shown)})",
    ]
    features = f"UniTuple(float64, {len(shown)})" if shown else "Tuple(())"
    result = f"Tuple((int64, int64, float64, float64, int64, {features}))"
    head = f'\n@njit("{result}(intp)", cache=True, error_model="numpy")\ndef turn(address):\n'
    return IMPORTS + head + "\n".join(indented(lines)) + "\n"


def _stop() -> list[str]:
    return ["if status != 0:", "    break"]


def _arrays(source: FlowSource) -> list[str]:
    program = source.program
    return [
        f"k = carray(integers_at(address), {PLACES})",
        f"s = carray(floats_at(k[{S}]), {program.floats})",
        f"w = carray(integers_at(k[{W}]), {program.integers})",
        f"c = carray(floats_at(k[{C}]), {max(1, len(program.constants))})",
        f"r = carray(floats_at(k[{R}]), k[{RINGS}])",
        f"o = carray(floats_at(k[{O}]), {len(DISTANCES)})",
        f"account = carray(account_at(k[{ACCOUNTS}]), 1)[0]",
        f"ts = carray(integers_at(k[{TS}]), k[{TICKS}])",
        f"bids = carray(integers_at(k[{BIDS}]), k[{TICKS}])",
        f"asks = carray(integers_at(k[{ASKS}]), k[{TICKS}])",
    ]
