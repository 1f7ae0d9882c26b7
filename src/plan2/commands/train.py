"""`plan2 train`: train, evaluate honestly and register models on archived ticks."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    resolve_settings,
)
from plan2.foundation.errors import InputError, Plan2Error
from plan2.foundation.values import NS_PER_SECOND

END_OF_TIME_NS = 2**63 - 1

Progress = Callable[[str, float], None]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line; empty tuples and None mean the defaults.

    `registers`: whether models are made and registered, or families only evaluated. `opens_seal`:
    whether an evaluation looks at the sealed events, which works once.
    """

    folder: Path
    symbols: tuple[str, ...]
    families: tuple[str, ...]
    start_ns: int
    end_ns: int
    seed: int
    horizon_minutes: int
    bar_period_s: int
    registers: bool = True
    opens_seal: bool = False


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """What a run registered and how good it is.

    `report` is the text for people, `page` the file with the pictures.
    """

    model_ids: tuple[str, ...]
    symbols: tuple[str, ...]
    verdict: str
    flags: tuple[str, ...]
    events: int
    n_eff: float
    counts: dict[str, dict[str, int]]
    metrics: dict[str, dict[str, float]]
    missing: tuple[str, ...]
    report: tuple[str, ...]
    page: str


@click.command(
    name="train",
    epilog=examples(
        "plan2 train                                 all archived symbols, one model per family",
        "plan2 train --symbol EURUSD --symbol GBPUSD",
        "plan2 train --symbol EURUSD --from 2024-01-01 --to 2024-07-01 --families xgboost",
        "plan2 train --json > report.json",
    ),
)
@click.option("--symbol", "symbols", multiple=True, help="Symbol to train on; may be repeated.")
@click.option("--from", "start", default=None, type=click.DateTime(), help="First time, UTC.")
@click.option("--to", "end", default=None, type=click.DateTime(), help="Time to stop before, UTC.")
@click.option("--families", multiple=True, help="Model family; may be repeated. [xgboost, lstm]")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
@click.option("--worker", is_flag=True, hidden=True, help="Talk to a parent process.")
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
    worker: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Train models on archived ticks.

    Events are labelled at prices that could have been had, with costs; forecasts are judged out of
    sample only, walk-forward and purged. The report says "insufficient evidence" when that is the
    truth; the models are registered and serve their symbols either way.
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
    )
    if worker:
        _work(order)
        return
    trained = carry_out(order, tell_progress)
    if as_json:
        print_json(trained)
        return
    click.echo("\n".join(trained.report))
    click.echo(f"Report: {trained.page}")
    click.echo(f"Registered for {', '.join(trained.symbols)}: {', '.join(trained.model_ids)}")


def _work(order: Order) -> None:
    """Train as a child process: progress and result go to the parent."""
    from plan2.foundation.worker_messages import open_channel

    channel = open_channel()
    try:
        channel.result(carry_out(order, lambda message, share: channel.progress(share, message)))
    except Plan2Error as error:
        channel.failure(error)
        raise


def tell_progress(message: str, share: float) -> None:
    """One line for a person who waits, beside the output."""
    click.echo(f"{share:4.0%} {message}", err=True)


def carry_out(order: Order, progress: Progress) -> Trained:
    """Train and register, or only evaluate, and write the report.

    Raises:
        ConfigError: a family is unknown or cannot be trained.
        InputError: the ticks are missing or too few, or the seal was opened before.
        ModelMismatch: an exported model does not say what the trained one says.
    """
    from plan2.dataflow.archive import TickArchive
    from plan2.dataflow.terminals.simulated.instruments import SYMBOLS, instruments
    from plan2.dataflow.terminals.simulated.opening import FOLDER
    from plan2.foundation.clock import LiveClock
    from plan2.intelligence.models.registry import Registry
    from plan2.intelligence.training.again import Aim, carried_out
    from plan2.intelligence.training.publish import publish
    from plan2.intelligence.training.report import lines_of, metrics_of
    from plan2.intelligence.training.request import TrainRequest
    from plan2.intelligence.training.train import register_report

    archive = TickArchive(order.folder / "archive")
    registry = Registry(order.folder / "models")
    symbols = _symbols(order, archive.symbols())
    request = TrainRequest(
        symbols=symbols,
        instruments=instruments(symbol for symbol in symbols if symbol in SYMBOLS),
        ts_ns=LiveClock().now_ns(),
        families=order.families,
        horizon_minutes=order.horizon_minutes,
        bar_period_s=order.bar_period_s,
        seed=order.seed,
        is_simulated=order.folder.name == FOLDER,
        parents=registry.parents(symbols),
    )
    blocks = {symbol: archive.iter_days(symbol, order.start_ns, order.end_ns) for symbol in symbols}
    aim = Aim(order.folder / "models", order.registers, order.opens_seal)
    report = carried_out(aim, request, blocks, progress)
    rows = {**report.families, "ensemble": report.ensemble}
    return Trained(
        model_ids=register_report(registry, report) if order.registers else (),
        symbols=report.symbols,
        verdict=report.verdict,
        flags=tuple(str(flag) for flag in report.ensemble.flags),
        events=report.events,
        n_eff=report.n_eff,
        counts=report.counts,
        metrics={name: metrics_of(evaluation) for name, evaluation in rows.items()},
        missing=report.missing,
        report=tuple(lines_of(report)),
        page=str(publish(report, aim.made_by, request.ts_ns, order.folder)),
    )


def _symbols(order: Order, archived: tuple[str, ...]) -> tuple[str, ...]:
    unknown = sorted(set(order.symbols) - set(archived))
    if unknown or not archived:
        raise InputError(
            f"No ticks are archived for {', '.join(unknown) or 'any symbol'}; "
            f"archived symbols: {', '.join(archived) or 'none'}.",
            remedy="Bring ticks in with `plan2 import FILE…`.",
        )
    return order.symbols or archived


def nanoseconds(moment: datetime | None, otherwise: int) -> int:
    """A time of the command line, which is UTC, or what it means to give none."""
    if moment is None:
        return otherwise
    return int(moment.replace(tzinfo=UTC).timestamp()) * NS_PER_SECOND
