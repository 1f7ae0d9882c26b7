"""`plan2 flow compare`: a live day of a flow beside its replay."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_settings,
)

if TYPE_CHECKING:
    from plan2.wiring.live_comparison import FlowDay


@click.command(
    name="compare",
    epilog=examples(
        "plan2 flow compare ema-cross --day 2025-11-20",
        "plan2 flow compare ema-cross --day 2025-11-20 --json",
    ),
)
@click.argument("name")
@click.option("--day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="UTC day.")
@click.option("--worker", is_flag=True, hidden=True, help="Talk to a parent process.")
@data_dir_option
@json_option
@click.pass_context
def compare(
    ctx: click.Context,
    name: str,
    day: datetime,
    worker: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Replay a day of a flow from its recorded ticks and say why trades differ.

    Causes: latency, spread, slippage, size, cost, reject, missing_tick, decided_otherwise.
    """
    from plan2.foundation.errors import Plan2Error
    from plan2.foundation.loop import run_async
    from plan2.foundation.worker_messages import open_channel
    from plan2.wiring.live_comparison import compare_day

    work = compare_day(resolve_settings(ctx, data_dir), name, day.date())
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
    _print_day(found)


def _print_day(found: "FlowDay") -> None:
    from plan2.commands.tables import print_table, time_text

    both = found.comparison
    click.echo(f"{found.flow} {found.version} on {found.account_id}, {found.day} UTC")
    click.echo(f"live    {both.live_trades} trades, net {both.live_net}")
    click.echo(f"replay  {both.replay_trades} trades, net {both.replay_net}, {both.paired} paired")
    print_table(
        [
            {
                "opened": time_text(part.opened_us),
                "cause": part.cause,
                "live": part.live_net,
                "replay": part.replay_net,
                "detail": part.detail,
            }
            for part in both.differences
        ],
        {
            "opened": "opened",
            "cause": "cause",
            "live": "live",
            "replay": "replay",
            "detail": "why",
        },
        empty="No trade differs.",
    )
