"""`plan2 backtest`: a flow over ticks in one compiled loop, or the live pipeline over the past."""

from pathlib import Path
from typing import Any

import click

from plan2.commands.market_progress import clear_progress, show_progress
from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_settings,
)
from plan2.commands.simulated_market import simulated_option
from plan2.foundation.config.load import Loaded

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    name="backtest",
    epilog=examples(
        "plan2 backtest ema-cross.toml",
        "plan2 backtest ema-cross.toml --simulated",
        "plan2 backtest ema-cross.toml --from 2014-05-01 --to 2014-05-10 --param fast=12 --json",
        "plan2 backtest breakout.toml --bars eurusd_m5.parquet --spread-points 12",
        "plan2 backtest ema-cross.toml --policy my_rule.py:MyRule",
        "plan2 backtest breakout.toml --engine pipeline",
        "plan2 backtest --symbol EURUSD",
    ),
)
@click.argument("flow", type=FILE, required=False)
@click.option("--symbol", "symbols", multiple=True, help="Of the flow's; repeatable without one.")
@click.option("--from", "start", metavar="TIME", help="First instant, ISO 8601, UTC.")
@click.option("--to", "end", metavar="TIME", help="End, exclusive, ISO 8601, UTC.")
@click.option("--ticks", type=FILE, help="A file of ticks instead of the archive.")
@simulated_option
@click.option("--bars", type=FILE, help="A file of bars, where no ticks exist.")
@click.option("--spread-points", type=click.FloatRange(min=0), help="Least spread of bars.")
@click.option("--quote-rate", type=float, default=0.0, help="Account currency per quote currency.")
@click.option("--base-rate", type=float, default=0.0, help="Account currency per base currency.")
@click.option("--param", "params", multiple=True, metavar="NAME=NUMBER", help="Repeatable.")
@click.option("--policy", metavar="NAME", help="In Python: name, module:Class, file.py:Class.")
@click.option(
    "--engine",
    type=click.Choice(["compiled", "python", "pipeline"]),
    help="What runs it: as the flow needs, or the live code with `pipeline`.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Of latency, slippage and refusals.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for files.")
@click.option("--report/--no-report", default=True, help="Keep the run of a flow and its report.")
@click.option("--explore", is_flag=True, help="Without a flow: also take exploratory trades.")
@data_dir_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    flow: Path | None,
    symbols: tuple[str, ...],
    start: str | None,
    end: str | None,
    explore: bool,
    data_dir: Path | None,
    as_json: bool,
    **options: Any,  # as click hands them over; `FlowOptions` names and types them
) -> None:
    """Trade the past: FLOW in one compiled loop, or without one the live code of the ensemble.

    Fills come on the first quote after the order's latency, at bid or ask; commission, swap, margin
    and stop-out as the flow says; --engine pipeline runs FLOW by the live code. Without a flow:
    features, models, risk gate and broker of the live code. A flow's run is kept, with its report,
    for `plan2 backtests`; a run without a flow is not. Progress goes to standard error.
    """
    loaded = resolve_settings(ctx, data_dir)
    if flow is not None:
        from plan2.commands.backtest_flow import FlowOptions, run_file

        asked = FlowOptions(flow, symbols, start, end, **options)
        run_file(loaded, asked, as_json=as_json)
        return
    if not symbols:
        raise click.UsageError("Name a flow file, or --symbol for the live pipeline.")
    given = sorted(
        f"--{name.replace('_', '-')}"
        for name, value in options.items()
        if value and name != "report"
    )
    if given:
        raise click.UsageError(f"{', '.join(given)} belongs to a flow; name the flow's file.")
    span = (start, end)
    _run_pipeline(loaded, symbols, span, explore=explore, as_json=as_json)


def _run_pipeline(
    loaded: Loaded,
    symbols: tuple[str, ...],
    span: tuple[str | None, str | None],
    *,
    explore: bool,
    as_json: bool,
) -> None:
    """The live code of the ensemble over the archive."""
    from plan2.commands.windows import replay_window
    from plan2.foundation.loop import run_async
    from plan2.intelligence.backtest.text import text_of
    from plan2.wiring.backtesting import run_backtest, without_exploration, without_trades

    if not explore:
        loaded = without_exploration(loaded)
    window = replay_window(symbols, *span, speed="max", fresh=True)
    report = run_async(run_backtest(loaded, window, show_progress))
    clear_progress()
    if as_json:
        print_json(report)
    else:
        click.echo(text_of(without_trades(report)))
