"""The engine of a backtest job: a flow over the archive, by its rules or by a named policy."""

from plan2.dataflow.archive import END_OF_TIME_NS
from plan2.foundation.config.load import Loaded
from plan2.intelligence.backtest.asked import BacktestWish
from plan2.intelligence.flows.flow import Flow
from plan2.wiring.backtest_asking import policy_of
from plan2.wiring.backtest_carrying import Progress, RunTicks
from plan2.wiring.flow_pipeline import run_by_engine
from plan2.wiring.flow_run import FlowResult, FlowWindow, tick_feed


def over_archive(loaded: Loaded) -> RunTicks:
    """The engine over the archive of the configured data folder."""

    def run(flow: Flow, wish: BacktestWish, progress: Progress) -> FlowResult:
        window = FlowWindow(start_ns=wish.start_ns, end_ns=wish.end_ns or END_OF_TIME_NS)
        expected = max(1, tick_feed(loaded, flow.source.symbol, window).expected)

        def told(ticks: int, _ts_ns: int) -> None:
            progress(min(1.0, ticks / expected), f"{ticks:,} of about {expected:,} ticks")

        return run_by_engine(loaded, flow, window, told, policy_of(flow))

    return run
