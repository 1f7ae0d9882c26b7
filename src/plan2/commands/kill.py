"""`plan2 kill`: halt, withdraw working orders and close positions, also when Plan2 is stuck."""

from pathlib import Path
from typing import Any

import click

from plan2.commands.options import examples, resolve_data_dir
from plan2.commands.switching import body_of, carry_out, selector_options


@click.command(
    name="kill",
    epilog=examples(
        'plan2 kill --scope global --reason "wrong prices"',
        'plan2 kill --symbol EURUSD --reason "runaway"',
        'plan2 kill --account live --foreign --reason "leave nothing open"',
        'plan2 kill --tenant acme --reason "asked for on the phone"',
    ),
)
@selector_options
@click.option("--foreign", is_flag=True, help="Also what Plan2 did not open: your own trades too.")
@click.pass_context
def command(ctx: click.Context, /, foreign: bool, **options: Any) -> None:  # see selector_options
    """Halt trading, withdraw its working orders and close its positions at market.

    Goes on until the terminal shows nothing open; where the market is closed, positions are closed
    when quotes return. If Plan2 does not answer, the file KILL is written to its data folder: it is
    obeyed as soon as Plan2 gets to it, and it cannot trade again before the file is removed.
    """
    from plan2.commands.running import NotRunning

    try:
        carry_out(ctx, "kill", options, closes_foreign=foreign)
    except NotRunning as error:
        folder = resolve_data_dir(ctx, options["data_dir"])
        path = write_file(_folder_of(folder, options["tenant"] or ""), body_of(options))
        raise NotRunning(
            error.message, remedy=f"{path} was written instead; remove it before you resume."
        ) from None


def _folder_of(folder: Path, tenant: str) -> Path:
    """Where the kill file of a tenant goes, or of the whole installation.

    Raises:
        InputError: that cannot be a tenant's id.
        UsageError: the tenant has no files on this machine.
    """
    from plan2.foundation.database.tenancy import MAIN_TENANT, schema_of
    from plan2.foundation.values import TenantId
    from plan2.wiring.tenant_folder import folder_of

    if not tenant or tenant == MAIN_TENANT:
        return folder
    schema_of(TenantId(tenant))
    found = folder_of(folder, tenant)
    if not found.is_dir():
        raise click.UsageError(f"Plan2 does not run, and tenant {tenant} has no folder {found}.")
    return found


def write_file(folder: Path, body: dict[str, object]) -> Path:
    """Leave the kill file, narrowed down as asked."""
    from plan2.intelligence.trading.kill_file import FILE_NAME

    words = str(body["scope"]), str(body["target"] or body["account_id"])
    path = folder / FILE_NAME
    path.write_text(f"{' '.join(words).strip()}\n{body['reason']}\n", encoding="utf-8")
    return path
