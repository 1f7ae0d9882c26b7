"""Which process runs a cluster: read from `postmaster.pid`, believed only after a look at it.

A pid alone proves nothing: it may have been given to a stranger since. A process counts as the
server of a cluster only if it is a PostgreSQL process that works in that very folder, or, where
the system hides that, one that started when the file says. Nothing else is ever signalled.
"""

from dataclasses import dataclass
from pathlib import Path

import psutil

START_TOLERANCE_S = 10.0
"""`postmaster.pid` holds whole seconds, taken a little after the process began."""


@dataclass(frozen=True, slots=True)
class PidFile:
    """What the server wrote about itself; missing lines are empty."""

    pid: int
    started_s: int
    port: int
    socket_dir: str
    listen: str
    is_ready: bool


def read_pid_file(cluster_dir: Path) -> PidFile | None:
    """The contents of `postmaster.pid`; None when there is none or it is not complete yet."""
    try:
        text = (cluster_dir / "postmaster.pid").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, PermissionError):
        return None
    lines = [*text.splitlines(), *[""] * 8]
    try:
        pid, started_s, port = int(lines[0]), int(lines[2] or 0), int(lines[3] or 0)
    except ValueError:
        return None
    return PidFile(pid, started_s, port, lines[4], lines[5], lines[7].strip() == "ready")


def running_server(cluster_dir: Path) -> PidFile | None:
    """The pid file of the live server of this cluster; None when none runs."""
    found = read_pid_file(cluster_dir)
    if found is None:
        return None
    try:
        process = psutil.Process(found.pid)
        is_ours = _is_postgres(process) and _works_in(process, cluster_dir, found.started_s)
    except psutil.Error:  # gone, or somebody else's and closed to us
        return None
    return found if is_ours else None


def orphans(cluster_dir: Path) -> list[int]:
    """Pids of PostgreSQL processes that still work in this cluster's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if _is_postgres(process) and _cwd(process) == cluster_dir:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def _is_postgres(process: psutil.Process) -> bool:
    if process.status() == psutil.STATUS_ZOMBIE:
        return False
    return str(process.name()).lower().startswith("postgres")


def _works_in(process: psutil.Process, cluster_dir: Path, started_s: int) -> bool:
    folder = _cwd(process)
    if folder is not None:
        return folder == cluster_dir
    return abs(float(process.create_time()) - started_s) <= START_TOLERANCE_S


def _cwd(process: psutil.Process) -> Path | None:
    try:
        return Path(process.cwd()).resolve()
    except (psutil.AccessDenied, OSError):
        return None
