"""`plan2 key`: keys with which programs use the API of the running Plan2."""

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
from plan2.commands.running import quoted, request, user_id_of, with_query
from plan2.commands.tables import cell_text, print_table, time_text

COLUMNS: Final = {
    "key_id": "ID",
    "user": "USER",
    "label": "LABEL",
    "scopes": "MAY",
    "networks": "FROM",
    "expires": "EXPIRES",
    "used": "LAST USED",
    "state": "STATE",
    "why": "WHY",
}

tenant_option = click.option(
    "--tenant", default="", metavar="ID", help="Whose keys [the installation's own tenant]."
)


@click.group(
    name="key",
    epilog=examples(
        "plan2 key list                                  every key of the tenant",
        "plan2 key create --user bot --scope read        a key that may only look",
        "plan2 key create --user bot --scope read --scope trade --days 30 --from 10.0.0.0/8",
        "plan2 key revoke 0123456789ab                   dead at once",
        'curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8420/api/v1/account',
    ),
)
def command() -> None:
    """Make, list and revoke keys for programs.

    A key belongs to a user and may do no more than that user; it ends with the user's rights.
    To replace a key without a pause make a second one with the same label, then revoke the first.
    """


@command.command("list", epilog=examples("plan2 key list", "plan2 key list --json | jq ."))
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def list_(ctx: click.Context, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Print every key of a tenant; the keys themselves are not known any more."""
    folder = resolve_data_dir(ctx, data_dir)
    keys = request(folder, "GET", with_query("keys", {"all": "true"}), tenant=tenant)["items"]
    if as_json:
        print_json(keys)
        return
    rows = [
        {
            **each,
            "networks": each["networks"] or "everywhere",
            "expires": time_text(each["expires_us"]),
            "used": time_text(each["last_used_us"]),
        }
        for each in keys
    ]
    print_table(rows, COLUMNS, empty="This tenant has no keys.")


@command.command(
    epilog=examples(
        "plan2 key create --user bot --scope read",
        "plan2 key create --user bot --scope read --scope trade --label desk --days 365",
        "plan2 key create --user bot --scope read --json | jq -r .key > key.txt",
    )
)
@click.option("--user", required=True, metavar="NAME", help="Whose key it is: name or id.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(("read", "trade")),
    multiple=True,
    required=True,
    help="What it may do; may be given twice.",
)
@click.option("--label", default="cli", show_default=True, help="A word to know the key by.")
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True)
@click.option(
    "--from", "networks", multiple=True, metavar="CIDR", help="Where it may be used from."
)
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def create(
    ctx: click.Context,
    user: str,
    scopes: tuple[str, ...],
    label: str,
    days: int,
    networks: tuple[str, ...],
    tenant: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Make a key and print it; it cannot be shown again."""
    folder = resolve_data_dir(ctx, data_dir)
    body = {
        "label": label,
        "scopes": sorted(set(scopes)),
        "days": days,
        "networks": list(networks),
        "user_id": user_id_of(folder, user, tenant),
    }
    made = request(folder, "POST", "keys", body, tenant)
    if as_json:
        print_json(made)
        return
    item = made["item"]
    click.echo(f"Key {item['key_id']} of {item['user']}; keep it, it is shown only now:")
    click.echo(f"\n  {made['key']}\n")
    click.echo(f"It may {cell_text(item['scopes'])} until {time_text(item['expires_us'])}.")


@command.command(epilog=examples("plan2 key revoke 0123456789ab"))
@click.argument("key_id", metavar="ID")
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def revoke(
    ctx: click.Context, key_id: str, tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """Revoke a key for good; its program is refused from the next request on."""
    folder = resolve_data_dir(ctx, data_dir)
    request(folder, "DELETE", f"keys/{quoted(key_id)}", tenant=tenant)
    if as_json:
        print_json({"key_id": key_id, "state": "revoked"})
    else:
        click.echo(f"Key {key_id} is revoked.")
