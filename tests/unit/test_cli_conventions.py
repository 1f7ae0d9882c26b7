"""What holds for every command: help with examples, JSON where data is shown, documented codes."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from plan2 import cli
from plan2.commands.audit import BROKEN_EXIT_CODE
from plan2.foundation import errors

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "src" / "plan2" / "commands"
DOCUMENT = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
CONTEXT = click.Context(cli.command)


def leaves(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something and that people see, by its full name."""
    for name in group.list_commands(CONTEXT):
        found = group.get_command(CONTEXT, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from leaves(found, f"{before}{name} ")
        elif not found.hidden:
            yield f"{before}{name}", found


COMMANDS = dict(leaves(cli.command))
WITHOUT_JSON = {
    "serve": "runs until it is stopped",
    "desktop": "opens a window",
    "completion": "prints a script of the shell",
    "flow template": "prints or writes a flow file",
    "audit prove": "prints JSON anyway",
    "audit hold": "prints one id and nothing else",
    "audit lift": "acts, and says nothing that the id does not",
    "audit export": "writes the file that was named",
    "gdpr export": "writes the file that was named",
    "records orders": "writes the records themselves",
    "records trades": "writes the records themselves",
    "models export": "writes the file that was named",
    "backtests export": "writes the file that was named",
    "alerts beat": "says nothing",
    "alerts channels remove": "acts, and says nothing that its argument does not",
    "assistants agree": "asks back: a consent is a person's own act",
}
"""Commands without `--json`, and why they need none."""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name: str) -> None:
    """What it does in a sentence, and lines that can be copied."""
    command = COMMANDS[name]
    assert (command.help or "").strip().endswith((".", ")"))
    assert f"plan2 {name.split(maxsplit=1)[0]}" in (command.epilog or "")


def test_every_command_has_json_or_a_reason() -> None:
    """A script can read whatever a command says."""
    lacking = {
        name
        for name, command in COMMANDS.items()
        if not any("--json" in option.opts for option in command.params)
    }
    assert lacking == set(WITHOUT_JSON)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_runs_its_help_and_refuses_what_it_does_not_know(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0 with examples, and 2 with one sentence on standard error, nothing else."""
    assert cli.run([*name.split(), "--help"]) == 0
    shown = capsys.readouterr()
    assert "Examples:" in shown.out
    assert not shown.err
    assert cli.run([*name.split(), "--no-such-option"]) == 2
    shown = capsys.readouterr()
    assert not shown.out
    assert "--no-such-option" in shown.err
    assert "Traceback" not in shown.err


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_is_documented(verb: str) -> None:
    """docs/cli.md names it with the line of `plan2 --help`."""
    assert f"| `{verb}` | {cli.VERBS[verb]} |" in DOCUMENT


def test_every_exit_code_is_documented() -> None:
    """Each code of an error, those of click and of Ctrl+C; none that does not exist."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.Plan2Error)}
    sources = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.py"))
    codes |= {int(code) for code in re.findall(r"EXIT_CODE[^=\n]*= (\d+)", sources)}
    codes |= {int(code) for code in re.findall(r"\.exit\((\d+)", sources)}
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", DOCUMENT, re.MULTILINE)}
    assert told == codes | {0, 2, BROKEN_EXIT_CODE, cli.INTERRUPTED_EXIT_CODE}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_a_shell_gets_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the program and the variable by which the shell asks."""
    assert cli.run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "_PLAN2_COMPLETE" in script
    assert "plan2" in script


def complete(shell: str, words: str, **more: str) -> str:
    """What a shell is told may come next."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from plan2.cli import main; main()",
        ],
        capture_output=True,
        text=True,
        check=False,
        env={
            "PYTHONPATH": str(ROOT / "src"),
            "PATH": os.environ.get("PATH", ""),
            "_PLAN2_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": words,
            **more,
        },
    )
    return done.stdout


def test_shells_are_told_what_may_come_next() -> None:
    """A verb by its beginning, in bash and in PowerShell, with its meaning."""
    assert "plain,doctor" in complete("bash", "plan2 doc", COMP_CWORD="1")
    told = complete("powershell", "plan2 doc", COMP_INCOMPLETE="doc")
    assert told.startswith("doctor\t")


def test_colours_stay_off_where_nobody_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR switches them off whatever the terminal can do."""
    monkeypatch.setenv("NO_COLOR", "1")
    with cli.command.make_context("plan2", ["completion", "bash"]) as context:
        cli.command.invoke(context)
        assert context.color is False
