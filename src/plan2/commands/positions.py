"""`plan2 positions`: what is open, other stops, closing, whose care it is in."""

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
from plan2.commands.orders import given, reason_option, stop_option, target_option, tell_receipt
from plan2.commands.running import ask, quoted, request, with_query
from plan2.commands.tables import print_table, time_text

COLUMNS: Final = {
    "symbol": "SYMBOL",
    "direction": "SIDE",
    "quantity": "LOTS",
    "open_price": "ENTRY",
    "stop_loss": "STOP",
    "take_profit": "TARGET",
    "profit": "PROFIT",
    "opened": "OPENED",
    "position_id": "ID",
}


@click.group(
    name="positions",
    epilog=examples(
        "plan2 positions list",
        'plan2 positions close POSITION --reason "enough"',
        'plan2 positions stops POSITION --stop-loss 1.06 --reason "break even"',
    ),
)
def command() -> None:
    """Open and closed positions, and what one does with them by hand."""


@command.command(
    name="list", epilog=examples("plan2 positions list", "plan2 positions list --closed --json")
)
@click.option("--closed", is_flag=True, help="The closed ones instead, newest first.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000))
@data_dir_option
@json_option
@click.pass_context
def list_positions(
    ctx: click.Context, closed: bool, limit: int, data_dir: Path | None, as_json: bool
) -> None:
    """List positions; profit is floating while they are open."""
    asked = {"status": "closed" if closed else "open", "limit": limit}
    items = ask(resolve_data_dir(ctx, data_dir), with_query("positions", asked))["items"]
    if as_json:
        print_json(items)
        return
    rows = [each | {"opened": time_text(each["opened_us"])} for each in items]
    print_table(rows, COLUMNS, empty="There is no such position.")


@command.command(
    epilog=examples(
        'plan2 positions close POSITION --reason "enough"',
        'plan2 positions close POSITION --quantity 0.05 --reason "half of it"',
        'plan2 positions close POSITION --against OTHER --reason "flat"',
    )
)
@click.argument("position")
@click.option("--quantity", type=float, metavar="LOTS", help="Only so much of it.")
@click.option("--against", "opposite_id", metavar="POSITION", help="An opposite position of yours.")
@reason_option
@data_dir_option
@json_option
@click.pass_context
def close(
    ctx: click.Context, /, position: str, data_dir: Path | None, as_json: bool, **wish: object
) -> None:
    """Close a position at market, a part of it, or against an opposite one."""
    if wish["quantity"] is not None and wish["opposite_id"] is not None:
        raise click.UsageError("Name either --quantity or --against.")
    how = "close" if wish["opposite_id"] is None else "close-by"
    path = f"positions/{quoted(position)}/{how}"
    receipt = request(resolve_data_dir(ctx, data_dir), "POST", path, given(wish))
    tell_receipt(receipt, as_json=as_json)


@command.command(
    epilog=examples('plan2 positions stops POSITION --stop-loss 1.06 --reason "break even"')
)
@click.argument("position")
@stop_option
@target_option
@reason_option
@data_dir_option
@json_option
@click.pass_context
def stops(
    ctx: click.Context, /, position: str, data_dir: Path | None, as_json: bool, **prices: object
) -> None:
    """Give a position another stop-loss or take-profit; what is left out stays."""
    path = f"positions/{quoted(position)}"
    receipt = request(resolve_data_dir(ctx, data_dir), "PATCH", path, given(prices))
    tell_receipt(receipt, as_json=as_json)


@command.command(
    epilog=examples('plan2 positions claim POSITION --horizon-s 7200 --reason "look after it"')
)
@click.argument("position")
@click.option("--horizon-s", type=click.IntRange(0), default=0, help="Close it then; 0 = never.")
@reason_option
@data_dir_option
@json_option
@click.pass_context
def claim(
    ctx: click.Context, /, position: str, data_dir: Path | None, as_json: bool, **wish: object
) -> None:
    """Hand a position that a person opened elsewhere to Plan2's care."""
    path = f"positions/{quoted(position)}/claim"
    receipt = request(resolve_data_dir(ctx, data_dir), "POST", path, wish)
    tell_receipt(receipt, as_json=as_json)


@command.command(epilog=examples('plan2 positions release POSITION --reason "mine again"'))
@click.argument("position")
@reason_option
@data_dir_option
@json_option
@click.pass_context
def release(
    ctx: click.Context, position: str, reason: str, data_dir: Path | None, as_json: bool
) -> None:
    """Take a position out of Plan2's care; it is counted all the same."""
    path = f"positions/{quoted(position)}/release"
    receipt = request(resolve_data_dir(ctx, data_dir), "POST", path, {"reason": reason})
    tell_receipt(receipt, as_json=as_json)
