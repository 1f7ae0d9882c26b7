"""`plan2 secrets`: which keys protect what is stored, and replacing them; never a key itself."""

from pathlib import Path

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)

tenant_option = click.option("--tenant", metavar="ID", default="", help="Whose keys.")


@click.group(
    name="secrets",
    epilog=examples(
        "plan2 secrets status                 where the root key lies, versions, rotations",
        "plan2 secrets rotate                 a new key for the tenant",
        "plan2 secrets rotate --level root    a new root key",
    ),
)
def command() -> None:
    """Show and replace the keys that seal secrets and personal data."""


@command.command(
    epilog=examples("plan2 secrets status", "plan2 secrets status --tenant acme --json")
)
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def status(ctx: click.Context, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Print where the root key lies, the tenant's keys, and how far rotations have come."""
    from plan2.commands.running import request
    from plan2.commands.tables import print_table

    found = request(resolve_data_dir(ctx, data_dir), "GET", "secrets/keys", tenant=tenant)
    if as_json:
        print_json(found)
        return
    provider = found["provider"]
    detail = f": {found['provider_detail']}" if found["provider_detail"] else ""
    click.echo(f"Provider of the root key: {found['provider_state']}{detail}")
    if provider:
        click.echo(f"  {provider['kind']} at {provider['place']}, {provider['protection']}")
        click.echo(f"  current {provider['current_key']}, {len(provider['keys'])} in all")
        click.echo("  Without it nothing that is sealed opens: keep a copy of it elsewhere.")
    click.echo(f"People with a key of their own: {found['people']}\n")
    print_table(
        found["tenant_keys"],
        {"version": "VERSION", "key_id": "KEY", "root_key": "WRAPPED BY", "is_behind": "BEHIND"},
        empty="The tenant has no key yet.",
    )
    if found["rotations"]:
        click.echo()
        rows = [item | {"state": _state(item)} for item in found["rotations"]]
        print_table(
            rows,
            {
                "level": "LEVEL",
                "new_key": "NEW KEY",
                "rewrapped": "WRAPPED AGAIN",
                "state": "STATE",
            },
        )


@command.command(
    epilog=examples("plan2 secrets rotate --tenant acme", "plan2 secrets rotate --level root")
)
@click.option(
    "--level",
    type=click.Choice(["tenant", "root"]),
    default="tenant",
    show_default=True,
    help="Which key.",
)
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def rotate(
    ctx: click.Context, level: str, tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """Replace a key; nothing stops, old values stay readable, the rest follows by itself."""
    from plan2.commands.running import request

    folder = resolve_data_dir(ctx, data_dir)
    receipt = request(folder, "POST", "secrets/rotate", {"level": level}, tenant=tenant)
    if as_json:
        print_json(receipt)
        return
    click.echo(f"New {level} key {receipt['new_key']} (before: {receipt['old_key']}).")
    click.echo("What the old one wrapped is wrapped again now; see `plan2 secrets status`.")


def _state(item: dict[str, object]) -> str:
    return "done" if item["finished_us"] is not None else "goes on"
