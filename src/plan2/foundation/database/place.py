"""Where the embedded cluster lies and which operating system user runs it.

PostgreSQL refuses to run as root, rightly. Started by root, the server process runs as the
unprivileged owner of the cluster's folder. When such a user cannot reach the data folder, the
cluster is put under `/var/lib/plan2` instead: the mode of a folder that we did not make is never
changed. The choice is written down once and kept, so that a later change of modes cannot make a
second, empty cluster appear.
"""

import hashlib
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from plan2.foundation.errors import ConfigError

if sys.platform != "win32":
    import pwd

ROOT_HOME = Path("/var/lib/plan2")
UNPRIVILEGED = ("postgres", "nobody")
RECORD = "postgres.json"


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The user that runs the server processes when Plan2 itself is root."""

    name: str
    uid: int
    gid: int


class Place(msgspec.Struct, frozen=True):
    """The folder (mode 0700) that holds the cluster, its log and its socket."""

    home: str

    @property
    def home_dir(self) -> Path:
        """The folder as a path."""
        return Path(self.home)

    @property
    def cluster_dir(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.home_dir / "data"


def choose_place(data_dir: Path, run_as: str = "") -> Place:
    """The recorded place of this data folder's cluster, or a new one, which is then recorded.

    Args:
        data_dir: Plan2's data folder; must exist.
        run_as: the user for a server started by root; "" picks `postgres`, else `nobody`.

    Raises:
        ConfigError: there is no fit user.
    """
    record = data_dir / RECORD
    if record.is_file():
        return msgspec.json.decode(record.read_bytes(), type=Place)
    home = data_dir.resolve() / "postgres"
    user = None
    if is_root():
        user = find_user(run_as)
        if not reaches(user, data_dir):
            home = ROOT_HOME / hashlib.sha256(bytes(home)).hexdigest()[:16]
            if not ROOT_HOME.exists():
                ROOT_HOME.mkdir(parents=True)
                ROOT_HOME.chmod(0o711)  # whatever the umask said
    home.mkdir(mode=0o700, exist_ok=True)
    give(home, user)
    unfinished = record.with_suffix(".new")
    unfinished.write_bytes(msgspec.json.encode(Place(str(home))))
    unfinished.replace(record)
    return Place(str(home))


def has_cluster(data_dir: Path) -> bool:
    """Whether a cluster was made for this data folder before."""
    record = data_dir / RECORD
    if not record.is_file():
        return False
    place = msgspec.json.decode(record.read_bytes(), type=Place)
    return (place.cluster_dir / "PG_VERSION").is_file()


def server_user(place: Place) -> ServerUser | None:
    """The user to run the server as; None = our own.

    Raises:
        ConfigError: the folder belongs to somebody else, or to root.
    """
    if sys.platform == "win32":
        return None
    owner_id = place.home_dir.stat().st_uid
    if not is_root():
        if owner_id == os.geteuid():
            return None
        raise ConfigError(
            f"The database folder {place.home} belongs to user {owner_id}, not to us.",
            remedy="Start Plan2 as the user that started it first, or use another data folder.",
        )
    if owner_id == 0:
        raise ConfigError(
            f"The database folder {place.home} belongs to root, as which PostgreSQL cannot run.",
            remedy="Give the folder and what is in it to an unprivileged user (chown -R).",
        )
    owner = pwd.getpwuid(owner_id)
    return ServerUser(owner.pw_name, owner.pw_uid, owner.pw_gid)


def is_root() -> bool:
    """Whether this process has root's rights (never on Windows)."""
    return sys.platform != "win32" and os.geteuid() == 0


def find_user(name: str) -> ServerUser:
    """The named unprivileged user, or the first usual one that exists.

    Raises:
        ConfigError: there is no such user, or it is root.
    """
    if sys.platform != "win32":
        for candidate in (name,) if name else UNPRIVILEGED:
            try:
                entry = pwd.getpwnam(candidate)
            except KeyError:
                continue
            if entry.pw_uid != 0:
                return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise ConfigError(
        f"PostgreSQL must not run as root, and there is no unprivileged user "
        f"{name or ' or '.join(UNPRIVILEGED)}.",
        remedy="Start Plan2 as an ordinary user, or name one with database.run_as.",
    )


def reaches(user: ServerUser, path: Path) -> bool:
    """Whether `user` may enter `path` and every folder above it, by their modes."""
    resolved = path.resolve()
    return all(_may_enter(user, folder) for folder in (resolved, *resolved.parents))


def give(path: Path, user: ServerUser | None) -> None:
    """Make `user` the owner of one file or folder of ours."""
    if user is not None and sys.platform != "win32":
        os.chown(path, user.uid, user.gid)


def _may_enter(user: ServerUser, folder: Path) -> bool:
    info = folder.stat()
    if info.st_uid == user.uid:
        return bool(info.st_mode & stat.S_IXUSR)
    if info.st_gid == user.gid:
        return bool(info.st_mode & stat.S_IXGRP)
    return bool(info.st_mode & stat.S_IXOTH)
