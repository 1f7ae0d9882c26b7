"""Answers of unsafe requests, kept for a day so that a repetition gets the same one.

A claim is made before the work and finished after it. A claim that is found unfinished belongs to
a run that broke off: nobody knows whether the work was done, and that is what is answered.
"""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.fair_memory import FairMemory
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MINUTE, TenantId

KEPT_FOR_NS: Final = 24 * NS_PER_HOUR
KEPT_MAX_BYTES: Final = 32 << 20
"""Answers in the memory of a process; the tenant that has most there makes room for the next."""
OVERHEAD_BYTES: Final = 1_024
"""What an answer takes beside its text, about."""
WHOLE_MAX_BYTES: Final = 65_536
"""Longer answers are remembered as given, without their text."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A person's idempotency key, as its hash, and what it was used for."""

    tenant_id: str
    user_id: str
    key_hash: bytes
    fingerprint: bytes

    @property
    def name(self) -> bytes:
        """Whose key it is and which, as one value."""
        return f"{self.tenant_id}\0{self.user_id}\0".encode() + self.key_hash


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was given; without `is_whole` its text is not kept."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_whole: bool = True


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier request with the key was and got; without answer it was broken off."""

    fingerprint: bytes
    answer: Answer | None


class KeptAnswers(Protocol):
    """Where answers survive a restart."""

    async def begin(self, claim: Claim) -> Kept | None:
        """Claim a key, or say what it was used for already."""
        ...

    async def finish(self, claim: Claim, answer: Answer) -> None:
        """Keep the answer of a claim."""
        ...

    async def abandon(self, claim: Claim) -> None:
        """Nothing was done: the key may be used again."""
        ...


class RecentAnswers:
    """Whole answers in memory, by claim; they may hold secrets, so none outlives its day for long.

    Args:
        now_ns: wall time.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._kept: FairMemory[bytes, tuple[int, Kept]] = FairMemory(KEPT_MAX_BYTES)
        self._forgot_ns = 0

    def find(self, claim: Claim) -> Kept | None:
        """What a key was used for within a day, or None."""
        found = self._kept.find(claim.name)
        if found is None or found[0] + KEPT_FOR_NS <= self._now_ns():
            return None
        return found[1]

    def keep(self, claim: Claim, answer: Answer) -> None:
        """Remember an answer."""
        now_ns = self._now_ns()
        if now_ns - self._forgot_ns >= NS_PER_MINUTE:
            self._forgot_ns = now_ns
            self._kept.forget(lambda kept: kept[0] + KEPT_FOR_NS <= now_ns)
        kept = Kept(fingerprint=claim.fingerprint, answer=answer)
        cost = len(answer.body) + OVERHEAD_BYTES
        self._kept.put(claim.tenant_id, claim.name, (now_ns, kept), cost)


class PostgresAnswers:
    """Implements `KeptAnswers` in each tenant's own schema (migration 0006)."""

    def __init__(self, open_unit: OpenUnit, clock: Clock) -> None:
        self._unit = open_unit
        self._clock = clock

    async def begin(self, claim: Claim) -> Kept | None:
        """Claim a key, or say what it was used for; claims older than a day are removed."""
        now_ns = self._clock.now_ns()
        async with self._unit(TenantId(claim.tenant_id)) as uow:
            await uow.raw.execute(
                "delete from kept_answer where claimed_ns <= %s", (now_ns - KEPT_FOR_NS,)
            )
            cursor = await uow.raw.execute(
                "insert into kept_answer (user_id, key_hash, fingerprint, claimed_ns) "
                "values (%s, %s, %s, %s) on conflict do nothing returning true",
                (claim.user_id, claim.key_hash, claim.fingerprint, now_ns),
            )
            if await cursor.fetchone() is not None:
                return None
            cursor = await uow.raw.execute(
                "select fingerprint, status, headers, body, is_whole from kept_answer "
                "where user_id = %s and key_hash = %s",
                (claim.user_id, claim.key_hash),
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        answer = None
        if row[1] is not None:
            answer = Answer(
                status=row[1],
                headers=msgspec.convert(row[2], tuple[tuple[str, str], ...]),
                body=bytes(row[3]),
                is_whole=row[4],
            )
        return Kept(fingerprint=bytes(row[0]), answer=answer)

    async def finish(self, claim: Claim, answer: Answer) -> None:
        """Keep the answer of a claim."""
        async with self._unit(TenantId(claim.tenant_id)) as uow:
            await uow.raw.execute(
                "update kept_answer set status = %s, headers = %s::json, body = %s, is_whole = %s "
                "where user_id = %s and key_hash = %s",
                (
                    answer.status,
                    msgspec.json.encode(answer.headers).decode(),
                    answer.body,
                    answer.is_whole,
                    claim.user_id,
                    claim.key_hash,
                ),
            )

    async def abandon(self, claim: Claim) -> None:
        """Nothing was done: the key may be used again."""
        async with self._unit(TenantId(claim.tenant_id)) as uow:
            await uow.raw.execute(
                "delete from kept_answer where user_id = %s and key_hash = %s",
                (claim.user_id, claim.key_hash),
            )
