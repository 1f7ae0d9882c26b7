"""R-057: the tenant is part of every log line, statement, bus, file path, metric and job."""

import ast
import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import numpy as np
import pytest
import structlog

import plan2
from plan2.connectivity.identity.principal import Via
from plan2.connectivity.jobs.job import JobRow
from plan2.connectivity.jobs.table import JobTable
from plan2.foundation.bus import Bus
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Log
from plan2.foundation.events.order import OrderSent
from plan2.foundation.events.system import ServiceHealthChanged
from plan2.foundation.health import HealthBoard
from plan2.foundation.hub import Component, Hub
from plan2.foundation.latency import Latency
from plan2.foundation.log import configure, logger
from plan2.foundation.metrics import Counter, Gauge, Metrics
from plan2.foundation.values import TenantId
from plan2.wiring.tenant_folder import folder_of
from plan2.wiring.tenant_run import TenantRun
from unit.gateway_layers import session, user
from unit.interface_fixtures import TENANT, Stage

SOURCES = Path(plan2.__file__).parent

# --- log lines ----------------------------------------------------------------------------

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Logging as JSON into memory; the process's own is put back."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8")
    configure(Log(level="info", format="json"), LiveClock(), "run-1", stream)

    def read() -> list[dict[str, Any]]:
        stream.flush()
        return [json.loads(line) for line in raw.getvalue().splitlines()]

    yield read
    structlog.configure(**before)
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize("shown", [{}, {"authorization": "Bearer p2_key"}], ids=["cookie", "key"])
async def test_every_line_of_a_request_names_its_tenant(
    lines: Lines, shown: dict[str, str]
) -> None:
    """Those that a route writes, those of tasks that it starts, and those of its failure.

    By cookie a read takes the short way through the gateway, by key that through every layer.
    """
    stage = Stage()
    log = logger("route")

    async def later() -> None:
        log.info("later")

    tasks: list[asyncio.Task[None]] = []

    def broken(*_: object, **__: object) -> Any:
        log.info("within")
        tasks.append(asyncio.create_task(later()))
        raise ZeroDivisionError

    stage.books.info = broken  # type: ignore[method-assign]
    stage.keys.sessions["p2_key"] = session(user(tenant=TENANT), Via.KEY)
    async with await stage.signed_in() as client:
        answer = await client.get("/api/v1/account", headers=shown)
    await asyncio.gather(*tasks)
    log.info("afterwards")
    assert answer.status_code == 500
    named = {line["event"]: line.get("tenant_id") for line in lines()}
    assert named == {
        "within": TENANT, "later": TENANT, "request_failed": TENANT, "afterwards": None,
    }  # fmt: skip


async def test_every_line_of_a_tenants_part_names_it(lines: Lines) -> None:
    """What a part says when it starts, runs and fails, and what the hub says of it; no other's.

    The main tenant's parts run beside the installation's, which are nobody's.
    """
    log, failed, bus = logger("part"), asyncio.Event(), Bus()
    bus.subscribe(ServiceHealthChanged, lambda event: failed.set() if event.detail else None)

    async def start() -> None:
        log.info("begun")

    async def run() -> None:
        log.info("at_work")
        raise ZeroDivisionError

    async def others() -> None:
        log.info("of_nobody")

    hub = Hub(HealthBoard(LiveClock(), bus, float), lambda _: None, np.random.default_rng(1))
    hub.add(Component(name="journal", level=1, start=start, run=run, tenant_id=TENANT))
    hub.add(Component(name="market", level=4, start=others, run=others))
    await hub.start()
    await failed.wait()
    await hub.stop()
    named = {(line["event"], line.get("tenant_id")) for line in lines()}
    assert named == {
        ("begun", TENANT), ("at_work", TENANT), ("component_failed", TENANT), ("of_nobody", None),
    }  # fmt: skip


def test_a_tenant_has_a_bus_and_a_folder_of_its_own_and_names_its_parts(tmp_path: Path) -> None:
    """No name of a topic could lead to another's: there are none. Files lie below the tenant's id.

    The bus delivers by object; who holds one tenant's cannot subscribe at another's.
    """
    store: Any = SimpleNamespace(store=None)
    ids = [TenantId("acme"), TenantId("beta_2")]
    runs = [
        TenantRun(each, folder_of(tmp_path, each), store, lambda _: {}, print, segment_bytes=4_096)
        for each in ids
    ]
    heard: list[str] = []
    for run in runs:
        run.bus.subscribe(OrderSent, lambda _, run=run: heard.append(run.tenant_id))
    runs[0].bus.publish(OrderSent(ts_ns=1, order_id="o", account_id="a", symbol="EURUSD"))
    assert heard == ["acme"]
    for run in runs:
        run.journal.open()
        run.journal.close()
    made = [path.relative_to(tmp_path).parts for path in tmp_path.rglob("journal")]
    assert sorted(made) == [("tenants", each, "journal") for each in ids]
    run_of: Any = SimpleNamespace(components=lambda: (Component(name="watch", level=4),))
    parts: Any = runs[0]
    parts.views = parts.hub = parts.alerts = SimpleNamespace(start=None, run=None, check=None)
    parts.safety = parts.flows = run_of
    assert {each.tenant_id for each in runs[0].components()} == {"acme"}


def test_lines_have_one_word_for_it() -> None:
    """`tenant_id`, so that one filter finds all of a tenant; never `tenant`."""
    wrong = [
        f"{path.name}:{call.lineno}"
        for path, tree in TREES.items()
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"info", "warning", "error"}
        and any(keyword.arg == "tenant" for keyword in call.keywords)
    ]
    assert wrong == []


# --- statements ---------------------------------------------------------------------------

TREES = {
    path: ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(SOURCES.rglob("*.py"))
    if not {"_ui", "node_modules"} & set(path.parts)
}
OPENERS = {"uow", "_unit", "open_unit", "_open_unit", "unit_of_work"}
"""How a transaction is opened, by the names under which parts hold the port."""
ABOVE_TENANTS = {
    "foundation/storage.py": "the port itself, whose tenant is its own parameter",
    "dataflow/statements/check.py": "another `_unit`: of currency, in a report of MetaTrader",
}


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Every call within."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def opened(tree: ast.AST) -> Iterator[ast.Call]:
    """Every transaction that is opened within."""
    for call in calls(tree):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        name = call.func.id if isinstance(call.func, ast.Name) else name
        if name in OPENERS:
            yield call


def is_tenant(given: ast.expr, tree: ast.AST) -> bool:
    """Whether an argument was typed as a tenant: converted, a parameter, or kept from one."""
    text = ast.unparse(given)
    if isinstance(given, ast.Call):
        return text.startswith(("TenantId(", "_tenant("))
    name = text.rpartition(".")[2].lstrip("_")
    typed = {
        each.arg
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for each in (*node.args.args, *node.args.kwonlyargs)
        if each.annotation is not None and ast.unparse(each.annotation) == "TenantId"
    }
    if name in typed:
        return True
    made = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    return text == "run.tenant_id" or any(
        ast.unparse(node.targets[0]) == text
        and ast.unparse(node.value).startswith(("TenantId(", "_tenant("))
        for node in made
    )


def strays(trees: dict[Path, ast.Module], root: Path) -> list[str]:
    """Transactions that are opened without a tenant that was typed as one."""
    return [
        f"{path.relative_to(root)}: {ast.unparse(call)}"
        for path, tree in trees.items()
        if path.relative_to(root).as_posix() not in ABOVE_TENANTS
        for call in opened(tree)
        if not call.args or not is_tenant(call.args[0], tree)
    ]


def test_every_transaction_is_opened_for_a_tenant() -> None:
    """No statement runs in one that has none, or whose tenant is any text."""
    assert sum(1 for tree in TREES.values() for _ in opened(tree)) > 90
    assert strays(TREES, SOURCES) == []


@pytest.mark.parametrize("source", ["self._unit()", "self._unit(None)", "self._unit('acme')"])
def test_the_search_would_notice(source: str) -> None:
    """Neither none nor a text is a tenant; nor is what a caller named so without a type."""
    tree = ast.parse(f"def f(self, tenant: str): {source}\ndef g(tenant): database.uow(tenant)")
    assert len(strays({Path("/x/y.py"): tree}, Path("/x"))) == 2


# --- metrics and jobs ---------------------------------------------------------------------

SHARED_METRICS = {
    "plan2_ticks": "one market for all",
    "plan2_ticks_quarantined": "one market for all",
    "plan2_event_appends": "by type; what a tenant stores is counted as its storage",
    "plan2_mailbox_depth": "of the process",
    "plan2_mailbox_dropped": "of the process",
    "plan2_loop_lag_seconds": "of the process",
    "plan2_ws_clients": "of the process; a tenant's sockets are a quota",
    "plan2_component_up": "of the process",
}


def test_every_metric_of_a_tenant_is_labelled_with_it() -> None:
    """A metric without the label stands here with the reason why it is nobody's."""
    found = {
        each.name: set(each._labels)
        for each in vars(Metrics(Latency(("tick",)))).values()
        if isinstance(each, Counter | Gauge)
    }
    assert {name for name, labels in found.items() if "tenant" not in labels} == set(SHARED_METRICS)


def test_every_job_belongs_to_a_tenant() -> None:
    """Its row cannot be made without one, and no look-up goes without."""
    required = JobRow.__struct_fields__[: -len(JobRow.__struct_defaults__) or None]
    assert "tenant_id" in required
    for name in ("find", "listed", "log", "interrupt"):
        assert get_type_hints(getattr(JobTable, name))["tenant_id"] is TenantId
    for name in ("insert", "update"):
        assert get_type_hints(getattr(JobTable, name))["job"] is JobRow
