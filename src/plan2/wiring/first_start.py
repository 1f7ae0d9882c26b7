"""What only the first start does: generate the simulated market's history and train on it."""

import asyncio
import sys
from collections.abc import Callable

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.terminals.simulated.market import FIRST_INSTANT_NS
from plan2.foundation.config.load import Loaded
from plan2.foundation.errors import Unrecoverable
from plan2.foundation.worker_messages import Progress
from plan2.foundation.workers import run_worker
from plan2.intelligence.models.registry import Registry
from plan2.wiring.markets import Market

Say = Callable[[str], None]

TRAINING_TIMEOUT_S = 900.0


async def prepare_simulated(market: Market, loaded: Loaded, say: Say) -> None:
    """Make sure that history and default models of the simulated market exist.

    Raises:
        Unrecoverable: training failed; says why.
    """
    archive = TickArchive(market.home / "archive")
    days = loaded.settings.simulated.history_days
    if set(market.symbols) - set(archive.symbols()):
        say(f"Generating {days} days of the simulated market …")
        await _write_history(market, archive, say)
    if not loaded.settings.models.train_on_first_start:
        return
    missing = [symbol for symbol in market.symbols if symbol not in _served(market)]
    if missing:
        say(f"Training the default models on {', '.join(missing)} …")
        await _train(market, loaded, say)


def _served(market: Market) -> set[str]:
    return set(Registry(market.home / "models").champions())


async def _write_history(market: Market, archive: TickArchive, say: Say) -> None:
    for symbol in market.symbols:
        block = await market.terminal.history(symbol, 0, FIRST_INSTANT_NS)
        await asyncio.to_thread(archive.merge, block)
        say(f"  {symbol}: {len(block):,} ticks")


async def _train(market: Market, loaded: Loaded, say: Say) -> None:
    """Train in a child process, so that nothing here ever waits for it."""
    settings = loaded.settings
    argv = [sys.executable, "-m", "plan2", "train", "--data-dir", str(market.home), "--worker"]
    for symbol in market.symbols:
        argv += ["--symbol", symbol]
    for family in settings.models.families:
        argv += ["--families", family]
    argv += ["--features", settings.models.feature_set]
    shown = ""

    def on_progress(progress: Progress) -> None:
        nonlocal shown
        if progress.message != shown:
            shown = progress.message
            say(f"  {progress.fraction:4.0%} {progress.message}")

    result = await run_worker(argv, on_progress, TRAINING_TIMEOUT_S)
    if result.failure is not None:
        raise Unrecoverable(
            f"Training the default models failed: {result.failure.message}",
            remedy=result.failure.remedy
            or "Set models.train_on_first_start = false to go without.",
        )
