"""`plan2 decisions`: what was decided, traded or not, in a sentence each."""

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

OUTCOMES: Final = ("traded", "not_traded", "denied")
COLUMNS: Final = {
    "time": "TIME",
    "symbol": "SYMBOL",
    "side": "SIDE",
    "chance": "CHANCE",
    "decision_id": "ID",
    "sentence": "DECISION",
}


@click.group(
    name="decisions",
    epilog=examples(
        "plan2 decisions list --symbol EURUSD",
        "plan2 decisions list --outcome traded --limit 5",
        "plan2 explain DECISION",
    ),
)
def command() -> None:
    """What was decided, traded or not; `plan2 explain` takes one apart."""


@command.command(
    name="list",
    epilog=examples(
        "plan2 decisions list --outcome traded",
        "plan2 decisions list --reason cooldown --json",
    ),
)
@click.option("--symbol", help="Only of this symbol.")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Only what ended so.")
@click.option("--reason", help="Only with this reason, as --json shows it.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1_000))
@data_dir_option
@json_option
@click.pass_context
def list_decisions(
    ctx: click.Context, /, limit: int, data_dir: Path | None, as_json: bool, **which: str | None
) -> None:
    """List decisions, the newest first; the chance is the forecast's for the chosen side."""
    path = with_query("decisions", {**which, "limit": limit})
    items = ask(resolve_data_dir(ctx, data_dir), path)["items"]
    if as_json:
        print_json(items)
        return
    rows = [
        each
        | {
            "time": time_text(each["ts_us"]),
            "chance": None if each["p"] is None else f"{each['p']:.1%}",
        }
        for each in items
    ]
    print_table(rows, COLUMNS, empty="No decision of this kind is stored.")
