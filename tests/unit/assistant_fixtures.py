# ruff: noqa: D102 - the protocols that the fakes implement say what their methods do
"""Assistants without a network: a worker that a test answers for, budgets in a dictionary."""

from pathlib import Path

import msgspec

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema_assistants import Assistants
from plan2.foundation.events.base import Event
from plan2.foundation.ids import SeededIds
from plan2.foundation.values import TenantId
from plan2.foundation.worker_messages import Failure
from plan2.foundation.workers import WorkerResult
from plan2.intelligence.assistants.budget import Use
from plan2.intelligence.assistants.errand import Attempt, Errand, Outcome
from plan2.intelligence.assistants.news import NewsTags, shade_of
from plan2.intelligence.assistants.service import AssistantDesk, Parts
from plan2.intelligence.risk.news import NewsShade, NewsShades
from plan2.interface.api.assistants import NewsBody, NewsDesk
from unit.alert_fixtures import MONDAY_NS


class MemoryAssistants:
    """The tables in dictionaries."""

    def __init__(self) -> None:
        self.uses: dict[tuple[str, str], Use] = {}

    async def used(self, tenant: TenantId, day: str) -> Use:
        return self.uses.get((tenant, day), Use())

    async def book(self, tenant: TenantId, day: str, more: Use) -> None:
        old = self.uses.get((tenant, day), Use())
        self.uses[tenant, day] = Use(old.tokens + more.tokens, old.cost + more.cost)

    async def shades(self, tenant: TenantId, now_ns: int) -> list[NewsShade]:
        return []

    async def keep_shade(self, tenant: TenantId, source_id: str, shade: NewsShade) -> None:
        """Nothing is kept."""


class Agreed:
    """Everybody agrees."""

    def is_given(self, tenant_id: TenantId, user_id: str) -> bool:
        return True

    def allows(self, tenant_id: TenantId, user_id: str) -> bool:
        return True


class AssistantRoom:
    """A desk whose worker gives `outcome`; `errands` is what it was asked."""

    def __init__(self, folder: Path, **config: object) -> None:
        self.clock = SimulatedClock(MONDAY_NS)
        self.table = MemoryAssistants()
        self.errands: list[Errand] = []
        self.facts: list[Event] = []
        self.outcome: Outcome | Failure = Outcome()
        self.shades = NewsShades()
        self.folder = folder / "errands"
        self.desk = AssistantDesk(
            Parts(
                config=msgspec.convert(config, Assistants),
                table=self.table,
                run=self._run,
                folder=self.folder,
                clock=self.clock,
                ids=SeededIds("assistants"),
                note=lambda _, event, __: self.facts.append(event),
            )
        )
        self.news = NewsDesk(
            put=self._put,
            in_force=lambda _: self.shades.in_force(self.clock.now_ns()),
            shades_entries=True,
        )

    def answers(self, text: str, tokens: int = 1_000) -> None:
        """Let the first provider answer this."""
        attempt = Attempt(
            provider="openai", model="m", ending="answered", text=text, tokens_in=tokens,
            tokens_out=tokens,
        )  # fmt: skip
        self.outcome = Outcome(attempts=(attempt,))

    async def _put(
        self, tenant_id: TenantId, body: NewsBody, tags: NewsTags, answer: Attempt, by: str
    ) -> tuple[NewsShade, bool]:
        shade = shade_of(body.symbol, tags, self.clock.now_ns())
        self.shades.put(shade, self.clock.now_ns())
        return shade, True

    def _take(self, file: Path) -> None:
        assert file.stat().st_mode & 0o077 == 0
        self.errands.append(msgspec.json.decode(file.read_bytes(), type=Errand))

    async def _run(self, tenant: str, file: Path, limit_s: float) -> WorkerResult:
        self._take(file)
        if isinstance(self.outcome, Failure):
            return WorkerResult(None, self.outcome, 1, 0.0, [])
        return WorkerResult(msgspec.to_builtins(self.outcome), None, 0, 0.0, [])
