"""What waits in the host for a server that is slow or away: numbered messages, and ticks.

Numbered messages stay until acknowledged and are sent again on a new link; a link change takes the
place of an older one that waits, since only the newest counts. When `OUTBOX_MAX` of them wait, the
oldest goes and is counted: whoever comes back then asks the broker for its deals anyway.
"""

import heapq
import itertools
from collections import deque
from typing import Final

from plan2.dataflow.terminals.port import LinkChange, OrderUpdate
from plan2.dataflow.terminals.remote.protocol import AccountName, Link, TickRow, Ticks, Update
from plan2.foundation.values import Tick

OUTBOX_MAX: Final = 20_000
TICKS_PER_SYMBOL_MAX: Final = 2_048
BATCH_MAX: Final = 512
"""Quotes in one message; about 25 kB."""

Numbered = Update | Link


class Outbox:
    """Numbered messages in order, from the oldest that is not acknowledged."""

    def __init__(self, limit: int = OUTBOX_MAX) -> None:
        self.last_seq = 0
        self.lost = 0
        self._limit = limit
        self._waiting: dict[int, Numbered] = {}
        self._unsent: deque[int] = deque()
        self._link_seq = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add_update(self, update: OrderUpdate) -> int:
        """Number an update; returns its number."""
        return self._add(Update(self._next(), update))

    def add_link(self, change: LinkChange, account: AccountName) -> int:
        """Number a link change, in place of one that still waits; returns its number."""
        self._waiting.pop(self._link_seq, None)
        self._link_seq = self._add(Link(self._next(), change, account))
        return self._link_seq

    def next_unsent(self) -> Numbered | None:
        """The oldest message that was not sent on this link; None when all were."""
        while self._unsent:
            message = self._waiting.get(self._unsent.popleft())
            if message is not None:
                return message
        return None

    def rewind(self, seq: int) -> None:
        """A new link: its server has everything up to `seq`; the rest is sent again."""
        self.acknowledge(seq)
        self._unsent = deque(sorted(self._waiting))

    def acknowledge(self, seq: int) -> None:
        """Forget everything up to `seq`."""
        for known in list(itertools.takewhile(lambda waiting: waiting <= seq, self._waiting)):
            del self._waiting[known]

    def _next(self) -> int:
        self.last_seq += 1
        return self.last_seq

    def _add(self, message: Numbered) -> int:
        self._waiting[message.seq] = message
        self._unsent.append(message.seq)
        if len(self._waiting) > self._limit:
            del self._waiting[next(iter(self._waiting))]
            self.lost += 1
        return message.seq


class TickBuffer:
    """Quotes that wait for a server: bounded per symbol, the oldest go first and are counted."""

    def __init__(self, per_symbol: int = TICKS_PER_SYMBOL_MAX) -> None:
        self.dropped = 0
        self._per_symbol = per_symbol
        self._arrivals = itertools.count()
        self._waiting: dict[str, deque[tuple[int, Tick]]] = {}
        self._gaps: dict[str, int] = {}

    def add(self, tick: Tick) -> None:
        """Keep a quote; when its symbol has too many, the oldest is dropped."""
        waiting = self._waiting.setdefault(tick.symbol, deque())
        waiting.append((next(self._arrivals), tick))
        if len(waiting) > self._per_symbol:
            waiting.popleft()
            self.dropped += 1
            self._gaps[tick.symbol] = self._gaps.get(tick.symbol, 0) + 1

    def take(self, limit: int = BATCH_MAX) -> Ticks | None:
        """The oldest quotes in the order they came, at most `limit`; None when there are none."""
        in_order = heapq.merge(*self._waiting.values())
        ticks = [tick for _, tick in itertools.islice(in_order, limit)]
        if not ticks:
            return None
        places: dict[str, int] = {}
        rows: list[TickRow] = []
        for tick in ticks:
            self._waiting[tick.symbol].popleft()
            place = places.setdefault(tick.symbol, len(places))
            rows.append((place, tick.ts_ns, tick.bid, tick.ask, tick.seq))
        gaps, self._gaps = tuple(self._gaps.items()), {}
        return Ticks(tuple(places), tuple(rows), gaps)
