"""The synthetic market: seeded, addressable by time, the same ticks however they are asked for.

Each symbol is drawn hour by hour. An hour's numbers come from the stream (seed, symbol, hour) and
from the state that the hour before left, so chunking cannot matter, and a saved state resumes the
path. A symbol's path does not depend on which other symbols are on offer. Closed hours are empty.
"""

from collections.abc import Iterator

import msgspec
import numpy as np

from plan2.dataflow.terminals.simulated import calendar
from plan2.dataflow.terminals.simulated.instruments import sheets
from plan2.dataflow.terminals.simulated.paths import HourDrawn
from plan2.dataflow.terminals.simulated.symbol_paths import Dollar, SymbolPath
from plan2.dataflow.tick_merge import join_ticks
from plan2.foundation.errors import InputError, require
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MS, Float64Array, TickBlock

FIRST_INSTANT_NS = 1_709_625_600_000_000_000
"""Tuesday 2024-03-05 08:00 UTC: "now" of a new simulated account; its history lies before."""


class MarketState(msgspec.Struct, frozen=True, kw_only=True):
    """All that is needed to go on: who the market is, where it stands, what each path carries."""

    seed: int
    symbols: tuple[str, ...]
    strength: float
    position_ns: int
    paths: dict[str, list[float]]


class SyntheticMarket:
    """An endless market of bid/ask quotes.

    Args:
        seed: makes the market; same seed, same ticks. symbols: those on offer, in this order.
        start_ns: the first instant; every price starts at its documented value there.
        strength: of the learnable structure; 1 as documented, 0 for a market without memory.

    Raises:
        ConfigError: for a symbol that the simulated market does not have.
    """

    def __init__(
        self, seed: int, symbols: tuple[str, ...], start_ns: int, strength: float = 1.0
    ) -> None:
        self.seed = seed
        self.symbols = symbols
        self.strength = strength
        self.position_ns = start_ns
        wanted = sheets(symbols)
        legs = [leg for sheet in wanted.values() for leg in sheet.model.legs]
        needed = sheets(dict.fromkeys([*legs, *symbols]))
        by_dependence = sorted(needed, key=lambda name: len(needed[name].model.legs))
        self._dollar = Dollar(seed)
        self._paths = {
            name: SymbolPath(needed[name], seed, strength, needed) for name in by_dependence
        }
        self._hour_ns = start_ns // NS_PER_HOUR * NS_PER_HOUR
        self._drawn: dict[str, TickBlock] | None = None
        self._entry: dict[str, list[float]] = {}

    @classmethod
    def resumed(cls, state: bytes) -> "SyntheticMarket":
        """The market that wrote this state, at the position it was asked to keep.

        Raises:
            InputError: when the bytes are not such a state.
        """
        try:
            kept = msgspec.msgpack.decode(state, type=MarketState)
        except msgspec.MsgspecError as error:
            raise InputError(f"not a state of the simulated market: {error}") from error
        market = cls(kept.seed, kept.symbols, kept.position_ns, kept.strength)
        market._carry(kept.paths)
        return market

    def state(self, at_ns: int | None = None) -> bytes:
        """What `resumed` needs to go on at `at_ns` (the present position when left out).

        `at_ns` may lie back as far as the start of the hour that was drawn last; an earlier one
        means that start, which is right for a reader that has seen everything before it.
        """
        at_ns = self.position_ns if at_ns is None else at_ns
        is_inside = self._drawn is not None and at_ns < self._hour_ns + NS_PER_HOUR
        kept = MarketState(
            seed=self.seed,
            symbols=self.symbols,
            strength=self.strength,
            position_ns=max(at_ns, self._hour_ns),
            paths=self._entry if is_inside else self._carried(),
        )
        return msgspec.msgpack.encode(kept)

    def rewound(self, ts_ns: int) -> "SyntheticMarket | None":
        """A twin of a market just resumed, standing at `ts_ns` of the same hour; else None."""
        hour_ns = self.position_ns // NS_PER_HOUR * NS_PER_HOUR
        if self._drawn is not None or not hour_ns <= ts_ns < hour_ns + NS_PER_HOUR:
            return None
        twin = SyntheticMarket(self.seed, self.symbols, ts_ns, self.strength)
        twin._carry(self._carried())
        return twin

    def generate(self, until_ns: int) -> dict[str, TickBlock]:
        """The ticks from the present position up to, not including, `until_ns`; then be there."""
        parts = list(self.hours(until_ns))
        return {
            symbol: join_ticks(symbol, [part[symbol] for part in parts]) for symbol in self.symbols
        }

    def hours(self, until_ns: int) -> Iterator[dict[str, TickBlock]]:
        """The same as `generate`, one open hour at a time; resumable between two of them."""
        while self.position_ns < until_ns:
            opening = calendar.next_open_ns(self.position_ns)
            if opening >= until_ns:
                self.position_ns = until_ns
                return
            blocks = self._hour_of(opening)
            start, end = self.position_ns, min(until_ns, self._hour_ns + NS_PER_HOUR)
            self.position_ns = end
            yield {symbol: _between(blocks[symbol], start, end) for symbol in self.symbols}

    def drift_of(self, symbol: str) -> Float64Array:
        """float64[60]: latent drift at each minute of the last hour; for oracles only."""
        return self._paths[symbol].drawn.drift.copy()

    def planted_drift(self, symbol: str) -> Float64Array:
        """float64[60]: planted log drift per second at each minute of the last hour; for oracles.

        In an hour of usual activity and volatility; a cross has the drift of its legs.
        """
        return self._paths[symbol].planted_drift(self._paths)

    def _hour_of(self, ts_ns: int) -> dict[str, TickBlock]:
        """The whole hour that holds `ts_ns`, drawn now unless it was drawn last."""
        hour_ns = ts_ns // NS_PER_HOUR * NS_PER_HOUR
        if self._drawn is None or hour_ns != self._hour_ns:
            require(hour_ns >= self._hour_ns, f"hour {hour_ns} lies before {self._hour_ns}")
            self._hour_ns = hour_ns
            self._entry = self._carried()
            self._drawn = self._draw(hour_ns)
        return self._drawn

    def _draw(self, hour_ns: int) -> dict[str, TickBlock]:
        dollar = self._dollar.draw(hour_ns)
        for path in self._paths.values():
            path.draw(hour_ns, dollar, self._paths)
        return {symbol: _block(self._paths[symbol], hour_ns) for symbol in self.symbols}

    def _carried(self) -> dict[str, list[float]]:
        states = {name: path.state.tolist() for name, path in self._paths.items()}
        return {"USD": self._dollar.state.tolist(), **states}

    def _carry(self, paths: dict[str, list[float]]) -> None:
        self._dollar.state[:] = paths["USD"]
        for name, path in self._paths.items():
            path.state[:] = paths[name]


def _block(path: SymbolPath, hour_ns: int) -> TickBlock:
    """The drawn quotes as prices; points divided by a power of ten are the nearest floats."""
    drawn: HourDrawn = path.drawn
    count = int(drawn.quotes[0])
    scale = 10.0**path.instrument.digits
    return TickBlock(
        path.instrument.symbol,
        hour_ns + drawn.millisecond[:count] * NS_PER_MS,
        drawn.bid[:count] / scale,
        drawn.ask[:count] / scale,
    )


def _between(block: TickBlock, start_ns: int, end_ns: int) -> TickBlock:
    first, last = np.searchsorted(block.ts_ns, (start_ns, end_ns))
    return block.slice(int(first), int(last))
