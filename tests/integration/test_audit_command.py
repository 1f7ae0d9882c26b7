"""`plan2 audit`, `plan2 records` and `plan2 gdpr` over a real database."""

import asyncio
import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from integration.postgres_fixture import Postgres
from integration.test_audit_api import tell_a_day
from integration.test_audit_log import superuser
from plan2 import cli
from plan2.connectivity.identity.consents import ConsentFact, PostgresConsents
from plan2.connectivity.identity.privacy_map import TABLES
from plan2.foundation.clock import LiveClock
from plan2.foundation.eventstore.checkpointing import Checkpointer, CheckpointFolders
from plan2.foundation.eventstore.checkpoints import Signer
from plan2.foundation.eventstore.merkle import verify_inclusion
from plan2.foundation.values import TenantId
from unit.privacy_fixtures import Facts

Run = Callable[..., tuple[int, str]]


LEI = "5299000J2N45DDNE4Y28"
"""Example of a legal entity identifier (ISO 17442)."""


@pytest.fixture
def whose(postgres: Postgres, tmp_path: Path) -> TenantId:
    """A tenant with a day of trading that is signed, and a consent."""
    tenant = postgres.new_tenant()

    async def fill() -> None:
        database = postgres.open()
        await tell_a_day(database, tenant)
        folder = tmp_path / "checkpoints"
        checkpointer = Checkpointer(
            database.uow, LiveClock(), Signer.in_folder(folder), CheckpointFolders(first=folder),
            Facts(),
        )  # fmt: skip
        await checkpointer.load(tenant)
        await checkpointer.sign(tenant)
        fact = ConsentFact(
            user_id="u1", purpose="assistants", version=1, is_given=True, at_ns=1, actor="user:u1"
        )
        await PostgresConsents(database.uow).add(tenant, fact)
        await database.close()

    asyncio.run(fill())
    return tenant


@pytest.fixture
def run(
    postgres: Postgres, whose: TenantId, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs a verb for that tenant; exit code and what it printed."""
    address = postgres.access.app.render_as_string(hide_password=False)
    monkeypatch.setenv("PLAN2_DATABASE__URL", address)
    monkeypatch.setenv("PLAN2_DATA_DIR", str(tmp_path))

    def invoke(*arguments: str, is_of_tenant: bool = True) -> tuple[int, str]:
        tail = ["--tenant", whose] if is_of_tenant else []
        done = CliRunner().invoke(cli.command, [*arguments, *tail])
        return done.exit_code, done.output

    return invoke


def test_verify_prove_and_export(
    run: Run, postgres: Postgres, whose: TenantId, tmp_path: Path
) -> None:
    """Whole at first; the file verifies without the database; a changed event is named."""
    code, output = run("audit", "verify")
    assert (code, "1 signed checkpoints agree" in output) == (0, True), output
    code, output = run("audit", "prove", "3")
    assert code == 0, output
    proof = json.loads(output)
    path = [bytes.fromhex(step) for step in proof["path"]]
    leaf, root = bytes.fromhex(proof["leaf_hash"]), bytes.fromhex(proof["root_hash"])
    assert verify_inclusion(leaf, 2, proof["size"], path, root)
    code, output = run("audit", "prove", "99")
    assert (code, "not covered" in output) == (3, True)
    file = str(tmp_path / "audit.jsonl")
    code, output = run("audit", "export", "--out", file)
    assert (code, "8 events" in output) == (0, True), output
    assert run("audit", "export", "--out", file)[0] == 3
    with superuser(postgres, whose) as connection:
        connection.execute("update event set actor = 'x' where pos = 5")
    code, output = run("audit", "verify", "--json")
    assert (code, json.loads(output)["broken"]["position"]) == (8, 5)
    code, output = run("audit", "verify", "--offline", file, is_of_tenant=False)
    assert (code, "Not proven" in output) == (0, True), output
    broken = Path(file).read_text().replace("10005.00", "90005.00")
    Path(file).write_text(broken)
    code, output = run("audit", "verify", "--offline", file, "--json", is_of_tenant=False)
    assert (code, json.loads(output)["is_signed"]) == (8, False)


def test_records_are_written_and_noted(
    run: Run,
    postgres: Postgres,
    whose: TenantId,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CSV and JSON of the day with the firm and the contract's size; the log tells of each."""
    monkeypatch.setenv("PLAN2_RECORDS__LEI", LEI)
    out = tmp_path / "orders.csv"
    span = ("--from", "2024-03-05", "--to", "2024-03-06")
    code, output = run("records", "orders", *span, "--out", str(out))
    assert (code, "1 rows" in output) == (0, True), output
    (row,) = csv.DictReader(out.open(newline=""))
    assert (row["event_type"], row["account_id"]) == ("NEWO", "live")
    assert row["member_id"] == LEI
    trades = tmp_path / "trades.json"
    code, output = run("records", "trades", *span, "--format", "json", "--out", str(trades))
    assert code == 0, output
    [trade] = json.loads(trades.read_text())
    assert trade["profit"] == "5.35"
    assert trade["notional_amount"] == float(trade["quantity_lots"]) * 100_000  # a lot of EURUSD
    assert trade["notional_currency"] == "EUR"
    assert run("records", "orders", *span, "--out", str(out))[0] == 3
    back = ("--from", "2024-03-06", "--to", "2024-03-05")
    assert run("records", "orders", *back, "--out", str(tmp_path / "x"))[0] == 3
    with superuser(postgres, whose) as connection:
        rows = connection.execute(
            "select payload->>'rows' from event where type = 'RecordsExported'"
        ).fetchall()
    assert rows == [("1",), ("1",)]


def test_consents_and_the_map_are_shown(run: Run) -> None:
    """What a person said; every place of the map."""
    code, output = run("gdpr", "consents", "u1")
    assert (code, "assistants" in output, "agreed" in output) == (0, True, True), output
    code, output = run("gdpr", "map", "--json", is_of_tenant=False)
    assert code == 0
    places = {entry["place"] for entry in json.loads(output)}
    assert {f"{table.table}.{name}" for table in TABLES for name in table.personal} <= places
    code, output = run("gdpr", "erase", "u1", "--reason", "r", "--yes")
    assert (code, "No Plan2 runs" in output) == (4, True)


def test_a_hold_is_placed_and_lifted_once(run: Run) -> None:
    """Its id lifts it; a second time there is nothing to lift; archiving needs the owner."""
    code, output = run("audit", "hold", "--reason", "a case")
    assert code == 0, output
    hold_id = output.strip().splitlines()[-1]
    assert run("audit", "lift", hold_id) == (0, f"{hold_id} is lifted.\n")
    assert run("audit", "lift", hold_id)[0] == 3
    code, output = run("audit", "archive")
    assert (code, "database.admin_url" in output) == (3, True)
