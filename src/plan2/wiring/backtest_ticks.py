"""Runs a flow over the tick archive: contract data, ticks in blocks, progress by ticks."""

from pathlib import Path

from plan2.dataflow.archive import TickArchive
from plan2.foundation.config.load import data_dir
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError
from plan2.intelligence.backtest.asked import BacktestWish
from plan2.intelligence.backtest.feeds import Blocks
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.backtest.run_flow import RunOptions, run_flow
from plan2.intelligence.flows.flow import Flow
from plan2.wiring.backtest_carrying import Progress, RunTicks
from plan2.wiring.contracts import known_contracts

END_OF_TIME_NS = 2**63 - 1
CODE_FOLDER = "compiled"
"""Machine code of flows, below the data folder."""


def over_archive(settings: Settings, home: Path) -> RunTicks:
    """The engine over the archive below `home`."""

    def run(flow: Flow, wish: BacktestWish, progress: Progress) -> BacktestRun:
        symbol = flow.source.symbol
        instrument = known_contracts(settings).get(symbol)
        if instrument is None:
            raise InputError(f"There is no contract data for {symbol}, so its costs are unknown.")
        archive, end_ns = TickArchive(home / "archive"), wish.end_ns or END_OF_TIME_NS
        expected = _ticks(archive, symbol, wish.start_ns, end_ns)
        feed = Blocks(symbol, lambda: archive.iter_days(symbol, wish.start_ns, end_ns), expected)

        def told(ticks: int, _ts_ns: int) -> None:
            progress(min(1.0, ticks / max(1, expected)), f"{ticks:,} of {expected:,} ticks")

        folder = data_dir(settings) / CODE_FOLDER
        return run_flow(flow, feed, instrument, RunOptions(folder=folder, on_progress=told))

    return run


def _ticks(archive: TickArchive, symbol: str, start_ns: int, end_ns: int) -> int:
    """About how many ticks a stretch has: those of the days that it touches."""
    return sum(
        day.ticks
        for day in archive.coverage(symbol)
        if day.last_ts_ns >= start_ns and day.first_ts_ns < end_ns
    )
