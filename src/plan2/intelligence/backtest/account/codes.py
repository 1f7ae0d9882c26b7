"""The words of the compiled account as numbers, and what each means outside."""

from typing import Final

from plan2.dataflow.terminals.simulated.refusals import RETCODES, Refusal

SENT, SPREAD, HOURS, ORDERS_PER_DAY, DAILY_LOSS, DRAWDOWN = range(6)
POSITIONS, VOLUME, BUSY, NOVEL, EVENT = range(6, 11)
"""What becomes of an entry: sent to the broker, or what denied it."""
DENIALS: Final = (
    "sent",
    "spread",
    "hours",
    "orders_per_day",
    "daily_loss",
    "drawdown",
    "positions",
    "volume",
    "busy",
    "novel_situation",
    "scheduled_event",
)
"""Names of the denials. volume: less than the least lots. busy: too many requests under way.
novel_situation: the models never saw anything like it. scheduled_event: one is near."""

FILLED, CLOSED, REFUSED, DRAIN, HALTED, STOPPED_OUT = 1, 2, 4, 8, 16, 32
"""Bits of what `quote` returns: a request was filled, (a part of) a position was closed, a request
was refused, the output rows must be drained before the next quote, a loss limit halts entries, the
broker closed for lack of margin."""

OPEN, CLOSE, CLOSE_BY, BY_STOP_LOSS, BY_TAKE_PROFIT, BY_STOP_OUT = range(6)
KINDS: Final = ("open", "close", "close", "stop_loss", "take_profit", "stop_out")
"""Kinds of an order's row as `run.ORDERS` names them."""

ASKED, TIME, PARTIAL, AT_STOP, AT_TARGET, AT_TRAILING, AT_BREAK_EVEN, NO_MARGIN, AT_END, TURNED = (
    range(10)
)
REASONS: Final = (
    "signal",
    "time",
    "partial",
    "stop_loss",
    "take_profit",
    "trailing_stop",
    "break_even",
    "stop_out",
    "end",
    "turned",
)
"""Why a position, or a part of it, was closed; turned: by an
opposite netting entry."""

DONE, DONE_PARTIAL = 10009, 10010
CLOSED_MARKET = RETCODES[Refusal.MARKET_CLOSED]
NO_QUOTES = RETCODES[Refusal.NO_QUOTES]
INVALID_VOLUME = RETCODES[Refusal.INVALID_VOLUME]
INVALID_STOPS = RETCODES[Refusal.INVALID_STOPS]
NO_MONEY = RETCODES[Refusal.NO_MONEY]
POSITION_CLOSED = RETCODES[Refusal.POSITION_CLOSED]
INVALID_CLOSE_VOLUME = RETCODES[Refusal.INVALID_CLOSE_VOLUME]
INVALID_ORDER = RETCODES[Refusal.INVALID_ORDER]
INVALID_REQUEST = RETCODES[Refusal.INVALID_REQUEST]
INJECTED: Final = (
    10004, 10006, 10012, 10013, 10014, 10015, 10016, 10017, 10018, 10019, 10021, 10027, 10030, 10031
)  # fmt: skip
"""MetaTrader's answers that `reject_fraction` draws from, each as likely as the others."""
