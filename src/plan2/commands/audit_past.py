"""`plan2 audit past`: what the accounts were like at any instant, folded from the event log."""

from pathlib import Path
from typing import Final

import click

from plan2.commands.instants import instant_ns
from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)
from plan2.commands.running import ask, with_query
from plan2.commands.tables import print_table, time_text

NS_PER_US: Final = 1_000
POSITIONS: Final = {
    "symbol": "SYMBOL",
    "direction": "SIDE",
    "quantity": "LOTS",
    "open_price": "ENTRY",
    "stop_loss": "STOP",
    "take_profit": "TARGET",
    "opened": "OPENED",
    "position_id": "ID",
}
ORDERS: Final = {"symbol": "SYMBOL", "side": "SIDE", "quantity": "LOTS", "state": "STATE"}


@click.command(
    name="past",
    epilog=examples(
        "plan2 audit past --at 2026-03-02T14:30:00Z",
        "plan2 audit past --at 2026-03-02 --tenant acme --json",
    ),
)
@click.option("--at", "at", required=True, metavar="TIME", help="ISO 8601, UTC; when it was told.")
@click.option("--tenant", default="", help="Whose log; the installation's own when left out.")
@data_dir_option
@json_option
@click.pass_context
def past(ctx: click.Context, /, at: str, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Show every account as it was at an instant: trading state, money, positions, orders."""
    path = with_query("audit/state", {"at_us": instant_ns(at) // NS_PER_US})
    state = ask(resolve_data_dir(ctx, data_dir), path, tenant)
    if as_json:
        print_json(state)
        return
    click.echo(f"At {time_text(state['at_us'])}, after event {state['position']}:")
    if not state["accounts"]:
        click.echo("There was no account.")
    for account in state["accounts"]:
        click.echo(
            f"\nAccount {account['account_id']}: trading was {account['trading_state']}; "
            f"balance {account['balance']}, equity {account['equity']}, "
            f"margin {account['margin']}, all as of {time_text(account['recorded_us'])}."
        )
        held = [each | {"opened": time_text(each["opened_us"])} for each in account["positions"]]
        print_table(held, POSITIONS, empty="Nothing was open.")
        if account["orders"]:
            print_table(account["orders"], ORDERS)
