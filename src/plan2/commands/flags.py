"""`plan2 flags`: what is switched on and off in the running Plan2, and for whom."""

from pathlib import Path
from typing import Any, Final

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)
from plan2.commands.setting_options import TargetOptions, path_of, target_options

STATES: Final[dict[str, bool | None]] = {"on": True, "off": False, "default": None}


@click.group(
    name="flags",
    epilog=examples(
        "plan2 flags list",
        'plan2 flags set manual_trading off --reason "automatic only"',
        "plan2 flags set manual_trading off --tenant acme --user 0123456789abcdef",
        "plan2 flags set exploration default --scope global",
    ),
)
def command() -> None:
    """Show and switch feature flags."""


@command.command(
    "list", epilog=examples("plan2 flags list", "plan2 flags list --tenant acme --json")
)
@click.option("--tenant", metavar="ID", default="", help="For which tenant.")
@data_dir_option
@json_option
@click.pass_context
def list_(ctx: click.Context, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Print every flag, how it stands, which scope says so, and what it is for."""
    from plan2.commands.running import request
    from plan2.commands.tables import print_table

    found = request(resolve_data_dir(ctx, data_dir), "GET", "flags", tenant=tenant)
    if as_json:
        print_json(found)
        return
    rows = [item | {"state": _state(item)} for item in found["items"]]
    print_table(rows, {"flag": "FLAG", "state": "STATE", "origin": "SAYS", "doc": "WHILE IT IS ON"})


@command.command(
    "set",
    epilog=examples(
        'plan2 flags set foreign_claims off --reason "only our own positions"',
        "plan2 flags set foreign_claims default       back to what the wider scope says",
    ),
)
@click.argument("flag")
@click.argument("state", type=click.Choice(list(STATES)))
@target_options
@click.pass_context
def set_(ctx: click.Context, /, flag: str, state: str, target: TargetOptions) -> None:
    """Switch a flag on or off, or leave it to the wider scope; in force at once."""
    from plan2.commands.running import request

    body = {"is_on": STATES[state], "reason": target.reason}
    folder = resolve_data_dir(ctx, target.data_dir)
    item = request(folder, "PUT", path_of("flags", flag, target), body, tenant=target.tenant)
    if target.as_json:
        print_json(item)
        return
    click.echo(f"{flag} is {_state(item)} ({item['origin']}).")


def _state(item: dict[str, Any]) -> str:
    return "on" if item["is_on"] else "off"
