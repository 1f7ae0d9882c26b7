"""`plan2 accept-broker-view`: close in our books what the broker does not have."""

from pathlib import Path

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)


@click.command(
    name="accept-broker-view",
    epilog=examples(
        'plan2 accept-broker-view --account live --reason "closed by the broker, ticket 8812"',
    ),
)
@click.option(
    "--account", default="", metavar="NAME", help="Which account (default: the only one)."
)
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the events.")
@data_dir_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, account: str, reason: str, data_dir: Path | None, *, as_json: bool
) -> None:
    """Close in our books the positions that the broker does not have.

    Only while the account is halted and its terminal connected. Nothing is sent to the broker and
    nothing is resumed: look at the broker's own history first.
    """
    from plan2.commands.running import quoted, request

    path = f"accounts/{quoted(account or '-')}/accept-broker-view"
    answer = request(resolve_data_dir(ctx, data_dir), "POST", path, {"reason": reason})
    if as_json:
        print_json(answer)
        return
    for position_id in answer["closed"]:
        click.echo(f"closed in our books: {position_id}")
