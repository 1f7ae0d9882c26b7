"""The embedded PostgreSQL: found or made, started or adopted, and stopped in order.

Invariants: never runs as root; never listens on a network on POSIX; signals only a process that
is certainly the server of our own cluster; a start is retried until the deadline, because after
a crash the old processes need seconds to go away. All methods block: call them in a thread.
"""

import hashlib
import hmac
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.database import binaries as programs
from plan2.foundation.database.cluster import SUPERUSER, configure, make_cluster, run_tool
from plan2.foundation.database.place import choose_place, reaches, server_user
from plan2.foundation.database.postmaster import PidFile, orphans, running_server
from plan2.foundation.errors import ConfigError, StoreBusy
from plan2.foundation.values import NS_PER_SECOND

Progress = Callable[[str], None]

POLL_S = 0.1
LAUNCH_TRIES = 3
"""How often a start may fail for a reason that we do not know to pass by itself."""
REPORT_EVERY_NS = 5 * NS_PER_SECOND
PASSING_FAULTS = ("lock file", "shared memory", "Address already in use", "starting up")
"""What a start may fail with while the processes of a crashed server are still dying."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens: a socket folder or a host name, and the superuser's password."""

    host: str
    port: int
    password: str

    def password_of(self, role: str) -> str:
        """The password of one of our roles, derived so that a single secret has to be kept."""
        return hmac.new(self.password.encode(), role.encode(), hashlib.sha256).hexdigest()


class EmbeddedServer:
    """The PostgreSQL of one data folder.

    Args:
        data_dir: Plan2's data folder; must exist. The caller holds its `DataDirLock`.
        run_as: the unprivileged user for the server when we are root; "" chooses one.
        deadline_s: how long a start may take, recovery after a crash included.
        progress: told in plain sentences what takes time.
        binaries: the PostgreSQL to use; None finds one that fits the cluster.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        run_as: str = "",
        deadline_s: float = 120.0,
        progress: Progress = lambda _: None,
        binaries: programs.Binaries | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._deadline_s = deadline_s
        self._progress = progress
        self.place = choose_place(data_dir, run_as)
        self.user = server_user(self.place)
        self.was_adopted = False
        self._binaries = binaries
        self._failures = 0

    @property
    def binaries(self) -> programs.Binaries:
        """The PostgreSQL programs in use, where the server's user can execute them.

        Raises:
            ConfigError: none fits the cluster.
        """
        if self._binaries is None:
            found = programs.discover(self.place.cluster_dir)
            if self.user is not None and not reaches(self.user, found.folder):
                self._progress(f"Copying PostgreSQL to where {self.user.name} can run it…")
                target = self.place.home_dir / f"postgresql-{found.version}"
                found = programs.Binaries(
                    programs.copy_wheel(target), found.major, found.version, found.origin
                )
            self._binaries = found
        return self._binaries

    def start(self) -> Endpoint:
        """Make the cluster if there is none, start it unless it runs, and wait until it answers.

        Raises:
            ConfigError: it cannot start; the message carries the server's own words.
            StoreBusy: it did not answer before the deadline.
        """
        deadline = stopwatch_ns() + int(self._deadline_s * NS_PER_SECOND)
        password = self._password()
        if programs.cluster_major(self.place.cluster_dir) is None:
            self._progress(f"Preparing a new database in {self.place.home}…")
            make_cluster(self.binaries, self.place, self.user, password)
        self.was_adopted = running_server(self.place.cluster_dir) is not None
        self._failures = 0
        report_at = stopwatch_ns() + REPORT_EVERY_NS
        while True:
            running = running_server(self.place.cluster_dir)
            if running is None:
                self._launch()
            elif running.is_ready and _answers(endpoint := _endpoint(running, password)):
                return endpoint
            now = stopwatch_ns()
            if now > deadline:
                raise StoreBusy(
                    f"PostgreSQL in {self.place.home} did not answer in {self._deadline_s:.0f} s: "
                    f"{self._last_words()}",
                    remedy="Recovery may need longer: raise database.start_deadline_s.",
                )
            if now > report_at:
                report_at = now + REPORT_EVERY_NS
                left_s = (deadline - now) // NS_PER_SECOND
                self._progress(f"PostgreSQL is recovering; waiting up to {left_s} s more…")
            time.sleep(POLL_S)

    def is_running(self) -> bool:
        """Whether the server process of this cluster is alive."""
        return running_server(self.place.cluster_dir) is not None

    def join(self) -> Endpoint:
        """Wait for the server that another process of this data folder runs or is starting.

        Raises:
            StoreBusy: it does not answer before the deadline.
        """
        password = self._password()
        deadline = stopwatch_ns() + int(self._deadline_s * NS_PER_SECOND)
        while stopwatch_ns() < deadline:
            running = running_server(self.place.cluster_dir)
            if running and running.is_ready and _answers(endpoint := _endpoint(running, password)):
                return endpoint
            time.sleep(POLL_S)
        raise StoreBusy(
            f"The database of the Plan2 that runs on {self._data_dir} does not answer.",
            remedy="Stop that Plan2, or wait until it has started.",
        )

    def stop(self) -> None:
        """Stop the server of this cluster, ours or adopted; harmless when none runs.

        Raises:
            StoreBusy: it still runs after a fast and an immediate stop.
        """
        for mode, timeout_s in (("fast", 20), ("immediate", 10)):
            running = running_server(self.place.cluster_dir)
            if running is None:
                return
            self._pg_ctl("stop", "-m", mode, "-t", str(timeout_s), timeout_s=timeout_s + 5)
            if running_server(self.place.cluster_dir) is None:
                _forget_socket_dir(running)
                return
        raise StoreBusy(f"PostgreSQL in {self.place.home} does not stop.")

    def _password(self) -> str:
        """The superuser's password: kept in a file that only we can read."""
        path = self._data_dir / "postgres.password"
        try:
            return path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            if programs.cluster_major(self.place.cluster_dir) is not None:
                raise ConfigError(
                    f"The database in {self.place.home} exists, but its password file {path} "
                    "does not.",
                    remedy="Put the file back from a backup.",
                ) from None
        password = secrets.token_hex(32)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(password)
        return password

    def _launch(self) -> None:
        """Try to start the server; a fault that passes by itself is left to the next try."""
        if orphans(self.place.cluster_dir):
            self._progress("Waiting for the processes of a crashed database server to end…")
            return
        # Nobody works in the cluster, so a pid file left there is a lie about a stranger.
        (self.place.cluster_dir / "postmaster.pid").unlink(missing_ok=True)
        configure(self.place, self.user, self.binaries.major, _free_port())
        self._progress(f"Starting PostgreSQL {self.binaries.version}…")
        log = self.place.home_dir / "start.log"
        log.unlink(missing_ok=True)
        failed = self._pg_ctl("start", "-w", "-t", "5", "-l", str(log), timeout_s=30)
        if not failed or running_server(self.place.cluster_dir) is not None:
            return
        words = self._last_words()
        if any(fault in words for fault in PASSING_FAULTS):
            return
        self._failures += 1
        if self._failures == LAUNCH_TRIES:
            raise ConfigError(f"PostgreSQL in {self.place.home} cannot start: {words}")

    def _pg_ctl(self, verb: str, *options: str, timeout_s: float) -> int:
        command = [self.binaries.tool("pg_ctl"), verb, "-D", str(self.place.cluster_dir), *options]
        return run_tool(command, self.user, self.place.home_dir, timeout_s).returncode

    def _last_words(self) -> str:
        """The end of what the server wrote most recently."""
        logs = [self.place.home_dir / "start.log", *(self.place.home_dir / "log").glob("*.log")]
        written = [each for each in logs if each.is_file()]
        if not written:
            return "it wrote no log"
        newest = max(written, key=lambda each: each.stat().st_mtime_ns)
        return newest.read_text(encoding="utf-8", errors="replace")[-1500:].strip()


def _endpoint(running: PidFile, password: str) -> Endpoint:
    host = running.listen if os.name == "nt" else running.socket_dir
    return Endpoint(host, running.port, password)


def _answers(endpoint: Endpoint) -> bool:
    """Whether the superuser can log in now.

    Raises:
        ConfigError: the server refuses our password.
    """
    try:
        with psycopg.connect(
            host=endpoint.host,
            port=endpoint.port,
            user=SUPERUSER,
            password=endpoint.password,
            dbname="postgres",
            connect_timeout=5,
        ):
            return True
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise ConfigError(
                f"The database at {endpoint.host} refuses the password in postgres.password.",
                remedy="Put the file that belongs to this database back from a backup.",
            ) from error
        return False


def _free_port() -> int:
    """5432 where it only names a socket file, a free TCP port of this machine on Windows."""
    if os.name != "nt":
        return 5432
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _forget_socket_dir(stopped: PidFile) -> None:
    """Remove a socket folder that had to lie under the system's temporary folder."""
    folder = Path(stopped.socket_dir)
    if folder.parent == Path(tempfile.gettempdir()) and folder.name.startswith("plan2-pg-"):
        shutil.rmtree(folder, ignore_errors=True)
