"""`plan2 completion`: what makes a shell complete verbs and options."""

import os
from typing import Final

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from plan2.commands.options import examples

VARIABLE: Final = "_PLAN2_COMPLETE"
PROGRAM: Final = "plan2"
SHELLS: Final = ("bash", "zsh", "fish", "powershell")


@add_completion_class
class PowerShell(ShellComplete):
    """Completion for PowerShell, which click does not know."""

    name = "powershell"
    source_template = r"""Register-ArgumentCompleter -Native -CommandName plan2 -ScriptBlock {
    param($word, $ast, $cursor)
    $env:%(complete_var)s = "powershell_complete"
    $env:COMP_WORDS = $ast.ToString()
    $env:COMP_INCOMPLETE = $word
    try {
        %(prog_name)s | ForEach-Object {
            $value, $help = $_ -split "`t", 2
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new(
                $value, $value, "ParameterValue", $help)
        }
    } finally {
        Remove-Item Env:%(complete_var)s, Env:COMP_WORDS, Env:COMP_INCOMPLETE
    }
}
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor without the program, and the word under it."""
        words = split_arg_string(os.environ.get("COMP_WORDS", ""))[1:]
        incomplete = os.environ.get("COMP_INCOMPLETE", "")
        if incomplete and words and words[-1] == incomplete:
            words.pop()
        return words, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """A value and what it means, with a tab between."""
        return f"{item.value}\t{item.help or ''}"


@click.command(
    name="completion",
    epilog=examples(
        "plan2 completion bash > ~/.local/share/bash-completion/completions/plan2",
        'plan2 completion zsh > "${fpath[1]}/_plan2"',
        "plan2 completion fish > ~/.config/fish/completions/plan2.fish",
        "plan2 completion powershell >> $PROFILE",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete plan2's verbs and options."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"This click knows no completion for {shell}.")
    click.echo(kind(ctx.find_root().command, {}, PROGRAM, VARIABLE).source())
