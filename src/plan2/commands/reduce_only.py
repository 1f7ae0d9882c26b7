"""`plan2 reduce-only`: no new entries, working entry orders withdrawn."""

from typing import Any

import click

from plan2.commands.options import examples
from plan2.commands.switching import carry_out, selector_options


@click.command(
    name="reduce-only",
    epilog=examples(
        'plan2 reduce-only --reason "news at 14:30"',
        'plan2 reduce-only --symbol XAUUSD --reason "spread too wide"',
        'plan2 reduce-only --scope global --reason "maintenance" --json',
    ),
)
@selector_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:  # as declared by selector_options
    """Let only exits through: no new entries, working entry orders withdrawn."""
    carry_out(ctx, "reduce-only", options)
