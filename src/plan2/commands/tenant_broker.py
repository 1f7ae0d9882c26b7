"""`plan2 tenant broker`: a tenant's own broker account, of a running Plan2."""

from pathlib import Path
from typing import Any

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)
from plan2.commands.running import quoted, request, with_query
from plan2.commands.tables import print_table

View = dict[str, Any]
"""How a tenant stands to its broker, as the API shows it."""

STATES = {
    "none": "trades on paper: it is bound to no broker account.",
    "waiting": "is bound and waits for the first word of its terminal; until then it is on paper.",
    "open": "deals at its own broker.",
    "closing": "is wound down at its own broker.",
    "failed": "is bound, and its account cannot be opened.",
}
COLUMNS = {
    "symbol": "SYMBOL",
    "bid": "BID",
    "ask": "ASK",
    "age_ms": "AGE ms",
    "gap_spreads": "GAP spreads",
    "terms": "TERMS DIFFER",
}


@click.group(
    name="broker",
    epilog=examples(
        "plan2 tenant broker show acme",
        "plan2 tenant broker bind acme --name main --login 5000002 --server Broker-Demo "
        '--mode demo --reason "contract 12"',
        "plan2 terminal-keys create --tenant acme --account acme-main --label office",
        'plan2 tenant broker unbind acme --reason "contract ended"',
    ),
)
def command() -> None:
    """Show, bind and let go of a tenant's own MetaTrader 5 account.

    tenant_brokers.enabled must be on, and this Plan2 must trade a broker's market itself. A tenant
    whose settings ask for a second person binds its account on page Settings.
    """


@command.command(
    epilog=examples("plan2 tenant broker show acme", "plan2 tenant broker show acme --json")
)
@click.argument("tenant", metavar="ID")
@data_dir_option
@json_option
@click.pass_context
def show(ctx: click.Context, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Print where a tenant deals, how its terminal is, and how its quotes stand to the market's."""
    _print(request(resolve_data_dir(ctx, data_dir), "GET", _path(tenant)), as_json)


@command.command(
    epilog=examples(
        "plan2 tenant broker bind acme --name main --login 5000002 --server Broker-Demo "
        '--mode demo --reason "contract 12"'
    )
)
@click.argument("tenant", metavar="ID")
@click.option("--name", required=True, help="Plan2's word for the account: a-z and 0-9.")
@click.option("--login", required=True, help="Number of the MetaTrader 5 account.")
@click.option("--server", required=True, help="Trade server as the terminal shows it.")
@click.option(
    "--mode",
    required=True,
    type=click.Choice(["demo", "contest", "real"]),
    help="Whose money it is; a terminal with another kind of account is turned away.",
)
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the events.")
@data_dir_option
@json_option
@click.pass_context
def bind(
    ctx: click.Context,
    tenant: str,
    name: str,
    login: str,
    server: str,
    mode: str,
    reason: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Bind a tenant to its own account; it comes up disarmed when its terminal has connected."""
    body = {"name": name, "login": login, "server": server, "mode": mode, "reason": reason}
    done = request(resolve_data_dir(ctx, data_dir), "PUT", _path(tenant), body)
    _print(done["broker"], as_json)


@command.command(epilog=examples('plan2 tenant broker unbind acme --reason "contract ended"'))
@click.argument("tenant", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the events.")
@data_dir_option
@json_option
@click.pass_context
def unbind(
    ctx: click.Context, tenant: str, reason: str, data_dir: Path | None, as_json: bool
) -> None:
    """Let go of an account that is flat; refused while anything is open there."""
    path = with_query(_path(tenant), {"reason": reason})
    _print(request(resolve_data_dir(ctx, data_dir), "DELETE", path), as_json)


def _path(tenant: str) -> str:
    return f"tenants/{quoted(tenant)}/broker"


def _print(view: View, as_json: bool) -> None:
    if as_json:
        print_json(view)
        return
    click.echo(f"Tenant {view['tenant_id']} {STATES[view['state']]}")
    if view["why_not"]:
        click.echo(f"  No account can be bound: {view['why_not']}.")
    account = view["account"]
    if account:
        good = sum(key["revoked_us"] is None for key in account["keys"])
        click.echo(
            f"  Account {account['account_id']}: {account['login']} at {account['server']} "
            f"({account['mode']}), {good} good keys, link: {view['link']}"
        )
    if view["detail"]:
        click.echo(f"  {view['detail']}")
    if view["state"] in {"open", "closing"}:
        click.echo(f"  {view['positions']} positions and {view['orders']} orders are open there.")
        print_table(view["symbols"], COLUMNS, empty="No symbol is common to both brokers.")
