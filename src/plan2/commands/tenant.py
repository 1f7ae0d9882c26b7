"""`plan2 tenant`: make, watch, suspend, export, delete and restore tenants of a running Plan2."""

import shutil
import time
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
from plan2.commands.running import quoted, request, with_query
from plan2.commands.tables import print_table, time_text
from plan2.commands.tenant_broker import command as broker
from plan2.foundation.database.tenancy import TENANT_PATTERN
from plan2.foundation.errors import InputError, Recoverable

Item = dict[str, Any]
"""A tenant as the API shows it."""

POLL_S: Final = 0.3
COLUMNS: Final = {"tenant_id": "TENANT", "name": "NAME", "state": "STATE", "detail": "DETAIL"}
EXPORTS: Final = "exports"


def common_options(callback: F) -> F:
    """Add the reason, where Plan2 runs and how to answer."""
    reason = click.option("--reason", default="", metavar="TEXT", help="Why; kept in the events.")
    return reason(data_dir_option(json_option(callback)))


@click.group(
    name="tenant",
    epilog=examples(
        'plan2 tenant create acme --name "Acme Ltd" --administrator ann',
        "plan2 tenant list",
        'plan2 tenant suspend acme --reason "invoice 12 is open"',
        "plan2 tenant export acme",
        "plan2 tenant delete acme",
    ),
)
def command() -> None:
    """Make, list, suspend, export, delete and restore tenants; Plan2 must be running."""


command.add_command(broker)


@command.command("list", epilog=examples("plan2 tenant list", "plan2 tenant list --json"))
@data_dir_option
@json_option
@click.pass_context
def list_(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Print every tenant with its state; of deleted ones only the id is left."""
    items = request(resolve_data_dir(ctx, data_dir), "GET", "tenants")["items"]
    if as_json:
        print_json(items)
        return
    print_table(items, COLUMNS, empty="There is no tenant.")


@command.command(epilog=examples("plan2 tenant show acme", "plan2 tenant show acme --json"))
@click.argument("tenant", metavar="ID")
@data_dir_option
@json_option
@click.pass_context
def show(ctx: click.Context, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Print one tenant: its state, what is being done about it, its exports."""
    _print(request(resolve_data_dir(ctx, data_dir), "GET", _path(tenant)), as_json)


@command.command(
    epilog=examples(
        'plan2 tenant create acme --name "Acme Ltd" --administrator ann',
        "plan2 tenant create acme --administrator ann --json | jq -r .invitation",
    )
)
@click.argument("tenant", metavar="ID")
@click.option("--name", help="Its name for people (default: the id).")
@click.option("--administrator", required=True, metavar="NAME", help="Who is invited first.")
@common_options
@click.pass_context
def create(
    ctx: click.Context,
    tenant: str,
    name: str | None,
    administrator: str,
    reason: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Make a tenant, and print the link with which its first administrator joins.

    ID is 1 to 48 of a-z, 0-9 and _. What fails half-way can be taken up with `plan2 tenant retry`.
    """
    if not TENANT_PATTERN.fullmatch(tenant):
        raise InputError(
            f"{tenant!r} cannot be a tenant's id.", remedy="Use 1 to 48 of a-z, 0-9 and _."
        )
    body = {
        "tenant_id": tenant,
        "name": name or tenant,
        "administrator": administrator,
        "reason": reason,
    }
    made = request(resolve_data_dir(ctx, data_dir), "POST", "tenants", body)
    _print_made(made, as_json)


@command.command(epilog=examples("plan2 tenant retry acme"))
@click.argument("tenant", metavar="ID")
@common_options
@click.pass_context
def retry(
    ctx: click.Context, tenant: str, reason: str, data_dir: Path | None, as_json: bool
) -> None:
    """Take up what failed or was interrupted: making, migrating or deleting a tenant."""
    folder = resolve_data_dir(ctx, data_dir)
    made = request(folder, "POST", _path(tenant, "retry"), {"reason": reason})
    if made["tenant"]["work"]:
        made["tenant"] = _watch(folder, tenant, quiet=as_json)
    _print_made(made, as_json)


@command.command(epilog=examples('plan2 tenant suspend acme --reason "invoice 12 is open"'))
@click.argument("tenant", metavar="ID")
@common_options
@click.pass_context
def suspend(
    ctx: click.Context, tenant: str, reason: str, data_dir: Path | None, as_json: bool
) -> None:
    """Close every channel of a tenant at once, and its account: a kill leaves nothing open.

    Pages, programs and streams are refused within a second. Where the market is closed, positions
    go when it opens. A tenant that is resumed comes back halted.
    """
    folder = resolve_data_dir(ctx, data_dir)
    _print(request(folder, "POST", _path(tenant, "suspend"), {"reason": reason}), as_json)


@command.command(epilog=examples('plan2 tenant resume acme --reason "invoice 12 is paid"'))
@click.argument("tenant", metavar="ID")
@common_options
@click.pass_context
def resume(
    ctx: click.Context, tenant: str, reason: str, data_dir: Path | None, as_json: bool
) -> None:
    """Serve a suspended tenant again."""
    folder = resolve_data_dir(ctx, data_dir)
    _print(request(folder, "POST", _path(tenant, "resume"), {"reason": reason}), as_json)


@command.command(
    epilog=examples("plan2 tenant export acme", "plan2 tenant export acme --to /mnt/backup")
)
@click.argument("tenant", metavar="ID")
@click.option(
    "--to",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder to copy the file to.",
)
@common_options
@click.pass_context
def export(
    ctx: click.Context,
    tenant: str,
    target: Path | None,
    reason: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Write everything of a tenant into one file, while the tenant goes on.

    The file holds every table as CSV, the event log unchanged, and a manifest with row counts and
    hashes. It can be restored with `plan2 tenant restore`. Keep it safe: it holds hashed
    credentials and all trades.
    """
    folder = resolve_data_dir(ctx, data_dir)
    request(folder, "POST", _path(tenant, "export"), {"reason": reason})
    item = _watch(folder, tenant, quiet=as_json)
    made = folder / EXPORTS / item["exports"][0]["file"]
    if target is not None:
        target.mkdir(parents=True, exist_ok=True)
        made = Path(shutil.copy2(made, target))
    if as_json:
        print_json({"file": str(made), "size_bytes": item["exports"][0]["size_bytes"]})
        return
    click.echo(f"Exported into {made}")


@command.command(
    epilog=examples("plan2 tenant delete acme", "plan2 tenant delete acme --yes --reason left")
)
@click.argument("tenant", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@common_options
@click.pass_context
def delete(
    ctx: click.Context, tenant: str, yes: bool, reason: str, data_dir: Path | None, as_json: bool
) -> None:
    """Export a tenant, then remove its tables, keys and files for good.

    Only its id stays, so that nobody else gets it. What was sealed with its keys cannot be read
    any more, not from the export either.
    """
    folder = resolve_data_dir(ctx, data_dir)
    request(folder, "GET", _path(tenant))  # whether there is one is told before anybody is asked
    if not yes:
        typed = click.prompt(f"This cannot be undone. Type {tenant} to delete it", err=True)
        if typed != tenant:
            raise InputError("That is not the tenant's id; nothing was deleted.")
    path = with_query(_path(tenant), {"confirm": tenant, "reason": reason})
    request(folder, "DELETE", path)
    _print(_watch(folder, tenant, quiet=as_json), as_json)


@command.command(
    epilog=examples(
        "plan2 tenant restore acme acme-20261123T010203Z.zip",
        "plan2 tenant restore acme /mnt/backup/acme-20261123T010203Z.zip",
    )
)
@click.argument("tenant", metavar="ID")
@click.argument("file", type=click.Path(path_type=Path))
@common_options
@click.pass_context
def restore(
    ctx: click.Context,
    tenant: str,
    file: Path,
    reason: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Make a deleted tenant anew from its export; no other tenant is touched.

    It comes back suspended: look at it, then `plan2 tenant resume` it.
    """
    folder = resolve_data_dir(ctx, data_dir)
    place = folder / EXPORTS
    if file.is_file() and file.resolve().parent != place.resolve():
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy2(file, place / file.name)
    body = {"file": file.name, "reason": reason}
    request(folder, "POST", _path(tenant, "restore"), body)
    _print(_watch(folder, tenant, quiet=as_json), as_json)


def _path(tenant: str, *more: str) -> str:
    return "/".join(("tenants", quoted(tenant), *more))


def _watch(folder: Path, tenant: str, *, quiet: bool) -> Item:
    """Wait for the end of what is being done about a tenant, and show how far it is.

    Raises:
        Recoverable: it failed.
    """
    said = ""
    while True:
        item: Item = request(folder, "GET", _path(tenant))
        work = item["work"]
        if not work:
            break
        if not quiet and work["phase"] != said:
            said = work["phase"]
            share = f" {work['done_rows']:,} of {work['total_rows']:,} rows"
            click.echo(f"  {said}{share if work['total_rows'] else ''}", err=True)
        time.sleep(POLL_S)
    if item["last_failure"]:
        raise Recoverable(item["last_failure"], remedy=f"`plan2 tenant show {tenant}` says more.")
    return item


def _print_made(made: Item, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    _print(made["tenant"], as_json)
    if made["invitation"]:
        click.echo("Its first administrator joins here; the link is shown only now:")
        click.echo(f"\n  {made['invitation']}\n")


def _print(item: Item, as_json: bool) -> None:
    if as_json:
        print_json(item)
        return
    detail = f": {item['detail']}" if item["detail"] else ""
    click.echo(
        f"Tenant {item['tenant_id']} ({item['name'] or 'no name'}) is {item['state']}{detail}"
    )
    if item["closing"]:
        click.echo(f"  {item['closing']}")
    if item["work"]:
        click.echo(f"  under way: {item['work']['kind']} {item['work']['phase']}")
    for made in item["exports"]:
        size_mb = made["size_bytes"] / 1e6
        click.echo(f"  export {made['file']}  {size_mb:,.1f} MB  {time_text(made['made_us'])}")
    if item["last_failure"]:
        click.echo(f"  failed last: {item['last_failure']}")
