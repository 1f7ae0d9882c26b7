"""What is archived of the past, ticks before bars: bars stand in where a symbol has no ticks."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plan2.dataflow.archive import END_OF_TIME_NS, TickArchive
from plan2.dataflow.bar_archive import BarArchive, BarCoverage
from plan2.dataflow.bar_series import BarSeries
from plan2.foundation.values import NS_PER_DAY


@dataclass(frozen=True, slots=True)
class Holding:
    """What is stored of a symbol; times of its first and last tick or bar, UTC ns, inclusive.

    One of `ticks` and `bars` is 0; `days` that have ticks, or calendar days from first to last bar.
    """

    symbol: str
    days: int
    ticks: int
    bars: int
    first_ts_ns: int
    last_ts_ns: int


class MarketArchive:
    """Both archives of a data folder, read only.

    Args:
        root: the archive's folder, `<data_dir>/archive`.
    """

    def __init__(self, root: Path) -> None:
        self.ticks = TickArchive(root)
        self._bars = BarArchive(root)

    def symbols(self) -> tuple[str, ...]:
        """Every symbol that has ticks or bars of some seconds, sorted."""
        with_bars = (symbol for symbol in self._bars.symbols() if self._shortest(symbol))
        return tuple(sorted({*self.ticks.symbols(), *with_bars}))

    def bar_period_s(self, symbol: str) -> int:
        """The shortest stored period of a symbol without ticks, seconds; 0 where there are any."""
        return 0 if symbol in self.ticks.symbols() else self._shortest(symbol)

    def bars(self, symbol: str, start_ns: int = 0, end_ns: int = END_OF_TIME_NS) -> BarSeries:
        """Its shortest bars with start ≤ bar's start < end."""
        return self._bars.read(symbol, self._shortest(symbol), start_ns, end_ns)

    def holdings(self) -> list[Holding]:
        """What is stored, by symbol; reads only the files' footers."""
        bars = {(each.symbol, each.period_s): each for each in self._bars.coverage()}
        found = (self._holding(symbol, bars) for symbol in self.symbols())
        return [each for each in found if each is not None]

    def _shortest(self, symbol: str) -> int:
        # A period of 0 is that of tick and volume bars, which no clock closes.
        return next((period for period in self._bars.periods(symbol) if period > 0), 0)

    def _holding(self, symbol: str, bars: Mapping[tuple[str, int], BarCoverage]) -> Holding | None:
        if days := self.ticks.coverage(symbol):
            ticks = sum(day.ticks for day in days)
            first_ns, last_ns = days[0].first_ts_ns, days[-1].last_ts_ns
            return Holding(symbol, len(days), ticks, 0, first_ns, last_ns)
        stored = bars.get((symbol, self._shortest(symbol)))
        if stored is None:
            return None
        span = (stored.last_ts_ns - stored.first_ts_ns) // NS_PER_DAY + 1
        return Holding(symbol, span, 0, stored.bars, stored.first_ts_ns, stored.last_ts_ns)
