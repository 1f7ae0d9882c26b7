"""The registry: what there is, what somebody may see of it, and how it is printed."""

import asyncio
import os
import sys

import pytest
from click.testing import CliRunner

from plan2.commands import running
from plan2.commands.services import command
from plan2.connectivity.registry import (
    Processes,
    Service,
    ServiceKind,
    ServiceRegistry,
    components,
    components_of_tenants,
    name_of,
    workers,
)
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.health import ComponentHealth, Status
from plan2.foundation.worker_pool import JobState

URL = "http://127.0.0.1:8420"
BOARD = [
    ComponentHealth("gateway", 5, Status.OK, "", 11, {}),
]
OWN = {"alpha": [ComponentHealth("own_quotes", 4, Status.DEGRADED, "Three are bad.", 12, {})]}


def registry() -> ServiceRegistry:
    """Two components, a terminal of each of two tenants, a job."""
    jobs = [
        JobState(
            tenant_id="beta", name="train EURUSD", state="running", since_ns=9_000, pid=42,
            fraction=0.5, message="epoch 2",
        )
    ]  # fmt: skip
    terminals = [
        Service(
            name=name, kind=ServiceKind.TERMINAL, state="up", version="1.2", address="192.0.2.8",
            tenant_id=name,
        )
        for name in ("alpha", "beta")
    ]  # fmt: skip
    return ServiceRegistry(
        [
            components(lambda: BOARD, "0.1.0", lambda: URL),
            components_of_tenants(lambda: OWN, "0.1.0"),
            lambda: terminals,
            workers(lambda: jobs),
        ]
    )


def test_an_operator_sees_everything_and_where_it_is() -> None:
    """Address, process, version, state and owner of every part."""
    seen = registry().seen_by("main", is_operator=True)
    assert [(s.name, str(s.kind), s.state, s.tenant_id) for s in seen] == [
        ("gateway", "component", "ok", ""),
        ("own_quotes", "component", "degraded", "alpha"),
        ("alpha", "terminal", "up", "alpha"),
        ("beta", "terminal", "up", "beta"),
        ("train EURUSD", "worker", "running", "beta"),
    ]
    assert (seen[0].address, seen[0].pid, seen[0].level) == (URL, os.getpid(), 5)
    assert (seen[4].pid, seen[4].since_us, seen[4].detail) == (42, 9, "50% epoch 2")


def test_a_tenant_sees_its_own_and_that_the_rest_is_there() -> None:
    """Nothing of other tenants; of the installation neither address nor process."""
    seen = {service.name: service for service in registry().seen_by("alpha", is_operator=False)}
    assert list(seen) == ["gateway", "own_quotes", "alpha"]
    assert (seen["gateway"].address, seen["gateway"].pid) == ("", None)
    assert seen["alpha"].address == "192.0.2.8"
    assert (seen["own_quotes"].detail, seen["own_quotes"].pid) == ("Three are bad.", None)


async def test_children_are_found_with_their_memory() -> None:
    """A process that this one started appears by name, pid and MiB, and goes again."""
    body = "import sys; print('up', flush=True); sys.stdin.read()"
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", body, "plan2", "train"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    await child.stdout.readline()  # before it runs, its memory is the kernel's copy of ours
    processes = Processes("0.1.0", lambda: URL, SimulatedClock(5_000))
    await processes.look()
    own, *others = processes.services()
    await child.communicate(b"")  # closes its input
    await processes.look()

    assert (own.name, own.pid, own.since_us, own.address) == ("plan2", os.getpid(), 5, URL)
    assert own.memory_mb is not None
    assert own.memory_mb > 10
    [found] = [service for service in others if service.pid == child.pid]
    assert (found.name, str(found.kind), found.state) == ("plan2 train", "child", "running")
    assert found.memory_mb is not None
    assert found.memory_mb > 1
    assert child.pid not in {service.pid for service in processes.services()}


@pytest.mark.parametrize(
    ("program", "argv", "name"),
    [
        ("python3.11", ["python", "-m", "plan2", "terminal", "--local"], "plan2 terminal"),
        ("plan2", ["/opt/bin/plan2", "train", "--symbol", "X"], "plan2 train"),
        ("plan2.exe", [r"C:\Apps\plan2.exe", "worker"], "plan2 worker"),
        ("postgres", ["/x/postgres", "-D", "/data"], "postgres"),
        ("postgres.exe", [], "postgres"),
        ("plan2", ["plan2"], "plan2"),
    ],
)
def test_what_a_child_is_called(program: str, argv: list[str], name: str) -> None:
    """Our verb, or the program's name."""
    assert name_of(program, argv) == name


def test_the_command_prints_columns_and_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the running Plan2 answers, as a table, and as it is."""
    services = {
        "version": "0.1.0",
        "services": [
            {"name": "gateway", "kind": "component", "state": "ok", "pid": 7, "address": URL,
             "since_us": 1_700_000_000_000_000, "memory_mb": None, "tenant_id": "", "detail": ""},
        ],
    }  # fmt: skip
    asked: list[str] = []

    def ask(_: object, path: str) -> object:
        asked.append(path)
        return services

    monkeypatch.setattr(running, "ask", ask)
    table = CliRunner().invoke(command, [])
    plain = CliRunner().invoke(command, ["--json"])

    assert table.exit_code == 0, table.output
    head, columns, line = table.output.strip().split("\n")
    assert head == "Plan2 0.1.0"
    assert columns.split()[:4] == ["KIND", "NAME", "STATE", "PID"]
    assert line.split() == [
        "component", "gateway", "ok", "7", "–", "2023-11-14", "22:13:20Z", URL, "–", "–",
    ]  # fmt: skip
    assert '"version": "0.1.0"' in plain.output
    assert asked == ["services", "services"]


def test_quotas_are_printed_with_what_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash where nobody has measured."""
    answer = {
        "tenant_id": "alpha",
        "load": {"level": "busy", "score": 1.25},
        "quotas": [
            {"quota": "jobs", "used": 1.0, "limit": 5.0, "unit": "1", "refused": 3},
            {"quota": "storage_mb", "used": None, "limit": 5120.0, "unit": "MB", "refused": 0},
        ],
    }
    monkeypatch.setattr(running, "ask", lambda *_: answer)
    lines = CliRunner().invoke(command, ["--quotas"]).output.split("\n")
    assert lines[0] == "Tenant alpha; the load is busy (1.25)."
    assert lines[2].split() == ["jobs", "1", "5", "1", "3"]
    assert lines[3].split() == ["storage_mb", "–", "5120", "MB", "0"]
