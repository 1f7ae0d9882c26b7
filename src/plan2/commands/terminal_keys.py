"""`plan2 terminal-keys`: who may connect a terminal from another machine, and to which account."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import click
import msgspec

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_settings,
    say,
)
from plan2.commands.tables import print_done
from plan2.connectivity.identity.terminal_keys import (
    PostgresTerminalKeys,
    TerminalKey,
    TerminalKeys,
    shown_key,
)
from plan2.foundation.values import TenantId

T = TypeVar("T")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

tenant_option = click.option("--tenant", default="default", show_default=True, help="Whose keys.")


class Made(msgspec.Struct, frozen=True):
    """A new key; `secret` is shown only here."""

    key_id: str
    account_id: str
    label: str
    secret: str


@click.group(
    name="terminal-keys",
    epilog=examples(
        "plan2 terminal-keys create --label office     a key for the configured account",
        "plan2 terminal-keys create --account live-2",
        "plan2 terminal-keys list",
        "plan2 terminal-keys revoke 0123456789ab",
    ),
)
def command() -> None:
    """Make, list and revoke the keys that `plan2 terminal` connects with."""


@command.command(
    epilog=examples(
        "plan2 terminal-keys create --label office",
        "plan2 terminal-keys create --account live --json | jq -r .secret > key.txt",
    )
)
@click.option("--account", help="Plan2's name for the account [terminal.account].")
@click.option("--label", default="", help="A word to know the key by, such as the machine's name.")
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def create(
    ctx: click.Context,
    account: str | None,
    label: str,
    tenant: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Make a key for one account, and print it; it cannot be shown again."""
    account_id = account or resolve_settings(ctx, data_dir).settings.terminal.account
    bare, key = _with_keys(ctx, data_dir, tenant, lambda keys: keys.create(account_id, label))
    secret = shown_key(tenant, bare)
    if as_json:
        print_json(Made(key.key_id, key.account_id, key.label, secret))
        return
    click.echo(f"Key {key.key_id} of the account {key.account_id}; keep it, it is shown only now:")
    click.echo(f"\n  {secret}\n")
    click.echo("On the terminal's machine put it into a file and give that to `plan2 terminal`.")


@command.command(
    "list", epilog=examples("plan2 terminal-keys list", "plan2 terminal-keys list --json")
)
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def list_(ctx: click.Context, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Print every key, revoked ones too; the keys themselves are not known any more."""
    found = _with_keys(ctx, data_dir, tenant, TerminalKeys.every)
    if as_json:
        print_json(found)
        return
    for key in found:
        click.echo(_line(key))
    if not found:
        click.echo("There is no key.")


@command.command(epilog=examples("plan2 terminal-keys revoke 0123456789ab"))
@click.argument("key_id", metavar="ID")
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def revoke(
    ctx: click.Context, key_id: str, tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """Revoke a key for good; a link that uses it ends within two seconds."""
    _with_keys(ctx, data_dir, tenant, lambda keys: keys.revoke(key_id))
    print_done([{"key_id": key_id}], "Key {key_id} is revoked.", as_json)


def _with_keys(
    ctx: click.Context,
    data_dir: Path | None,
    tenant: str,
    work: Callable[[TerminalKeys], Awaitable[T]],
) -> T:
    """Do something with the keys of a tenant, in the database of a running Plan2 or our own."""
    from plan2.foundation.clock import LiveClock
    from plan2.foundation.ids import RandomIds
    from plan2.foundation.loop import run_async
    from plan2.foundation.storage import open_database

    settings = resolve_settings(ctx, data_dir).settings
    whose = TenantId(tenant)

    async def inside() -> T:
        async with open_database(settings, say, tenants=[whose], may_join=True) as database:
            table = PostgresTerminalKeys(database.uow, whose)
            return await work(TerminalKeys(table, LiveClock(), RandomIds()))

    return run_async(inside())


def _line(key: TerminalKey) -> str:
    state = "good" if key.revoked_ns is None else f"revoked {_day(key.revoked_ns)}"
    return f"{key.key_id}  {key.account_id:<12}  {_day(key.created_ns)}  {state}  {key.label}"


def _day(ts_ns: int) -> str:
    return f"{EPOCH + timedelta(microseconds=ts_ns // 1000):%Y-%m-%d %H:%M}Z"
