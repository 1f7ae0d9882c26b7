"""The store in memory and the one in PostgreSQL answer every sequence of appends alike."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from integration.postgres_fixture import Postgres
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import Plan2Error
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.eventstore.record import Expected, NewEvent, StoredEvent
from plan2.foundation.eventstore.store import EventStore, PostgresEventStore
from plan2.foundation.ids import derived_id
from plan2.foundation.values import NS_PER_SECOND, TenantId

Twins = tuple[EventStore, EventStore, SimulatedClock, TenantId, Iterator[int]]

text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=0, max_size=8
)
new_event = st.builds(
    lambda stream, number, content, expected, actor, sealed: (
        stream,
        number,
        content,
        expected,
        actor,
        sealed,
    ),
    stream=st.integers(0, 2),
    number=st.integers(0, 11),
    content=text,
    expected=st.sampled_from(
        [Expected.ANY, Expected.ANY, Expected.NONE, Expected.EXISTS, 0, 1, 2, 3]
    ),
    actor=st.sampled_from(["system", "user:ä"]),
    sealed=st.none() | st.binary(max_size=5),
)


@pytest.fixture
async def twins(postgres: Postgres, tenant: TenantId) -> AsyncIterator[Twins]:
    """Both stores with one clock, the same tenant, and a counter of examples."""
    clock = SimulatedClock(NS_PER_SECOND)
    database = postgres.open(pool_size=1)
    yield (
        InMemoryEventStore(clock),
        PostgresEventStore(database.uow, clock),
        clock,
        tenant,
        itertools.count(),
    )
    await database.close()


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(st.lists(new_event, min_size=1, max_size=5), min_size=1, max_size=6))
@example(batches=[[(1, 0, "", -2, "system", None)], [(1, 0, "", -2, "system", b"sealed again")]])
async def test_both_stores_agree(twins: Twins, batches: list[list[tuple[object, ...]]]) -> None:
    """Same positions, versions, hashes, and the same kind of refusal, append by append."""
    memory, postgres, clock, tenant, rounds = twins
    this_round = next(rounds)
    for each in batches:
        clock.advance_to(clock.now_ns() + 700)
        batch = [_build(this_round, *parts) for parts in each]
        assert await _outcome(postgres, tenant, batch) == await _outcome(memory, tenant, batch)
    assert await postgres.tail(tenant, 0, 10**6) == await memory.tail(tenant, 0, 10**6)


def _build(  # noqa: PLR0917 - one argument per drawn value
    example: int, stream: int, number: int, content: str, expected: int, actor: str, sealed: bytes
) -> NewEvent:
    event = OrderSent(ts_ns=number, order_id=content, account_id="", symbol="")
    return NewEvent(
        stream_id=f"{example}:{stream}",
        event=event,
        event_id=derived_id(example, number),
        expected=expected,
        actor=actor,
        sealed=sealed,
    )


async def _outcome(
    store: EventStore, tenant: TenantId, batch: list[NewEvent]
) -> list[StoredEvent] | type[Plan2Error]:
    try:
        return await store.append(tenant, batch)
    except Plan2Error as error:
        return type(error)
