"""What a tenant may spend on language models a day, and which providers are worth asking.

The budget is kept, so a restart gives nothing back. A call is refused before it is made when what
it may cost at most does not fit any more; what it did cost is booked afterwards, also when nobody
answered usefully. The breaker leaves a provider alone for a while after repeated trouble.
"""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Protocol

import msgspec

from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND, TenantId
from plan2.intelligence.assistants.errand import TRANSIENT, Attempt, ProviderName, Question
from plan2.intelligence.risk.news import NewsShade

MILLION: Final = 1_000_000
LETTERS_PER_TOKEN: Final = 3
"""Fewer letters a token than any of the providers' tokenizers has on English text."""
WINDOW: Final = 10
OPEN_NS: Final = 60 * NS_PER_SECOND
LEAST_FAILURES: Final = 3


class Prices(msgspec.Struct, frozen=True):
    """Money for a million tokens."""

    sent: Decimal
    answered: Decimal

    def cost(self, tokens_in: int, tokens_out: int) -> Decimal:
        """What so many tokens cost."""
        return (self.sent * tokens_in + self.answered * tokens_out) / MILLION


class Use(msgspec.Struct, frozen=True):
    """What was used on a day."""

    tokens: int = 0
    cost: Decimal = Decimal(0)


class Allowance(msgspec.Struct, frozen=True):
    """What may be used a day."""

    tokens: int
    cost: Decimal


def tokens_at_most(question: Question) -> tuple[int, int]:
    """How many tokens a question sends and its answer may have, estimated from above."""
    letters = len(question.instructions) + len(question.data)
    return letters // LETTERS_PER_TOKEN + 1, question.tokens


def lack(
    used: Use, allowed: Allowance, question: Question, prices: Mapping[ProviderName, Prices]
) -> str:
    """Why a question does not fit into what is left of the day; empty when it does."""
    sent, answered = tokens_at_most(question)
    dearest = max((each.cost(sent, answered) for each in prices.values()), default=Decimal(0))
    if used.tokens + sent + answered > allowed.tokens:
        return f"The day's {allowed.tokens} tokens are used up ({used.tokens})."
    if used.cost + dearest > allowed.cost:
        return f"The day's budget of {allowed.cost} is used up ({used.cost:.4f})."
    return ""


class Breaker:
    """Leaves a provider alone for a minute when most of its last answers were none."""

    def __init__(self) -> None:
        self._last: deque[bool] = deque(maxlen=WINDOW)
        self._open_until_ns = 0

    def is_open(self, now_ns: int) -> bool:
        """Whether the provider is left alone now."""
        return now_ns < self._open_until_ns

    def note(self, attempt: Attempt, now_ns: int) -> None:
        """Take in how an attempt ended; a refusal of our own request says nothing about it."""
        if attempt.ending == "refused":
            return
        failed = attempt.ending in TRANSIENT
        self._last.append(failed)
        failures = sum(self._last)
        if not failed:
            self._last.clear()
        elif failures >= LEAST_FAILURES and 2 * failures > len(self._last):
            self._open_until_ns = now_ns + OPEN_NS


class AssistantTable(Protocol):
    """Keeps what was used and which news holds; durable when a method returns."""

    async def used(self, tenant: TenantId, day: str) -> Use:
        """What was used on a day such as `2026-11-23`."""
        ...

    async def book(self, tenant: TenantId, day: str, more: Use) -> None:
        """Add to what was used."""
        ...

    async def shades(self, tenant: TenantId, now_ns: int) -> list[NewsShade]:
        """News that holds at a market time."""
        ...

    async def keep_shade(self, tenant: TenantId, source_id: str, shade: NewsShade) -> None:
        """Keep what a piece of news does; what was over a day before it ends goes."""
        ...


class PostgresAssistants:
    """Implements `AssistantTable` (migration 0013)."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def used(self, tenant: TenantId, day: str) -> Use:
        """See `AssistantTable.used`."""
        async with self._unit(tenant) as uow:
            cursor = await uow.raw.execute(
                "select tokens, cost from assistant_use where day = %s", (day,)
            )
            row = await cursor.fetchone()
        return Use(row[0], row[1]) if row is not None else Use()

    async def book(self, tenant: TenantId, day: str, more: Use) -> None:
        """See `AssistantTable.book`."""
        async with self._unit(tenant) as uow:
            await uow.raw.execute(
                "insert into assistant_use (day, tokens, cost) values (%s, %s, %s) "
                "on conflict (day) do update set tokens = assistant_use.tokens + excluded.tokens, "
                "cost = assistant_use.cost + excluded.cost",
                (day, more.tokens, more.cost),
            )

    async def shades(self, tenant: TenantId, now_ns: int) -> list[NewsShade]:
        """See `AssistantTable.shades`."""
        async with self._unit(tenant) as uow:
            cursor = await uow.raw.execute(
                "select symbol, factor, until_ns from news_shade where until_ns > %s", (now_ns,)
            )
            rows = await cursor.fetchall()
        return [NewsShade(symbol=row[0], factor=row[1], until_ns=row[2]) for row in rows]

    async def keep_shade(self, tenant: TenantId, source_id: str, shade: NewsShade) -> None:
        """See `AssistantTable.keep_shade`."""
        async with self._unit(tenant) as uow:
            await uow.raw.execute(
                "delete from news_shade where until_ns < %s", (shade.until_ns - NS_PER_DAY,)
            )
            await uow.raw.execute(
                "insert into news_shade (symbol, source_id, factor, until_ns) "
                "values (%s, %s, %s, %s) on conflict (symbol, source_id) do update set "
                "factor = least(news_shade.factor, excluded.factor), "
                "until_ns = greatest(news_shade.until_ns, excluded.until_ns)",
                (shade.symbol, source_id, shade.factor, shade.until_ns),
            )
