"""`plan2 user`: the people of a tenant of the running Plan2, their roles and their links."""

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
from plan2.commands.running import Answer, quoted, request, user_id_of
from plan2.commands.tables import print_table, time_text
from plan2.connectivity.identity.rights import Role

ROLES: Final = tuple(role.value for role in Role)
COLUMNS: Final = {
    "name": "NAME",
    "role": "ROLE",
    "state": "STATE",
    "is_operator": "OPERATOR",
    "has_password": "PASSWORD",
    "has_second_factor": "SECOND FACTOR",
    "created": "SINCE",
    "user_id": "ID",
}

tenant_option = click.option(
    "--tenant", default="", metavar="ID", help="Whose people [the installation's own tenant]."
)
user_argument = click.argument("user", metavar="NAME")


@click.group(
    name="user",
    epilog=examples(
        "plan2 user list                              everybody, and how they stand",
        "plan2 user invite ann --role Analyst         print a link that ann joins with",
        "plan2 user role ann Portfolio_Manager        her sessions end, she signs in again",
        "plan2 user block ann                         out at once, keys and sessions too",
        "plan2 user reset ann --second-factor         password and authenticator are lost",
        "plan2 user operator ann on                   ann may run the installation",
    ),
)
def command() -> None:
    """Invite people, give them roles, block them, reset passwords.

    A user is named by name or id. Every change is an event and takes effect at once.
    """


@command.command(
    "list", epilog=examples("plan2 user list", "plan2 user list --tenant acme --json | jq .")
)
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def list_(ctx: click.Context, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Print everybody of a tenant."""
    users = request(resolve_data_dir(ctx, data_dir), "GET", "users", tenant=tenant)["items"]
    if as_json:
        print_json(users)
        return
    rows = [{**each, "created": time_text(each["created_us"])} for each in users]
    print_table(rows, COLUMNS, empty="This tenant has no people.")


@command.command(
    epilog=examples(
        "plan2 user invite ann --role Analyst",
        "plan2 user invite bot --role API_User          then: plan2 key create --user bot",
        "plan2 user invite ann --role Analyst --json | jq -r .link",
    )
)
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What they may do.")
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def invite(
    ctx: click.Context, name: str, role: str, tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """Add a person and print the link with which they set a password; good once, for 48 hours."""
    folder = resolve_data_dir(ctx, data_dir)
    made = request(folder, "POST", "users", {"name": name, "role": role}, tenant)
    _show_link(made, as_json)


@command.command(epilog=examples("plan2 user role ann Portfolio_Manager"))
@user_argument
@click.argument("role", type=click.Choice(ROLES))
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def role(
    ctx: click.Context, user: str, role: str, tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """Give somebody another role; their sessions end, keys that may do more end for good."""
    changed = _change(resolve_data_dir(ctx, data_dir), user, {"role": role}, tenant)
    _told(changed, f"{changed['name']} is {changed['role']} now.", as_json)


@command.command(epilog=examples("plan2 user rename ann 'Ann Miller'"))
@user_argument
@click.argument("new_name")
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def rename(
    ctx: click.Context, user: str, new_name: str, tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """Give somebody another name to sign in with."""
    changed = _change(resolve_data_dir(ctx, data_dir), user, {"name": new_name}, tenant)
    _told(changed, f"{user} is called {changed['name']} now.", as_json)


@command.command(epilog=examples("plan2 user block ann"))
@user_argument
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def block(ctx: click.Context, user: str, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Keep somebody out at once; their keys end for good."""
    changed = _change(resolve_data_dir(ctx, data_dir), user, {"blocked": True}, tenant)
    _told(changed, f"{changed['name']} is blocked.", as_json)


@command.command(epilog=examples("plan2 user unblock ann"))
@user_argument
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def unblock(
    ctx: click.Context, user: str, tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """Let somebody sign in again; keys that ended stay so."""
    changed = _change(resolve_data_dir(ctx, data_dir), user, {"blocked": False}, tenant)
    _told(changed, f"{changed['name']} may sign in again.", as_json)


@command.command(epilog=examples("plan2 user reset ann", "plan2 user reset ann --second-factor"))
@user_argument
@click.option("--second-factor", is_flag=True, help="Take the second factor away as well, at once.")
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def reset(
    ctx: click.Context,
    user: str,
    second_factor: bool,
    tenant: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Print a link for a new password; the old one is good until it is used."""
    folder = resolve_data_dir(ctx, data_dir)
    path = f"users/{quoted(user_id_of(folder, user, tenant))}/reset"
    _show_link(request(folder, "POST", path, {"second_factor": second_factor}, tenant), as_json)


@command.command(epilog=examples("plan2 user operator ann on", "plan2 user operator ann off"))
@user_argument
@click.argument("switch", type=click.Choice(("on", "off")))
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def operator(
    ctx: click.Context, user: str, switch: str, tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """Say whether somebody also runs the installation, above all tenants."""
    changed = _change(resolve_data_dir(ctx, data_dir), user, {"operator": switch == "on"}, tenant)
    word = "is an operator now" if changed["is_operator"] else "is no operator"
    _told(changed, f"{changed['name']} {word}.", as_json)


def _change(folder: Path, user: str, change: dict[str, object], tenant: str) -> Answer:
    path = f"users/{quoted(user_id_of(folder, user, tenant))}"
    return request(folder, "PATCH", path, change, tenant)


def _show_link(made: Answer, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    if not made["link"]:
        click.echo(f"{made['name']} is a user for programs: make a key with")
        click.echo(f"\n  plan2 key create --user {made['name']} --scope read\n")
        return
    click.echo(f"Hand this link to {made['name']} ({made['role']}); it is shown only now:")
    click.echo(f"\n  {made['link']}\n")
    click.echo(f"It is good once, until {time_text(made['expires_us'])}.")


def _told(changed: Answer, sentence: str, as_json: bool) -> None:
    if as_json:
        print_json(changed)
    else:
        click.echo(sentence)
