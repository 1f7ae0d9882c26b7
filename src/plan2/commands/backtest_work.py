"""The child process of a backtest job: progress and result go to the parent."""

from pathlib import Path

import msgspec

from plan2.foundation.clock import LiveClock
from plan2.foundation.config.load import data_dir
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import Plan2Error
from plan2.foundation.worker_messages import open_channel
from plan2.intelligence.backtest.asked import BacktestWish
from plan2.intelligence.training.provenance import code_hash


def work_on(settings: Settings, home: Path, text: str) -> None:
    """Run a wish, as JSON, on the archive below `home`; exits with the error's code."""
    channel = open_channel()
    # Late, because everything that prints to standard output must come after the channel.
    from plan2.wiring.backtest_carrying import Keeping, carry_out
    from plan2.wiring.backtest_folders import backtests_folder
    from plan2.wiring.backtest_ticks import over_archive

    wish = msgspec.json.decode(text, type=BacktestWish)
    keeping = Keeping(limits=settings.backtests, now_ns=LiveClock().now_ns(), code_hash=code_hash())
    folder = backtests_folder(data_dir(settings), wish.tenant_id)
    try:
        channel.result(
            carry_out(wish, folder, over_archive(settings, home), channel.progress, keeping)
        )
    except Plan2Error as error:
        channel.failure(error)
        raise
