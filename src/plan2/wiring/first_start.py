"""What only the first start does: generate the simulated market's history and train on it."""

import asyncio
from collections.abc import Callable

import msgspec

from plan2.connectivity.jobs.job import JobRow, JobStatus
from plan2.connectivity.jobs.service import SYSTEM, Jobs
from plan2.dataflow.archive import TickArchive
from plan2.dataflow.terminals.simulated.market import FIRST_INSTANT_NS
from plan2.foundation.config.schema import Settings
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import Unrecoverable
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training.job import NAME as TRAIN
from plan2.intelligence.training.job import usual_wish
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.markets import Market

Say = Callable[[str], None]


class FirstStart:
    """Makes sure that history and default models of the simulated market exist.

    The training is a job of the main tenant like any later one, so that it can be looked at
    afterwards.
    """

    def __init__(self, market: Market, settings: Settings, jobs: Jobs, say: Say) -> None:
        self._market = market
        self._settings = settings
        self._jobs = jobs
        self._say = say
        self._archive = TickArchive(market.home / "archive")
        self._shown = ""

    async def prepare(self) -> None:
        """Generate what is missing, and train when no model knows a symbol.

        Raises:
            Unrecoverable: training failed; says why.
        """
        symbols = self._market.symbols
        if set(symbols) - set(self._archive.symbols()):
            days = self._settings.simulated.history_days
            self._say(f"Generating {days} days of the simulated market …")
            await self._write_history()
        if not self._settings.models.train_on_first_start:
            return
        schema_id = plan_of(self._settings).schema_id
        known = Registry(self._market.home / "models").known_symbols(schema_id)
        missing = [symbol for symbol in symbols if symbol not in known]
        if missing:
            self._say(f"Training the default models on {', '.join(missing)} …")
            await self._train()

    async def _write_history(self) -> None:
        for symbol in self._market.symbols:
            block = await self._market.terminal.history(symbol, 0, FIRST_INSTANT_NS)
            await asyncio.to_thread(self._archive.merge, block)
            self._say(f"  {symbol}: {len(block):,} ticks")

    async def _train(self) -> None:
        wish = usual_wish(self._market.symbols, self._settings)
        # Nobody can be there yet, and quotas are not wired before there are models.
        asked = await self._jobs.start(
            MAIN_TENANT, TRAIN, msgspec.to_builtins(wish), SYSTEM, asks_room=False
        )
        with self._jobs.listening(lambda _, job_id: self._tell(asked.job_id, job_id)):
            ended = await self._jobs.wait(MAIN_TENANT, asked.job_id)
        if ended.state is not JobStatus.DONE:
            raise _failed(ended)

    def _tell(self, ours: str, job_id: str) -> None:
        """Say what the training does whenever it does something else."""
        for row in self._jobs.under_way(MAIN_TENANT):
            if row.job_id == job_id == ours and row.message not in {"", self._shown}:
                self._shown = row.message
                self._say(f"  {row.fraction:4.0%} {row.message}")


def _failed(ended: JobRow) -> Unrecoverable:
    why = ended.failure
    return Unrecoverable(
        f"Training the default models {ended.state}: {why.message if why else 'it was stopped.'}",
        remedy=(why.remedy if why else "")
        or "Set models.train_on_first_start = false to go without.",
    )
