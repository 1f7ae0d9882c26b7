"""`plan2 explain`: why a decision was made, and whether it comes out the same again."""

from pathlib import Path

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_settings,
)

DIFFERS_EXIT_CODE = 8


@click.command(
    name="explain",
    epilog=examples("plan2 explain 4f0c2a91", "plan2 explain paper:12 --json"),
)
@click.argument("wanted", metavar="ID")
@data_dir_option
@json_option
@click.pass_context
def command(ctx: click.Context, wanted: str, data_dir: Path | None, as_json: bool) -> None:
    """Say why a decision was made, and take it again from its record.

    ID is a decision, order or position id, or the beginning of one. Exit code 8 when taking the
    decision again gives anything else than what was recorded.
    """
    from plan2.foundation.loop import run_async
    from plan2.wiring.explanation import text_of
    from plan2.wiring.inquiry import Explained, open_inquiry

    async def ask() -> Explained:
        async with open_inquiry(resolve_settings(ctx, data_dir)) as inquiry:
            return await inquiry.explain(wanted)

    explained = run_async(ask())
    if as_json:
        print_json(explained)
    else:
        click.echo(text_of(explained))
    if not explained.replayed.identical:
        ctx.exit(DIFFERS_EXIT_CODE)
