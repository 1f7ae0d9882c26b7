"""Asks language models for one tenant: only with consent, within the budget, in a worker.

The process that trades never speaks to a provider: it writes an errand into a private file, and a
worker reads it, asks and ends. Whatever goes wrong is no opinion: our own sentence stands.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.config.schema_assistants import Assistants
from plan2.foundation.events.assistants import AssistantAsked
from plan2.foundation.events.base import Event
from plan2.foundation.ids import IdSource
from plan2.foundation.private_file import write_private
from plan2.foundation.values import NS_PER_SECOND, TenantId
from plan2.foundation.workers import WorkerResult
from plan2.intelligence.assistants.budget import (
    Allowance,
    AssistantTable,
    Breaker,
    Prices,
    Use,
    lack,
)
from plan2.intelligence.assistants.errand import (
    Attempt,
    Errand,
    Outcome,
    ProviderName,
    ProviderPlan,
    Question,
)

START_S: Final = 20.0
"""How long a worker may take beside its providers."""
CALLS_EACH: Final = 2

RunWorker = Callable[[str, Path, float], Awaitable[WorkerResult]]
"""Runs the worker of a tenant on an errand's file; the seconds are a limit."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What asking needs; `note` writes a fact into a tenant's log: tenant, event, who asked."""

    config: Assistants
    table: AssistantTable
    run: RunWorker
    folder: Path
    clock: Clock
    ids: IdSource
    note: Callable[[TenantId, Event, str], None]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a question: an answer, or why there is none."""

    answer: Attempt | None = None
    refused: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How assistants stand for a tenant today."""

    order: tuple[ProviderName, ...]
    models: dict[str, str]
    resting: tuple[ProviderName, ...]
    used: Use
    allowed: Allowance


class AssistantDesk:
    """Asks on behalf of all tenants; breakers are shared, budgets are not."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._breakers: dict[ProviderName, Breaker] = {
            name: Breaker() for name in parts.config.order
        }
        self._turns: dict[str, asyncio.Lock] = {}

    @property
    def is_on(self) -> bool:
        """Whether anybody may be asked at all."""
        return bool(self._parts.config.order)

    async def status(self, tenant: TenantId) -> Status:
        """Order, models, who is left alone, and the day's use."""
        config, now_ns = self._parts.config, self._parts.clock.now_ns()
        return Status(
            order=config.order,
            models={name: plan_of(config, name).model for name in config.order},
            resting=tuple(name for name, each in self._breakers.items() if each.is_open(now_ns)),
            used=await self._parts.table.used(tenant, self._day()),
            allowed=self._allowed(),
        )

    async def ask(self, tenant: TenantId, purpose: str, question: Question, by: str) -> Reply:
        """Ask in order, one question of a tenant at a time.

        Raises:
            StoreBusy: the budget cannot be read; nobody was asked.
        """
        if not self.is_on:
            return Reply(refused="No assistant is configured (assistants.order).")
        async with self._turns.setdefault(tenant, asyncio.Lock()):
            used = await self._parts.table.used(tenant, self._day())
            prices = prices_of(self._parts.config)
            refused = lack(used, self._allowed(), question, prices)
            now_ns = self._parts.clock.now_ns()
            awake = [name for name, each in self._breakers.items() if not each.is_open(now_ns)]
            if not refused and not awake:
                refused = "Every provider is left alone for a minute after repeated failures."
            if refused:
                self._note(tenant, purpose, Outcome(), Decimal(0), (refused, by))
                return Reply(refused=refused)
            return await self._asked(tenant, purpose, question, (awake, by))

    async def _asked(
        self,
        tenant: TenantId,
        purpose: str,
        question: Question,
        whom: tuple[list[ProviderName], str],
    ) -> Reply:
        awake, by = whom
        config = self._parts.config
        errand = Errand(
            question=question,
            providers=tuple(plan_of(config, name) for name in awake),
            timeout_s=config.timeout_s,
        )
        outcome, trouble = await self._worker(tenant, errand)
        now_ns, prices = self._parts.clock.now_ns(), prices_of(config)
        cost, tokens = Decimal(0), 0
        for attempt in outcome.attempts:
            self._breakers[attempt.provider].note(attempt, now_ns)
            cost += prices[attempt.provider].cost(attempt.tokens_in, attempt.tokens_out)
            tokens += attempt.tokens_in + attempt.tokens_out
        if tokens:
            await self._parts.table.book(tenant, self._day(), Use(tokens, cost))
        answer = outcome.answer
        said = "; ".join(f"{each.provider}: {each.reason}" for each in outcome.attempts)
        refused = "" if answer is not None else trouble or f"Nobody answered: {said}"
        self._note(tenant, purpose, outcome, cost, (refused, by))
        return Reply(answer=answer, refused=refused)

    async def _worker(self, tenant: TenantId, errand: Errand) -> tuple[Outcome, str]:
        """Run the worker; its outcome, or why there is none."""
        file = self._parts.folder / f"{self._parts.ids.next_id('errand')}.json"
        limit_s = START_S + CALLS_EACH * errand.timeout_s * len(errand.providers)
        try:
            await asyncio.to_thread(_write, file, errand)
            result = await self._parts.run(tenant, file, limit_s)
        finally:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(file.unlink, missing_ok=True)
        if result.failure is not None:
            return Outcome(), f"The worker failed: {result.failure.code}."
        try:
            return msgspec.convert(result.value, Outcome), ""
        except msgspec.ValidationError:
            return Outcome(), "The worker's answer cannot be read."

    def _note(
        self,
        tenant: TenantId,
        purpose: str,
        outcome: Outcome,
        cost: Decimal,
        said: tuple[str, str],
    ) -> None:
        refused, by = said
        answer = outcome.answer
        self._parts.note(
            tenant,
            AssistantAsked(
                ts_ns=self._parts.clock.now_ns(),
                purpose=purpose,
                provider=answer.provider if answer is not None else "",
                model=answer.model if answer is not None else "",
                tokens_in=sum(each.tokens_in for each in outcome.attempts),
                tokens_out=sum(each.tokens_out for each in outcome.attempts),
                cost=f"{cost:.6f}",
                attempts=tuple(f"{each.provider}: {each.ending}" for each in outcome.attempts),
                refused=refused,
                by=by,
            ),
            by,
        )

    def _allowed(self) -> Allowance:
        config = self._parts.config
        return Allowance(config.tokens_per_day, Decimal(config.budget_per_day))

    def _day(self) -> str:
        at = datetime.fromtimestamp(self._parts.clock.now_ns() // NS_PER_SECOND, UTC)
        return at.date().isoformat()


def plan_of(config: Assistants, name: ProviderName) -> ProviderPlan:
    """How a provider is asked."""
    return ProviderPlan(
        name=name,
        url=str(getattr(config, f"{name}_url")),
        model=str(getattr(config, f"{name}_model")),
        key_file=str(getattr(config, f"{name}_key_file")),
    )


def prices_of(config: Assistants) -> Mapping[ProviderName, Prices]:
    """What each configured provider takes."""
    return {
        name: Prices(
            Decimal(repr(getattr(config, f"{name}_price_in"))),
            Decimal(repr(getattr(config, f"{name}_price_out"))),
        )
        for name in config.order
    }


def _write(file: Path, errand: Errand) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, msgspec.json.encode(errand))
