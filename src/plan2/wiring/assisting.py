"""Wires language models: their worker, budgets, and what tagged news does to entries."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from plan2.connectivity.identity.consents import PURPOSES, Consents
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema_assistants import Assistants
from plan2.foundation.errors import ConfigError
from plan2.foundation.events.assistants import NewsShaded
from plan2.foundation.events.base import Event
from plan2.foundation.events.recording import Record
from plan2.foundation.ids import RandomIds
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from plan2.foundation.worker_pool import WorkerJob, WorkerPool
from plan2.foundation.workers import WorkerResult
from plan2.intelligence.assistants.budget import PostgresAssistants
from plan2.intelligence.assistants.errand import Attempt
from plan2.intelligence.assistants.news import NewsTags, shade_of
from plan2.intelligence.assistants.service import AssistantDesk, Parts
from plan2.intelligence.risk.news import NewsShade, NewsShades
from plan2.interface.api.assistants import CONSENT, NewsBody, NewsDesk

STREAM: Final = "assistants"
SLOTS: Final = 2
"""Workers of assistants at a time, beside those of long work: a training must not hold them up."""
MEMORY_MB: Final = 512

ShadesOf = Callable[[TenantId], tuple[NewsShades, int] | None]
"""The shades of a tenant's account, and market time there; None while it is not open."""


class Assisting:
    """The assistants of all tenants.

    Args:
        config: who is asked. database: keeps budgets and shades. folder: for errands.
        record: takes facts. consents: who agreed.

    Raises:
        ConfigError: a provider stands twice in the order.
    """

    def __init__(
        self,
        config: Assistants,
        database: Database,
        folder: Path,
        record: Record,
        consents: Consents,
    ) -> None:
        if len(set(config.order)) != len(config.order):
            raise ConfigError(
                f"assistants.order = {list(config.order)} names a provider twice.",
                remedy="Name each once.",
            )
        self.config = config
        self._record = record
        self._consents = consents
        self._table = PostgresAssistants(database.uow)
        self._pool = WorkerPool(SLOTS, LiveClock())
        self.desk = AssistantDesk(
            Parts(
                config=config,
                table=self._table,
                run=self._run,
                folder=folder / "errands",
                clock=LiveClock(),
                ids=RandomIds(),
                note=self._note,
            )
        )

    def is_given(self, tenant_id: TenantId, user_id: str) -> bool:
        """See `Agreement.is_given`."""
        fact = self._consents.newest(tenant_id, user_id, CONSENT)
        return fact is not None and fact.is_given and fact.version == PURPOSES[CONSENT].version

    def allows(self, tenant_id: TenantId, user_id: str) -> bool:
        """See `Agreement.allows`."""
        return self._consents.allows(tenant_id, user_id, CONSENT)

    async def restore(self, tenant_id: TenantId, shades: NewsShades, now_ns: int) -> None:
        """Put news of an earlier run in force again; `now_ns` is market time.

        Raises:
            StoreBusy: the database does not answer.
        """
        if self.config.shade_entries:
            for shade in await self._table.shades(tenant_id, now_ns):
                shades.put(shade, now_ns)

    def news(self, shades_of: ShadesOf) -> NewsDesk:
        """What tagged news does."""

        async def put(
            tenant_id: TenantId, body: NewsBody, tags: NewsTags, answer: Attempt, by: str
        ) -> tuple[NewsShade, bool]:
            found = shades_of(tenant_id)
            shades, now_ns = found if found is not None else (None, LiveClock().now_ns())
            shade = shade_of(body.symbol, tags, now_ns)
            is_applied = shades is not None and self.config.shade_entries
            if shades is not None and is_applied:
                shades.put(shade, now_ns)
                await self._table.keep_shade(tenant_id, body.source_id, shade)
            self._note(tenant_id, _shaded(body, tags, shade, (answer, by), now_ns), by)
            return shade, is_applied

        def in_force(tenant_id: TenantId) -> list[NewsShade]:
            found = shades_of(tenant_id)
            return found[0].in_force(found[1]) if found is not None else []

        return NewsDesk(put=put, in_force=in_force, shades_entries=self.config.shade_entries)

    async def _run(self, tenant_id: str, file: Path, limit_s: float) -> WorkerResult:
        argv = (sys.executable, "-m", "plan2", "assistants", "work", str(file))
        return await self._pool.run(
            WorkerJob(
                tenant_id=tenant_id,
                name="assistant",
                argv=argv,
                timeout_s=limit_s,
                memory_mb=MEMORY_MB,
            )
        )

    def _note(self, tenant_id: TenantId, event: Event, by: str) -> None:
        self._record(tenant_id, STREAM, event, actor=by)


def _shaded(
    body: NewsBody, tags: NewsTags, shade: NewsShade, said: tuple[Attempt, str], now_ns: int
) -> NewsShaded:
    answer, by = said
    return NewsShaded(
        ts_ns=now_ns,
        symbol=body.symbol,
        source_id=body.source_id,
        tags=tags.tags,
        score=tags.score,
        factor=shade.factor,
        until_ns=shade.until_ns,
        provider=answer.provider,
        model=answer.model,
        by=by,
    )
