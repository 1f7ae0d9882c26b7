"""`plan2 audit archive|hold|lift`: months that leave the database, and what keeps them in it."""

import asyncio
from pathlib import Path
from typing import Final

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    resolve_settings,
    say,
)
from plan2.commands.tables import print_table
from plan2.foundation.errors import InputError
from plan2.foundation.values import TenantId

CHECKPOINTS: Final = "checkpoints"
ARCHIVE: Final = "event_archive"
BY: Final = "user:local"

tenant_option = click.option("--tenant", default="default", show_default=True, help="Whose log.")


@click.command(epilog=examples("plan2 audit archive", "plan2 audit archive --tenant acme --json"))
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def archive(ctx: click.Context, *, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Move months older than seven years into files; each is verified before it is dropped."""
    from plan2.foundation.clock import LiveClock
    from plan2.foundation.eventstore.checkpoints import Signer
    from plan2.foundation.eventstore.retention import ArchivedMonth, Retention
    from plan2.foundation.loop import run_async
    from plan2.foundation.storage import open_database

    settings, folder = resolve_settings(ctx, data_dir).settings, resolve_data_dir(ctx, data_dir)
    whose = TenantId(tenant)

    async def work() -> list[ArchivedMonth]:
        async with open_database(settings, say, tenants=[whose], may_join=True) as database:
            if database.access.admin is None:
                raise InputError(
                    "Months are archived as the owner of the tables.",
                    remedy="Set database.admin_url.",
                )
            retention = Retention(
                database.access,
                folder / ARCHIVE,
                folder / CHECKPOINTS,
                Signer.in_folder(folder / CHECKPOINTS),
                LiveClock(),
            )
            return await asyncio.to_thread(retention.run, whose)

    found = run_async(work())
    if as_json:
        print_json(found)
        return
    rows = [{"month": each.month, "events": each.events, "file": each.file} for each in found]
    columns = {"month": "MONTH", "events": "EVENTS", "file": "FILE"}
    print_table(rows, columns, empty="No month is older than seven years, or a hold keeps them.")


@click.command(
    epilog=examples(
        'plan2 audit hold --reason "case 12/2026"', "plan2 audit hold --tenant acme --reason x"
    )
)
@click.option("--reason", required=True, help="Why nothing may leave the database.")
@tenant_option
@data_dir_option
@click.pass_context
def hold(ctx: click.Context, *, reason: str, tenant: str, data_dir: Path | None) -> None:
    """Keep every month in the database until the hold is lifted; prints its id."""
    from plan2.foundation.clock import LiveClock
    from plan2.foundation.ids import RandomIds

    hold_id = RandomIds().next_id("hold")[:12]
    _change(
        ctx,
        data_dir,
        tenant,
        "insert into legal_hold (hold_id, reason, placed_by, placed_ns) values (%s, %s, %s, %s)",
        (hold_id, reason, BY, LiveClock().now_ns()),
    )
    click.echo(hold_id)


@click.command(epilog=examples("plan2 audit lift 0123456789ab"))
@click.argument("hold_id")
@tenant_option
@data_dir_option
@click.pass_context
def lift(ctx: click.Context, *, hold_id: str, tenant: str, data_dir: Path | None) -> None:
    """Lift a hold; months leave the database at the next archiving."""
    from plan2.foundation.clock import LiveClock

    rows = _change(
        ctx,
        data_dir,
        tenant,
        "update legal_hold set lifted_by = %s, lifted_ns = %s "
        "where hold_id = %s and lifted_ns is null",
        (BY, LiveClock().now_ns(), hold_id),
    )
    if not rows:
        raise InputError(f"There is no hold {hold_id!r} that could be lifted.")
    click.echo(f"{hold_id} is lifted.")


def _change(
    ctx: click.Context,
    data_dir: Path | None,
    tenant: str,
    statement: str,
    values: tuple[object, ...],
) -> int:
    """Run one statement of ours in the tenant's schema; how many rows it touched."""
    from plan2.foundation.loop import run_async
    from plan2.foundation.storage import open_database

    settings = resolve_settings(ctx, data_dir).settings
    whose = TenantId(tenant)

    async def work() -> int:
        async with (
            open_database(settings, say, tenants=[whose], may_join=True) as database,
            database.uow(whose) as uow,
        ):
            return (await uow.raw.execute(statement, values)).rowcount

    return run_async(work())
