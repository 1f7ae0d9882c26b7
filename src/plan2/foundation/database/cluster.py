"""Make and configure the embedded cluster: passwords always, no network on POSIX, durable commits.

`initdb` works in a side folder that is renamed at the end, so an interrupted one leaves nothing
that looks like a cluster.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from plan2.foundation.database.binaries import Binaries
from plan2.foundation.database.place import Place, ServerUser, give
from plan2.foundation.errors import ConfigError

SUPERUSER = "p2_super"
SOCKET_DIR_MAX_BYTES = 88
"""The system allows 104 to 108 bytes for `<folder>/.s.PGSQL.5432.lock`."""

LOCALE_BUILTIN_MAJOR = 17
"""From here on C.UTF-8 comes with PostgreSQL itself, the same on every system."""

POSIX_HBA = "local all all scram-sha-256\nlocal replication all scram-sha-256\n"
WINDOWS_HBA = (
    "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n"
)

DURABILITY = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
}
RESOURCES = {
    "max_connections": "40",
    # A tenant that is dropped or exported locks each of its tables, partitions and indexes.
    "max_locks_per_transaction": "256",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "min_wal_size": "64MB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}
LOGGING = {
    "logging_collector": "on",
    "log_directory": "'../log'",
    "log_filename": "'server-%a.log'",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] %q%u@%d '",
}


def run_tool(
    command: list[str], user: ServerUser | None, home: Path, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run one PostgreSQL program to its end, as `user`, without our PG* variables.

    Raises:
        ConfigError: it cannot be executed or did not end in `timeout_s`.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    environment["LC_ALL"] = "C"
    try:
        # Output goes to a file: a pipe would be inherited by the server and never reach its end.
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=home,
                env=environment,
                timeout=timeout_s,
                check=False,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
            )
            output.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, output.read())
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(
            f"PostgreSQL's {Path(command[0]).name} could not run: {error}."
        ) from error


def make_cluster(binaries: Binaries, place: Place, user: ServerUser | None, password: str) -> None:
    """Create an empty cluster whose superuser has this password.

    Raises:
        ConfigError: `initdb` failed; the message carries what it said.
    """
    unfinished = place.home_dir / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    password_file = place.home_dir / "initial.password"
    try:
        _write_private(password_file, password + "\n", user)
        for locale in _locales(binaries.major):
            done = run_tool(
                [
                    binaries.tool("initdb"),
                    f"--pgdata={unfinished}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--data-checksums",
                    "--encoding=UTF8",
                    "--no-instructions",
                    *locale,
                ],
                user,
                place.home_dir,
                timeout_s=120,
            )
            if done.returncode == 0:
                break
            shutil.rmtree(unfinished, ignore_errors=True)
        else:
            raise ConfigError(f"PostgreSQL could not make its data folder: {done.stdout.strip()}")
    finally:
        password_file.unlink(missing_ok=True)
    _write_private(unfinished / "pg_hba.conf", WINDOWS_HBA if os.name == "nt" else POSIX_HBA, user)
    with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("\ninclude_if_exists 'plan2.conf'\n")
    unfinished.rename(place.cluster_dir)


def configure(place: Place, user: ServerUser | None, major: int, port: int) -> None:
    """Write `plan2.conf`, which overrides PostgreSQL's defaults; takes effect at the next start."""
    network = (
        {"listen_addresses": "'127.0.0.1'", "unix_socket_directories": "''"}
        if os.name == "nt"
        else {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{socket_dir(place, user)}'",
            "unix_socket_permissions": "0700",
        }
    )
    values = {
        **network,
        "port": str(port),
        "password_encryption": "scram-sha-256",
        "timezone": "'UTC'",
        **DURABILITY,
        **RESOURCES,
        **LOGGING,
    }
    if major >= 18:
        values["io_method"] = "sync"  # saves three processes; our reads are small
    text = "# Written by Plan2 at every start; put your own values into postgresql.auto.conf.\n"
    text += "".join(f"{name} = {value}\n" for name, value in values.items())
    _write_private(place.cluster_dir / "plan2.conf", text, user)


def socket_dir(place: Place, user: ServerUser | None) -> Path:
    """A folder of mode 0700 for the server's socket, short enough for the system's limit."""
    folder = place.home_dir / "run"
    if len(os.fsencode(folder)) <= SOCKET_DIR_MAX_BYTES:
        folder.mkdir(mode=0o700, exist_ok=True)
    else:
        folder = Path(tempfile.mkdtemp(prefix="plan2-pg-"))
    give(folder, user)
    return folder


def _locales(major: int) -> list[list[str]]:
    if major >= LOCALE_BUILTIN_MAJOR:
        return [["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]]
    return [["--locale=C.UTF-8"], ["--locale=C"]]


def _write_private(path: Path, text: str, user: ServerUser | None) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    give(path, user)
