"""Bars of every timeframe, kept as bars of one minute that grow with the market."""

import numpy as np

from plan2.dataflow.terminals.twin.clockwork import ServerTime
from plan2.dataflow.terminals.twin.columns import RATES, Rows, longer_bars, minute_bars
from plan2.dataflow.terminals.twin.market import TwinMarket
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MINUTE


class BarStore:
    """All bars that the terminal can show.

    Whole minutes are built once; the minute that is still forming is built anew for each question.
    """

    def __init__(
        self, market: TwinMarket, server: ServerTime, instruments: dict[str, Instrument]
    ) -> None:
        self._market = market
        self._server = server
        self._instruments = instruments
        self._minutes: dict[str, Rows] = {}
        self._built_ns: dict[str, int] = {}

    def bars(self, symbol: str, timeframe: int) -> Rows:
        """RATES[n] of a timeframe, oldest first; the last one is still forming."""
        present_ns = self._market.seen_ns + 1
        whole_ns = present_ns // NS_PER_MINUTE * NS_PER_MINUTE
        built_ns = self._built_ns.get(symbol, self._market.origin_ns)
        if whole_ns > built_ns:
            known = self._minutes.get(symbol, np.zeros(0, RATES))
            new = self._build(symbol, built_ns, whole_ns)
            self._minutes[symbol] = np.concatenate([known, new])
            self._built_ns[symbol] = whole_ns
        forming = self._build(symbol, max(whole_ns, built_ns), present_ns)
        minutes = np.concatenate([self._minutes.get(symbol, np.zeros(0, RATES)), forming])
        return longer_bars(minutes, timeframe)

    def _build(self, symbol: str, start_ns: int, end_ns: int) -> Rows:
        block = self._market.ticks(symbol, start_ns, end_ns)
        return minute_bars(block, self._server, self._instruments[symbol].point)
