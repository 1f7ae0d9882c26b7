"""`plan2 config`, `flags` and `secrets` with a running Plan2: what they ask, what they print."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from plan2.commands import config, flags, running, secrets
from plan2.foundation.secret import MASK

RECEIPT = {"key": "risk.positions_max", "outcome": "applied", "value": 2, "approval_id": ""}
FLAG = {"flag": "programs", "is_on": False, "origin": "tenant", "doc": "API keys may be made."}
SETTING = {
    "key": "risk.positions_max",
    "value": 4,
    "origin": "default",
    "locked_by": "global",
    "levels": [{"scope": "tenant", "value": 2, "is_ignored": True}],
}
KEYS = {
    "provider": {
        "kind": "file",
        "place": "keys/root.json",
        "protection": "private",
        "current_key": "aa",
        "keys": ["aa"],
    },
    "provider_state": "ok",
    "provider_detail": "",
    "people": 12,
    "tenant_keys": [{"version": 1, "key_id": "bb", "root_key": "aa", "is_behind": False}],
    "rotations": [{"level": "tenant", "new_key": "bb", "rewrapped": 7, "finished_us": None}],
}


class Running:
    """A Plan2 that runs: keeps what it is asked, answers what tests lay out."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any, str]] = []
        self.answer: Any = RECEIPT

    def __call__(
        self, folder: Path, method: str, path: str, body: object = None, tenant: str = ""
    ) -> Any:  # JSON
        """As `running.request`."""
        self.asked.append((method, path, body, tenant))
        return self.answer


@pytest.fixture
def plan2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Running:
    """The running Plan2 of an empty data folder."""
    fake = Running()
    monkeypatch.setattr(running, "request", fake)
    monkeypatch.setenv("PLAN2_DATA_DIR", str(tmp_path))
    return fake


def run(command: click.Command, *arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    done = CliRunner().invoke(command, arguments)
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (
            ("set", "risk.positions_max", "2", "--reason", "calmer"),
            ("PUT", "settings/tenant/risk.positions_max", {"value": 2, "reason": "calmer"}, ""),
        ),
        (
            ("set", "risk.symbols_permitted", '["EURUSD"]', "--tenant", "acme", "--lock"),
            (
                "PUT",
                "settings/tenant/risk.symbols_permitted",
                {"value": ["EURUSD"], "reason": "", "locked": True},
                "acme",
            ),
        ),
        (
            ("set", "ui.theme", "dark", "--scope", "global"),
            ("PUT", "settings/global/ui.theme", {"value": "dark", "reason": ""}, ""),
        ),
        (
            ("unset", "ui.theme", "--user", "u1", "--reason", "no more"),
            ("DELETE", "settings/user/ui.theme?user=u1&reason=no+more", None, ""),
        ),
        (
            ("lock", "risk.positions_max", "--scope", "global"),
            ("PUT", "settings/global/risk.positions_max", {"locked": True, "reason": ""}, ""),
        ),
        (
            ("unlock", "risk.positions_max", "--scope", "global"),
            ("PUT", "settings/global/risk.positions_max", {"locked": False, "reason": ""}, ""),
        ),
    ],
)
def test_what_is_asked(plan2: Running, arguments: tuple[str, ...], asked: object) -> None:
    """Scope, person, tenant, value as JSON or text, reason."""
    code, output = run(config.command, *arguments)
    assert (code, plan2.asked) == (0, [asked]), output
    assert "= 2" in output


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "ui.theme", "dark", "--scope", "user"),
        ("set", "ui.theme", "dark", "--scope", "global", "--tenant", "acme"),
        ("set", "ui.theme", "dark", "--scope", "tenant", "--user", "u1"),
        ("set", "ui.theme"),
        ("set", "ui.theme", "dark", "--scope", "planet"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    plan2: Running, arguments: tuple[str, ...]
) -> None:
    """Exit code 2, nothing is asked."""
    code, _ = run(config.command, *arguments)
    assert (code, plan2.asked) == (2, [])


def test_a_proposed_change_says_whom_it_waits_for(plan2: Running) -> None:
    """Four eyes."""
    plan2.answer = RECEIPT | {"outcome": "proposed", "approval_id": "0123"}
    code, output = run(config.command, "set", "risk.positions_max", "9")
    assert (code, "approval 0123" in output) == (0, True)
    code, output = run(config.command, "set", "risk.positions_max", "9", "--json")
    assert json.loads(output)["outcome"] == "proposed"


def test_the_running_settings_are_shown_with_locks_and_ignored_values(plan2: Running) -> None:
    """One line per key."""
    plan2.answer = {"items": [SETTING]}
    code, output = run(config.command, "show", "--origin", "--tenant", "acme", "--user", "u1")
    assert (code, plan2.asked) == (0, [("GET", "settings?user=u1", None, "acme")])
    assert output == (
        "risk.positions_max = 4  # default; locked (global); ignored: tenant says 2\n"
    )


def test_the_file_is_shown_without_a_running_plan2(
    plan2: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before: no question is asked, passwords are masked."""
    monkeypatch.setenv("PLAN2_DATABASE__URL", "postgresql://p2_app:canary@db/x")
    code, output = run(config.command, "show")
    assert (code, plan2.asked, "canary" in output, MASK in output) == (0, [], False, True)


def test_flags_are_listed_and_switched(plan2: Running) -> None:
    """On, off, and back to the wider scope."""
    plan2.answer = {"items": [FLAG]}
    code, output = run(flags.command, "list", "--tenant", "acme")
    assert (code, "programs" in output, "off" in output) == (0, True, True)
    plan2.answer = FLAG
    code, output = run(flags.command, "set", "programs", "default", "--reason", "r")
    assert (code, output) == (0, "programs is off (tenant).\n")
    assert plan2.asked == [
        ("GET", "flags", None, "acme"),
        ("PUT", "flags/tenant/programs", {"is_on": None, "reason": "r"}, ""),
    ]


def test_keys_are_shown_and_replaced(plan2: Running) -> None:
    """Where the root key lies, versions, open rotations; a rotation names both keys."""
    plan2.answer = KEYS
    code, output = run(secrets.command, "status")
    for words in ("file at keys/root.json", "12", "bb", "goes on", "keep a copy"):
        assert words in output
    plan2.answer = {"level": "root", "old_key": "aa", "new_key": "cc"}
    code, output = run(secrets.command, "rotate", "--level", "root", "--tenant", "acme")
    assert (code, "New root key cc (before: aa)." in output) == (0, True)
    assert plan2.asked[-1] == ("POST", "secrets/rotate", {"level": "root"}, "acme")
