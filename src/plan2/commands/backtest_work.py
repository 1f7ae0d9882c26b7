"""The child process of a backtest job: progress and result go to the parent."""

from pathlib import Path

import msgspec

from plan2.foundation.clock import LiveClock
from plan2.foundation.config.load import Loaded
from plan2.foundation.errors import Plan2Error
from plan2.foundation.worker_messages import open_channel
from plan2.intelligence.backtest.asked import BacktestWish
from plan2.intelligence.training.provenance import code_hash


def work_on(loaded: Loaded, folder: Path, text: str) -> None:
    """Run a wish, as JSON, for the tenant of this folder; exits with the error's code."""
    channel = open_channel()
    # Late, because everything that prints to standard output must come after the channel.
    from plan2.wiring.backtest_carrying import Keeping, carry_out
    from plan2.wiring.backtest_ticks import over_archive

    wish = msgspec.json.decode(text, type=BacktestWish)
    limits, now_ns = loaded.settings.backtests, LiveClock().now_ns()
    keeping = Keeping(limits=limits, now_ns=now_ns, code_hash=code_hash())
    try:
        channel.result(carry_out(wish, folder, over_archive(loaded), channel.progress, keeping))
    except Plan2Error as error:
        channel.failure(error)
        raise
