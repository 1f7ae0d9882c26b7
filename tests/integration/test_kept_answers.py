"""Answers by idempotency key in a real database: claimed once, given again, gone after a day."""

import asyncio

import pytest

from integration.postgres_fixture import Postgres
from plan2.connectivity.gateway.kept_answers import (
    KEPT_FOR_NS,
    Answer,
    Claim,
    Kept,
    PostgresAnswers,
)
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId

ANSWER = Answer(
    status=201,
    headers=(("content-type", "application/json"), ("x-é", 'a"b')),
    body=b'{"n":1}\x00\xff',
)


def claim_of(tenant: str, key: bytes = b"k" * 32, fingerprint: bytes = b"f" * 32) -> Claim:
    """Ann's claim of a key."""
    return Claim(tenant_id=tenant, user_id="ann", key_hash=key, fingerprint=fingerprint)


async def test_an_answer_comes_back_as_it_was(database: Database, tenant: TenantId) -> None:
    """New, then under way, then with its answer, byte for byte."""
    answers = PostgresAnswers(database.uow, SimulatedClock(1))
    claim = claim_of(tenant)
    assert await answers.begin(claim) is None
    assert await answers.begin(claim) == Kept(fingerprint=b"f" * 32, answer=None)
    await answers.finish(claim, ANSWER)
    other = claim_of(tenant, fingerprint=b"g" * 32)
    assert await answers.begin(other) == Kept(fingerprint=b"f" * 32, answer=ANSWER)


async def test_what_was_abandoned_may_be_claimed_again(
    database: Database, tenant: TenantId
) -> None:
    """Nothing is left of it."""
    answers = PostgresAnswers(database.uow, SimulatedClock(1))
    assert await answers.begin(claim_of(tenant)) is None
    await answers.abandon(claim_of(tenant))
    assert await answers.begin(claim_of(tenant)) is None


async def test_a_day_later_the_key_is_new(database: Database, tenant: TenantId) -> None:
    """Kept for a nanosecond less than a day, and then removed with every other that is as old."""
    clock = SimulatedClock(1)
    answers = PostgresAnswers(database.uow, clock)
    for key in (b"1" * 32, b"2" * 32):
        await answers.begin(claim_of(tenant, key))
    clock.advance_to(KEPT_FOR_NS)
    assert await answers.begin(claim_of(tenant, b"1" * 32)) is not None
    clock.advance_to(KEPT_FOR_NS + 1)
    assert await answers.begin(claim_of(tenant, b"1" * 32)) is None
    async with database.uow(tenant) as uow:
        left = (await uow.execute("select count(*) as n from kept_answer")).one()
    assert left.n == 1


async def test_a_race_for_a_key_has_one_winner(database: Database, tenant: TenantId) -> None:
    """Ten at once: one may do it, nine are told that it is under way."""
    answers = PostgresAnswers(database.uow, SimulatedClock(1))
    found = await asyncio.gather(*(answers.begin(claim_of(tenant)) for _ in range(10)))
    assert found.count(None) == 1


async def test_tenants_do_not_see_each_other(
    database: Database, tenant: TenantId, postgres: Postgres
) -> None:
    """The same person, key and request in another tenant is new."""
    answers = PostgresAnswers(database.uow, SimulatedClock(1))
    other = await asyncio.to_thread(postgres.new_tenant)
    assert await answers.begin(claim_of(tenant)) is None
    assert await answers.begin(claim_of(other)) is None


@pytest.mark.parametrize("is_whole", [True, False])
async def test_a_bare_answer_stays_bare(
    database: Database, tenant: TenantId, is_whole: bool
) -> None:
    """Secrets leave only the fact that the request was carried out."""
    answers = PostgresAnswers(database.uow, SimulatedClock(1))
    bare = Answer(status=201, headers=(), body=b"", is_whole=is_whole)
    await answers.begin(claim_of(tenant))
    await answers.finish(claim_of(tenant), bare)
    kept = await answers.begin(claim_of(tenant))
    assert kept is not None
    assert kept.answer == bare
