"""`plan2 flow compare`: a live day of a flow beside its replay."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_settings,
)
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.values import TenantId


@click.command(
    name="compare",
    epilog=examples(
        "plan2 flow compare ema-cross --day 2025-11-20",
        "plan2 flow compare ema-cross --day 2025-11-20 --json",
        "plan2 flow compare ema-cross --day 2025-11-20 --tenant acme",
    ),
)
@click.argument("name")
@click.option("--day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="UTC day.")
@click.option("--tenant", default=MAIN_TENANT, show_default=True, help="Whose flow.")
@click.option("--worker", is_flag=True, hidden=True, help="Talk to a parent process.")
@data_dir_option
@json_option
@click.pass_context
def compare(
    ctx: click.Context,
    name: str,
    day: datetime,
    tenant: str,
    worker: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Replay a day of a flow from its recorded ticks and say why trades differ.

    Causes: latency, spread, slippage, size, cost, reject, missing_tick, models_gone,
    decided_otherwise.
    """
    from plan2.foundation.errors import Plan2Error
    from plan2.foundation.loop import run_async
    from plan2.foundation.worker_messages import open_channel
    from plan2.wiring.live_comparison import compare_day

    work = compare_day(resolve_settings(ctx, data_dir), name, day.date(), TenantId(tenant))
    if worker:
        channel = open_channel()
        try:
            channel.result(run_async(work))
        except Plan2Error as error:
            channel.failure(error)
            raise
        return
    found = run_async(work)
    if as_json:
        print_json(found)
        return
    _print_day(msgspec.to_builtins(found))


def _print_day(day: dict[str, Any]) -> None:
    from plan2.commands.tables import print_table, time_text

    both = day["comparison"]
    click.echo(f"{day['flow']} {day['version']} on {day['account_id']}, {day['day']} UTC")
    click.echo(f"live    {both['live_trades']} trades, net {both['live_net']}")
    replayed = f"{both['replay_trades']} trades, net {both['replay_net']}"
    click.echo(f"replay  {replayed}, {both['paired']} paired")
    columns = {
        "opened": "opened",
        "cause": "cause",
        "live_net": "live",
        "replay_net": "replay",
        "detail": "why",
    }
    rows = [{**part, "opened": time_text(part["opened_us"])} for part in both["differences"]]
    print_table(rows, columns, empty="No trade differs.")
