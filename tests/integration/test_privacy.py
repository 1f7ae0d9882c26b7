"""Erasure and export of a person in a real database with real keys."""

import asyncio
import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from integration.postgres_fixture import Postgres
from integration.test_audit_log import superuser
from plan2.connectivity.identity.consents import Consents, PostgresConsents
from plan2.connectivity.identity.erasure_ledger import ErasureLedger
from plan2.connectivity.identity.impersonal_tables import IMPERSONAL
from plan2.connectivity.identity.privacy import NobodyThere, Privacy
from plan2.connectivity.identity.privacy_map import EVENTS, TABLES
from plan2.connectivity.identity.subject_export import SubjectExport
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Secrets
from plan2.foundation.database.tenancy import schema_of
from plan2.foundation.errors import InputError
from plan2.foundation.events.base import Event
from plan2.foundation.events.people import PERSONAL, ActionTaken, KeyIssued, UserInvited
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.audit import verify_chain
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.eventstore.sealing_events import EventSealer
from plan2.foundation.ids import RandomIds
from plan2.foundation.secrets.keys_opening import Keys, open_keys
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId

PLANTED = ("Zebulon Canary", "zebulon canary", "203.0.113.77", "canary-label", "203.0.113.0/24")
SUBJECT = "c0ffee00c0ffee00"
OTHER = "0ddba11000000000"
TEXTS = {"text", "json", "bytea", "ARRAY", "character varying"}


class Office:
    """Privacy of one tenant, with everything about it really there."""

    def __init__(self, database: Database, tenant: TenantId, folder: Path) -> None:
        self.database = database
        self.tenant = tenant
        clock, ids = LiveClock(), RandomIds()
        provider = open_keys(folder / "keys", Secrets(), clock=clock, ids=ids, environment={})
        self.keys = Keys(provider, database.uow, clock, ids, 60)
        seal = EventSealer(self.keys.sealer, tenant).seal
        self.appender = Appender(database.store, tenant, seal=seal)
        self.ledger = ErasureLedger(folder, folder / "copy")
        self.privacy = Privacy(
            database.uow, self.keys.subjects.destroy, self.ledger, clock, self.record
        )
        self.export = SubjectExport(database.uow, self.keys.sealer, clock, self.record)
        self.consents = Consents(PostgresConsents(database.uow), clock, self.record)
        self.privacy.on_erased(self.consents.forget)
        self.forgotten: list[tuple[str, str, str]] = []
        self.privacy.forget_with(self.forget)

    def record(
        self,
        tenant_id: str,
        stream: str,
        event: Event,
        *,
        actor: str = "system",
        correlation_id: str = "",
    ) -> None:
        """Queue a fact."""
        assert tenant_id == self.tenant
        new = NewEvent(
            stream_id=stream,
            event=event,
            event_id=RandomIds().next_id("event"),
            actor=actor,
            correlation_id=correlation_id,
        )
        self.appender.put(new)

    async def forget(self, tenant: TenantId, user_id: str, by: str) -> None:
        """Whoever remembers people is told while the person is still there."""
        async with self.database.uow(tenant) as uow:
            row = await uow.execute(
                "select name from app_user where user_id = :id", {"id": user_id}
            )
        self.forgotten.append((user_id, str(row.scalar_one())[:7], by))

    async def settle(self) -> None:
        """Everything recorded is stored."""
        task = asyncio.create_task(self.appender.run())
        await self.appender.flush()
        task.cancel()
        self.appender = Appender(self.database.store, self.tenant, seal=self.appender._seal)

    async def plant(self, user_id: str, name: str, address: str) -> None:
        """A person in every table of the map, and in events."""
        is_subject = user_id == SUBJECT
        label, net = (PLANTED[3], PLANTED[4]) if is_subject else ("other", "198.51.100.0/24")
        values = {"id": user_id, "name": name, "net": f"{{{net}}}", "label": label}
        hashed = user_id.encode()
        async with self.database.uow(self.tenant) as uow:
            await uow.raw.execute(
                "insert into app_user (user_id, name, name_key, role) "
                "values (%(id)s, %(name)s, lower(%(name)s), 'Tenant_Admin')", values,
            )  # fmt: skip
            for statement in (
                (
                    "insert into user_session (session_id, secret_hash, user_id, created_ns, "
                    "expires_ns) values (%(id)s, %(hash)s, %(id)s, 1, 9000000000000000000)"
                ),
                (
                    "insert into refresh_token (token_hash, session_id, issued_ns) "
                    "values (%(hash)s, %(id)s, 1)"
                ),
                "insert into signin_token values (default, %(hash)s, %(id)s, 1)",
                (
                    "insert into second_factor (factor_id, user_id, seed, begun_ns) "
                    "values (%(id)s, %(id)s, %(hash)s, 1)"
                ),
                "insert into backup_code values (default, %(hash)s, %(id)s)",
                "insert into telegram_chat values (default, %(id)s, %(id)s, %(hash)s, 1)",
                "insert into invitation values (default, %(hash)s, %(id)s, 'join', 1)",
                (
                    "insert into api_key (key_id, secret_hash, environment, user_id, role, label, "
                    "scopes, networks, created_ns, created_by, expires_ns) values (%(id)s, "
                    "%(hash)s, 'live', %(id)s, 'Analyst', %(label)s, '{read}', %(net)s, 1, "
                    "%(id)s, 2)"
                ),
                (
                    "insert into kept_answer (user_id, key_hash, fingerprint, claimed_ns, body) "
                    "values (%(id)s, %(hash)s, %(hash)s, 1, convert_to(%(name)s, 'UTF8'))"
                ),
                (
                    "insert into job (job_id, kind, parameters, state, asked_by, asked_ns) "
                    "values (%(id)s, 'train', '{}', 'done', concat('user:', %(id)s::text), 1)"
                ),
                (
                    "insert into candidate (home, candidate_id, symbols, model_ids, schema_id, "
                    "created_ns, since_ns, verdict, flags, metrics, parent) values ('recorded', "
                    "%(id)s, '{EURUSD}', '{m}', 's', 1, 1, 'skill', '{}', '{}', '')"
                ),
                (
                    "insert into candidate_move (home, candidate_id, from_state, to_state, actor, "
                    "reason, evidence, is_override, at_ns) values ('recorded', %(id)s, 'draft', "
                    "'trained', concat('user:', %(id)s::text), 'tried', '{}', false, 2)"
                ),
                (
                    "insert into candidate_seat (home, symbol, alias, candidate_id, before, actor, "
                    "reason, is_rollback, at_ns) values ('recorded', 'EURUSD', 'champion', %(id)s, "
                    "'', concat('user:', %(id)s::text), 'tried', false, 3)"
                ),
                (
                    "insert into flow_version (name, version, digest, body, symbol, actor, "
                    "created_ns, since_ns) values (%(id)s, 1, 'd', '', 'EURUSD', "
                    "concat('user:', %(id)s::text), 1, 1)"
                ),
                (
                    "insert into flow_move (name, version, from_state, to_state, account_id, "
                    "actor, reason, evidence, is_override, at_ns) values (%(id)s, 1, 'draft', "
                    "'backtested', '', concat('user:', %(id)s::text), 'tried', '{}', false, 2)"
                ),
                (
                    "insert into alert_rule (rule_id, name, rule, memory, changed_by, changed_ns) "
                    "values (%(id)s, %(id)s, '{}', '{}', concat('user:', %(id)s::text), 1)"
                ),
                (
                    "insert into alert (alert_id, rule_id, raised_ns, state, acted_by, alert) "
                    "values (%(id)s, 'r', 1, 'acknowledged', concat('user:', %(id)s::text), '{}')"
                ),
                (
                    "insert into alert_channel (name, way, user_id, target, created_ns) "
                    "values (%(id)s, 'email', %(id)s, %(hash)s, 1)"
                ),
                (
                    "insert into setting (scope, subject, key, value, changed_ns, changed_by, "
                    "reason) values ('user', %(id)s, 'ui.theme', '\"dark\"', 1, %(id)s, %(name)s)"
                ),
            ):
                await uow.raw.execute(statement, values | {"hash": hashed})
        actor = f"user:{user_id}"
        invited = UserInvited(
            ts_ns=1, user_id=user_id, name=name, role="Analyst", purpose="join", by="x"
        )
        self.record(self.tenant, actor, invited)
        acted = ActionTaken(
            ts_ns=2, user_id=user_id, role="Analyst", via="cookie", session_id="s",
            ip_address=address, request_id="r", action="PUT /x", target="", status=200, code="",
            before="", after="",
        )  # fmt: skip
        self.record(self.tenant, actor, acted, actor=actor)
        issued = KeyIssued(
            ts_ns=3, key_id="k", user_id=user_id, label=label, scopes=(), expires_ns=9, by=actor
        )
        self.record(self.tenant, actor, issued, actor=actor)
        await self.consents.give(self.tenant, user_id, "assistants", 1, actor)
        await self.settle()


@pytest.fixture
async def office(database: Database, tenant: TenantId, tmp_path: Path) -> Office:
    """A tenant with the planted person and another one."""
    made = Office(database, tenant, tmp_path)
    await made.plant(SUBJECT, PLANTED[0], PLANTED[2])
    await made.plant(OTHER, "Olga Other", "198.51.100.7")
    return made


def dump(postgres: Postgres, tenant: TenantId) -> str:
    """Every row of every table of a tenant as text, bytes as hex and as they read."""
    with superuser(postgres, tenant) as connection:
        tables = connection.execute(
            "select tablename from pg_tables where schemaname = %s", [schema_of(tenant)]
        ).fetchall()
        texts = []
        for (table,) in tables:
            for row in connection.execute(f"select t.*, t::text from {table} t").fetchall():
                texts += [
                    value.decode("latin-1") if isinstance(value, bytes) else str(value)
                    for value in row
                ]
    return "\n".join(texts)


def files(folder: Path) -> str:
    """Everything that lies in a folder, as text."""
    return "\n".join(
        path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()
    )


async def test_nothing_planted_is_left_after_erasure(
    postgres: Postgres, office: Office, tmp_path: Path
) -> None:
    """Not in any row of any table nor in the files; the chain holds; the report says what stays."""
    before = dump(postgres, office.tenant)
    assert PLANTED[0] in before
    assert PLANTED[3] in before
    events_before = await office.database.store.position(office.tenant)
    report = await office.privacy.erase(office.tenant, SUBJECT, "user:boss")
    await office.settle()
    after = dump(postgres, office.tenant) + files(tmp_path)
    assert [value for value in PLANTED if value in after] == []
    assert "Olga Other" in after
    assert report.key_destroyed
    assert office.forgotten == [(SUBJECT, PLANTED[0][:7], "user:boss")]
    assert {each.table for each in report.removed if each.rows == 0} == set()
    assert any("RTS" in each.basis for each in report.kept)
    async with office.database.uow(office.tenant) as uow:
        assert (await verify_chain(uow)).events == events_before + 1
    assert not office.consents.allows(office.tenant, SUBJECT, "assistants")
    assert office.consents.allows(office.tenant, OTHER, "assistants")
    events = await office.database.store.read_stream(office.tenant, f"user:{SUBJECT}")
    assert events[-1].type == "SubjectErased"


async def test_a_restored_backup_loses_again_what_was_erased(
    postgres: Postgres, office: Office, tmp_path: Path
) -> None:
    """Rows and keys of before come back with a backup; the ledger's replay removes them."""
    tenant = office.tenant
    with superuser(postgres, tenant) as connection:
        saved = {
            table: connection.execute(f"select t::text from {table} t").fetchall()
            for table in ("app_user", "subject_key", "api_key", "kept_answer", "setting")
        }
    await office.privacy.erase(tenant, SUBJECT, "user:boss")
    await office.settle()
    with superuser(postgres, tenant) as connection:
        for table in (*saved, "erased_subject"):
            connection.execute(f"delete from {table}")
        for table, rows in saved.items():
            for (row,) in rows:
                connection.execute(f"insert into {table} select (%s::{table}).*", [row])
    assert PLANTED[0] in dump(postgres, tenant)
    again = Office(office.database, tenant, tmp_path)
    assert await again.privacy.replay(tenant) == 1
    await again.settle()
    after = dump(postgres, tenant)
    assert [value for value in PLANTED if value in after] == []
    assert await again.privacy.replay(tenant) == 0
    events = await office.database.store.read_stream(tenant, f"user:{SUBJECT}")
    assert [event.type for event in events].count("SubjectErased") == 1


async def test_the_last_administrator_and_nobody_are_not_erased(office: Office) -> None:
    """Said before anything is destroyed."""
    with pytest.raises(NobodyThere):
        await office.privacy.erase(office.tenant, "nobody", "user:boss")
    await office.privacy.erase(office.tenant, OTHER, "user:boss")
    with pytest.raises(InputError, match="last administrator"):
        await office.privacy.erase(office.tenant, SUBJECT, "user:boss")
    assert [each.subject for each in office.ledger.of(office.tenant)] == [OTHER]


async def test_two_last_administrators_are_not_both_erased(office: Office) -> None:
    """Asked for at once: the second one is refused, and not on the list of erased people."""
    answers = await asyncio.gather(
        *(office.privacy.erase(office.tenant, each, "user:boss") for each in (SUBJECT, OTHER)),
        return_exceptions=True,
    )
    assert [isinstance(each, InputError) for each in answers] == [False, True]
    assert [each.subject for each in office.ledger.of(office.tenant)] == [SUBJECT]


async def test_an_export_has_everything_of_one_person(office: Office, tmp_path: Path) -> None:
    """Each column of the map is there, values are the planted ones, of nobody else, no secret."""
    target = tmp_path / "export.zip"
    with target.open("w+b") as file:
        sha256 = await office.export.write(office.tenant, SUBJECT, "user:boss", file)
    assert len(sha256) == 64
    archive = zipfile.ZipFile(target)
    whole = "\n".join(archive.read(name).decode() for name in archive.namelist())
    assert [value for value in PLANTED if value not in whole] == []
    assert "Olga" not in whole
    assert "198.51.100.7" not in whole
    for table in TABLES:
        rows = json.loads(archive.read(f"{table.table}.json"))
        listed = list(csv.reader(io.StringIO(archive.read(f"{table.table}.csv").decode())))
        assert len(listed) == len(rows) + 1
        if table.table != "approval":
            assert set(rows[0]) == {*table.personal, *table.secret, *table.plain}, table.table
            for name in table.secret:
                assert rows[0][name].startswith("withheld")
    lines = [json.loads(line) for line in archive.read("events.jsonl").splitlines()]
    opened = {line["type"]: line["personal"] for line in lines}
    assert opened["UserInvited"] == {"name": PLANTED[0]}
    assert opened["ActionTaken"] == {"ip_address": PLANTED[2]}
    with pytest.raises(NobodyThere):
        await office.export.write(office.tenant, "nobody", "user:boss", io.BytesIO())


async def test_the_map_names_every_table_column_and_field(
    postgres: Postgres, tenant: TenantId
) -> None:
    """A new table, column or personal field that nobody thought about fails here."""
    with superuser(postgres, tenant) as connection:
        rows = connection.execute(
            "select c.table_name, c.column_name, c.data_type from information_schema.columns c "
            "join pg_class k on k.relname = c.table_name "
            "join pg_namespace n on n.oid = k.relnamespace and n.nspname = c.table_schema "
            "where c.table_schema = %s and c.column_name <> 'tenant_id' and not k.relispartition",
            [schema_of(tenant)],
        ).fetchall()
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        columns.setdefault(table, {})[column] = kind
    mapped = {each.table: {*each.personal, *each.secret, *each.plain} for each in TABLES}
    for table, found in columns.items():
        if table in mapped:
            assert set(found) == mapped[table], table
        else:
            assert table in IMPERSONAL, f"{table} is not in the data map"
            texts = {n for n, kind in found.items() if kind in TEXTS}
            assert texts == set(IMPERSONAL[table]), table
    assert set(mapped) | set(IMPERSONAL) == set(columns)
    sealed = {(name, field) for name, (_, fields) in PERSONAL.items() for field in fields}
    assert sealed == {(each.event, each.field) for each in EVENTS}
