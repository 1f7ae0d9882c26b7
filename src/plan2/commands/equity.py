"""`plan2 equity`: the curve of balance and equity, as the page draws it."""

from pathlib import Path
from typing import Final

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)
from plan2.commands.running import ask, with_query
from plan2.commands.tables import print_table, time_text

COLUMNS: Final = {"time": "TIME", "balance": "BALANCE", "equity": "EQUITY"}


@click.command(
    name="equity",
    epilog=examples(
        "plan2 equity --limit 12",
        "plan2 equity --json | jq -r '.equity[-1]'",
    ),
)
@click.option("--limit", default=24, show_default=True, type=click.IntRange(1, 1_000))
@data_dir_option
@json_option
@click.pass_context
def command(ctx: click.Context, limit: int, data_dir: Path | None, as_json: bool) -> None:
    """Print the newest points of balance and equity, the oldest first; account currency."""
    curve = ask(resolve_data_dir(ctx, data_dir), with_query("equity", {"limit": limit}))
    if as_json:
        print_json(curve)
        return
    points = zip(curve["time_us"], curve["balance"], curve["equity"], strict=True)
    rows = [
        {"time": time_text(time_us), "balance": balance, "equity": equity}
        for time_us, balance, equity in points
    ]
    print_table(rows, COLUMNS, empty="No point of the curve is stored yet.")
