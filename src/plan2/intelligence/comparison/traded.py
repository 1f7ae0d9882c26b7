"""What a flow has earned since it trades, in the figures that its backtest's report shows.

Orders say which flow they are of; which version traded, on paper or with money, follows from where
they stand in the log among the flow's moves. So market time and wall time may differ.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec
import numpy as np

from plan2.foundation.events.base import Event
from plan2.foundation.events.flows import FlowMoved
from plan2.foundation.events.order import OrderPlaced
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.backtest.figures.intervals import intervals_of_trades
from plan2.intelligence.backtest.figures.terms import Answer, Figure
from plan2.intelligence.backtest.figures.trading import of_results
from plan2.intelligence.comparison.trades import SeenTrade, TradeBook
from plan2.intelligence.flows.life import TRADING
from plan2.intelligence.training.bootstrap import Interval

SEED = 1
"""Of the resamples behind the intervals."""


class Traded(msgspec.Struct, frozen=True, kw_only=True):
    """One version's trading in one state; times are UTC of the market, money of the account.

    `state`: paper or live. `first_ns`, `last_ns`: of the first entry and the last exit, 0 = none.
    `open`: positions not closed yet; they are in no figure. `figures`: by the names of a report.
    """

    version: int
    state: str
    first_ns: int
    last_ns: int
    open: int
    figures: dict[str, Figure]


Key = tuple[str, int, str]
"""A flow's name, its version, and the state in which it traded."""


class TradedBooks:
    """What every flow of an account traded, by version and state, from the log as it grows."""

    __slots__ = ("_books", "_stands", "_told")

    def __init__(self) -> None:
        self._stands: dict[str, tuple[int, str]] = {}
        self._books: dict[Key, TradeBook] = {}
        self._told: dict[Key, Traded] = {}

    def take(self, event: Event) -> None:
        """Take the next move of a flow, or what happened next to an order of the account."""
        if isinstance(event, FlowMoved):
            self._stands[event.name] = (event.version, event.to_state)
        elif isinstance(event, OrderPlaced):
            if event.flow_id and event.kind == "open":
                version, state = self._stands.get(event.flow_id, (0, ""))
                key = (event.flow_id, version, state)
                self._books.setdefault(key, TradeBook(event.flow_id)).take(event)
        else:
            for key, book in self._books.items():
                if book.take(event):
                    self._told.pop(key, None)

    def of(self, name: str, versions: Sequence[int]) -> list[Traded]:
        """What these versions of a flow traded, the newest first; nothing for who did not."""
        keys = [
            key
            for key in sorted(self._books, reverse=True)
            if key[0] == name and key[1] in versions and key[2] in TRADING
        ]
        for key in keys:
            if key not in self._told:
                self._told[key] = _traded(key[1], key[2], self._books[key].day().trades)
        return [self._told[key] for key in keys]


def _traded(version: int, state: str, trades: Sequence[SeenTrade]) -> Traded:
    closed = sorted((each for each in trades if each.closed_ns), key=lambda each: each.closed_ns)
    return Traded(
        version=version,
        state=state,
        first_ns=min((each.opened_ns for each in trades), default=0),
        last_ns=closed[-1].closed_ns if closed else 0,
        open=len(trades) - len(closed),
        figures=_figures(closed) if closed else {},
    )


def _figures(closed: Sequence[SeenTrade]) -> dict[str, Figure]:
    net = np.array([float(each.net) for each in closed])
    held = sum(each.closed_ns - each.opened_ns for each in closed) / len(closed)
    answers = of_results(net) | {
        "net_profit": float(sum((each.net for each in closed), Decimal(0))),
        "avg_hold": held / NS_PER_DAY,
    }
    bands = intervals_of_trades(net, np.random.default_rng(SEED))
    return {name: _figure(name, answer, bands) for name, answer in answers.items()}


def _figure(name: str, answer: Answer, bands: Mapping[str, Interval]) -> Figure:
    if isinstance(answer, str):
        return Figure(value=None, reason=answer)
    band = bands.get(name)
    return Figure(value=answer, low=band.low, high=band.high) if band else Figure(value=answer)
