"""Keeps the read models up to date: one runner each, woken by every stored event.

Rows written by other code than today's are thrown away and built again at the start; they are
caches of the log, so nothing is lost but time.
"""

import asyncio
from collections.abc import Sequence

from plan2.foundation.eventstore.projections import Projection, ProjectionHalted, ProjectionRunner
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.store import PostgresEventStore
from plan2.foundation.log import logger
from plan2.foundation.values import TenantId


class ViewFollowers:
    """All runners of one tenant; `start` catches up, `run` follows until cancelled."""

    def __init__(
        self, store: PostgresEventStore, tenant: TenantId, views: Sequence[Projection]
    ) -> None:
        self._names = [view.name for view in views]
        # All in one turn: a busy log would else let them take every connection of the tenant, and
        # whoever asks for something would wait behind them.
        turn = asyncio.Lock()
        self._runners = [ProjectionRunner(store, tenant, view, turn=turn) for view in views]
        self._log = logger("views")

    async def start(self) -> None:
        """Bring every read model up to the end of the log; rebuild those of older code.

        Raises:
            ProjectionHalted: a rebuilt read model cannot go on either.
            Recoverable: the database does not answer.
        """
        for name, runner in zip(self._names, self._runners, strict=True):
            try:
                await runner.catch_up()
            except ProjectionHalted as halt:
                self._log.warning("view_rebuilt", view=name, reason=halt.message)
                await runner.rebuild()

    async def run(self) -> None:
        """Follow the log until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for runner in self._runners:
                tasks.create_task(runner.run())

    def on_stored(self, _stored: StoredEvent) -> None:
        """There is something new; a listener of the appender."""
        for runner in self._runners:
            runner.wake()

    def position(self) -> int:
        """How far the slowest read model has come."""
        return min((runner.position or 0 for runner in self._runners), default=0)

    def parked(self) -> dict[str, int]:
        """Events that a read model could not digest, by its name."""
        return {
            name: runner.parked for name, runner in zip(self._names, self._runners, strict=True)
        }
