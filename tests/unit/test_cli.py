"""The command line: lazy verbs, errors as sentences, exit codes, configuration with origins."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

import plan2
from plan2 import cli
from plan2.commands.options import Cli
from plan2.foundation.errors import InputError, Plan2Error

Captured = pytest.CaptureFixture[str]
PRESENT = cli.Verbs().list_commands(click.Context(cli.command))


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PLAN2_CONFIG", "PLAN2_DATA_DIR", "PLAN2_DEBUG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def failing_verb(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Makes `plan2 config` raise what is put into the list."""
    errors: list[BaseException] = []

    @click.command()
    def broken() -> None:
        raise errors[0]

    monkeypatch.setattr(importlib.import_module("plan2.commands.config"), "command", broken)
    return errors


def test_help_lists_the_verbs_in_order_and_imports_none(capsys: Captured) -> None:
    """Each present verb with its line; a verb without a file is left out."""
    assert cli.run(["--help"]) == 0

    shown = capsys.readouterr().out
    positions = [shown.index(cli.VERBS[verb]) for verb in PRESENT]
    assert {"config", "doctor"} <= set(PRESENT)
    assert positions == sorted(positions)
    assert "Examples:\n" in shown


def test_help_needs_nothing_heavy() -> None:
    """The modules loaded for `plan2 --help` are few: no numpy, no database, no web."""
    script = (
        "import sys, plan2.cli as cli; cli.run(['--help']);"
        "heavy = {'numpy', 'numba', 'polars', 'sqlalchemy', 'litestar', 'psycopg', 'structlog'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(plan2.__file__).parents[1])},
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("verb", PRESENT)
def test_every_verb_explains_itself_with_examples(verb: str, capsys: Captured) -> None:
    """--help works, says what the verb does, and shows examples as they were written."""
    assert cli.run([verb, "--help"]) == 0

    shown = capsys.readouterr().out
    assert "Examples:\n" in shown
    assert f"plan2 {verb}" in shown
    assert shown.split("\n\n")[1].strip()


def test_the_version_is_the_packages(capsys: Captured) -> None:
    """One source for the version."""
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"plan2 {plan2.__version__}\n"


@pytest.mark.parametrize("arguments", [["tarin"], ["--bogus"], ["config", "show", "--bogus"]])
def test_what_does_not_exist_is_a_usage_error(arguments: list[str], capsys: Captured) -> None:
    """Exit code 2 and a hint, no traceback."""
    assert cli.run(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_our_errors_are_one_sentence_with_their_exit_code(
    failing_verb: list[BaseException], capsys: Captured
) -> None:
    """Message and remedy on standard error, nothing on standard output."""
    failing_verb.append(InputError("File a.csv has no header.", remedy="Add one."))

    assert cli.run(["config"]) == InputError.exit_code

    seen = capsys.readouterr()
    assert (seen.out, seen.err) == ("", "Error: File a.csv has no header. Add one.\n")


def test_a_question_that_nobody_answers_says_so(
    failing_verb: list[BaseException], capsys: Captured
) -> None:
    """Without a terminal a verb that asks ends with a sentence, Ctrl+C with 130 and none."""
    failing_verb.append(click.Abort())
    assert cli.run(["config"]) == 1
    assert capsys.readouterr().err == "Not confirmed, so nothing was done.\n"


def test_a_traceback_comes_only_when_asked_for(
    failing_verb: list[BaseException], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By option or by environment, before the sentence."""
    failing_verb.append(Plan2Error("Broken."))

    codes = [cli.run(["--debug", "config"])]
    monkeypatch.setenv("PLAN2_DEBUG", "1")
    codes.append(cli.run(["config"]))

    shown = capsys.readouterr().err
    assert codes == [1, 1]
    assert shown.count("Traceback") == 2
    assert shown.endswith("Error: Broken.\n")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, ""),
        (PermissionError(13, "Permission denied", "/srv/p2"), 1, "/srv/p2: Permission denied"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (BrokenPipeError(32, "Broken pipe"), 1, ""),
    ],
)
def test_the_outside_world_never_gives_a_traceback(
    failing_verb: list[BaseException], capsys: Captured, error: BaseException, code: int, said: str
) -> None:
    """Ctrl+C, files that cannot be used, a full disk, a reader that went away."""
    failing_verb.append(error)

    try:
        seen = cli.run(["config"])
    except SystemExit as stopped:  # click ends a broken pipe itself, quietly
        seen = int(str(stopped.code))

    shown = capsys.readouterr().err
    assert seen == code
    assert said in shown
    assert "Traceback" not in shown


def test_a_bug_is_not_hidden(failing_verb: list[BaseException]) -> None:
    """Errors that are not ours reach Python's own report."""
    failing_verb.append(ZeroDivisionError("bug"))

    with pytest.raises(ZeroDivisionError):
        cli.run(["config"])


def test_config_show_tells_value_and_origin(tmp_path: Path, capsys: Captured) -> None:
    """The verb's own --data-dir wins over the global one; passwords are masked."""
    file = tmp_path / "my.toml"
    file.write_text(
        '[server]\nport = 9000\n[database]\nurl = "postgresql://u:pa55@h/d"\n', encoding="utf-8"
    )
    options = ["--config", str(file), "--data-dir", "/global", "--log-level", "error"]

    assert cli.run([*options, "config", "show", "--data-dir", "/own", "--json"]) == 0

    shown = json.loads(capsys.readouterr().out)
    rows = {row["key"]: (row["value"], row["origin"]) for row in shown["values"]}
    assert rows["server.port"] == (9000, str(file))
    assert rows["server.host"] == ("127.0.0.1", "default")
    assert rows["data.dir"] == ("/own", "option --data-dir")
    assert rows["log.level"] == ("error", "option --log-level")
    assert rows["database.url"] == ("postgresql://u:***@h/d", str(file))
    assert shown["config_hash"] == Cli(file, None, "error").load(Path("/own")).config_hash


def test_config_show_is_readable_too(capsys: Captured) -> None:
    """One line for each key."""
    assert cli.run(["config", "show"]) == 0
    assert "server.port = 8420" in capsys.readouterr().out


def test_config_check_accepts_and_refuses(tmp_path: Path, capsys: Captured) -> None:
    """Exit 0 with a count, or exit 2 naming the key."""
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text("[server]\nport = 9000\n", encoding="utf-8")
    bad.write_text("[server]\nport = -1\n", encoding="utf-8")

    codes = [cli.run(["--config", str(path), "config", "check"]) for path in (good, bad)]

    seen = capsys.readouterr()
    assert codes == [0, 2]
    assert "1 not at their default" in seen.out
    assert "server.port" in seen.err


def test_python_minus_m_is_the_same_program() -> None:
    """`python -m plan2` runs the command line."""
    done = subprocess.run(
        [sys.executable, "-m", "plan2", "--version"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(plan2.__file__).parents[1])},
    )

    assert done.stdout == f"plan2 {plan2.__version__}\n"
