"""What `plan2 doctor` can say about this machine and this installation without changing either.

Each question gives a finding: what was looked at, what was found, and, unless all is well, what it
means and what to do. Only BAD makes the doctor's exit code differ from 0.
"""

import enum
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import psutil

from plan2.foundation.clock import Clock
from plan2.foundation.lock import DataDirLock
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND

GIB: Final = 1 << 30
PYTHON_MIN: Final = (3, 11)
DISK_BAD_GIB: Final = 1.0
DISK_LOW_GIB: Final = 5.0
MEMORY_BAD_GIB: Final = 0.5
MEMORY_LOW_GIB: Final = 2.0


class Verdict(enum.StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    WARN = "warn"
    """Works, with a limitation that the remedy explains."""
    BAD = "bad"
    """Plan2 cannot work, or would lose data."""
    UNKNOWN = "unknown"
    """Could not be found out here; nothing is claimed."""


class Finding(msgspec.Struct, frozen=True):
    """One line of the doctor's report."""

    subject: str
    verdict: Verdict
    found: str
    remedy: str = ""


PACKAGES: Final = (
    ("numba", Verdict.BAD, "Features and backtests cannot run"),
    ("onnxruntime", Verdict.BAD, "No model can forecast"),
    ("xgboost", Verdict.BAD, "Tree models cannot be trained"),
    ("polars", Verdict.BAD, "The tick archive cannot be read"),
    ("torch", Verdict.WARN, "LSTM models cannot be trained; everything else works"),
    ("onnxscript", Verdict.WARN, "Trained LSTM models cannot be exported"),
)
"""Packages, how bad it is when they are missing, and what it means."""

EXTRA: Final = {"torch": "deep", "onnxscript": "deep"}
"""The optional part of plan2 that a package belongs to."""


def machine() -> Iterator[Finding]:
    """Python, operating system, processors and memory."""
    version = platform.python_version()
    bits = 64 if sys.maxsize > 2**32 else 32
    is_fit = sys.version_info[:2] >= PYTHON_MIN and bits == 64
    yield Finding(
        "python",
        Verdict.OK if is_fit else Verdict.BAD,
        f"{platform.python_implementation()} {version}, {bits} bit",
        "" if is_fit else "Install a 64-bit Python 3.11 or newer.",
    )
    cores = os.cpu_count() or 1
    yield Finding(
        "platform",
        Verdict.OK if cores > 1 else Verdict.WARN,
        f"{platform.system()} {platform.release()} {platform.machine()}, {cores} cores",
        "" if cores > 1 else "With one core, training slows trading down; use two or more.",
    )
    memory = psutil.virtual_memory()
    free_gib = memory.available / GIB
    yield Finding(
        "memory",
        judge(free_gib, MEMORY_BAD_GIB, MEMORY_LOW_GIB),
        f"{free_gib:.1f} GiB available of {memory.total / GIB:.1f}",
        "" if free_gib >= MEMORY_LOW_GIB else "Training needs about 2 GiB; close other programs.",
    )


def storage(data_dir: Path) -> Iterator[Finding]:
    """The data folder: whether it can be written, and the space around it; creates nothing."""
    existing = next(folder for folder in (data_dir, *data_dir.parents) if folder.is_dir())
    is_writable = _can_write(existing)
    note = "" if existing == data_dir else ", made at the first start"
    yield Finding(
        "data folder",
        Verdict.OK if is_writable else Verdict.BAD,
        f"{data_dir}{note}" if is_writable else f"{existing} cannot be written",
        "" if is_writable else "Name another folder with --data-dir or PLAN2_DATA_DIR.",
    )
    free_gib = shutil.disk_usage(existing).free / GIB
    yield Finding(
        "disk",
        judge(free_gib, DISK_BAD_GIB, DISK_LOW_GIB),
        f"{free_gib:.1f} GiB free",
        "" if free_gib >= DISK_LOW_GIB else "Make room: events and ticks are never thrown away.",
    )


def packages() -> Iterator[Finding]:
    """The packages that Plan2 computes with, and MetaTrader's where it exists."""
    for name, when_missing, meaning in PACKAGES:
        if importlib.util.find_spec(name) is not None:
            yield Finding(f"package {name}", Verdict.OK, importlib.metadata.version(name))
            continue
        wanted = f"plan2[{EXTRA[name]}]" if name in EXTRA else "plan2"
        remedy = f"{meaning}. Run: pip install -c constraints.txt '{wanted}'"
        yield Finding(f"package {name}", when_missing, "missing", remedy)
    yield _terminal_package(sys.platform)


def web_page(folder: Path) -> Finding:
    """The built web page in `folder`, or the reason why there is none."""
    if (folder / "index.html").is_file():
        return Finding("web page", Verdict.OK, "built")
    reason = folder / "MISSING"
    text = reason.read_text(encoding="utf-8").strip() if reason.is_file() else "never built"
    node = shutil.which("node")
    remedy = "Install again to build it" if node else "Install Node.js 20 or newer, install again"
    meaning = "the API and a plain page work without it"
    return Finding("web page", Verdict.WARN, f"missing: {text}", f"{remedy}; {meaning}.")


def owner_of(data_dir: Path) -> int | None:
    """The process that uses the data folder now; None when nobody does."""
    lock = DataDirLock(data_dir)
    if not lock.path.is_file():
        return None
    if lock.try_acquire():
        lock.release()
        return None
    return lock.holder()


def owner(pid: int | None) -> Finding:
    """Who uses the data folder."""
    found = "nobody, it is free" if pid is None else f"a running Plan2, process {pid}"
    return Finding("data folder in use by", Verdict.OK, found)


def listening(host: str, port: int, owner_pid: int | None) -> Finding:
    """Whether `plan2 serve` could listen there now, or already does as process `owner_pid`."""
    subject = f"port {port}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name != "nt":  # there it would let us take a port that is in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if owner_pid is not None and _listens(owner_pid, port):
                return Finding(subject, Verdict.OK, "in use by the running Plan2")
            remedy = "Stop what listens there, or choose another with server.port."
            return Finding(subject, Verdict.BAD, f"{host}: {error.strerror}", remedy)
    return Finding(subject, Verdict.OK, f"free on {host}")


def clock(wall: Clock, installed_file: Path) -> Finding:
    """Whether the machine's clock is sane; its offset from true time cannot be known offline."""
    installed_ns = installed_file.stat().st_mtime_ns
    if wall.now_ns() < installed_ns - NS_PER_DAY:
        days = (installed_ns - wall.now_ns()) / NS_PER_DAY
        return Finding(
            "clock",
            Verdict.BAD,
            f"{days:.0f} days before this installation was made",
            "Set the clock, and keep it right with NTP.",
        )
    now = datetime.fromtimestamp(wall.now_ns() // NS_PER_SECOND, UTC)
    return Finding(
        "clock",
        Verdict.UNKNOWN,
        f"{now:%Y-%m-%d %H:%M:%S} UTC; its offset from true time is unknown",
        "Keep it right with NTP: the broker's times are compared with it.",
    )


def judge(value: float, bad_below: float, warn_below: float) -> Verdict:
    """BAD, WARN or OK for a quantity of which more is better."""
    if value < bad_below:
        return Verdict.BAD
    return Verdict.WARN if value < warn_below else Verdict.OK


def _terminal_package(system: str) -> Finding:
    subject = "package MetaTrader5"
    if system != "win32":
        found = "exists for Windows only; a Windows machine can serve its terminal to this one"
        return Finding(subject, Verdict.OK, found)
    if importlib.util.find_spec("MetaTrader5") is not None:
        return Finding(subject, Verdict.OK, importlib.metadata.version("MetaTrader5"))
    remedy = "No real account can be traded. Run: pip install -c constraints.txt 'plan2[mt5]'"
    return Finding(subject, Verdict.WARN, "missing", remedy)


def _listens(pid: int, port: int) -> bool:
    try:
        connections = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.Error:
        return False
    return any(
        each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in connections
    )


def _can_write(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
