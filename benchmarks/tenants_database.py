"""What a hundred tenants cost one database: making, migrating, connection memory, export, restore.

Usage: `python benchmarks/tenants_database.py [--tenants 100] [--events 20000] [--json FILE]`

A server of its own, in a folder that is removed afterwards, does it all. Goals (R-063, R-065): a
tenant is made within 5 s, a migration costs at most 200 ms per tenant, and a connection that has
touched every table of every tenant keeps at most 100 MiB.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from psycopg import sql

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src")]

from plan2.foundation.clock import LiveClock  # noqa: E402 - needs the path above
from plan2.foundation.config.schema import Database as DatabaseSettings  # noqa: E402
from plan2.foundation.database import migrate  # noqa: E402
from plan2.foundation.database.engine import make_engine  # noqa: E402
from plan2.foundation.database.migrate import Migrator  # noqa: E402
from plan2.foundation.database.roles import (  # noqa: E402
    Access,
    connect,
    embedded_access,
    prepare_database,
)
from plan2.foundation.database.server import EmbeddedServer  # noqa: E402
from plan2.foundation.database.tenant_archive import Errand, export_tenant  # noqa: E402
from plan2.foundation.database.tenant_restore import restore_tenant  # noqa: E402
from plan2.foundation.events.order import OrderSent  # noqa: E402
from plan2.foundation.eventstore.record import NewEvent  # noqa: E402
from plan2.foundation.ids import derived_id  # noqa: E402
from plan2.foundation.storage import Database  # noqa: E402
from plan2.foundation.values import TenantId  # noqa: E402

GOAL_MADE_MS, GOAL_MIGRATED_MS, GOAL_MEMORY_MIB = 5_000.0, 200.0, 100.0
BATCH = 200
NEXT_REVISION = """
from alembic import op

revision = "9000"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("alter table stream_head add column novelty int")
    op.execute("create index stream_head_novelty on stream_head (novelty)")
"""


class Report:
    """Lines of name, value, unit and goal; printed as a table and kept as JSON."""

    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []

    def add(self, name: str, value: float, unit: str, goal: float | None = None) -> None:
        """Print a line and keep it."""
        is_met = goal is None or value <= goal
        self.lines.append(
            {"name": name, "value": value, "unit": unit, "goal": goal, "is_met": is_met}
        )
        bound = "" if goal is None else f"  goal ≤ {goal:,.0f} {'met' if is_met else 'MISSED'}"
        print(f"{name:<52} {value:>12,.1f} {unit:<8}{bound}", flush=True)

    def times(self, name: str, ms: list[float], goal: float) -> None:
        """Mean and median, which goals are about, and the worst, which a busy disk decides."""
        self.add(f"{name}, mean", statistics.fmean(ms), "ms", goal)
        self.add(f"{name}, median", statistics.median(ms), "ms", goal)
        self.add(f"{name}, worst", max(ms), "ms")


def timed_ms(work: Callable[[], object]) -> float:
    """How long something takes, in milliseconds."""
    begun = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begun) / 1e6


def make_tenants(report: Report, access: Access, tenants: list[TenantId]) -> None:
    """Make every tenant with all its tables, then add one revision to all."""
    assert access.admin is not None
    migrator = Migrator(access.admin)
    now_ns = LiveClock().now_ns()
    made = [timed_ms(partial(migrator.ensure_tenant, each, now_ns)) for each in tenants]
    report.times("make a tenant (all revisions, partitions)", made, GOAL_MADE_MS)
    folder = Path(tempfile.mkdtemp(prefix="plan2-bench-")) / "migrations"
    shutil.copytree(migrate.migrations_folder(), folder)
    text = NEXT_REVISION.format(before=migrate.newest_revision())
    (folder / "versions" / "9000_novelty.py").write_text(text, encoding="utf-8")
    kept, migrate.migrations_folder = migrate.migrations_folder, lambda: folder
    moved = [timed_ms(partial(migrator.migrate, each)) for each in tenants]
    idle_ms = timed_ms(lambda: migrator.migrate_all(now_ns))
    migrate.migrations_folder = kept
    report.times("one migration (column and index)", moved, GOAL_MIGRATED_MS)
    report.add("start with nothing to migrate, all tenants", idle_ms, "ms")
    migrator.close()
    shutil.rmtree(folder.parent)


def measure_memory(report: Report, access: Access, tenants: list[TenantId]) -> None:
    """Let one connection touch every table of every tenant, and ask what it keeps."""
    assert access.admin is not None
    with connect(access.admin) as connection:
        connection.execute("grant pg_read_all_stats to p2_app")
    with connect(access.app) as connection:
        touched = 0
        for tenant in tenants:
            connection.execute("select set_config('app.tenant_id', %s, true)", [tenant])
            names = connection.execute(
                "select c.oid::regclass::text from pg_class c where relkind in ('r', 'p') "
                "and relnamespace = %s::regnamespace and has_table_privilege(c.oid, 'select')",
                [f"t_{tenant}"],
            ).fetchall()
            for (name,) in names:
                connection.execute(sql.SQL("select * from {} limit 1").format(sql.SQL(name)))
            touched += len(names)
            connection.commit()
        row = connection.execute(
            "select sum(total_bytes) from pg_backend_memory_contexts"
        ).fetchone()
        report.add("tables touched by one connection", float(touched), "tables")
        if row is not None:
            report.add(
                "what the connection allocated", float(row[0]) / 2**20, "MiB", GOAL_MEMORY_MIB
            )
        resident = resident_mib(connection.info.backend_pid)
        if resident is not None:
            report.add("resident and private", resident, "MiB", GOAL_MEMORY_MIB)


def resident_mib(process_id: int) -> float | None:
    """Private memory of a process, or None where the system does not say."""
    try:
        text = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    except OSError:
        return None
    found = [line.split()[1] for line in text.splitlines() if line.startswith("RssAnon")]
    return int(found[0]) / 1024 if found else None


async def fill(access: Access, tenant: TenantId, events: int) -> None:
    """Give a tenant a log."""
    engine = make_engine(access.app, DatabaseSettings())
    database = Database(engine, access, LiveClock())
    for start in range(0, events, BATCH):
        batch = [
            NewEvent(
                stream_id=f"order:{n % 500}",
                event=OrderSent(ts_ns=n, order_id=str(n), account_id="live", symbol="EURUSD"),
                event_id=derived_id("bench", n),
            )
            for n in range(start, min(start + BATCH, events))
        ]
        await database.store.append(tenant, batch)
    await database.close()


def carry(report: Report, access: Access, tenant: TenantId, events: int, folder: Path) -> None:
    """Export a tenant with a log, drop it, and bring it back."""
    asyncio.run(fill(access, tenant, events))
    target = folder / "export.zip"
    errand = Errand(tenant_id=tenant, name="", purpose="bench", by="user:bench", made_ns=0)
    out_ms = timed_ms(lambda: export_tenant(access, errand, target, lambda *_: None))
    report.add(f"export of {events:,} events", out_ms, "ms")
    report.add("size of the file", target.stat().st_size / 2**20, "MiB")
    now_ns = LiveClock().now_ns()
    back_ms = timed_ms(lambda: restore_tenant(access, target, now_ns, lambda *_: None))
    report.add("restore, with every row compared", back_ms, "ms")


def main() -> None:
    """Measure, print, and fail when a goal is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tenants", type=int, default=100)
    options.add_argument("--events", type=int, default=20_000)
    options.add_argument("--json", type=Path)
    wanted = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="plan2-bench-")).resolve()
    folder.chmod(0o711)
    server = EmbeddedServer(folder)
    report = Report()
    tenants = [TenantId(f"bench{n}") for n in range(wanted.tenants)]
    try:
        access = embedded_access(server.start())
        prepare_database(access)
        make_tenants(report, access, tenants)
        measure_memory(report, access, tenants)
        lone = TenantId("carried")
        assert access.admin is not None
        migrator = Migrator(access.admin)
        migrator.ensure_tenant(lone, LiveClock().now_ns())
        migrator.close()
        carry(report, access, lone, wanted.events, folder)
    finally:
        server.stop()
        shutil.rmtree(folder)
    if wanted.json:
        wanted.json.write_text(json.dumps(report.lines, indent=2), encoding="utf-8")
    if not all(line["is_met"] for line in report.lines):
        raise SystemExit("A goal was missed.")


if __name__ == "__main__":
    main()
