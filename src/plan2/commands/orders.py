"""`plan2 orders`: orders by hand: look first, place, change, withdraw."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from plan2.commands.options import (
    F,
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)
from plan2.commands.running import ask, quoted, request, with_query
from plan2.commands.tables import print_table, time_text

COLUMNS: Final = {
    "placed": "PLACED",
    "symbol": "SYMBOL",
    "side": "SIDE",
    "quantity": "LOTS",
    "trigger": "KIND",
    "state": "STATE",
    "filled_price": "PRICE",
    "why": "WHY",
    "order_id": "ID",
}
CHECKS: Final = {"rule": "CHECK", "passed": "PASSES", "value": "SEES", "limit": "LIMIT"}
TRIGGERS: Final = ("market", "limit", "stop", "stop_limit")

price_option = click.option("--price", type=float, help="At which price; not for market orders.")
limit_option = click.option("--limit-price", type=float, help="Worst price of a stop limit.")
stop_option = click.option("--stop-loss", type=float, help="0 = none.")
target_option = click.option("--take-profit", type=float, help="0 = none.")
reason_option = click.option("--reason", required=True, metavar="TEXT", help="Why; kept for good.")


def order_options(callback: F) -> F:
    """Add what an order is made of."""
    parts: tuple[Callable[[F], F], ...] = (
        click.argument("side", type=click.Choice(["buy", "sell"])),
        click.argument("symbol"),
        click.argument("quantity", type=float, metavar="LOTS"),
        click.option("--trigger", type=click.Choice(TRIGGERS), help="What sets it off [market]."),
        price_option,
        limit_option,
        stop_option,
        target_option,
    )
    for part in reversed(parts):
        callback = part(callback)
    return callback


@click.group(
    name="orders",
    epilog=examples(
        "plan2 orders list",
        "plan2 orders preview buy EURUSD 0.1 --stop-loss 1.05",
        'plan2 orders place buy EURUSD 0.1 --stop-loss 1.05 --reason "by hand"',
        "plan2 orders cancel ORDER",
    ),
)
def command() -> None:
    """Orders by hand; the risk gate looks at each as at the algorithm's own."""


@command.command(name="list", epilog=examples("plan2 orders list", "plan2 orders list --json"))
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1_000))
@data_dir_option
@json_option
@click.pass_context
def list_orders(ctx: click.Context, limit: int, data_dir: Path | None, as_json: bool) -> None:
    """List orders, the newest first."""
    path = with_query("orders", {"limit": limit})
    items = ask(resolve_data_dir(ctx, data_dir), path)["items"]
    if as_json:
        print_json(items)
        return
    rows = [each | {"placed": time_text(each["ts_us"])} for each in items]
    print_table(rows, COLUMNS, empty="There is no order yet.")


@command.command(epilog=examples("plan2 orders preview buy EURUSD 0.1 --stop-loss 1.05"))
@order_options
@data_dir_option
@json_option
@click.pass_context
def preview(ctx: click.Context, /, data_dir: Path | None, as_json: bool, **order: object) -> None:
    """Say what every risk check makes of an order now; nothing is sent.

    Ends with exit code 1 when one would refuse it.
    """
    found = ask(resolve_data_dir(ctx, data_dir), with_query("orders/preview", order))
    if as_json:
        print_json(found)
    else:
        print_table(found["checks"], CHECKS)
    ctx.exit(0 if found["passes"] else 1)


@command.command(
    epilog=examples('plan2 orders place sell USDJPY 0.1 --stop-loss 153 --reason "by hand"')
)
@order_options
@reason_option
@data_dir_option
@json_option
@click.pass_context
def place(ctx: click.Context, /, data_dir: Path | None, as_json: bool, **order: object) -> None:
    """Ask for an order; what becomes of it stands in `plan2 orders list`."""
    folder = resolve_data_dir(ctx, data_dir)
    tell_receipt(request(folder, "POST", "orders", given(order)), as_json=as_json)


@command.command(epilog=examples('plan2 orders change ORDER --price 1.06 --reason "further away"'))
@click.argument("order")
@price_option
@limit_option
@stop_option
@target_option
@reason_option
@data_dir_option
@json_option
@click.pass_context
def change(
    ctx: click.Context, /, order: str, data_dir: Path | None, as_json: bool, **prices: object
) -> None:
    """Give a working pending order other prices or stops; what is left out stays."""
    folder = resolve_data_dir(ctx, data_dir)
    receipt = request(folder, "PATCH", f"orders/{quoted(order)}", given(prices))
    tell_receipt(receipt, as_json=as_json)


@command.command(epilog=examples("plan2 orders cancel ORDER"))
@click.argument("order")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept for good.")
@data_dir_option
@json_option
@click.pass_context
def cancel(
    ctx: click.Context, order: str, reason: str, data_dir: Path | None, as_json: bool
) -> None:
    """Withdraw a working pending order."""
    path = with_query(f"orders/{quoted(order)}", {"reason": reason})
    tell_receipt(request(resolve_data_dir(ctx, data_dir), "DELETE", path), as_json=as_json)


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that somebody named."""
    return {name: value for name, value in options.items() if value is not None}


def tell_receipt(receipt: dict[str, Any], *, as_json: bool) -> None:
    """Print what a request became; its outcome comes later."""
    if as_json:
        print_json(receipt)
    elif receipt["order_id"]:
        click.echo(f"Asked for: order {receipt['order_id']} is {receipt['state']}.")
    else:
        click.echo("Done.")
