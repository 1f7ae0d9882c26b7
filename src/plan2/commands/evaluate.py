"""`plan2 evaluate`: judge model families on archived ticks without registering anything."""

from datetime import datetime
from pathlib import Path

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    resolve_settings,
)
from plan2.commands.progress_line import progress_line
from plan2.commands.train import END_OF_TIME_NS, carry_out, nanoseconds
from plan2.commands.training_order import Order


@click.command(
    name="evaluate",
    epilog=examples(
        "plan2 evaluate                               all archived symbols, configured families",
        "plan2 evaluate --symbol EURUSD --from 2024-01-01 --families xgboost",
        "plan2 evaluate --symbol EURUSD --open-sealed the newest tenth too, once",
        "plan2 evaluate --json > evaluation.json",
    ),
)
@click.option("--symbol", "symbols", multiple=True, help="Symbol to judge on; may be repeated.")
@click.option("--from", "start", default=None, type=click.DateTime(), help="First time, UTC.")
@click.option("--to", "end", default=None, type=click.DateTime(), help="Time to stop before, UTC.")
@click.option("--families", multiple=True, help="Model family; may be repeated. [as configured]")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
@click.option(
    "--open-sealed",
    is_flag=True,
    help="Judge on the sealed newest tenth too. It is written down: nobody sees an event twice.",
)
@data_dir_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    symbols: tuple[str, ...],
    start: datetime | None,
    end: datetime | None,
    families: tuple[str, ...],
    seed: int,
    open_sealed: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Judge model families on archived ticks, out of sample.

    Walk-forward and purged as in training, with every baseline, higher costs, later entries and
    corrections for the number of tries. Nothing is registered and no forecast changes; the results
    join the record of trials, and a report with pictures is written.
    """
    settings = resolve_settings(ctx, data_dir).settings
    order = Order(
        folder=resolve_data_dir(ctx, data_dir),
        symbols=tuple(dict.fromkeys(symbols)),
        families=tuple(families) or settings.models.families,
        start_ns=nanoseconds(start, 0),
        end_ns=nanoseconds(end, END_OF_TIME_NS),
        seed=seed,
        horizon_minutes=settings.models.horizon_minutes,
        bar_period_s=settings.market.bar_period_s,
        device=settings.models.device,
        registers=False,
        opens_seal=open_sealed,
    )
    with progress_line() as progress:
        found = carry_out(order, progress)
    if as_json:
        print_json(found)
        return
    click.echo("\n".join(found.report))
    click.echo(f"Report: {found.page}")
