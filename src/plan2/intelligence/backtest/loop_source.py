"""Writes the loop that runs a flow over columns of ticks together with the compiled account.

For each tick: what a quote does to the account, then the flow's own functions (`flows/source.py`),
then what the signal asks for. A decision at the end of a bar belongs to the tick that shows the bar
to be over; filled at the quote of the signal, it belongs to the bar's last quote instead.
"""

from typing import Final

from plan2.intelligence.flows.source import FlowSource

IMPORTS: Final = """
from plan2.intelligence.backtest.account.codes import DRAIN
from plan2.intelligence.backtest.account.quotes import quote
from plan2.intelligence.backtest.acting import act
"""

HEAD: Final = """
@njit(cache=True, nogil=True, error_model="numpy")
def advance(accounts, s, w, c, o, ts, bid, ask, times, rows, first, start):
    account = accounts[0]
    for row in range(start, ts.shape[0]):
"""

OUTER: Final = "take_outer(s, w, ts[row], times, rows, first)"
SEE: Final = "see(s, w, ts[row], bid[row], ask[row])"
ACT: Final = """if signal & WISHES:
    measure(s, w, c, o)
    act(account, s, w, o, signal)"""
QUOTE: Final = "flags = quote(account, ts[row], bid[row], ask[row])"
CLOSE: Final = """signal = 0
if w[END] != 0 and ts[row] >= w[END]:
    close_bar(s, w)
    follow(s, w, c)"""
JUDGE_BAR: Final = "    signal = judge(s, w, c)"
JUDGE: Final = "signal = judge(s, w, c)"
EXTEND: Final = "extend_bar(s, w, ts[row], price(s))"
DRAINED: Final = """if flags & DRAIN:
    return row + 1"""


def advance_text(source: FlowSource, *, fills_at_signal: bool) -> str:
    """The source of `advance`, to follow the flow's own text.

    `advance(accounts, s, w, c, o, ts, bid, ask, times, rows, first, start)`: prices int64[n] in
    points, `times` int64[m] and `rows` float64[m, k] the outer values, `first` their slots. Returns
    the row to go on with: n, or less when the account's output must be drained.
    """
    outer = [OUTER] if source.program.outer else []
    if source.is_ticks:
        bar = ["tick_bar(s, w, price(s))", "follow(s, w, c)"]
        steps = [QUOTE, SEE, *outer, *bar, JUDGE, ACT]
    elif source.on_ticks:
        steps = [*outer, CLOSE, QUOTE, SEE, JUDGE, ACT, EXTEND]
    elif fills_at_signal:
        steps = [*outer, f"{CLOSE}\n{JUDGE_BAR}", ACT, QUOTE, SEE, EXTEND]
    else:
        steps = [*outer, f"{CLOSE}\n{JUDGE_BAR}", QUOTE, ACT, SEE, EXTEND]
    lines = "\n".join([*steps, DRAINED]).splitlines()
    body = "\n".join(f"        {line}" for line in lines)
    return f"{IMPORTS}\n{HEAD}{body}\n    return ts.shape[0]\n"
