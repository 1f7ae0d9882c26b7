"""`plan2 resume`: arm trading again; an account with somebody's money has to be named with it."""

from typing import Any

import click

from plan2.commands.options import examples
from plan2.commands.switching import carry_out, selector_options

MODES = ("simulated", "replay", "demo", "contest", "real")


@click.command(
    name="resume",
    epilog=examples(
        'plan2 resume --reason "checked the positions"',
        'plan2 resume --flow main --reason "the loop is fixed"',
        'plan2 resume --account live --mode demo --reason "first day"',
        'plan2 resume --account live --mode real --i-accept-real-losses --reason "go"',
    ),
)
@selector_options
@click.option(
    "--mode",
    type=click.Choice(MODES),
    help="The account's mode as you know it; trading starts only if the broker says the same.",
)
@click.option(
    "--i-accept-real-losses", is_flag=True, help="Needed to arm an account with --mode real."
)
@click.pass_context
def command(
    ctx: click.Context, /, mode: str | None, i_accept_real_losses: bool, **options: Any
) -> None:  # options as declared by selector_options
    """Arm trading again.

    Accounts that are not simulated are armed only when account and mode are named; a mode that the
    broker does not tell counts as real.
    """
    if mode == "real" and not i_accept_real_losses:
        raise click.UsageError("--mode real puts money at risk: add --i-accept-real-losses.")
    if mode is not None and not options["account"]:
        raise click.UsageError("--mode belongs to --account: name the account you mean.")
    carry_out(ctx, "resume", options, mode=mode)
