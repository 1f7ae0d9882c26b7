"""`plan2 terminal`: what it asks for, what it refuses, and that the key is never shown."""

import io
from pathlib import Path

import pytest
from click.testing import CliRunner

from plan2 import cli
from plan2.commands.terminal import _key
from plan2.dataflow.terminals.remote.child import read_errand
from plan2.foundation.errors import ConfigError

URL = "wss://plan2.example.com/api/v1/terminal"


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and everything printed."""
    done = CliRunner().invoke(cli.command, ["terminal", "--data-dir", str(folder), *arguments])
    return done.exit_code, done.output


def test_an_address_and_a_key_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is named when it is missing, with what to do."""
    monkeypatch.delenv("PLAN2_TERMINAL_KEY", raising=False)
    code, output = run(tmp_path)
    assert (code, "--server" in output) == (2, True)
    code, output = run(tmp_path, "--server", URL)
    assert code == ConfigError.exit_code
    assert "terminal-keys create" in output


def test_a_key_does_not_travel_in_the_clear(tmp_path: Path) -> None:
    """ws:// to another machine is refused before anything is opened, and the key not printed."""
    code, output = run(tmp_path, "--server", "ws://plan2.example.com/", "--key", "s3cret-key")
    assert (code, "in the clear" in output) == (ConfigError.exit_code, True)
    assert "s3cret-key" not in output


def test_the_package_is_for_windows_or_the_twin(tmp_path: Path) -> None:
    """A module that is none of the two: one sentence that names both."""
    code, output = run(
        tmp_path, "--server", "ws://127.0.0.1:9/x", "--key", "k", "--package", "json"
    )
    assert (code, "mt5.package" in output) == (ConfigError.exit_code, True)


def test_the_key_comes_from_option_file_or_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this order; white space around it does not count; what no key holds is refused."""
    file = tmp_path / "key.txt"
    file.write_text("  from-file\n", encoding="utf-8")
    monkeypatch.setenv("PLAN2_TERMINAL_KEY", "from-environment")
    assert _key("from-option", file).reveal() == "from-option"
    assert _key(None, file).reveal() == "from-file"
    assert _key(None, None).reveal() == "from-environment"
    with pytest.raises(ConfigError):
        _key("two\nlines", None)


def test_nobody_types_local_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an errand on standard input: ConfigError that says who starts it."""

    class Empty:
        """Standard input at its end."""

        buffer = io.BytesIO()

    monkeypatch.setattr("sys.stdin", Empty())
    with pytest.raises(ConfigError, match="errand"):
        read_errand()
