"""`plan2 backtest`: the live pipeline over imported ticks, as fast as it goes."""

from datetime import UTC, datetime
from pathlib import Path

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_settings,
)


@click.command(
    name="backtest",
    epilog=examples(
        "plan2 backtest --symbol EURUSD",
        "plan2 backtest --symbol EURUSD --from 2014-05-01 --to 2014-05-10 --json",
    ),
)
@click.option("--symbol", "symbols", multiple=True, required=True, help="Imported; repeatable.")
@click.option("--from", "start", metavar="TIME", help="First instant, ISO 8601, UTC.")
@click.option("--to", "end", metavar="TIME", help="End, exclusive, ISO 8601, UTC.")
@click.option("--explore", is_flag=True, help="Also take exploratory trades, as paper accounts do.")
@data_dir_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    symbols: tuple[str, ...],
    start: str | None,
    end: str | None,
    explore: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Trade the past with the live code: same features, models, risk gate and broker.

    Fills come on the first quote after the order's latency, at bid or ask; commission and swap are
    charged. Nothing is written down. Progress goes to standard error.
    """
    from plan2.commands.windows import replay_window
    from plan2.foundation.loop import run_async
    from plan2.intelligence.backtest.text import text_of
    from plan2.wiring.backtesting import run_backtest, without_exploration, without_trades

    loaded = resolve_settings(ctx, data_dir)
    if not explore:
        loaded = without_exploration(loaded)
    window = replay_window(symbols, start, end, speed="max", fresh=True)
    report = run_async(run_backtest(loaded, window, _show))
    click.echo(" " * 60 + "\r", nl=False, err=True)
    if as_json:
        print_json(report)
    else:
        click.echo(text_of(without_trades(report)))


def _show(ts_ns: int, ticks: int) -> None:
    moment = datetime.fromtimestamp(ts_ns / 1e9, UTC)
    click.echo(f"  {moment:%Y-%m-%d %H:%M} UTC  {ticks:,} ticks\r", nl=False, err=True)
