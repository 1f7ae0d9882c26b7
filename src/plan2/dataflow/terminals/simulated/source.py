"""The synthetic market as a source of ticks that can be replayed from any instant."""

from collections.abc import Iterator

import numpy as np

from plan2.dataflow.sources import NO_TICKS, MergedTicks, merge
from plan2.dataflow.terminals.simulated.market import SyntheticMarket
from plan2.foundation.errors import require
from plan2.foundation.values import TickBlock

FOREVER_NS = 2**62


class SyntheticSource:
    """The endless synthetic market.

    Args:
        market: as it was at its origin. state: of an earlier run, to go on from there quickly.
    """

    def __init__(self, market: SyntheticMarket, state: bytes = b"") -> None:
        self._seed, self._strength = market.seed, market.strength
        self._origin_ns = market.position_ns
        self._symbols = market.symbols
        self._market = SyntheticMarket.resumed(state) if state else market
        if self._market.symbols != market.symbols:
            self._market = market

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols on offer."""
        return self._symbols

    @property
    def identity(self) -> str:
        """The seed, which makes the market, and the strength where it is not the documented one."""
        words = f"synthetic market of seed {self._seed}"
        return words if self._strength == 1.0 else f"{words}, strength {self._strength:g}"

    def blocks(self, start_ns: int) -> Iterator[MergedTicks]:
        """One block per open hour, for ever; empty ones while the way to `start_ns` is drawn."""
        if start_ns < self._market.position_ns:
            self._market = SyntheticMarket.resumed(self._market.state(start_ns))
        if start_ns < self._market.position_ns:
            self._market = self._at_origin(self._symbols)
        require(
            start_ns >= self._market.position_ns,
            f"the synthetic market begins at {self._origin_ns}, not at {start_ns}",
        )
        for _ in self._market.hours(start_ns):
            yield NO_TICKS
        for hour in self._market.hours(FOREVER_NS):
            yield merge([hour[symbol] for symbol in self._symbols])

    def history(self, symbol: str, start_ns: int, end_ns: int) -> Iterator[TickBlock]:
        """Drawn anew, hour by hour; a month of one symbol takes some 0.3 s.

        From the hour that an earlier run left when that is enough, else from the origin.
        """
        market = self._market.rewound(start_ns) or self._at_origin((symbol,))
        for hour in market.hours(end_ns):
            block = hour[symbol]
            first = int(np.searchsorted(block.ts_ns, start_ns))
            yield block.slice(first, len(block))

    def state(self, at_ns: int) -> bytes:
        """The market's state at `at_ns`, which lies in the hour drawn last or after it."""
        return self._market.state(at_ns)

    def _at_origin(self, symbols: tuple[str, ...]) -> SyntheticMarket:
        return SyntheticMarket(self._seed, symbols, self._origin_ns, self._strength)
