"""A backtest as a kind of job: who may start one, and the command line of the child."""

import sys
from pathlib import Path
from typing import Final

import msgspec

from plan2.connectivity.jobs.job import JobKind, Parameters
from plan2.foundation.config.schema import Workers
from plan2.intelligence.backtest.asked import NAME, BacktestWish
from plan2.wiring.result_folders import results_folder

RIGHT: Final = ("POST", "/api/v1/backtests")


def backtest_kind(workers: Workers, folder: Path, home: Path) -> JobKind:
    """The kind of job; `folder` is the data folder, `home` the one with archive and models."""

    def command(parameters: Parameters) -> tuple[str, ...]:
        wish = msgspec.convert(dict(parameters), BacktestWish)
        whose = results_folder(folder, wish.tenant_id)
        argv = (sys.executable, "-m", "plan2", "backtests", "work", "--data-dir", str(home))
        return (*argv, "--folder", str(whose), "--wish", msgspec.json.encode(wish).decode())

    return JobKind(
        name=NAME,
        command=command,
        right=RIGHT,
        timeout_s=float(workers.timeout_s),
        memory_mb=workers.memory_mb,
    )
