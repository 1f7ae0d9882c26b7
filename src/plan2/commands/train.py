"""`plan2 train`: train and evaluate on archived ticks or bars; what comes out is a candidate."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, Unpack

import click

from plan2.commands.candidates import need_running, next_step, promote_to
from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    resolve_settings,
)
from plan2.commands.progress_line import progress_line
from plan2.commands.training_order import Order, Progress, Trained
from plan2.foundation.config.schema import Settings
from plan2.foundation.values import NS_PER_SECOND

END_OF_TIME_NS = 2**63 - 1


class TrainOptions(TypedDict):
    """What to train on and how, as click hands it over."""

    symbols: tuple[str, ...]
    start: datetime | None
    end: datetime | None
    families: tuple[str, ...]
    features: str | None
    dataset: str
    seed: int
    horizon_minutes: int | None
    bar_period_s: int | None
    searches: int
    minutes: float | None
    processes: int


@click.command(
    name="train",
    epilog=examples(
        "plan2 train                                 all archived symbols, one model per family",
        "plan2 train --symbol EURUSD --symbol GBPUSD",
        "plan2 train --symbol EURUSD --from 2024-01-01 --to 2024-07-01 --families xgboost",
        "plan2 train --features mine --dataset spring",
        "plan2 train --families all                  every family that can be trained here",
        "plan2 train --search 50 --minutes 30        look for hyper-parameters first",
        'plan2 train --promote --reason "first try on paper"',
        "plan2 train --json > report.json",
    ),
)
@click.option("--symbol", "symbols", multiple=True, help="Symbol to train on; may be repeated.")
@click.option("--from", "start", default=None, type=click.DateTime(), help="First time, UTC.")
@click.option("--to", "end", default=None, type=click.DateTime(), help="Time to stop before, UTC.")
@click.option(
    "--families",
    multiple=True,
    help='Model family, may be repeated, or "all". [models.families]',
)
@click.option("--features", default=None, help="Feature set: name, name@version or a file.")
@click.option("--dataset", default="", help="Train on a data set of `plan2 dataset list`.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
@click.option(
    "--horizon-minutes",
    default=None,
    type=click.IntRange(min=1),
    help="Minutes ahead that a forecast speaks of. [models.horizon_minutes]",
)
@click.option(
    "--bar-period-s",
    default=None,
    type=click.IntRange(min=1),
    help="Length of a bar, seconds. [market.bar_period_s]",
)
@click.option(
    "--search",
    "searches",
    default=0,
    type=click.IntRange(min=0),
    help="Try this many variants of each family first, those of an earlier search included.",
)
@click.option(
    "--minutes",
    default=None,
    type=click.FloatRange(min=0.0, min_open=True),
    help="Stop searching after this long.",
)
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Variants tried at the same time.",
)
@click.option("--promote", is_flag=True, help="Let the candidate serve at once; needs --reason.")
@click.option("--reason", default="", help="Why it may serve although a gate is not passed.")
@click.option("--worker", is_flag=True, hidden=True, help="Talk to a parent process.")
@data_dir_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    promote: bool,
    reason: str,
    worker: bool,
    data_dir: Path | None,
    as_json: bool,
    **options: Unpack[TrainOptions],
) -> None:
    """Train models on archived ticks, or on the bars of symbols that have no ticks.

    Events are labelled at prices that could have been had, with costs; forecasts are judged out of
    sample only, walk-forward and purged. The report says "insufficient evidence" when that is the
    truth. The models become a candidate; gates, or you with --promote, decide whether it serves.
    """
    if promote and not reason.strip():
        raise click.UsageError("--promote needs a --reason: it is written down.")
    if options["dataset"] and options["searches"]:
        raise click.UsageError("--search looks at the archive; leave --dataset or --search out.")
    settings = resolve_settings(ctx, data_dir).settings
    order = _order(resolve_data_dir(ctx, data_dir), settings, options)
    if worker:
        _work(order)
        return
    if promote:
        need_running(order.folder)
    with progress_line() as progress:
        trained = carry_out(order, progress)
    if promote:
        promote_to(order.folder, trained.candidate_id, "champion", reason, is_override=True)
    if as_json:
        print_json(trained)
        return
    last = next_step(order.folder, trained.candidate_id)
    click.echo("\n".join([*trained.report, f"Report: {trained.page}", *last]))


def _order(folder: Path, settings: Settings, options: TrainOptions) -> Order:
    """What was asked for; what was not said is as configured."""
    features = options["features"]
    return Order(
        folder=folder,
        symbols=tuple(dict.fromkeys(options["symbols"])),
        families=tuple(options["families"]) or settings.models.families,
        start_ns=nanoseconds(options["start"], 0),
        end_ns=nanoseconds(options["end"], END_OF_TIME_NS),
        seed=options["seed"],
        horizon_minutes=options["horizon_minutes"] or settings.models.horizon_minutes,
        bar_period_s=options["bar_period_s"] or settings.market.bar_period_s,
        features=settings.models.feature_set if features is None else features,
        dataset=options["dataset"],
        device=settings.models.device,
        searches=options["searches"],
        search_minutes=options["minutes"],
        processes=options["processes"],
    )


def _work(order: Order) -> None:
    """Train as a child process: progress and result go to the parent."""
    from plan2.foundation.worker_messages import answer

    answer(lambda channel: carry_out(order, lambda words, share: channel.progress(share, words)))


def carry_out(order: Order, progress: Progress) -> Trained:
    """Train, or only evaluate (`training_run.carry_out`); late, because it imports everything."""
    from plan2.commands.training_run import carry_out as run

    return run(order, progress)


def nanoseconds(moment: datetime | None, otherwise: int) -> int:
    """A time of the command line, which is UTC, or what it means to give none."""
    if moment is None:
        return otherwise
    return int(moment.replace(tzinfo=UTC).timestamp()) * NS_PER_SECOND
