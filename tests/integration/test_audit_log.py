"""Tampering with a real log as the database's superuser, and what finds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import psycopg
import pytest

from integration.postgres_fixture import Postgres
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.database.roles import libpq_url
from plan2.foundation.database.tenancy import schema_of
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderSent
from plan2.foundation.events.tenancy import CheckpointSigned
from plan2.foundation.eventstore.audit import ChainReport, Witness, verify_chain
from plan2.foundation.eventstore.checkpointing import (
    AGE_NS,
    EVENTS_MAX,
    Checkpointer,
    CheckpointFolders,
)
from plan2.foundation.eventstore.checkpoints import CheckpointFile, Signer
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.health import Status
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import NS_PER_SECOND, TenantId

EVENTS = 60
MUTATIONS = 200
NOON_NS = 1_709_640_000 * NS_PER_SECOND


async def fill(database: Database, tenant: TenantId, first: int, count: int) -> None:
    """Append orders `first` … as a running Plan2 would."""
    batch = [
        NewEvent(
            stream_id=f"order:{number % 3}",
            event=OrderSent(ts_ns=number, order_id=str(number), account_id="a", symbol="EURUSD"),
            event_id=derived_id("audit", number),
            actor="pipeline",
            correlation_id=f"d{number}",
            sealed=bytes([number % 251] * 40) if number % 5 == 0 else None,
            key_id="u1" if number % 5 == 0 else "",
        )
        for number in range(first, first + count)
    ]
    await database.store.append(tenant, batch)


class World:
    """A checkpointer of one tenant on a clock that is moved by hand."""

    def __init__(self, database: Database, folder: Path, second: Path | None = None) -> None:
        self.database = database
        self.clock = SimulatedClock(NOON_NS)
        self.told: list[Event] = []
        self.folders = CheckpointFolders(first=folder, second=second)
        self.signer = Signer.in_folder(folder)
        self.checkpointer = Checkpointer(
            database.uow, self.clock, self.signer, self.folders, self.record
        )

    def record(
        self,
        tenant_id: str,
        stream: str,
        event: Event,
        *,
        actor: str = "system",
        correlation_id: str = "",
    ) -> None:
        """Keep the fact; the checkpointer hears of it as of any other that was stored."""
        self.told.append(event)
        self.checkpointer.on_stored(TenantId(tenant_id), type(event).__name__)

    async def add(self, tenant: TenantId, first: int, count: int) -> None:
        """Append, and tell the checkpointer of each event."""
        await fill(self.database, tenant, first, count)
        for _ in range(count):
            self.checkpointer.on_stored(tenant, "OrderSent")

    async def verify(self, tenant: TenantId) -> ChainReport:
        """What `plan2 audit verify` does."""
        lines = CheckpointFile(self.folders.first, tenant).read()
        witness = Witness(tenant, lines, self.signer.public_key)
        async with self.database.uow(tenant) as uow:
            return await verify_chain(uow, witness=witness)


@contextmanager
def superuser(postgres: Postgres, tenant: TenantId) -> Iterator[psycopg.Connection]:
    """The database's administrator with every guard of the tables switched off."""
    assert postgres.access.admin is not None
    with psycopg.connect(libpq_url(postgres.access.admin)) as connection:
        connection.execute(f"set search_path to {schema_of(tenant)}")
        connection.execute("set session_replication_role = replica")
        yield connection


COLUMNS = {
    "payload": "json",
    "stream_id": "text",
    "actor": "text",
    "type": "text",
    "correlation_id": "text",
    "causation_id": "text",
    "key_id": "text",
    "sealed": "bytea",
    "prev": "bytea",
    "hash": "bytea",
    "event_id": "uuid",
    "pos": "number",
    "version": "number",
    "schema_ver": "number",
    "source_ts": "number",
    "at": "time",
}


def bent(kind: str, value: object, chance: np.random.Generator) -> object:
    """The value with one byte changed, still of its type."""
    if kind == "bytea":
        data = bytearray(value or b"\0")  # type: ignore[arg-type]  # a bytea column
        data[chance.integers(len(data))] ^= 1 << int(chance.integers(8))
        return bytes(data)
    text = str(value)
    if kind == "number":
        return int(text) ^ (1 << int(chance.integers(8)))
    if kind == "uuid":
        place = int(chance.choice([i for i, sign in enumerate(text) if sign != "-"]))
        return text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]
    if not text:
        return "x"
    letters = [i for i, sign in enumerate(text) if kind != "json" or sign.isalpha()]
    place = int(chance.choice(letters))
    other = "b" if text[place] == "a" else "a"
    return text[:place] + other + text[place + 1 :]


async def test_two_hundred_flipped_bytes_are_found_where_they_are(
    postgres: Postgres, database: Database, tenant: TenantId
) -> None:
    """Any column of any event: the report names that event, or the gap that it left."""
    await fill(database, tenant, 0, EVENTS)
    chance = np.random.default_rng(19)
    found: list[str] = []
    for number in range(MUTATIONS):
        column, kind = list(COLUMNS.items())[number % len(COLUMNS)]
        position = int(chance.integers(1, EVENTS + 1))
        with superuser(postgres, tenant) as connection:
            row = connection.execute(
                f"select {column}{'::text' if kind == 'json' else ''} from event where pos = %s",
                [position],
            ).fetchone()
            assert row is not None
            if kind == "time":
                change, new = "at = at + interval '1 microsecond'", None
            else:
                new = bent(kind, row[0], chance)
                change = f"{column} = %s" + ("::json" if kind == "json" else "")
            place = connection.execute(
                f"update event set {change} where pos = %s returning ctid",
                [position] if new is None else [new, position],
            ).fetchone()
            assert place is not None
            moved = new if column == "pos" else position
        async with database.uow(tenant) as uow:
            report = await verify_chain(uow)
        assert report.broken is not None, (column, position, row[0], new)
        where = min(position, int(str(moved)))
        # A number that is gone shows at the event after it, one that comes twice at the second.
        slack = 1 if column == "pos" else 0
        assert where <= report.broken.position <= where + slack, (column, position, report)
        found.append(column)
        with superuser(postgres, tenant) as connection:
            back = "at = at - interval '1 microsecond'" if new is None else change
            connection.execute(
                f"update event set {back} where ctid = %s",
                [*([] if new is None else [row[0]]), place[0]],
            )
        async with database.uow(tenant) as uow:
            report = await verify_chain(uow)
        assert report.is_whole, (column, report)
    assert len(found) == MUTATIONS


async def test_two_events_that_changed_places_are_found(
    postgres: Postgres, database: Database, tenant: TenantId
) -> None:
    """Swapped content, positions kept: the first of the two is named."""
    await fill(database, tenant, 0, 10)
    with superuser(postgres, tenant) as connection:
        connection.execute(
            "update event e set payload = o.payload, event_id = o.event_id, version = o.version, "
            "stream_id = o.stream_id from event o where e.pos in (4, 7) and o.pos = 11 - e.pos"
        )
    async with database.uow(tenant) as uow:
        report = await verify_chain(uow)
    assert report.broken is not None
    assert report.broken.position == 4


async def test_a_cut_log_with_its_head_put_back_is_found_by_checkpoints(
    postgres: Postgres, database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    """Without them the shorter log looks whole; with them the cut is named."""
    world = World(database, tmp_path)
    await world.checkpointer.load(tenant)
    await world.add(tenant, 0, 30)
    world.clock.advance_to(NOON_NS + AGE_NS)
    await world.checkpointer.sign_due()
    assert (await world.verify(tenant)).is_whole
    with superuser(postgres, tenant) as connection:
        connection.execute("delete from event where pos > 20")
        connection.execute("delete from seen_event where pos > 20")
        connection.execute(
            "update log_head set pos = 20, hash = (select hash from event where pos = 20)"
        )
    async with database.uow(tenant) as uow:
        assert (await verify_chain(uow)).is_whole
    report = await world.verify(tenant)
    assert report.broken is not None
    assert (report.broken.position, "30 events were signed" in report.broken.reason) == (21, True)
    await world.add(tenant, 100, 15)  # grown beyond its old size by other events
    report = await world.verify(tenant)
    assert report.broken is not None
    assert (report.broken.position, "written anew" in report.broken.reason) == (30, True)
    # The running checkpointer never signs such a log, nor does one that is started now.
    world.clock.advance_to(NOON_NS + 3 * AGE_NS)
    await world.checkpointer.sign_due()
    assert world.checkpointer.check().status is Status.DOWN
    again = World(database, tmp_path)
    await again.checkpointer.load(tenant)
    assert again.checkpointer.check().status is Status.DOWN
    assert await again.checkpointer.sign(tenant) is None
    assert len(CheckpointFile(tmp_path, tenant).read()) == 1


async def test_checkpoints_come_by_age_and_by_number(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    """After 50 s or 1,000 events; none without a new event; told of at most hourly, no loop."""
    second = tmp_path / "other disk"
    world = World(database, tmp_path / "first", second)
    one = world.checkpointer
    await one.load(tenant)
    await world.add(tenant, 0, 1)
    await one.sign_due()
    assert CheckpointFile(tmp_path / "first", tenant).read() == []
    assert one.check().status is Status.OK
    world.clock.advance_to(NOON_NS + AGE_NS)
    await one.sign_due()
    await world.add(tenant, 1, EVENTS_MAX)
    await one.sign_due()
    for step in range(1, 100):
        world.clock.advance_to(NOON_NS + AGE_NS + step * AGE_NS)
        await one.sign_due()
    lines = CheckpointFile(tmp_path / "first", tenant).read()
    assert [line.size for line in lines] == [1, EVENTS_MAX + 1]
    assert [type(event) for event in world.told] == [CheckpointSigned]
    assert CheckpointFile(second, tenant).read() == lines
    assert (await world.verify(tenant)).checkpoints == 2


async def test_a_start_goes_on_where_the_last_run_ended(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    """With and without the cache beside the file, events of meanwhile are signed next."""
    world = World(database, tmp_path)
    await world.checkpointer.load(tenant)
    await world.add(tenant, 0, 5)
    await world.checkpointer.sign(tenant)
    for count in (1, 2):
        await fill(database, tenant, 100 * count, 3)
        if count == 2:
            (tmp_path / f"{tenant}.frontier").unlink()
        again = World(database, tmp_path)
        await again.checkpointer.load(tenant)
        await again.checkpointer.sign_due()
        assert again.checkpointer.check().status is Status.OK
    report = await again.verify(tenant)
    assert (report.is_whole, report.checkpoints, report.events) == (True, 3, 11)


async def test_a_changed_checkpoint_file_is_found(
    database: Database, tenant: TenantId, tmp_path: Path
) -> None:
    """A changed figure, a removed line, and a line of another key are each named."""
    world = World(database, tmp_path)
    await world.checkpointer.load(tenant)
    for turn in range(3):
        await world.add(tenant, 10 * turn, 2)
        await world.checkpointer.sign(tenant)
    path = tmp_path / f"{tenant}.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    stranger = Signer.in_folder(tmp_path / "stranger")
    forged = stranger.signed(CheckpointFile(tmp_path, tenant).read()[-1])
    cases = {
        "signature": [lines[0].replace(b'"at_us":', b'"at_us":1'), *lines[1:]],
        "does not follow": [lines[0], lines[2]],
        "of checkpoint 3": [*lines[:2], msgspec.json.encode(forged) + b"\n"],
    }
    for reason, content in cases.items():
        path.write_bytes(b"".join(content))
        report = await world.verify(tenant)
        assert report.broken is not None
        assert reason in report.broken.reason
    path.write_bytes(b"".join(lines) + b'{"tenant":"torn')
    assert (await world.verify(tenant)).is_whole
    await world.add(tenant, 90, 1)
    await world.checkpointer.sign(tenant)
    assert (await world.verify(tenant)).checkpoints == 4


def test_the_signing_key_is_nobody_elses(tmp_path: Path) -> None:
    """It is made with 0600 and refused when others may read it."""
    signer = Signer.in_folder(tmp_path)
    key = tmp_path / "signing.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "signing.pub").read_text().strip() == signer.public_key
    key.chmod(0o644)
    with pytest.raises(Exception, match="other users"):
        Signer.in_folder(tmp_path)
