"""Writes the loop that runs a flow over columns of ticks together with the compiled account.

For each tick: what a quote does to the account, then the flow's own lines (`flows/source.py`), then
what the signal asks for. A decision at the end of a bar belongs to the tick that shows the bar to
be over; filled at the quote of the signal, it belongs to the bar's last quote instead.
"""

from typing import Final

from plan2.intelligence.flows.source import EXTEND_BAR, IS_OVER, FlowSource, indented

IMPORTS: Final = """
from plan2.intelligence.backtest.account.codes import DRAIN
from plan2.intelligence.backtest.account.quotes import quote
from plan2.intelligence.backtest.acting import act
"""

HEAD: Final = """
@njit(cache=True, nogil=True, error_model="numpy")
def advance(accounts, s, w, c, r, o, ts, bids, asks, times, rows, row):
    account = accounts[0]
"""

TICK: Final = ["ts_ns = ts[row]", "bid_points = bids[row]", "ask_points = asks[row]", "row += 1"]
QUOTE: Final = "flags = quote(account, ts_ns, bid_points, ask_points)"
ACT: Final = [
    "if act(account, o, scale, lots, risk, reverse, positions, signal):",
    "    entered = bars",
]
DRAINED: Final = ["if flags & DRAIN:", "    break"]


def advance_text(source: FlowSource, *, fills_at_signal: bool) -> str:
    """The source of `advance`.

    `advance(accounts, s, w, c, r, o, ts, bids, asks, times, rows, row)`: prices int64[n] in points,
    `times` int64[m] and `rows` float64[m, k] the outer values, the last column what the models
    leave of a size where the flow uses them; `row` the first tick. Returns the
    row to go on with: n, or less when the account's output must be drained.
    """
    over = [IS_OVER, *indented(source.close_bar)]
    act = ["if signal & WISHES:", *indented([*source.measure, *ACT])]
    judged = [*over, *indented([*source.judge, *source.measure])]
    if source.is_ticks:
        steps = [QUOTE, *source.see, *source.tick_bar, *source.judge, *act]
    elif source.on_ticks:
        steps = [*over, QUOTE, *source.see, *source.judge, *act, *EXTEND_BAR]
    elif fills_at_signal:
        steps = [*judged, *_act_alone(), QUOTE, *source.see, *EXTEND_BAR]
    else:
        steps = [*judged, QUOTE, *_act_alone(), *source.see, *EXTEND_BAR]
    tick = [*TICK, "signal = 0", *_outer(source), *steps, *DRAINED]
    lines = [*source.load, "while row < ts.shape[0]:", *indented(tick), *source.save, "return row"]
    return IMPORTS + HEAD + "\n".join(indented(lines)) + "\n"


def _act_alone() -> list[str]:
    """At the end of a bar the distances were measured with the judgement."""
    return ["if signal & WISHES:", *indented(ACT)]


def _outer(source: FlowSource) -> list[str]:
    """Take the newest row of outer values that is known at this tick."""
    slots = source.program.outer.values()
    known = [f"    s{slot} = rows[cursor - 1, {column}]" for column, slot in enumerate(slots)]
    if source.uses_models:
        known.append(f"    account.model_share = rows[cursor - 1, {len(slots)}]")
    if not known:
        return []
    return [
        "if cursor < times.shape[0] and times[cursor] <= ts_ns:",
        "    while cursor < times.shape[0] and times[cursor] <= ts_ns:",
        "        cursor += 1",
        *known,
    ]
