"""Eight years of a log: old months leave the database and the chain still verifies."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from integration.postgres_fixture import Postgres
from integration.test_audit_log import superuser
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderSent
from plan2.foundation.eventstore import retention
from plan2.foundation.eventstore.audit import Witness, verify_chain
from plan2.foundation.eventstore.audit_file import OfflineReport, verify_file
from plan2.foundation.eventstore.checkpointing import Checkpointer, CheckpointFolders
from plan2.foundation.eventstore.checkpoints import CheckpointFile, Signer
from plan2.foundation.eventstore.log_reading import boundary_of
from plan2.foundation.eventstore.merkle import leaf_hash, verify_inclusion
from plan2.foundation.eventstore.proving import Prover
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.eventstore.retention import ArchiveRefused, Retention
from plan2.foundation.eventstore.store import PostgresEventStore
from plan2.foundation.health import Status
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import NS_PER_SECOND, TenantId

MONTHS = [(2018, 1), (2018, 2), (2018, 4), (2019, 1), (2019, 2), (2025, 12), (2026, 1)]
PER_MONTH = 5


def instant_ns(year: int, month: int, day: int = 3) -> int:
    """A moment of a month, UTC nanoseconds."""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * NS_PER_SECOND


class Years:
    """A log of eight years and everything that archives it."""

    def __init__(
        self, postgres: Postgres, database: Database, tenant: TenantId, folder: Path
    ) -> None:
        self.postgres, self.database, self.tenant, self.folder = postgres, database, tenant, folder
        self.clock = SimulatedClock(instant_ns(*MONTHS[0]))
        self.signer = Signer.in_folder(folder)
        self.checkpointer = self.fresh_checkpointer()
        self.retention = Retention(
            postgres.access, folder / "archive", folder, self.signer, self.clock
        )

    def fresh_checkpointer(self) -> Checkpointer:
        """One that a start would make."""
        folders = CheckpointFolders(first=self.folder)
        return Checkpointer(self.database.uow, self.clock, self.signer, folders, self.record)

    def record(
        self,
        tenant_id: str,
        stream: str,
        event: Event,
        *,
        actor: str = "system",
        correlation_id: str = "",
    ) -> None:
        """Checkpoints are told to nobody here."""

    async def live_through(self) -> None:
        """Five events in each month, signed at its end."""
        store = PostgresEventStore(self.database.uow, self.clock)
        await self.checkpointer.load(self.tenant)
        for number, (year, month) in enumerate(MONTHS):
            self.clock.advance_to(instant_ns(year, month))
            self.postgres.migrator.ensure_months(self.tenant, self.clock.now_ns())
            batch = [
                NewEvent(
                    stream_id="s",
                    event=OrderSent(ts_ns=place, order_id="o", account_id="a", symbol="EURUSD"),
                    event_id=derived_id("years", number, place),
                )
                for place in range(PER_MONTH)
            ]
            await store.append(self.tenant, batch)
            for _ in batch:
                self.checkpointer.on_stored(self.tenant, "OrderSent")
            await self.checkpointer.sign(self.tenant)

    async def verify(self) -> tuple[bool, int, int]:
        """Whether the log is whole, its events in the database, and the checkpoints agreed."""
        lines = CheckpointFile(self.folder, self.tenant).read()
        async with self.database.uow(self.tenant) as uow:
            boundary = await boundary_of(uow)
            witness = Witness(self.tenant, lines, self.signer.public_key, boundary)
            report = await verify_chain(uow, witness=witness, boundary=boundary)
        return report.is_whole, report.events, report.checkpoints


@pytest.fixture
async def years(postgres: Postgres, database: Database, tenant: TenantId, tmp_path: Path) -> Years:
    """The eight years, lived through."""
    made = Years(postgres, database, tenant, tmp_path)
    await made.live_through()
    return made


async def test_only_months_older_than_seven_years_leave(years: Years) -> None:
    """In January 2026 those of 2018 go; files, boundary, chain, proofs and restarts hold."""
    before = await years.verify()
    assert before == (True, 35, 7)
    prover = Prover(
        years.database.uow,
        lambda tenant: CheckpointFile(years.folder, tenant),
        years.folder / "archive",
    )
    done = years.retention.run(years.tenant)
    filled = [(each.month, each.first_position, each.events) for each in done if each.events]
    assert filled == [("2018_01", 1, 5), ("2018_02", 6, 5), ("2018_04", 11, 5)]
    assert await years.verify() == (True, 20, 4)
    for each in done:
        if each.events:
            report = verify_file(years.folder / "archive" / years.tenant / each.file)
            assert report.is_whole
            assert report.chain.events == 5
    assert years.retention.run(years.tenant) == []
    # A proof of an event that is still here needs the hashes of those that left.
    proven = await prover.prove(years.tenant, 22)
    assert proven is not None
    path = [bytes.fromhex(step) for step in proven.proof.path]
    leaf = leaf_hash(bytes.fromhex(proven.event.hash))
    assert verify_inclusion(leaf, 21, 35, path, bytes.fromhex(proven.proof.root_hash))
    # A start without its cache begins at the boundary.
    (years.folder / f"{years.tenant}.frontier").unlink()
    again = years.fresh_checkpointer()
    await again.load(years.tenant)
    assert again.check().status is Status.OK


async def test_a_legal_hold_keeps_everything(years: Years) -> None:
    """Until it is lifted."""
    with superuser(years.postgres, years.tenant) as connection:
        connection.execute(
            "insert into legal_hold (hold_id, reason, placed_by, placed_ns) "
            "values ('h', 'a case', 'user:1', 1)"
        )
    assert years.retention.run(years.tenant) == []
    assert (await years.verify())[1] == 35
    with superuser(years.postgres, years.tenant) as connection:
        connection.execute("update legal_hold set lifted_ns = 2, lifted_by = 'user:1'")
    assert [each.events for each in years.retention.run(years.tenant) if each.events] == [5, 5, 5]


async def test_a_hold_that_comes_while_a_file_is_written_keeps_its_month(
    years: Years, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is there, the month stays."""

    def held_meanwhile(path: Path, public_key: str) -> OfflineReport:
        with superuser(years.postgres, years.tenant) as connection:
            connection.execute(
                "insert into legal_hold (hold_id, reason, placed_by, placed_ns) "
                "values ('late', 'a case', 'user:1', 1)"
            )
        return verify_file(path, public_key)

    monkeypatch.setattr(retention, "verify_file", held_meanwhile)
    with pytest.raises(ArchiveRefused, match="hold late"):
        years.retention.run(years.tenant)
    assert (await years.verify())[1] == 35


async def test_a_month_that_was_tampered_with_stays(years: Years) -> None:
    """What does not verify is not dropped: it is evidence."""
    with superuser(years.postgres, years.tenant) as connection:
        connection.execute("update event set actor = 'nobody' where pos = 7")
    with pytest.raises(ArchiveRefused, match="does not verify"):
        years.retention.run(years.tenant)
    with superuser(years.postgres, years.tenant) as connection:
        (left,) = connection.execute("select count(*) from event where pos <= 10").fetchone() or ()
    assert left == 5  # January left, February is still there
    whole, _, _ = await years.verify()
    assert not whole


async def test_a_month_without_a_checkpoint_stays(years: Years) -> None:
    """Nothing leaves that was never signed."""
    (years.folder / f"{years.tenant}.jsonl").unlink()
    with pytest.raises(ArchiveRefused, match="checkpoint"):
        years.retention.run(years.tenant)
