"""What every event store must do: one suite, run against memory and against PostgreSQL."""

import asyncio
import itertools
from collections.abc import Callable

import pytest

from integration.postgres_fixture import Postgres
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import EventIdReused, InputError, VersionConflict
from plan2.foundation.events.base import Event
from plan2.foundation.events.market import FeedStateChanged
from plan2.foundation.events.model import ModelAccuracyUpdated
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.eventstore.record import Expected, NewEvent, chain_hash
from plan2.foundation.eventstore.store import EventStore, PostgresEventStore
from plan2.foundation.ids import derived_id
from plan2.foundation.values import NS_PER_SECOND, TenantId

START_NS = 1_700_000_000 * NS_PER_SECOND


class Bench:
    """A store under test with its clock and two tenants."""

    def __init__(
        self, store: EventStore, clock: SimulatedClock, new_tenant: Callable[[], TenantId]
    ) -> None:
        self.store = store
        self.clock = clock
        self.new_tenant = new_tenant
        self.tenant = new_tenant()


@pytest.fixture(params=["memory", "postgres"])
async def bench(request: pytest.FixtureRequest):
    """The store of each kind."""
    clock = SimulatedClock(START_NS)
    if request.param == "memory":
        names = (TenantId(f"memory{n}") for n in itertools.count())
        yield Bench(InMemoryEventStore(clock), clock, lambda: next(names))
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    database = postgres.open(pool_size=8)
    yield Bench(PostgresEventStore(database.uow, clock), clock, postgres.new_tenant)
    await database.close()


def sent(n: int, stream: str = "order:1", expected: int = Expected.ANY) -> NewEvent:
    """The n-th event of a test."""
    event = OrderSent(ts_ns=START_NS + n, order_id=f"o{n}", account_id="a", symbol="EURUSD")
    return NewEvent(
        stream_id=stream, event=event, event_id=derived_id("test", n), expected=expected
    )


async def test_versions_count_from_zero_and_positions_from_one(bench: Bench) -> None:
    """Each stream has its own versions; the tenant has one log."""
    stored = await bench.store.append(bench.tenant, [sent(1, "a"), sent(2, "b"), sent(3, "a")])
    assert [(each.stream_id, each.version, each.position) for each in stored] == [
        ("a", 0, 1),
        ("b", 0, 2),
        ("a", 1, 3),
    ]
    assert await bench.store.position(bench.tenant) == 3


async def test_what_is_read_is_what_was_written(bench: Bench) -> None:
    """Every field survives, odd characters included."""
    event = OrderSent(ts_ns=-5, order_id='"\\\0é\u2028', account_id="", symbol="日本")
    new = NewEvent(
        stream_id="s:é",
        event=event,
        event_id=derived_id("odd"),
        actor="user:ä",
        correlation_id="c",
        causation_id="d",
        sealed=b"\x00\xff",
        key_id="k1",
    )
    (stored,) = await bench.store.append(bench.tenant, [new])
    assert await bench.store.read_stream(bench.tenant, "s:é") == [stored]
    assert stored.data == {
        "ts_ns": -5,
        "order_id": '"\\\0é\u2028',
        "account_id": "",
        "symbol": "日本",
    }
    assert (stored.actor, stored.correlation_id, stored.causation_id) == ("user:ä", "c", "d")
    assert (stored.sealed, stored.key_id, stored.source_ts_ns) == (b"\x00\xff", "k1", -5)
    assert (stored.type, stored.schema_ver) == ("OrderSent", 1)


@pytest.mark.parametrize(
    ("before", "expected", "fits"),
    [
        (0, Expected.NONE, True),
        (1, Expected.NONE, False),
        (0, Expected.ANY, True),
        (2, Expected.ANY, True),
        (0, Expected.EXISTS, False),
        (1, Expected.EXISTS, True),
        (0, 0, False),
        (1, 0, True),
        (2, 0, False),
        (2, 1, True),
        (2, 2, False),
    ],
)
async def test_expected_version_decides(
    bench: Bench, before: int, expected: int, fits: bool
) -> None:
    """R-001: exact, none, exists and any, against streams of zero to two events."""
    await bench.store.append(bench.tenant, [sent(n) for n in range(before)])
    late = sent(100, expected=expected)
    if fits:
        (stored,) = await bench.store.append(bench.tenant, [late])
        assert stored.version == before
    else:
        with pytest.raises(VersionConflict, match="order:1"):
            await bench.store.append(bench.tenant, [late])
        assert await bench.store.position(bench.tenant) == before


async def test_races_have_one_winner(bench: Bench) -> None:
    """R-001: of two appends expecting the same version one wins; no version is missing."""
    rounds = 100
    for n in range(rounds):
        rivals = [
            bench.store.append(bench.tenant, [sent(2 * n + side, expected=n - 1)])
            for side in (0, 1)
        ]
        outcomes = await asyncio.gather(*rivals, return_exceptions=True)
        assert sum(isinstance(each, VersionConflict) for each in outcomes) == 1
        assert sum(isinstance(each, list) for each in outcomes) == 1
    stream = await bench.store.read_stream(bench.tenant, "order:1")
    assert [each.version for each in stream] == list(range(rounds))


async def test_a_repeated_append_writes_nothing(bench: Bench) -> None:
    """R-002: the same ids answer with the first positions, also mixed with new ones."""
    first = await bench.store.append(bench.tenant, [sent(n, expected=n - 1) for n in range(3)])
    again = await bench.store.append(
        bench.tenant, [sent(n, expected=n - 1) for n in (2, 0, 1)] + [sent(3, expected=2)]
    )
    assert again[:3] == [first[2], first[0], first[1]]
    assert again[3].version == 3
    assert await bench.store.position(bench.tenant) == 4


@pytest.mark.parametrize("change", ["payload", "stream", "actor", "expected", "type"])
async def test_an_id_with_other_content_is_an_error(bench: Bench, change: str) -> None:
    """R-002: re-using an id for something else is refused and writes nothing."""
    await bench.store.append(bench.tenant, [sent(0, expected=Expected.NONE)])
    variants: dict[str, Callable[[], NewEvent]] = {
        "payload": lambda: _with(sent(0), event=sent(1).event),
        "stream": lambda: sent(0, "order:2"),
        "actor": lambda: _with(sent(0), actor="somebody"),
        "expected": lambda: sent(0, expected=0),
        "type": lambda: _with(
            sent(0),
            event=ModelAccuracyUpdated(ts_ns=0, model_id="m", accuracy=0.5, backtest_period="p"),
        ),
    }
    with pytest.raises(EventIdReused):
        await bench.store.append(bench.tenant, [sent(7, "order:9"), variants[change]()])
    assert await bench.store.position(bench.tenant) == 1


async def test_an_id_twice_in_one_batch_counts_once(bench: Bench) -> None:
    """Two equal events of a batch are one; two different ones under one id are refused."""
    stored = await bench.store.append(bench.tenant, [sent(1), sent(2), sent(1)])
    assert [each.position for each in stored] == [1, 2, 1]
    with pytest.raises(EventIdReused):
        await bench.store.append(bench.tenant, [sent(5), _with(sent(5), event=sent(6).event)])


@pytest.mark.parametrize("culprit", range(4))
async def test_a_batch_is_all_or_nothing(bench: Bench, culprit: int) -> None:
    """R-003: whichever event fails, nothing of the batch is there, in any stream."""
    batch = [sent(n, f"order:{n}") for n in range(4)]
    batch[culprit] = sent(50, f"order:{culprit}", expected=7)
    with pytest.raises(VersionConflict):
        await bench.store.append(bench.tenant, batch)
    assert await bench.store.position(bench.tenant) == 0
    assert await bench.store.read_stream(bench.tenant, "order:0") == []
    stored = await bench.store.append(bench.tenant, [sent(n, f"order:{n}") for n in range(4)])
    assert [each.version for each in stored] == [0, 0, 0, 0]


async def test_the_chain_can_be_recomputed(bench: Bench) -> None:
    """Each event's hash covers its content and the hash before it, whatever the batches were."""
    await bench.store.append(bench.tenant, [sent(0), sent(1)])
    await bench.store.append(bench.tenant, [sent(2)])
    before = b""
    for each in await bench.store.tail(bench.tenant, 0):
        assert each.prev_hash == before
        assert each.hash == chain_hash(bench.tenant, each)
        before = each.hash


async def test_recorded_time_never_stands_still(bench: Bench) -> None:
    """`at` follows the clock, and grows by a microsecond where the clock does not."""
    first = await bench.store.append(bench.tenant, [sent(0), sent(1)])
    bench.clock.advance_to(START_NS + NS_PER_SECOND)
    (late,) = await bench.store.append(bench.tenant, [sent(2)])
    start_us = START_NS // 1000
    assert [each.at_us for each in first] == [start_us, start_us + 1]
    assert late.at_us == start_us + 1_000_000


async def test_reading_pages_and_filters(bench: Bench) -> None:
    """Streams, tails and lists return exactly the asked range in the asked order."""
    accuracy = ModelAccuracyUpdated(ts_ns=1, model_id="m", accuracy=0.5, backtest_period="p")
    other = NewEvent(stream_id="m", event=accuracy, event_id=derived_id("m"))
    stored = await bench.store.append(bench.tenant, [sent(1), sent(2), other, sent(3), sent(4)])
    read = bench.store
    assert await read.tail(bench.tenant, 2, 2) == stored[2:4]
    assert await read.tail(bench.tenant, 2, since_us=stored[1].at_us) == stored[2:]
    assert await read.tail(bench.tenant, 5) == []
    assert await read.read_stream(bench.tenant, "order:1", from_version=1, limit=2) == [
        stored[1],
        stored[3],
    ]
    assert await read.read_all(bench.tenant, newest_first=True, limit=2) == stored[:2:-1]
    assert await read.read_all(bench.tenant, before=3, newest_first=True) == stored[1::-1]
    assert await read.read_all(bench.tenant, after=1, types=["OrderSent"]) == [
        stored[1],
        stored[3],
        stored[4],
    ]


async def test_seen_tells_what_is_there(bench: Bench) -> None:
    """Only ids of the tenant's own log; nothing asked, nothing found."""
    await bench.store.append(bench.tenant, [sent(1), sent(2)])
    asked = [derived_id("test", n) for n in (1, 2, 3)]
    assert await bench.store.seen(bench.tenant, asked) == set(asked[:2])
    assert await bench.store.seen(bench.new_tenant(), asked) == set()
    assert await bench.store.seen(bench.tenant, []) == set()


async def test_tenants_do_not_see_each_other(bench: Bench) -> None:
    """The same ids and streams in two tenants are two different things."""
    await bench.store.append(bench.tenant, [sent(1), sent(2)])
    other = bench.new_tenant()
    (foreign,) = await bench.store.append(other, [sent(1)])
    assert foreign.position == 1
    assert len(await bench.store.tail(bench.tenant, 0)) == 2
    assert await bench.store.tail(other, 0) == [foreign]


@pytest.mark.parametrize(
    "bad",
    ["not_in_catalogue", "nan", "wrong_type", "bad_id", "nul_in_stream", "lone_surrogate"],
)
async def test_what_cannot_be_read_back_is_refused(bench: Bench, bad: str) -> None:
    """An event that could not be restored from its JSON never enters the log."""
    accuracy = ModelAccuracyUpdated(ts_ns=1, model_id="m", accuracy=0.5, backtest_period="p")
    events: dict[str, Event] = {
        "not_in_catalogue": FeedStateChanged(ts_ns=1, symbol="s", state="s", age_ms=1),
        "nan": ModelAccuracyUpdated(
            ts_ns=1, model_id="m", accuracy=float("nan"), backtest_period="p"
        ),
        "wrong_type": ModelAccuracyUpdated(
            ts_ns=1,
            model_id=5,
            accuracy=0.5,
            backtest_period="p",  # type: ignore[arg-type]
        ),
        "lone_surrogate": ModelAccuracyUpdated(
            ts_ns=1, model_id="\ud800", accuracy=0.5, backtest_period="p"
        ),
    }
    new = NewEvent(
        stream_id="a\0b" if bad == "nul_in_stream" else "a",
        event=events.get(bad, accuracy),
        event_id="short" if bad == "bad_id" else derived_id(bad),
    )
    with pytest.raises(InputError):
        await bench.store.append(bench.tenant, [new])


def _with(new: NewEvent, **changes: object) -> NewEvent:
    fields = {name: getattr(new, name) for name in new.__struct_fields__}
    return NewEvent(**(fields | changes))
