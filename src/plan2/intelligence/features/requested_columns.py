"""The features on request of one engine: their values after the last tick, and their memory."""

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND, Float64Array, Int64Array
from plan2.intelligence.features.feature_set import FeatureSet
from plan2.intelligence.features.kernels import machine_code
from plan2.intelligence.features.loop import Ticks
from plan2.intelligence.features.requested import FIRST_PEER, PEER, WINDOW
from plan2.intelligence.features.requested_loop import (
    CCI_BARS,
    HAS_EVENTS,
    PRICES,
    WHOLE,
    Peers,
    run_requested,
    step_around,
    step_own,
)
from plan2.intelligence.features.surroundings import (
    NO_EVENTS,
    PeerBoard,
    Surroundings,
    strength_weights,
)


class RequestedColumns:
    """What a set asks for beyond the catalogue.

    Attributes:
        state: float64[m], all of it, for the snapshot; the board and the events are not in it.
        values: float64[K], its end, overwritten by each step.
        board: where other symbols' closes are found; None when nothing looks at them.
    """

    def __init__(
        self,
        feature_set: FeatureSet,
        instrument: Instrument,
        timing: tuple[int, int],
        around: Surroundings,
    ) -> None:
        """`timing`: length of a bar and of a gap, seconds.

        Raises:
            InputError: the board has no row for the symbol or a peer.
        """
        count = FIRST_PEER + len(PEER) * len(feature_set.peers)
        self.state = np.zeros(WHOLE + PRICES + CCI_BARS - 1 + count)
        self.values = self.state[-count:]
        self.values[:] = np.nan
        self._instrument = instrument
        self.board = board = around.board if feature_set.looks_across else None
        period_s, gap_s = timing
        self._peers = _peers(feature_set, instrument, board or PeerBoard((), period_s, 1))
        own = _row(board, instrument.symbol) if board is not None else -1
        has_events = int(feature_set.knows_events)
        asked = np.array([period_s * NS_PER_SECOND, gap_s * NS_PER_SECOND, own, has_events])
        self._parts = (asked, self.state[:WHOLE].view(np.int64), self.state[WHOLE:])
        self._events = NO_EVENTS
        self.look_at(around)
        own_tick = (self._parts, self._peers.closes, 0, 0.0, 0.0)
        self._step_own = machine_code(step_own, *own_tick)
        self._step_around = machine_code(step_around, self._parts, self._peers, self._events, 0)

    def look_at(self, around: Surroundings) -> None:
        """Go by another calendar from the next minute on."""
        self._events = around.events(self._instrument) if self._parts[0][HAS_EVENTS] else NO_EVENTS

    def step(self, ts_ns: int, bid: float, ask: float) -> None:
        """Take a tick in, before the set's own columns are computed."""
        news = self._step_own(self._parts, self._peers.closes, ts_ns, bid, ask)
        if news:
            self._step_around(self._parts, self._peers, self._events, news)

    def of_block(self, ticks: Ticks, rows: Int64Array) -> Float64Array:
        """The values after the ticks numbered in `rows`, float64[n, K]."""
        out = np.empty((len(rows), len(self.values)))
        run_requested(self._parts, self._peers, self._events, ticks, (rows, out))
        return out


def _row(board: PeerBoard, symbol: str) -> int:
    if symbol not in board.symbols:
        raise InputError(
            f"The feature set looks at {symbol}, and only {', '.join(board.symbols)} are there.",
            remedy="Add it to market.symbols, or import its ticks.",
        )
    return board.symbols.index(symbol)


def _peers(feature_set: FeatureSet, instrument: Instrument, board: PeerBoard) -> Peers:
    pairs = sorted({*feature_set.peers, instrument.symbol} & set(board.symbols))
    own = (instrument.base, instrument.quote)
    has_board = bool(board.symbols)
    places = [_row(board, symbol) for symbol in feature_set.peers] if has_board else []
    return Peers(
        board.closes,
        strength_weights(board.symbols, pairs, own),
        np.array(places, np.int64),
        np.full((len(board.symbols), WINDOW + 1), np.nan),
    )
