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
from plan2.foundation import errors

ROOT = Path(__file__).parents[2]
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


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name: str) -> None:
    """What it does in a sentence, and lines that can be copied."""
    command = COMMANDS[name]
    assert (command.help or "").strip().endswith((".", ")"))
    assert f"plan2 {name.split(maxsplit=1)[0]}" in (command.epilog or "")


def test_commands_that_print_data_have_json() -> None:
    """Whatever only shows something can show it to a script."""
    words = {"list", "show", "verify", "compare", "history", "status", "check"}
    lacking = [
        name
        for name, command in COMMANDS.items()
        if name.split()[-1] in words
        and not any("--json" in option.opts for option in command.params)
    ]
    assert lacking == []


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_is_documented(verb: str) -> None:
    """docs/cli.md names it with the line of `plan2 --help`."""
    assert f"| `{verb}` | {cli.VERBS[verb]} |" in DOCUMENT


def test_every_exit_code_is_documented() -> None:
    """Each code of an error, those of click and of Ctrl+C; none that does not exist."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.Plan2Error)}
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", DOCUMENT, re.MULTILINE)}
    assert told == codes | {0, 2, cli.INTERRUPTED_EXIT_CODE}


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
