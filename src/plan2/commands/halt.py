"""`plan2 halt`: no new entries, working entry orders withdrawn; only a person resumes."""

from typing import Any

import click

from plan2.commands.options import examples
from plan2.commands.switching import carry_out, selector_options


@click.command(
    name="halt",
    epilog=examples(
        'plan2 halt --reason "news at 14:30"',
        'plan2 halt --symbol XAUUSD --reason "spread too wide"',
        'plan2 halt --scope global --reason "maintenance" --json',
        'plan2 halt --tenant acme --reason "asked for on the phone"',
    ),
)
@selector_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:  # as declared by selector_options
    """Halt trading: no new entries, working entry orders withdrawn; only a person resumes."""
    carry_out(ctx, "halt", options)
