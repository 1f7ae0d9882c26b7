"""`plan2 pause`: no new entries; open positions are managed, working orders stay."""

from typing import Any

import click

from plan2.commands.options import examples
from plan2.commands.switching import carry_out, selector_options


@click.command(
    name="pause",
    epilog=examples(
        'plan2 pause --reason "news at 14:30"',
        'plan2 pause --symbol XAUUSD --reason "spread too wide"',
        'plan2 pause --scope global --reason "maintenance" --json',
        'plan2 pause --tenant acme --reason "asked for on the phone"',
    ),
)
@selector_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:  # as declared by selector_options
    """Pause trading: no new entries; open positions are managed, working orders stay."""
    carry_out(ctx, "pause", options)
